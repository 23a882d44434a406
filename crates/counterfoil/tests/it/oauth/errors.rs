//! What both endpoints refuse, and how they say it.

use super::{FORM, credential, refusal, send};
use crate::control::ask;
use crate::support::{Answer, TestApp};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{Method, Request, header};
use serde_json::json;

const BOTH: [&str; 2] = ["/oauth/introspect", "/oauth/revoke"];
const ASSERTION: &str =
    "token=x&client_assertion=y&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn basic(name: &str, credential: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{credential}")))
}

/// TOK-2: the members and characters of an error; and that nobody keeps it.
fn well_formed(answer: &Answer) {
    let body = answer.json();
    assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["error", "error_description"], "{}", answer.text);
    let description = body["error_description"].as_str().unwrap();
    assert!(description.chars().all(|c| (' '..='~').contains(&c) && c != '"' && c != '\\'), "{description}");
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json");
}

fn challenges(answer: &Answer) -> Vec<&str> {
    answer.headers.get_all(header::WWW_AUTHENTICATE).iter().map(|value| value.to_str().unwrap()).collect()
}

#[tokio::test]
async fn int_1_tok_3_only_a_guards_credential_lets_in() {
    let app = TestApp::new().await;
    let known = credential(&app, "api.eu_1-a").await;
    let other = credential(&app, "other").await;
    let access = app.signed_in().await.cookie("__Host-cf_access").unwrap();
    let in_full = known.bytes().fold(String::new(), |all, byte| format!("{all}%{byte:02X}"));
    for good in [
        format!("Bearer {known}"),
        format!("bEARER {known}"),
        basic("api.eu_1-a", &known),
        basic("api.eu%5f1-a", &in_full),
        basic("api.eu_1-a", &known).replace("Basic", "basic"),
    ] {
        for path in BOTH {
            let answer = send(&app, path, &good, "token=x").await;
            assert_eq!(answer.status, 200, "{path} {good} {}", answer.text);
        }
    }
    let (bearer, basic_realm) = ("Bearer error=\"invalid_token\"", "Basic realm=\"counterfoil\", charset=\"UTF-8\"");
    let either = vec!["Bearer", basic_realm];
    for (bad, expected) in [
        (String::new(), either.clone()),
        ("Digest x".into(), either.clone()),
        (format!("Bearer {access}"), vec![bearer]),
        ("Bearer cfg_".into(), vec![bearer]),
        (format!("Bearer {}", &known[4..]), vec![bearer]),
        (format!("Bearer {known}A"), vec![bearer]),
        (basic("api.eu_1-a", &other), vec![basic_realm]),
        (basic("other", &known), vec![basic_realm]),
        (basic("", &known), vec![basic_realm]),
        (basic("api.eu_1-a", ""), vec![basic_realm]),
    ] {
        for path in BOTH {
            let answer = send(&app, path, &bad, &format!("token={access}")).await;
            assert_eq!(refusal(&answer), (401, "invalid_client".into()), "{path} {bad}");
            assert_eq!(challenges(&answer), expected, "{path} {bad}");
            well_formed(&answer);
        }
    }
    ask(&app, "DELETE", "/api/admin/guards/other", None).await;
    let gone = send(&app, BOTH[0], &format!("Bearer {other}"), "token=x").await;
    assert_eq!(refusal(&gone), (401, "invalid_client".into()), "taken back, at once");
}

#[tokio::test]
async fn bear_1_tok_3_two_credentials_or_a_malformed_one_are_no_request() {
    let app = TestApp::new().await;
    let known = credential(&app, "api").await;
    for malformed in
        ["Bearer", "Bearer ", &format!("Bearer  {known}"), &format!("Bearer {known} x"), "Basic !", "Basic YQ==", "x"]
    {
        for path in BOTH {
            let answer = send(&app, path, malformed, "token=x").await;
            assert_eq!(refusal(&answer), (400, "invalid_request".into()), "{path} {malformed}");
            well_formed(&answer);
        }
    }
    for path in BOTH {
        let bearer = format!("Bearer {known}");
        let twice = Request::post(path).header("content-type", FORM).header("authorization", &bearer);
        let twice = twice.header("authorization", &bearer).body("token=x".into()).unwrap();
        let answer = app.browser().send_without_keeping(twice).await;
        assert_eq!(refusal(&answer), (400, "invalid_request".into()), "{path}");
        for body in ["token=x&client_secret=y", ASSERTION] {
            assert_eq!(refusal(&send(&app, path, &bearer, body).await), (400, "invalid_request".into()), "{path}");
            let unsupported = send(&app, path, "", &format!("{body}&client_id=web")).await;
            assert_eq!(refusal(&unsupported), (401, "invalid_client".into()), "{path}: none of ours");
        }
    }
}

#[tokio::test]
async fn tok_5_bear_2_what_is_no_form_with_a_token_is_no_request() {
    let app = TestApp::new().await;
    let bearer = format!("Bearer {}", credential(&app, "api").await);
    let many = "x".repeat(64 * 1024 - 6);
    for (body, expected) in [
        (String::new(), 400),
        ("token=".into(), 400),
        ("token".into(), 400),
        ("Token=x".into(), 400),
        ("token=a&token=b".into(), 400),
        ("token=a&%74oken=a".into(), 400),
        ("token=a&x=1&x=2".into(), 400),
        ("token=%f".into(), 400),
        ("token=%ff".into(), 400),
        (json!({ "token": "x" }).to_string(), 400),
        (format!("token={many}"), 200),
        (format!("token={many}x"), 413),
    ] {
        for path in BOTH {
            let answer = send(&app, path, &bearer, &body).await;
            let start: String = body.chars().take(30).collect();
            assert_eq!(answer.status, expected, "{path} {start}");
            if expected != 200 {
                assert_eq!(answer.json()["error"], "invalid_request", "{path} {start}");
                well_formed(&answer);
            }
        }
    }
    for path in BOTH {
        let in_query = send(&app, &format!("{path}?token=x"), &bearer, "").await;
        assert_eq!(refusal(&in_query), (400, "invalid_request".into()), "never from the address");
        for content_type in ["", "application/json", "text/plain", "multipart/form-data", "application/x-www-form"] {
            let request = Request::post(path).header("content-type", content_type).header("authorization", &bearer);
            let answer = app.browser().send_without_keeping(request.body("token=x".into()).unwrap()).await;
            assert_eq!(refusal(&answer), (400, "invalid_request".into()), "{path} {content_type}");
        }
        let charset = Request::post(path).header("content-type", format!("{FORM}; charset=UTF-8"));
        let charset = charset.header("authorization", &bearer).body("token=x".into()).unwrap();
        assert_eq!(app.browser().send_without_keeping(charset).await.status, 200);
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let request = app.browser().request(method, path);
            assert_eq!(app.browser().send(request).await.outcome(), (405, "method_not_allowed".into()));
        }
    }
}

#[tokio::test]
async fn md_2_the_metadata_names_every_endpoint_and_how_to_call_them() {
    let app = TestApp::new().await;
    let metadata = app.browser().get("/.well-known/oauth-authorization-server").await.json();
    for (name, path, methods) in [
        ("introspection", BOTH[0], json!(["client_secret_basic", "Bearer"])),
        ("revocation", BOTH[1], json!(["client_secret_basic", "client_secret_post", "private_key_jwt", "none"])),
        ("token", "/oauth/token", json!(["client_secret_basic", "client_secret_post", "private_key_jwt"])),
    ] {
        assert_eq!(metadata[format!("{name}_endpoint")], format!("https://app.example.com{path}"));
        assert_eq!(metadata[format!("{name}_endpoint_auth_methods_supported")], methods);
    }
}
