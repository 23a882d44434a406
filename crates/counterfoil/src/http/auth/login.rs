//! `POST /api/auth/login`.

use super::steps::{SignInAnswer, answer};
use crate::app::App;
use crate::flow::Caller;
use crate::flow::login::{Login, login};
use crate::http::csrf::NotForeign;
use crate::http::dpop;
use crate::http::extract::JsonBody;
use crate::http::problem::Problem;
use crate::http::ticket::Tickets;
use axum::extract::State;
use axum::response::Response;
use counterfoil_core::Secret;
use http::{Extensions, HeaderMap};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// A sign-in.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct LoginBody {
    email: String,
    #[schema(value_type = String)]
    password: Secret<String>,
    /// The application; `web` if not given.
    client_id: Option<String>,
    /// "Keep me signed in"; true if not given.
    remember: Option<bool>,
}

/// Sign in with a password.
#[utoipa::path(post, path = "/api/auth/login", tag = "sign-in", request_body = LoginBody, responses(
    (status = 200, body = SignInAnswer),
    (status = 400, description = "`malformed`, `invalid_dpop_proof`, `use_dpop_nonce`"),
    (status = 401, description = "`invalid_credentials`, `proof_required`"),
    (status = 403, description = "`cross_site`, `risk_denied`"),
    (status = 429, description = "`rate_limited`"),
    (status = 503, description = "`overloaded`"),
))]
pub(in crate::http) async fn post(
    State(app): State<Arc<App>>,
    caller: Caller,
    _: NotForeign,
    (headers, extensions): (HeaderMap, Extensions),
    JsonBody(body): JsonBody<LoginBody>,
) -> Result<Response, Problem> {
    let LoginBody { email, password, client_id, remember } = body;
    let attempt = Login { email, password, client_id, remember: remember.unwrap_or(true) };
    let outcome = login(&app, attempt, dpop::proof(&extensions)?.as_deref(), &caller).await?;
    Ok(answer(&app, &headers, outcome, Tickets::brought(&app, &headers, None)))
}
