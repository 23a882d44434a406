//! The hosted pages, as far as they can be judged without a browser; `tests/browser` has the rest.

use crate::support::TestApp;
use http::header;

#[tokio::test]
async fn pages_are_html_with_versioned_assets_that_may_be_kept() {
    let app = TestApp::new().await;
    for path in ["/login", "/register", "/account"] {
        let page = app.browser().get(path).await;
        assert_eq!(page.status, 200);
        assert!(page.headers[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/html"));
        assert!(!page.text.contains("<script>") && !page.text.contains(" style=") && !page.text.contains(" onclick="));
        let start = page.text.find("/assets/").unwrap();
        let asset: String = page.text[start..].chars().take_while(|c| *c != '"').collect();
        let asset = app.browser().get(&asset).await;
        assert_eq!(asset.status, 200);
        assert!(asset.headers[header::CACHE_CONTROL].to_str().unwrap().contains("immutable"));
    }
    assert_eq!(app.browser().get("/assets/..%2Fsrc%2Fmain.rs").await.outcome(), (404, "not_found".into()));
    assert_eq!(app.browser().get("/").await.headers[header::LOCATION], "/account");
}

#[tokio::test]
async fn atk40_a_sign_in_leads_to_a_path_of_this_host_only() {
    let app = TestApp::new().await;
    for (given, target) in [
        ("/inbox?folder=1", "/inbox?folder=1"),
        ("//evil.example", "/account"),
        ("/%5Cevil.example", "/account"),
        ("https://evil.example", "/account"),
        ("javascript:alert(1)", "/account"),
        ("/%09/evil.example", "/account"),
    ] {
        let encoded = given.replace('?', "%3F").replace('&', "%26");
        let page = app.browser().get(&format!("/login?redirect={encoded}")).await;
        assert!(page.text.contains(&format!("data-redirect=\"{target}\"")), "{given}: {}", page.text);
    }
}

#[tokio::test]
async fn what_a_stranger_puts_into_the_address_is_not_markup() {
    let app = TestApp::new().await;
    let page = app.browser().get("/register?invite=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E").await;
    assert!(!page.text.contains("alert(1)"));
}
