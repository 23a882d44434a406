//! Signing in by mail: links, and codes after a password. The mail is read in the outbox.

use super::mail::{by_mail, confirm, login, mails, member, outcome, register, shape, token};
use crate::support::authenticator::Passkey;
use crate::support::{Answer, Browser, EMAIL, PASSWORD, TestApp};
use serde_json::json;

const SIGN_IN: &str = "[mail]\noutbox = true\nsign_in = true";

#[tokio::test]
async fn a_link_signs_in_the_browser_that_has_asked_for_it_and_no_other() {
    let app = TestApp::with(SIGN_IN).await;
    member(&app).await;
    let (mut asking, mut other) = (app.browser(), app.browser());
    let (known, unknown) = (by_mail(&mut asking, EMAIL).await, by_mail(&mut app.browser(), "nobody@example.com").await);
    assert_eq!((known.status.as_u16(), known.json()), (200, json!({ "next": "mail" })));
    assert_eq!(shape(&known), shape(&unknown), "P1");
    let token = token(&app, "sign-in", 2).await;
    let body = json!({ "token": token });
    by_mail(&mut other, "eve@example.com").await;
    let look = json!({ "purpose": "sign-in", "token": token });
    assert_eq!(other.post_json("/api/auth/mail/look", &look).await.json(), json!({ "email": EMAIL, "here": false }));
    let elsewhere = other.post_json("/api/auth/mail-link/finish", &body).await;
    assert_eq!(elsewhere.outcome(), outcome(403, "link_other_browser"));
    let mut foreign = asking.json_request("/api/auth/mail-link/finish", &body);
    foreign.headers_mut().remove("x-requested-with");
    assert_eq!(asking.send(foreign).await.outcome(), outcome(403, "cross_site"), "C1: it rests on a cookie");
    let answer = asking.post_json("/api/auth/mail-link/finish", &body).await;
    assert_eq!(answer.json()["session"]["acr"], "aal1", "{}", answer.text);
    assert_eq!(answer.json()["session"]["amr"], json!(["mail"]));
    assert_eq!(asking.me().await.status, 200);
    assert_eq!(asking.post_json("/api/auth/mail-link/finish", &body).await.outcome(), outcome(410, "link_invalid"));
    // Ten minutes, and a ban, are stronger than the link.
    by_mail(&mut asking, EMAIL).await;
    let late = json!({ "token": self::token(&app, "sign-in", 3).await });
    app.pass(600);
    assert_eq!(asking.post_json("/api/auth/mail-link/finish", &late).await.outcome(), outcome(410, "link_invalid"));
}

#[tokio::test]
async fn where_there_is_a_passkey_a_link_is_only_the_first_step() {
    let app = TestApp::with(SIGN_IN).await;
    let mut browser = member(&app).await;
    let options = browser.post_json("/api/auth/passkeys/register/start", &json!({})).await.json();
    let credential = json!({ "credential": Passkey::make(&options).attest(&options) });
    assert_eq!(browser.post_json("/api/auth/passkeys/register/finish", &credential).await.status, 204);
    let mut other = app.browser();
    by_mail(&mut other, EMAIL).await;
    let answer =
        other.post_json("/api/auth/mail-link/finish", &json!({ "token": token(&app, "sign-in", 2).await })).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["next"]), (200, &json!("passkey")));
    assert_eq!(other.me().await.status, 401);
}

#[tokio::test]
async fn a_native_client_keeps_what_binds_the_link_in_memory() {
    let app = TestApp::with("[mail]\noutbox = true\nsign_in = true\n[applications.phone]\nprofile = 'native'").await;
    member(&app).await;
    let mut phone = app.browser();
    let wish = json!({ "email": EMAIL, "client_id": "phone" });
    let asked = phone.post_json("/api/auth/mail-link/start", &wish).await;
    assert!(asked.set_cookies().is_empty());
    let held = asked.json()["login_token"].clone();
    let token = token(&app, "sign-in", 2).await;
    let without = phone.post_json("/api/auth/mail-link/finish", &json!({ "token": token })).await;
    assert_eq!(without.outcome(), outcome(403, "link_other_browser"));
    let answer = phone.post_json("/api/auth/mail-link/finish", &json!({ "token": token, "login_token": held })).await;
    assert!(answer.json()["access_token"].is_string(), "{}", answer.text);
}

const CODE: &str = "[mail]\noutbox = true\n[applications.web]\nrequire = 'two-factor'\nmail_code = true";

/// The code in the newest of so many mails.
async fn code(app: &TestApp, count: usize) -> String {
    let mail = mails(app, count).await.remove(0);
    assert_eq!(mail.subject, "Your code for Counterfoil");
    mail.plain
        .expose()
        .lines()
        .find(|line| line.len() == 8 && line.bytes().all(|b| b.is_ascii_digit()))
        .unwrap()
        .to_owned()
}

async fn verify(browser: &mut Browser, code: &str) -> Answer {
    browser.post_json("/api/auth/mail-code/verify", &json!({ "code": code })).await
}

async fn asked_for_a_code(app: &TestApp) -> Browser {
    let mut browser = app.browser();
    let answer = login(&mut browser, EMAIL, PASSWORD).await;
    assert_eq!(
        (&answer.json()["next"], &answer.json()["options"]),
        (&json!("mail"), &json!(["mail"])),
        "{}",
        answer.text
    );
    assert_eq!(browser.post_json("/api/auth/mail-code/send", &json!({})).await.json(), json!({ "next": "mail" }));
    browser
}

#[tokio::test]
async fn asvs_6_6_2_a_code_by_mail_counts_once_and_only_for_its_sign_in() {
    let app = TestApp::with(CODE).await;
    let mut browser = app.browser();
    assert_eq!(
        browser.post_json("/api/auth/mail-code/send", &json!({})).await.outcome(),
        outcome(401, "login_expired")
    );
    register(&mut browser).await;
    assert_eq!(confirm(&mut browser, &token(&app, "confirm", 1).await, None).await.status, 201);
    let mut first = asked_for_a_code(&app).await;
    let of_first = code(&app, 2).await;
    let mut second = asked_for_a_code(&app).await;
    let of_second = code(&app, 3).await;
    let wrong = outcome(401, "invalid_code");
    assert_eq!(verify(&mut second, &of_first).await.outcome(), wrong, "another sign-in's");
    for typed in ["", "1234567", "not a code"] {
        assert_eq!(verify(&mut second, typed).await.outcome(), wrong, "{typed}");
    }
    let answer = verify(&mut second, &format!("{} {}", &of_second[..4], &of_second[4..])).await;
    assert_eq!(
        answer.json()["session"]["acr"],
        "aal1",
        "it could replace the password, and is worth no more: {}",
        answer.text
    );
    assert_eq!(answer.json()["session"]["amr"], json!(["pwd", "mail"]));
    // One that is sent again takes nothing from the one before; ten minutes do.
    assert_eq!(first.post_json("/api/auth/mail-code/send", &json!({})).await.status, 200);
    code(&app, 4).await;
    let mut copy = first.clone();
    assert_eq!(verify(&mut first, &of_first).await.status, 200);
    assert_eq!(verify(&mut copy, &of_first).await.outcome(), outcome(401, "login_expired"), "ATK-28");
    let mut late = asked_for_a_code(&app).await;
    let of_late = code(&app, 5).await;
    app.pass(600);
    assert_eq!(verify(&mut late, &of_late).await.outcome(), outcome(401, "login_expired"));
}

#[tokio::test]
async fn tries_at_a_code_are_counted_and_whoever_has_better_is_sent_none() {
    let few = format!("{CODE}\n[limits]\nlogin_per_account = {{ burst = 2, interval = '1m' }}");
    let app = TestApp::with(&few).await;
    let mut browser = app.browser();
    register(&mut browser).await;
    confirm(&mut browser, &token(&app, "confirm", 1).await, None).await;
    let mut browser = asked_for_a_code(&app).await;
    let right = code(&app, 2).await;
    for _ in 0..2 {
        assert_eq!(verify(&mut browser, "00000000").await.status, 401);
    }
    assert_eq!(verify(&mut browser, &right).await.outcome(), outcome(429, "rate_limited"), "ATK-25");
    app.pass(60);
    assert_eq!(verify(&mut browser, &right).await.status, 200);
    let options = browser.post_json("/api/auth/passkeys/register/start", &json!({})).await.json();
    let credential = json!({ "credential": Passkey::make(&options).attest(&options) });
    assert_eq!(browser.post_json("/api/auth/passkeys/register/finish", &credential).await.status, 204);
    let mut other = app.browser();
    assert_eq!(login(&mut other, EMAIL, PASSWORD).await.json()["options"], json!(["passkey"]));
    assert_eq!(other.post_json("/api/auth/mail-code/send", &json!({})).await.outcome(), outcome(401, "login_expired"));
}
