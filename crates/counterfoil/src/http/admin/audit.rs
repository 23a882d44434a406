//! `/api/admin/audit`.

use crate::app::App;
use crate::flow::administer::Administrator;
use crate::http::extract::Params;
use crate::http::problem::Problem;
use crate::http::view::{json, rfc3339};
use axum::extract::State;
use axum::response::Response;
use counterfoil_core::audit::AuditEntry;
use http::StatusCode;
use serde::Deserialize;
use std::sync::Arc;

/// Which page.
#[derive(Deserialize)]
pub(in crate::http) struct PageQuery {
    before: Option<i64>,
    limit: Option<u32>,
}

/// The audit log, newest first.
#[utoipa::path(get, path = "/api/admin/audit", tag = "admin", params(
    ("before" = Option<i64>, Query), ("limit" = Option<u32>, Query),
), responses((status = 200)))]
pub(in crate::http) async fn list(
    _: Administrator,
    State(app): State<Arc<App>>,
    Params(query): Params<PageQuery>,
) -> Result<Response, Problem> {
    let page = app.store.page(query.before, query.limit.unwrap_or(100).clamp(1, 1000)).await?;
    let view = |(seq, entry): &(i64, AuditEntry)| {
        serde_json::json!({
            "seq": seq, "at": rfc3339(entry.at), "event": entry.event.as_str(), "actor": entry.actor.kind(),
            "by": entry.actor.user(), "user": entry.user, "session": entry.sid,
            "network": entry.network, "detail": entry.detail,
        })
    };
    Ok(json(StatusCode::OK, &serde_json::json!({ "entries": page.iter().map(view).collect::<Vec<_>>() })))
}
