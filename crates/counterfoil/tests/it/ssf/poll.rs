//! What streams tell, fetched by poll (RFC 8936): all of it, once it is acknowledged never again.

use super::{CAEP, Hub, ON, RISC, event, said, words};
use crate::control::ask;
use crate::oauth::{send, sign_in_to};
use crate::support::{Browser, EMAIL, PASSWORD, TestApp};
use counterfoil::clock::Clock as _;
use counterfoil_core::foreign::IssuerKeys;
use counterfoil_core::ssf::received::{read, verify};
use counterfoil_guard::{KeySet, Verifier};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The names of a browser's user and session.
async fn names(browser: &mut Browser) -> (String, String) {
    let me = browser.me().await.json();
    let id = |of: &str| me[of]["id"].as_str().unwrap().to_owned();
    (id("user"), id("session"))
}

#[tokio::test]
async fn ssf_4_1_a_sign_out_is_told_in_a_set_that_holds_in_every_part() {
    let app = TestApp::with(ON).await;
    let hub = Hub::new(&app).await;
    let stream = hub.stream(json!({})).await;
    let (mut browser, _) = sign_in_to(&app, "web").await;
    let (user, sid) = names(&mut browser).await;
    browser.post("/api/auth/logout").await;
    let url = stream["delivery"]["endpoint_url"].as_str().unwrap();
    let path = url.strip_prefix(app.app.public.issuer()).unwrap();
    let answer = hub.send("POST", path, &json!({ "returnImmediately": true })).await.json();
    let (jti, set) = answer["sets"].as_object().unwrap().iter().next().unwrap();
    let set = set.as_str().unwrap();
    let header: Value =
        serde_json::from_slice(&counterfoil_guard::base64url_decode(set.split('.').next().unwrap()).unwrap()).unwrap();
    assert_eq!(header["typ"], "secevent+jwt");
    let now = app.clock.now();
    let (issuer, claims) = (app.app.public.issuer(), said(set));
    let expected = json!({
        "iss": issuer, "jti": jti, "iat": now.as_seconds(), "toe": now.as_seconds(), "aud": "hub", "txn": jti.rsplit_once('.').unwrap().0,
        "sub_id": { "format": "complex", "session": { "format": "opaque", "id": sid },
            "user": { "format": "iss_sub", "iss": issuer, "sub": user } },
        "events": { format!("{CAEP}session-revoked"): { "event_timestamp": now.as_seconds(), "initiating_entity": "user",
            "reason_admin": { "en": "The session was ended" } } },
    });
    assert_eq!(claims, expected);
    // As a receiver has to, from what is published.
    let keys = IssuerKeys::parse(&app.app.keyring().jwks).unwrap();
    let read = read(set).unwrap();
    assert!(verify(&read, &keys, (issuer, "hub"), now).is_ok());
    assert!(verify(&read, &keys, (issuer, "other"), now).is_err());
    // SSF-4.1c: it is an access token to nobody.
    let verifier = Verifier::new(issuer, "hub", KeySet::from_jwks(&app.app.keyring().jwks).unwrap());
    assert!(verifier.verify(set, now).is_err());
}

/// Every way of ending access, and what else is told of accounts (CAEP 3.1, 3.3, 3.4; RISC 2.1 to 2.4).
#[tokio::test]
async fn what_happens_to_a_user_is_told_in_the_words_of_caep_and_risc() {
    let config = format!("{ON}[session]\nmax_per_user = 3\n[mail]\noutbox = true\n");
    let app = TestApp::with(&config).await;
    let account = json!({ "email": EMAIL, "password": PASSWORD });
    assert_eq!(ask(&app, "POST", "/api/admin/users", Some(account)).await.0, 201);
    let hub = Hub::new(&app).await;
    let stream = hub.stream(json!({})).await;
    let told = async || words(&hub.drain(&stream).await);
    let (mut browser, _) = sign_in_to(&app, "web").await;
    let (user, sid) = names(&mut browser).await;
    let administer = async |method: &str, path: &str, body: Value| {
        let (status, answer) = ask(&app, method, &format!("/api/admin/users/{user}{path}"), Some(body)).await;
        assert!(status == 204 || status == 200, "{path}: {answer}");
    };
    assert_eq!(told().await, Vec::<String>::new(), "a sign-in is no news");
    // Keycloak #51376: an end by RFC 7009 is told like any other.
    let refresh = browser.cookie("__Secure-cf_refresh").unwrap();
    assert_eq!(send(&app, "/oauth/revoke", "", &format!("client_id=web&token={refresh}")).await.status, 200);
    assert_eq!(told().await, ["session-revoked"]);
    let (mut one, mut two) = (sign_in_to(&app, "web").await.0, sign_in_to(&app, "web").await.0);
    let (sid_one, sid_two) = (names(&mut one).await.1, names(&mut two).await.1);
    assert!(BTreeSet::from([&sid, &sid_one, &sid_two]).len() == 3);
    // What ends in one millisecond is told of together.
    app.pass(1);
    // All but the one in which it is done.
    let new = json!({ "current_password": PASSWORD, "new_password": "staple battery horse correct" });
    assert_eq!(one.post_json("/api/auth/password/change", &new).await.status, 200);
    let sets = hub.drain(&stream).await;
    assert_eq!(words(&sets), ["credential-change", "session-revoked"]);
    let revoked = sets.iter().find(|set| event(set).0 == "session-revoked").unwrap();
    assert_eq!(revoked["sub_id"]["session"]["id"], sid_two.as_str());
    let changed = sets.iter().find(|set| event(set).0 == "credential-change").unwrap();
    let members = event(changed).1;
    assert_eq!((&members["credential_type"], &members["change_type"]), (&json!("password"), &json!("update")));
    assert_eq!(changed["sub_id"]["format"], "iss_sub");
    assert_eq!(changed["txn"], revoked["txn"], "SSF-4.1b: one cause");
    administer("PUT", "/roles", json!({ "roles": ["editor"] })).await;
    let roles = hub.drain(&stream).await;
    assert_eq!(event(&roles[0]).1["claims"], json!({ "roles": ["editor"] }));
    app.pass(1);
    administer("POST", "/ban", json!({ "reason": "she is my sister" })).await;
    let banned = hub.drain(&stream).await;
    assert_eq!(words(&banned), ["account-disabled", "session-revoked"]);
    assert!(!format!("{banned:?}").contains("sister"), "what was noted stays here");
    administer("POST", "/unban", json!({})).await;
    assert_eq!(told().await, ["account-enabled"]);
    app.pass(1);
    administer("POST", "/reset", json!({})).await;
    assert_eq!(told().await, ["credential-change", "credential-change"]);
    app.pass(1);
    administer("DELETE", "", Value::Null).await;
    let gone = hub.drain(&stream).await;
    assert_eq!(words(&gone), ["account-purged"]);
    assert!(gone[0]["events"].get(format!("{RISC}account-purged")).is_some());
}

#[tokio::test]
async fn a_stolen_token_and_a_surplus_session_are_told_too() {
    let config = format!("{ON}[session]\nmax_per_user = 1\n");
    let app = TestApp::with(&config).await;
    let hub = Hub::new(&app).await;
    let stream = hub.stream(json!({})).await;
    let (mut first, _) = sign_in_to(&app, "web").await;
    let sid = names(&mut first).await.1;
    app.pass(1);
    let (mut second, _) = sign_in_to(&app, "web").await;
    let surplus = hub.drain(&stream).await;
    assert_eq!(
        (words(&surplus), &surplus[0]["sub_id"]["session"]["id"]),
        (vec!["session-revoked".to_owned()], &json!(sid))
    );
    assert!(event(&surplus[0]).1["reason_admin"]["en"].as_str().unwrap().contains("newer session"));
    let mut thief = second.clone();
    second.refresh().await;
    app.pass(31);
    assert_eq!(thief.refresh().await.code(), "refresh_reuse");
    let stolen = hub.drain(&stream).await;
    assert_eq!(words(&stolen), ["session-revoked"]);
    assert_eq!(event(&stolen[0]).1["initiating_entity"], "policy");
}

#[tokio::test]
async fn poll_2_what_is_not_acknowledged_comes_again_and_what_is_never_does() {
    let app = TestApp::with(ON).await;
    let hub = Hub::new(&app).await;
    let stream = hub.stream(json!({})).await;
    for _ in 0..3 {
        sign_in_to(&app, "web").await.0.post("/api/auth/logout").await;
    }
    let (first, more) = hub.poll(&stream, json!({ "maxEvents": 2 })).await;
    assert_eq!((first.len(), more), (2, true));
    let (again, _) = hub.poll(&stream, json!({ "maxEvents": 2 })).await;
    assert_eq!(first, again, "the same, to the letter");
    // The second and not the first: it is remembered, however often the server looks.
    let second = again[1].0.clone();
    let (rest, more) = hub.poll(&stream, json!({ "ack": [second, "never heard of"] })).await;
    assert!(rest.len() == 2 && !more && rest.iter().all(|(jti, _)| *jti != second), "{rest:?}");
    let (rest_again, _) = hub.poll(&stream, json!({})).await;
    assert_eq!(rest, rest_again);
    // What was told may be told as of now, and says when it happened.
    app.pass(5);
    let (later, _) = hub.poll(&stream, json!({})).await;
    assert_eq!((&later[0].1["toe"], &later[0].1["jti"]), (&rest[0].1["toe"], &rest[0].1["jti"]));
    assert!(later[0].1["iat"].as_i64() > rest[0].1["iat"].as_i64());
    // Refused is done with as well; and acknowledging alone brings nothing.
    let errors = json!({ rest[0].0.clone(): { "err": "invalid_request", "description": "no\nidea" } });
    let (none, more) = hub.poll(&stream, json!({ "setErrs": errors, "ack": [rest[1].0], "maxEvents": 0 })).await;
    assert_eq!((none.len(), more), (0, false));
    assert!(hub.drain(&stream).await.is_empty());
    let kept = &app.app.store.streams().await.unwrap()[0];
    assert!(kept.acknowledged.is_empty(), "nothing is kept of what is done with");
    let many = json!({ "returnImmediately": true, "ack": vec!["x"; 1001] });
    let path = format!("/ssf/poll/{}", stream["stream_id"].as_str().unwrap());
    assert_eq!(hub.send("POST", &path, &many).await.outcome(), (400, "malformed".into()));
}

/// The examples of RFC 8936 section 2.2 and 2.4.
#[tokio::test]
async fn polls_are_read_as_the_standard_writes_them() {
    let app = TestApp::with(ON).await;
    let hub = Hub::new(&app).await;
    let stream = hub.stream(json!({})).await;
    let examples: Value =
        serde_json::from_str(include_str!("../../../../../vectors/set/rfc8417_8935_8936_examples.json")).unwrap();
    let examples = examples["poll_requests"].as_array().unwrap();
    assert!(examples.len() >= 4);
    for example in examples {
        // Nothing will happen: none of them is to wait for it.
        let mut example = example.clone();
        example["returnImmediately"] = true.into();
        let (sets, more) = hub.poll(&stream, example.clone()).await;
        assert_eq!((sets.len(), more), (0, false), "{example}");
    }
}

/// By their numbers and not by their names: the tenth comes after the ninth.
#[tokio::test]
async fn sets_stand_in_the_order_in_which_things_have_happened() {
    let app = TestApp::with(ON).await;
    let hub = Hub::new(&app).await;
    let stream = hub.stream(json!({})).await;
    let (mut browser, _) = sign_in_to(&app, "web").await;
    let user = names(&mut browser).await.0;
    for _ in 0..6 {
        ask(&app, "POST", &format!("/api/admin/users/{user}/ban"), Some(json!({ "reason": "" }))).await;
        ask(&app, "POST", &format!("/api/admin/users/{user}/unban"), Some(json!({}))).await;
    }
    let url = stream["delivery"]["endpoint_url"].as_str().unwrap();
    let path = url.strip_prefix(app.app.public.issuer()).unwrap();
    let text = hub.send("POST", path, &json!({ "returnImmediately": true })).await.text;
    let sets = text.split('"').filter(|part| part.matches('.').count() == 2 && part.starts_with("eyJ"));
    let words: Vec<String> = sets.map(|set| event(&said(set)).0).collect();
    let expected = ["account-disabled", "account-enabled"].repeat(6);
    assert_eq!(
        words.iter().filter(|word| *word != "session-revoked").collect::<Vec<_>>(),
        expected.iter().collect::<Vec<_>>()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_poll_waits_until_there_is_something() {
    let app = TestApp::with(ON).await;
    let hub = Hub::new(&app).await;
    let stream = hub.stream(json!({})).await;
    let (mut browser, _) = sign_in_to(&app, "web").await;
    let waits = hub.poll(&stream, json!({ "returnImmediately": false }));
    let (told, _) = tokio::join!(waits, browser.post("/api/auth/logout"));
    assert_eq!(told.0.len(), 1);
}

/// Or an administrator would look for a receiver that is down.
#[tokio::test]
async fn who_has_fetched_everything_is_not_behind_whatever_else_happens() {
    let app = TestApp::with(ON).await;
    let hub = Hub::new(&app).await;
    let stream = hub.stream(json!({})).await;
    let behind = async || ask(&app, "GET", "/api/admin/streams", None).await.1["streams"][0]["behind"].clone();
    let (browser, _) = sign_in_to(&app, "web").await;
    assert_eq!(behind().await, 3, "its own beginning, an account, a sign-in");
    hub.poll(&stream, json!({})).await;
    assert_eq!(behind().await, 0);
    browser.clone().post("/api/auth/logout").await;
    hub.poll(&stream, json!({})).await;
    assert_eq!(behind().await, 1, "fetched, and not acknowledged");
}

#[tokio::test]
async fn a_stream_begins_when_it_is_made_and_is_told_only_what_it_asked_for() {
    let app = TestApp::with(ON).await;
    let hub = Hub::new(&app).await;
    sign_in_to(&app, "web").await.0.post("/api/auth/logout").await;
    let purged = format!("{RISC}account-purged");
    let stream = hub.stream(json!({ "events_requested": [purged] })).await;
    let (mut browser, _) = sign_in_to(&app, "web").await;
    let user = names(&mut browser).await.0;
    assert_eq!(ask(&app, "DELETE", &format!("/api/admin/users/{user}"), None).await.0, 204);
    assert_eq!(words(&hub.drain(&stream).await), ["account-purged"]);
}

/// SSF section 8.1.3.
#[tokio::test]
async fn a_stream_is_about_whom_it_is_to_be_about() {
    for (default, of_all) in [("all", true), ("none", false)] {
        let app =
            TestApp::with(&ON.replace("enabled = true", &format!("enabled = true\ndefault_subjects = \"{default}\"")))
                .await;
        let hub = Hub::new(&app).await;
        let stream = hub.stream(json!({})).await;
        let id = &stream["stream_id"];
        let (mut browser, _) = sign_in_to(&app, "web").await;
        let user = names(&mut browser).await.0;
        let of = |user: &str| json!({ "format": "iss_sub", "iss": app.app.public.issuer(), "sub": user });
        let told = async |browser: &mut Browser| {
            browser.sign_in(EMAIL).await;
            browser.post("/api/auth/logout").await;
            !hub.drain(&stream).await.is_empty()
        };
        assert_eq!(told(&mut browser).await, of_all, "{default}");
        let complex = json!({ "format": "complex", "user": of(&user) });
        let added = hub.send("POST", "/ssf/subjects/add", &json!({ "stream_id": id, "subject": complex })).await;
        assert_eq!(added.status, 200, "{}", added.text);
        assert!(told(&mut browser).await, "{default}, added");
        let removed = json!({ "stream_id": id, "subject": of(&user) });
        assert_eq!(hub.send("POST", "/ssf/subjects/remove", &removed).await.status, 204);
        assert!(!told(&mut browser).await, "{default}, removed");
        // Exceptions are of people: there is an end to them.
        let nobody = json!({ "stream_id": id, "subject": of("AAAAAAAAAAAAAAAAAAAAAA") });
        let path = if of_all { "/ssf/subjects/remove" } else { "/ssf/subjects/add" };
        assert_eq!(hub.send("POST", path, &nobody).await.outcome(), (404, "not_found".into()));
    }
}

/// SSF-VER.
#[tokio::test]
async fn a_verification_comes_back_with_its_state_and_not_too_often() {
    let app = TestApp::with(ON).await;
    let hub = Hub::new(&app).await;
    let stream = hub.stream(json!({})).await;
    let ask_for = |state: &str| json!({ "stream_id": stream["stream_id"], "state": state });
    assert_eq!(hub.send("POST", "/ssf/verify", &ask_for("VGhpcyBpcyBh")).await.status, 204);
    let soon = hub.send("POST", "/ssf/verify", &ask_for("x")).await;
    assert_eq!(soon.outcome(), (429, "rate_limited".into()));
    assert_eq!(soon.headers["retry-after"], "30");
    let told = hub.drain(&stream).await;
    assert_eq!(words(&told), ["verification"]);
    assert_eq!(event(&told[0]).1, json!({ "state": "VGhpcyBpcyBh" }));
    assert_eq!(told[0]["sub_id"], json!({ "format": "opaque", "id": stream["stream_id"] }));
    app.pass(30);
    let hub = Hub { app: &app, token: Hub::of(&app, "other", "ssf.manage").await.token };
    assert_eq!(hub.send("POST", "/ssf/verify", &ask_for("x")).await.status, 404);
}

#[tokio::test]
async fn what_happens_while_a_stream_is_paused_is_told_later_and_while_it_is_disabled_never() {
    let app = TestApp::with(ON).await;
    let hub = Hub::new(&app).await;
    let stream = hub.stream(json!({})).await;
    let set = async |status: &str| {
        let body = json!({ "stream_id": stream["stream_id"], "status": status, "reason": "upkeep" });
        let answer = hub.send("POST", "/ssf/status", &body).await;
        assert_eq!(answer.json(), body, "{}", answer.text);
    };
    let sign_out = async || sign_in_to(&app, "web").await.0.post("/api/auth/logout").await;
    set("paused").await;
    sign_out().await;
    assert!(hub.drain(&stream).await.is_empty());
    set("enabled").await;
    assert_eq!(words(&hub.drain(&stream).await), ["session-revoked"]);
    set("disabled").await;
    sign_out().await;
    let verify = json!({ "stream_id": stream["stream_id"] });
    assert_eq!(hub.send("POST", "/ssf/verify", &verify).await.outcome(), (400, "malformed".into()));
    set("enabled").await;
    assert!(hub.drain(&stream).await.is_empty());
    sign_out().await;
    assert_eq!(words(&hub.drain(&stream).await), ["session-revoked"]);
}

/// After so long nobody knows any more which sessions they were: then it is all of the user's, to be on the safe side.
#[tokio::test]
async fn a_receiver_that_was_away_for_longer_than_sessions_are_kept_ends_all_of_them() {
    let app = TestApp::with(ON).await;
    let hub = Hub::new(&app).await;
    let stream = hub.stream(json!({})).await;
    let (mut browser, _) = sign_in_to(&app, "web").await;
    let (user, _) = names(&mut browser).await;
    browser.post("/api/auth/logout-all").await;
    app.pass(8 * 24 * 60 * 60);
    let hub = Hub::again(&app).await;
    let told = hub.drain(&stream).await;
    assert_eq!(words(&told), ["session-revoked"]);
    assert_eq!(told[0]["sub_id"], json!({ "format": "iss_sub", "iss": app.app.public.issuer(), "sub": user }));
}
