//! `/api/admin/keys`.

use crate::app::App;
use crate::flow::administer::Administrator;
use crate::http::problem::Problem;
use crate::http::view::{json, rfc3339};
use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use std::sync::Arc;

/// List the signing keys and where they are in their life.
#[utoipa::path(get, path = "/api/admin/keys", tag = "admin", responses((status = 200)))]
pub(in crate::http) async fn list(_: Administrator, State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let keys = app.store.signing_keys().await?;
    let view = |key: &counterfoil_core::keys::ring::StoredKey| {
        serde_json::json!({
            "kid": key.kid.as_str(), "alg": key.algorithm.name(), "state": key.state.as_str(),
            "created_at": rfc3339(key.created_at),
        })
    };
    Ok(json(StatusCode::OK, &serde_json::json!({ "keys": keys.iter().map(view).collect::<Vec<_>>() })))
}
