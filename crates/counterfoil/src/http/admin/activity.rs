//! `/api/admin/activity`: what the charts show.

use super::Reader;
use crate::app::App;
use crate::http::extract::Params;
use crate::http::problem::{Code, Problem};
use crate::http::view::{json, rfc3339};
use axum::extract::State;
use axum::response::Response;
use counterfoil_core::activity::{Activity, beginning_of, hour_of};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// Of which time.
#[derive(Deserialize)]
pub(in crate::http) struct ActivityQuery {
    period: Option<String>,
}

/// How many of what there were.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ActivityView {
    /// When the first step begins; RFC 3339, UTC.
    from: String,
    /// How long a step is: an hour or a day.
    step_seconds: i64,
    /// How many there were in each step, the oldest first; the last one is not over.
    series: BTreeMap<&'static str, Vec<u64>>,
}

/// Sign-ins, what was refused, and how soon revocations were in force everywhere, as counts by hour or by day.
#[utoipa::path(get, path = "/api/admin/activity", tag = "admin", params(
    ("period" = Option<String>, Query, description = "`day`: 24 hours, if absent; `month`: 30 days (UTC)"),
), responses((status = 200, body = ActivityView), (status = 400, description = "`malformed`")))]
pub(in crate::http) async fn get(
    _: Reader,
    State(app): State<Arc<App>>,
    Params(query): Params<ActivityQuery>,
) -> Result<Response, Problem> {
    let hours = match query.period.as_deref() {
        None | Some("day") => 1,
        Some("month") => 24,
        Some(_) => return Err(Problem::new(Code::Malformed).detail("`period` is `day` or `month`")),
    };
    let steps = if hours == 1 { 24 } else { 30 };
    // A day is one of UTC: its hours are counted from midnight.
    let until = (hour_of(app.clock.now()).div_euclid(hours) + 1) * hours;
    let from = until - steps * hours;
    let length = usize::try_from(steps).expect("a small number");
    let mut series: BTreeMap<_, _> = Activity::all().map(|what| (what.as_str(), vec![0; length])).collect();
    for counted in app.store.counts(from, until).await? {
        let step = usize::try_from((counted.hour - from) / hours).expect("within the span that was asked for");
        if let Some(cell) = series.get_mut(counted.what.as_str()).and_then(|counts| counts.get_mut(step)) {
            *cell += u64::from(counted.count);
        }
    }
    let view = ActivityView { from: rfc3339(beginning_of(from)), step_seconds: hours * 3_600, series };
    Ok(json(StatusCode::OK, &view))
}
