//! WA-*: passkeys, from the sign-up without a password to the removal of the last one.

use crate::support::authenticator::{Passkey, tampered};
use crate::support::{Answer, Browser, EMAIL, TestApp};
use http::Method;
use serde_json::{Value, json};
use std::time::Duration;

async fn begin(browser: &mut Browser, path: &str, body: Value) -> Value {
    let answer = browser.post_json(path, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

async fn finish(browser: &mut Browser, path: &str, credential: Value) -> Answer {
    browser.post_json(path, &json!({ "credential": credential })).await
}

const LOGIN: [&str; 2] = ["/api/auth/passkeys/login/start", "/api/auth/passkeys/login/finish"];
const REGISTER: [&str; 2] = ["/api/auth/passkeys/register/start", "/api/auth/passkeys/register/finish"];
const SIGN_UP: [&str; 2] = ["/api/auth/passkeys/sign-up/start", "/api/auth/passkeys/sign-up/finish"];
const STEP_UP: [&str; 2] = ["/api/auth/step-up/passkey/start", "/api/auth/step-up/passkey/finish"];

/// Somebody signed in by a password, with a passkey beside it.
async fn with_passkey(app: &TestApp) -> (Browser, Passkey) {
    let mut browser = app.signed_in().await;
    let passkey = add(&mut browser).await;
    (browser, passkey)
}

async fn add(browser: &mut Browser) -> Passkey {
    let options = begin(browser, REGISTER[0], json!({})).await;
    let passkey = Passkey::make(&options);
    let answer = finish(browser, REGISTER[1], passkey.attest(&options)).await;
    assert_eq!(answer.status, 204, "{}", answer.text);
    passkey
}

async fn sign_in(browser: &mut Browser, passkey: &Passkey) -> Answer {
    let options = begin(browser, LOGIN[0], json!({})).await;
    finish(browser, LOGIN[1], passkey.assert(&options)).await
}

async fn factors(browser: &mut Browser) -> Value {
    browser.get("/api/auth/factors").await.json()
}

#[tokio::test]
async fn an_account_begins_with_a_passkey_and_never_has_a_password() {
    let app = TestApp::new().await;
    let mut browser = app.browser();
    let options = begin(&mut browser, SIGN_UP[0], json!({ "email": EMAIL, "name": "Ada" })).await;
    let asked = &options["publicKey"]["authenticatorSelection"];
    assert_eq!(
        (asked["residentKey"].as_str(), asked["userVerification"].as_str()),
        (Some("required"), Some("required"))
    );
    assert_eq!(options["publicKey"]["attestation"], "none");
    let passkey = Passkey::make(&options);
    let answer = finish(&mut browser, SIGN_UP[1], passkey.attest(&options)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["session"]["acr"], "aal2");
    assert_eq!(answer.json()["session"]["amr"], json!(["swk", "user", "mfa"]));
    assert!(answer.set_cookies().iter().any(|cookie| cookie.starts_with("__Host-cf_login=;")), "done with it");
    assert_eq!(browser.me().await.status, 200);
    let known = factors(&mut browser).await;
    assert_eq!((&known["password"], known["passkeys"].as_array().unwrap().len()), (&json!(false), 1));
    let id = known["passkeys"][0]["id"].as_str().unwrap().to_owned();
    let last = browser.delete(&format!("/api/auth/passkeys/{id}")).await;
    assert_eq!(last.outcome(), (409, "last_credential".into()));
    // Nothing that is typed signs in: there is no password to guess.
    for password in ["", "imported$none", "correct horse battery staple"] {
        let attempt =
            app.browser().post_json("/api/auth/login", &json!({ "email": EMAIL, "password": password })).await;
        assert_eq!(attempt.outcome(), (401, "invalid_credentials".into()));
    }
    let mut elsewhere = app.browser();
    assert_eq!(sign_in(&mut elsewhere, &passkey).await.status, 200);
    let twice = finish(&mut browser, SIGN_UP[1], passkey.attest(&options)).await;
    assert_eq!(twice.outcome(), (401, "login_expired".into()), "the ceremony is over");
    let options = begin(&mut browser, SIGN_UP[0], json!({ "email": EMAIL })).await;
    let taken = finish(&mut browser, SIGN_UP[1], Passkey::make(&options).attest(&options)).await;
    assert_eq!(taken.outcome(), (409, "email_taken".into()));
}

#[tokio::test]
async fn wa_disc_a_sign_in_names_nobody_and_the_passkey_says_who_it_is() {
    let app = TestApp::new().await;
    let (_, mut passkey) = with_passkey(&app).await;
    let mut browser = app.browser();
    let options = begin(&mut browser, LOGIN[0], json!({})).await;
    assert_eq!(options["publicKey"]["userVerification"], "required");
    assert!(options["publicKey"]["allowCredentials"].as_array().is_none_or(Vec::is_empty), "WA-ENUM");
    let challenge = options["publicKey"]["challenge"].as_str().unwrap();
    assert!(counterfoil_guard::base64url_decode(challenge).unwrap().len() >= 16, "WA-CH");
    let answer = finish(&mut browser, LOGIN[1], passkey.assert(&options)).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(answer.json()["user"]["email"], EMAIL);
    assert!(factors(&mut browser).await["passkeys"][0]["last_used_at"].is_string());
    passkey.claim("AAAAAAAAAAAAAAAAAAAAAA");
    assert_eq!(sign_in(&mut app.browser(), &passkey).await.outcome(), (401, "passkey_unknown".into()), "another's");
    let options = begin(&mut browser, REGISTER[0], json!({})).await;
    let stranger = Passkey::make(&options);
    assert_eq!(sign_in(&mut app.browser(), &stranger).await.outcome(), (401, "passkey_unknown".into()));
}

#[tokio::test]
async fn wa_auth_every_part_of_an_answer_is_checked() {
    let app = TestApp::new().await;
    let (_, mut passkey) = with_passkey(&app).await;
    let mut browser = app.browser();
    let refused = (401, "passkey_invalid".to_owned());
    let options = begin(&mut browser, LOGIN[0], json!({})).await;
    let good = passkey.assert(&options);
    let flip = |member: &str, at: usize| tampered(good.clone(), member, |bytes| bytes[at] ^= 1);
    passkey.verified = false;
    let unverified = passkey.assert(&options);
    passkey.verified = true;
    passkey.origin = "https://app.example.com.evil.example".into();
    let foreign = passkey.assert(&options);
    passkey.origin = "http://app.example.com".into();
    let downgraded = passkey.assert(&options);
    passkey.origin = "https://app.example.com".into();
    passkey.rp_id = "example.com".into();
    let other_party = passkey.assert(&options);
    passkey.rp_id = "app.example.com".into();
    passkey.synced = false;
    let other_kind = passkey.assert(&options);
    passkey.synced = true;
    let created = tampered(good.clone(), "clientDataJSON", |bytes| {
        let text = String::from_utf8(bytes.clone()).unwrap().replace("webauthn.get", "webauthn.create");
        *bytes = text.into_bytes();
    });
    for (what, wrong) in [
        ("signature", flip("signature", 10)),
        ("authenticator data", flip("authenticatorData", 36)),
        ("no user verification (WA-UV)", unverified),
        ("another origin", foreign),
        ("the same host without TLS", downgraded),
        ("another relying party", other_party),
        ("backup eligibility that has changed (WA-BE)", other_kind),
        ("the wrong ceremony", created),
    ] {
        let mut attacker = browser.clone();
        assert_eq!(finish(&mut attacker, LOGIN[1], wrong).await.outcome(), refused, "{what}");
    }
    assert_eq!(finish(&mut browser, LOGIN[1], good).await.status, 200, "nothing of it has used the challenge up");
}

#[tokio::test]
async fn wa_ch_a_challenge_is_its_browsers_its_purposes_and_good_once() {
    let app = TestApp::new().await;
    let (mut ada, passkey) = with_passkey(&app).await;
    let expired = (401, "login_expired".to_owned());
    let mut browser = app.browser();
    let options = begin(&mut browser, LOGIN[0], json!({})).await;
    let answer = passkey.assert(&options);
    assert_eq!(finish(&mut app.browser(), LOGIN[1], answer.clone()).await.outcome(), expired, "another browser");
    let copy = browser.clone();
    assert_eq!(finish(&mut browser, LOGIN[1], answer.clone()).await.status, 200);
    assert_eq!(finish(&mut copy.clone(), LOGIN[1], answer.clone()).await.outcome(), expired, "a second time");
    // A challenge for one purpose is none for another.
    let step_up = begin(&mut ada, STEP_UP[0], json!({})).await;
    assert_eq!(finish(&mut ada.clone(), LOGIN[1], passkey.assert(&step_up)).await.outcome(), expired);
    let sign_in = begin(&mut ada, LOGIN[0], json!({})).await;
    let crossed = finish(&mut ada.clone(), STEP_UP[1], passkey.assert(&sign_in)).await;
    assert_eq!(crossed.outcome(), (401, "passkey_invalid".into()), "the challenge is not the step-up's");
    let mut late = app.browser();
    let options = begin(&mut late, LOGIN[0], json!({})).await;
    app.clock.advance(Duration::from_secs(601));
    assert_eq!(finish(&mut late, LOGIN[1], passkey.assert(&options)).await.outcome(), expired, "too late");
    assert_eq!(finish(&mut late, LOGIN[1], json!("x")).await.outcome(), (400, "malformed".into()));
}

#[tokio::test]
async fn two_tabs_finish_in_either_order() {
    let app = TestApp::new().await;
    let (_, passkey) = with_passkey(&app).await;
    let mut browser = app.browser();
    let first = begin(&mut browser, LOGIN[0], json!({})).await;
    let second = begin(&mut browser, LOGIN[0], json!({})).await;
    for options in [second, first] {
        let mut tab = browser.clone();
        assert_eq!(finish(&mut tab, LOGIN[1], passkey.assert(&options)).await.status, 200);
    }
    for _ in 0..20 {
        begin(&mut browser, LOGIN[0], json!({})).await;
    }
    assert!(browser.cookie("__Host-cf_login").unwrap().len() < 4000, "CK-5.7a");
}

#[tokio::test]
async fn wa_cnt_a_counter_that_goes_back_is_refused_and_written_down() {
    let app = TestApp::new().await;
    let (mut ada, mut passkey) = with_passkey(&app).await;
    passkey.counter = 5;
    assert_eq!(sign_in(&mut app.browser(), &passkey).await.status, 200);
    let mut stolen = Passkey::clone_of(&passkey);
    passkey.counter = 7;
    assert_eq!(sign_in(&mut app.browser(), &passkey).await.status, 200);
    stolen.counter = 6;
    assert_eq!(sign_in(&mut app.browser(), &stolen).await.outcome(), (401, "passkey_invalid".into()));
    let written = app.app.store.page(None, 5).await.unwrap();
    assert!(written.iter().any(|(_, entry)| entry.event.as_str() == "passkey_cloned"), "{written:?}");
    assert_eq!(ada.me().await.status, 200, "a signal, not a proof: nobody is signed out");
}

#[tokio::test]
async fn wa_clone_a_known_credential_is_not_registered_again_by_anybody() {
    let app = TestApp::new().await;
    let (_, passkey) = with_passkey(&app).await;
    let mut bob = app.browser();
    bob.register("bob@example.com").await;
    bob.sign_in("bob@example.com").await;
    let options = begin(&mut bob, REGISTER[0], json!({})).await;
    let answer = finish(&mut bob, REGISTER[1], passkey.attest(&options)).await;
    assert_eq!(answer.outcome(), (409, "passkey_taken".into()));
}

#[tokio::test]
async fn asvs_7_5_1_ways_of_signing_in_change_only_after_a_fresh_proof() {
    let app = TestApp::new().await;
    let (mut ada, passkey) = with_passkey(&app).await;
    app.clock.advance(Duration::from_secs(601));
    ada.refresh().await;
    let stale = (401, "reauthentication_required".to_owned());
    let known = factors(&mut ada).await;
    assert_eq!((&known["fresh"], &known["step_up"]), (&json!(false), &json!(["passkey", "password"])));
    let id = known["passkeys"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(ada.post_json(REGISTER[0], &json!({})).await.outcome(), stale);
    assert_eq!(ada.delete(&format!("/api/auth/passkeys/{id}")).await.outcome(), stale);
    assert_eq!(ada.post_json("/api/auth/totp/enrol/start", &json!({})).await.outcome(), stale);
    assert_eq!(ada.post("/api/auth/recovery-codes").await.outcome(), stale);
    let before = ada.clone();
    let options = begin(&mut ada, STEP_UP[0], json!({})).await;
    assert_eq!(options["publicKey"]["allowCredentials"][0]["id"], id, "theirs, and no others");
    let stepped = finish(&mut ada, STEP_UP[1], passkey.assert(&options)).await;
    assert_eq!(stepped.status, 200, "{}", stepped.text);
    assert_eq!(before.clone().refresh().await.outcome(), (409, "refresh_superseded".into()), "ASVS-7.2.4");
    let me = ada.me().await.json();
    assert_eq!((&me["session"]["acr"], &me["session"]["amr"]), (&json!("aal2"), &json!(["pwd", "swk", "user", "mfa"])));
    assert_eq!(ada.delete(&format!("/api/auth/passkeys/{id}")).await.status, 204);
    assert_eq!(sign_in(&mut app.browser(), &passkey).await.outcome(), (401, "passkey_unknown".into()), "WA-SIG");
}

#[tokio::test]
async fn names_of_passkeys_are_shown_safely_or_refused() {
    let app = TestApp::new().await;
    let (mut ada, _) = with_passkey(&app).await;
    let known = factors(&mut ada).await;
    assert_eq!(known["passkeys"][0]["name"], "Firefox on Linux", "from the device, if nobody says otherwise");
    let path = format!("/api/auth/passkeys/{}", known["passkeys"][0]["id"].as_str().unwrap());
    let mut rename = async |name: &str| {
        let mut request = ada.json_request(&path, &json!({ "name": name }));
        *request.method_mut() = Method::PATCH;
        ada.send(request).await.outcome()
    };
    assert_eq!(rename("<img src=x onerror=alert(1)>").await.0, 204, "text, and shown as such");
    assert_eq!(rename("مفتاح المكتب 🔑").await.0, 204);
    for wrong in ["", "\u{202e}gpj.exe", "a\nb", &"x".repeat(300)] {
        assert_eq!(rename(wrong).await, (400, "malformed".into()), "{wrong:?}");
    }
    let elsewhere = ada.json_request("/api/auth/passkeys/AAAA", &json!({ "name": "x" }));
    let mut elsewhere = elsewhere;
    *elsewhere.method_mut() = Method::PATCH;
    assert_eq!(ada.send(elsewhere).await.status, 404);
}

#[tokio::test]
async fn c1_a_ceremony_is_finished_from_our_own_pages_only() {
    let app = TestApp::new().await;
    let (_, passkey) = with_passkey(&app).await;
    let mut browser = app.browser();
    let options = begin(&mut browser, LOGIN[0], json!({})).await;
    for header in ["x-requested-with", "sec-fetch-site"] {
        let body = json!({ "credential": passkey.assert(&options) });
        let mut request = browser.json_request(LOGIN[1], &body);
        match header {
            "sec-fetch-site" => {
                request.headers_mut().insert(header, "cross-site".parse().unwrap());
                request.headers_mut().insert("origin", "https://evil.example".parse().unwrap());
            }
            _ => drop(request.headers_mut().remove(header)),
        }
        assert_eq!(browser.send_without_keeping(request).await.outcome(), (403, "cross_site".into()), "{header}");
    }
}

#[tokio::test]
async fn a_native_client_keeps_its_ticket_in_memory() {
    let app = TestApp::with("[applications.cli]\nprofile = \"native\"\n").await;
    let (_, passkey) = with_passkey(&app).await;
    let mut client = app.browser();
    let begun = client.post_json(LOGIN[0], &json!({ "client_id": "cli" })).await;
    assert!(begun.set_cookies().is_empty());
    let options = begun.json();
    let token = options["login_token"].as_str().unwrap();
    let body = json!({ "credential": passkey.assert(&options), "login_token": token });
    let answer = client.post_json(LOGIN[1], &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(answer.json()["refresh_token"].is_string() && answer.set_cookies().is_empty());
}

#[tokio::test]
async fn a_banned_accounts_passkey_opens_nothing() {
    let app = TestApp::new().await;
    let (ada, passkey) = with_passkey(&app).await;
    let id = ada.clone().me().await.json()["user"]["id"].as_str().unwrap().to_owned();
    let reason = json!({ "reason": "x" });
    let banned = crate::control::ask(&app, "POST", &format!("/api/admin/users/{id}/ban"), Some(reason)).await;
    assert_eq!(banned.0, 204, "{banned:?}");
    assert_eq!(sign_in(&mut app.browser(), &passkey).await.outcome(), (401, "passkey_invalid".into()));
}

#[tokio::test]
async fn wrong_answers_are_counted_before_anything_is_looked_up_or_written() {
    let app = TestApp::with("[limits.login_per_network]\nburst = 3\ninterval = \"1m\"\n").await;
    let (_, mut passkey) = with_passkey(&app).await;
    let mut browser = app.browser();
    let options = begin(&mut browser, LOGIN[0], json!({})).await;
    let good = passkey.assert(&options);
    passkey.verified = false;
    for _ in 0..3 {
        let wrong = finish(&mut browser, LOGIN[1], passkey.assert(&options)).await;
        assert_eq!(wrong.outcome(), (401, "passkey_invalid".into()));
    }
    let written = app.app.store.newest().await.unwrap();
    assert_eq!(finish(&mut browser, LOGIN[1], good.clone()).await.outcome(), (429, "rate_limited".into()));
    assert_eq!(app.app.store.newest().await.unwrap(), written);
    app.clock.advance(Duration::from_mins(1));
    assert_eq!(finish(&mut browser, LOGIN[1], good).await.status, 200);
}

#[tokio::test]
async fn a_sign_in_that_somebody_has_left_is_not_gone_on_with_by_the_next_person() {
    let app = TestApp::with("[roles.admin]\nrequire = \"two-factor\"\n").await;
    let (_, passkey) = with_passkey(&app).await;
    let mut shared = app.browser();
    shared.register("bob@example.com").await;
    let id = crate::control::ask(&app, "GET", "/api/admin/users?email=bob@example.com", None).await.1;
    let path = format!("/api/admin/users/{}/roles", id["users"][0]["id"].as_str().unwrap());
    crate::control::ask(&app, "PUT", &path, Some(json!({ "roles": ["admin"] }))).await;
    assert_eq!(shared.sign_in("bob@example.com").await.json()["next"], "enrol");
    let options = begin(&mut shared, LOGIN[0], json!({ "client_id": "web" })).await;
    let answer = finish(&mut shared, LOGIN[1], passkey.assert(&options)).await;
    assert_eq!(answer.json()["user"]["email"], EMAIL, "{}", answer.text);
}

/// The browser's unfinished ceremonies, put into another.
fn carry(from: &Browser, to: &mut Browser) {
    to.set_cookie("__Host-cf_login", "/", &from.cookie("__Host-cf_login").unwrap());
}

#[tokio::test]
async fn what_was_begun_in_a_session_is_finished_in_it_and_while_its_proof_is_fresh() {
    let app = TestApp::with("[session]\nfresh = \"1m\"\n").await;
    let (mut ada, passkey) = with_passkey(&app).await;
    let mut bob = app.browser();
    bob.register("bob@example.com").await;
    bob.sign_in("bob@example.com").await;
    let expired = (401, "login_expired".to_owned());
    let options = begin(&mut ada, REGISTER[0], json!({})).await;
    let answer = Passkey::make(&options).attest(&options);
    carry(&ada, &mut bob);
    assert_eq!(finish(&mut bob, REGISTER[1], answer.clone()).await.outcome(), expired, "another account's session");
    let mut elsewhere = app.browser();
    elsewhere.sign_in(EMAIL).await;
    carry(&ada, &mut elsewhere);
    assert_eq!(finish(&mut elsewhere, REGISTER[1], answer.clone()).await.outcome(), expired, "another session");
    let step_up = begin(&mut ada, STEP_UP[0], json!({})).await;
    carry(&ada, &mut elsewhere);
    assert_eq!(finish(&mut elsewhere, STEP_UP[1], passkey.assert(&step_up)).await.outcome(), expired);
    app.clock.advance(Duration::from_secs(61));
    let stale = (401, "reauthentication_required".to_owned());
    assert_eq!(finish(&mut ada, REGISTER[1], answer).await.outcome(), stale, "the proof has become too old on the way");
    assert_eq!(factors(&mut ada).await["passkeys"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn another_accounts_passkey_proves_nothing_in_a_step_up() {
    let app = TestApp::new().await;
    let (mut ada, _) = with_passkey(&app).await;
    let mut bob = app.browser();
    bob.register("bob@example.com").await;
    bob.sign_in("bob@example.com").await;
    let other = add(&mut bob).await;
    let options = begin(&mut ada, STEP_UP[0], json!({})).await;
    let answer = finish(&mut ada, STEP_UP[1], other.assert(&options)).await;
    assert_eq!(answer.outcome(), (401, "passkey_invalid".into()));
    assert_eq!(ada.me().await.json()["session"]["acr"], "aal1");
}

#[tokio::test]
async fn a_password_beside_a_passkey_changes_after_a_fresh_proof_and_a_first_one_needs_no_old_one() {
    let app = TestApp::new().await;
    let (mut ada, passkey) = with_passkey(&app).await;
    app.clock.advance(Duration::from_secs(601));
    ada.refresh().await;
    let change = "/api/auth/password/change";
    let body = json!({ "current_password": crate::support::PASSWORD, "new_password": "another few words in a row" });
    assert_eq!(ada.post_json(change, &body).await.outcome(), (401, "reauthentication_required".into()));
    let options = begin(&mut ada, STEP_UP[0], json!({})).await;
    assert_eq!(finish(&mut ada, STEP_UP[1], passkey.assert(&options)).await.status, 200);
    let without = json!({ "new_password": "another few words in a row" });
    assert_eq!(ada.post_json(change, &without).await.outcome(), (401, "invalid_credentials".into()), "there is one");
    assert_eq!(ada.post_json(change, &body).await.status, 200);
    let mut bob = app.browser();
    let options = begin(&mut bob, SIGN_UP[0], json!({ "email": "bob@example.com" })).await;
    let own = Passkey::make(&options);
    finish(&mut bob, SIGN_UP[1], own.attest(&options)).await;
    assert_eq!(bob.post_json(change, &without).await.status, 200);
    let attempt = json!({ "email": "bob@example.com", "password": "another few words in a row" });
    assert_eq!(app.browser().post_json("/api/auth/login", &attempt).await.status, 200);
}
