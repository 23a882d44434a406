//! C1: nothing with side effects succeeds on the strength of a cookie alone.

use crate::support::{EMAIL, PASSWORD, TestApp};
use http::{HeaderName, Method, header};
use serde_json::json;

const WITH_COOKIE: [(&str, &str); 7] = [
    ("POST", "/api/auth/refresh"),
    ("DELETE", "/api/auth/refresh"),
    ("POST", "/api/auth/logout"),
    ("POST", "/api/auth/logout-all"),
    ("DELETE", "/api/auth/sessions"),
    ("DELETE", "/api/auth/sessions/AAAAAAAAAAAAAAAAAAAAAA"),
    ("POST", "/api/auth/password/change"),
];

/// What an attacker's page can make a browser say: (header, value or absent).
fn attacks() -> Vec<Vec<(HeaderName, Option<&'static str>)>> {
    let (site, origin) = (HeaderName::from_static("sec-fetch-site"), header::ORIGIN);
    let custom = HeaderName::from_static("x-requested-with");
    vec![
        vec![(site.clone(), Some("cross-site")), (origin.clone(), Some("https://evil.example"))],
        vec![(site.clone(), Some("same-site")), (origin.clone(), Some("https://evil.app.example.com"))],
        vec![(site.clone(), Some("same-site")), (origin.clone(), None)],
        vec![(site.clone(), Some("none")), (origin.clone(), None)],
        vec![(site.clone(), None), (origin.clone(), Some("null"))],
        vec![(site.clone(), None), (origin.clone(), Some("http://app.example.com"))],
        vec![(site.clone(), None), (origin.clone(), Some("https://app.example.com.evil.example"))],
        vec![(site, None), (origin, None)],
        vec![(custom, None)],
    ]
}

#[tokio::test]
async fn c1_every_endpoint_that_rests_on_a_cookie_refuses_every_foreign_request() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    for (method, path) in WITH_COOKIE {
        for attack in attacks() {
            let mut request = browser.json_request(path, &json!({"current_password": PASSWORD, "new_password": "x"}));
            *request.method_mut() = method.parse().unwrap();
            if path != "/api/auth/password/change" {
                *request.body_mut() = axum::body::Body::empty();
            }
            for (name, value) in &attack {
                request.headers_mut().remove(name);
                if let Some(value) = value {
                    request.headers_mut().insert(name, value.parse().unwrap());
                }
            }
            let answer = browser.send(request).await;
            assert_eq!(answer.outcome(), (403, "cross_site".into()), "{method} {path} {attack:?}");
            assert!(answer.set_cookies().is_empty());
        }
    }
    assert_eq!(browser.me().await.status, 200);
    assert!(browser.refresh().await.sets("__Secure-cf_refresh"), "the refresh token had not been spent");
}

#[tokio::test]
async fn csrf_4_signing_in_and_registering_from_elsewhere_is_refused_and_without_browser_headers_it_works() {
    let app = TestApp::new().await;
    let mut browser = app.browser();
    let body = json!({"email": EMAIL, "password": PASSWORD});
    for path in ["/api/auth/register", "/api/auth/login"] {
        let mut foreign = browser.json_request(path, &body);
        foreign.headers_mut().insert("sec-fetch-site", "cross-site".parse().unwrap());
        foreign.headers_mut().insert(header::ORIGIN, "https://evil.example".parse().unwrap());
        assert_eq!(browser.send(foreign).await.outcome(), (403, "cross_site".into()));
        let mut form = browser.json_request(path, &body);
        form.headers_mut().insert(header::CONTENT_TYPE, "application/x-www-form-urlencoded".parse().unwrap());
        assert_eq!(browser.send(form).await.outcome(), (415, "unsupported_media_type".into()));
        let mut curl = browser.json_request(path, &body);
        for name in ["sec-fetch-site", "origin", "x-requested-with"] {
            curl.headers_mut().remove(name);
        }
        assert!(browser.send(curl).await.status.is_success());
    }
}

#[tokio::test]
async fn a_listed_origin_may_send_cookies_and_gets_exact_cors_and_others_get_none() {
    let listed = "https://spa.example.com";
    let app = TestApp::with(&format!("[applications.spa]\nprofile = \"hybrid\"\norigins = [\"{listed}\"]")).await;
    let mut browser = app.signed_in().await;
    for (origin, status) in [(listed, 200), ("https://other.example.com", 403)] {
        let mut request = browser.request(Method::POST, "/api/auth/refresh");
        request.headers_mut().insert("sec-fetch-site", "same-site".parse().unwrap());
        request.headers_mut().insert(header::ORIGIN, origin.parse().unwrap());
        let answer = browser.send(request).await;
        assert_eq!(answer.status, status, "{origin}");
        let allowed = answer.headers.get(header::ACCESS_CONTROL_ALLOW_ORIGIN).map(|value| value.to_str().unwrap());
        assert_eq!(allowed, (status == 200).then_some(listed));
        let mut preflight = app.browser().request(Method::OPTIONS, "/api/auth/refresh");
        preflight.headers_mut().insert(header::ORIGIN, origin.parse().unwrap());
        preflight.headers_mut().insert(header::ACCESS_CONTROL_REQUEST_METHOD, "POST".parse().unwrap());
        let answer = browser.send(preflight).await;
        assert_eq!(answer.status, if status == 200 { 204 } else { 403 });
        assert_eq!(answer.headers.contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS), status == 200);
    }
}
