//! `/ssf/events/{name}`: an identity provider elsewhere tells what has happened there (RFC 8935).

use crate::app::App;
use crate::flow::upstream_event::{ReceiveError, receive};
use crate::http::extract::{caller_of, read_body};
use crate::http::problem::{Code, Problem};
use crate::http::view::json;
use crate::issuer_keys::REST;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse as _, Response};
use counterfoil_core::ssf::received::MAX_SET_BYTES;
use counterfoil_core::ssf::set::TYPE;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;
use std::sync::Arc;

/// Take an event in. 202 says that it has been dealt with, also when it means nothing here.
#[utoipa::path(post, path = "/ssf/events/{name}", tag = "ssf", params(("name" = String, Path)),
    request_body(content = String, content_type = "application/secevent+jwt"), responses(
    (status = 202), (status = 400, description = "`err`: `invalid_request`, `invalid_key`, `invalid_issuer`, `invalid_audience`"),
    (status = 401, description = "`err`: `authentication_failed`"), (status = 404, description = "`not_found`"),
    (status = 429, description = "`rate_limited`"), (status = 503, description = "`overloaded`: send it again"),
))]
pub(in crate::http) async fn post(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let caller = caller_of(&app, request.headers(), request.extensions());
    let headers = request.headers().clone();
    if !is_set(&headers) {
        let said = "send Content-Type: application/secevent+jwt";
        return Ok(refused(StatusCode::BAD_REQUEST, ("invalid_request", said)));
    }
    let body = read_body::<MAX_SET_BYTES>(request).await?;
    let Ok(set) = std::str::from_utf8(body.expose()) else {
        return Ok(refused(StatusCode::BAD_REQUEST, ("invalid_request", "the body is not text")));
    };
    let authorization = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    match receive(&app, &name, (set.trim(), authorization), &caller).await {
        Ok(()) => Ok(StatusCode::ACCEPTED.into_response()),
        Err(ReceiveError::Refused(why)) => Ok(refused(StatusCode::BAD_REQUEST, (why.code(), &why.to_string()))),
        Err(error @ ReceiveError::Unauthorized) => {
            Ok(refused(StatusCode::UNAUTHORIZED, ("authentication_failed", &error.to_string())))
        }
        Err(ReceiveError::Unknown) => Err(Problem::new(Code::NotFound)),
        Err(ReceiveError::Wait(wait)) => Err(Problem::new(Code::RateLimited).retry_after(wait)),
        Err(error @ ReceiveError::NoKeys) => {
            Err(Problem::new(Code::Overloaded).detail(error.to_string()).retry_after(REST))
        }
        Err(ReceiveError::Store(error)) => Err(error.into()),
    }
}

/// RFC 8935 section 2.3.
fn refused(status: StatusCode, (err, description): (&str, &str)) -> Response {
    json(status, &json!({ "err": err, "description": description }))
}

fn is_set(headers: &HeaderMap) -> bool {
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media.split(';').next().unwrap_or_default().trim();
    essence.strip_prefix("application/").is_some_and(|kind| kind.eq_ignore_ascii_case(TYPE))
}
