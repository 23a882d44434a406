//! C1 at the edge: reads the headers, asks [`counterfoil_guard::Origins`], answers 403 `cross_site`.

use super::problem::{Code, Problem};
use crate::app::App;
use axum::extract::FromRequestParts;
use counterfoil_guard::Provenance;
use http::HeaderMap;
use http::request::Parts;
use std::sync::Arc;

const ADVICE: &str = "send it from this application's own origin, with the header X-Requested-With";

/// Refuses unless a request that rests on a cookie comes from us and carries the custom header.
pub(super) fn require(app: &App, headers: &HeaderMap) -> Result<(), Problem> {
    match Provenance::of(headers) {
        Some(provenance) if app.origins.permit(provenance) => Ok(()),
        _ => Err(refused()),
    }
}

/// Refuses unless the request comes from us; the origin alone, for what cannot carry a header: forms, sockets.
pub(super) fn require_origin(app: &App, headers: &HeaderMap) -> Result<(), Problem> {
    match Provenance::of(headers) {
        Some(provenance) if app.origins.permit(Provenance { custom_header: true, ..provenance }) => Ok(()),
        _ => Err(refused()),
    }
}

/// An extractor that refuses a request which rests on no cookie, but says that it comes from elsewhere (CSRF-4). Stands before
/// the body among a handler's arguments, so that nothing is read of a request that is refused.
#[derive(Debug)]
pub(super) struct NotForeign;

impl FromRequestParts<Arc<App>> for NotForeign {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        match Provenance::of(&parts.headers) {
            Some(provenance) if app.origins.permit_without_cookie(provenance) => Ok(Self),
            _ => Err(refused()),
        }
    }
}

fn refused() -> Problem {
    metrics::counter!("counterfoil_cross_site_refused_total").increment(1);
    Problem::new(Code::CrossSite).detail(ADVICE)
}
