//! `/.well-known/*`, `/healthz`, `/readyz`, `/metrics`, `/openapi.json`.

use crate::support::TestApp;
use counterfoil_guard::{KeySet, Timestamp, Verifier};
use http::{Method, header};
use serde_json::Value;

#[tokio::test]
async fn jwk_9_the_key_set_is_public_cacheable_and_verifies_tokens_offline() {
    let app = TestApp::new().await;
    let browser = app.signed_in().await;
    let answer = app.browser().get("/.well-known/jwks.json").await;
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/jwk-set+json");
    assert_eq!(answer.headers[header::CACHE_CONTROL], "public, max-age=300");
    let keys = answer.json();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2, "the active one, and the next one published ahead");
    assert!(!answer.text.contains("\"d\""));
    let set = KeySet::from_jwks(answer.text.as_bytes()).unwrap();
    let verifier = Verifier::new("https://app.example.com", "web", set);
    let token = browser.cookie("__Host-cf_access").unwrap();
    assert!(verifier.verify(&token, Timestamp::from_seconds(1_800_000_001)).is_ok());

    let mut again = app.browser();
    let mut request = again.request(Method::GET, "/.well-known/jwks.json");
    request.headers_mut().insert(header::IF_NONE_MATCH, answer.headers[header::ETAG].clone());
    assert_eq!(again.send(request).await.status, 304);
}

#[tokio::test]
async fn md_1_md_2_the_metadata_names_the_issuer_and_only_what_is_there() {
    let app = TestApp::new().await;
    let metadata = app.browser().get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(metadata["issuer"], "https://app.example.com");
    assert_eq!(metadata["jwks_uri"], "https://app.example.com/.well-known/jwks.json");
    assert_eq!(metadata["authorization_endpoint"], Value::Null);
}

#[tokio::test]
async fn healthy_ready_and_measured() {
    let app = TestApp::new().await;
    assert_eq!(app.browser().get("/healthz").await.status, 200);
    assert_eq!(app.browser().get("/readyz").await.status, 200);
    assert_eq!(app.browser().get("/metrics").await.outcome(), (403, "forbidden".into()), "not from everywhere");
    let mut local = app.browser();
    local.peer = "127.0.0.1".parse().unwrap();
    let page = local.get("/metrics").await;
    assert_eq!(page.status, 200);
    let mut through_a_proxy = local.request(Method::GET, "/metrics");
    through_a_proxy.headers_mut().insert("x-forwarded-for", "198.51.100.1".parse().unwrap());
    assert_eq!(local.send(through_a_proxy).await.outcome(), (403, "forbidden".into()), "a proxy's address is not lent");
}

#[tokio::test]
async fn every_answer_carries_the_security_headers_and_api_answers_are_not_stored() {
    let app = TestApp::new().await;
    for path in ["/login", "/api/auth/me", "/nowhere", "/openapi.json"] {
        let headers = app.browser().get(path).await.headers;
        let page = path == "/login";
        assert!(headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap().starts_with("default-src 'none'"), "{path}");
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert!(headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap().contains("frame-ancestors 'none'"));
        assert_eq!(headers.contains_key(header::X_FRAME_OPTIONS), page);
        assert_eq!(headers.contains_key(header::REFERRER_POLICY), page);
        assert_eq!(headers[header::STRICT_TRANSPORT_SECURITY], "max-age=31536000");
    }
    assert_eq!(app.browser().get("/api/auth/me").await.headers[header::CACHE_CONTROL], "no-store");
}

#[tokio::test]
async fn the_contract_names_every_route_and_its_committed_copy_is_current() {
    let app = TestApp::new().await;
    let served = app.browser().get("/openapi.json").await;
    let committed = include_str!("../../../../docs/reference/openapi.json");
    assert!(served.text == committed, "run `make docs`");
    let source = include_str!("../../src/http/router.rs");
    let paths = served.json()["paths"].as_object().unwrap().clone();
    let routes = source.lines().filter_map(|line| line.trim().strip_prefix(".route(\"")?.split('"').next());
    for route in routes.filter(|route| route.starts_with("/api") || route.starts_with("/.well-known")) {
        assert!(paths.contains_key(route), "{route} is not in the contract");
    }
}
