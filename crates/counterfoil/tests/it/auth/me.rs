use crate::support::TestApp;
use http::{Method, header};
use serde_json::json;

#[tokio::test]
async fn who_am_i_with_and_without_a_token() {
    let app = TestApp::new().await;
    assert_eq!(app.browser().me().await.outcome(), (401, "token_missing".into()));
    let mut browser = app.signed_in().await;
    let answer = browser.me().await;
    assert_eq!(answer.status, 200);
    let body = answer.json();
    let members = |name: &str| body[name].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(members("user"), ["created_at", "email", "id", "roles"]);
    let session =
        ["acr", "amr", "application", "created_at", "current", "device", "expires_at", "id", "last_seen_at", "network"];
    assert_eq!(members("session"), session);
}

#[tokio::test]
async fn an_expired_token_says_expired_and_a_browser_has_dropped_it_by_then() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let token = browser.cookie("__Host-cf_access").unwrap();
    app.pass(301);
    assert_eq!(browser.me().await.outcome(), (401, "token_missing".into()));
    browser.set_cookie("__Host-cf_access", "/", &token);
    assert_eq!(browser.me().await.outcome(), (401, "token_expired".into()));
    assert_eq!(browser.refresh().await.status, 200);
    assert_eq!(browser.me().await.status, 200);
}

#[tokio::test]
async fn bear_1_the_challenge_follows_rfc_6750() {
    let app = TestApp::new().await;
    let mut browser = app.browser();
    assert_eq!(browser.me().await.headers[header::WWW_AUTHENTICATE], "Bearer");
    let mut request = browser.request(Method::GET, "/api/auth/me");
    request.headers_mut().insert(header::AUTHORIZATION, "Bearer nonsense".parse().unwrap());
    let answer = browser.send(request).await;
    assert_eq!(answer.outcome(), (401, "token_invalid".into()));
    assert_eq!(answer.headers[header::WWW_AUTHENTICATE], "Bearer error=\"invalid_token\"");
}

#[tokio::test]
async fn atk34_two_credentials_at_once_are_ambiguous() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let bearer = format!("Bearer {}", browser.cookie("__Host-cf_access").unwrap());
    let mut both = browser.request(Method::GET, "/api/auth/me");
    both.headers_mut().insert(header::AUTHORIZATION, bearer.parse().unwrap());
    assert_eq!(browser.send(both).await.outcome(), (400, "ambiguous_credentials".into()));
    let mut twice = app.browser().request(Method::GET, "/api/auth/me");
    twice.headers_mut().append(header::AUTHORIZATION, bearer.parse().unwrap());
    twice.headers_mut().append(header::AUTHORIZATION, bearer.parse().unwrap());
    assert_eq!(browser.send(twice).await.outcome(), (400, "ambiguous_credentials".into()));
    let query = format!("/api/auth/me?access_token={}", browser.cookie("__Host-cf_access").unwrap());
    assert_eq!(app.browser().get(&query).await.outcome(), (401, "token_missing".into()), "never from the query");
}

#[tokio::test]
async fn new_roles_make_older_tokens_stale_and_a_refresh_mends_it() {
    let app = TestApp::with("[applications.web]\nclaims = [\"roles\"]").await;
    let mut browser = app.signed_in().await;
    let id = browser.me().await.json()["user"]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/admin/users/{id}/roles");
    assert_eq!(crate::control::ask(&app, "PUT", &path, Some(json!({"roles": ["editor"]}))).await.0, 204);
    assert_eq!(browser.me().await.outcome(), (401, "token_stale".into()));
    assert_eq!(browser.refresh().await.status, 200);
    assert_eq!(browser.me().await.json()["user"]["roles"], json!(["editor"]));
    let token = browser.cookie("__Host-cf_access").unwrap();
    let payload = counterfoil_guard::base64url_decode(token.split('.').nth(1).unwrap()).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!((&claims["roles"], &claims["cv"]), (&json!(["editor"]), &json!(1)));
}

#[tokio::test]
async fn a_revocation_counts_at_once_although_the_answer_was_given_a_moment_ago() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let mut copy = browser.clone();
    assert_eq!(copy.me().await.status, 200);
    assert_eq!(browser.post("/api/auth/logout").await.status, 204);
    assert_eq!(copy.me().await.outcome(), (401, "session_revoked".into()));
}
