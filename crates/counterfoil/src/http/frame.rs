//! What goes around every answer: security headers, CORS for listed origins, request metrics, proofs of possession.

use super::extract::{MAX_BODY, is_trusted};
use super::problem::{Code, Problem};
use super::{Peer, dpop};
use crate::app::App;
use crate::flow::device::PROVE_PATH;
use crate::telemetry::{continue_trace, span};
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use hyper::body::Body as _;
use metrics::{Counter, Histogram};
use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tracing::{Instrument as _, Span};

/// For pages.
const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                   form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// For everything that is not a page, and that no browser should ever show as one.
const CSP_NOT_A_PAGE: &str = "default-src 'none'; frame-ancestors 'none'";

/// Wraps every route.
pub(super) async fn frame(State(app): State<Arc<App>>, mut request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    // Browsers ask these by themselves: they are no page's business.
    let cors = origin.filter(|origin| {
        let for_pages = !request.uri().path().starts_with(PROVE_PATH);
        for_pages && origin.to_str().is_ok_and(|origin| app.origins.is_listed(origin))
    });
    let path = request.extensions().get::<MatchedPath>().cloned();
    // What a proxy asks the gate about is the application's own affair: it is judged, whatever it is.
    let preflight = path.as_ref().is_none_or(|path| path.as_str() != "/gate")
        && request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let begun = is_timed(path.as_ref()).then(Instant::now);
    let nonce = dpop::read_own(&app, &mut request);
    let mut response = match (&cors, preflight) {
        (Some(_), true) => preflight_answer(),
        (None, true) => Problem::new(Code::CrossSite).into_response(),
        _ if announces_too_much(&request, path.as_ref()) => {
            Problem::new(Code::TooLarge).detail(format!("at most {MAX_BODY} bytes are allowed")).into_response()
        }
        _ => {
            let span = span_of(&app, &request, path.as_ref());
            let response = next.run(request).instrument(span.clone()).await;
            tell_outcome(&span, response.status());
            response
        }
    };
    count(path.as_ref(), response.status(), begun.map(|begun| begun.elapsed()));
    secure(&app, response.headers_mut());
    if let Some(wanted) = nonce {
        dpop::give_nonce(&app, wanted, &mut response);
    }
    if let Some(origin) = cors {
        allow(response.headers_mut(), origin);
    }
    response
}

/// Whether a body is announced that no address takes, also where none is read: what is not even looked at changes nothing. The one with a
/// limit of its own sees to it itself.
fn announces_too_much(request: &Request, path: Option<&MatchedPath>) -> bool {
    let own =
        path.is_some_and(|path| path.as_str() == "/api/admin/users/import" || !path.as_str().starts_with("/api/"));
    !own && request.body().size_hint().lower() > MAX_BODY as u64
}

/// What a trace says of a request: the route's pattern and not the path, and nothing of who has sent it.
fn span_of(app: &App, request: &Request, path: Option<&MatchedPath>) -> Span {
    let route = path.map_or("unmatched", MatchedPath::as_str);
    let method = known_method(request.method());
    let span = span!(
        "request",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        http.request.method = method,
        http.route = route,
        http.response.status_code = tracing::field::Empty,
        otel.status_code = tracing::field::Empty,
    );
    let from_proxy = || matches!(request.extensions().get(), Some(Peer::Network(address)) if is_trusted(app, address));
    if !span.is_disabled() && from_proxy() {
        continue_trace(&span, request.headers());
    }
    span
}

/// Anybody may make up a method, as long as a head may be.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "_OTHER",
    }
}

fn tell_outcome(span: &Span, status: StatusCode) {
    if !span.is_disabled() {
        span.record("http.response.status_code", status.as_u16());
        if status.is_server_error() {
            span.record("otel.status_code", "ERROR");
        }
    }
}

/// Every answer is timed, but for the two questions that are asked all the time and take microseconds: reading the clock twice would
/// be felt.
fn is_timed(path: Option<&MatchedPath>) -> bool {
    !path.is_some_and(|path| matches!(path.as_str(), "/api/auth/me" | "/gate"))
}

/// Counts by the route's pattern, not by its path: a bounded number of series. The handles of a series are looked up once
/// per thread; looking them up for every request would cost more than counting.
fn count(path: Option<&MatchedPath>, status: StatusCode, took: Option<Duration>) {
    thread_local! {
        static COUNTERS: RefCell<Vec<(String, u16, Counter, Histogram)>> = RefCell::default();
    }
    let route = path.map_or("unmatched", MatchedPath::as_str);
    COUNTERS.with_borrow_mut(|counters| {
        // A handful of series: going through them is cheaper than making an owned key to look one up.
        let known = counters.iter().find(|(known, code, ..)| *code == status.as_u16() && known == route);
        if let Some((.., counter, times)) = known {
            counter.increment(1);
            if let Some(took) = took {
                times.record(took.as_secs_f64());
            }
            return;
        }
        let labels = [("route", route.to_owned()), ("status", status.as_str().to_owned())];
        let counter = metrics::counter!("counterfoil_http_requests_total", &labels);
        counter.increment(1);
        let times = metrics::histogram!("counterfoil_http_request_seconds", "route" => route.to_owned());
        if let Some(took) = took {
            times.record(took.as_secs_f64());
        }
        counters.push((route.to_owned(), status.as_u16(), counter, times));
    });
    if status == StatusCode::SERVICE_UNAVAILABLE {
        metrics::counter!("counterfoil_overloaded_total").increment(1);
    }
}

fn secure(app: &App, headers: &mut HeaderMap) {
    let is_page = headers.get(header::CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"text/html"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let policy = HeaderValue::from_static(if is_page { CSP } else { CSP_NOT_A_PAGE });
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    if is_page {
        headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
        headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    }
    if app.public.is_https() {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
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
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PATCH, DELETE"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, x-requested-with"),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    (StatusCode::NO_CONTENT, headers).into_response()
}
