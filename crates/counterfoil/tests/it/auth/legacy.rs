//! `POST /api/auth/legacy`: tokens of the system that was there before.

use crate::auth::second_factors::{set_up, verify};
use crate::control::ask;
use crate::import::{BCRYPT, BCRYPT_PASSWORD};
use crate::kinds;
use crate::support::authenticator::Passkey;
use crate::support::{Answer, Browser, EMAIL, TestApp};
use aws_lc_rs::hmac;
use counterfoil::clock::Clock as _;
use counterfoil_guard::{base64url_encode, encode_signing_input};
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use tempfile::TempDir;

const SECRET: &str = "the secret that the old system has signed with";
const DAY: i64 = 86_400;

/// A server that takes tokens of an old system until `until`, with an imported account.
struct Moving {
    app: TestApp,
    _secret: TempDir,
}

impl Moving {
    async fn new(more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let app = TestApp::with(&configuration(&secret_file(&folder), more)).await;
        let accounts = json!({ "accounts": [{ "email": EMAIL, "external_id": "42" }] });
        assert_eq!(ask(&app, "POST", "/api/admin/users/import", Some(accounts)).await.1["imported"], 1);
        Self { app, _secret: folder }
    }

    fn now(&self) -> i64 {
        self.app.clock.now().as_seconds()
    }

    fn token(&self) -> String {
        signed(&json!({ "sub": 42, "iat": self.now() - DAY, "exp": self.now() + 6 * DAY }))
    }

    async fn exchange(&self, browser: &mut Browser, token: &str) -> Answer {
        browser.post_json("/api/auth/legacy", &json!({ "token": token })).await
    }

    /// What a browser without cookies gets for it.
    async fn outcome(&self, token: &str) -> (u16, String) {
        self.exchange(&mut self.app.browser(), token).await.outcome()
    }
}

fn secret_file(folder: &TempDir) -> PathBuf {
    let path = folder.path().join("secret");
    fs::write(&path, format!("{SECRET}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

fn configuration(secret: &std::path::Path, more: &str) -> String {
    let more =
        if more.contains("until") { more.to_owned() } else { format!("until = \"2027-03-01T00:00:00Z\"\n{more}") };
    format!(
        "[applications.phone]\nprofile = \"native\"\n[legacy.old-api]\nsecret_file = \"{}\"\n{more}",
        secret.display()
    )
}

fn signed(claims: &Value) -> String {
    let header = json!({ "alg": "HS256", "typ": "JWT" }).to_string();
    let input = encode_signing_input(&header, claims.to_string().as_bytes());
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), input.as_bytes());
    format!("{input}.{}", base64url_encode(tag.as_ref()))
}

const OK: (u16, &str) = (200, "");
const INVALID: (u16, &str) = (401, "legacy_token_invalid");
const USED: (u16, &str) = (409, "legacy_token_used");

fn is(outcome: &(u16, String), expected: (u16, &str)) -> bool {
    outcome.0 == expected.0 && (expected.0 == 200 || outcome.1 == expected.1)
}

#[tokio::test]
async fn a_legacy_token_becomes_a_session_like_any_other_of_the_lowest_level() {
    let moving = Moving::new("").await;
    let mut browser = moving.app.browser();
    let answer = moving.exchange(&mut browser, &moving.token()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let body = answer.json();
    assert_eq!(body["user"]["email"], EMAIL);
    assert_eq!((&body["session"]["acr"], &body["session"]["amr"]), (&json!("aal1"), &json!(["legacy"])));
    assert!(answer.sets("__Host-cf_access") && answer.sets("__Secure-cf_refresh"));
    assert_eq!((&body["access_token"], browser.me().await.status.as_u16()), (&Value::Null, 200));
    assert_eq!(browser.refresh().await.status, 200);
    // It says when the user has proved themselves, and that was not now.
    let access = browser.cookie("__Host-cf_access").unwrap();
    let claims = counterfoil_guard::base64url_decode(access.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    assert_eq!(claims["auth_time"], moving.now() - DAY);
    // So nothing that asks for a fresh proof is done.
    let asked = browser.post_json("/api/auth/passkeys/register/start", &json!({})).await;
    assert_eq!(asked.outcome(), (401, "reauthentication_required".into()));

    let phone = json!({ "token": signed(&json!({ "sub": "42", "iat": moving.now() })), "client_id": "phone" });
    let tokens = moving.app.browser().post_json("/api/auth/legacy", &phone).await.json();
    assert!(tokens["refresh_token"].as_str().unwrap().starts_with("cfr_"), "native clients get theirs in the body");
}

#[tokio::test]
async fn atk28_a_token_counts_once_and_for_the_length_of_the_grace_again() {
    let moving = Moving::new("").await;
    let token = moving.token();
    // Two tabs, and an answer that was lost.
    for _ in 0..3 {
        assert!(is(&moving.outcome(&token).await, OK));
    }
    moving.app.pass(29);
    assert!(is(&moving.outcome(&token).await, OK));
    // Counted from the first time.
    moving.app.pass(1);
    for _ in 0..2 {
        assert!(is(&moving.outcome(&token).await, USED));
        moving.app.pass(10);
    }
    let (_, audit) = ask(&moving.app, "GET", "/api/admin/audit?event=sign_in_failed", None).await;
    assert_eq!(audit["entries"][0]["detail"], "a token of old-api that has been exchanged before");
    assert!(audit["entries"][0]["user"].is_string(), "{audit}");
    // Another of the same user is another.
    assert!(is(&moving.outcome(&signed(&json!({ "sub": 42, "iat": moving.now() }))).await, OK));
}

#[tokio::test]
async fn p1_who_cannot_sign_in_gets_the_answer_of_a_bad_token() {
    let moving = Moving::new("").await;
    let good = moving.token();
    let (input, _) = good.rsplit_once('.').unwrap();
    let iat = moving.now();
    let other = |claims: Value| signed(&claims);
    for token in [
        format!("{input}.{}", base64url_encode(&[0; 32])),
        "not a token".into(),
        String::new(),
        other(json!({ "sub": "nobody", "iat": iat })),
        other(json!({ "sub": EMAIL, "iat": iat })),
        other(json!({ "sub": 42, "iat": iat - 40 * DAY })),
        other(json!({ "sub": 42, "iat": iat, "exp": iat })),
        other(json!({ "sub": 42 })),
        "x".repeat(9000),
    ] {
        let answer = moving.outcome(&token).await;
        assert!(is(&answer, INVALID), "{answer:?} {token}");
    }
    let user =
        moving.exchange(&mut moving.app.browser(), &good).await.json()["user"]["id"].as_str().unwrap().to_owned();
    let ban = Some(json!({ "reason": "spam" }));
    assert_eq!(ask(&moving.app, "POST", &format!("/api/admin/users/{user}/ban"), ban).await.0, 204);
    let another = signed(&json!({ "sub": 42, "iat": moving.now() + 5 }));
    assert!(is(&moving.outcome(&another).await, INVALID));
}

#[tokio::test]
async fn s1_what_has_ended_all_sessions_has_ended_older_tokens_too() {
    let moving = Moving::new("").await;
    let [first, second] = [5, 6].map(|ago| signed(&json!({ "sub": 42, "iat": moving.now() - ago * DAY })));
    let mut browser = moving.app.browser();
    moving.exchange(&mut browser, &first).await;
    assert_eq!(browser.post("/api/auth/logout-all").await.status, 204);
    assert!(is(&moving.outcome(&second).await, INVALID), "a token that a thief has kept");
    assert!(is(&moving.outcome(&first).await, INVALID), "in the grace as well");
    // Its clock may be ahead of ours.
    let ahead = signed(&json!({ "sub": 42, "iat": moving.now() + 20 }));
    assert!(is(&moving.outcome(&ahead).await, INVALID));
    moving.app.pass(31);
    let later = signed(&json!({ "sub": 42, "iat": moving.now() }));
    assert!(is(&moving.outcome(&later).await, OK), "the old system may go on for a while");
}

/// An account that must show a second factor and has none, imported with a password.
async fn editor(require: &str) -> Moving {
    let strict = Moving::new(&format!("[roles.editor]\nrequire = \"{require}\"\n")).await;
    let account =
        json!({ "email": "ed@example.com", "external_id": "9", "roles": ["editor"], "password_hash": BCRYPT });
    let accounts = json!({ "accounts": [account] });
    assert_eq!(ask(&strict.app, "POST", "/api/admin/users/import", Some(accounts)).await.1["imported"], 1);
    strict
}

const EDITOR: (&str, &str) = ("ed@example.com", BCRYPT_PASSWORD);

async fn sign_in(browser: &mut Browser, (email, password): (&str, &str)) -> Value {
    browser.post_json("/api/auth/login", &json!({ "email": email, "password": password })).await.json()
}

#[tokio::test]
async fn asvs_6_4_4_a_token_alone_sets_nothing_up() {
    for require in ["two-factor", "phishing-resistant"] {
        let strict = editor(require).await;
        let mut browser = strict.app.browser();
        let answer = strict.exchange(&mut browser, &signed(&json!({ "sub": "9", "iat": strict.now() }))).await;
        assert!(is(&answer.outcome(), INVALID), "{}", answer.text);
        for path in ["/api/auth/passkeys/register/start", "/api/auth/totp/enrol/start"] {
            let own = browser.post_json(path, &json!({ "sign_in": true })).await;
            assert_eq!(own.outcome(), (401, "login_expired".into()), "{path}");
        }
        // Whoever knows the password does.
        assert_eq!(sign_in(&mut browser, EDITOR).await["next"], "enrol");
    }
}

#[tokio::test]
async fn s1_a_step_that_was_asked_for_does_not_outlive_the_end_of_everything() {
    let strict = editor("two-factor").await;
    let app = &strict.app;
    let mut owner = app.browser();
    sign_in(&mut owner, EDITOR).await;
    let (totp, answer) = set_up(app, &mut owner, json!({ "sign_in": true })).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    app.pass(60);
    let token = signed(&json!({ "sub": "9", "iat": strict.now() - 50 }));
    let (mut early, mut late, mut ended) = (app.browser(), app.browser(), app.browser());
    for browser in [&mut early, &mut late] {
        assert_eq!(strict.exchange(browser, &token).await.json()["next"], "totp");
    }
    assert_eq!(verify(&mut early, &totp.code(app)).await.status, 200);
    // It has counted, and the grace is over: a second step does not make it count once more.
    app.pass(60);
    let invalid = (401, "invalid_credentials".to_owned());
    assert_eq!(verify(&mut late, &totp.code(app)).await.outcome(), (401, "login_expired".into()));

    let another = signed(&json!({ "sub": "9", "iat": strict.now() }));
    assert_eq!(strict.exchange(&mut ended, &another).await.json()["next"], "totp");
    app.pass(60);
    assert_eq!(early.post("/api/auth/logout-all").await.status, 204);
    assert_eq!(verify(&mut ended, &totp.code(app)).await.outcome(), invalid);
    assert!(is(&strict.outcome(&another).await, INVALID), "nor is a step asked for any more");
}

/// A code that was phished goes with a stolen token as far as to a passkey of the thief's: not once the owner has been there.
#[tokio::test]
async fn s1_nothing_is_set_up_by_a_token_that_has_counted_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let config = configuration(&secret_file(&folder), "");
    let app = TestApp::with(&format!("{config}[applications.vault]\nrequire = \"phishing-resistant\"\n")).await;
    let accounts = json!({ "accounts": [{ "email": EMAIL, "external_id": "42", "password_hash": BCRYPT }] });
    ask(&app, "POST", "/api/admin/users/import", Some(accounts)).await;
    let mut owner = app.browser();
    sign_in(&mut owner, (EMAIL, BCRYPT_PASSWORD)).await;
    let (totp, _) = set_up(&app, &mut owner, json!({})).await;
    app.pass(60);
    let token = signed(&json!({ "sub": 42, "iat": app.clock.now().as_seconds() }));
    let mut thief = app.browser();
    let wanted = json!({ "token": token, "client_id": "vault" });
    assert_eq!(thief.post_json("/api/auth/legacy", &wanted).await.json()["next"], "totp");
    assert_eq!(verify(&mut thief, &totp.code(&app)).await.json()["next"], "enrol");
    let options = thief.post_json("/api/auth/passkeys/register/start", &json!({ "sign_in": true })).await.json();
    let passkey = Passkey::make(&options);
    app.pass(60);
    owner.post_json("/api/auth/legacy", &json!({ "token": token })).await;
    assert_eq!(verify(&mut owner, &totp.code(&app)).await.status, 200);
    app.pass(60);
    let body = json!({ "sign_in": true, "credential": passkey.attest(&options) });
    let late = thief.post_json("/api/auth/passkeys/register/finish", &body).await;
    assert_eq!(late.outcome(), (401, "login_expired".into()));
    assert_eq!(owner.get("/api/auth/factors").await.json()["passkeys"], json!([]));
}

/// What cannot be told now is to come again; what can be told is told.
#[tokio::test]
async fn an_issuer_whose_keys_cannot_be_had_holds_up_nobody_elses_tokens() {
    let moving =
        Moving::new("until = \"2027-03-01T00:00:00Z\"\n[legacy.a-dead]\nuntil = \"2027-03-01T00:00:00Z\"\njwks_uri = \"http://127.0.0.1:1/jwks\"\n")
            .await;
    let (iat, now) = (moving.now() - DAY, moving.now());
    assert!(is(&moving.outcome(&signed(&json!({ "sub": 42, "iat": iat, "exp": now }))).await, INVALID));
    assert!(is(&moving.outcome(&moving.token()).await, OK));
    let header = json!({ "alg": "RS256", "kid": "k" }).to_string();
    let theirs =
        format!("{}.AAAA", encode_signing_input(&header, json!({ "sub": 42, "iat": iat }).to_string().as_bytes()));
    assert_eq!(moving.outcome(&theirs).await.0, 503, "it may be good");
}

#[tokio::test]
async fn asvs_7_5_1_a_token_is_no_fresh_proof_however_young_it_is() {
    let moving = Moving::new("").await;
    let mut browser = moving.app.browser();
    let answer = moving.exchange(&mut browser, &signed(&json!({ "sub": 42, "iat": moving.now() }))).await;
    assert!(is(&answer.outcome(), OK));
    for path in ["/api/auth/passkeys/register/start", "/api/auth/totp/enrol/start"] {
        let asked = browser.post_json(path, &json!({})).await;
        assert_eq!(asked.outcome(), (401, "reauthentication_required".into()), "{path}");
    }
}

#[tokio::test]
async fn a_used_token_stays_used_when_tokens_may_be_older_from_now_on() {
    let folder = tempfile::tempdir().unwrap();
    let secret = secret_file(&folder);
    // As if the same section said something else later: its tokens are of one key.
    let config = format!(
        "{}[legacy.older-api]\nsecret_file = \"{}\"\nuntil = \"2027-03-01T00:00:00Z\"\n",
        configuration(&secret, "max_age = \"1d\"\n"),
        secret.display()
    );
    let app = TestApp::with(&config).await;
    let accounts = json!({ "accounts": [{ "email": EMAIL, "external_id": "42" }] });
    ask(&app, "POST", "/api/admin/users/import", Some(accounts)).await;
    let [token, another] =
        ["a", "b"].map(|jti| signed(&json!({ "sub": 42, "iat": app.clock.now().as_seconds(), "jti": jti })));
    let exchange =
        async |token: &str| app.browser().post_json("/api/auth/legacy", &json!({ "token": token })).await.outcome();
    assert!(is(&exchange(&token).await, OK));
    app.pass(86_400);
    assert!(is(&exchange(&another).await, OK), "one of the same age, never used");
    assert!(is(&exchange(&token).await, USED));
}

#[tokio::test]
async fn two_systems_that_count_from_one_do_not_mean_each_others_accounts() {
    let folder = tempfile::tempdir().unwrap();
    let config = format!(
        "{}prefix = \"forum:\"\nissuer = \"forum\"\n[legacy.shop]\nsecret_file = \"{}\"\nissuer = \"shop\"\nuntil = \"2027-03-01T00:00:00Z\"\n",
        configuration(&secret_file(&folder), ""),
        secret_file(&folder).display()
    );
    let app = TestApp::with(&config).await;
    let accounts = json!({ "accounts": [
        { "email": EMAIL, "external_id": "42" }, { "email": "bob@example.com", "external_id": "forum:42" },
    ] });
    assert_eq!(ask(&app, "POST", "/api/admin/users/import", Some(accounts)).await.1["imported"], 2);
    for (issuer, email) in [("shop", EMAIL), ("forum", "bob@example.com")] {
        let token = signed(&json!({ "sub": 42, "iat": app.clock.now().as_seconds(), "iss": issuer }));
        let answer = app.browser().post_json("/api/auth/legacy", &json!({ "token": token })).await;
        assert_eq!(answer.json()["user"]["email"], email, "{}", answer.text);
    }
}

#[tokio::test]
async fn a_second_factor_is_asked_for_and_until_it_is_shown_the_token_has_not_counted() {
    let strict = editor("two-factor").await;
    let mut owner = strict.app.browser();
    sign_in(&mut owner, EDITOR).await;
    assert_eq!(set_up(&strict.app, &mut owner, json!({ "sign_in": true })).await.1.status, 200);
    strict.app.pass(60);
    let token = signed(&json!({ "sub": "9", "iat": strict.now() }));
    let answer = strict.exchange(&mut strict.app.browser(), &token).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["next"]), (200, &json!("totp")), "{}", answer.text);
    assert!(!answer.sets("__Secure-cf_refresh"));
    // It has opened nothing yet, and can be brought again.
    strict.app.pass(60);
    assert_eq!(strict.exchange(&mut strict.app.browser(), &token).await.json()["next"], "totp");
}

#[tokio::test]
async fn after_its_time_and_where_nothing_is_configured_the_exchange_is_closed() {
    let none = TestApp::new().await;
    let closed = none.browser().post_json("/api/auth/legacy", &json!({ "token": "x" })).await;
    assert_eq!(closed.outcome(), (410, "legacy_closed".into()));

    let moving = Moving::new("max_age = \"366d\"\n").await;
    let until = counterfoil_guard::rfc3339::parse("2027-03-01T00:00:00Z").unwrap();
    let token = signed(&json!({ "sub": 42, "iat": moving.now() }));
    moving.app.pass(u64::try_from(until - 1 - moving.now()).unwrap());
    assert!(is(&moving.outcome(&token).await, OK));
    moving.app.pass(1);
    assert_eq!(moving.outcome(&token).await, (410, "legacy_closed".into()));
}

#[tokio::test]
async fn c1_another_site_exchanges_nothing() {
    let moving = Moving::new("").await;
    let browser = moving.app.browser();
    let mut request = browser.json_request("/api/auth/legacy", &json!({ "token": moving.token() }));
    request.headers_mut().insert("origin", "https://attacker.example".parse().unwrap());
    assert_eq!(browser.send_without_keeping(request).await.outcome(), (403, "cross_site".into()));
}

#[tokio::test]
async fn names_may_be_addresses_and_stand_within_another_claim() {
    let moving = Moving::new("subject = \"user.email\"\nmatch = \"email\"\nissuer = \"old\"\n").await;
    let said =
        |iss: &str, email: Value| signed(&json!({ "iss": iss, "iat": moving.now(), "user": { "email": email } }));
    assert!(is(&moving.outcome(&said("old", json!("ADA@example.com"))).await, OK));
    assert!(is(&moving.outcome(&said("new", json!(EMAIL))).await, INVALID));
    assert!(is(&moving.outcome(&said("old", json!("42"))).await, INVALID));
    assert!(is(&moving.outcome(&said("old", json!(42))).await, INVALID));
}

#[tokio::test]
async fn atk04_what_is_wrong_with_the_configuration_stops_the_start_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = secret_file(&folder);
    let why = async |more: &str| {
        let error = TestApp::try_with(&configuration(&path, more)).await.err();
        error.map(|error| error.to_string()).unwrap_or_default()
    };
    for (more, says) in [
        ("until = \"2031-01-01T00:00:00Z\"", "legacy.old-api.until"),
        ("issuer = \"https://app.example.com\"", "legacy.old-api.issuer"),
        ("algorithm = \"HS512\"", "needs 64"),
        ("secret_encoding = \"base64\"", "legacy.old-api.secret_encoding"),
    ] {
        let why = why(more).await;
        assert!(why.contains(says), "{more}: {why}");
        assert!(!why.contains(SECRET));
    }
}

#[tokio::test]
async fn atk23_nothing_that_is_issued_here_is_a_legacy_token_even_where_the_keys_would_verify_it() {
    let app = TestApp::with(kinds::CONFIG).await;
    let issued = kinds::issue(&app).await;
    let folder = tempfile::tempdir().unwrap();
    let keys = folder.path().join("jwks.json");
    fs::write(&keys, &app.app.keyring().jwks).unwrap();
    let config = format!("[legacy.self]\njwks_file = \"{}\"\nuntil = \"2027-03-01T00:00:00Z\"\n", keys.display());
    let other = TestApp::with(&config).await;
    // There is an account of the very name that they give.
    let (_, access) = issued.iter().find(|(kind, _)| *kind == kinds::Kind::Access).unwrap();
    let claims = counterfoil_guard::base64url_decode(access.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    let accounts = json!({ "accounts": [{ "email": EMAIL, "external_id": claims["sub"] }] });
    assert_eq!(ask(&other, "POST", "/api/admin/users/import", Some(accounts)).await.1["imported"], 1);
    for (kind, token) in issued {
        let answer = other.browser().post_json("/api/auth/legacy", &json!({ "token": token })).await;
        assert_eq!(answer.outcome(), (401, "legacy_token_invalid".into()), "{kind:?}");
    }
}
