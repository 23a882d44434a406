use super::{credential, introspect, send, sign_in_to};
use crate::control::ask;
use crate::support::{Browser, EMAIL, TestApp};
use counterfoil::flow::introspect::Introspection;
use counterfoil_guard::{Entry, Refusal, RevocationIndex, Target, base64url_decode};
use serde_json::{Value, json};
use std::time::Duration;

const ACCESS: &str = "__Host-cf_access";
const REFRESH: &str = "__Secure-cf_refresh";
const APPLICATIONS: &str =
    "[applications.web]\nclaims = [\"roles\"]\n[applications.classic]\nprofile = \"opaque\"\nclaims = [\"roles\"]";

fn members(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

async fn session_id(browser: &Browser) -> String {
    browser.clone().me().await.json()["session"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn int_2_step_2_an_active_access_token_says_what_it_says_itself() {
    let app = TestApp::with(APPLICATIONS).await;
    let (credential, mut browser) = (credential(&app, "api").await, app.signed_in().await);
    let me = browser.me().await.json();
    let (id, sid) = (me["user"]["id"].as_str().unwrap(), me["session"]["id"].as_str().unwrap());
    ask(&app, "PUT", &format!("/api/admin/users/{id}/roles"), Some(json!({ "roles": ["editor"] }))).await;
    browser.refresh().await;
    let token = browser.cookie(ACCESS).unwrap();
    let answer = introspect(&app, &credential, &token).await;
    let payload = base64url_decode(token.split('.').nth(1).unwrap()).unwrap();
    let mut expected: Value = serde_json::from_slice(&payload).unwrap();
    expected.as_object_mut().unwrap().remove("cv");
    expected["active"] = true.into();
    expected["token_type"] = "Bearer".into();
    assert_eq!(answer, expected);
    assert_eq!((&answer["sub"], &answer["sid"], &answer["roles"]), (&json!(id), &json!(sid), &json!(["editor"])));
    assert_eq!((&answer["acr"], &answer["auth_time"]), (&json!("aal1"), &json!(1_800_000_000)));
    assert!(!answer.to_string().contains(EMAIL), "nothing personal");
}

#[tokio::test]
async fn int_2_refresh_and_session_tokens_are_told_from_access_tokens() {
    let app = TestApp::with(APPLICATIONS).await;
    let credential = credential(&app, "api").await;
    let (browser, _) = sign_in_to(&app, "web").await;
    let (classic, _) = sign_in_to(&app, "classic").await;
    let expected =
        ["acr", "active", "amr", "aud", "auth_time", "client_id", "exp", "iat", "iss", "sid", "sub", "token_type"];
    for (browser, cookie, application, kind) in
        [(&browser, REFRESH, "web", "refresh_token"), (&classic, "__Host-cf_session", "classic", "session_token")]
    {
        let answer = introspect(&app, &credential, &browser.cookie(cookie).unwrap()).await;
        assert_eq!(members(&answer), expected, "{kind}");
        assert_eq!((&answer["active"], &answer["token_type"]), (&json!(true), &json!(kind)));
        assert_eq!((&answer["client_id"], &answer["aud"]), (&json!(application), &json!(application)));
        assert_eq!((&answer["iat"], &answer["exp"]), (&json!(1_800_000_000), &json!(1_800_000_000 + 7 * 86_400)));
        assert_eq!(answer["sid"], session_id(browser).await);
    }
}

#[tokio::test]
async fn introspecting_changes_nothing() {
    let app = TestApp::with(APPLICATIONS).await;
    let credential = credential(&app, "api").await;
    for (application, cookie) in [("web", REFRESH), ("web", ACCESS), ("classic", "__Host-cf_session")] {
        let (browser, _) = sign_in_to(&app, application).await;
        let sid = session_id(&browser).await.parse().unwrap();
        app.pass(120);
        let before = app.app.store.by_sid(sid).await.unwrap();
        let lines = super::audit(&app).await.len();
        for _ in 0..3 {
            let answer = introspect(&app, &credential, &browser.cookie(cookie).unwrap()).await;
            assert_eq!(answer["active"], true, "{cookie}");
        }
        assert_eq!(app.app.store.by_sid(sid).await.unwrap(), before, "{cookie}");
        assert_eq!(super::audit(&app).await.len(), lines);
    }
}

#[tokio::test]
async fn only_the_current_generation_of_a_refresh_token_is_active() {
    let app = TestApp::new().await;
    let (credential, mut browser) = (credential(&app, "api").await, app.signed_in().await);
    let spent = browser.cookie(REFRESH).unwrap();
    browser.refresh().await;
    for seconds in [0, 60] {
        app.pass(seconds);
        let answer = introspect(&app, &credential, &spent).await;
        assert_eq!(answer, json!({ "active": false, "reason": "refresh_superseded" }), "within the grace or not");
    }
    assert_eq!(introspect(&app, &credential, &browser.cookie(REFRESH).unwrap()).await["active"], true);
    assert_eq!(browser.refresh().await.status, 200, "asking about a spent token is not using it");
}

#[tokio::test]
async fn int_1_of_a_token_that_is_not_ours_nothing_is_said() {
    let app = TestApp::with(APPLICATIONS).await;
    let credential = credential(&app, "api").await;
    let (browser, _) = sign_in_to(&app, "web").await;
    let (classic, _) = sign_in_to(&app, "classic").await;
    let elsewhere = TestApp::new().await.signed_in().await;
    let (access, refresh) = (browser.cookie(ACCESS).unwrap(), browser.cookie(REFRESH).unwrap());
    let session = classic.cookie("__Host-cf_session").unwrap();
    let mut tokens = vec![
        "x".into(),
        "cfr_".into(),
        "cfs_".into(),
        "a.b.c".into(),
        credential.clone(),
        elsewhere.cookie(ACCESS).unwrap(),
        elsewhere.cookie(REFRESH).unwrap(),
        refresh.replace("cfr_", "cfs_"),
        session.replace("cfs_", "cfr_"),
        format!("{access}A"),
        format!("{access}{}", "A".repeat(4097 - access.len())),
        "%00".into(),
        "cfr_%C3%A9".into(),
    ];
    for token in [access, refresh, session] {
        for n in (4..token.len()).step_by(token.len() / 20) {
            let mut bytes = token.clone().into_bytes();
            bytes[n] = if bytes[n] == b'A' { b'B' } else { b'A' };
            tokens.push(String::from_utf8(bytes).unwrap());
        }
    }
    for token in tokens {
        assert_eq!(introspect(&app, &credential, &token).await, json!({ "active": false }), "{token}");
    }
}

#[tokio::test]
async fn atk21_a_token_beyond_4096_bytes_is_refused_before_it_is_looked_at() {
    let app = TestApp::new().await;
    for prefix in ["", "cfr_", "cfs_"] {
        for (length, too_large) in [(4096, false), (4097, true)] {
            let token = format!("{prefix:A<length$}");
            let verdict = counterfoil::flow::introspect::introspect(&app.app, &token).await.unwrap();
            let refused = matches!(verdict, Introspection::Refused(Refusal::TooLarge));
            assert_eq!(refused, too_large, "{prefix} {length}: {verdict:?}");
        }
    }
}

#[tokio::test]
async fn a_token_of_ours_says_why_it_is_not_active() {
    let app = TestApp::new().await;
    let (credential, mut browser) = (credential(&app, "api").await, app.signed_in().await);
    let inactive = |reason: &str| json!({ "active": false, "reason": reason });
    let (access, id) = (browser.cookie(ACCESS).unwrap(), browser.me().await.json()["user"]["id"].clone());
    app.pass(284);
    assert_eq!(introspect(&app, &credential, &access).await["active"], true);
    app.pass(16);
    assert_eq!(introspect(&app, &credential, &access).await, inactive("token_expired"));

    browser.refresh().await;
    let path = format!("/api/admin/users/{}/roles", id.as_str().unwrap());
    ask(&app, "PUT", &path, Some(json!({ "roles": ["editor"] }))).await;
    let stale = browser.cookie(ACCESS).unwrap();
    assert_eq!(introspect(&app, &credential, &stale).await, inactive("token_stale"));

    browser.refresh().await;
    let (access, refresh) = (browser.cookie(ACCESS).unwrap(), browser.cookie(REFRESH).unwrap());
    browser.post("/api/auth/logout").await;
    for token in [access, refresh] {
        assert_eq!(introspect(&app, &credential, &token).await, inactive("session_revoked"));
    }
}

/// The answer rests on the rows: an index that has lost everything changes nothing of it.
#[tokio::test]
async fn s1_the_answer_is_exact_because_it_reads_the_store() {
    let app = TestApp::new().await;
    let (credential, mut browser) = (credential(&app, "api").await, app.signed_in().await);
    let id = browser.me().await.json()["user"]["id"].as_str().unwrap().to_owned();
    let access = browser.cookie(ACCESS).unwrap();
    let forget = || *app.app.revocations().write() = RevocationIndex::default();
    ask(&app, "PUT", &format!("/api/admin/users/{id}/roles"), Some(json!({ "roles": ["editor"] }))).await;
    forget();
    assert_eq!(introspect(&app, &credential, &access).await["reason"], "token_stale");
    browser.refresh().await;
    let access = browser.cookie(ACCESS).unwrap();
    browser.post("/api/auth/logout").await;
    forget();
    assert_eq!(introspect(&app, &credential, &access).await["reason"], "session_revoked");
}

/// As at a replica whose connection still leads to a primary that has been replaced.
#[tokio::test]
async fn s1_what_this_server_knows_counts_even_where_the_store_knows_less() {
    let app = TestApp::with(APPLICATIONS).await;
    let credential = credential(&app, "api").await;
    for (application, cookie) in [("web", REFRESH), ("classic", "__Host-cf_session")] {
        let (mut browser, _) = sign_in_to(&app, application).await;
        let token = browser.cookie(cookie).unwrap();
        assert_eq!(introspect(&app, &credential, &token).await["active"], true);
        let what = Target::Session(session_id(&browser).await.parse().unwrap());
        let entry = Entry { seq: 1, until: app.app.clock.now().plus(Duration::from_mins(5)), what };
        app.app.revocations().write().add(&entry);
        assert_eq!(introspect(&app, &credential, &token).await["active"], false, "{application}");
        assert_eq!(browser.me().await.status, 401, "{application}");
    }
}

#[tokio::test]
async fn rev_1_a_hint_is_only_a_hint() {
    let app = TestApp::new().await;
    let (credential, browser) = (credential(&app, "api").await, app.signed_in().await);
    for cookie in [ACCESS, REFRESH] {
        for hint in ["access_token", "refresh_token", "session_token", "nonsense", ""] {
            let body = format!("token_type_hint={hint}&token={}", browser.cookie(cookie).unwrap());
            let answer = send(&app, "/oauth/introspect", &format!("Bearer {credential}"), &body).await;
            assert_eq!(answer.json()["active"], true, "{cookie} as {hint}");
        }
    }
}
