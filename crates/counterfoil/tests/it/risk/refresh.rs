//! At a refresh from elsewhere: a proof is asked for, nothing is spent, nobody is signed out.

use super::{
    BERLIN, BERLIN_TOO, CHROME, PARIS, STEP_UP, SYDNEY, World, add_passkey, by_passkey, carried, denied, elsewhere,
    password, reauthenticate, told,
};
use crate::control::ask;
use crate::dpop::Prover;
use crate::support::{Browser, EMAIL, PASSWORD, TestApp};
use axum::body::Body;
use http::Request;
use serde_json::{Value, json};

const BY_PASSWORD: &str = "/api/auth/step-up/password";

#[tokio::test]
async fn a_near_network_and_the_desktop_site_ask_for_nothing() {
    let app = World::with("").app().await;
    let mut ada = app.signed_in().await;
    for (peer, agent) in [
        (BERLIN_TOO, None),
        ("2001:db8:7::1", None),
        (BERLIN, Some("Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0")),
    ] {
        app.pass(300);
        ada = carried(&ada, peer, agent);
        assert_eq!(ada.refresh().await.status, 200, "{peer}");
    }
    assert_eq!(told(&app).await, Vec::<String>::new());
}

#[tokio::test]
async fn another_browser_is_asked_for_a_proof_and_the_honest_one_notices_nothing() {
    let app = TestApp::new().await;
    let mut ada = app.signed_in().await;
    let mut thief = carried(&ada, BERLIN, Some(CHROME));
    app.pass(301);
    for _ in 0..5 {
        let refused = thief.refresh().await;
        assert_eq!(refused.outcome(), reauthenticate());
        assert_eq!(refused.json()["options"], json!(["password"]));
        assert!(!refused.sets("__Secure-cf_refresh") && !refused.sets("__Host-cf_access"));
        assert!(!refused.text.contains("login_token"), "a browser keeps it where no script sees it");
        let cleared = refused.set_cookies().iter().any(|cookie| cookie.contains("Max-Age=0"));
        assert!(!cleared, "{:?}", refused.set_cookies());
    }
    let expected = "at=refresh action=step_up rule=user-agent score=60 signals=new_device:20,user_agent_changed:40 application=web";
    assert_eq!(told(&app).await, [expected], "once, however often it is tried");
    assert_eq!(thief.me().await.code(), "token_missing");
    let answer = ada.refresh().await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(answer.sets("__Secure-cf_refresh"), "what the other has tried has spent nothing");
    assert_eq!(ada.me().await.status, 200);
}

#[tokio::test]
async fn the_session_goes_on_where_it_has_been_proved_and_nowhere_else() {
    let app = TestApp::new().await;
    let mut ada = app.signed_in().await;
    let sid = ada.me().await.json()["session"]["id"].clone();
    let left_behind = ada.clone();
    app.pass(301);
    ada = carried(&ada, BERLIN, Some(CHROME));
    assert_eq!(ada.refresh().await.outcome(), reauthenticate());
    let ticket = ada.cookie("__Host-cf_login").unwrap();
    let wrong = ada.post_json(BY_PASSWORD, &json!({ "password": "not the password" })).await;
    assert_eq!(wrong.outcome(), (401, "invalid_credentials".into()));
    let proved = ada.post_json(BY_PASSWORD, &json!({ "password": PASSWORD })).await;
    assert_eq!(proved.status, 200, "{}", proved.text);
    assert!(proved.sets("__Secure-cf_refresh") && proved.sets("__Host-cf_access"));
    let me = ada.me().await.json();
    assert_eq!(me["session"]["id"], sid, "the same session");
    assert_eq!(me["session"]["device"], "Chrome on Windows");
    let mut again = elsewhere(&app, BERLIN, Some(CHROME));
    again.set_cookie("__Host-cf_login", "/", &ticket);
    let again = again.post_json(BY_PASSWORD, &json!({ "password": PASSWORD })).await;
    assert_eq!(again.outcome(), (401, "login_expired".into()), "a ticket is over with its proof");
    for _ in 0..2 {
        app.pass(301);
        let answer = ada.refresh().await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    assert_eq!(told(&app).await.len(), 1, "the proof is no news");
    let mut left_behind = left_behind;
    assert_eq!(left_behind.refresh().await.code(), "refresh_invalid", "its handle is another's now (ASVS-7.2.4)");
}

#[tokio::test]
async fn c1_a_ticket_is_good_for_a_proof_from_our_own_pages_and_for_nothing_else() {
    let app = TestApp::new().await;
    let ada = app.signed_in().await;
    app.pass(301);
    let mut thief = carried(&ada, BERLIN, Some(CHROME));
    assert_eq!(thief.refresh().await.outcome(), reauthenticate());
    assert_eq!(thief.me().await.code(), "token_missing");
    assert_eq!(thief.get("/api/auth/factors").await.code(), "token_missing");
    assert_eq!(thief.get("/api/auth/sessions").await.code(), "token_missing");
    let begun = thief.post_json("/api/auth/totp/enrol/start", &json!({})).await;
    assert_ne!(begun.status, 200, "{}", begun.text);
    let code = thief.post_json("/api/auth/totp/verify", &json!({ "code": "123456" })).await;
    assert_eq!(code.outcome(), (401, "login_expired".into()));
    let mut foreign = thief.json_request(BY_PASSWORD, &json!({ "password": PASSWORD }));
    foreign.headers_mut().remove("x-requested-with");
    assert_eq!(thief.send(foreign).await.outcome(), (403, "cross_site".into()));
    app.pass(601);
    let late = thief.post_json(BY_PASSWORD, &json!({ "password": PASSWORD })).await;
    assert_eq!(late.code(), "token_missing", "it lives ten minutes");
}

#[tokio::test]
async fn s1_a_ticket_of_a_session_that_has_ended_brings_nothing_back() {
    let app = TestApp::new().await;
    let ada = app.signed_in().await;
    let mut thief = carried(&ada, BERLIN, Some(CHROME));
    assert_eq!(thief.refresh().await.outcome(), reauthenticate());
    thief.jar.retain(|cookie| cookie.name != "__Host-cf_access");
    let mut ada = ada;
    assert_eq!(ada.post("/api/auth/logout").await.status, 204);
    let answer = thief.post_json(BY_PASSWORD, &json!({ "password": PASSWORD })).await;
    assert_eq!(answer.outcome(), (401, "login_expired".into()));
}

#[tokio::test]
async fn whoever_has_more_than_a_password_shows_that() {
    let app = TestApp::new().await;
    let mut ada = app.signed_in().await;
    let passkey = add_passkey(&mut ada).await;
    app.pass(301);
    ada = carried(&ada, BERLIN, Some(CHROME));
    let refused = ada.refresh().await;
    assert_eq!(refused.json()["options"], json!(["passkey"]));
    assert_eq!(refused.json()["acr_values"], "aal2");
    assert_eq!(ada.post_json(BY_PASSWORD, &json!({ "password": PASSWORD })).await.outcome(), {
        (401, "reauthentication_required".into())
    });
    let proved = by_passkey(&mut ada, &passkey, STEP_UP).await;
    assert_eq!(proved.status, 200, "{}", proved.text);
    assert_eq!(ada.refresh().await.status, 200);
}

#[tokio::test]
async fn a_new_country_is_told_and_goes_on_and_is_known_from_then_on() {
    let app = World::with("").app().await;
    let mut ada = app.signed_in().await;
    for (peer, expected) in [(PARIS, 1), (PARIS, 1), (BERLIN, 1), (PARIS, 1)] {
        app.pass(12 * 3600);
        ada = carried(&ada, peer, None);
        let answer = ada.refresh().await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert!(answer.sets("__Secure-cf_refresh"));
        assert_eq!(told(&app).await.len(), expected, "{peer}");
    }
    assert!(told(&app).await[0].starts_with("at=refresh action=notify rule=new score=35 "), "{:?}", told(&app).await);
}

#[tokio::test]
async fn somebody_who_cannot_have_travelled_so_fast_is_asked_for_a_proof() {
    let app = World::with("").app().await;
    let ada = app.signed_in().await;
    app.pass(1800);
    let mut thief = carried(&ada, SYDNEY, None);
    assert_eq!(thief.refresh().await.outcome(), reauthenticate());
    let told = told(&app).await;
    assert!(told[0].starts_with("at=refresh action=step_up rule=travel "), "{told:?}");
    let mut ada = ada;
    assert_eq!(ada.refresh().await.status, 200);
}

#[tokio::test]
async fn a_bad_network_is_asked_at_a_refresh_and_refused_at_its_proof_and_the_session_lives() {
    let world = World::with_bad("192.0.2.0/24", "");
    let app = world.app().await;
    let mut ada = app.signed_in().await;
    app.pass(12 * 3600);
    let mut away = carried(&ada, PARIS, None);
    assert_eq!(away.refresh().await.outcome(), reauthenticate());
    assert_eq!(away.post_json(BY_PASSWORD, &json!({ "password": PASSWORD })).await.outcome(), denied());
    let told = told(&app).await;
    assert!(told[0].starts_with("at=refresh action=step_up rule=bad-network:deny "), "{told:?}");
    assert!(told[1].starts_with("at=step_up action=deny rule=bad-network "), "{told:?}");
    assert_eq!(ada.refresh().await.status, 200);
}

#[tokio::test]
async fn reuse_is_reuse_wherever_it_comes_from() {
    let app = World::with("").app().await;
    let mut ada = app.signed_in().await;
    let mut thief = carried(&ada, SYDNEY, Some(CHROME));
    ada.refresh().await;
    app.pass(31);
    assert_eq!(thief.refresh().await.code(), "refresh_reuse", "S4 does not wait for anybody's proof");
    assert_eq!(ada.refresh().await.code(), "refresh_invalid");
}

#[tokio::test]
async fn a_native_client_gets_its_ticket_in_the_body() {
    let app = TestApp::with("[applications.cli]\nprofile = \"native\"\n").await;
    app.signed_in().await;
    let mut client = app.browser();
    let login = json!({ "email": EMAIL, "password": PASSWORD, "client_id": "cli" });
    let token = client.post_json("/api/auth/login", &login).await.json()["refresh_token"].clone();
    client.user_agent = CHROME;
    let refused = client.post_json("/api/auth/refresh", &json!({ "refresh_token": token })).await;
    assert_eq!(refused.outcome(), reauthenticate());
    assert!(refused.set_cookies().is_empty());
    let ticket = refused.json()["login_token"].clone();
    let nonsense = client.post_json(BY_PASSWORD, &json!({ "password": PASSWORD, "login_token": "cfl_AAAA" })).await;
    assert_eq!(nonsense.outcome(), (401, "login_expired".into()));
    let proved = client.post_json(BY_PASSWORD, &json!({ "password": PASSWORD, "login_token": ticket })).await;
    assert_eq!(proved.status, 200, "{}", proved.text);
    let next = client.post_json("/api/auth/refresh", &json!({ "refresh_token": proved.json()["refresh_token"] })).await;
    assert_eq!(next.status, 200, "{}", next.text);
}

#[tokio::test]
async fn a_native_client_proves_it_by_its_passkey_too() {
    let app = TestApp::with("[applications.cli]\nprofile = \"native\"\n").await;
    let mut ada = app.signed_in().await;
    let passkey = add_passkey(&mut ada).await;
    let mut client = app.browser();
    let login = json!({ "email": EMAIL, "password": PASSWORD, "client_id": "cli" });
    let token = client.post_json("/api/auth/login", &login).await.json()["refresh_token"].clone();
    client.user_agent = CHROME;
    let refused = client.post_json("/api/auth/refresh", &json!({ "refresh_token": token })).await;
    assert_eq!(refused.json()["options"], json!(["passkey"]));
    let ticket = json!({ "login_token": refused.json()["login_token"] });
    let options = client.post_json("/api/auth/step-up/passkey/start", &ticket).await.json();
    let answer = json!({ "credential": passkey.assert(&options), "login_token": options["login_token"] });
    let proved = client.post_json("/api/auth/step-up/passkey/finish", &answer).await;
    assert_eq!(proved.status, 200, "{}", proved.text);
    assert!(proved.json()["refresh_token"].is_string());
    let again = client.post_json("/api/auth/step-up/passkey/finish", &answer).await;
    assert_eq!(again.outcome(), (401, "login_expired".into()));
}

#[tokio::test]
async fn a_bound_session_needs_its_key_for_the_proof_too() {
    let rule = "[dpop]\nnonce = false\n[applications.cli]\nprofile = \"native\"\n\
                [risk.rules.new]\naction = \"step_up\"\nwhen = { any = [\"new_device\"] }\n";
    let app = TestApp::with(rule).await;
    app.signed_in().await;
    let (mut client, mut owner, mut other) = (app.browser(), Prover::new(1), Prover::new(2));
    let login = json!({ "email": EMAIL, "password": PASSWORD, "client_id": "cli" });
    let signed_in = client.send(proved(&client, &mut owner, "/api/auth/login", &login)).await;
    let token = json!({ "refresh_token": signed_in.json()["refresh_token"] });
    client.user_agent = CHROME;
    let refused = client.send(proved(&client, &mut owner, "/api/auth/refresh", &token)).await;
    assert_eq!(refused.outcome(), reauthenticate());
    let (_, seen) = ask(&app, "GET", "/api/admin/risk", None).await;
    let signals = seen["decisions"][0]["signals"].as_array().unwrap();
    assert!(signals.iter().all(|one| one["signal"] != "user_agent_changed"), "the key says that it is the same device");
    let body = json!({ "password": PASSWORD, "login_token": refused.json()["login_token"] });
    assert_eq!(client.post_json(BY_PASSWORD, &body).await.outcome(), (401, "proof_required".into()));
    let foreign = client.send(proved(&client, &mut other, BY_PASSWORD, &body)).await;
    assert_eq!(foreign.outcome(), (401, "proof_required".into()));
    let own = client.send(proved(&client, &mut owner, BY_PASSWORD, &body)).await;
    assert_eq!(own.status, 200, "{}", own.text);
}

/// With this key's proof.
fn proved(client: &Browser, prover: &mut Prover, path: &str, body: &Value) -> Request<Body> {
    let mut request = client.json_request(path, body);
    let proof = prover.proof_for("POST", &format!("https://app.example.com{path}"), None);
    request.headers_mut().insert("dpop", proof.parse().unwrap());
    request
}

#[tokio::test]
async fn a_rule_for_everything_turns_no_session_away() {
    let rule = "[risk.rules.all]\naction = \"deny\"\nwhen = { any = [\"new_network\", \"new_device\"] }\n";
    let app = TestApp::with(rule).await;
    let mut ada = app.signed_in().await;
    app.pass(301);
    ada = carried(&ada, SYDNEY, None);
    assert_eq!(ada.refresh().await.outcome(), reauthenticate());
    let (_, seen) = ask(&app, "GET", "/api/admin/risk", None).await;
    assert_eq!(seen["decisions"][0]["rule"], json!({ "name": "all", "action": "deny" }));
    assert_eq!(seen["decisions"][0]["action"], "step_up");
    assert_eq!(password(&mut elsewhere(&app, BERLIN, None)).await.status, 200);
    ada = carried(&ada, BERLIN, None);
    assert_eq!(ada.refresh().await.status, 200, "back where it was");
}
