//! Bodies that no address takes: the addresses come from the contract itself, so that a new one is tried without being named here.

use crate::control::ask;
use crate::support::{Browser, PASSWORD, TestApp};
use axum::body::Body;
use counterfoil::http::openapi_document;
use http::{Method, header};
use serde_json::{Value, json};

const TEN_MEGABYTES: usize = 10 * 1024 * 1024;

/// Every address of `/api/auth` and `/api/admin` that takes this method, and the fields of its body.
fn addresses(method: &str) -> Vec<(String, Vec<String>)> {
    let contract: Value = serde_json::from_str(&openapi_document()).unwrap();
    let of = |path: &str, operation: &Value| {
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"]["$ref"];
        let name = schema.as_str().and_then(|name| name.rsplit('/').next()).unwrap_or_default();
        let fields = contract["components"]["schemas"][name]["properties"].as_object();
        let fields = fields.map(|fields| fields.keys().cloned().collect()).unwrap_or_default();
        (path.replace("{id}", "AAAAAAAAAAAAAAAAAAAAAA").replace(['{', '}'], ""), fields)
    };
    let paths = contract["paths"].as_object().unwrap();
    let ours = paths.iter().filter(|(path, _)| path.starts_with("/api/auth/") || path.starts_with("/api/admin/"));
    ours.filter_map(|(path, item)| item.get(method).map(|operation| of(path, operation))).collect()
}

async fn administrator(app: &TestApp) -> Browser {
    let made = json!({"email": "root@example.com", "password": PASSWORD, "roles": ["admin"]});
    assert_eq!(ask(app, "POST", "/api/admin/users", Some(made)).await.0, 201);
    let mut browser = app.browser();
    browser.sign_in("root@example.com").await;
    browser
}

/// How it all stands, as far as anybody could have changed it.
async fn standing(app: &TestApp, browser: &Browser) -> (i64, Value, u16) {
    let (_, users) = ask(app, "GET", "/api/admin/users", None).await;
    let me = browser.send_without_keeping(browser.request(Method::GET, "/api/auth/me")).await;
    (app.app.store.newest().await.unwrap(), users, me.status.as_u16())
}

#[tokio::test]
async fn a_field_of_ten_megabytes_is_413_at_every_address_and_changes_nothing() {
    let app = TestApp::with("[limits]\nenabled = false").await;
    let browser = administrator(&app).await;
    let before = standing(&app, &browser).await;
    let huge = "a".repeat(TEN_MEGABYTES);
    let (mut tried, mut wrong) = (0, Vec::new());
    for method in ["post", "put", "patch"] {
        for (path, mut fields) in addresses(method) {
            // Where no body is expected one may be sent all the same.
            fields.push("field".to_owned());
            for field in &fields {
                let mut request = browser.json_request(&path, &json!({}));
                *request.method_mut() = method.to_uppercase().parse().unwrap();
                *request.body_mut() = Body::from(format!("{{\"{field}\":\"{huge}\"}}"));
                let length = (TEN_MEGABYTES + field.len() + 7).to_string();
                request.headers_mut().insert(header::CONTENT_LENGTH, length.parse().unwrap());
                let answer = browser.send_without_keeping(request).await;
                if answer.outcome() != (413, "too_large".into()) {
                    wrong.push(format!("{method} {path} {field}: {:?}", answer.outcome()));
                }
                tried += 1;
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tried >= 60, "{tried}");
    assert_eq!(standing(&app, &browser).await, before, "nothing has changed");
}

/// The same without a length in front: whoever reads it stops, and whoever reads none never does.
#[tokio::test]
async fn a_body_of_unknown_length_is_cut_where_it_is_too_long() {
    let app = TestApp::with("[limits]\nenabled = false").await;
    let browser = administrator(&app).await;
    let mut tried = 0;
    for (path, fields) in addresses("post").into_iter().filter(|(_, fields)| !fields.is_empty()) {
        let part = format!("{{\"{}\":\"{}", fields[0], "a".repeat(200 * 1024));
        let parts: Vec<Result<String, std::convert::Infallible>> = (0..60).map(|_| Ok(part.clone())).collect();
        let mut request = browser.json_request(&path, &json!({}));
        *request.body_mut() = Body::from_stream(futures_util::stream::iter(parts));
        let answer = browser.send_without_keeping(request).await;
        assert_eq!(answer.outcome(), (413, "too_large".into()), "{path}");
        tried += 1;
    }
    assert!(tried >= 20, "{tried}");
}
