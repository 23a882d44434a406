//! `/healthz`, `/readyz`, `/metrics`.

use super::problem::{Code, Problem};
use crate::app::App;
use crate::flow::Caller;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, header};
use std::sync::Arc;

/// The process is alive.
#[utoipa::path(get, path = "/healthz", tag = "operations", responses((status = 200)))]
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// The server can do its work: the store reads and writes.
#[utoipa::path(get, path = "/readyz", tag = "operations", responses((status = 200), (status = 503)))]
pub(super) async fn readyz(State(app): State<Arc<App>>) -> Result<&'static str, Problem> {
    app.store.check().await?;
    Ok("ready\n")
}

/// Metrics in the Prometheus text format, for the networks in `metrics.allow`.
#[utoipa::path(get, path = "/metrics", tag = "operations", responses((status = 200), (status = 403)))]
pub(super) async fn metrics(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let allowed = |address| app.config.metrics.allow.iter().any(|network| network.contains(&address));
    // A proxy on this machine that is not among `trusted_proxies` must not lend the world its own address.
    let forwarded = headers.contains_key("x-forwarded-for") || headers.contains_key("forwarded");
    let lent = forwarded && caller.address.is_some_and(|address| address.is_loopback());
    if lent || !caller.address.is_none_or(allowed) {
        return Err(Problem::new(Code::Forbidden).detail("allowed networks are in `metrics.allow`"));
    }
    let in_force = u32::try_from(app.revocations().read().len()).unwrap_or(u32::MAX);
    metrics::gauge!("counterfoil_revocations_in_force").set(f64::from(in_force));
    app.metrics.run_upkeep();
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], app.metrics.render()).into_response())
}
