//! `/healthz`, `/readyz`, `/metrics`.

use super::problem::{Code, Problem};
use crate::app::App;
use crate::flow::Caller;
use crate::replica::Replica;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, header};
use std::sync::Arc;
use std::time::Duration;

/// The process is alive.
#[utoipa::path(get, path = "/healthz", tag = "operations", responses((status = 200)))]
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// The server can do its work: the store reads and writes, what is revoked is known, and the clock is right.
#[utoipa::path(get, path = "/readyz", tag = "operations", responses((status = 200), (status = 503)))]
pub(super) async fn readyz(State(app): State<Arc<App>>) -> Result<&'static str, Problem> {
    if let Some(detail) = not_ready(&app) {
        return Err(Problem::new(Code::Overloaded).detail(detail).retry_after(Duration::from_secs(1)));
    }
    let checked = app.store.check().await;
    metrics::gauge!("counterfoil_store_up").set(if checked.is_ok() { 1.0 } else { 0.0 });
    checked?;
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
    gauge(&app);
    app.metrics.run_upkeep();
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], app.metrics.render()).into_response())
}

/// What is measured when somebody looks.
fn gauge(app: &App) {
    let number = |value: u64| f64::from(u32::try_from(value).unwrap_or(u32::MAX));
    let feed = app.feed.summary();
    metrics::gauge!("counterfoil_revocations_in_force").set(number(app.revocations().read().len() as u64));
    metrics::gauge!("counterfoil_guard_instances").set(number(feed.guards));
    metrics::gauge!("counterfoil_guard_lag_entries").set(number(feed.furthest_behind));
    metrics::gauge!("counterfoil_log_head").set(number(feed.head));
    metrics::gauge!("counterfoil_log_copy_age_seconds").set(feed.copy_age.as_secs_f64());
    metrics::gauge!("counterfoil_replicas").set(number(feed.peers + 1));
    if let Some(left) = feed.first_lease_ends {
        metrics::gauge!("counterfoil_lease_seconds_left_min").set(left.as_secs_f64());
    }
    metrics::gauge!("counterfoil_replica_ready").set(if not_ready(app).is_none() { 1.0 } else { 0.0 });
    let offset = app.replica.as_ref().map_or(0, Replica::clock_error);
    metrics::gauge!("counterfoil_store_clock_offset_seconds")
        .set(f64::from(i32::try_from(offset).unwrap_or(i32::MAX)) / 1000.0);
    for (algorithm, age) in app.keyring().ages(app.clock.now()) {
        metrics::gauge!("counterfoil_key_age_seconds", "algorithm" => algorithm.name()).set(age.as_secs_f64());
    }
    if let Some(connections) = app.store.connections() {
        for (state, count) in [("busy", connections.busy), ("idle", connections.idle), ("most", connections.most)] {
            metrics::gauge!("counterfoil_store_connections", "state" => state).set(f64::from(count));
        }
    }
}

/// Why this server is not ready, but for what the store itself would say.
fn not_ready(app: &App) -> Option<&'static str> {
    if app.feed.is_closing() {
        return Some("this server is stopping");
    }
    if !app.feed.is_current() {
        return Some("this server has not been able to read the revocation log");
    }
    let wrong = app.replica.as_ref().is_some_and(|replica| !replica.clock_is_right());
    wrong.then_some("this machine's clock is more than two seconds off the database's")
}
