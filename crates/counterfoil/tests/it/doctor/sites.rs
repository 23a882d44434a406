//! Two sites: one that does everything wrong that can be done in the clear, and one with a form, by somebody else, that does it right.

use crate::support::{EMAIL, PASSWORD};
use axum::Router;
use axum::extract::{Query, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{any, get, post};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use parking_lot::Mutex;
use serde_json::json;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

/// Stands in everything that the bad site hands out.
pub(super) const HANDED_OUT: &str = "handed-out-0123456789";

/// What was asked of a site.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) user_agent: String,
}

#[derive(Default)]
struct Seen {
    asked: Vec<Asked>,
    at_once: usize,
    most_at_once: usize,
    /// Wrong sign-ins so far.
    failures: usize,
    /// The one session of the good site, while there is one.
    session: Option<String>,
}

type Shared = Arc<Mutex<Seen>>;

/// A site on a free port; it ends with its runtime.
pub(super) struct Site {
    pub(super) url: String,
    seen: Shared,
    _runtime: tokio::runtime::Runtime,
}

impl Site {
    pub(super) fn bad() -> Self {
        Self::start(bad)
    }

    pub(super) fn good() -> Self {
        Self::start(good)
    }

    fn start(make: fn(SocketAddr) -> Router<Shared>) -> Self {
        let seen = Shared::default();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let router = make(address).layer(from_fn_with_state(Arc::clone(&seen), watched)).with_state(Arc::clone(&seen));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { url: format!("http://{address}"), seen, _runtime: runtime }
    }

    pub(super) fn asked(&self) -> Vec<Asked> {
        self.seen.lock().asked.clone()
    }

    pub(super) fn most_at_once(&self) -> usize {
        self.seen.lock().most_at_once
    }
}

/// Counts what is asked.
async fn watched(State(seen): State<Shared>, request: Request, next: Next) -> Response {
    let agent = request.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let asked = Asked { method: request.method().to_string(), user_agent: agent.to_owned() };
    let count = |seen: &mut Seen| {
        seen.asked.push(asked);
        seen.at_once += 1;
        seen.most_at_once = seen.most_at_once.max(seen.at_once);
    };
    count(&mut seen.lock());
    let response = next.run(request).await;
    seen.lock().at_once -= 1;
    response
}

fn with(answer: impl IntoResponse, headers: &[(&'static str, &str)]) -> Response {
    let mut response = answer.into_response();
    for (name, value) in headers {
        response.headers_mut().append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }
    response
}

fn bad(_: SocketAddr) -> Router<Shared> {
    let keys = json!({ "keys": [
        { "kty": "oct", "kid": "a", "k": "c2VjcmV0" },
        { "kty": "RSA", "kid": "a", "alg": "RS256", "e": "AQAB", "n": "_____w" },
    ]});
    let metadata = json!({ "issuer": "http://other.example",
        "service_documentation": "https://github.com/counterfoil/counterfoil" });
    Router::new()
        .route("/.well-known/oauth-authorization-server", get(async move || metadata.to_string()))
        .route("/.well-known/jwks.json", get(async move || keys.to_string()))
        .route("/login", get(bad_page))
        .route("/api/auth/login", post(bad_sign_in))
        .route("/api/auth/me", get(async || r#"{"email":"ada@example.com"}"#))
        .route("/api/auth/refresh", any(async || "{}"))
        .route("/api/auth/logout", any(async || with((), &[("set-cookie", "session=; Max-Age=0")])))
        .route("/api/auth/password/forgot", post(bad_forgotten))
        .route("/metrics", get(async || "requests_total 1"))
        .route("/gate", get(async || StatusCode::UNAUTHORIZED))
        .route("/api/admin/users", get(async || "[]"))
        .route("/api/admin/audit/verify", get(async || "{}"))
        .fallback(async || (StatusCode::NOT_FOUND, "Traceback (most recent call last): File \"app.py\", line 1"))
        .layer(axum::middleware::from_fn(talkative))
}

/// Lets everybody read everything, with a clock that is years behind.
async fn talkative(request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::DATE, HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT"));
    headers.insert("x-powered-by", HeaderValue::from_static("Express"));
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
    }
    response
}

async fn bad_page(Query(query): Query<BTreeMap<String, String>>) -> Response {
    match query.get("next").filter(|next| next.starts_with("http")) {
        Some(next) => with(StatusCode::FOUND, &[("location", next)]),
        None => Html("<h1>Sign in</h1>").into_response(),
    }
}

async fn bad_sign_in(body: String) -> Response {
    if !body.contains(EMAIL) {
        return (StatusCode::UNAUTHORIZED, "no such user").into_response();
    }
    if !body.contains(PASSWORD) {
        return (StatusCode::UNAUTHORIZED, "wrong password").into_response();
    }
    let unsigned = counterfoil_guard::base64url_encode(br#"{"alg":"none"}"#);
    let claims = counterfoil_guard::base64url_encode(br#"{"sub":"1"}"#);
    let tokens = json!({ "refresh_token": HANDED_OUT }).to_string();
    let large = format!("large-token={HANDED_OUT}{}", "x".repeat(4100));
    let lasting = format!("token={HANDED_OUT}; Domain=example.com; Max-Age=99999999");
    let cookies = [
        ("set-cookie", format!("session={HANDED_OUT}")),
        ("set-cookie", format!("jwt={unsigned}.{claims}.e30")),
        ("set-cookie", lasting),
        ("set-cookie", "__Host-theme=dark; Path=/app".to_owned()),
        ("set-cookie", large),
        ("location", format!("/app#access_token={HANDED_OUT}")),
    ];
    let headers: Vec<_> = cookies.iter().map(|(name, value)| (*name, value.as_str())).collect();
    with((StatusCode::FOUND, tokens), &headers)
}

async fn bad_forgotten(body: String) -> Response {
    let known = body.contains(EMAIL);
    if known { "sent".into_response() } else { (StatusCode::BAD_REQUEST, "no such user").into_response() }
}

const POLICY: &str = "default-src 'self'; frame-ancestors 'none'";

fn good(_: SocketAddr) -> Router<Shared> {
    Router::new()
        .route("/enter", get(good_page).post(good_sign_in))
        .route("/who", get(good_who))
        .route("/leave", post(good_leave))
        .route("/lost", post(async || "If there is an account, a mail is on its way."))
        .fallback(async || (StatusCode::NOT_FOUND, "Not found"))
        .layer(axum::middleware::map_response(async |response: Response| {
            with(response, &[("cache-control", "no-store")])
        }))
}

async fn good_page() -> Response {
    let form = r#"<form method="post"><input type="hidden" name="csrf" value="pinned">
        <input type="email" name="mail"><input type="password" name="secret"></form>"#;
    let headers = [
        ("content-security-policy", POLICY),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("set-cookie", "csrf=pinned; Path=/; HttpOnly; SameSite=Strict"),
    ];
    with(Html(form), &headers)
}

fn cookie(headers: &HeaderMap) -> &str {
    headers.get(header::COOKIE).and_then(|cookie| cookie.to_str().ok()).unwrap_or_default()
}

async fn good_sign_in(State(seen): State<Shared>, headers: HeaderMap, body: String) -> Response {
    if !body.contains("csrf=pinned") || !cookie(&headers).contains("csrf=pinned") {
        return StatusCode::FORBIDDEN.into_response();
    }
    let mut seen = seen.lock();
    let right = body.contains("mail=ada%40example.com") && body.contains("secret=correct+horse+battery+staple");
    if right {
        let session = format!("{HANDED_OUT}-{}", seen.asked.len());
        let set = format!("__Host-sid={session}; Path=/; HttpOnly; Secure; SameSite=Lax");
        seen.session = Some(session);
        return with(StatusCode::SEE_OTHER, &[("location", "/"), ("set-cookie", &set)]);
    }
    seen.failures += 1;
    if seen.failures > 7 {
        return with(StatusCode::TOO_MANY_REQUESTS, &[("retry-after", "30")]);
    }
    with(StatusCode::SEE_OTHER, &[("location", "/enter?wrong=1")])
}

fn is_signed_in(seen: &Shared, headers: &HeaderMap) -> bool {
    let session = seen.lock().session.clone();
    session.is_some_and(|session| cookie(headers).contains(&session))
}

async fn good_who(State(seen): State<Shared>, headers: HeaderMap) -> StatusCode {
    if is_signed_in(&seen, &headers) { StatusCode::OK } else { StatusCode::UNAUTHORIZED }
}

async fn good_leave(State(seen): State<Shared>, headers: HeaderMap) -> StatusCode {
    let own = headers.get("sec-fetch-site").is_some_and(|site| site == "same-origin");
    if !own {
        return StatusCode::FORBIDDEN;
    }
    if is_signed_in(&seen, &headers) {
        seen.lock().session = None;
    }
    StatusCode::NO_CONTENT
}
