//! Notices by mail: what happens to an account is told to its owner, and what is nothing new is not.

use super::read;
use crate::control::ask;
use crate::support::{Browser, EMAIL, PASSWORD, TestApp};
use http::header;
use serde_json::json;

const MAIL: &str = "[mail]\noutbox = true";

/// The subjects of so many mails, in the order in which they were sent.
async fn subjects(app: &TestApp, count: usize) -> Vec<String> {
    let outbox = app.app.mail.as_ref().unwrap().outbox().unwrap();
    outbox.count().wait_for(|there| *there >= count).await.unwrap();
    let mut all = outbox.all();
    all.reverse();
    assert!(all.iter().all(|mail| mail.to == EMAIL));
    all.into_iter().map(|mail| mail.subject).collect()
}

async fn sign_in_with(browser: &mut Browser, agent: &str) {
    let mut request = browser.json_request("/api/auth/login", &json!({ "email": EMAIL, "password": PASSWORD }));
    request.headers_mut().insert(header::USER_AGENT, agent.parse().unwrap());
    assert_eq!(browser.send(request).await.status, 200);
}

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const SAFARI: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1";

/// An account made on somebody's authority, so that no mail is about its address.
async fn member(app: &TestApp) {
    let body = json!({ "email": EMAIL, "password": PASSWORD });
    assert_eq!(ask(app, "POST", "/api/admin/users", Some(body)).await.0, 201);
}

#[tokio::test]
async fn asvs_6_3_5_a_sign_in_from_a_device_that_has_not_been_seen_is_told_and_no_other() {
    let app = read(MAIL).await;
    member(&app).await;
    sign_in_with(&mut app.browser(), FIREFOX).await;
    app.pass(60);
    // The same device in another network: a telephone on its way.
    let mut moved = app.browser();
    moved.peer = "198.51.100.9".parse().unwrap();
    sign_in_with(&mut moved, FIREFOX).await;
    app.pass(60);
    sign_in_with(&mut moved, SAFARI).await;
    app.pass(60);
    sign_in_with(&mut moved, SAFARI).await;
    let change = json!({ "current_password": PASSWORD, "new_password": "another long passphrase of mine" });
    assert_eq!(moved.post_json("/api/auth/password/change", &change).await.status, 200);
    let told = subjects(&app, 2).await;
    assert_eq!(told, ["New sign-in to Counterfoil", "Your password for Counterfoil was changed"]);
    let all = app.app.mail.as_ref().unwrap().outbox().unwrap().all();
    let text = all[1].plain.expose();
    assert!(
        text.contains("Safari") && text.contains("198.51.100.0/24") && text.contains("2027-01-15 08:02 UTC"),
        "{text}"
    );
}

#[tokio::test]
async fn asvs_6_3_7_a_change_of_what_opens_the_account_is_told() {
    let app = read(MAIL).await;
    member(&app).await;
    let mut browser = app.browser();
    sign_in_with(&mut browser, FIREFOX).await;
    let options = browser.post_json("/api/auth/passkeys/register/start", &json!({})).await.json();
    let passkey = crate::support::authenticator::Passkey::make(&options);
    let credential = json!({ "credential": passkey.attest(&options) });
    assert_eq!(browser.post_json("/api/auth/passkeys/register/finish", &credential).await.status, 204);
    let known = browser.get("/api/auth/factors").await.json();
    let id = known["passkeys"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(browser.delete(&format!("/api/auth/passkeys/{id}")).await.status, 204);
    // A spent refresh token comes back after the grace: its session was copied.
    let copy = browser.clone();
    browser.refresh().await;
    app.pass(5);
    browser.refresh().await;
    app.pass(60);
    let mut thief = copy;
    assert_eq!(thief.refresh().await.outcome(), (401, "refresh_reuse".into()));
    assert_eq!(
        subjects(&app, 3).await,
        [
            "A passkey was added at Counterfoil",
            "A passkey was removed at Counterfoil",
            "A session at Counterfoil was ended"
        ]
    );
}

#[tokio::test]
async fn a_sign_in_that_is_refused_for_where_it_comes_from_is_told_to_whoever_has_lost_the_password() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("bad");
    std::fs::write(&list, "198.51.100.0/24\n").unwrap();
    let app = read(&format!("{MAIL}\n[risk]\nbad_networks = '{}'", list.display())).await;
    member(&app).await;
    sign_in_with(&mut app.browser(), FIREFOX).await;
    let mut thief = app.browser();
    thief.peer = "198.51.100.9".parse().unwrap();
    let body = json!({ "email": EMAIL, "password": PASSWORD });
    assert_eq!(thief.post_json("/api/auth/login", &body).await.outcome(), (403, "risk_denied".into()));
    assert_eq!(subjects(&app, 1).await, ["Something unusual at Counterfoil"]);
}

#[tokio::test]
async fn without_notices_nobody_is_told() {
    let app = read("[mail]\noutbox = true\nnotices = false").await;
    member(&app).await;
    let mut browser = app.browser();
    sign_in_with(&mut browser, FIREFOX).await;
    let change = json!({ "current_password": PASSWORD, "new_password": "another long passphrase of mine" });
    assert_eq!(browser.post_json("/api/auth/password/change", &change).await.status, 200);
    // What somebody waits for is sent all the same; nothing was before it.
    let ask = json!({ "email": EMAIL });
    assert_eq!(browser.post_json("/api/auth/password/forgot", &ask).await.status, 202);
    assert_eq!(subjects(&app, 1).await, ["Choose another password for Counterfoil"]);
}
