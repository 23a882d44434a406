//! `/api/admin/api-keys`: what programs administer with.

use super::{EVERYTHING, admin};
use crate::control::ask;
use crate::support::{Answer, PASSWORD, TestApp};
use http::{Method, header};
use serde_json::{Value, json};

async fn key(app: &TestApp, name: &str, role: &str) -> String {
    let (status, made) = ask(app, "POST", "/api/admin/api-keys", Some(json!({ "name": name, "role": role }))).await;
    assert_eq!(status, 201, "{made}");
    made["api_key"].as_str().unwrap().to_owned()
}

/// As a program asks: no cookie, no word of where it comes from.
async fn with_key(app: &TestApp, key: &str, (method, path): (&str, &str), body: &Value) -> Answer {
    let browser = app.browser();
    let mut request = browser.json_request(path, body);
    *request.method_mut() = method.parse().unwrap();
    for name in ["x-requested-with", "origin", "sec-fetch-site"] {
        request.headers_mut().remove(name);
    }
    request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {key}").parse().unwrap());
    browser.send_without_keeping(request).await
}

async fn looks(app: &TestApp, key: &str) -> (u16, String) {
    with_key(app, key, ("GET", "/api/admin/users"), &json!({})).await.outcome()
}

#[tokio::test]
async fn a_key_may_do_what_its_role_may_and_makes_no_keys() {
    let app = TestApp::new().await;
    let names = [("auditor", "auditor"), ("support", "support"), ("admin", "admin")];
    for (name, role) in names {
        let key = key(&app, name, role).await;
        for (method, path) in EVERYTHING {
            let reads = method == "GET";
            let of_accounts = path.contains("/users/AAAA") || path.contains("/sessions/AAAA");
            let supports = ["/ban", "/unban", "/unlock", "/revoke"].iter().any(|end| path.ends_with(end));
            let may = match role {
                "auditor" => reads,
                "support" => reads || method == "POST" && of_accounts && supports,
                _ => true,
            };
            let answer = with_key(&app, &key, (method, path), &json!({})).await;
            assert_eq!(answer.status != 403, may, "{role}: {method} {path}: {}", answer.text);
            assert_ne!(answer.status, 401, "{role}: {method} {path}");
        }
    }
    let key = key(&app, "another", "admin").await;
    let answer =
        with_key(&app, &key, ("POST", "/api/admin/api-keys"), &json!({ "name": "child", "role": "auditor" })).await;
    assert_eq!(answer.outcome(), (403, "forbidden".into()), "it would outlive itself");
    assert!(answer.text.contains("cannot make API keys"));
}

#[tokio::test]
async fn the_audit_log_says_which_key_has_done_what() {
    let app = TestApp::new().await;
    let mut user = app.signed_in().await;
    let id = user.me().await.json()["user"]["id"].as_str().unwrap().to_owned();
    let key = key(&app, "robot", "support").await;
    let path = format!("/api/admin/users/{id}/ban");
    let answer = with_key(&app, &key, ("POST", &path), &json!({ "reason": "spam" })).await;
    assert_eq!(answer.status, 204, "{}", answer.text);
    assert_eq!(user.me().await.code(), "session_revoked");
    let (_, keys) = ask(&app, "GET", "/api/admin/api-keys", None).await;
    let (_, audit) = ask(&app, "GET", "/api/admin/audit?actor=api_key", None).await;
    let entries = audit["entries"].as_array().unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0]["event"], "banned");
    assert_eq!((&entries[0]["by"], &entries[0]["actor"]), (&keys["api_keys"][0]["id"], &json!("api_key")));
    // Who it is about learns that it was an administrator, and no more.
    assert_eq!(user.refresh().await.json()["reason"], "ended_by_admin");
}

#[tokio::test]
async fn a_key_ends_when_it_is_taken_back_and_takes_its_invitations_along() {
    let app = TestApp::with("[registration]\npolicy = \"invite\"").await;
    let key = key(&app, "robot", "admin").await;
    let made = with_key(&app, &key, ("POST", "/api/admin/invites"), &json!({ "note": "by a robot" })).await;
    assert_eq!(made.status, 201);
    assert_eq!(ask(&app, "DELETE", "/api/admin/api-keys/robot", None).await.0, 204);
    assert_eq!(ask(&app, "DELETE", "/api/admin/api-keys/robot", None).await.0, 404);
    assert_eq!(looks(&app, &key).await, (401, "api_key_invalid".into()));
    let (_, open) = ask(&app, "GET", "/api/admin/invites", None).await;
    assert_eq!(open["invites"], json!([]));
}

#[tokio::test]
async fn a_key_ends_by_itself_and_says_so() {
    let app = TestApp::new().await;
    let wish = json!({ "name": "short", "role": "auditor", "valid_for": 60 });
    let (_, made) = ask(&app, "POST", "/api/admin/api-keys", Some(wish)).await;
    let key = made["api_key"].as_str().unwrap();
    app.pass(59);
    assert_eq!(looks(&app, key).await.0, 200);
    app.pass(1);
    let answer = with_key(&app, key, ("GET", "/api/admin/users"), &json!({})).await;
    assert_eq!(answer.outcome(), (401, "api_key_invalid".into()));
    assert!(answer.text.contains("expired"), "{}", answer.text);
}

#[tokio::test]
async fn a_key_of_somebody_who_no_longer_administers_counts_no_more() {
    let app = TestApp::new().await;
    let mut root = admin(&app).await;
    let id = root.me().await.json()["user"]["id"].as_str().unwrap().to_owned();
    let made = root.post_json("/api/admin/api-keys", &json!({ "name": "mine", "role": "auditor" })).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let mine = made.json()["api_key"].as_str().unwrap().to_owned();
    let own = key(&app, "of-the-operator", "auditor").await;
    let user = format!("/api/admin/users/{id}");
    assert_eq!(looks(&app, &mine).await.0, 200);
    for (path, body, undo) in [
        ("ban", json!({ "reason": "left" }), ("POST", "unban", json!({}))),
        ("roles", json!({ "roles": ["support"] }), ("PUT", "roles", json!({ "roles": ["admin"] }))),
    ] {
        let method = if path == "roles" { "PUT" } else { "POST" };
        assert_eq!(ask(&app, method, &format!("{user}/{path}"), Some(body)).await.0, 204);
        assert_eq!(looks(&app, &mine).await, (401, "api_key_invalid".into()), "{path}");
        assert_eq!(looks(&app, &own).await.0, 200);
        assert_eq!(ask(&app, undo.0, &format!("{user}/{}", undo.1), Some(undo.2)).await.0, 204);
        assert_eq!(looks(&app, &mine).await.0, 200, "{path}");
    }
    let other = json!({ "email": "other@example.com", "password": PASSWORD, "roles": ["admin"] });
    assert_eq!(ask(&app, "POST", "/api/admin/users", Some(other)).await.0, 201);
    assert_eq!(ask(&app, "DELETE", &user, None).await.0, 204);
    assert_eq!(looks(&app, &mine).await, (401, "api_key_invalid".into()), "deleted");
}

#[tokio::test]
async fn when_a_key_was_last_used_is_kept_to_the_hour() {
    let app = TestApp::new().await;
    let key = key(&app, "robot", "auditor").await;
    let used = || async {
        let (_, keys) = ask(&app, "GET", "/api/admin/api-keys", None).await;
        keys["api_keys"][0]["used_at"].clone()
    };
    assert_eq!(used().await, Value::Null);
    looks(&app, &key).await;
    let first = used().await;
    assert!(first.is_string());
    app.pass(3_599);
    looks(&app, &key).await;
    assert_eq!(used().await, first);
    app.pass(1);
    looks(&app, &key).await;
    assert_ne!(used().await, first);
}

#[tokio::test]
async fn what_is_no_key_is_refused_and_nothing_is_made_of_bad_wishes() {
    let app = TestApp::new().await;
    let mut root = admin(&app).await;
    let good = key(&app, "good", "admin").await;
    for wrong in ["cfa_", "cfa_AAAA", &good[..good.len() - 1], &format!("{good}A")] {
        assert_eq!(looks(&app, wrong).await, (401, "api_key_invalid".into()), "{wrong}");
    }
    // ATK-34: beside somebody's cookies it is one credential too many.
    let mut request = root.request(Method::GET, "/api/admin/users");
    request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {good}").parse().unwrap());
    assert_eq!(root.send(request).await.outcome(), (400, "ambiguous_credentials".into()));
    for wish in [
        json!({ "name": "a b", "role": "admin" }),
        json!({ "name": "", "role": "admin" }),
        json!({ "name": "x".repeat(65), "role": "admin" }),
        json!({ "name": "x", "role": "editor" }),
        json!({ "name": "x", "role": "admin", "valid_for": 59 }),
        json!({ "name": "x", "role": "admin", "valid_for": 31_622_401 }),
    ] {
        let (status, answer) = ask(&app, "POST", "/api/admin/api-keys", Some(wish.clone())).await;
        assert_eq!((status, answer["code"].as_str()), (400, Some("malformed")), "{wish}");
    }
    let again = json!({ "name": "good", "role": "auditor" });
    let (status, answer) = ask(&app, "POST", "/api/admin/api-keys", Some(again)).await;
    assert_eq!((status, answer["code"].as_str()), (409, Some("name_taken")));
    let (_, keys) = ask(&app, "GET", "/api/admin/api-keys", None).await;
    assert_eq!(keys["api_keys"].as_array().unwrap().len(), 1);
}
