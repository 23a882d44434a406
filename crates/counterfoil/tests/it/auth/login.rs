use crate::support::{EMAIL, PASSWORD, TestApp};
use http::header;
use serde_json::{Value, json};

async fn attempt(browser: &mut crate::support::Browser, email: &str, password: &str) -> (u16, String) {
    browser.post_json("/api/auth/login", &json!({"email": email, "password": password})).await.outcome()
}

#[tokio::test]
async fn signing_in_sets_two_cookies_with_every_attribute_and_puts_no_token_into_the_body() {
    let app = TestApp::new().await;
    let mut browser = app.browser();
    browser.register(EMAIL).await;
    let answer = browser.sign_in(EMAIL).await;
    let cookies = answer.set_cookies();
    assert_eq!(cookies.len(), 2, "{cookies:?}");
    let shape = |cookie: &str| {
        let (name, rest) = cookie.split_once('=').unwrap();
        format!("{name}{}", &rest[rest.find(';').unwrap()..])
    };
    let access = shape(&cookies[0]);
    let life: u64 = access.rsplit_once('=').unwrap().1.parse().unwrap();
    assert!(access.starts_with("__Host-cf_access; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age="), "{access}");
    assert!((285..=300).contains(&life), "five minutes less at most 5 %: {life}");
    assert_eq!(
        shape(&cookies[1]),
        "__Secure-cf_refresh; Path=/api/auth/refresh; HttpOnly; Secure; SameSite=Lax; Max-Age=604800"
    );
    let body = answer.json();
    assert_eq!(body["expires_in"], life);
    assert_eq!((&body["access_token"], &body["refresh_token"]), (&Value::Null, &Value::Null));
    assert_eq!(body["session"]["current"], true);
    assert_eq!(body["session"]["device"], "Firefox on Linux");
    assert_eq!(body["session"]["network"], "203.0.113.0/24");
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn t2_the_access_token_is_small_and_says_nothing_personal() {
    let app = TestApp::new().await;
    let browser = app.signed_in().await;
    let token = browser.cookie("__Host-cf_access").unwrap();
    assert!(token.len() < 512, "{} bytes", token.len());
    let part = |n: usize| counterfoil_guard::base64url_decode(token.split('.').nth(n).unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&part(0)).unwrap();
    assert_eq!((header["alg"].as_str(), header["typ"].as_str()), (Some("EdDSA"), Some("at+jwt")));
    let claims: serde_json::Map<String, Value> = serde_json::from_slice(&part(1)).unwrap();
    let mut names: Vec<_> = claims.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["acr", "amr", "aud", "auth_time", "client_id", "exp", "iat", "iss", "jti", "sid", "sub"]);
    assert!(!String::from_utf8(part(1)).unwrap().contains("ada"));
}

#[tokio::test]
async fn without_keep_me_signed_in_the_cookie_ends_with_the_browser_and_the_session_soon() {
    let app = TestApp::new().await;
    let mut browser = app.browser();
    browser.register(EMAIL).await;
    let body = json!({"email": EMAIL, "password": PASSWORD, "remember": false});
    let answer = browser.post_json("/api/auth/login", &body).await;
    let refresh = answer.set_cookies().into_iter().find(|cookie| cookie.starts_with("__Secure-cf_refresh")).unwrap();
    assert!(!refresh.contains("Max-Age"), "{refresh}");
    app.pass(2 * 3600);
    let late = browser.refresh().await;
    assert_eq!(late.outcome(), (401, "refresh_invalid".into()));
    assert_eq!(late.json()["reason"], "expired");
}

#[tokio::test]
async fn p1_atk39_every_way_to_fail_gives_one_answer() {
    let app = TestApp::new().await;
    let mut browser = app.browser();
    browser.register(EMAIL).await;
    let wrong = browser.post_json("/api/auth/login", &json!({"email": EMAIL, "password": "wrong"})).await;
    assert_eq!(wrong.outcome(), (401, "invalid_credentials".into()));
    for email in ["nobody@example.com", "not an address", "", &format!("{}@x", "a".repeat(300))] {
        let answer = browser.post_json("/api/auth/login", &json!({"email": email, "password": "wrong"})).await;
        assert_eq!((answer.status, &answer.text), (wrong.status, &wrong.text), "{email}");
    }
    let (status, user) = crate::control::ask(&app, "GET", "/api/admin/users", None).await;
    assert_eq!(status, 200);
    let id = user["users"][0]["id"].as_str().unwrap();
    crate::control::ask(&app, "POST", &format!("/api/admin/users/{id}/ban"), Some(json!({}))).await;
    let banned = browser.post_json("/api/auth/login", &json!({"email": EMAIL, "password": PASSWORD})).await;
    assert_eq!((banned.status, &banned.text), (wrong.status, &wrong.text));
}

#[tokio::test]
async fn attempts_are_limited_per_account_whether_it_exists_or_not() {
    let app = TestApp::with("[limits]\nlogin_per_account = { burst = 3, interval = \"30s\" }").await;
    let mut browser = app.browser();
    browser.register(EMAIL).await;
    for email in [EMAIL, "nobody@example.com"] {
        for _ in 0..3 {
            assert_eq!(attempt(&mut browser, email, "wrong").await.0, 401);
        }
        assert_eq!(attempt(&mut browser, &email.to_uppercase(), "wrong").await, (429, "rate_limited".into()));
    }
    assert_eq!(attempt(&mut browser, EMAIL, PASSWORD).await.0, 429, "not even the right one");
    app.pass(30);
    assert_eq!(attempt(&mut browser, EMAIL, PASSWORD).await.0, 200);
    for _ in 0..3 {
        assert_eq!(attempt(&mut browser, EMAIL, "wrong").await.0, 401, "success gave the allowance back");
    }
}

#[tokio::test]
async fn attempts_are_limited_per_network_and_a_made_up_forwarded_for_does_not_help() {
    let app = TestApp::with("[limits]\nlogin_per_network = { burst = 3, interval = \"1m\" }").await;
    let mut browser = app.browser();
    for n in 0..5 {
        let body = json!({"email": format!("u{n}@example.com"), "password": "wrong"});
        let mut request = browser.json_request("/api/auth/login", &body);
        request.headers_mut().insert("x-forwarded-for", format!("198.51.100.{n}").parse().unwrap());
        assert_eq!(browser.send(request).await.status, if n < 3 { 401 } else { 429 });
    }
    browser.peer = "198.51.100.1".parse().unwrap();
    assert_eq!(attempt(&mut browser, EMAIL, "wrong").await.0, 401, "another network has its own allowance");
}

#[tokio::test]
async fn a_trusted_proxy_tells_the_clients_address_but_not_what_the_client_wrote_left_of_it() {
    let app = TestApp::with("trusted_proxies = [\"203.0.113.7/32\"]").await;
    let mut browser = app.browser();
    browser.register(EMAIL).await;
    let mut request = browser.json_request("/api/auth/login", &json!({"email": EMAIL, "password": PASSWORD}));
    request.headers_mut().insert("x-forwarded-for", "192.0.2.66, 198.51.100.9".parse().unwrap());
    let answer = browser.send(request).await;
    assert_eq!(answer.json()["session"]["network"], "198.51.100.0/24");
}

#[tokio::test]
async fn nist_322_a_hundred_failures_in_a_row_lock_the_password_until_it_is_unlocked() {
    let app = TestApp::with("[limits]\nenabled = false").await;
    let mut browser = app.browser();
    browser.register(EMAIL).await;
    let (_, users) = crate::control::ask(&app, "GET", "/api/admin/users", None).await;
    let id = users["users"][0]["id"].as_str().unwrap().to_owned();
    for _ in 0..100 {
        browser.post_json("/api/auth/login", &json!({"email": EMAIL, "password": "wrong"})).await;
    }
    assert_eq!(attempt(&mut browser, EMAIL, PASSWORD).await, (401, "invalid_credentials".into()));
    crate::control::ask(&app, "POST", &format!("/api/admin/users/{id}/unlock"), Some(json!({}))).await;
    assert_eq!(attempt(&mut browser, EMAIL, PASSWORD).await.0, 200);
}

#[tokio::test]
async fn password_hashing_is_bounded_and_beyond_the_bound_says_503_with_retry_after() {
    let app = TestApp::with("[limits]\nenabled = false\nhash_queue = 2").await;
    let body = json!({"email": EMAIL, "password": "wrong"});
    let attempts = (0..12).map(|_| {
        let (browser, body) = (app.browser(), body.clone());
        async move { browser.send_without_keeping(browser.json_request("/api/auth/login", &body)).await }
    });
    let answers = crate::support::all(attempts).await;
    let refused: Vec<_> = answers.iter().filter(|answer| answer.status == 503).collect();
    assert!(!refused.is_empty(), "more than two at once were let in");
    assert!(answers.iter().any(|answer| answer.status == 401), "some are served");
    assert!(
        refused.iter().all(|answer| answer.code() == "overloaded" && answer.headers.contains_key(header::RETRY_AFTER))
    );
}

#[tokio::test]
async fn an_unknown_application_is_named_as_the_mistake() {
    let app = TestApp::new().await;
    let mut browser = app.browser();
    let body = json!({"email": EMAIL, "password": PASSWORD, "client_id": "nope"});
    let answer = browser.post_json("/api/auth/login", &body).await;
    assert_eq!(answer.outcome(), (400, "malformed".into()));
    assert!(answer.text.contains("client_id"));
}

#[tokio::test]
async fn atk32_every_sign_in_is_a_new_session_with_a_new_handle() {
    let app = TestApp::new().await;
    let mut browser = app.browser();
    browser.register(EMAIL).await;
    let first = browser.sign_in(EMAIL).await.json()["session"]["id"].clone();
    let (token, other) = (browser.cookie("__Secure-cf_refresh"), browser.sign_in(EMAIL).await);
    assert_ne!(other.json()["session"]["id"], first);
    assert_ne!(browser.cookie("__Secure-cf_refresh"), token);
}

#[tokio::test]
async fn a_user_has_at_most_so_many_sessions_and_the_one_longest_unused_ends() {
    let app = TestApp::with("[session]\nmax_per_user = 2").await;
    let mut first = app.signed_in().await;
    let mut others = Vec::new();
    for _ in 0..2 {
        app.pass(60);
        let mut browser = app.browser();
        browser.sign_in(EMAIL).await;
        others.push(browser);
    }
    assert_eq!(first.me().await.outcome(), (401, "session_revoked".into()));
    assert_eq!(first.refresh().await.json()["reason"], "session_limit");
    for browser in &mut others {
        assert_eq!(browser.me().await.status, 200);
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_does_not_make_room_for_another_hash() {
    let app = TestApp::with("[limits]\nenabled = false\nhash_queue = 4").await;
    let body = json!({"email": EMAIL, "password": "wrong"});
    for _ in 0..40 {
        let browser = app.browser();
        let request = browser.json_request("/api/auth/login", &body);
        let hung_up =
            tokio::time::timeout(std::time::Duration::from_micros(300), browser.send_without_keeping(request));
        drop(hung_up.await);
    }
    let mut browser = app.browser();
    let answer = browser.post_json("/api/auth/login", &body).await;
    assert!(matches!(answer.status.as_u16(), 401 | 503), "{}", answer.text);
    let processors = std::thread::available_parallelism().unwrap().get();
    assert!(app.app.hasher.memories() <= processors, "never more at once than there are processors");
}
