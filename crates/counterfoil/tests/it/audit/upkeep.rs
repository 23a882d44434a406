//! The log is shortened at its old end and what is personal is erased, and the chain is whole.

use super::verified;
use crate::support::TestApp;
use counterfoil::flow::seal::{erase_networks, seal, shorten};
use counterfoil_core::UserId;
use serde_json::json;
use std::time::Duration;

const DAY: u64 = 24 * 60 * 60;

async fn register(app: &TestApp, people: std::ops::Range<u32>) {
    for n in people {
        app.browser().register(&format!("{n}@example.com")).await;
    }
}

#[tokio::test]
async fn aud_3_entries_leave_after_their_time_and_the_rest_is_whole() {
    let app = TestApp::with("[audit]\nretention = '30d'").await;
    register(&app, 0..3).await;
    assert_eq!(shorten(&app.app).await, Ok(0), "nothing is old");
    app.clock.advance(Duration::from_secs(20 * DAY));
    register(&app, 3..5).await;
    app.clock.advance(Duration::from_secs(11 * DAY));
    assert_eq!(shorten(&app.app).await, Ok(0), "what is not sealed stays");
    seal(&app.app).await.unwrap();
    assert_eq!(shorten(&app.app).await, Ok(3));
    let found = verified(&app).await;
    assert_eq!(
        (&found["whole"], &found["purged_to"], &found["entries"]),
        (&true.into(), &3.into(), &2.into()),
        "{found}"
    );
    app.clock.advance(Duration::from_secs(1000 * DAY));
    assert_eq!(shorten(&app.app).await, Ok(1), "the newest stays, so that numbers go on");
    register(&app, 5..6).await;
    let found = verified(&app).await;
    assert_eq!((&found["whole"], &found["sealed_to"]), (&true.into(), &6.into()), "{found}");
}

#[tokio::test]
async fn a_log_that_is_kept_forever_is_not_shortened() {
    let app = TestApp::with("[audit]\nretention = 'forever'").await;
    register(&app, 0..2).await;
    app.clock.advance(Duration::from_secs(4000 * DAY));
    seal(&app.app).await.unwrap();
    assert_eq!(shorten(&app.app).await, Ok(0));
}

#[tokio::test]
async fn what_a_webhook_has_not_been_told_stays() {
    let hook = "[[webhooks]]\nname = 'hook'\nurl = 'http://127.0.0.1:9/'\nevents = ['*']\nsecret_file = 'x'\n\
                [audit]\nretention = '30d'";
    let app = TestApp::with(hook).await;
    let store = &app.app.store;
    store.reader("webhook:hook").await.unwrap();
    store.reader("webhook:of another time").await.unwrap();
    register(&app, 0..4).await;
    app.clock.advance(Duration::from_secs(31 * DAY));
    register(&app, 4..5).await;
    seal(&app.app).await.unwrap();
    assert_eq!(shorten(&app.app).await, Ok(0));
    store.move_reader("webhook:hook", 2).await.unwrap();
    assert_eq!(shorten(&app.app).await, Ok(2));
    store.move_reader("webhook:hook", 5).await.unwrap();
    assert_eq!(shorten(&app.app).await, Ok(2));
    assert_eq!(verified(&app).await["whole"], true);
}

#[tokio::test]
async fn what_an_application_has_not_been_told_stays() {
    let told = "[applications.web]\nbackchannel_logout_uri = 'http://127.0.0.1:9/'\n[audit]\nretention = '30d'";
    let app = TestApp::with(told).await;
    let store = &app.app.store;
    store.reader("logout:web").await.unwrap();
    register(&app, 0..2).await;
    app.clock.advance(Duration::from_secs(31 * DAY));
    register(&app, 2..3).await;
    seal(&app.app).await.unwrap();
    assert_eq!(shorten(&app.app).await, Ok(0));
    store.move_reader("logout:web", 1).await.unwrap();
    assert_eq!(shorten(&app.app).await, Ok(1));
}

#[tokio::test]
async fn aud_4_an_accounts_networks_are_erased_and_the_chain_is_whole() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let id: UserId = browser.me().await.json()["user"]["id"].as_str().unwrap().parse().unwrap();
    let wrong = json!({"email": crate::support::EMAIL, "password": "not the password at all"});
    browser.post_json("/api/auth/login", &wrong).await;
    app.browser().register("eve@example.com").await;
    seal(&app.app).await.unwrap();
    assert_eq!(erase_networks(&app.app, id).await, Ok(3));
    assert_eq!(erase_networks(&app.app, id).await, Ok(0));
    // What is written from now on is another matter.
    browser.post("/api/auth/logout").await;
    let found = verified(&app).await;
    assert_eq!((&found["whole"], &found["erased"], &found["entries"]), (&true.into(), &3.into(), &5.into()), "{found}");
    let networks: Vec<String> =
        app.app.store.page(None, 10).await.unwrap().into_iter().rev().map(|(_, entry)| entry.network).collect();
    assert_eq!(networks, ["", "", "", "203.0.113.0/24", "203.0.113.0/24"]);
}

/// A refresh is neither news nor affordable.
#[tokio::test]
async fn a_successful_refresh_writes_no_entry() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let before = app.app.store.newest().await.unwrap();
    for _ in 0..3 {
        app.pass(60);
        assert_eq!(browser.refresh().await.status, 200);
    }
    assert_eq!(app.app.store.newest().await.unwrap(), before);
}
