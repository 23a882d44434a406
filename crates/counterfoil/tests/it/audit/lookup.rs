//! `GET /api/admin/audit` and `/export`: exactly what was asked for, page by page.

use super::ask_lines;
use crate::control::ask;
use crate::support::{EMAIL, PASSWORD, TestApp};
use aws_lc_rs::digest::{SHA256, digest};
use counterfoil::flow::seal::seal;
use counterfoil_guard::{base64url_decode, base64url_encode};
use serde_json::{Value, json};

/// Three people, sessions of one of them, failures, a ban by the operator; the clock moves on by a minute each time.
async fn busy() -> (TestApp, Value) {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let me = browser.me().await.json();
    for n in 0..3 {
        app.pass(60);
        app.browser().register(&format!("{n}@example.com")).await;
        app.browser().sign_in(EMAIL).await;
        let wrong = json!({"email": EMAIL, "password": format!("{n} {PASSWORD}")});
        app.browser().post_json("/api/auth/login", &wrong).await;
    }
    let id = me["user"]["id"].as_str().unwrap();
    assert_eq!(ask(&app, "POST", &format!("/api/admin/users/{id}/ban"), Some(json!({"reason": "spam"}))).await.0, 204);
    (app, me)
}

async fn events(app: &TestApp, query: &str) -> Vec<String> {
    let (status, found) = ask(app, "GET", &format!("/api/admin/audit?{query}"), None).await;
    assert_eq!(status, 200, "{found}");
    found["entries"].as_array().unwrap().iter().map(|entry| entry["event"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn entries_are_found_by_whom_they_are_about_by_kind_and_by_time() {
    let (app, me) = busy().await;
    let (id, sid) = (me["user"]["id"].as_str().unwrap(), me["session"]["id"].as_str().unwrap());
    let of_user = events(&app, &format!("user={id}")).await;
    assert_eq!((of_user.len(), of_user[0].as_str(), of_user[8 - 1].as_str()), (9, "banned", "signed_in"));
    assert_eq!(events(&app, &format!("sid={sid}")).await, ["signed_in"]);
    assert_eq!(events(&app, "event=sign_in_failed").await.len(), 3);
    assert_eq!(events(&app, "actor=operator").await, ["banned"]);
    assert_eq!(events(&app, &format!("actor={id}")).await.len(), 0, "no administrator");
    assert_eq!(events(&app, &format!("user={id}&event=sign_in_failed&actor=anonymous")).await.len(), 3);
    // The application's clock began at 2027-01-15T08:00:00Z.
    assert_eq!(events(&app, "until=2027-01-15T08:01:00Z").await, ["signed_in", "registered"]);
    assert_eq!(events(&app, "since=2027-01-15T08:03:00Z&event=registered").await.len(), 1);
    assert_eq!(events(&app, "since=2027-01-16").await.len(), 0);
    for bad in ["user=x", "sid=x", "event=x", "actor=x", "since=yesterday", "until=2027-13-01", "before=17", "limit=x"]
    {
        assert_eq!(ask(&app, "GET", &format!("/api/admin/audit?{bad}"), None).await.0, 400, "{bad}");
        if !bad.starts_with("before") && !bad.starts_with("limit") {
            assert_eq!(ask(&app, "GET", &format!("/api/admin/audit/export?{bad}"), None).await.0, 400, "{bad}");
        }
    }
}

#[tokio::test]
async fn pages_follow_one_another_without_gap_or_repetition() {
    let (app, _) = busy().await;
    let (_, whole) = ask(&app, "GET", "/api/admin/audit?event=signed_in", None).await;
    let (mut pages, mut before) = (Vec::new(), String::new());
    loop {
        let (_, page) = ask(&app, "GET", &format!("/api/admin/audit?event=signed_in&limit=1{before}"), None).await;
        pages.extend(page["entries"].as_array().unwrap().clone());
        let Some(next) = page["next"].as_str() else { break };
        before = format!("&before={next}");
    }
    assert_eq!(whole["entries"], Value::from(pages));
    assert_eq!((whole["entries"].as_array().unwrap().len(), &whole["next"]), (4, &Value::Null));
}

/// As the guide tells others to: nothing is needed but the lines and SHA-256.
#[tokio::test]
async fn aud_5_an_export_can_be_checked_by_itself() {
    let (app, _) = busy().await;
    let (_, unsealed) = ask_lines(&app, "/api/admin/audit/export").await;
    assert_eq!((unsealed.len(), &unsealed[0]["hash"]), (12, &Value::Null));
    seal(&app.app).await.unwrap();
    let (_, lines) = ask_lines(&app, "/api/admin/audit/export").await;
    let mut before = vec![0; 32];
    for line in &lines {
        before = recomputed(&before, line);
        assert_eq!(line["hash"], base64url_encode(&before), "{line}");
    }
    let (_, head) = ask(&app, "GET", "/api/admin/audit/head", None).await;
    assert_eq!((&head["head"], &head["sealed"]), (&format!("12:{}", base64url_encode(&before)).into(), &true.into()));
    let (_, some) = ask_lines(&app, "/api/admin/audit/export?event=banned").await;
    assert_eq!((some.len(), &some[0]["detail"]), (1, &"spam".into()));
}

fn recomputed(before: &[u8], line: &Value) -> Vec<u8> {
    let text = |name: &str| line[name].as_str().unwrap().as_bytes().to_vec();
    let id = |name: &str| match line[name].as_str() {
        Some(id) => [vec![1], base64url_decode(id).unwrap()].concat(),
        None => vec![0],
    };
    let at = humantime::parse_rfc3339(line["at"].as_str().unwrap()).unwrap();
    let at = i64::try_from(at.duration_since(std::time::UNIX_EPOCH).unwrap().as_millis()).unwrap();
    let mut bytes = b"counterfoil audit entry 1\0".to_vec();
    for part in [
        before.to_vec(),
        line["seq"].as_i64().unwrap().to_be_bytes().to_vec(),
        at.to_be_bytes().to_vec(),
        text("event"),
        text("actor"),
        id("by"),
        id("user"),
        id("session"),
        text("detail"),
        base64url_decode(line["network_hash"].as_str().unwrap()).unwrap(),
    ] {
        bytes.extend((part.len() as u64).to_be_bytes());
        bytes.extend(part);
    }
    digest(&SHA256, &bytes).as_ref().to_vec()
}
