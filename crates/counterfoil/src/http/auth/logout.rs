//! `POST /api/auth/logout` and `POST /api/auth/logout-all`.

use crate::app::App;
use crate::flow::Caller;
use crate::flow::authenticate::session_to_end;
use crate::flow::sign_out::{sign_out, sign_out_everywhere};
use crate::http::cookie::{self, ACCESS, SESSION};
use crate::http::csrf;
use crate::http::extract::Presented;
use crate::http::problem::Problem;
use crate::http::view::with_cookies;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use counterfoil_core::Sid;
use http::{HeaderMap, StatusCode, header};
use std::sync::Arc;

/// Sign out here, by access or session token; an expired one will do. Fine to repeat, and without a token.
#[utoipa::path(post, path = "/api/auth/logout", tag = "session", responses(
    (status = 204), (status = 403, description = "`cross_site`"),
))]
pub(in crate::http) async fn post(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Some(sid) = named_session(&app, &headers).await? {
        sign_out(&app, sid, &caller).await?;
    }
    Ok(signed_out(&app))
}

/// Sign out on every device, this one included.
#[utoipa::path(post, path = "/api/auth/logout-all", tag = "session", responses(
    (status = 204), (status = 403, description = "`cross_site`"),
))]
pub(in crate::http) async fn post_all(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Some(sid) = named_session(&app, &headers).await? {
        sign_out_everywhere(&app, sid, &caller).await?;
    }
    Ok(signed_out(&app))
}

/// C1 unless the request rests on an Authorization header alone, then the session its credential names.
async fn named_session(app: &App, headers: &HeaderMap) -> Result<Option<Sid>, Problem> {
    let by_cookie = !ACCESS.read(headers).is_empty() || !SESSION.read(headers).is_empty();
    if by_cookie || !headers.contains_key(header::AUTHORIZATION) {
        csrf::require(app, headers)?;
    }
    let Some(presented) = Presented::find(app, headers)? else { return Ok(None) };
    Ok(session_to_end(app, presented.credential()).await?)
}

fn signed_out(app: &App) -> Response {
    with_cookies(StatusCode::NO_CONTENT.into_response(), cookie::clear_all(&app.config.session))
}
