//! `GET /api/revocations`: the feed that guards follow. The protocol is in `docs/reference/feed.md`.

use super::extract::{Params, Scheme, authorization};
use super::problem::{Code, Problem};
use crate::app::App;
use crate::flow::guards;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use counterfoil_guard::feed::Poll;
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;

/// Answers with more entries than this are written on another thread.
const MANY: usize = 4096;

/// A poll as it is sent.
#[derive(Deserialize)]
pub(super) struct PollQuery {
    instance: String,
    nonce: String,
    wait: u64,
    after: Option<String>,
}

/// Revocations after a cursor; waits for some if there are none.
#[utoipa::path(get, path = "/api/revocations", tag = "guard", params(
    ("instance" = String, Query), ("nonce" = String, Query), ("wait" = u64, Query, description = "milliseconds"),
    ("after" = Option<String>, Query),
), responses((status = 200), (status = 400, description = "`malformed`"), (status = 401, description = "`guard_unknown`")))]
pub(super) async fn get(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    Params(query): Params<PollQuery>,
) -> Result<Response, Problem> {
    let name = guard(&app, &headers)?;
    let poll = read(query)?;
    let _place = app.feed.place_for(&poll).await;
    if app.feed.is_anothers(&name, &poll) {
        return Err(Problem::new(Code::Forbidden).detail("this `instance` polls with another guard's credential"));
    }
    let answer = app.feed.poll(&name, &poll, || app.keyring().etag.clone()).await;
    // Taken back while it waited: no further lease.
    guard(&app, &headers)?;
    let many = answer.sessions.0.len() + answer.tokens.0.len() + answer.stale.0.len() > MANY;
    let write = move || serde_json::to_vec(&answer).expect("ids and numbers always serialise");
    let body = if many {
        tokio::task::spawn_blocking(write).await.map_err(|_| Problem::new(Code::Internal))?
    } else {
        write()
    };
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// Which guard asks.
pub(super) fn guard(app: &App, headers: &HeaderMap) -> Result<String, Problem> {
    let credential = authorization(headers).ok().flatten();
    let borne = credential.filter(|(scheme, _)| *scheme == Scheme::Bearer);
    let known = borne.and_then(|(_, credential)| guards::authenticate(app, credential));
    known.ok_or_else(|| {
        Problem::new(Code::GuardUnknown)
            .detail("send Authorization: Bearer cfg_…, the credential that `counterfoil guard add NAME` prints")
    })
}

fn read(query: PollQuery) -> Result<Poll, Problem> {
    let wrong = |detail: &str| Problem::new(Code::Malformed).detail(detail);
    let instance =
        query.instance.parse().map_err(|_| wrong("`instance` must be 16 random bytes in base64url, 22 characters"))?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !(1..=64).contains(&query.nonce.len()) || !query.nonce.chars().all(plain) {
        return Err(wrong("`nonce` must be 1 to 64 characters of base64url"));
    }
    let after = query.after.map(|cursor| cursor.parse()).transpose();
    let after = after.map_err(|_| wrong("`after` must be the `cursor` of an earlier answer, as it was"))?;
    Ok(Poll { instance, nonce: query.nonce, after, wait: Duration::from_millis(query.wait) })
}
