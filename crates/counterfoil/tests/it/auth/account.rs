//! `/api/auth/account`: everything that is kept, and the end.

use crate::audit::verified;
use crate::control::ask;
use crate::support::{Browser, EMAIL, PASSWORD, Server, TestApp, run};
use counterfoil::flow::seal::seal;
use http::{Method, header};
use serde_json::{Value, json};

const DATA: &str = "/api/auth/account/data";
const ACCOUNT: &str = "/api/auth/account";

async fn administrator(app: &TestApp, email: &str) -> (Browser, String) {
    let made = json!({"email": email, "password": PASSWORD, "roles": ["admin"]});
    let (status, made) = ask(app, "POST", "/api/admin/users", Some(made)).await;
    assert_eq!(status, 201, "{made}");
    let mut browser = app.browser();
    browser.sign_in(email).await;
    (browser, made["user"]["id"].as_str().unwrap().to_owned())
}

async fn id_of(browser: &mut Browser) -> String {
    browser.me().await.json()["user"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn step_9470_what_is_refused_for_want_of_a_proof_says_what_would_be_enough() {
    let app = TestApp::with("[session]\nfresh = '5m'\n[roles.admin]\nrequire = 'phishing-resistant'").await;
    let mut browser = app.signed_in().await;
    app.pass(301);
    browser.refresh().await;
    for (method, path) in [("GET", DATA), ("DELETE", ACCOUNT), ("POST", "/api/auth/recovery-codes")] {
        let answer = browser.send(browser.request(method.parse().unwrap(), path)).await;
        assert_eq!(answer.outcome(), (401, "reauthentication_required".into()), "{path}");
        let said = answer.json();
        assert_eq!((&said["max_age"], &said["acr_values"]), (&json!(300), &Value::Null), "{path}");
        let challenge = r#"Bearer error="insufficient_user_authentication", max_age="300""#;
        assert_eq!(answer.headers[header::WWW_AUTHENTICATE], challenge, "{path}");
    }
    let body = json!({ "password": PASSWORD });
    assert_eq!(browser.post_json("/api/auth/step-up/password", &body).await.status, 200);
    assert_eq!(browser.get(DATA).await.status, 200);

    let id = id_of(&mut browser).await;
    ask(&app, "PUT", &format!("/api/admin/users/{id}/roles"), Some(json!({ "roles": ["admin"] }))).await;
    browser.refresh().await;
    let answer = browser.get("/api/admin/users").await;
    assert_eq!(answer.outcome(), (401, "reauthentication_required".into()));
    assert_eq!((&answer.json()["acr_values"], &answer.json()["max_age"]), (&json!("phr"), &json!(300)));
    let challenge = answer.headers[header::WWW_AUTHENTICATE].to_str().unwrap();
    assert!(challenge.ends_with(r#"acr_values="phr", max_age="300""#), "{challenge}");
}

#[tokio::test]
async fn ones_data_is_all_that_is_kept_and_no_secret() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let id = id_of(&mut browser).await;
    let (mut root, _) = administrator(&app, "root@example.com").await;
    let mut other = app.signed_in_again().await;
    other.post("/api/auth/logout").await;
    let wrong = json!({"email": EMAIL, "password": "not the password at all"});
    app.browser().post_json("/api/auth/login", &wrong).await;
    app.browser().register("eve@example.com").await;
    root.peer = "198.51.100.9".parse().unwrap();
    root.post_json(&format!("/api/admin/users/{id}/ban"), &json!({"reason": "a note of support's"})).await;
    root.post_json(&format!("/api/admin/users/{id}/unban"), &json!({})).await;
    browser.sign_in(EMAIL).await;

    let answer = browser.get(DATA).await;
    assert_eq!(answer.headers[header::CONTENT_DISPOSITION], "attachment; filename=\"account.json\"");
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    let data = answer.json();
    assert_eq!(data["format"], "counterfoil-account-1");
    assert_eq!((&data["user"]["id"], &data["user"]["email"]), (&json!(id), &json!(EMAIL)));
    assert_eq!(data["sign_in"], json!({"password": true, "passkeys": [], "recovery_codes": 0}));
    let known = json!([{"device": "Firefox on Linux", "network": "203.0.113.0/24", "last_at": data["known_from"][0]["last_at"]}]);
    assert_eq!(data["known_from"], known);
    let mut reasons: Vec<_> =
        data["sessions"].as_array().unwrap().iter().map(|one| one["reason"].as_str().unwrap_or("alive")).collect();
    reasons[1..].sort_unstable();
    assert_eq!(reasons, ["alive", "ended_by_admin", "signed_out"]);
    let events: Vec<_> =
        data["audit"].as_array().unwrap().iter().map(|one| one["event"].as_str().unwrap().to_owned()).collect();
    let all =
        ["registered", "signed_in", "signed_in", "session_ended", "sign_in_failed", "banned", "unbanned", "signed_in"];
    assert_eq!(events, all);
    let banned = &data["audit"][5];
    assert_eq!(banned["actor"], "admin");
    assert!(banned.get("network").is_none() && banned.get("detail").is_none(), "{banned}");
    for foreign in ["a note of", "198.51.100", "eve@", "argon2"] {
        assert!(!answer.text.contains(foreign), "{foreign}");
    }
}

#[tokio::test]
async fn an_administrators_data_has_what_they_did_to_others() {
    let app = TestApp::new().await;
    let mut user = app.signed_in().await;
    let id = id_of(&mut user).await;
    let (mut root, _) = administrator(&app, "root@example.com").await;
    root.post_json(&format!("/api/admin/users/{id}/ban"), &json!({"reason": "spam"})).await;
    let data = root.get(DATA).await.json();
    let last = data["audit"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["event"], &last["user"], &last["detail"]), (&json!("banned"), &json!(id), &json!("spam")));
    let events = data["audit"].as_array().unwrap().iter().filter(|one| one["event"] == "banned").count();
    assert_eq!(events, 1);
}

/// However long the log is, it is read a page at a time.
#[tokio::test]
async fn ones_data_goes_on_over_many_pages() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    for _ in 0..1200 {
        let id = id_of(&mut browser.clone()).await.parse().unwrap();
        let store = &app.app.store;
        let entry = store.page(None, 1).await.unwrap()[0].1.clone();
        store.append(counterfoil_core::audit::AuditEntry { user: Some(id), ..entry }).await.unwrap();
    }
    let data = browser.get(DATA).await.json();
    assert_eq!(data["audit"].as_array().unwrap().len(), 1202);
}

#[tokio::test]
async fn a_deleted_account_is_gone_everywhere_and_its_address_is_free() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let id = id_of(&mut browser).await;
    // So long after the start that a receipt need not wait for leases of an earlier one.
    app.pass(6);
    let mut phone = app.signed_in_again().await;
    seal(&app.app).await.unwrap();

    let mut foreign = browser.request(Method::DELETE, ACCOUNT);
    foreign.headers_mut().remove("x-requested-with");
    assert_eq!(browser.send(foreign).await.outcome(), (403, "cross_site".into()), "C1");
    let deleted = browser.delete(&format!("{ACCOUNT}?receipt=effective")).await;
    assert_eq!((deleted.status.as_u16(), &deleted.json()["effective"]), (200, &json!(true)), "{}", deleted.text);
    assert_eq!(browser.cookie("__Secure-cf_refresh"), None, "this browser has nothing left");
    assert_eq!(phone.me().await.outcome(), (401, "session_revoked".into()));
    let refused = phone.refresh().await;
    assert_eq!((refused.code(), &refused.json()["reason"]), ("refresh_invalid".into(), &json!("deleted")));
    let login = json!({"email": EMAIL, "password": PASSWORD});
    assert_eq!(phone.post_json("/api/auth/login", &login).await.outcome(), (401, "invalid_credentials".into()), "P1");

    let mut networks = app.app.store.page(None, 50).await.unwrap();
    // The sign-in that has just failed is nobody's.
    assert_eq!(networks.remove(0).1.user, None);
    assert!(networks.iter().all(|(_, entry)| entry.network.is_empty()), "{networks:?}");
    let found = verified(&app).await;
    assert_eq!((&found["whole"], &found["erased"]), (&json!(true), &json!(3)), "all that had been sealed: {found}");
    let (_, listed) = ask(&app, "GET", "/api/admin/users", None).await;
    assert_eq!(listed["users"], json!([]));
    let (_, sessions) = ask(&app, "GET", &format!("/api/admin/users/{id}/sessions"), None).await;
    assert_eq!(sessions["sessions"][0]["device"], "");
    assert_eq!(ask(&app, "DELETE", &format!("/api/admin/users/{id}"), None).await.0, 404, "once");
    let sid = sessions["sessions"][0]["id"].as_str().unwrap();
    let (_, story) = ask(&app, "GET", &format!("/api/admin/sessions/{sid}/timeline"), None).await;
    assert_eq!((&story["end"]["reason"], &story["why"]), (&json!("deleted"), &json!("The account was deleted.")));

    // Whoever comes with an old token is written down, and forgotten by the housekeeping.
    app.pass(31);
    assert_eq!(app.browser().register(EMAIL).await.status, 201, "the address is free");
    let mut new = app.browser();
    new.sign_in(EMAIL).await;
    assert_ne!(id_of(&mut new).await, id);
}

/// A crash between the deletion and the erasing of networks, or an attempt with a token of the account after it, leaves networks behind.
#[tokio::test]
async fn what_a_deletion_has_left_behind_the_housekeeping_erases() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let id = id_of(&mut browser).await;
    assert_eq!(browser.clone().delete(ACCOUNT).await.status, 204);
    let store = &app.app.store;
    let (_, last) = store.page(None, 1).await.unwrap().remove(0);
    let attempt = counterfoil_core::audit::AuditEntry { network: "203.0.113.0/24".into(), ..last };
    store.append(attempt.clone()).await.unwrap();
    assert_eq!(store.unerased(9).await, Ok(vec![id.parse().unwrap()]));
    counterfoil::jobs::once(&app.app).await;
    assert_eq!(store.unerased(9).await, Ok(Vec::new()));
    let about = store.page(None, 50).await.unwrap();
    let about = about.iter().filter(|(_, entry)| entry.user == Some(id.parse().unwrap()));
    assert!(about.clone().count() >= 3 && about.clone().all(|(_, entry)| entry.network.is_empty()));
    assert_eq!(verified(&app).await["whole"], true);
    // Seven days later nothing is left but the audit log.
    app.pass(8 * 24 * 60 * 60);
    counterfoil::jobs::once(&app.app).await;
    store.append(attempt).await.unwrap();
    assert_eq!(store.unerased(9).await, Ok(Vec::new()), "there is no account any more");
}

#[tokio::test]
async fn the_last_administrator_cannot_go() {
    let app = TestApp::new().await;
    let (mut root, root_id) = administrator(&app, "root@example.com").await;
    let refused = root.delete(ACCOUNT).await;
    assert_eq!(refused.outcome(), (409, "last_administrator".into()));
    assert_eq!(root.me().await.status, 200, "nothing has changed");
    let (status, answer) = ask(&app, "DELETE", &format!("/api/admin/users/{root_id}"), None).await;
    assert_eq!((status, &answer["code"]), (409, &json!("last_administrator")));
    let (mut second, _) = administrator(&app, "second@example.com").await;
    assert_eq!(second.delete(&format!("/api/admin/users/{root_id}")).await.status, 204);
    assert_eq!(root.refresh().await.json()["reason"], "deleted");
    assert_eq!(second.delete(ACCOUNT).await.outcome(), (409, "last_administrator".into()));
    let (_, audit) = ask(&app, "GET", "/api/admin/audit?event=account_deleted", None).await;
    assert_eq!(audit["entries"].as_array().unwrap().len(), 1);
    assert_eq!((&audit["entries"][0]["actor"], &audit["entries"][0]["user"]), (&json!("admin"), &json!(root_id)));
}

#[test]
fn an_account_is_deleted_from_the_command_line_by_address_or_id() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    let data = folder.path().to_str().unwrap();
    for (by_id, more) in [(false, &["--receipt"][..]), (true, &[])] {
        let made = run(&["user", "add", EMAIL, "--password-stdin", "--data", data], PASSWORD);
        let id = String::from_utf8(made.stdout).unwrap().trim().to_owned();
        let account = if by_id { id.as_str() } else { EMAIL };
        let deleted = run(&[&["user", "delete", account, "--data", data], more].concat(), "");
        assert!(deleted.status.success(), "{deleted:?}");
        let listed = run(&["user", "list", "--json", "--data", data], "");
        assert_eq!(serde_json::from_slice::<Value>(&listed.stdout).unwrap(), json!([]));
        let again = run(&["user", "delete", account, "--data", data], "");
        assert!(!again.status.success(), "it is gone");
    }
    server.stop();
    let whole = run(&["audit", "verify", "--data", data], "");
    assert!(whole.status.success(), "{whole:?}");
}
