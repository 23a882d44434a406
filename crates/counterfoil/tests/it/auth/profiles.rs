use crate::support::{Browser, EMAIL, PASSWORD, TestApp};
use http::{Method, header};
use serde_json::{Value, json};

async fn with_profile(profile: &str) -> (TestApp, Browser, Value) {
    let app = TestApp::with(&format!("[applications.app]\nprofile = \"{profile}\"")).await;
    let mut browser = app.browser();
    browser.register(EMAIL).await;
    let body = json!({"email": EMAIL, "password": PASSWORD, "client_id": "app"});
    let answer = browser.post_json("/api/auth/login", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let json = answer.json();
    (app, browser, json)
}

async fn me_with_bearer(app: &TestApp, token: &str) -> (u16, String) {
    let mut program = app.browser();
    let mut request = program.request(Method::GET, "/api/auth/me");
    request.headers_mut().insert(header::AUTHORIZATION, format!("bearer {token}").parse().unwrap());
    program.send(request).await.outcome()
}

#[tokio::test]
async fn opaque_one_meaningless_cookie_resolved_here() {
    let (app, mut browser, body) = with_profile("opaque").await;
    assert_eq!(browser.jar.iter().map(|cookie| cookie.name.as_str()).collect::<Vec<_>>(), ["__Host-cf_session"]);
    assert!(browser.cookie("__Host-cf_session").unwrap().starts_with("cfs_"));
    assert_eq!(body["expires_in"], 7 * 86_400);
    assert_eq!(browser.me().await.status, 200);
    let mut copy = browser.clone();
    assert_eq!(browser.post("/api/auth/logout").await.status, 204);
    assert_eq!(copy.me().await.outcome(), (401, "session_revoked".into()));
    assert_eq!(app.browser().refresh().await.code(), "refresh_missing");
}

#[tokio::test]
async fn opaque_use_keeps_it_alive_and_last_seen_is_written_at_most_once_a_minute() {
    let (app, mut browser, _) = with_profile("opaque").await;
    let seen = |answer: &crate::support::Answer| answer.json()["session"]["last_seen_at"].clone();
    let first = seen(&browser.me().await);
    app.pass(59);
    browser.me().await;
    assert_eq!(seen(&browser.me().await), first);
    app.pass(1);
    browser.me().await;
    assert_ne!(seen(&browser.me().await), first);
    app.pass(7 * 86_400);
    assert_eq!(browser.me().await.outcome(), (401, "session_revoked".into()), "idle too long");
}

#[tokio::test]
async fn hybrid_the_refresh_token_in_a_cookie_and_the_access_token_in_the_body() {
    let (app, mut browser, body) = with_profile("hybrid").await;
    assert_eq!(browser.jar.iter().map(|cookie| cookie.name.as_str()).collect::<Vec<_>>(), ["__Secure-cf_refresh"]);
    assert_eq!(me_with_bearer(&app, body["access_token"].as_str().unwrap()).await.0, 200);
    assert_eq!(body["refresh_token"], Value::Null);
    let refreshed = browser.refresh().await;
    assert!(refreshed.sets("__Secure-cf_refresh") && !refreshed.sets("__Host-cf_access"));
    assert_eq!(me_with_bearer(&app, refreshed.json()["access_token"].as_str().unwrap()).await.0, 200);
}

#[tokio::test]
async fn native_both_tokens_in_the_body_and_no_cookie_anywhere() {
    let (app, browser, body) = with_profile("native").await;
    assert!(browser.jar.is_empty());
    assert_eq!(body["token_type"], "Bearer");
    assert_eq!(me_with_bearer(&app, body["access_token"].as_str().unwrap()).await.0, 200);
    // C1 is not needed: no browser headers at all.
    let program = app.browser();
    let request = http::Request::post("/api/auth/refresh")
        .header(header::CONTENT_TYPE, "application/json")
        .body(json!({"refresh_token": body["refresh_token"]}).to_string().into())
        .unwrap();
    let refreshed = program.send_without_keeping(request).await;
    assert_eq!(refreshed.status, 200, "{}", refreshed.text);
    assert!(refreshed.set_cookies().is_empty());
    let mut members: Vec<_> = refreshed.json().as_object().unwrap().keys().cloned().collect();
    members.sort();
    assert_eq!(members, ["access_token", "expires_in", "refresh_token", "token_type"]);
    assert_ne!(refreshed.json()["refresh_token"], body["refresh_token"]);
}

#[tokio::test]
async fn a_token_that_comes_the_wrong_way_is_not_taken_and_nothing_changes() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let token = browser.cookie("__Secure-cf_refresh").unwrap();
    let answer = app.browser().post_json("/api/auth/refresh", &json!({"refresh_token": token})).await;
    assert_eq!(answer.outcome(), (401, "refresh_invalid".into()), "a cookie session never gets a token in a body");
    assert_eq!(browser.refresh().await.status, 200);

    let (native, _, body) = with_profile("native").await;
    let mut thief = native.browser();
    thief.set_cookie("__Secure-cf_refresh", "/api/auth/refresh", body["refresh_token"].as_str().unwrap());
    assert_eq!(thief.refresh().await.outcome(), (401, "refresh_invalid".into()));
}

#[tokio::test]
async fn atk23_a_refresh_or_session_token_is_no_access_token_and_the_reverse() {
    let app = TestApp::new().await;
    let browser = app.signed_in().await;
    let (access, refresh) =
        (browser.cookie("__Host-cf_access").unwrap(), browser.cookie("__Secure-cf_refresh").unwrap());
    assert_eq!(me_with_bearer(&app, &refresh).await, (401, "token_invalid".into()));
    let mut wrong = app.browser();
    wrong.set_cookie("__Host-cf_session", "/", &access);
    assert_eq!(wrong.me().await.outcome(), (401, "token_invalid".into()));
    let mut wrong = app.browser();
    wrong.set_cookie("__Secure-cf_refresh", "/api/auth/refresh", &access);
    assert_eq!(wrong.refresh().await.outcome(), (401, "refresh_invalid".into()));
}
