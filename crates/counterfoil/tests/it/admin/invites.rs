//! `/api/admin/invites`: what is open is seen, and can be taken back; and there may be an end to accounts.

use super::admin;
use crate::control::ask;
use crate::support::{Answer, EMAIL, PASSWORD, TestApp};
use serde_json::{Value, json};

async fn invited(app: &TestApp, wish: Value) -> String {
    let (status, made) = ask(app, "POST", "/api/admin/invites", Some(wish)).await;
    assert_eq!(status, 201, "{made}");
    made["link"].as_str().unwrap().split_once("invite=").unwrap().1.split('&').next().unwrap().to_owned()
}

async fn open(app: &TestApp) -> Vec<Value> {
    ask(app, "GET", "/api/admin/invites", None).await.1["invites"].as_array().unwrap().clone()
}

async fn register(app: &TestApp, email: &str, invite: Option<&str>) -> Answer {
    app.browser()
        .post_json("/api/auth/register", &json!({ "email": email, "password": PASSWORD, "invite": invite }))
        .await
}

#[tokio::test]
async fn an_invitation_is_listed_until_it_is_used_over_or_withdrawn() {
    let app = TestApp::with("[registration]\npolicy = \"invite\"").await;
    let mut root = admin(&app).await;
    let made = root.post_json("/api/admin/invites", &json!({ "note": "Ada, of the press", "valid_for": 7_200 })).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let used = invited(&app, json!({ "role": "support", "valid_for": 3_600 })).await;
    let withdrawn = invited(&app, json!({})).await;
    let listed = open(&app).await;
    let of = |name: &str| listed.iter().map(|one| one[name].clone()).collect::<Vec<_>>();
    assert_eq!(of("role"), [json!("support"), Value::Null, Value::Null], "the first to end first");
    assert_eq!(of("note"), [Value::Null, json!("Ada, of the press"), Value::Null]);
    let me = root.me().await.json()["user"]["id"].clone();
    assert_eq!(of("issuer"), [Value::Null, me, Value::Null]);
    let text = root.get("/api/admin/invites").await.text;
    assert!(!text.contains(&used) && !text.contains(&withdrawn), "its link was shown once");

    let id = listed[2]["id"].as_str().unwrap();
    assert_eq!(ask(&app, "DELETE", &format!("/api/admin/invites/{id}"), None).await.0, 204);
    assert_eq!(ask(&app, "DELETE", &format!("/api/admin/invites/{id}"), None).await.0, 404);
    assert_eq!(register(&app, EMAIL, Some(&withdrawn)).await.outcome(), (403, "invite_invalid".into()));
    assert_eq!(register(&app, EMAIL, Some(&used)).await.status, 201);
    assert_eq!(open(&app).await.len(), 1);
    app.pass(7_200);
    assert_eq!(open(&app).await.len(), 0, "over");
    let (_, audit) = ask(&app, "GET", "/api/admin/audit?event=invite_withdrawn", None).await;
    assert_eq!(audit["entries"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_note_is_printable_and_short_and_an_id_is_one() {
    let app = TestApp::new().await;
    for note in ["a\u{202e}b", "a\nb", &"x".repeat(201)] {
        let (status, answer) = ask(&app, "POST", "/api/admin/invites", Some(json!({ "note": note }))).await;
        assert_eq!((status, answer["code"].as_str()), (400, Some("malformed")), "{note:?}");
    }
    assert_eq!(open(&app).await.len(), 0, "nothing was made");
    let long = "A".repeat(200);
    for id in ["AAAA", "%2e%2e", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", long.as_str()] {
        assert_eq!(ask(&app, "DELETE", &format!("/api/admin/invites/{id}"), None).await.0, 404, "{id}");
    }
}

#[tokio::test]
async fn there_are_no_more_accounts_than_there_may_be_whoever_makes_them() {
    let app = TestApp::with("[registration]\nmax_users = 2").await;
    let invite = invited(&app, json!({})).await;
    assert_eq!(register(&app, EMAIL, None).await.status, 201);
    let mut root = admin(&app).await;
    let full = (403, "user_limit".to_owned());
    assert_eq!(register(&app, "new@example.com", None).await.outcome(), full);
    assert_eq!(register(&app, EMAIL, None).await.outcome(), full, "P1: whether an address is free is not told");
    assert_eq!(register(&app, "new@example.com", Some(&invite)).await.outcome(), full);
    let account = json!({ "email": "new@example.com", "password": PASSWORD, "roles": [] });
    assert_eq!(root.post_json("/api/admin/users", &account).await.outcome(), full);
    let batch = |dry: bool| json!({ "accounts": [{ "email": EMAIL }, { "email": "x@example.com" }], "dry_run": dry });
    for dry in [true, false] {
        let (_, done) = ask(&app, "POST", "/api/admin/users/import", Some(batch(dry))).await;
        assert_eq!((&done["imported"], &done["already_there"]), (&json!(0), &json!(1)));
        assert_eq!(done["refused"][0]["index"], 1);
        assert!(done["refused"][0]["why"].as_str().unwrap().contains("max_users"), "{done}");
    }
    // Where one goes there is room for another.
    let (_, found) = ask(&app, "GET", "/api/admin/users?q=ada", None).await;
    let id = found["users"][0]["id"].as_str().unwrap();
    assert_eq!(ask(&app, "DELETE", &format!("/api/admin/users/{id}"), None).await.0, 204);
    assert_eq!(
        register(&app, "new@example.com", Some(&invite)).await.status,
        201,
        "and the invitation has not been spent"
    );
}

#[tokio::test]
async fn p1_where_mail_is_sent_a_full_house_says_so_before_a_mail_is() {
    let app = TestApp::with("[mail]\noutbox = true\n[registration]\nmax_users = 1").await;
    admin(&app).await;
    assert_eq!(register(&app, "new@example.com", None).await.outcome(), (403, "user_limit".into()));
    assert_eq!(register(&app, "root@example.com", None).await.outcome(), (403, "user_limit".into()));
    assert!(app.app.mail.as_ref().unwrap().outbox().unwrap().all().is_empty());
}
