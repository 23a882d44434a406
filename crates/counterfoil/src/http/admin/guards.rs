//! `/api/admin/guards`.

use super::{Reader, done};
use crate::app::App;
use crate::flow::administer::Administrator;
use crate::flow::guards;
use crate::http::extract::JsonBody;
use crate::http::problem::{Code, Problem};
use crate::http::view::{json, rfc3339};
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A guard to be added.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct GuardBody {
    /// 1 to 64 letters, digits, dots, dashes and underscores. One name may serve any number of processes.
    name: String,
}

/// Make a credential for guards; it is shown once.
#[utoipa::path(post, path = "/api/admin/guards", tag = "admin", request_body = GuardBody, responses(
    (status = 201), (status = 409, description = "`name_taken`"),
))]
pub(in crate::http) async fn create(
    by: Administrator,
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody<GuardBody>,
) -> Result<Response, Problem> {
    if !guards::is_name(&body.name) {
        let detail = "`name` must be 1 to 64 letters, digits, dots, dashes and underscores";
        return Err(Problem::new(Code::Malformed).detail(detail));
    }
    let credential = guards::add(&app, &by, &body.name).await?.ok_or_else(|| Problem::new(Code::NameTaken))?;
    Ok(json(StatusCode::CREATED, &serde_json::json!({ "name": body.name, "credential": credential.expose() })))
}

/// List the guards, and which of their processes may accept tokens now.
#[utoipa::path(get, path = "/api/admin/guards", tag = "admin", responses((status = 200)))]
pub(in crate::http) async fn list(_: Reader, State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let live = app.feed.verifiers();
    let head = app.feed.head();
    let view = |guard: &crate::store::GuardCredential| {
        let mine = live.iter().filter(|(name, ..)| *name == guard.name);
        let behind = mine.clone().map(|(.., acknowledged)| head.saturating_sub(*acknowledged)).max();
        serde_json::json!({
            "name": guard.name, "created_at": rfc3339(guard.created_at), "instances": mine.count(), "behind": behind,
        })
    };
    let guards = app.store.guards().await?;
    Ok(json(StatusCode::OK, &serde_json::json!({ "guards": guards.iter().map(view).collect::<Vec<_>>() })))
}

/// Take a guard's credential back.
#[utoipa::path(delete, path = "/api/admin/guards/{name}", tag = "admin", params(("name" = String, Path)),
    responses((status = 204), (status = 404)))]
pub(in crate::http) async fn remove(
    by: Administrator,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    done(guards::remove(&app, &by, &name).await?)
}
