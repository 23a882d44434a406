//! `GET /api/auth/me`.

use crate::app::App;
use crate::flow::Caller;
use crate::flow::me::me;
use crate::http::extract::Presented;
use crate::http::problem::Problem;
use crate::http::view::{MeView, with_cookies};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use counterfoil_guard::Refusal;
use http::{HeaderMap, HeaderValue, header};
use std::sync::Arc;

/// Who is signed in, and in which session.
#[utoipa::path(get, path = "/api/auth/me", tag = "session", responses(
    (status = 200, body = MeView),
    (status = 401, description = "`token_missing`, `token_expired`, `token_invalid`, `token_stale`, `session_revoked`"),
))]
pub(in crate::http) async fn get(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let presented = Presented::find(&app, &headers)?.ok_or(Refusal::Missing)?;
    let body = me(&app, presented.credential(), &caller, MeView::bytes).await?;
    let response = ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response();
    Ok(with_cookies(response, presented.healing))
}
