//! `/api/admin/invites`.

use crate::app::App;
use crate::flow::administer::{self, ADMIN, Administrator};
use crate::http::extract::JsonBody;
use crate::http::problem::{Code, Problem};
use crate::http::view::json;
use axum::extract::State;
use axum::response::Response;
use counterfoil_core::user::Role;
use http::StatusCode;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use utoipa::ToSchema;

/// An invitation to be made.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct InviteBody {
    /// A role the account gets.
    role: Option<String>,
    /// Seconds it is valid; a day if not given, 30 days at the most.
    valid_for: Option<u64>,
}

/// Make an invitation; the answer holds its link, which works once.
#[utoipa::path(post, path = "/api/admin/invites", tag = "admin", request_body = InviteBody, responses((status = 201)))]
pub(in crate::http) async fn create(
    by: Administrator,
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody<InviteBody>,
) -> Result<Response, Problem> {
    let role = match body.role.as_deref() {
        None => None,
        Some(role) => Some(Role::parse(role).ok_or_else(|| Problem::new(Code::Malformed).detail("no such role name"))?),
    };
    let life = Duration::from_secs(body.valid_for.unwrap_or(86_400).clamp(60, 30 * 86_400));
    let admin = if role.as_ref().is_some_and(|role| role.as_str() == ADMIN) { "&role=admin" } else { "" };
    let token = administer::invite(&app, &by, role, life).await?;
    let link = app.public.absolute(&format!("/register?invite={}{admin}", token.expose()));
    Ok(json(StatusCode::CREATED, &serde_json::json!({ "link": link, "valid_for": life.as_secs() })))
}
