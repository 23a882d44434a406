use crate::support::{EMAIL, TestApp};
use counterfoil::store::Seen;
use counterfoil_core::refresh::rotation::{Decision, Rotation};
use serde_json::Value;

const COOKIE: &str = "__Secure-cf_refresh";
const PATH: &str = "/api/auth/refresh";

#[tokio::test]
async fn a_refresh_rotates_and_the_new_access_token_works() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let before = (browser.cookie(COOKIE), browser.cookie("__Host-cf_access"));
    let answer = browser.refresh().await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json().as_object().unwrap().keys().collect::<Vec<_>>(), ["expires_in"], "no token in the body");
    assert_ne!((browser.cookie(COOKIE), browser.cookie("__Host-cf_access")), before);
    assert_eq!(browser.me().await.status, 200);
}

#[tokio::test]
async fn the_older_access_token_lives_on_until_it_expires() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let mut in_flight = browser.clone();
    browser.refresh().await;
    assert_eq!(in_flight.me().await.status, 200);
}

#[tokio::test]
async fn s4_a_spent_token_after_the_grace_ends_the_session_and_clears_the_cookies() {
    let app = TestApp::new().await;
    let mut victim = app.signed_in().await;
    let mut thief = victim.clone();
    victim.refresh().await;
    app.pass(31);
    let stolen = thief.refresh().await;
    assert_eq!(stolen.outcome(), (401, "refresh_reuse".into()));
    assert_eq!(stolen.set_cookies().iter().filter(|cookie| cookie.contains("Max-Age=0")).count(), 4);
    assert_eq!(victim.me().await.outcome(), (401, "session_revoked".into()), "its access tokens die with it");
    let told = victim.refresh().await;
    assert_eq!(told.outcome(), (401, "refresh_invalid".into()));
    assert_eq!(told.json()["reason"], "suspected_theft");
    assert!(told.set_cookies().is_empty(), "cookies are left alone");
}

#[tokio::test]
async fn s4_a_thief_who_hangs_up_at_once_does_not_escape() {
    let app = TestApp::new().await;
    let mut victim = app.signed_in().await;
    let thief = victim.clone();
    victim.refresh().await;
    app.pass(31);
    // Polled once, so that it has begun, and dropped, as when the connection ends right after the request.
    let request = thief.request(http::Method::POST, "/api/auth/refresh");
    let mut hung_up = Box::pin(thief.send_without_keeping(request));
    let once = std::future::poll_fn(|context| std::task::Poll::Ready(hung_up.as_mut().poll(context).is_pending()));
    assert!(once.await);
    drop(hung_up);
    while victim.me().await.status == 200 {
        tokio::task::yield_now().await;
    }
    assert_eq!(victim.refresh().await.json()["reason"], "suspected_theft");
}

#[tokio::test]
async fn reuse_ends_one_session_and_never_the_users_others() {
    let app = TestApp::new().await;
    let mut first = app.signed_in().await;
    let mut second = app.browser();
    second.sign_in(EMAIL).await;
    let mut thief = first.clone();
    first.refresh().await;
    app.pass(31);
    assert_eq!(thief.refresh().await.code(), "refresh_reuse");
    assert_eq!(second.refresh().await.status, 200);
}

#[tokio::test]
async fn s3_a_lost_answer_is_repeated_within_the_grace() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let lost = browser.send_without_keeping(browser.request(http::Method::POST, PATH)).await;
    assert_eq!(lost.status, 200);
    app.pass(15);
    let retried = browser.refresh().await;
    assert_eq!(retried.status, 200);
    assert!(retried.sets(COOKIE), "a sibling");
    app.pass(31);
    assert_eq!(browser.refresh().await.status, 200);
    app.pass(31);
    assert_eq!(browser.refresh().await.status, 200);
}

#[tokio::test]
async fn s3_twenty_tabs_at_once_are_all_served_and_stay_signed_in() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    for _ in 0..3 {
        app.pass(300);
        let tabs = (0..20).map(|_| {
            let tab = browser.clone();
            async move { tab.send_without_keeping(tab.request(http::Method::POST, PATH)).await }
        });
        let answers = crate::support::all(tabs).await;
        assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
        // The jar takes whichever answer comes last: here the one that would hurt most.
        for answer in answers.iter().rev() {
            browser.keep(answer);
        }
    }
    app.pass(300);
    assert_eq!(browser.refresh().await.status, 200);
}

#[tokio::test]
async fn after_a_repeat_the_current_token_is_held_without_a_cookie() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let mut other_tab = browser.clone();
    browser.refresh().await;
    other_tab.refresh().await;
    let held = browser.refresh().await;
    assert_eq!(held.status, 200);
    assert!(held.sets("__Host-cf_access") && !held.sets(COOKIE));
}

#[tokio::test]
async fn s5_forged_garbled_and_foreign_tokens_change_nothing() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let token = browser.cookie(COOKIE).unwrap();
    let other = TestApp::new().await.signed_in().await.cookie(COOKIE).unwrap();
    let flipped = |n: usize| {
        let mut bytes = token.clone().into_bytes();
        bytes[n] = if bytes[n] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let mut forged = vec![String::from("cfr_"), "x".into(), token.replace("cfr_", "cfs_"), format!("{token}A"), other];
    forged.extend((4..token.len()).step_by(7).map(flipped));
    for text in forged {
        let mut stranger = app.browser();
        stranger.set_cookie(COOKIE, PATH, &text);
        let answer = stranger.refresh().await;
        assert_eq!(answer.outcome(), (401, "refresh_invalid".into()), "{text}");
        assert_eq!(answer.json()["reason"], Value::Null);
    }
    assert_eq!(browser.refresh().await.status, 200, "nobody can be signed out by guessing");
}

#[tokio::test]
async fn without_a_token_it_says_so() {
    let app = TestApp::new().await;
    assert_eq!(app.browser().refresh().await.outcome(), (401, "refresh_missing".into()));
}

#[tokio::test]
async fn strict_mode_takes_any_spent_token_for_theft_at_once() {
    let app = TestApp::with("[session]\nrotation_grace = \"0s\"").await;
    let mut browser = app.signed_in().await;
    let mut copy = browser.clone();
    assert_eq!(browser.refresh().await.status, 200);
    assert_eq!(copy.refresh().await.code(), "refresh_reuse");
}

#[tokio::test]
async fn nist_52_rotation_does_not_slide_past_the_absolute_limit_and_auth_time_stays() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let auth_time = |browser: &crate::support::Browser| {
        let token = browser.cookie("__Host-cf_access").unwrap();
        let payload = counterfoil_guard::base64url_decode(token.split('.').nth(1).unwrap()).unwrap();
        serde_json::from_slice::<Value>(&payload).unwrap()["auth_time"].clone()
    };
    let at_sign_in = auth_time(&browser);
    for _ in 0..5 {
        app.pass(6 * 86_400 - 100);
        assert_eq!(browser.refresh().await.status, 200);
        assert_eq!(auth_time(&browser), at_sign_in);
    }
    let token = browser.cookie(COOKIE).unwrap();
    app.pass(500);
    assert_eq!(browser.refresh().await.code(), "refresh_missing", "the cookie ends with the session");
    browser.set_cookie(COOKIE, PATH, &token);
    let over = browser.refresh().await;
    assert_eq!((over.outcome(), over.json()["reason"].as_str()), ((401, "refresh_invalid".into()), Some("expired")));
}

#[tokio::test]
async fn s1_no_refresh_succeeds_after_an_acknowledged_sign_out() {
    let app = TestApp::new().await;
    let browser = app.signed_in().await;
    let (mut here, mut copy) = (browser.clone(), browser);
    assert_eq!(here.delete(PATH).await.status, 204);
    let refused = copy.refresh().await;
    assert_eq!(
        (refused.outcome(), refused.json()["reason"].as_str()),
        ((401, "refresh_invalid".into()), Some("signed_out"))
    );
    assert_eq!(copy.me().await.outcome(), (401, "session_revoked".into()));
}

#[tokio::test]
async fn a_token_newer_than_the_store_is_adopted_and_a_warning_written() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    browser.refresh().await;
    app.pass(40);
    // The store is put back to what it was at sign-in, as from a backup.
    let sid = browser.me().await.json()["session"]["id"].as_str().unwrap().parse().unwrap();
    let (session, _) = app.app.store.by_sid(sid).await.unwrap().unwrap();
    let first = Rotation::first(session.created_at);
    let seen = Seen { at: session.created_at, network: session.network };
    app.app.store.refresh(session.handle, Box::new(move |_| Some(Decision::Rotate(first))), seen).await.unwrap();
    let adopted = browser.refresh().await;
    assert_eq!(adopted.status, 200);
    assert!(!adopted.sets(COOKIE), "an access token only");
    app.pass(31);
    assert!(browser.refresh().await.sets(COOKIE), "and then it goes on as before");
    let (_, audit) = crate::control::ask(&app, "GET", "/api/admin/audit", None).await;
    assert!(audit["entries"].as_array().unwrap().iter().any(|entry| entry["event"] == "refresh_fast_forward"));
}
