//! `/api/admin/*`.

mod activity;
mod api_keys;
mod duties;
mod invites;
mod keys;

use crate::control::ask;
use crate::support::{Browser, EMAIL, PASSWORD, TestApp};
use http::Method;
use serde_json::json;

pub(crate) const EVERYTHING: [(&str, &str); 36] = [
    ("GET", "/api/admin/users"),
    ("GET", "/api/admin/users/AAAAAAAAAAAAAAAAAAAAAA"),
    ("GET", "/api/admin/applications"),
    ("POST", "/api/admin/users"),
    ("POST", "/api/admin/users/import"),
    ("DELETE", "/api/admin/users/AAAAAAAAAAAAAAAAAAAAAA"),
    ("PUT", "/api/admin/users/AAAAAAAAAAAAAAAAAAAAAA/roles"),
    ("POST", "/api/admin/users/AAAAAAAAAAAAAAAAAAAAAA/ban"),
    ("POST", "/api/admin/users/AAAAAAAAAAAAAAAAAAAAAA/unban"),
    ("POST", "/api/admin/users/AAAAAAAAAAAAAAAAAAAAAA/unlock"),
    ("POST", "/api/admin/users/AAAAAAAAAAAAAAAAAAAAAA/revoke"),
    ("POST", "/api/admin/users/AAAAAAAAAAAAAAAAAAAAAA/reset"),
    ("POST", "/api/admin/sessions/AAAAAAAAAAAAAAAAAAAAAA/revoke"),
    ("GET", "/api/admin/invites"),
    ("POST", "/api/admin/invites"),
    ("DELETE", "/api/admin/invites/x"),
    ("GET", "/api/admin/api-keys"),
    ("POST", "/api/admin/api-keys"),
    ("DELETE", "/api/admin/api-keys/x"),
    ("GET", "/api/admin/activity"),
    ("GET", "/api/admin/users/AAAAAAAAAAAAAAAAAAAAAA/sessions"),
    ("GET", "/api/admin/guards"),
    ("POST", "/api/admin/guards"),
    ("DELETE", "/api/admin/guards/api"),
    ("GET", "/api/admin/keys"),
    ("POST", "/api/admin/keys/rotate"),
    ("POST", "/api/admin/keys/revoke-all"),
    ("POST", "/api/admin/keys/x/revoke"),
    ("GET", "/api/admin/streams"),
    ("DELETE", "/api/admin/streams/AAAAAAAAAAAAAAAAAAAAAA"),
    ("POST", "/api/admin/streams/AAAAAAAAAAAAAAAAAAAAAA/status"),
    ("GET", "/api/admin/risk"),
    ("GET", "/api/admin/audit"),
    ("GET", "/api/admin/audit/export"),
    ("GET", "/api/admin/audit/head"),
    ("GET", "/api/admin/sessions/AAAAAAAAAAAAAAAAAAAAAA/timeline"),
];

async fn admin(app: &TestApp) -> Browser {
    let made = json!({"email": "root@example.com", "password": PASSWORD, "roles": ["admin"]});
    assert_eq!(ask(app, "POST", "/api/admin/users", Some(made)).await.0, 201);
    let mut browser = app.browser();
    browser.sign_in("root@example.com").await;
    browser
}

#[tokio::test]
async fn a_role_that_asks_for_more_asks_those_who_are_signed_in_already() {
    let rule = "[roles.admin]\nrequire = \"two-factor\"\n";
    let app = TestApp::with(rule).await;
    let mut user = app.signed_in().await;
    let id = user.me().await.json()["user"]["id"].as_str().unwrap().to_owned();
    let roles = json!({ "roles": ["admin"] });
    assert_eq!(ask(&app, "PUT", &format!("/api/admin/users/{id}/roles"), Some(roles)).await.0, 204);
    user.refresh().await;
    let answer = user.get("/api/admin/users").await;
    assert_eq!(answer.outcome(), (401, "reauthentication_required".into()), "a password is one factor");
}

#[tokio::test]
async fn nobody_without_the_role_gets_in_anywhere() {
    let app = TestApp::new().await;
    let mut user = app.signed_in().await;
    for (method, path) in EVERYTHING {
        let mut request = user.json_request(path, &json!({}));
        *request.method_mut() = method.parse().unwrap();
        assert_eq!(user.send(request).await.outcome(), (403, "forbidden".into()), "{method} {path}");
        let mut stranger = app.browser();
        let request = stranger.request(method.parse().unwrap(), path);
        assert_eq!(stranger.send(request).await.outcome(), (401, "token_missing".into()), "{method} {path}");
    }
}

#[tokio::test]
async fn an_administrator_needs_a_fresh_sign_in_and_c1() {
    let app = TestApp::new().await;
    let mut browser = admin(&app).await;
    assert_eq!(browser.get("/api/admin/users").await.status, 200);
    let mut foreign = browser.json_request("/api/admin/invites", &json!({}));
    foreign.headers_mut().remove("x-requested-with");
    assert_eq!(browser.send(foreign).await.outcome(), (403, "cross_site".into()));
    app.pass(601);
    browser.refresh().await;
    assert_eq!(browser.get("/api/admin/users").await.outcome(), (401, "reauthentication_required".into()));
}

#[tokio::test]
async fn banning_ends_every_session_at_once_and_unbanning_lets_in_again() {
    let app = TestApp::new().await;
    let mut user = app.signed_in().await;
    let id = user.me().await.json()["user"]["id"].as_str().unwrap().to_owned();
    let mut admin = admin(&app).await;
    let ban = admin.post_json(&format!("/api/admin/users/{id}/ban"), &json!({"reason": "spam"})).await;
    assert_eq!(ban.status, 204, "{}", ban.text);
    assert_eq!(user.me().await.code(), "session_revoked");
    assert_eq!(user.refresh().await.json()["reason"], "ended_by_admin");
    let login = json!({"email": EMAIL, "password": PASSWORD});
    assert_eq!(user.post_json("/api/auth/login", &login).await.status, 401);
    assert_eq!(admin.post_json(&format!("/api/admin/users/{id}/unban"), &json!({})).await.status, 204);
    assert_eq!(user.post_json("/api/auth/login", &login).await.status, 200);
}

#[tokio::test]
async fn ending_one_session_or_all_of_a_users() {
    let app = TestApp::new().await;
    let mut user = app.signed_in().await;
    let me = user.me().await.json();
    let sid = me["session"]["id"].as_str().unwrap();
    assert_eq!(ask(&app, "POST", &format!("/api/admin/sessions/{sid}/revoke"), Some(json!({}))).await.0, 204);
    assert_eq!(user.refresh().await.json()["reason"], "ended_by_admin");
    user.sign_in(EMAIL).await;
    let id = me["user"]["id"].as_str().unwrap();
    assert_eq!(ask(&app, "POST", &format!("/api/admin/users/{id}/revoke"), Some(json!({}))).await.0, 204);
    assert_eq!(user.me().await.code(), "session_revoked");
    let (_, sessions) = ask(&app, "GET", &format!("/api/admin/users/{id}/sessions"), None).await;
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_does_not_exist_is_404_and_what_is_wrong_is_400() {
    let app = TestApp::new().await;
    for (method, path) in EVERYTHING.into_iter().filter(|(_, path)| path.contains("AAAA")) {
        let body = json!({"roles": [], "reason": "", "status": "paused"});
        assert_eq!(ask(&app, method, path, Some(body)).await.0, 404, "{path}");
        let bad = path.replace("AAAAAAAAAAAAAAAAAAAAAA", "not-an-id");
        assert_eq!(
            ask(&app, method, &bad, Some(json!({"roles": [], "reason": "", "status": "paused"}))).await.0,
            404,
            "{bad}"
        );
    }
    let mut user = app.signed_in().await;
    let id = user.me().await.json()["user"]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/admin/users/{id}/roles");
    for roles in [json!(["Admin"]), json!(["a,b"]), json!(vec!["r"; 17])] {
        assert_eq!(ask(&app, "PUT", &path, Some(json!({ "roles": roles }))).await.0, 400);
    }
}

#[tokio::test]
async fn the_audit_log_says_who_did_what_and_holds_no_secret() {
    let app = TestApp::new().await;
    let mut user = app.signed_in().await;
    let body = json!({"email": EMAIL, "password": "a wrong password"});
    user.post_json("/api/auth/login", &body).await;
    user.delete("/api/auth/sessions").await;
    user.post("/api/auth/logout").await;
    let (_, audit) = ask(&app, "GET", "/api/admin/audit", None).await;
    let entries = audit["entries"].as_array().unwrap();
    let events: Vec<_> = entries.iter().map(|entry| entry["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["session_ended", "sign_in_failed", "signed_in", "registered"]);
    assert_eq!(entries[0]["actor"], "user");
    assert_eq!(entries[0]["network"], "203.0.113.0/24");
    for secret in [PASSWORD, "a wrong password", EMAIL] {
        assert!(!audit.to_string().contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn methods_that_are_not_there_are_405() {
    let app = TestApp::new().await;
    let mut browser = app.browser();
    let request = browser.request(Method::DELETE, "/api/admin/users");
    assert_eq!(browser.send(request).await.outcome(), (405, "method_not_allowed".into()));
}

#[tokio::test]
async fn an_administrators_invitations_end_with_their_rights() {
    let app = TestApp::new().await;
    for what in ["ban", "roles"] {
        let email = format!("{what}@example.com");
        let made = json!({"email": email, "password": PASSWORD, "roles": ["admin"]});
        let (_, made) = ask(&app, "POST", "/api/admin/users", Some(made)).await;
        let id = made["user"]["id"].as_str().unwrap();
        let mut admin = app.browser();
        admin.sign_in(&email).await;
        let invite = admin.post_json("/api/admin/invites", &json!({"role": "admin"})).await.json();
        let token = invite["link"].as_str().unwrap().split_once("invite=").unwrap().1.split('&').next().unwrap();
        let (method, body) = if what == "ban" { ("POST", json!({})) } else { ("PUT", json!({"roles": []})) };
        assert_eq!(ask(&app, method, &format!("/api/admin/users/{id}/{what}"), Some(body)).await.0, 204);
        let body = json!({"email": "friend@example.com", "password": PASSWORD, "invite": token});
        let answer = app.browser().post_json("/api/auth/register", &body).await;
        assert_eq!(answer.outcome(), (403, "invite_invalid".into()), "{what}");
    }
}

#[tokio::test]
async fn a_parameter_that_is_none_is_malformed_in_the_contracts_own_form() {
    let app = TestApp::new().await;
    let mut admin = admin(&app).await;
    for path in
        ["/api/admin/users?limit=-1", "/api/admin/audit?before=9223372036854775808.1", "/login?redirect=a&redirect=b"]
    {
        assert_eq!(admin.get(path).await.outcome(), (400, "malformed".into()), "{path}");
    }
}
