//! C1 at the edge: reads the headers, asks [`counterfoil_guard::Origins`], answers 403 `cross_site`.

use super::problem::{Code, Problem};
use crate::app::App;
use counterfoil_guard::Provenance;
use http::HeaderMap;

const ADVICE: &str = "send it from this application's own origin, with the header X-Requested-With";

/// Refuses unless a request that rests on a cookie comes from us and carries the custom header.
pub(super) fn require(app: &App, headers: &HeaderMap) -> Result<(), Problem> {
    match provenance(headers) {
        Some(provenance) if app.origins.permit(provenance) => Ok(()),
        _ => Err(refused()),
    }
}

/// Refuses a request that rests on no cookie only if it says that it comes from elsewhere (CSRF-4).
pub(super) fn require_not_foreign(app: &App, headers: &HeaderMap) -> Result<(), Problem> {
    match provenance(headers) {
        Some(provenance) if app.origins.permit_without_cookie(provenance) => Ok(()),
        _ => Err(refused()),
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
