//! S6: what is logged, served or stored holds no secret. Every test looks for that at its end (`support::written`); here is the proof
//! that it would find one, and one test that goes through everything of which something is written.

use crate::control::ask;
use crate::dpop::{Prover, asking, get};
use crate::import::{BCRYPT, BCRYPT_PASSWORD};
use crate::oauth::{audit, credential, introspect, send, sign_in_to};
use crate::support::secrets::{Secrets, known};
use crate::support::written::{self, Place, Search};
use crate::support::{EMAIL, PASSWORD, TestApp};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::Method;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// 62 bytes: version, handle, generation, nonce, MAC.
fn refresh_token() -> (String, Vec<u8>) {
    let bytes: Vec<u8> = (100..162).collect();
    (format!("cfr_{}", counterfoil_guard::base64url_encode(&bytes)), bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// What the search makes of a line of a log and of a file of a store.
fn found(secrets: &Secrets, text: &[u8]) -> (Option<String>, Option<String>) {
    let search = Search::new(secrets);
    (search.find(Place::Printed, text), search.find(Place::Stored, text))
}

#[test]
fn s6_control_what_is_written_of_a_secret_is_found_in_every_form_and_not_repeated() {
    let mut secrets = Secrets::default();
    let password = "a \"quoted\" pass-phrase";
    let (token, bytes) = refresh_token();
    let signature: Vec<u8> = (0..64).map(|n| n * 3).collect();
    let access =
        format!("eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJBQUFBQUFBIn0.{}", counterfoil_guard::base64url_encode(&signature));
    let credential = "cfg_AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
    secrets.read_body(
        &json!({ "email": EMAIL, "password": password, "nested": [{ "access_token": access }] }).to_string(),
    );
    secrets.read_header("Set-Cookie", &format!("__Secure-cf_refresh={token}; Path=/api/auth/refresh; HttpOnly"));
    secrets.read_header("authorization", &format!("Bearer {credential}"));
    secrets.read_body("grant_type=client_credentials&client_secret=a+secret%2Fof+a+service");
    let (mac, handle) = (&bytes[30..], &bytes[2..18]);
    let leaks: Vec<(&str, Vec<u8>)> = vec![
        ("a line", format!("{{\"message\":\"signing in\",\"password\":{}}}", json!(password)).into_bytes()),
        ("as it is", password.as_bytes().to_vec()),
        ("in hex", hex(password.as_bytes()).into_bytes()),
        ("in base64", STANDARD.encode(password).into_bytes()),
        ("in a query", b"GET /?p=a+%22quoted%22+pass-phrase".to_vec()),
        ("a token", token.clone().into_bytes()),
        ("a token that has been cut off", token.as_bytes()[..40].to_vec()),
        ("the bytes of a MAC in a page", [b"SQLite format 3\0", mac, b"\0\0"].concat()),
        ("a MAC in hex", hex(mac).to_uppercase().into_bytes()),
        ("a MAC as Rust shows it", format!("{mac:?}").into_bytes()),
        ("a signature alone", signature.clone()),
        ("an access token", access.clone().into_bytes()),
        ("a guard's credential", credential.as_bytes()[4..].to_vec()),
        ("a service's secret", b"a secret/of a service".to_vec()),
    ];
    for (what, text) in leaks {
        let (printed, stored) = found(&secrets, &text);
        let (printed, stored) = (printed.expect(what), stored.expect(what));
        for secret in [password, &token, &access, &credential[4..], "pass-phrase", "of a service"] {
            assert!(!printed.contains(secret) && !stored.contains(secret), "{what}: {printed}");
        }
        assert!(printed.contains("‹secret›"), "{printed}");
    }
    for text in [handle.to_vec(), hex(handle).into_bytes(), format!("{handle:?}").into_bytes()] {
        let (printed, stored) = found(&secrets, &text);
        assert!(printed.is_some() && stored.is_none(), "a handle is stored, and never logged: {printed:?} {stored:?}");
    }
    let harmless = format!("{EMAIL} signed in, sid=AAAAAAAAAAAAAAAAAAAAAA generation=1 cookie=__Secure-cf_refresh");
    assert_eq!(found(&secrets, harmless.as_bytes()), (None, None));
}

#[tokio::test]
#[should_panic(expected = "a secret is written in the log: MAC of cookie __Secure-cf_refresh in base64")]
async fn s6_control_a_test_fails_when_the_product_logs_a_token() {
    let app = TestApp::new().await;
    let browser = app.signed_in().await;
    let token = counterfoil_guard::base64url_decode(&browser.cookie("__Secure-cf_refresh").unwrap()[4..]).unwrap();
    let mac = counterfoil_guard::base64url_encode(&token[30..]);
    tracing::debug!(mac, "a line that should not be");
}

#[tokio::test]
#[should_panic(expected = "a secret is written in /")]
async fn s6_control_a_test_fails_when_a_file_of_the_data_folder_holds_a_password() {
    let app = TestApp::new().await;
    app.signed_in().await;
    std::fs::write(app.folder().join("counterfoil.db-copy"), [b"\0\0", PASSWORD.as_bytes()].concat()).unwrap();
}

#[tokio::test]
#[should_panic(expected = "a secret is written in an answer: password as it is")]
async fn s6_control_a_test_fails_when_a_refusal_repeats_what_was_sent() {
    let app = TestApp::new().await;
    app.signed_in().await;
    written::answered("/api/auth/login", 400, std::iter::empty(), &format!("`{PASSWORD}` is too long"));
}

const CONFIG: &str = "trusted_proxies = [\"203.0.113.7/32\"]\n[limits]\nenabled = false\n\
    [applications.phone]\nprofile = \"native\"\n[resources.billing]\n\
    [clients.reports]\nexchanges = [\"web\"]\n[clients.reports.resources]\nbilling = []\n";
const NEW: &str = "another phrase of five words";
const WRONG: &str = "not the password of anybody";

/// Somebody registers by invitation, signs in, refreshes, is robbed, changes the password and mistypes it.
async fn people(app: &TestApp) {
    let (_, invited) = ask(app, "POST", "/api/admin/invites", Some(json!({}))).await;
    let invite = invited["link"].as_str().unwrap().split_once("invite=").unwrap().1.split('&').next().unwrap();
    let mut browser = app.browser();
    let account = json!({ "email": EMAIL, "password": PASSWORD, "invite": invite });
    assert_eq!(browser.post_json("/api/auth/register", &account).await.status, 201);
    browser.sign_in(EMAIL).await;
    let mut thief = browser.clone();
    assert_eq!(browser.refresh().await.status, 200);
    app.pass(31);
    assert_eq!(thief.refresh().await.code(), "refresh_reuse");
    browser.sign_in(EMAIL).await;
    let change = json!({ "current_password": PASSWORD, "new_password": NEW });
    assert_eq!(browser.post_json("/api/auth/password/change", &change).await.status, 200);
    let wrong = json!({ "email": EMAIL, "password": WRONG });
    assert_eq!(browser.post_json("/api/auth/login", &wrong).await.status, 401);
    // A password typed as the address.
    let swapped = json!({ "email": NEW, "password": EMAIL });
    assert!(browser.post_json("/api/auth/login", &swapped).await.status.is_client_error());
    let back = json!({ "current_password": NEW, "new_password": PASSWORD });
    assert_eq!(browser.post_json("/api/auth/password/change", &back).await.status, 200);
    assert_eq!(browser.post("/api/auth/logout").await.status, 204);
}

/// Guards and services get credentials and tokens, have them looked into and are refused.
async fn programs(app: &TestApp) {
    let (browser, _) = sign_in_to(app, "web").await;
    let guard = credential(app, "api").await;
    let (_, made) = ask(app, "POST", "/api/admin/api-keys", Some(json!({ "name": "deploy", "role": "auditor" }))).await;
    let key = made["api_key"].as_str().unwrap().to_owned();
    for (key, status) in [(&key[..], 200), (&format!("{key}A"), 401)] {
        let mut request = app.browser().request(Method::GET, "/api/admin/users");
        request.headers_mut().insert("authorization", format!("Bearer {key}").parse().unwrap());
        assert_eq!(app.browser().send(request).await.status, status);
    }
    let (_, made) = ask(app, "POST", "/api/admin/clients", Some(json!({ "name": "reports" }))).await;
    let basic = |secret: &str| format!("Basic {}", STANDARD.encode(format!("reports:{secret}")));
    let own = basic(made["client_secret"].as_str().unwrap());
    let grant = "grant_type=client_credentials";
    let granted = send(app, "/oauth/token", &own, grant).await.json();
    let token = granted["access_token"].as_str().unwrap();
    assert_eq!(introspect(app, &guard, token).await["active"], true);
    assert_eq!(send(app, "/oauth/token", &basic(&format!("cfc_{WRONG}")), grant).await.status, 401);
    let exchange = "grant_type=urn:ietf:params:oauth:grant-type:token-exchange\
        &subject_token_type=urn:ietf:params:oauth:token-type:access_token&audience=billing&subject_token=";
    let subject = browser.cookie("__Host-cf_access").unwrap();
    assert_eq!(send(app, "/oauth/token", &own, &format!("{exchange}{subject}")).await.status, 200);
    assert_eq!(send(app, "/oauth/token", &own, &format!("{exchange}{subject}x")).await.status, 400);
    assert_eq!(send(app, "/oauth/revoke", &format!("Bearer {guard}"), &format!("token={subject}")).await.status, 200);
}

/// A phone signs in with a key, and somebody else comes with its token.
async fn phones(app: &TestApp) {
    let (mut own, mut thief) = (Prover::new(1), Prover::new(2));
    // Their clock goes with the application's.
    own.now += 31;
    thief.now += 31;
    let body = crate::dpop::signed_in(app, &mut own).await;
    let token = body["access_token"].as_str().unwrap();
    let proof = asking(app, &mut thief, "/api/auth/me", token).await;
    let answer = get(app, "/api/auth/me", &format!("DPoP {token}"), &[&proof]).await;
    assert_eq!(answer.code(), "invalid_dpop_proof");
    let elsewhere = own.proof_for("GET", "https://app.example.com/api/auth/sessions", Some(token));
    let answer = get(app, "/api/auth/me", &format!("DPoP {token}"), &[&elsewhere]).await;
    assert_eq!(answer.code(), "invalid_dpop_proof");
}

/// What cannot be read, and what is too long.
async fn strangers(app: &TestApp) {
    let mut browser = app.browser();
    let mut request = browser.json_request("/api/auth/login", &Value::Null);
    *request.body_mut() = format!("{{\"email\":\"{EMAIL}\",\"password\":\"{WRONG}").into();
    assert_eq!(browser.send(request).await.status, 400);
    let long = json!({ "email": EMAIL, "password": WRONG.repeat(100_000) });
    assert!(browser.post_json("/api/auth/login", &long).await.status.is_client_error());
    let (token, _) = refresh_token();
    browser.set_cookie("__Secure-cf_refresh", "/api/auth/refresh", &token);
    assert_eq!(browser.refresh().await.status, 401);
    for credential in [format!("Bearer {token}"), format!("Bearer eyJhbGciOiJub25lIn0.e30.{}", &token[4..]), token] {
        let mut request = browser.request(Method::GET, &format!("/api/auth/me?access_token={}", &credential[7..]));
        request.headers_mut().insert("authorization", credential.parse().unwrap());
        assert!(browser.send(request).await.status.is_client_error());
    }
}

#[tokio::test]
async fn s6_the_main_flows_leave_traces_and_no_secret() {
    let app = TestApp::with(CONFIG).await;
    people(&app).await;
    programs(&app).await;
    phones(&app).await;
    strangers(&app).await;
    let accounts = json!({ "accounts": [{ "email": "old@example.com", "password_hash": BCRYPT }] });
    assert_eq!(ask(&app, "POST", "/api/admin/users/import", Some(accounts)).await.0, 200);
    let old = json!({ "email": "old@example.com", "password": BCRYPT_PASSWORD });
    assert_eq!(app.browser().post_json("/api/auth/login", &old).await.status, 200);

    // It has been looked for something, in something.
    assert!(known().len() > 50, "{} secrets", known().len());
    let entries = audit(&app).await;
    for event in [
        "invited",
        "registered",
        "signed_in",
        "refresh_reuse",
        "password_changed",
        "sign_in_failed",
        "session_ended",
        "guard_added",
        "client_added",
        "token_revoked",
        "accounts_imported",
        "password_rehashed",
    ] {
        assert!(entries.iter().any(|entry| entry["event"] == event), "{event} has left no entry");
    }
    let log = written::log();
    for said in [
        "a spent refresh token was used again",
        "a service came with a wrong secret",
        "a token that cannot be exchanged",
        "a proof of possession is refused",
    ] {
        let line = log.lines().find(|line| line.contains(said)).unwrap_or_else(|| panic!("`{said}` is not in {log}"));
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(line["timestamp"].is_string() && line["level"].is_string() && line["fields"].is_object(), "{line}");
    }
}
