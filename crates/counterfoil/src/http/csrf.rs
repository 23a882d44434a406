//! C1 at the edge: reads the headers, asks [`counterfoil_guard::Origins`], answers 403 `cross_site`.

use super::problem::{Code, Problem};
use crate::app::App;
use counterfoil_guard::Provenance;
use http::{HeaderMap, header};

const ADVICE: &str = "send it from this application's own origin, with the header X-Requested-With";

/// Refuses unless a request that rests on a cookie comes from us and carries the custom header.
pub(super) fn require(app: &App, headers: &HeaderMap) -> Result<(), Problem> {
    let permitted = single(headers, header::ORIGIN.as_str()).and_then(|_| provenance(headers));
    match permitted {
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
    Some(Provenance {
        fetch_site: single(headers, "sec-fetch-site")?,
        origin: single(headers, "origin")?,
        custom_header: headers.contains_key("x-requested-with"),
    })
}

fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<Option<&'a str>> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Some(None),
        (Some(value), None) => value.to_str().ok().map(Some),
        (Some(_), Some(_)) => None,
    }
}
