//! `POST /api/auth/legacy`.

use super::steps::{SignInAnswer, answer};
use crate::app::App;
use crate::flow::Caller;
use crate::flow::legacy::{Exchange, exchange};
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

/// A token of the system that was there before.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct LegacyBody {
    /// The JWT.
    #[schema(value_type = String)]
    token: Secret<String>,
    /// The application; `web` if not given.
    client_id: Option<String>,
    /// "Keep me signed in"; true if not given.
    remember: Option<bool>,
}

/// Turn a token of the system that was there before into a session, so that the move signs nobody out. It counts once.
#[utoipa::path(post, path = "/api/auth/legacy", tag = "sign-in", request_body = LegacyBody, responses(
    (status = 200, body = SignInAnswer),
    (status = 400, description = "`malformed`, `invalid_dpop_proof`, `use_dpop_nonce`"),
    (status = 401, description = "`legacy_token_invalid`, `proof_required`"),
    (status = 403, description = "`cross_site`, `risk_denied`"),
    (status = 409, description = "`legacy_token_used`: it has been exchanged; refresh, or sign in"),
    (status = 410, description = "`legacy_closed`: none are taken, or not any more"),
    (status = 429, description = "`rate_limited`"),
    (status = 503, description = "`overloaded`: it may be good; keep it and try again"),
))]
pub(in crate::http) async fn post(
    State(app): State<Arc<App>>,
    caller: Caller,
    _: NotForeign,
    (headers, extensions): (HeaderMap, Extensions),
    JsonBody(body): JsonBody<LegacyBody>,
) -> Result<Response, Problem> {
    let LegacyBody { token, client_id, remember } = body;
    let wanted = Exchange { token, client_id, remember: remember.unwrap_or(true) };
    let outcome = exchange(&app, wanted, dpop::proof(&extensions)?.as_deref(), &caller).await?;
    Ok(answer(&app, &headers, outcome, Tickets::brought(&app, &headers, None)))
}
