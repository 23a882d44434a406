//! `/api/admin/keys`: rotation that locks nobody out (K1), revocation that lets nothing through (K2).

use super::admin;
use crate::control::ask;
use crate::feed::Follower;
use crate::support::{Browser, TestApp};
use counterfoil::flow::keys;
use counterfoil_core::keys::sealing::Purpose;
use counterfoil_guard::{KeySet, Refusal, base64url_decode};
use http::Method;
use serde_json::{Value, json};

const ACCESS: &str = "__Host-cf_access";

async fn list(app: &TestApp) -> Vec<Value> {
    ask(app, "GET", "/api/admin/keys", None).await.1["keys"].as_array().unwrap().clone()
}

/// The name of the key in this state; there must be one.
async fn kid(app: &TestApp, state: &str) -> String {
    let keys = list(app).await;
    let found: Vec<_> = keys.iter().filter(|key| key["state"] == state).collect();
    assert_eq!(found.len(), 1, "{state}: {keys:?}");
    found[0]["kid"].as_str().unwrap().to_owned()
}

/// What a verifier sees that fetches the key set now.
async fn published(app: &TestApp) -> Vec<String> {
    let document = app.browser().get("/.well-known/jwks.json").await.json();
    let kids = document["keys"].as_array().unwrap().iter();
    kids.map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// Header (0) or payload (1) of a token.
fn part(token: &str, number: usize) -> Value {
    serde_json::from_slice(&base64url_decode(token.split('.').nth(number).unwrap()).unwrap()).unwrap()
}

fn signed_by(token: &str) -> String {
    part(token, 0)["kid"].as_str().unwrap().to_owned()
}

async fn rotate(app: &TestApp) -> (u16, Value) {
    ask(app, "POST", "/api/admin/keys/rotate", Some(json!({}))).await
}

#[tokio::test]
async fn k1_a_key_signs_only_once_verifiers_have_had_time_to_learn_it() {
    let app = TestApp::new().await;
    let (status, answer) = rotate(&app).await;
    assert_eq!((status, answer["code"].as_str()), (409, Some("key_too_new")));
    assert!(answer["detail"].as_str().unwrap().contains("2027-01-15T08:10:00"), "{answer}");
    app.pass(600);
    let next = kid(&app, "next").await;
    assert_eq!(rotate(&app).await.0, 204);
    assert_eq!(kid(&app, "active").await, next);
    assert_eq!(list(&app).await.len(), 3);
}

#[tokio::test]
async fn k1_tokens_of_a_retiring_key_are_good_until_they_expire() {
    let app = TestApp::new().await;
    app.pass(600);
    let mut browser = app.signed_in().await;
    let old = kid(&app, "active").await;
    assert_eq!(rotate(&app).await.0, 204);
    assert_eq!(browser.me().await.status, 200);
    assert!(published(&app).await.contains(&old));
    app.pass(959);
    assert!(!keys::tend(&app.app).await.unwrap(), "a token of fifteen minutes may still live");
    app.pass(1);
    assert!(keys::tend(&app.app).await.unwrap());
    assert!(!published(&app).await.contains(&old));
    assert_eq!(browser.refresh().await.status, 200);
    assert_eq!(signed_by(&browser.cookie(ACCESS).unwrap()), kid(&app, "active").await);
}

#[tokio::test]
async fn the_key_changes_by_itself_as_often_as_configured() {
    let app = TestApp::with("[keys]\nrotate_every = \"2h\"").await;
    let next = kid(&app, "next").await;
    app.pass(7199);
    assert!(!keys::tend(&app.app).await.unwrap());
    app.pass(1);
    assert!(keys::tend(&app.app).await.unwrap());
    assert_eq!(kid(&app, "active").await, next);
    let audit = ask(&app, "GET", "/api/admin/audit", None).await.1;
    let events: Vec<_> = audit["entries"].as_array().unwrap().iter().map(|one| one["event"].clone()).collect();
    assert_eq!(events[..3], ["key_created", "key_activated", "key_retired"], "newest first");
    assert!(audit["entries"][1]["detail"].as_str().unwrap().ends_with(" due"), "with the reason");
}

#[tokio::test]
async fn k2_a_revoked_keys_tokens_are_refused_everywhere_and_nobody_is_signed_out() {
    let app = TestApp::new().await;
    app.pass(6);
    let mut browser = app.signed_in().await;
    let guard = Follower::new(&app, "api").await;
    assert_eq!((guard.verify(&browser), browser.me().await.status.as_u16()), (Ok(()), 200));
    let (old, next) = (kid(&app, "active").await, kid(&app, "next").await);
    assert_eq!(ask(&app, "POST", &format!("/api/admin/keys/{old}/revoke"), Some(json!({}))).await.0, 204);

    assert_eq!(browser.me().await.outcome(), (401, "token_invalid".into()), "also when it was seen a moment ago");
    assert!(guard.poll().await.unwrap().keys_changed, "told together with the entry");
    assert_eq!(guard.verify(&browser), Err(Refusal::KeyRevoked), "although its own key set is the old one");
    assert!(!published(&app).await.contains(&old));
    assert_eq!(browser.refresh().await.status, 200);
    assert_eq!(signed_by(&browser.cookie(ACCESS).unwrap()), next, "published before, so everybody knows it");
    assert_eq!((guard.verify(&browser), browser.me().await.status.as_u16()), (Ok(()), 200));
    assert!(published(&app).await.len() == 2 && kid(&app, "next").await != next, "there is a next one again");
}

#[tokio::test]
async fn s1_who_signs_out_with_a_token_of_a_key_that_counts_no_more_is_signed_out() {
    let app = TestApp::new().await;
    app.pass(6);
    let mut browser = app.signed_in().await;
    let thief = browser.clone();
    let old = kid(&app, "active").await;
    assert_eq!(ask(&app, "POST", &format!("/api/admin/keys/{old}/revoke"), Some(json!({}))).await.0, 204);
    assert_eq!(browser.me().await.outcome(), (401, "token_invalid".into()));
    assert_eq!(browser.post("/api/auth/logout").await.status, 204);
    assert_eq!(thief.clone().refresh().await.status, 401, "it has been acknowledged");
}

/// Whoever has stolen the key can make tokens up.
#[tokio::test]
async fn s5_a_token_of_a_revoked_key_ends_no_more_than_its_own_session_and_not_for_ever() {
    let app = TestApp::new().await;
    app.pass(6);
    let mut browser = app.signed_in().await;
    let mut other = app.signed_in_again().await;
    let old = kid(&app, "active").await;
    assert_eq!(ask(&app, "POST", &format!("/api/admin/keys/{old}/revoke"), Some(json!({}))).await.0, 204);
    let told = browser.post("/api/auth/logout-all").await;
    assert_eq!((told.outcome(), told.set_cookies()), ((401, "token_invalid".into()), vec![]));
    assert_eq!(other.refresh().await.status, 200);
    let stolen = browser.cookie(ACCESS).unwrap();
    app.pass(17 * 60);
    browser.set_cookie(ACCESS, "/", &stolen);
    let told = browser.post("/api/auth/logout").await;
    assert_eq!((told.outcome(), told.set_cookies()), ((401, "token_invalid".into()), vec![]));
    assert_eq!(browser.refresh().await.status, 200, "as it says");
    // Where there is nothing to refresh by, it cannot be told so; and it ends nothing.
    let mut half = app.browser();
    half.set_cookie(ACCESS, "/", &stolen);
    assert_eq!(half.delete("/api/auth/refresh").await.status, 204);
    assert_eq!(browser.refresh().await.status, 200);
    assert_eq!(browser.post("/api/auth/logout-all").await.status, 204);
    assert_eq!(other.refresh().await.status, 401);
}

#[tokio::test]
async fn k2_for_ever_also_for_a_guard_that_starts_later() {
    let app = TestApp::new().await;
    app.pass(6);
    let browser = app.signed_in().await;
    let stale_keys = KeySet::from_jwks(&app.app.keyring().jwks).unwrap();
    let old = kid(&app, "active").await;
    ask(&app, "POST", &format!("/api/admin/keys/{old}/revoke"), Some(json!({}))).await;
    app.pass(120);
    counterfoil::jobs::once(&app.app).await;
    let guard = Follower::new(&app, "api").await;
    // A cache in between has served it a key set from before.
    guard.guard.set_keys(stale_keys);
    assert_eq!(guard.verify(&browser), Err(Refusal::KeyRevoked));
}

#[tokio::test]
async fn revoking_again_or_an_unknown_key_is_told_apart_and_changes_nothing() {
    let app = TestApp::new().await;
    // So long after a start that time alone need not prove anything.
    app.pass(6);
    let old = kid(&app, "active").await;
    for _ in 0..2 {
        let (status, receipt) =
            ask(&app, "POST", &format!("/api/admin/keys/{old}/revoke?receipt=effective"), Some(json!({}))).await;
        assert_eq!((status, receipt["effective"].as_bool()), (200, Some(true)), "{receipt}");
    }
    assert_eq!(app.app.feed.head(), 1, "one entry");
    assert_eq!(list(&app).await.len(), 3);
    for kid in ["nobody", "..", "%00"] {
        assert_eq!(ask(&app, "POST", &format!("/api/admin/keys/{kid}/revoke"), Some(json!({}))).await.0, 404, "{kid}");
    }
}

#[tokio::test]
async fn all_keys_at_once_leave_none_of_the_old() {
    let app = TestApp::with("[applications.legacy]\nprofile = \"native\"\nalgorithm = \"ES256\"").await;
    let mut browser = app.signed_in().await;
    let before = published(&app).await;
    assert_eq!(before.len(), 4, "two algorithms");
    assert_eq!(ask(&app, "POST", "/api/admin/keys/revoke-all", Some(json!({}))).await.0, 204);
    let after = published(&app).await;
    assert_eq!(after.len(), 4);
    assert!(before.iter().all(|kid| !after.contains(kid)), "{before:?} {after:?}");
    assert_eq!(browser.me().await.outcome(), (401, "token_invalid".into()));
    assert_eq!((browser.refresh().await.status, browser.me().await.status.as_u16()), (http::StatusCode::OK, 200));
    assert_eq!(app.app.feed.head(), 4);
}

#[tokio::test]
async fn an_application_has_its_own_algorithm_once_its_key_is_known() {
    let app = TestApp::with("[keys]\nalgorithm = \"ES256\"\n[applications.modern]\nalgorithm = \"Ed25519\"").await;
    let mut browser = app.signed_in().await;
    let token = browser.cookie(ACCESS).unwrap();
    assert_eq!(part(&token, 0)["alg"], "ES256");
    assert_eq!(browser.me().await.status, 200);
    let guard = Follower::new(&app, "api").await;
    assert_eq!(guard.verify(&browser), Ok(()));
    let set = app.browser().get("/.well-known/jwks.json").await.json();
    let kinds: Vec<_> = set["keys"].as_array().unwrap().iter().map(|key| (&key["kty"], &key["crv"])).collect();
    assert_eq!(kinds.iter().filter(|(kty, crv)| *kty == "EC" && *crv == "P-256").count(), 2);
    assert_eq!(kinds.iter().filter(|(kty, crv)| *kty == "OKP" && *crv == "Ed25519").count(), 2);
    assert!(set["keys"].as_array().unwrap().iter().all(|key| key["d"].is_null()));
}

/// The key of the token that the gate hands to the server behind.
async fn handed_off(browser: &mut Browser) -> String {
    let mut request = browser.request(Method::GET, "/gate");
    for (name, value) in [("x-original-method", "GET"), ("x-original-uri", "/"), ("x-forwarded-for", "198.51.100.1")] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let answer = browser.send(request).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    signed_by(answer.headers["authorization"].to_str().unwrap().strip_prefix("Bearer ").unwrap())
}

#[tokio::test]
async fn the_gate_hands_no_token_of_a_revoked_key_on() {
    let app = TestApp::with("trusted_proxies = [\"203.0.113.7/32\"]\n[gate]\nupstream_audience = \"behind\"").await;
    let mut browser = app.signed_in().await;
    let old = kid(&app, "active").await;
    assert_eq!(handed_off(&mut browser).await, old);
    ask(&app, "POST", &format!("/api/admin/keys/{old}/revoke"), Some(json!({}))).await;
    browser.refresh().await;
    assert_eq!(handed_off(&mut browser).await, kid(&app, "active").await, "not the one made a moment ago");
}

#[tokio::test]
async fn only_a_fresh_administrator_touches_keys_and_the_master_key_not_even_they() {
    let app = TestApp::new().await;
    let mut user = app.signed_in().await;
    for path in ["/api/admin/keys/rotate", "/api/admin/keys/revoke-all", "/api/admin/keys/x/revoke"] {
        assert_eq!(user.post_json(path, &json!({})).await.outcome(), (403, "forbidden".into()), "{path}");
    }
    let mut root = admin(&app).await;
    assert_eq!(root.post_json("/api/admin/keys/rotate", &json!({})).await.code(), "key_too_new");
    let body = json!({ "key": "A".repeat(43) });
    assert_eq!(root.post_json("/api/admin/master-key", &body).await.outcome(), (404, "not_found".into()));
    app.pass(601);
    root.refresh().await;
    assert_eq!(root.post_json("/api/admin/keys/rotate", &json!({})).await.code(), "reauthentication_required");
}

/// A year of planned rotations: verifiers keep the key set for as long as they may, and each token must be good at each of them,
/// from its first second to its last. A revocation each quarter: its tokens never again.
#[tokio::test]
async fn k1_k2_a_year_of_rotations_locks_nobody_out_and_lets_nothing_through() {
    const STEP: u64 = 100;
    let app = TestApp::with("[session]\naccess_lifetime = \"15m\"\nidle = \"80d\"\nabsolute = \"365d\"").await;
    let mut browser = app.signed_in().await;
    let guards = [Follower::new(&app, "a").await, Follower::new(&app, "b").await, Follower::new(&app, "c").await];
    let (mut rotations, mut judged, mut revoked) = (0, 0, Vec::<String>::new());
    let mut tokens: Vec<String> = Vec::new();
    for day in 0..364 {
        // Two hours around the time at which keys change, closely; the rest of the day in one stride.
        for step in 0..72_u64 {
            app.pass(STEP);
            rotations += u32::from(keys::tend(&app.app).await.unwrap());
            for (n, guard) in (0_u64..).zip(&guards) {
                guard.poll().await.unwrap();
                // Each fetches every 300 s, at a moment of its own.
                if (step + n) % 3 == 0 {
                    guard.guard.set_keys(KeySet::from_jwks(&app.app.keyring().jwks).unwrap());
                }
            }
            if step % 8 == 0 {
                assert_eq!(browser.refresh().await.status, 200);
                tokens.push(browser.cookie(ACCESS).unwrap());
                tokens = tokens.split_off(tokens.len().saturating_sub(3));
            }
            if day % 91 == 45 && step == 36 {
                let old = kid(&app, "active").await;
                ask(&app, "POST", &format!("/api/admin/keys/{old}/revoke"), Some(json!({}))).await;
                revoked.push(old);
                for guard in &guards {
                    guard.poll().await.unwrap();
                }
            }
            let now = app.app.clock.now().as_seconds();
            for token in tokens.iter().filter(|token| now < part(token, 1)["exp"].as_i64().unwrap()) {
                let dead = revoked.contains(&signed_by(token));
                for guard in &guards {
                    judged += 1;
                    match guard.verify_token(token) {
                        Ok(()) => assert!(!dead, "day {day}: a revoked key's token"),
                        Err(refusal) => assert!(dead, "day {day}, step {step}: {refusal:?}"),
                    }
                }
            }
        }
        app.pass(86_400 - 72 * STEP);
    }
    assert!(rotations >= 16 && revoked.len() == 4 && judged > 80_000, "{rotations} {} {judged}", revoked.len());
}

/// Both make sealed rows from what they have read; whichever comes second must not leave one under a master key that is no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn s6_a_key_made_while_the_master_key_changes_is_sealed_under_the_one_that_stays() {
    let app = std::sync::Arc::new(TestApp::new().await);
    for round in 0..40_u8 {
        let key = json!({ "key": counterfoil_guard::base64url_encode(&[round + 1; 32]) });
        let (one, other) = (std::sync::Arc::clone(&app), std::sync::Arc::clone(&app));
        let revoking =
            tokio::spawn(async move { ask(&one, "POST", "/api/admin/keys/revoke-all", Some(json!({}))).await.0 });
        let sealing = tokio::spawn(async move { ask(&other, "POST", "/api/admin/master-key", Some(key)).await.0 });
        assert_eq!((revoking.await.unwrap(), sealing.await.unwrap()), (204, 204));
        let master = app.app.keys.master();
        for key in app.app.store.signing_keys().await.unwrap().iter().filter(|key| key.state.may_sign()) {
            assert!(
                master.open(Purpose::SigningKey, key.kid.as_str(), &key.sealed).is_ok(),
                "round {round}: {}",
                key.kid
            );
        }
    }
}
