//! `/api/auth/sessions`: the user's devices.

use crate::app::App;
use crate::flow::Caller;
use crate::flow::authenticate::identify;
use crate::flow::look_up;
use crate::flow::sign_out::{devices, end_one, end_others};
use crate::http::cookie;
use crate::http::extract::Presented;
use crate::http::problem::{Code, Problem};
use crate::http::receipt::{self, ReceiptView, WantsReceipt};
use crate::http::timeline::{Reader, StoryView};
use crate::http::view::{SessionView, json, with_cookies};
use axum::extract::{Path, State};
use axum::response::Response;
use http::request::Parts;
use http::{Method, StatusCode};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// The user's sessions.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct SessionsView {
    /// Alive, newest use first.
    sessions: Vec<SessionView>,
    /// Over, and why, newest first; at most 20.
    ended: Vec<SessionView>,
}

/// List the user's sessions.
#[utoipa::path(get, path = "/api/auth/sessions", tag = "session", responses(
    (status = 200, body = SessionsView), (status = 401, description = "as `GET /api/auth/me`"),
))]
pub(in crate::http) async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    parts: Parts,
) -> Result<Response, Problem> {
    let presented = Presented::require(&app, &Method::GET, (&parts.headers, &parts.extensions))?;
    let identity = identify(&app, presented.credential(), &caller).await?;
    let (live, ended) = devices(&app, &identity).await?;
    let now = app.clock.now();
    let current = identity.session.sid;
    let view = SessionsView {
        sessions: live
            .iter()
            .map(|session| SessionView::of(session, session.sid == current).placed(&app.risk))
            .collect(),
        ended: ended.iter().take(20).map(|session| SessionView::ended(session, now).placed(&app.risk)).collect(),
    };
    Ok(json(StatusCode::OK, &view))
}

/// What happened to one of the user's sessions, in order, and why it is over. Somebody else's is 404, like one that does not exist.
#[utoipa::path(get, path = "/api/auth/sessions/{sid}/timeline", tag = "session", params(("sid" = String, Path)), responses(
    (status = 200, body = StoryView), (status = 404, description = "`not_found`"), (status = 401, description = "as `GET /api/auth/me`"),
))]
pub(in crate::http) async fn timeline(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(sid): Path<String>,
    parts: Parts,
) -> Result<Response, Problem> {
    let presented = Presented::require(&app, &Method::GET, (&parts.headers, &parts.extensions))?;
    let identity = identify(&app, presented.credential(), &caller).await?;
    let sid = sid.parse().map_err(|_| Problem::new(Code::NotFound))?;
    let story = look_up::story(&app, sid).await?.filter(|story| story.user == identity.user.id);
    let story = story.ok_or_else(|| Problem::new(Code::NotFound))?;
    Ok(json(StatusCode::OK, &StoryView::of(story, Reader::User)))
}

/// End one session. Somebody else's is 404, like one that does not exist.
#[utoipa::path(delete, path = "/api/auth/sessions/{sid}", tag = "session", params(("sid" = String, Path)), responses(
    (status = 200, body = ReceiptView), (status = 204), (status = 404, description = "`not_found`"), (status = 403, description = "`cross_site`"),
))]
pub(in crate::http) async fn delete_one(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(sid): Path<String>,
    wants: WantsReceipt,
    parts: Parts,
) -> Result<Response, Problem> {
    let presented = Presented::require(&app, &Method::DELETE, (&parts.headers, &parts.extensions))?;
    let identity = identify(&app, presented.credential(), &caller).await?;
    let sid = sid.parse().map_err(|_| Problem::new(Code::NotFound))?;
    let ended = end_one(&app, &identity, sid, &caller).await?;
    if !ended.found {
        return Err(Problem::new(Code::NotFound));
    }
    let cookies = if sid == identity.session.sid { cookie::clear_all(&app.config.session) } else { Vec::new() };
    Ok(with_cookies(receipt::done(&app, wants, ended.seq).await, cookies))
}

/// End all sessions but this one.
#[utoipa::path(delete, path = "/api/auth/sessions", tag = "session", responses(
    (status = 200, body = ReceiptView), (status = 204), (status = 403, description = "`cross_site`"),
))]
pub(in crate::http) async fn delete_others(
    State(app): State<Arc<App>>,
    caller: Caller,
    wants: WantsReceipt,
    parts: Parts,
) -> Result<Response, Problem> {
    let presented = Presented::require(&app, &Method::DELETE, (&parts.headers, &parts.extensions))?;
    let identity = identify(&app, presented.credential(), &caller).await?;
    let ended = end_others(&app, &identity, &caller).await?;
    Ok(receipt::done(&app, wants, ended.seq).await)
}
