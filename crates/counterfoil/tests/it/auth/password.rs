use crate::support::{EMAIL, PASSWORD, TestApp};
use serde_json::json;

const NEW: &str = "staple battery horse correct";

#[tokio::test]
async fn changing_the_password_ends_every_other_session_and_gives_this_one_new_tokens() {
    let app = TestApp::new().await;
    let mut here = app.signed_in().await;
    let mut there = app.browser();
    there.sign_in(EMAIL).await;
    let stolen = here.clone();
    let body = json!({"current_password": PASSWORD, "new_password": NEW});
    let answer = here.post_json("/api/auth/password/change", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(there.me().await.code(), "session_revoked");
    assert_eq!(there.refresh().await.json()["reason"], "password_changed");
    assert_eq!(here.me().await.status, 200);
    assert_eq!(here.refresh().await.status, 200);

    // ASVS-7.2.4, ATK-32: the handle is new. Within the grace the old one is not taken for theft, and is worth nothing.
    let mut old = stolen.clone();
    let superseded = old.refresh().await;
    assert_eq!(superseded.outcome(), (409, "refresh_superseded".into()));
    assert!(superseded.set_cookies().is_empty());
    app.pass(31);
    assert_eq!(stolen.clone().refresh().await.outcome(), (401, "refresh_invalid".into()));
    assert_eq!(here.refresh().await.status, 200);

    let mut again = app.browser();
    let login = |password: &str| json!({"email": EMAIL, "password": password});
    assert_eq!(again.post_json("/api/auth/login", &login(PASSWORD)).await.status, 401);
    assert_eq!(again.post_json("/api/auth/login", &login(NEW)).await.status, 200);
}

#[tokio::test]
async fn s1_a_sign_out_that_comes_with_the_handle_from_before_the_change_still_signs_out() {
    let app = TestApp::new().await;
    let mut here = app.signed_in().await;
    let (mut early, mut late) = (here.clone(), here.clone());
    let change = |from: &str, to: &str| json!({"current_password": from, "new_password": to});
    here.post_json("/api/auth/password/change", &change(PASSWORD, NEW)).await;
    assert_eq!(early.delete("/api/auth/refresh").await.status, 204);
    assert_eq!(here.me().await.code(), "session_revoked");
    here.post_json("/api/auth/login", &json!({"email": EMAIL, "password": NEW})).await;
    let mut stolen = app.browser();
    let name = "__Secure-cf_refresh";
    stolen.set_cookie(name, "/api/auth/refresh", &here.cookie(name).unwrap());
    here.post_json("/api/auth/password/change", &change(NEW, PASSWORD)).await;
    app.pass(31);
    assert_eq!(stolen.delete("/api/auth/refresh").await.status, 204);
    late.delete("/api/auth/refresh").await;
    assert_eq!(here.me().await.status, 200, "a thief with the old one cannot sign out what came after");
}

#[tokio::test]
async fn the_current_password_is_needed_and_the_new_one_checked() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let path = "/api/auth/password/change";
    let wrong = browser.post_json(path, &json!({"current_password": "wrong", "new_password": NEW})).await;
    assert_eq!(wrong.outcome(), (401, "invalid_credentials".into()));
    let short = browser.post_json(path, &json!({"current_password": PASSWORD, "new_password": "short"})).await;
    assert_eq!(short.outcome(), (422, "password_rejected".into()));
    let own = json!({"current_password": PASSWORD, "new_password": "ada@example.com"});
    assert_eq!(browser.post_json(path, &own).await.outcome(), (422, "password_rejected".into()));
    assert_eq!(browser.refresh().await.status, 200, "nothing has changed");
}
