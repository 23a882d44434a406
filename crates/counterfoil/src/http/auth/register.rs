//! `POST /api/auth/register`.

use crate::app::App;
use crate::flow::Caller;
use crate::flow::register::{Registration, register};
use crate::http::csrf::NotForeign;
use crate::http::extract::JsonBody;
use crate::http::problem::Problem;
use crate::http::view::{UserView, json};
use axum::extract::State;
use axum::response::Response;
use counterfoil_core::Secret;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// A new account.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct RegisterBody {
    email: String,
    #[schema(value_type = String)]
    password: Secret<String>,
    name: Option<String>,
    /// An invitation's token, where registration is by invitation.
    #[schema(value_type = Option<String>)]
    invite: Option<Secret<String>>,
    /// Accepted and not needed: an account is for all applications.
    #[expect(dead_code, reason = "part of the contract")]
    client_id: Option<String>,
}

/// The account that was made.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct RegisteredView {
    user: UserView,
}

/// Make an account. Never signs in.
#[utoipa::path(post, path = "/api/auth/register", tag = "sign-in", request_body = RegisterBody, responses(
    (status = 201, body = RegisteredView),
    (status = 403, description = "`registration_closed`, `invite_invalid`, `cross_site`"),
    (status = 409, description = "`email_taken`"),
    (status = 422, description = "`password_rejected`"),
    (status = 429, description = "`rate_limited`"),
))]
pub(in crate::http) async fn post(
    State(app): State<Arc<App>>,
    caller: Caller,
    _: NotForeign,
    JsonBody(body): JsonBody<RegisterBody>,
) -> Result<Response, Problem> {
    let RegisterBody { email, password, name, invite, .. } = body;
    let user = register(&app, Registration { email, password, name, invite }, &caller).await?;
    Ok(json(StatusCode::CREATED, &RegisteredView { user: UserView::from(&user) }))
}
