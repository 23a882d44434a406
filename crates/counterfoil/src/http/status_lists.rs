//! `/status-lists`: which tokens have been revoked, for verifiers that follow no feed (Token Status List), cacheable anywhere.

use super::extract::Params;
use super::problem::{Code, Problem};
use super::view::json;
use crate::app::App;
use crate::flow::publish_status::look_again;
use crate::flow::status::uri;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use counterfoil_core::status_list::TYPE;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use std::sync::Arc;

/// Of which time.
#[derive(Deserialize)]
pub(super) struct ListQuery {
    time: Option<String>,
}

/// The addresses of all lists.
#[utoipa::path(get, path = "/status-lists", tag = "verifiers",
    responses((status = 200, description = "`status_lists`"), (status = 404, description = "no audience follows one")))]
pub(super) async fn all(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    if !app.has_status_lists() {
        return Err(Problem::new(Code::NotFound));
    }
    look_again(&app).await?;
    let numbers: Vec<u32> = app.status_lists.published.read().keys().copied().collect();
    let addresses: Vec<String> = numbers.into_iter().map(|list| uri(&app, list)).collect();
    let mut response = json(StatusCode::OK, &serde_json::json!({ "status_lists": addresses }));
    response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    Ok(response)
}

/// A status list: `application/statuslist+jwt`, signed by a key of the key set, with a bit for each session that has a place in it.
#[utoipa::path(get, path = "/status-lists/{list}", tag = "verifiers", params(("list" = String, Path)), responses(
    (status = 200, description = "the signed list"), (status = 304), (status = 404),
    (status = 501, description = "`time` is not supported: lists are of now"), (status = 503, description = "`overloaded`"),
))]
pub(super) async fn one(
    State(app): State<Arc<App>>,
    Path(list): Path<String>,
    Params(query): Params<ListQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let number = list.parse::<u32>().ok().filter(|number| number.to_string() == list && app.has_status_lists());
    let number = number.ok_or_else(|| Problem::new(Code::NotFound))?;
    if query.time.is_some() {
        let detail = "`time` is not supported: a list says how it is now";
        return Err(Problem::new(Code::Malformed).status(StatusCode::NOT_IMPLEMENTED).detail(detail));
    }
    let lists = &app.status_lists;
    if !app.feed.is_current() || !lists.are_up_to(app.feed.head()) || lists.list(number).is_none() {
        look_again(&app).await?;
    }
    let published = lists.list(number).ok_or_else(|| Problem::new(Code::NotFound))?;
    let age = app.clock.now().since(published.at);
    let left = app.config.status_lists.ttl.0.saturating_sub(age).as_secs().max(1);
    let cached = headers.get(header::IF_NONE_MATCH).is_some_and(|tags| names(tags, &published.etag));
    let caching = [
        (header::CACHE_CONTROL, HeaderValue::try_from(format!("public, max-age={left}")).expect("digits are ASCII")),
        (header::ETAG, HeaderValue::try_from(published.etag.as_str()).expect("base64url is ASCII")),
        (header::VARY, HeaderValue::from_static("Accept-Encoding")),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
    ];
    if cached {
        return Ok((StatusCode::NOT_MODIFIED, caching).into_response());
    }
    let content = [(header::CONTENT_TYPE, HeaderValue::try_from(format!("application/{TYPE}")).expect("ASCII"))];
    if headers.get(header::ACCEPT_ENCODING).is_some_and(takes_gzip) {
        let encoding = [(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))];
        return Ok((caching, content, encoding, published.gzip.clone()).into_response());
    }
    Ok((caching, content, published.body.clone()).into_response())
}

/// Whether one of these entity tags is ours, weak or strong (RFC 9110 section 13.1.2).
fn names(tags: &HeaderValue, ours: &str) -> bool {
    let tags = tags.to_str().unwrap_or_default();
    tags.split(',').map(str::trim).any(|tag| tag == "*" || opaque(tag) == opaque(ours))
}

fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

/// Whether the answer may be compressed (RFC 9110 section 12.5.3).
fn takes_gzip(value: &HeaderValue) -> bool {
    let refused = |rest: &str| {
        rest.replace(' ', "").split(';').any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    };
    value.to_str().unwrap_or_default().split(',').any(|one| {
        let (name, rest) = one.trim().split_once(';').unwrap_or((one.trim(), ""));
        name.trim().eq_ignore_ascii_case("gzip") && !refused(rest)
    })
}
