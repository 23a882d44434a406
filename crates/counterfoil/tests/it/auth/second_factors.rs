//! Authenticator apps, recovery codes, and what applications and roles ask for.

use crate::support::{Answer, Browser, EMAIL, PASSWORD, TestApp};
use counterfoil_core::Secret;
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use counterfoil_core::credential::totp;
use counterfoil_core::revocation::{Revocation, RevocationOrder};
use serde_json::{Value, json};
use std::time::Duration;

/// An authenticator app.
pub(super) struct Totp(Secret<[u8; 20]>);

impl Totp {
    fn of(offer: &Value) -> Self {
        let typed = offer["secret"].as_str().unwrap().replace(' ', "");
        let bytes = base32::decode(base32::Alphabet::Rfc4648 { padding: false }, &typed).unwrap();
        assert!(offer["uri"].as_str().unwrap().contains(&format!("secret={typed}")));
        assert!(offer["qr"].as_str().unwrap().starts_with("data:image/svg+xml;base64,"));
        Self(Secret::new(bytes.try_into().unwrap()))
    }

    pub(super) fn code(&self, app: &TestApp) -> String {
        totp::code(&self.0, app.app.clock.now())
    }
}

pub(super) async fn set_up(app: &TestApp, browser: &mut Browser, body: Value) -> (Totp, Answer) {
    let offer = browser.post_json("/api/auth/totp/enrol/start", &body).await;
    assert_eq!(offer.status, 200, "{}", offer.text);
    let totp = Totp::of(&offer.json());
    let mut code = body;
    code["code"] = totp.code(app).into();
    let answer = browser.post_json("/api/auth/totp/enrol/finish", &code).await;
    (totp, answer)
}

/// Somebody with an authenticator app, and their recovery codes; half a minute later.
async fn with_totp(app: &TestApp) -> (Browser, Totp, Vec<String>) {
    let mut browser = app.signed_in().await;
    let (totp, answer) = set_up(app, &mut browser, json!({})).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let codes: Vec<String> = serde_json::from_value(answer.json()["recovery_codes"].clone()).unwrap();
    app.clock.advance(Duration::from_secs(30));
    (browser, totp, codes)
}

async fn password(browser: &mut Browser) -> Answer {
    browser.post_json("/api/auth/login", &json!({ "email": EMAIL, "password": PASSWORD })).await
}

pub(super) async fn verify(browser: &mut Browser, code: &str) -> Answer {
    browser.post_json("/api/auth/totp/verify", &json!({ "code": code })).await
}

async fn recover(browser: &mut Browser, code: &str) -> Answer {
    browser.post_json("/api/auth/recovery-codes/verify", &json!({ "code": code })).await
}

fn wrong() -> (u16, String) {
    (401, "invalid_code".into())
}

#[tokio::test]
async fn whoever_has_an_authenticator_app_is_asked_for_its_code() {
    let app = TestApp::new().await;
    let (_, totp, codes) = with_totp(&app).await;
    assert_eq!(codes.len(), 10);
    let mut browser = app.browser();
    let first = password(&mut browser).await;
    assert_eq!(first.status, 200);
    assert_eq!(first.json(), json!({ "next": "totp", "options": ["totp", "recovery_code"] }));
    assert!(first.sets("__Host-cf_login") && !first.sets("__Host-cf_access"), "{:?}", first.set_cookies());
    assert_eq!(browser.me().await.outcome(), (401, "token_missing".into()), "half signed in is not signed in");
    let second = verify(&mut browser, &totp.code(&app)).await;
    assert_eq!(second.status, 200, "{}", second.text);
    assert_eq!(second.json()["session"]["acr"], "aal2");
    assert_eq!(second.json()["session"]["amr"], json!(["pwd", "otp", "mfa"]));
    assert_eq!(browser.me().await.status, 200);
}

#[tokio::test]
async fn asvs_6_5_1_a_code_counts_once_and_no_older_one_after_it() {
    let app = TestApp::new().await;
    let (_, totp, codes) = with_totp(&app).await;
    let older = totp.code(&app);
    app.clock.advance(Duration::from_secs(30));
    let newer = totp.code(&app);
    let mut browsers = [app.browser(), app.browser(), app.browser()];
    for browser in &mut browsers {
        assert_eq!(password(browser).await.json()["next"], "totp");
    }
    let [first, second, third] = &mut browsers;
    assert_eq!(verify(first, &newer).await.status, 200);
    assert_eq!(verify(second, &newer).await.outcome(), wrong(), "the same");
    assert_eq!(verify(second, &older).await.outcome(), wrong(), "one that was good a moment ago");
    assert_eq!(recover(third, &codes[0].to_uppercase().replace('-', " ")).await.status, 200);
    assert_eq!(recover(second, &codes[0]).await.outcome(), wrong(), "used");
    assert_eq!(recover(second, &codes[1]).await.status, 200);
    let left = third.get("/api/auth/factors").await.json();
    assert_eq!(left["recovery_codes"], 8);
    // A ticket opens one session.
    assert_eq!(recover(second, &codes[2]).await.outcome(), (401, "login_expired".into()));
}

#[tokio::test]
async fn a_clock_that_is_off_is_refused_and_named_when_the_app_is_set_up() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let offer = browser.post_json("/api/auth/totp/enrol/start", &json!({})).await.json();
    let totp = Totp::of(&offer);
    let slow = totp.code(&app);
    app.clock.advance(Duration::from_mins(1));
    let answer = browser.post_json("/api/auth/totp/enrol/finish", &json!({ "code": slow })).await;
    assert_eq!(answer.outcome(), (422, "clock_off".into()));
    assert!(answer.json()["detail"].as_str().unwrap().contains("slow by about 60 seconds"), "{}", answer.text);
    let answer = browser.post_json("/api/auth/totp/enrol/finish", &json!({ "code": "000000" })).await;
    assert_eq!(answer.outcome(), wrong());
    let answer = browser.post_json("/api/auth/totp/enrol/finish", &json!({ "code": totp.code(&app) })).await;
    assert_eq!(answer.status, 200, "nothing of it has spoilt the ceremony");
    let mut elsewhere = app.browser();
    password(&mut elsewhere).await;
    let now = totp.code(&app);
    app.clock.advance(Duration::from_secs(90));
    assert_eq!(verify(&mut elsewhere, &now).await.outcome(), wrong(), "a minute late");
}

#[tokio::test]
async fn asvs_6_6_3_codes_cannot_be_tried_without_end() {
    let app = TestApp::new().await;
    let (_, totp, _) = with_totp(&app).await;
    let mut browser = app.browser();
    password(&mut browser).await;
    for _ in 0..10 {
        assert_eq!(verify(&mut browser, "123456").await.outcome(), wrong());
    }
    let limited = verify(&mut browser, &totp.code(&app)).await;
    assert_eq!(limited.outcome(), (429, "rate_limited".into()));
    assert!(limited.headers.contains_key("retry-after"));
    let mut elsewhere = app.browser();
    elsewhere.peer = "198.51.100.9".parse().unwrap();
    password(&mut elsewhere).await;
    let other = verify(&mut elsewhere, &totp.code(&app)).await;
    assert_eq!(other.outcome(), (429, "rate_limited".into()), "from another network too");
    app.clock.advance(Duration::from_secs(31));
    assert_eq!(verify(&mut elsewhere, &totp.code(&app)).await.status, 200);
}

#[tokio::test]
async fn nist_3_2_2_after_a_hundred_wrong_codes_in_a_row_none_counts() {
    let app = TestApp::with("[limits]\nenabled = false\n").await;
    let (mut ada, totp, codes) = with_totp(&app).await;
    let mut browser = app.browser();
    password(&mut browser).await;
    for _ in 0..100 {
        assert_eq!(verify(&mut browser, "123456").await.outcome(), wrong());
    }
    assert_eq!(verify(&mut browser, &totp.code(&app)).await.outcome(), wrong());
    assert_eq!(recover(&mut browser, &codes[0]).await.status, 200, "the sheet of paper is for this");
    let id = ada.me().await.json()["user"]["id"].as_str().unwrap().to_owned();
    let unlocked = crate::control::ask(&app, "POST", &format!("/api/admin/users/{id}/unlock"), None).await;
    assert_eq!(unlocked.0, 204);
    password(&mut browser).await;
    assert_eq!(verify(&mut browser, &totp.code(&app)).await.status, 200);
}

#[tokio::test]
async fn a_ticket_says_nothing_and_cannot_be_forged() {
    let app = TestApp::new().await;
    let (_, totp, _) = with_totp(&app).await;
    let mut browser = app.browser();
    password(&mut browser).await;
    let ticket = browser.cookie("__Host-cf_login").unwrap();
    let sealed = counterfoil_guard::base64url_decode(ticket.strip_prefix("cfl_").unwrap()).unwrap();
    assert!(!sealed.windows(8).any(|window| window == b"password"));
    let mut bent = ticket.clone().into_bytes();
    bent[20] = if bent[20] == b'A' { b'B' } else { b'A' };
    let expired = (401, "login_expired".to_owned());
    for wrong in [String::from_utf8(bent).unwrap(), "cfl_".into(), "x".repeat(3900), ".".repeat(3000)] {
        let mut forger = app.browser();
        forger.set_cookie("__Host-cf_login", "/", &wrong);
        assert_eq!(verify(&mut forger, &totp.code(&app)).await.outcome(), expired);
    }
    app.clock.advance(Duration::from_mins(10));
    let mut late = browser.clone();
    late.set_cookie("__Host-cf_login", "/", &ticket);
    assert_eq!(verify(&mut late, &totp.code(&app)).await.outcome(), expired);
}

#[tokio::test]
async fn a_password_that_was_changed_meanwhile_ends_the_sign_in() {
    let app = TestApp::new().await;
    let (mut ada, totp, _) = with_totp(&app).await;
    let mut thief = app.browser();
    assert_eq!(password(&mut thief).await.json()["next"], "totp");
    let body = json!({ "current_password": PASSWORD, "new_password": "another few words in a row" });
    assert_eq!(ada.post_json("/api/auth/password/change", &body).await.status, 200);
    assert_eq!(verify(&mut thief, &totp.code(&app)).await.outcome(), (401, "invalid_credentials".into()));
}

#[tokio::test]
async fn an_application_that_asks_for_two_factors_has_them_set_up_on_the_way() {
    let app = TestApp::with("[applications.web]\nrequire = \"two-factor\"\n").await;
    let mut browser = app.browser();
    browser.register(EMAIL).await;
    let first = password(&mut browser).await;
    assert_eq!(first.json(), json!({ "next": "enrol", "options": ["passkey", "totp"] }));
    let as_member = browser.clone().post_json("/api/auth/totp/enrol/start", &json!({})).await;
    assert_eq!(as_member.outcome(), (401, "token_missing".into()), "not signed in yet");
    let (totp, answer) = set_up(&app, &mut browser, json!({ "sign_in": true })).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["session"]["acr"], "aal2");
    assert_eq!(answer.json()["recovery_codes"].as_array().unwrap().len(), 10);
    app.clock.advance(Duration::from_secs(30));
    // Who comes later with the password alone must show what is there, and cannot set up something of their own (ASVS-6.4.4).
    let mut thief = app.browser();
    assert_eq!(password(&mut thief).await.json()["next"], "totp");
    for path in ["/api/auth/totp/enrol/start", "/api/auth/passkeys/register/start"] {
        let own = thief.post_json(path, &json!({ "sign_in": true })).await;
        assert_eq!(own.outcome(), (401, "login_expired".into()), "{path}");
    }
    assert_eq!(verify(&mut thief, &totp.code(&app)).await.status, 200);
}

/// ATK-28: whoever knows the password has begun to set up factors of their own, and waits.
#[tokio::test]
async fn asvs_6_4_4_what_was_begun_is_finished_only_while_the_sign_in_still_stands() {
    let app = TestApp::with("[applications.web]\nrequire = \"two-factor\"\n").await;
    let mut ada = app.browser();
    ada.register(EMAIL).await;
    let start = json!({ "sign_in": true });
    let (mut first, mut second) = (app.browser(), app.browser());
    password(&mut first).await;
    let theirs = Totp::of(&first.post_json("/api/auth/totp/enrol/start", &start).await.json());
    password(&mut second).await;
    let options = second.post_json("/api/auth/passkeys/register/start", &start).await.json();
    let passkey = crate::support::authenticator::Passkey::make(&options);
    // The owner is quicker.
    password(&mut ada).await;
    let (own, answer) = set_up(&app, &mut ada, start.clone()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    app.clock.advance(Duration::from_secs(30));
    let code = json!({ "sign_in": true, "code": theirs.code(&app) });
    let refused = first.post_json("/api/auth/totp/enrol/finish", &code).await;
    assert_eq!(refused.outcome(), (401, "login_expired".into()));
    let body = json!({ "sign_in": true, "credential": passkey.attest(&options) });
    let refused = second.post_json("/api/auth/passkeys/register/finish", &body).await;
    assert_eq!(refused.outcome(), (401, "login_expired".into()));
    password(&mut first).await;
    assert_eq!(verify(&mut first, &own.code(&app)).await.status, 200, "the owner's is the one that counts");

    // Or has another password by now.
    let bob = json!({ "email": "bob@example.com", "password": PASSWORD });
    let mut thief = app.browser();
    thief.post_json("/api/auth/register", &bob).await;
    thief.post_json("/api/auth/login", &bob).await;
    let options = thief.post_json("/api/auth/passkeys/register/start", &start).await.json();
    let passkey = crate::support::authenticator::Passkey::make(&options);
    let id = app.app.store.credential("bob@example.com").await.unwrap().unwrap().user.id;
    let what = Revocation::Password { user: id, hash: "another".into(), keep: None };
    let at = app.app.clock.now();
    let (event, actor) = (Event::PasswordChanged, Actor::User(id));
    let audit =
        AuditEntry { at, event, actor, user: Some(id), sid: None, network: String::new(), detail: String::new() };
    app.app.store.revoke(RevocationOrder { what, at, audit }).await.unwrap();
    let body = json!({ "sign_in": true, "credential": passkey.attest(&options) });
    let refused = thief.post_json("/api/auth/passkeys/register/finish", &body).await;
    assert_eq!(refused.outcome(), (401, "invalid_credentials".into()));
    assert!(app.app.store.factors(id).await.unwrap().unwrap().passkeys.is_empty());
}

#[tokio::test]
async fn a_session_in_the_same_browser_does_not_set_up_somebody_elses_factor() {
    let app = TestApp::with("[roles.admin]\nrequire = \"two-factor\"\n").await;
    let mut browser = app.signed_in().await;
    let bob = json!({ "email": "bob@example.com", "password": PASSWORD });
    browser.post_json("/api/auth/register", &bob).await;
    let id = crate::control::ask(&app, "GET", "/api/admin/users?email=bob@example.com", None).await.1;
    let id = id["users"][0]["id"].as_str().unwrap().to_owned();
    let roles = json!({ "roles": ["admin"] });
    crate::control::ask(&app, "PUT", &format!("/api/admin/users/{id}/roles"), Some(roles)).await;
    let answer = browser.post_json("/api/auth/login", &bob).await;
    assert_eq!(answer.json()["next"], "enrol", "the role asks for it");
    let (_, answer) = set_up(&app, &mut browser, json!({ "sign_in": true })).await;
    assert_eq!(answer.json()["user"]["email"], "bob@example.com");
    let ada = app.app.store.credential(EMAIL).await.unwrap().unwrap().user;
    assert!(app.app.store.factors(ada.id).await.unwrap().unwrap().totp.is_none());
}

#[tokio::test]
async fn phishing_resistant_means_a_passkey() {
    let app = TestApp::with("[applications.web]\nrequire = \"phishing-resistant\"\n").await;
    let mut browser = app.browser();
    browser.register(EMAIL).await;
    assert_eq!(password(&mut browser).await.json(), json!({ "next": "enrol", "options": ["passkey"] }));
    let start = json!({ "sign_in": true });
    let options = browser.post_json("/api/auth/passkeys/register/start", &start).await.json();
    let passkey = crate::support::authenticator::Passkey::make(&options);
    let body = json!({ "sign_in": true, "credential": passkey.attest(&options) });
    let answer = browser.post_json("/api/auth/passkeys/register/finish", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let mut again = app.browser();
    assert_eq!(password(&mut again).await.json(), json!({ "next": "passkey", "options": ["passkey"] }));
    let options = again.post_json("/api/auth/passkeys/login/start", &json!({})).await.json();
    assert_eq!(options["publicKey"]["allowCredentials"].as_array().unwrap().len(), 1, "whose it must be is known now");
    let body = json!({ "credential": passkey.assert(&options) });
    let answer = again.post_json("/api/auth/passkeys/login/finish", &body).await;
    assert_eq!(answer.json()["session"]["amr"], json!(["pwd", "swk", "user", "mfa"]));
}

#[tokio::test]
async fn a_step_up_is_no_weaker_than_a_sign_in() {
    let app = TestApp::new().await;
    let (mut ada, totp, _) = with_totp(&app).await;
    app.clock.advance(Duration::from_secs(601));
    ada.refresh().await;
    assert_eq!(
        ada.get("/api/auth/factors").await.json()["step_up"],
        json!(["totp"]),
        "the password alone is not enough"
    );
    let by_password = ada.post_json("/api/auth/step-up/password", &json!({ "password": PASSWORD })).await;
    assert_eq!(by_password.outcome(), (401, "invalid_credentials".into()));
    let code = json!({ "code": totp.code(&app) });
    let answer = ada.post_json("/api/auth/step-up/totp", &code).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(answer.sets("__Secure-cf_refresh"), "ASVS-7.2.4: another handle");
    assert_eq!(ada.me().await.json()["session"]["acr"], "aal2");
    assert_eq!(ada.delete("/api/auth/totp").await.status, 204, "fresh again");
    assert_eq!(ada.post_json("/api/auth/step-up/totp", &code).await.outcome(), wrong());
    let answer = ada.post_json("/api/auth/step-up/password", &json!({ "password": PASSWORD })).await;
    assert_eq!(answer.status, 200, "now it is all there is");
}
