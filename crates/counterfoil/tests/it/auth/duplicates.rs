//! ATK-33, CK-DUP: two cookies of one name are healed, or refused; never a loop, never a guess.

use crate::support::TestApp;
use http::{Method, header};

#[tokio::test]
async fn of_two_access_cookies_the_one_that_verifies_counts_and_the_strays_are_expired() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let good = browser.cookie("__Host-cf_access").unwrap();
    for cookies in [
        format!("__Host-cf_access=stale; __Host-cf_access={good}"),
        format!("__Host-cf_access={good}; __Host-cf_access=stale"),
    ] {
        let mut request = browser.request(Method::GET, "/api/auth/me");
        request.headers_mut().insert(header::COOKIE, cookies.parse().unwrap());
        let answer = browser.send(request).await;
        assert_eq!(answer.status, 200);
        let healed = answer.set_cookies();
        assert!(
            healed.iter().any(|cookie| cookie.contains("Domain=example.com") && cookie.contains("Max-Age=0")),
            "{healed:?}"
        );
    }
    assert_eq!(browser.me().await.status, 200, "ours has been left alone");
}

#[tokio::test]
async fn two_that_both_verify_are_refused_and_all_expired() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let first = browser.cookie("__Host-cf_access").unwrap();
    browser.refresh().await;
    let second = browser.cookie("__Host-cf_access").unwrap();
    let mut request = browser.request(Method::GET, "/api/auth/me");
    let cookies = format!("__Host-cf_access={first}; __Host-cf_access={second}");
    request.headers_mut().insert(header::COOKIE, cookies.parse().unwrap());
    let answer = browser.send(request).await;
    assert_eq!(answer.outcome(), (401, "token_invalid".into()));
    assert_eq!(browser.cookie("__Host-cf_access"), None);
    assert_eq!(browser.refresh().await.status, 200, "no loop: the refresh cookie brings a new one");
}

#[tokio::test]
async fn of_two_refresh_cookies_a_stray_is_healed_and_two_of_ours_are_refused() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let first = browser.cookie("__Secure-cf_refresh").unwrap();
    let mut request = browser.request(Method::POST, "/api/auth/refresh");
    let cookies = format!("__Secure-cf_refresh=cfr_old; __Secure-cf_refresh={first}");
    request.headers_mut().insert(header::COOKIE, cookies.parse().unwrap());
    let answer = browser.send(request).await;
    assert_eq!(answer.status, 200);
    assert!(answer.set_cookies().iter().any(|cookie| cookie.contains("Path=/;") && cookie.contains("Max-Age=0")));
    let second = browser.cookie("__Secure-cf_refresh").unwrap();
    let mut request = browser.request(Method::POST, "/api/auth/refresh");
    let cookies = format!("__Secure-cf_refresh={second}; __Secure-cf_refresh={first}");
    request.headers_mut().insert(header::COOKIE, cookies.parse().unwrap());
    assert_eq!(browser.send(request).await.outcome(), (401, "refresh_invalid".into()));
    assert_eq!(browser.cookie("__Secure-cf_refresh"), None);
}

#[tokio::test]
async fn ck_57_look_alike_names_do_not_count() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    let good = browser.cookie("__Host-cf_access").unwrap();
    for cookies in [
        format!("__HOST-cf_access={good}"),
        format!("=__Host-cf_access={good}"),
        format!("__Host-cf_access=\"{good}\""),
    ] {
        let mut request = browser.request(Method::GET, "/api/auth/me");
        request.headers_mut().insert(header::COOKIE, cookies.parse().unwrap());
        assert_eq!(browser.send(request).await.outcome(), (401, "token_missing".into()), "{cookies}");
    }
}
