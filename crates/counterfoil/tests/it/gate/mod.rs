//! `/gate`: forward-auth.

mod proxies;
mod rules;
mod sessions;
mod spoofing;

use crate::support::{Answer, Browser, EMAIL, PASSWORD, TestApp};
use axum::body::Body;
use http::{HeaderName, Method, Request};
use serde_json::json;

/// A proxy of ours in front of an application with these lines of configuration.
async fn behind_a_proxy(toml: &str) -> (TestApp, Browser) {
    let app = TestApp::with(&format!("trusted_proxies = [\"10.0.0.1/32\"]\n{toml}")).await;
    let mut browser = app.browser();
    browser.peer = "10.0.0.1".parse().unwrap();
    browser.register(EMAIL).await;
    (app, browser)
}

async fn signed_in(toml: &str) -> (TestApp, Browser) {
    let (app, mut browser) = behind_a_proxy(toml).await;
    browser.sign_in(EMAIL).await;
    (app, browser)
}

/// A browser signed in with the profile `opaque`.
async fn signed_in_opaquely(toml: &str) -> (TestApp, Browser) {
    let (app, mut browser) = behind_a_proxy(&format!("{toml}\n[applications.classic]\nprofile = \"opaque\"")).await;
    let body = json!({"email": EMAIL, "password": PASSWORD, "client_id": "classic"});
    assert_eq!(browser.post_json("/api/auth/login", &body).await.status, 200);
    (app, browser)
}

/// What a proxy asks when the browser sends this.
fn question(browser: &Browser, method: &str, target: &str) -> Request<Body> {
    let mut request = browser.request(Method::GET, "/gate");
    for (name, value) in [("x-original-method", method), ("x-original-uri", target)] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    request
}

/// The same with headers of the client's changed (`None`: taken away).
fn question_with(browser: &Browser, (method, target): (&str, &str), headers: &[(&str, Option<&str>)]) -> Request<Body> {
    let mut request = question(browser, method, target);
    for (name, value) in headers {
        let name: HeaderName = name.parse().unwrap();
        request.headers_mut().remove(&name);
        if let Some(value) = value {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
    }
    request
}

async fn ask(browser: &Browser, method: &str, target: &str) -> Answer {
    browser.send_without_keeping(question(browser, method, target)).await
}

fn said(answer: &Answer, name: &str) -> String {
    answer.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

async fn set_roles(app: &TestApp, user: &str, roles: &[&str]) {
    let path = format!("/api/admin/users/{user}/roles");
    assert_eq!(crate::control::ask(app, "PUT", &path, Some(json!({ "roles": roles }))).await.0, 204);
}
