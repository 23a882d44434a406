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
    match provenance(headers) {
        Some(provenance) if app.origins.permit(provenance) => Ok(()),
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
        match provenance(&parts.headers) {
            Some(provenance) if app.origins.permit_without_cookie(provenance) => Ok(Self),
            _ => Err(refused()),
        }
    }
}

fn refused() -> Problem {
    metrics::counter!("counterfoil_cross_site_refused_total").increment(1);
    Problem::new(Code::CrossSite).detail(ADVICE)
}

/// `None` when a header stands there twice or is not text: then it is not a browser of ours.
fn provenance(headers: &HeaderMap) -> Option<Provenance<'_>> {
    let single = |name: &str| {
        let mut values = headers.get_all(name).iter().map(|value| value.to_str().ok());
        let first = values.next();
        (values.next().is_none() && first != Some(None)).then_some(first.flatten())
    };
    Some(Provenance {
        fetch_site: single("sec-fetch-site")?,
        origin: single("origin")?,
        custom_header: headers.contains_key("x-requested-with"),
    })
}
