//! `GET /api/admin/risk`: what was decided, and why.

use super::{BERLIN, CHROME, PARIS, World, elsewhere, password};
use crate::control::ask;
use crate::support::{PASSWORD, TestApp};
use serde_json::json;

#[tokio::test]
async fn every_decision_is_explained_to_whoever_may_look() {
    let rule = "[risk.rules.strict]\naction = \"deny\"\nwhen = { any = [\"new_device\"] }\ndry_run = true\n";
    let app = World::with(rule).app().await;
    app.signed_in().await;
    app.pass(24 * 3600);
    assert_eq!(password(&mut elsewhere(&app, PARIS, Some(CHROME))).await.status, 200);
    let made = json!({"email": "eve@example.com", "password": PASSWORD, "roles": ["auditor"]});
    assert_eq!(ask(&app, "POST", "/api/admin/users", Some(made)).await.0, 201);
    let mut auditor = app.browser();
    auditor.sign_in("eve@example.com").await;
    let answer = auditor.get("/api/admin/risk").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let seen = answer.json();
    assert_eq!(seen["enabled"], true);
    assert_eq!(seen["rules"][0], json!({ "name": "bad-network", "action": "deny", "dry_run": false }));
    assert!(
        seen["rules"].as_array().unwrap().contains(&json!({ "name": "strict", "action": "deny", "dry_run": true }))
    );
    let one = &seen["decisions"][0];
    assert_eq!(
        (&one["moment"], &one["application"], &one["action"]),
        (&json!("sign_in"), &json!("web"), &json!("notify"))
    );
    assert_eq!(one["rule"], json!({ "name": "new", "action": "notify" }));
    assert_eq!(one["dry_run"], json!({ "name": "strict", "action": "deny" }));
    assert_eq!((&one["score"], &one["at"]), (&json!(55), &json!("2027-01-16T08:00:00Z")));
    let signals = [("new_device", 20), ("new_network", 10), ("new_country", 25)];
    let signals = signals.map(|(signal, weight)| json!({ "signal": signal, "value": 1, "weight": weight }));
    assert_eq!(one["signals"], json!(signals));
    assert_eq!((&one["network"], &one["place"]), (&json!("192.0.2.0/24"), &json!("Paris, France")));
    assert!(one["user"].is_string() && one["session"].is_string());
}

#[tokio::test]
async fn decisions_page_and_are_found_by_account() {
    let rule =
        "[risk.rules.every]\naction = \"notify\"\nwhen = { any = [\"failures_fleet\"] }\n[risk.failures]\nfleet = 1\n";
    let app = TestApp::with(rule).await;
    let mut ada = app.signed_in().await;
    let id = ada.me().await.json()["user"]["id"].as_str().unwrap().to_owned();
    let wrong = json!({ "email": "nobody@example.com", "password": "not the password" });
    ada.post_json("/api/auth/login", &wrong).await;
    for _ in 0..3 {
        assert_eq!(password(&mut elsewhere(&app, BERLIN, None)).await.status, 200);
    }
    let (_, first) = ask(&app, "GET", "/api/admin/risk?limit=2", None).await;
    assert_eq!(first["decisions"].as_array().unwrap().len(), 2);
    let next = first["next"].as_str().unwrap();
    let (_, second) = ask(&app, "GET", &format!("/api/admin/risk?limit=2&before={next}"), None).await;
    assert_eq!(second["decisions"].as_array().unwrap().len(), 1);
    let (_, theirs) = ask(&app, "GET", &format!("/api/admin/risk?user={id}"), None).await;
    assert_eq!(theirs["decisions"].as_array().unwrap().len(), 3);
    let (_, nobodys) = ask(&app, "GET", "/api/admin/risk?user=AAAAAAAAAAAAAAAAAAAAAA", None).await;
    assert_eq!(nobodys["decisions"], json!([]));
    for bad in ["user=x", "sid=x", "before=x", "limit=x"] {
        let (status, answer) = ask(&app, "GET", &format!("/api/admin/risk?{bad}"), None).await;
        assert_eq!((status, answer["code"].as_str()), (400, Some("malformed")), "{bad}");
    }
}
