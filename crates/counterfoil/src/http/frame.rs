//! What goes around every answer: security headers, CORS for listed origins, request metrics.

use super::problem::{Code, Problem};
use crate::app::App;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use std::sync::Arc;

const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                   form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Wraps every route.
pub(super) async fn frame(State(app): State<Arc<App>>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let cors = origin.filter(|origin| origin.to_str().is_ok_and(|origin| app.origins.is_listed(origin)));
    let preflight =
        request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let path = request.extensions().get::<MatchedPath>().cloned();
    let mut response = match (&cors, preflight) {
        (Some(_), true) => preflight_answer(),
        (None, true) => Problem::new(Code::CrossSite).into_response(),
        _ => next.run(request).await,
    };
    count(path.as_ref(), response.status());
    secure(&app, response.headers_mut());
    if let Some(origin) = cors {
        allow(response.headers_mut(), origin);
    }
    response
}

fn count(path: Option<&MatchedPath>, status: StatusCode) {
    // The pattern, not the path: a bounded number of series.
    let route = path.map_or_else(|| "unmatched".to_owned(), |path| path.as_str().to_owned());
    metrics::counter!("counterfoil_http_requests_total", "route" => route, "status" => status.as_u16().to_string())
        .increment(1);
}

fn secure(app: &App, headers: &mut HeaderMap) {
    let mut default = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    default(header::CACHE_CONTROL, "no-store");
    default(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    default(header::REFERRER_POLICY, "no-referrer");
    default(header::CONTENT_SECURITY_POLICY, CSP);
    default(header::X_FRAME_OPTIONS, "DENY");
    default(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    if app.public.is_https() {
        default(header::STRICT_TRANSPORT_SECURITY, "max-age=31536000");
    }
}

/// CORS with credentials, for exactly this origin (CSRF-5: listed, never reflected).
fn allow(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after, www-authenticate"));
    headers.append(header::VARY, HeaderValue::from_static("origin"));
}

fn preflight_answer() -> Response {
    let headers = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, DELETE"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, x-requested-with"),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}
