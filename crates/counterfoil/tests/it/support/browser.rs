//! A browser as far as cookies go: keeps them by name and path, honours Max-Age, sends what a page's own script sends.

use super::test_app::ORIGIN;
use super::{PASSWORD, written};
use axum::Router;
use axum::body::{Body, HttpBody as _};
use counterfoil::clock::{Clock as _, ManualClock};
use counterfoil::http::Peer;
use counterfoil_core::Timestamp;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt as _;

/// What a browser says of itself, unless it says something else.
const USER_AGENT: &str = "Firefox/140.0 (X11; Linux)";

#[derive(Clone, Debug)]
pub(crate) struct Cookie {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) path: String,
    pub(crate) expires: Option<Timestamp>,
}

/// Sends requests as a page of the application does; every header can be changed for one request.
#[derive(Clone)]
pub(crate) struct Browser {
    router: Router,
    clock: Arc<ManualClock>,
    pub(crate) jar: Vec<Cookie>,
    pub(crate) peer: IpAddr,
    pub(crate) user_agent: &'static str,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    /// The stable code of an error answer.
    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// Status and code in one, for assertions that read like the contract.
    pub(crate) fn outcome(&self) -> (u16, String) {
        (self.status.as_u16(), self.code())
    }

    pub(crate) fn set_cookies(&self) -> Vec<String> {
        self.headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn sets(&self, name: &str) -> bool {
        self.set_cookies().iter().any(|cookie| cookie.starts_with(&format!("{name}=")) && !cookie.contains("Max-Age=0"))
    }
}

fn pairs(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
}

/// The same request, after its secrets have been noted, and its target. A body that is still to come is not waited for.
pub(crate) async fn noted(request: Request<Body>) -> (Request<Body>, String) {
    let (parts, mut body) = request.into_parts();
    let mut text = String::new();
    if body.size_hint().exact().is_some() {
        let bytes = body.collect().await.unwrap().to_bytes();
        text = String::from_utf8_lossy(&bytes).into_owned();
        body = Body::from(bytes);
    }
    let target = parts.uri.to_string();
    written::asked(&target, pairs(&parts.headers), &text);
    (Request::from_parts(parts, body), target)
}

impl Browser {
    pub(crate) fn new(router: Router, clock: Arc<ManualClock>) -> Self {
        Self { router, clock, jar: Vec::new(), peer: "203.0.113.7".parse().unwrap(), user_agent: USER_AGENT }
    }

    /// A request as a page's script makes it: same origin, custom header, cookies.
    pub(crate) fn request(&self, method: Method, path: &str) -> Request<Body> {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "app.example.com");
        request = request.header("sec-fetch-site", "same-origin").header(header::ORIGIN, ORIGIN);
        request = request.header("x-requested-with", "test").header(header::USER_AGENT, self.user_agent);
        if let Some(cookies) = self.cookie_header(path) {
            request = request.header(header::COOKIE, cookies);
        }
        request.body(Body::empty()).unwrap()
    }

    pub(crate) fn cookie_header(&self, path: &str) -> Option<String> {
        let now = self.clock.now();
        let alive = self.jar.iter().filter(|cookie| cookie.expires.is_none_or(|expires| expires > now));
        let matching = alive.filter(|cookie| path.split('?').next().unwrap_or(path).starts_with(&cookie.path));
        let pairs: Vec<String> = matching.map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    /// Sends a request and takes the answer's cookies into the jar.
    pub(crate) async fn send(&mut self, request: Request<Body>) -> Answer {
        let answer = self.send_without_keeping(request).await;
        self.keep(&answer);
        answer
    }

    /// Sends a request whose answer gets lost.
    pub(crate) async fn send_without_keeping(&self, mut request: Request<Body>) -> Answer {
        request.extensions_mut().insert(Peer::Network(self.peer));
        let (request, target) = noted(request).await;
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        written::answered(&target, parts.status.as_u16(), pairs(&parts.headers), &text);
        Answer { status: parts.status, headers: parts.headers, text }
    }

    pub(crate) fn keep(&mut self, answer: &Answer) {
        for text in answer.set_cookies() {
            let mut parts = text.split("; ");
            let (name, value) = parts.next().unwrap().split_once('=').unwrap();
            let attribute = |wanted: &str| {
                text.split("; ")
                    .skip(1)
                    .find_map(|part| part.strip_prefix(wanted)?.strip_prefix('='))
                    .map(str::to_owned)
            };
            let path = attribute("Path").unwrap();
            // A cookie with a Domain is another cookie; none of ours has one.
            if attribute("Domain").is_some() {
                continue;
            }
            self.jar.retain(|cookie| cookie.name != name || cookie.path != path);
            let life = attribute("Max-Age").map(|seconds| Duration::from_secs(seconds.parse().unwrap()));
            if life != Some(Duration::ZERO) {
                let expires = life.map(|life| self.clock.now().plus(life));
                self.jar.push(Cookie { name: name.into(), value: value.into(), path, expires });
            }
        }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&mut self, path: &str) -> Answer {
        self.send(self.request(Method::POST, path)).await
    }

    pub(crate) async fn delete(&mut self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    pub(crate) async fn post_json(&mut self, path: &str, body: &Value) -> Answer {
        self.send(self.json_request(path, body)).await
    }

    pub(crate) fn json_request(&self, path: &str, body: &Value) -> Request<Body> {
        let mut request = self.request(Method::POST, path);
        request.headers_mut().insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
        *request.body_mut() = Body::from(body.to_string());
        request
    }

    pub(crate) async fn register(&mut self, email: &str) -> Answer {
        let answer =
            self.post_json("/api/auth/register", &serde_json::json!({"email": email, "password": PASSWORD})).await;
        assert_eq!(answer.status, 201, "{}", answer.text);
        answer
    }

    pub(crate) async fn sign_in(&mut self, email: &str) -> Answer {
        let answer =
            self.post_json("/api/auth/login", &serde_json::json!({"email": email, "password": PASSWORD})).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer
    }

    pub(crate) async fn refresh(&mut self) -> Answer {
        self.post("/api/auth/refresh").await
    }

    pub(crate) async fn me(&mut self) -> Answer {
        self.get("/api/auth/me").await
    }

    /// The value of a cookie in the jar.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.jar.iter().find(|cookie| cookie.name == name).map(|cookie| cookie.value.clone())
    }

    /// Puts a value into the jar, as an attacker with a copy does.
    pub(crate) fn set_cookie(&mut self, name: &str, path: &str, value: &str) {
        self.jar.retain(|cookie| cookie.name != name || cookie.path != path);
        self.jar.push(Cookie { name: name.into(), value: value.into(), path: path.into(), expires: None });
    }
}
