//! `GET /api/auth/me`.

use crate::app::App;
use crate::flow::authenticate::{Credential, identify};
use crate::flow::me::me;
use crate::http::extract::{Presented, caller_of};
use crate::http::problem::Problem;
use crate::http::view::{MeView, with_cookies};
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use counterfoil_guard::Refusal;
use http::{HeaderValue, header};
use std::sync::Arc;

/// Who is signed in, and in which session.
#[utoipa::path(get, path = "/api/auth/me", tag = "session", responses(
    (status = 200, body = MeView),
    (status = 401, description = "`token_missing`, `token_expired`, `token_invalid`, `token_stale`, `session_revoked`"),
))]
pub(in crate::http) async fn get(State(app): State<Arc<App>>, request: Request) -> Result<Response, Problem> {
    // Borrowed, not extracted: this is the hottest path there is.
    let presented = Presented::find(&app, request.headers(), request.extensions())?.ok_or(Refusal::Missing)?;
    let body = match presented.credential() {
        Credential::Access(token) => me(&app, (token, None), MeView::bytes).await?,
        Credential::Bound(token, proof) => me(&app, (token, Some(proof)), MeView::bytes).await?,
        credential @ Credential::Session(_) => {
            let caller = caller_of(&app, request.headers(), request.extensions());
            let identity = identify(&app, credential, &caller).await?;
            MeView::bytes(&identity.session, &identity.user)
        }
    };
    let response = ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response();
    Ok(with_cookies(response, presented.healing))
}
