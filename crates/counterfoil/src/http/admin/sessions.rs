//! `/api/admin/…/sessions`.

use super::{Reader, Supporter, ended, user_id};
use crate::app::App;
use crate::flow::administer;
use crate::flow::look_up;
use crate::http::problem::{Code, Problem};
use crate::http::receipt::{ReceiptView, WantsReceipt};
use crate::http::timeline::{self, StoryView};
use crate::http::view::{SessionView, json};
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use std::sync::Arc;

/// A user's sessions, the ended ones too.
#[utoipa::path(get, path = "/api/admin/users/{id}/sessions", tag = "admin", params(("id" = String, Path)),
    responses((status = 200), (status = 404)))]
pub(in crate::http) async fn of_user(
    _: Reader,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let now = app.clock.now();
    let user = user_id(&id)?;
    let all = app.store.sessions_of(user).await?;
    if all.is_empty() && app.store.credential_of(user).await?.is_none() {
        return Err(Problem::new(Code::NotFound));
    }
    let view = |session: &counterfoil_core::session::Session| match session.end_reason(now) {
        None => SessionView::of(session, false).placed(&app.risk),
        Some(_) => SessionView::ended(session, now).placed(&app.risk),
    };
    Ok(json(StatusCode::OK, &serde_json::json!({ "sessions": all.iter().map(view).collect::<Vec<_>>() })))
}

/// End a session.
#[utoipa::path(post, path = "/api/admin/sessions/{sid}/revoke", tag = "admin", params(("sid" = String, Path)),
    responses((status = 200, body = ReceiptView), (status = 204), (status = 404)))]
pub(in crate::http) async fn revoke(
    Supporter(by): Supporter,
    State(app): State<Arc<App>>,
    wants: WantsReceipt,
    Path(sid): Path<String>,
) -> Result<Response, Problem> {
    let sid = sid.parse().map_err(|_| Problem::new(Code::NotFound))?;
    ended(&app, wants, administer::revoke_session(&app, &by, sid).await?).await
}

/// What happened to a session, in order, and why it is over.
#[utoipa::path(get, path = "/api/admin/sessions/{sid}/timeline", tag = "admin", params(("sid" = String, Path)),
    responses((status = 200, body = StoryView), (status = 404)))]
pub(in crate::http) async fn timeline(
    _: Reader,
    State(app): State<Arc<App>>,
    Path(sid): Path<String>,
) -> Result<Response, Problem> {
    let sid = sid.parse().map_err(|_| Problem::new(Code::NotFound))?;
    let story = look_up::story(&app, sid).await?.ok_or_else(|| Problem::new(Code::NotFound))?;
    Ok(json(StatusCode::OK, &StoryView::of(story, timeline::Reader::Admin)))
}
