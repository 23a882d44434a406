//! Who may do what in the administration: `admin`, `support`, `auditor`; and bans that end by themselves.

use super::{EVERYTHING, admin};
use crate::control::ask;
use crate::support::{Browser, EMAIL, PASSWORD, TestApp};
use counterfoil::clock::Clock as _;
use serde_json::json;

/// What `support` may do beside looking.
const SUPPORTS: [&str; 5] = ["/ban", "/unban", "/unlock", "/revoke", "/sessions/AAAAAAAAAAAAAAAAAAAAAA/revoke"];

async fn with_role(app: &TestApp, role: &str) -> Browser {
    let email = format!("{role}@example.com");
    let made = json!({"email": email, "password": PASSWORD, "roles": [role]});
    assert_eq!(ask(app, "POST", "/api/admin/users", Some(made)).await.0, 201);
    let mut browser = app.browser();
    browser.sign_in(&email).await;
    browser
}

async fn id_of(browser: &mut Browser) -> String {
    browser.me().await.json()["user"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_auditor_looks_and_support_ends_access_and_neither_does_more() {
    let app = TestApp::new().await;
    let (mut auditor, mut support) = (with_role(&app, "auditor").await, with_role(&app, "support").await);
    for (method, path) in EVERYTHING {
        let reads = method == "GET";
        let of_accounts = path.contains("/users/AAAA") || path.contains("/sessions/AAAA");
        let ends = method == "POST" && of_accounts && SUPPORTS.iter().any(|end| path.ends_with(end));
        for (browser, role, may) in [(&mut auditor, "auditor", reads), (&mut support, "support", reads || ends)] {
            let mut request = browser.json_request(path, &json!({}));
            *request.method_mut() = method.parse().unwrap();
            let status = browser.send(request).await.status;
            // What is named does not exist: whoever may would be told that.
            assert_eq!(status != 403, may, "{role}: {method} {path}: {status}");
        }
    }
}

#[tokio::test]
async fn support_does_nothing_against_those_who_stand_above() {
    let app = TestApp::new().await;
    let (mut root, mut support) = (admin(&app).await, with_role(&app, "support").await);
    let (above, sid) = (id_of(&mut root).await, root.me().await.json()["session"]["id"].as_str().unwrap().to_owned());
    for what in ["ban", "unban", "unlock", "revoke"] {
        let answer = support.post_json(&format!("/api/admin/users/{above}/{what}"), &json!({})).await;
        assert_eq!(answer.outcome(), (403, "forbidden".into()), "{what}");
    }
    let answer = support.post_json(&format!("/api/admin/sessions/{sid}/revoke"), &json!({})).await;
    assert_eq!(answer.outcome(), (403, "forbidden".into()));
    assert_eq!(root.me().await.status, 200, "nothing has ended");

    let mut user = app.signed_in().await;
    let below = id_of(&mut user).await;
    assert_eq!(support.post_json(&format!("/api/admin/users/{below}/revoke"), &json!({})).await.status, 204);
    assert_eq!(user.me().await.code(), "session_revoked");
}

#[tokio::test]
async fn a_ban_with_an_end_ends_by_itself() {
    let app = TestApp::new().await;
    let mut user = app.signed_in().await;
    let id = id_of(&mut user).await;
    let ban = format!("/api/admin/users/{id}/ban");
    for wrong in ["yesterday", "2020-01-01", ""] {
        let (status, answer) = ask(&app, "POST", &ban, Some(json!({"until": wrong}))).await;
        assert_eq!((status, answer["code"].as_str()), (400, Some("malformed")), "{wrong}");
    }
    assert_eq!(user.me().await.status, 200, "a ban that was refused has done nothing");

    let now = app.clock.now().as_millis();
    let until = humantime::format_rfc3339_seconds(
        std::time::UNIX_EPOCH
            + std::time::Duration::from_millis(u64::try_from(now).unwrap())
            + std::time::Duration::from_hours(1),
    );
    assert_eq!(ask(&app, "POST", &ban, Some(json!({"reason": "spam", "until": until.to_string()}))).await.0, 204);
    assert_eq!(user.me().await.code(), "session_revoked");
    let login = json!({"email": EMAIL, "password": PASSWORD});
    assert_eq!(user.post_json("/api/auth/login", &login).await.status, 401);
    let (_, one) = ask(&app, "GET", &format!("/api/admin/users/{id}"), None).await;
    assert_eq!(one["user"]["banned"]["until"], until.to_string());
    app.pass(3601);
    assert_eq!(user.post_json("/api/auth/login", &login).await.status, 200);
    assert!(!user.me().await.text.contains("spam"), "the reason is for support");
}

#[tokio::test]
async fn accounts_are_found_by_the_beginning_of_their_address() {
    let app = TestApp::new().await;
    for email in ["Anna@example.com", "anton@example.com", "bert@example.com", "anna2@example.com"] {
        let made = json!({"email": email, "password": PASSWORD});
        assert_eq!(ask(&app, "POST", "/api/admin/users", Some(made)).await.0, 201);
    }
    let found = async |query: &str| {
        let (status, body) = ask(&app, "GET", &format!("/api/admin/users?{query}"), None).await;
        assert_eq!(status, 200, "{query}");
        let emails = body["users"].as_array().unwrap().iter().map(|user| user["email"].as_str().unwrap().to_owned());
        emails.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(found("q=AN").await, "anna2@example.com Anna@example.com anton@example.com");
    assert_eq!(found("q=an&limit=2").await, "anna2@example.com Anna@example.com");
    assert_eq!(found("q=an&limit=2&after=Anna@example.com").await, "anton@example.com");
    assert_eq!(found("q=%25").await, "", "no character means any other");
    let (_, one) = ask(&app, "GET", "/api/admin/users?email=bert@example.com", None).await;
    let id = one["users"][0]["id"].as_str().unwrap();
    assert_eq!(ask(&app, "DELETE", &format!("/api/admin/users/{id}"), None).await.0, 204);
    assert_eq!(found("q=b").await, "", "who is deleted is not found");
    assert_eq!(ask(&app, "GET", &format!("/api/admin/users/{id}"), None).await.0, 404);
}

#[tokio::test]
async fn one_account_says_how_it_signs_in_and_nothing_secret() {
    let app = TestApp::new().await;
    let mut user = app.signed_in().await;
    let id = id_of(&mut user).await;
    let (_, one) = ask(&app, "GET", &format!("/api/admin/users/{id}"), None).await;
    let ways = ["password", "locked", "passkeys", "recovery_codes"].map(|name| one[name].clone());
    assert_eq!(ways, [json!(true), json!(false), json!(0), json!(0)]);
    assert!(!one.to_string().contains("argon2"));
    let (_, known) = ask(&app, "GET", "/api/admin/applications", None).await;
    assert_eq!(known["applications"][0]["name"], "web");
    assert_eq!(known["applications"][0]["profile"], "cookie");
}
