//! `POST /api/auth/login`.

use crate::app::App;
use crate::flow::Caller;
use crate::flow::login::{Login, login};
use crate::http::auth::device;
use crate::http::csrf::NotForeign;
use crate::http::dpop;
use crate::http::extract::JsonBody;
use crate::http::problem::Problem;
use crate::http::view::{MeView, TokensView, deliver};
use axum::extract::State;
use axum::response::Response;
use counterfoil_core::Secret;
use http::Extensions;
use serde::{Deserialize, Serialize};
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

/// Who is signed in, and the tokens that stand in the body.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct SignedInView {
    #[serde(flatten)]
    me: MeView,
    #[serde(flatten)]
    tokens: TokensView,
}

/// Sign in with a password.
#[utoipa::path(post, path = "/api/auth/login", tag = "sign-in", request_body = LoginBody, responses(
    (status = 200, body = SignedInView),
    (status = 400, description = "`malformed`, `invalid_dpop_proof`, `use_dpop_nonce`"),
    (status = 401, description = "`invalid_credentials`, `proof_required`"),
    (status = 403, description = "`cross_site`"),
    (status = 429, description = "`rate_limited`"),
    (status = 503, description = "`overloaded`"),
))]
pub(in crate::http) async fn post(
    State(app): State<Arc<App>>,
    caller: Caller,
    _: NotForeign,
    extensions: Extensions,
    JsonBody(body): JsonBody<LoginBody>,
) -> Result<Response, Problem> {
    let LoginBody { email, password, client_id, remember } = body;
    let attempt = Login { email, password, client_id, remember: remember.unwrap_or(true) };
    let signed_in = login(&app, attempt, dpop::proof(&extensions)?.as_deref(), &caller).await?;
    let body = SignedInView {
        me: MeView::of(&signed_in.session, &signed_in.user),
        tokens: TokensView::of(&signed_in.delivery),
    };
    let mut response = deliver(&body, &signed_in.delivery, &app.config.session);
    device::offer(&app, &signed_in.session, &mut response);
    Ok(response)
}
