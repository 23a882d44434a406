use crate::support::{EMAIL, TestApp};
use http::{Method, header};

#[tokio::test]
async fn signing_out_ends_the_session_and_clears_every_cookie() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let mut copy = browser.clone();
    let answer = browser.post("/api/auth/logout").await;
    assert_eq!(answer.status, 204);
    assert!(browser.jar.is_empty(), "{:?}", browser.jar);
    assert_eq!(copy.me().await.code(), "session_revoked");
    assert_eq!(copy.refresh().await.json()["reason"], "signed_out");
}

#[tokio::test]
async fn an_expired_but_well_signed_token_still_signs_out() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let token = browser.cookie("__Host-cf_access").unwrap();
    app.pass(3600);
    let mut late = app.browser();
    late.set_cookie("__Host-cf_access", "/", &token);
    assert_eq!(late.post("/api/auth/logout").await.status, 204);
    assert_eq!(browser.refresh().await.json()["reason"], "signed_out");
}

#[tokio::test]
async fn signing_out_again_or_without_a_token_is_fine() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let copy = browser.clone();
    for mut again in [copy.clone(), copy] {
        assert_eq!(again.post("/api/auth/logout").await.status, 204);
    }
    assert_eq!(browser.delete("/api/auth/refresh").await.status, 204);
    assert_eq!(app.browser().post("/api/auth/logout").await.status, 204);
    assert_eq!(app.browser().delete("/api/auth/refresh").await.status, 204);
    assert_eq!(app.browser().post("/api/auth/logout-all").await.status, 204);
}

#[tokio::test]
async fn signing_out_everywhere_ends_every_session_of_the_user_and_nobody_elses() {
    let app = TestApp::new().await;
    let mut first = app.signed_in().await;
    let mut second = app.browser();
    second.sign_in(EMAIL).await;
    let mut stranger = app.browser();
    stranger.register("eve@example.com").await;
    stranger.sign_in("eve@example.com").await;
    assert_eq!(first.post("/api/auth/logout-all").await.status, 204);
    assert_eq!(second.me().await.code(), "session_revoked");
    assert_eq!(second.refresh().await.json()["reason"], "ended_by_you");
    assert_eq!(stranger.me().await.status, 200);
}

#[tokio::test]
async fn a_signed_out_sessions_token_cannot_sign_out_the_sessions_that_came_after() {
    let app = TestApp::new().await;
    let mut old = app.signed_in().await;
    let mut copy = old.clone();
    old.post("/api/auth/logout").await;
    old.sign_in(EMAIL).await;
    assert_eq!(copy.post("/api/auth/logout-all").await.status, 204);
    assert_eq!(old.me().await.status, 200);
}

#[tokio::test]
async fn s5_a_forged_token_signs_nobody_out() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let token = browser.cookie("__Host-cf_access").unwrap();
    let forged = format!("{}A{}", &token[..token.len() - 20], &token[token.len() - 19..]);
    for path in ["/api/auth/logout", "/api/auth/logout-all"] {
        let mut stranger = app.browser();
        let mut request = stranger.request(Method::POST, path);
        request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {forged}").parse().unwrap());
        assert_eq!(stranger.send(request).await.status, 204);
    }
    assert_eq!(browser.me().await.status, 200);
}

#[tokio::test]
async fn csrf_1_a_get_never_signs_out() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    for path in ["/api/auth/logout", "/api/auth/logout-all", "/api/auth/refresh", "/api/auth/login"] {
        assert_eq!(browser.get(path).await.outcome(), (405, "method_not_allowed".into()), "{path}");
    }
    assert_eq!(browser.me().await.status, 200);
}
