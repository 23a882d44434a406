//! `GET /api/admin/risk`: what the rules of risk have decided, each with why; and the rules themselves.

use super::Reader;
use super::audit::read;
use crate::app::App;
use crate::flow::look_up;
use crate::http::extract::Params;
use crate::http::problem::Problem;
use crate::http::view::{json, rfc3339};
use crate::risk::Risk;
use crate::store::Recorded;
use axum::extract::State;
use axum::response::Response;
use counterfoil_core::audit::Event;
use counterfoil_core::audit_search::{Direction, Wanted};
use counterfoil_core::risk::{Action, Explained, Rule};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json as value};
use std::sync::Arc;

/// Which decisions.
#[derive(Deserialize)]
pub(in crate::http) struct RiskQuery {
    user: Option<String>,
    sid: Option<String>,
    before: Option<String>,
    limit: Option<u32>,
}

/// What was out of the ordinary, newest first, and what was done about it.
#[utoipa::path(get, path = "/api/admin/risk", tag = "admin", params(
    ("user" = Option<String>, Query, description = "about this account"),
    ("sid" = Option<String>, Query, description = "about this session"),
    ("before" = Option<String>, Query, description = "the `next` of the page before"),
    ("limit" = Option<u32>, Query, description = "1 to 1000, 100 if absent"),
), responses((status = 200, description = "`enabled`, `rules`, `decisions`, and `next` if there may be more"),
    (status = 400, description = "`malformed`")))]
pub(in crate::http) async fn list(
    _: Reader,
    State(app): State<Arc<App>>,
    Params(query): Params<RiskQuery>,
) -> Result<Response, Problem> {
    let id = "is an id: 22 characters of base64url";
    let wanted = Wanted {
        user: read("user", query.user.as_deref(), id, |text| text.parse().ok())?,
        sid: read("sid", query.sid.as_deref(), id, |text| text.parse().ok())?,
        event: Some(Event::RiskAssessed),
        ..Wanted::default()
    };
    let before = read("before", query.before.as_deref(), "is the `next` of the page before", |text| text.parse().ok())?;
    let limit = query.limit.unwrap_or(100).clamp(1, 1000) as usize;
    let (found, next) = look_up::search(&app, &wanted, (Direction::Back, before), limit).await?;
    let decisions: Vec<Value> = found.iter().map(|one| decision(&app.risk, one)).collect();
    let rules: Vec<Value> = app.risk.rules.iter().map(rule).collect();
    let mut body = value!({ "enabled": app.risk.is_on(), "rules": rules, "decisions": decisions });
    if let Some(next) = next {
        body["next"] = next.to_string().into();
    }
    Ok(json(StatusCode::OK, &body))
}

fn rule(rule: &Rule) -> Value {
    value!({ "name": rule.name, "action": rule.action.as_str(), "dry_run": rule.dry_run })
}

/// An entry that cannot be read, of a version to come perhaps, is shown as it stands.
fn decision(risk: &Risk, Recorded { seq, entry, .. }: &Recorded) -> Value {
    let mut shown = value!({
        "seq": seq, "at": rfc3339(entry.at), "user": entry.user, "session": entry.sid, "network": entry.network,
        "detail": entry.detail,
    });
    if let Some(place) = risk.place(&entry.network) {
        shown["place"] = place.into();
    }
    let Some(Explained { at, application, assessed }) = Explained::parse(&entry.detail) else { return shown };
    let says = |(name, action): &(String, Action)| value!({ "name": name, "action": action.as_str() });
    shown["moment"] = at.into();
    shown["application"] = application.into();
    shown["action"] = assessed.action.as_str().into();
    shown["rule"] = assessed.rule.as_ref().map_or(Value::Null, says);
    shown["dry_run"] = assessed.dry.as_ref().map_or(Value::Null, says);
    shown["score"] = assessed.score.into();
    let signals = assessed
        .found
        .iter()
        .map(|(found, weight)| value!({ "signal": found.signal.as_str(), "value": found.value, "weight": weight }));
    shown["signals"] = signals.collect();
    shown
}
