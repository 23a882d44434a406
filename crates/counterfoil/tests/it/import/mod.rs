//! `/api/admin/users/import`, and signing in with what was imported. The hashes are those of `vectors/password-hashes`.

mod command;

use crate::control::ask;
use crate::support::{Browser, EMAIL, PASSWORD, TestApp, all};
use counterfoil_core::Secret;
use counterfoil_core::credential::imported::FirebaseProject;
use serde_json::{Value, json};

pub(crate) const BCRYPT: &str = "$2b$04$cVWp4XaNU8a4v1uMRum2SO026BWLIoQMD/TXg5uZV.0P.uO8m3YEm";
pub(crate) const BCRYPT_PASSWORD: &str = "Kk4DQuMMfZL9o";

fn vectors() -> Vec<Value> {
    let path = format!("{}/../../vectors/password-hashes/hashes.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The text of a vector's hash as the command hands it on.
fn text(vector: &Value) -> String {
    let hash = vector["hash"].as_str().unwrap();
    let of = &vector["firebase"];
    if of.is_null() {
        return hash.to_owned();
    }
    let number = |name: &str| u32::try_from(of[name].as_u64().unwrap()).unwrap();
    let key = Secret::new(of["signer_key"].as_str().unwrap().to_owned());
    let separator = of["salt_separator"].as_str().unwrap();
    let project = FirebaseProject::new(&key, separator, number("rounds"), number("mem_cost")).unwrap();
    project.hash(hash, vector["salt"].as_str().unwrap()).unwrap().to_string()
}

async fn import(app: &TestApp, accounts: &[Value]) -> Value {
    let (status, answer) = ask(app, "POST", "/api/admin/users/import", Some(json!({ "accounts": accounts }))).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

async fn sign_in(browser: &mut Browser, email: &str, password: &str) -> (u16, String) {
    let body = json!({ "email": email, "password": password });
    browser.post_json("/api/auth/login", &body).await.outcome()
}

async fn stored(app: &TestApp, email: &str) -> String {
    app.app.store.credential(email).await.unwrap().unwrap().hash
}

/// The words of the audit log, the newest first.
async fn events(app: &TestApp) -> Vec<String> {
    let (_, audit) = ask(app, "GET", "/api/admin/audit", None).await;
    let entries = audit["entries"].as_array().unwrap();
    entries.iter().map(|entry| entry["event"].as_str().unwrap().to_owned()).collect()
}

/// Imports one hash and lives with it.
async fn lives(app: &TestApp, place: usize, vector: &Value) {
    let (email, hash) = (format!("user{place}@example.com"), text(vector));
    let password = vector["password"].as_str().unwrap();
    let done = import(app, &[json!({ "email": email, "password_hash": hash })]).await;
    assert_eq!((&done["imported"], &done["without_password"]), (&json!(1), &json!(0)), "{hash}");
    let before = stored(app, &email).await;
    assert!(before.starts_with("imported$"), "{before}");

    let mut browser = app.browser();
    let shortened: String = password.chars().skip(1).collect();
    for wrong in ["", "wrong", &shortened, &before, &hash] {
        let refused = sign_in(&mut browser, &email, wrong).await;
        assert_eq!(refused, (401, "invalid_credentials".into()), "{wrong}: {hash}");
    }
    assert_eq!(stored(app, &email).await, before, "a wrong password changes nothing");
    assert_eq!(events(app).await[..2], ["sign_in_failed", "sign_in_failed"]);

    assert_eq!(sign_in(&mut browser, &email, password).await.0, 200, "{hash}");
    assert_eq!(events(app).await[..2], ["password_rehashed", "signed_in"]);
    let after = stored(app, &email).await;
    assert!(after.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{after}");
    let rows = app.app.store.users(None, 1000).await.unwrap();
    assert_eq!(rows.iter().filter(|user| user.email.as_str() == email).count(), 1);
    assert_eq!(browser.me().await.status, 200, "the session stands");

    let mut other = app.browser();
    assert_eq!(sign_in(&mut other, &email, password).await.0, 200, "{hash}");
    assert_eq!(events(app).await[0], "signed_in", "once is enough");
    assert_eq!(sign_in(&mut other, &email, "wrong").await.0, 401);
    assert_eq!(stored(app, &email).await, after);
}

#[tokio::test]
async fn an_imported_hash_of_every_kind_signs_in_once_and_is_ours_from_then_on() {
    let app = TestApp::with("[limits]\nenabled = false").await;
    for (place, vector) in vectors().iter().enumerate() {
        lives(&app, place, vector).await;
    }
}

/// Each of them has checked the imported hash; whoever opens a session after it was replaced must not be turned away.
#[tokio::test]
async fn sign_ins_with_an_imported_hash_at_the_same_moment_all_succeed() {
    let app = TestApp::with("[limits]\nenabled = false").await;
    import(&app, &[json!({ "email": EMAIL, "password_hash": BCRYPT })]).await;
    let attempts = (0..16).map(|_| {
        let mut browser = app.browser();
        async move { sign_in(&mut browser, EMAIL, BCRYPT_PASSWORD).await.0 }
    });
    assert_eq!(all(attempts).await, [200; 16]);
    let events = events(&app).await;
    assert_eq!(events.iter().filter(|event| *event == "password_rehashed").count(), 1, "{events:?}");
    assert_eq!(events.iter().filter(|event| *event == "sign_in_failed").count(), 0);
}

#[tokio::test]
async fn an_account_imported_without_a_hash_has_no_password() {
    let app = TestApp::with("[limits]\nenabled = false").await;
    let done =
        import(&app, &[json!({ "email": EMAIL }), json!({ "email": "b@example.com", "password_hash": "" })]).await;
    assert_eq!((&done["imported"], &done["without_password"]), (&json!(2), &json!(2)));
    let mut browser = app.browser();
    for wrong in ["", "none", "imported$none", "password", PASSWORD] {
        assert_eq!(sign_in(&mut browser, EMAIL, wrong).await, (401, "invalid_credentials".into()), "{wrong}");
    }
    assert_eq!(stored(&app, EMAIL).await, "imported$none");
}

#[tokio::test]
async fn an_account_is_imported_as_it_was_and_one_that_was_banned_stays_out() {
    let app = TestApp::with("[limits]\nenabled = false").await;
    let banned = json!({ "email": "eve@example.com", "password_hash": BCRYPT, "banned": true });
    let whole = json!({
        "email": "Ada@Example.com", "name": "Ada", "roles": ["editor", "admin"], "password_hash": BCRYPT,
        "created_at": "2020-02-29T12:00:00+02:00", "banned": false,
    });
    assert_eq!(import(&app, &[banned, whole]).await["imported"], 2);
    let (_, found) = ask(&app, "GET", "/api/admin/users?email=ada@example.com", None).await;
    let ada = &found["users"][0];
    assert_eq!((&ada["email"], &ada["name"]), (&json!("Ada@Example.com"), &json!("Ada")));
    assert_eq!((&ada["roles"], &ada["created_at"]), (&json!(["admin", "editor"]), &json!("2020-02-29T10:00:00Z")));
    let mut browser = app.browser();
    assert_eq!(sign_in(&mut browser, "eve@example.com", BCRYPT_PASSWORD).await, (401, "invalid_credentials".into()));
    assert!(stored(&app, "eve@example.com").await.starts_with("imported$2b$"), "nothing is made of it");
    assert_eq!(sign_in(&mut browser, "ada@example.com", BCRYPT_PASSWORD).await.0, 200);
}

#[tokio::test]
async fn an_import_says_of_each_account_what_came_of_it_and_a_repeat_changes_nothing() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let own = stored(&app, EMAIL).await;
    let accounts = [
        json!({ "email": "a@example.com", "password_hash": BCRYPT }),
        json!({ "email": "not an address" }),
        json!({ "email": EMAIL.to_uppercase(), "password_hash": BCRYPT, "roles": ["admin"] }),
        json!({ "email": "c@example.com", "password_hash": BCRYPT.replace("$04$", "$31$") }),
        json!({ "email": "A@example.com" }),
        json!({ "email": "d@example.com", "roles": ["No"] }),
        json!({ "email": "e@example.com", "created_at": "2999-01-01T00:00:00Z" }),
    ];
    let refused = json!([
        { "index": 1, "why": "`email` is not an email address" },
        { "index": 3, "why": "the bcrypt hash has cost 31; allowed are 4 to 14" },
        { "index": 5, "why": "`roles` must be at most 16, each 1 to 32 characters of a-z, 0-9, - and _, beginning with a letter" },
        { "index": 6, "why": "`created_at` lies in the future" },
    ]);
    let said = |imported| json!({ "imported": imported, "without_password": 0, "already_there": 3 - imported, "refused": refused });
    let dry = json!({ "accounts": accounts, "dry_run": true });
    assert_eq!(ask(&app, "POST", "/api/admin/users/import", Some(dry)).await, (200, said(1)));
    assert_eq!(app.app.store.users(None, 10).await.unwrap().len(), 1, "nothing was written");
    assert_eq!(import(&app, &accounts).await, said(1));
    assert_eq!(events(&app).await[0], "accounts_imported");
    let written = events(&app).await.len();
    assert_eq!(import(&app, &accounts).await, said(0));
    assert_eq!(events(&app).await.len(), written);
    assert_eq!(stored(&app, EMAIL).await, own, "an account that is there is left alone");
    assert_eq!(browser.me().await.json()["user"]["roles"], json!([]));
}

#[tokio::test]
async fn atk21_an_import_is_bounded_and_read_strictly() {
    let app = TestApp::new().await;
    let post = |body: Value| ask(&app, "POST", "/api/admin/users/import", Some(body));
    let accounts =
        |count: usize| -> Vec<Value> { (0..count).map(|n| json!({ "email": format!("u{n}@x.org") })).collect() };
    let (status, answer) = post(json!({ "accounts": accounts(501) })).await;
    assert_eq!((status, &answer["code"]), (400, &json!("malformed")));
    assert!(answer["detail"].as_str().unwrap().contains("500"), "{answer}");
    let (status, answer) = post(json!({ "accounts": [{ "email": "x".repeat(1024 * 1024) }] })).await;
    assert_eq!((status, &answer["code"]), (413, &json!("too_large")));
    for wrong in [
        json!({ "accounts": [{ "email": "a@x.org", "password": "x" }] }),
        json!({ "accounts": [{ "email": "a@x.org", "roles": "admin" }] }),
        json!({ "accounts": [{ "name": "no address" }] }),
        json!({ "accounts": [], "dryrun": true }),
        json!({}),
    ] {
        assert_eq!(post(wrong).await.0, 400);
    }
    assert_eq!(app.app.store.users(None, 10).await.unwrap(), []);
    // Far more than 64 KiB, which everything else stops at.
    let mut full = accounts(500);
    for account in &mut full {
        account["name"] = "n".repeat(190).into();
    }
    assert_eq!(post(json!({ "accounts": full })).await.1["imported"], 500);
}

#[tokio::test]
async fn an_administrator_may_import_over_the_network_after_a_fresh_sign_in() {
    let app = TestApp::new().await;
    let made = json!({ "email": "root@example.com", "password": PASSWORD, "roles": ["admin"] });
    assert_eq!(ask(&app, "POST", "/api/admin/users", Some(made)).await.0, 201);
    let mut admin = app.browser();
    admin.sign_in("root@example.com").await;
    let body = json!({ "accounts": [{ "email": EMAIL, "password_hash": BCRYPT }] });
    let mut foreign = admin.json_request("/api/admin/users/import", &body);
    foreign.headers_mut().remove("x-requested-with");
    assert_eq!(admin.send(foreign).await.outcome(), (403, "cross_site".into()));
    let answer = admin.post_json("/api/admin/users/import", &body).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["imported"]), (200, &json!(1)));
    let (_, audit) = ask(&app, "GET", "/api/admin/audit", None).await;
    let newest = &audit["entries"][0];
    assert_eq!(
        (&newest["event"], &newest["actor"], &newest["detail"]),
        (&json!("accounts_imported"), &json!("admin"), &json!("1"))
    );
    assert!(!audit.to_string().contains(BCRYPT));
    app.pass(601);
    admin.refresh().await;
    assert_eq!(admin.post_json("/api/admin/users/import", &body).await.code(), "reauthentication_required");
}

#[tokio::test]
async fn an_imported_password_is_replaced_before_the_second_step_and_the_sign_in_goes_on() {
    let app = TestApp::with("[applications.web]\nrequire = \"two-factor\"\n").await;
    import(&app, &[json!({ "email": EMAIL, "password_hash": BCRYPT })]).await;
    let mut browser = app.browser();
    let body = json!({ "email": EMAIL, "password": BCRYPT_PASSWORD });
    assert_eq!(browser.post_json("/api/auth/login", &body).await.json()["next"], "enrol");
    assert!(stored(&app, EMAIL).await.starts_with("$argon2id$"));
    let step = json!({ "sign_in": true });
    let options = browser.post_json("/api/auth/passkeys/register/start", &step).await.json();
    let passkey = crate::support::authenticator::Passkey::make(&options);
    let body = json!({ "sign_in": true, "credential": passkey.attest(&options) });
    let answer = browser.post_json("/api/auth/passkeys/register/finish", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
}
