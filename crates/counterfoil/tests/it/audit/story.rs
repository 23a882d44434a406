//! "Why was I signed out?": the story of a session, for its user and for administrators.

use crate::control::ask;
use crate::support::{Browser, EMAIL, PASSWORD, TestApp};
use serde_json::{Value, json};

async fn sid_of(browser: &mut Browser) -> String {
    browser.me().await.json()["session"]["id"].as_str().unwrap().to_owned()
}

async fn admins_view(app: &TestApp, sid: &str) -> Value {
    let (status, story) = ask(app, "GET", &format!("/api/admin/sessions/{sid}/timeline"), None).await;
    assert_eq!(status, 200, "{story}");
    story
}

/// What the user reads of it, in another session that they sign in to.
async fn users_view(app: &TestApp, sid: &str) -> Value {
    let mut browser = app.browser();
    browser.sign_in(EMAIL).await;
    let answer = browser.get(&format!("/api/auth/sessions/{sid}/timeline")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

fn events(story: &Value) -> Vec<&str> {
    story["steps"].as_array().unwrap().iter().map(|step| step["event"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_session_that_lives_says_so_and_from_where_it_was_begun() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let sid = sid_of(&mut browser).await;
    let story = browser.get(&format!("/api/auth/sessions/{sid}/timeline")).await.json();
    assert_eq!((&story["alive"], &story["end"]), (&true.into(), &Value::Null));
    assert_eq!((events(&story), &story["steps"][0]["network"]), (vec!["signed_in"], &"203.0.113.0/24".into()));
    assert!(story["expires_at"].is_string() && story["user"].is_null());
}

#[tokio::test]
async fn a_session_that_ran_out_by_itself_is_told_although_no_entry_says_so() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let sid = sid_of(&mut browser).await;
    app.pass(8 * 24 * 60 * 60);
    for story in [users_view(&app, &sid).await, admins_view(&app, &sid).await] {
        assert_eq!((&story["end"]["reason"], &story["end"]["certain"]), (&"expired".into(), &true.into()), "{story}");
        // Seven days unused, counted from the sign-in.
        assert_eq!(story["end"]["at"], "2027-01-22T08:00:00Z");
        assert_eq!(events(&story), ["signed_in", "expired"]);
        assert!(story["why"].as_str().unwrap().contains("unused"), "{story}");
    }
    // Long after, its row has been purged.
    app.pass(30 * 24 * 60 * 60);
    while !app.app.store.purge(counterfoil::clock::Clock::now(app.clock.as_ref()), 500).await.unwrap().at_end {}
    let story = admins_view(&app, &sid).await;
    assert_eq!(
        (&story["end"]["reason"], &story["end"]["certain"], &story["end"]["at"]),
        (&"expired".into(), &false.into(), &Value::Null)
    );
    assert!(story["why"].as_str().unwrap().contains("ran out by itself"), "{story}");
    assert_eq!(users_view(&app, &sid).await["why"], story["why"], "and still for its user only");
}

#[tokio::test]
async fn whoever_ended_it_is_named_to_administrators_and_not_to_the_user() {
    let app = TestApp::new().await;
    let made = json!({"email": "root@example.com", "password": PASSWORD, "roles": ["admin"]});
    assert_eq!(ask(&app, "POST", "/api/admin/users", Some(made)).await.0, 201);
    let mut admin = app.browser();
    admin.peer = "198.51.100.9".parse().unwrap();
    admin.sign_in("root@example.com").await;
    let root = admin.me().await.json()["user"]["id"].clone();
    let mut browser = app.signed_in().await;
    let sid = sid_of(&mut browser).await;
    assert_eq!(admin.post_json(&format!("/api/admin/sessions/{sid}/revoke"), &json!({})).await.status, 204);
    let seen = admins_view(&app, &sid).await;
    assert_eq!(
        (&seen["end"]["reason"], &seen["end"]["by"], &seen["end"]["network"]),
        (&"ended_by_admin".into(), &root, &"198.51.100.0/24".into())
    );
    assert_eq!(events(&seen), ["signed_in", "session_ended"]);
    let own = users_view(&app, &sid).await;
    assert_eq!(
        (&own["end"]["reason"], &own["end"]["actor"], &own["why"]),
        (&"ended_by_admin".into(), &"admin".into(), &seen["why"])
    );
    for secret in [root.as_str().unwrap(), "198.51.100"] {
        assert!(!own.to_string().contains(secret), "{own}");
    }
    // And what is noted at a ban is not for the user either.
    let sid = sid_of(&mut {
        let mut other = app.browser();
        other.sign_in(EMAIL).await;
        other
    })
    .await;
    let id = seen["user"].as_str().unwrap();
    let path = format!("/api/admin/users/{id}/ban");
    assert_eq!(admin.post_json(&path, &json!({"reason": "a note among ourselves"})).await.status, 204);
    assert_eq!(ask(&app, "POST", &format!("/api/admin/users/{id}/unban"), Some(json!({}))).await.0, 204);
    let seen = admins_view(&app, &sid).await;
    assert_eq!((events(&seen), &seen["end"]["by"]), (vec!["signed_in", "banned"], &root));
    assert!(!users_view(&app, &sid).await.to_string().contains("a note among"));
}

#[tokio::test]
async fn a_theft_a_new_password_a_sign_out_and_a_sign_out_everywhere_are_told_apart() {
    let app = TestApp::new().await;
    let mut victim = app.signed_in().await;
    let sid = sid_of(&mut victim).await;
    let thief = victim.clone();
    victim.refresh().await;
    app.pass(60);
    victim.refresh().await;
    app.pass(60);
    let mut thief = thief;
    thief.peer = "192.0.2.7".parse().unwrap();
    thief.refresh().await;
    let story = users_view(&app, &sid).await;
    assert_eq!(
        (&story["end"]["reason"], &story["end"]["network"]),
        (&"suspected_theft".into(), &"192.0.2.0/24".into())
    );
    assert_eq!(events(&story), ["signed_in", "refresh_reuse"]);
    let mut other = app.browser();
    other.sign_in(EMAIL).await;
    let sid = sid_of(&mut other).await;
    app.pass(1);
    victim.sign_in(EMAIL).await;
    let new = "another correct horse battery";
    let change = json!({"current_password": PASSWORD, "new_password": new});
    let changed = victim.post_json("/api/auth/password/change", &change).await;
    assert!(changed.status.is_success(), "{}", changed.text);
    let story = admins_view(&app, &sid).await;
    assert_eq!(
        (&story["end"]["reason"], events(&story)),
        (&"password_changed".into(), vec!["signed_in", "password_changed"])
    );
    let sid = sid_of(&mut victim).await;
    app.pass(1);
    assert_eq!(victim.post("/api/auth/logout-all").await.status, 204);
    let story = admins_view(&app, &sid).await;
    assert_eq!((&story["end"]["reason"], &story["end"]["actor"]), (&"ended_by_you".into(), &"user".into()));
    assert_eq!(events(&story), ["signed_in", "password_changed", "sessions_ended"]);
}

#[tokio::test]
async fn p1_somebody_elses_session_is_404_like_one_that_does_not_exist() {
    let app = TestApp::new().await;
    let mut ada = app.signed_in().await;
    let sid = sid_of(&mut ada).await;
    let mut eve = app.browser();
    eve.register("eve@example.com").await;
    eve.sign_in("eve@example.com").await;
    let answers =
        [sid.as_str(), "AAAAAAAAAAAAAAAAAAAAAA", "not-an-id"].map(|sid| format!("/api/auth/sessions/{sid}/timeline"));
    for path in &answers {
        assert_eq!(eve.get(path).await.outcome(), (404, "not_found".into()), "{path}");
    }
    assert_eq!(app.browser().get(&answers[0]).await.outcome(), (401, "token_missing".into()));
    for sid in ["AAAAAAAAAAAAAAAAAAAAAA", "not-an-id"] {
        assert_eq!(ask(&app, "GET", &format!("/api/admin/sessions/{sid}/timeline"), None).await.0, 404);
    }
}
