use crate::support::{EMAIL, TestApp};
use http::{Method, header};

#[tokio::test]
async fn signing_out_ends_the_session_and_clears_every_cookie() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let mut copy = browser.clone();
    let answer = browser.post("/api/auth/logout").await;
    assert_eq!(answer.status, 204);
    assert!(browser.jar.is_empty(), "{:?}", browser.jar);
    assert_eq!(copy.me().await.code(), "session_revoked");
    assert_eq!(copy.refresh().await.json()["reason"], "signed_out");
}

#[tokio::test]
async fn an_expired_but_well_signed_token_still_signs_out() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let token = browser.cookie("__Host-cf_access").unwrap();
    app.pass(3600);
    let mut late = app.browser();
    late.set_cookie("__Host-cf_access", "/", &token);
    assert_eq!(late.post("/api/auth/logout").await.status, 204);
    assert_eq!(browser.refresh().await.json()["reason"], "signed_out");
}

#[tokio::test]
async fn a_sign_out_by_the_refresh_cookie_ends_the_session_even_when_that_cookie_has_got_lost() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let mut half = app.browser();
    half.set_cookie("__Host-cf_access", "/", &browser.cookie("__Host-cf_access").unwrap());
    assert_eq!(half.delete("/api/auth/refresh").await.status, 204);
    assert!(half.jar.is_empty(), "it can name nothing any more");
    assert_eq!(browser.refresh().await.json()["reason"], "signed_out");
    // Or is of no use.
    let mut other = app.signed_in_again().await;
    let mut half = app.browser();
    half.set_cookie("__Host-cf_access", "/", &other.cookie("__Host-cf_access").unwrap());
    half.set_cookie("__Secure-cf_refresh", "/api/auth/refresh", "cfr_nobody_knows_this_one");
    assert_eq!(half.delete("/api/auth/refresh").await.status, 204);
    assert_eq!(other.refresh().await.json()["reason"], "signed_out");
}

#[tokio::test]
async fn signing_out_again_or_without_a_token_is_fine() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let copy = browser.clone();
    for mut again in [copy.clone(), copy] {
        assert_eq!(again.post("/api/auth/logout").await.status, 204);
    }
    assert_eq!(browser.delete("/api/auth/refresh").await.status, 204);
    assert_eq!(app.browser().post("/api/auth/logout").await.status, 204);
    assert_eq!(app.browser().delete("/api/auth/refresh").await.status, 204);
    assert_eq!(app.browser().post("/api/auth/logout-all").await.status, 204);
}

#[tokio::test]
async fn signing_out_everywhere_ends_every_session_of_the_user_and_nobody_elses() {
    let app = TestApp::new().await;
    let mut first = app.signed_in().await;
    let mut second = app.browser();
    second.sign_in(EMAIL).await;
    let mut stranger = app.browser();
    stranger.register("eve@example.com").await;
    stranger.sign_in("eve@example.com").await;
    assert_eq!(first.post("/api/auth/logout-all").await.status, 204);
    assert_eq!(second.me().await.code(), "session_revoked");
    assert_eq!(second.refresh().await.json()["reason"], "ended_by_you");
    assert_eq!(stranger.me().await.status, 200);
}

#[tokio::test]
async fn a_signed_out_sessions_token_cannot_sign_out_the_sessions_that_came_after() {
    let app = TestApp::new().await;
    let mut old = app.signed_in().await;
    let mut copy = old.clone();
    old.post("/api/auth/logout").await;
    old.sign_in(EMAIL).await;
    assert_eq!(copy.post("/api/auth/logout-all").await.status, 204);
    assert_eq!(old.me().await.status, 200);
}

#[tokio::test]
async fn s5_a_forged_token_signs_nobody_out() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let token = browser.cookie("__Host-cf_access").unwrap();
    let (at, other) = (token.len() - 20, if token.as_bytes()[token.len() - 20] == b'A' { "B" } else { "A" });
    let forged = format!("{}{other}{}", &token[..at], &token[at + 1..]);
    for path in ["/api/auth/logout", "/api/auth/logout-all"] {
        let mut stranger = app.browser();
        let mut request = stranger.request(Method::POST, path);
        request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {forged}").parse().unwrap());
        assert_eq!(stranger.send(request).await.status, 204);
    }
    assert_eq!(browser.me().await.status, 200);
}

#[tokio::test]
async fn csrf_1_a_get_never_signs_out() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    for path in ["/api/auth/logout", "/api/auth/logout-all", "/api/auth/refresh", "/api/auth/login"] {
        assert_eq!(browser.get(path).await.outcome(), (405, "method_not_allowed".into()), "{path}");
    }
    assert_eq!(browser.me().await.status, 200);
}

#[tokio::test]
async fn s1_a_client_that_hangs_up_on_its_sign_out_leaves_nothing_half_done() {
    let app = TestApp::new().await;
    for _ in 0..20 {
        let mut browser = if app.app.store.users(None, 1).await.unwrap().is_empty() {
            app.signed_in().await
        } else {
            let mut browser = app.browser();
            browser.sign_in(EMAIL).await;
            browser
        };
        let mut copy = browser.clone();
        assert_eq!(copy.me().await.status, 200);
        // The request is begun and then dropped, as when the connection breaks; the commit goes on by itself.
        let request = browser.request(Method::POST, "/api/auth/logout");
        let hung_up =
            tokio::time::timeout(std::time::Duration::from_micros(200), browser.send_without_keeping(request));
        drop(hung_up.await);
        assert_eq!(browser.post("/api/auth/logout").await.status, 204);
        assert_eq!(copy.me().await.outcome(), (401, "session_revoked".into()), "acknowledged is acknowledged");
    }
}

#[tokio::test]
async fn s1_other_cookies_of_the_host_do_not_keep_anybody_signed_in() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let mut copy = browser.clone();
    let cookies = browser.cookie_header("/").unwrap();
    let crowded = [b"theme=caf\xc3\xa9; ".as_slice(), cookies.as_bytes(), b"; other=", &vec![b'x'; 17_000]].concat();
    let with = |mut request: http::Request<axum::body::Body>| {
        request.headers_mut().insert(header::COOKIE, http::HeaderValue::from_bytes(&crowded).unwrap());
        request
    };
    assert_eq!(browser.send(with(app.browser().request(Method::GET, "/api/auth/me"))).await.status, 200);
    assert_eq!(browser.send(with(app.browser().request(Method::POST, "/api/auth/logout"))).await.status, 204);
    assert_eq!(copy.me().await.code(), "session_revoked");
}

#[tokio::test]
async fn s1_every_session_whose_cookie_is_cleared_has_ended() {
    let app = TestApp::with("[applications.classic]\nprofile = \"opaque\"").await;
    let mut browser = app.signed_in().await;
    let body = serde_json::json!({"email": EMAIL, "password": crate::support::PASSWORD, "client_id": "classic"});
    assert_eq!(browser.post_json("/api/auth/login", &body).await.status, 200);
    let both = browser.clone();
    assert_eq!(browser.post("/api/auth/logout").await.status, 204);
    assert!(browser.jar.is_empty());
    for kept in ["__Host-cf_access", "__Host-cf_session"] {
        let mut one = both.clone();
        one.jar.retain(|cookie| cookie.name == kept);
        assert_eq!(one.me().await.outcome(), (401, "session_revoked".into()), "{kept}");
    }
}
