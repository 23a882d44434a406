//! `/oauth/*`, laid out like the URLs.

mod errors;
mod introspect;
mod revoke;
mod token;

use crate::control::ask;
use crate::support::{Answer, TestApp};
use http::{Request, header};
use serde_json::{Value, json};

pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// A new guard's credential.
pub(crate) async fn credential(app: &TestApp, name: &str) -> String {
    let (status, made) = ask(app, "POST", "/api/admin/guards", Some(json!({ "name": name }))).await;
    assert_eq!(status, 201, "{made}");
    made["credential"].as_str().unwrap().to_owned()
}

/// Sends a form as a program does: no cookie, nothing a browser adds.
pub(crate) async fn send(app: &TestApp, path: &str, authorization: &str, body: &str) -> Answer {
    let mut request = Request::post(path).header(header::CONTENT_TYPE, FORM);
    if !authorization.is_empty() {
        request = request.header(header::AUTHORIZATION, authorization);
    }
    app.browser().send_without_keeping(request.body(body.to_owned().into()).unwrap()).await
}

/// What introspection says of a token.
pub(crate) async fn introspect(app: &TestApp, credential: &str, token: &str) -> Value {
    let answer = send(app, "/oauth/introspect", &format!("Bearer {credential}"), &format!("token={token}")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

/// Status and error word in one.
pub(crate) fn refusal(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.json()["error"].as_str().unwrap_or_default().to_owned())
}

/// Signs the user in to an application and returns the answer.
pub(crate) async fn sign_in_to(app: &TestApp, application: &str) -> (crate::support::Browser, Value) {
    let mut browser = app.browser();
    let account = json!({ "email": crate::support::EMAIL, "password": crate::support::PASSWORD });
    browser.post_json("/api/auth/register", &account).await;
    let mut login = account;
    login["client_id"] = application.into();
    let answer = browser.post_json("/api/auth/login", &login).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let body = answer.json();
    (browser, body)
}

/// The lines of the audit log.
pub(crate) async fn audit(app: &TestApp) -> Vec<Value> {
    let (_, audit) = ask(app, "GET", "/api/admin/audit", None).await;
    audit["entries"].as_array().unwrap().clone()
}
