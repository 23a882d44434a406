use crate::support::{EMAIL, PASSWORD, TestApp};
use http::header;
use serde_json::json;

#[tokio::test]
async fn registering_makes_an_account_and_never_signs_in() {
    let app = TestApp::new().await;
    let mut browser = app.browser();
    let answer =
        browser.post_json("/api/auth/register", &json!({"email": EMAIL, "password": PASSWORD, "name": "Ada"})).await;
    assert_eq!(answer.status, 201);
    assert_eq!(answer.json()["user"]["email"], EMAIL);
    assert_eq!(answer.json()["user"]["name"], "Ada");
    assert!(answer.set_cookies().is_empty());
    assert_eq!(browser.me().await.outcome(), (401, "token_missing".into()));
}

#[tokio::test]
async fn an_address_is_taken_whatever_its_case() {
    let app = TestApp::new().await;
    let mut browser = app.browser();
    browser.register(EMAIL).await;
    let again =
        browser.post_json("/api/auth/register", &json!({"email": "ADA@Example.com", "password": PASSWORD})).await;
    assert_eq!(again.outcome(), (409, "email_taken".into()));
}

#[tokio::test]
async fn nist_3112_a_bad_password_is_refused_with_the_reason() {
    let app = TestApp::new().await;
    let mut browser = app.browser();
    for (password, word) in
        [("short one", "too short"), ("passwordpassword", "attackers try first"), ("aaaaaaaaaaaaaaaaaaaaa", "repeats")]
    {
        let answer = browser.post_json("/api/auth/register", &json!({"email": EMAIL, "password": password})).await;
        assert_eq!(answer.outcome(), (422, "password_rejected".into()), "{password}");
        assert!(answer.json()["detail"].as_str().unwrap().contains(word), "{}", answer.text);
    }
    let too_long = json!({"email": EMAIL, "password": "long ".repeat(205)});
    let answer = browser.post_json("/api/auth/register", &too_long).await;
    assert_eq!(answer.outcome(), (422, "password_rejected".into()));
    browser.register(EMAIL).await;
}

#[tokio::test]
async fn bad_bodies_get_a_4xx_that_says_what_is_allowed() {
    let app = TestApp::new().await;
    let mut browser = app.browser();
    let path = "/api/auth/register";
    let mut plain = browser.json_request(path, &json!({"email": EMAIL, "password": PASSWORD}));
    plain.headers_mut().insert(header::CONTENT_TYPE, "text/plain".parse().unwrap());
    assert_eq!(browser.send(plain).await.outcome(), (415, "unsupported_media_type".into()));
    let large = browser.post_json(path, &json!({"email": EMAIL, "password": "x".repeat(70_000)})).await;
    assert_eq!(large.outcome(), (413, "too_large".into()));
    assert!(large.text.contains("65536"));
    for body in [
        "",
        "{",
        "[]",
        "null",
        r#"{"email":"a@b"}"#,
        r#"{"email":1,"password":"x"}"#,
        r#"{"email":"a@b","email":"c@d","password":"x"}"#,
    ] {
        let mut request = browser.json_request(path, &json!({}));
        *request.body_mut() = body.to_owned().into();
        assert_eq!(browser.send(request).await.outcome(), (400, "malformed".into()), "{body}");
    }
    let mut latin = browser.json_request(path, &json!({}));
    *latin.body_mut() = b"{\"email\":\"\xff@b\",\"password\":\"x\"}".to_vec().into();
    assert_eq!(browser.send(latin).await.outcome(), (400, "malformed".into()));
    for email in ["", "ada", "a@b@c", "a b@c", "a\u{0}@b"] {
        let answer = browser.post_json(path, &json!({"email": email, "password": PASSWORD})).await;
        assert_eq!(answer.outcome(), (400, "malformed".into()), "{email:?}");
    }
}

#[tokio::test]
async fn closed_registration_takes_nobody_and_an_invitation_works_once() {
    let app = TestApp::with("[registration]\npolicy = \"invite\"").await;
    let mut browser = app.browser();
    let body = json!({"email": EMAIL, "password": PASSWORD});
    let closed = browser.post_json("/api/auth/register", &body).await;
    assert_eq!(closed.outcome(), (403, "registration_closed".into()));
    let made_up = json!({"email": EMAIL, "password": PASSWORD, "invite": "cfi_made_up"});
    assert_eq!(browser.post_json("/api/auth/register", &made_up).await.outcome(), (403, "invite_invalid".into()));

    let link = crate::control::ask(&app, "POST", "/api/admin/invites", Some(json!({"role": "editor"}))).await;
    let token = link.1["link"].as_str().unwrap().split_once("invite=").unwrap().1.to_owned();
    let invited = json!({"email": EMAIL, "password": PASSWORD, "invite": token});
    assert_eq!(browser.post_json("/api/auth/register", &invited).await.status, 201);
    let again = json!({"email": "b@example.com", "password": PASSWORD, "invite": token});
    assert_eq!(browser.post_json("/api/auth/register", &again).await.outcome(), (403, "invite_invalid".into()));
    let signed_in = browser.sign_in(EMAIL).await;
    assert_eq!(signed_in.json()["user"]["roles"], json!(["editor"]));
}

#[tokio::test]
async fn atk28_an_invitation_raced_for_makes_one_account() {
    let app = TestApp::with("[registration]\npolicy = \"invite\"").await;
    let link = crate::control::ask(&app, "POST", "/api/admin/invites", Some(json!({}))).await;
    let token = link.1["link"].as_str().unwrap().split_once("invite=").unwrap().1.to_owned();
    let attempts = (0..8).map(|n| {
        let browser = app.browser();
        let body = json!({"email": format!("u{n}@example.com"), "password": PASSWORD, "invite": token});
        async move { browser.send_without_keeping(browser.json_request("/api/auth/register", &body)).await.status }
    });
    let statuses = crate::support::all(attempts).await;
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
}

#[tokio::test]
async fn too_many_registrations_from_one_network_wait() {
    let app = TestApp::with("[limits]\nregister_per_network = { burst = 2, interval = \"10s\" }").await;
    let mut browser = app.browser();
    browser.register("a@example.com").await;
    browser.register("b@example.com").await;
    let third = browser.post_json("/api/auth/register", &json!({"email": "c@example.com", "password": PASSWORD})).await;
    assert_eq!(third.outcome(), (429, "rate_limited".into()));
    assert_eq!(third.headers[header::RETRY_AFTER], "10");
    app.pass(10);
    browser.register("c@example.com").await;
}

#[tokio::test]
async fn p1_a_made_up_invitation_does_not_tell_who_has_an_account() {
    let app = TestApp::with("[registration]\npolicy = \"invite\"").await;
    let made = json!({"email": EMAIL, "password": PASSWORD});
    assert_eq!(crate::control::ask(&app, "POST", "/api/admin/users", Some(made)).await.0, 201);
    for email in [EMAIL, "nobody@example.com"] {
        let body = json!({"email": email, "password": PASSWORD, "invite": "cfi_made_up"});
        let answer = app.browser().post_json("/api/auth/register", &body).await;
        assert_eq!(answer.outcome(), (403, "invite_invalid".into()));
    }
}
