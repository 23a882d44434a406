use crate::support::{EMAIL, TestApp};
use serde_json::Value;

#[tokio::test]
async fn the_list_shows_every_device_and_marks_this_one() {
    let app = TestApp::new().await;
    let mut first = app.signed_in().await;
    app.pass(60);
    let mut second = app.browser();
    second.peer = "2001:db8:1:2::3".parse().unwrap();
    second.sign_in(EMAIL).await;
    let list = first.get("/api/auth/sessions").await.json();
    let sessions = list["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    assert_eq!(sessions[0]["network"], "2001:db8:1::/48", "newest use first, and where from");
    assert_eq!((&sessions[0]["current"], &sessions[1]["current"]), (&Value::Bool(false), &Value::Bool(true)));
}

#[tokio::test]
async fn ending_one_device_ends_it_and_says_why_afterwards() {
    let app = TestApp::new().await;
    let mut here = app.signed_in().await;
    let mut there = app.browser();
    let id = there.sign_in(EMAIL).await.json()["session"]["id"].as_str().unwrap().to_owned();
    assert_eq!(here.delete(&format!("/api/auth/sessions/{id}")).await.status, 204);
    assert_eq!(there.me().await.code(), "session_revoked");
    assert_eq!(there.refresh().await.json()["reason"], "ended_by_you");
    let list = here.get("/api/auth/sessions").await.json();
    assert_eq!(list["ended"][0]["id"], id.as_str());
    assert_eq!(list["ended"][0]["reason"], "ended_by_you");
}

#[tokio::test]
async fn ending_this_device_is_signing_out() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let id = browser.me().await.json()["session"]["id"].as_str().unwrap().to_owned();
    assert_eq!(browser.delete(&format!("/api/auth/sessions/{id}")).await.status, 204);
    assert!(browser.jar.is_empty());
}

#[tokio::test]
async fn a_foreign_or_unknown_session_is_404_and_lives_on() {
    let app = TestApp::new().await;
    let mut eve = app.signed_in().await;
    let mut bob = app.browser();
    bob.register("bob@example.com").await;
    let id = bob.sign_in("bob@example.com").await.json()["session"]["id"].as_str().unwrap().to_owned();
    for sid in [id.as_str(), "AAAAAAAAAAAAAAAAAAAAAA", "x", "..%2F.."] {
        let answer = eve.delete(&format!("/api/auth/sessions/{sid}")).await;
        assert_eq!(answer.outcome(), (404, "not_found".into()), "{sid}");
    }
    assert_eq!(bob.me().await.status, 200);
}

#[tokio::test]
async fn ending_all_others_keeps_this_one() {
    let app = TestApp::new().await;
    let mut here = app.signed_in().await;
    let mut others = [app.browser(), app.browser()];
    for other in &mut others {
        other.sign_in(EMAIL).await;
    }
    assert_eq!(here.delete("/api/auth/sessions").await.status, 204);
    assert_eq!(here.me().await.status, 200);
    for other in &mut others {
        assert_eq!(other.me().await.code(), "session_revoked");
    }
}
