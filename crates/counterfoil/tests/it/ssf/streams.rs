//! Streams are made, changed and removed by whose they are, and by nobody else.

use super::{CAEP, Hub, ON, POLL, PUSH, words};
use crate::control::ask;
use crate::oauth::{audit, sign_in_to};
use crate::support::{EMAIL, TestApp};
use http::{Method, StatusCode};
use serde_json::{Value, json};

#[tokio::test]
async fn ssf_meta_says_what_there_is_and_where() {
    let app = TestApp::with(ON).await;
    let meta = app.browser().get("/.well-known/ssf-configuration").await;
    assert_eq!(meta.status, 200);
    let meta = meta.json();
    let issuer = app.app.public.issuer();
    assert_eq!(meta["spec_version"], "1_0");
    assert_eq!(meta["issuer"], issuer);
    assert_eq!(meta["jwks_uri"], format!("{issuer}/.well-known/jwks.json"));
    assert_eq!(meta["delivery_methods_supported"], json!([PUSH, POLL]));
    assert_eq!(meta["authorization_schemes"], json!([{ "spec_urn": "urn:ietf:rfc:6749" }]));
    assert_eq!(meta["default_subjects"], "ALL");
    for (member, path) in [
        ("configuration_endpoint", "/ssf/streams"),
        ("status_endpoint", "/ssf/status"),
        ("add_subject_endpoint", "/ssf/subjects/add"),
        ("remove_subject_endpoint", "/ssf/subjects/remove"),
        ("verification_endpoint", "/ssf/verify"),
    ] {
        assert_eq!(meta[member], format!("{issuer}{path}"), "{member}");
    }
    let off = TestApp::new().await;
    assert_eq!(off.browser().get("/.well-known/ssf-configuration").await.outcome(), (404, "not_found".into()));
    let hub = Hub { app: &off, token: "x".into() };
    assert_eq!(hub.send("GET", "/ssf/streams", &Value::Null).await.outcome(), (404, "not_found".into()));
}

#[tokio::test]
async fn a_stream_is_made_read_changed_said_anew_and_removed() {
    let app = TestApp::with(ON).await;
    let hub = Hub::new(&app).await;
    let revoked = format!("{CAEP}session-revoked");
    let wanted = json!({
        "delivery": { "method": PUSH, "endpoint_url": "https://receiver.example.com/events?x=1", "authorization_header": "Bearer very-secret" },
        "events_requested": [revoked, "https://example.com/unknown"], "description": "of the hub",
    });
    let made = hub.stream(wanted).await;
    assert_eq!((&made["iss"], &made["aud"]), (&json!(app.app.public.issuer()), &json!("hub")));
    assert_eq!(made["delivery"], json!({ "method": PUSH, "endpoint_url": "https://receiver.example.com/events?x=1" }));
    assert_eq!(made["events_delivered"], json!([revoked]));
    assert_eq!(made["events_supported"].as_array().unwrap().len(), 7);
    let id = made["stream_id"].as_str().unwrap();
    let at = format!("/ssf/streams?stream_id={id}");
    assert_eq!(hub.send("GET", &at, &Value::Null).await.json(), made);
    assert_eq!(hub.send("GET", "/ssf/streams", &Value::Null).await.json(), json!([made]));
    let changed = hub.send("PATCH", "/ssf/streams", &json!({ "stream_id": id, "description": "renamed" })).await.json();
    assert_eq!(
        (&changed["description"], &changed["delivery"]),
        (&json!("renamed"), &made["delivery"]),
        "the rest stays"
    );
    let anew =
        hub.send("PUT", "/ssf/streams", &json!({ "stream_id": id, "iss": app.app.public.issuer() })).await.json();
    assert_eq!((&anew["description"], &anew["delivery"]["method"]), (&Value::Null, &json!(POLL)), "the rest goes");
    assert_eq!(anew["events_delivered"], anew["events_supported"]);
    assert_eq!(hub.send("DELETE", &at, &Value::Null).await.status, 204);
    assert_eq!(hub.send("DELETE", &at, &Value::Null).await.status, 404);
    assert_eq!(hub.send("GET", &at, &Value::Null).await.status, 404);
    let written: Vec<_> =
        audit(&app).await.into_iter().filter(|line| line["event"].as_str().unwrap().starts_with("stream_")).collect();
    let events: Vec<_> = written.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(events, ["stream_removed", "stream_changed", "stream_changed", "stream_added"]);
    assert!(written.iter().all(|line| line["detail"].as_str().unwrap().starts_with(&format!("hub {id} "))));
    assert!(!format!("{written:?}").contains("very-secret"));
}

#[tokio::test]
async fn nobody_sees_or_changes_the_stream_of_another() {
    let app = TestApp::with(ON).await;
    let (hub, other) = (Hub::new(&app).await, Hub::of(&app, "other", "ssf.manage+ssf.read").await);
    let stream = hub.stream(json!({})).await;
    let id = stream["stream_id"].as_str().unwrap();
    let subject = json!({ "format": "iss_sub", "iss": app.app.public.issuer(), "sub": "AAAAAAAAAAAAAAAAAAAAAA" });
    assert_eq!(other.send("GET", "/ssf/streams", &Value::Null).await.json(), json!([]));
    for (method, path, body) in [
        ("GET", format!("/ssf/streams?stream_id={id}"), Value::Null),
        ("PATCH", "/ssf/streams".into(), json!({ "stream_id": id, "description": "mine" })),
        ("PUT", "/ssf/streams".into(), json!({ "stream_id": id })),
        ("DELETE", format!("/ssf/streams?stream_id={id}"), Value::Null),
        ("GET", format!("/ssf/status?stream_id={id}"), Value::Null),
        ("POST", "/ssf/status".into(), json!({ "stream_id": id, "status": "disabled" })),
        ("POST", "/ssf/subjects/add".into(), json!({ "stream_id": id, "subject": subject })),
        ("POST", "/ssf/subjects/remove".into(), json!({ "stream_id": id, "subject": subject })),
        ("POST", "/ssf/verify".into(), json!({ "stream_id": id })),
        ("POST", format!("/ssf/poll/{id}"), json!({ "returnImmediately": true })),
    ] {
        assert_eq!(other.send(method, &path, &body).await.outcome(), (404, "not_found".into()), "{method} {path}");
    }
    assert_eq!(hub.send("GET", "/ssf/streams", &Value::Null).await.json(), json!([stream]), "nothing has changed");
}

/// ATK-23: what opens a stream is a token of a service, for this very resource, that says so.
#[tokio::test]
async fn a_token_must_be_a_services_for_this_and_say_so() {
    let config = format!("{ON}api = []\n[resources.api]\nscopes = []\n");
    let app = TestApp::with(&config).await;
    let reader = Hub::of(&app, "hub", "ssf.manage+ssf.read").await;
    reader.stream(json!({})).await;
    let (_, made) = ask(&app, "POST", "/api/admin/clients/hub/renew", Some(json!({}))).await;
    let secret = made["client_secret"].as_str().unwrap();
    let form =
        format!("grant_type=client_credentials&client_id=hub&client_secret={secret}&scope=ssf.read&audience=ssf");
    let token = crate::oauth::send(&app, "/oauth/token", "", &form).await.json()["access_token"].clone();
    let reader = Hub { app: &app, token: token.as_str().unwrap().to_owned() };
    assert_eq!(reader.send("GET", "/ssf/streams", &Value::Null).await.status, 200);
    let refused = reader.send("POST", "/ssf/streams", &json!({})).await;
    assert_eq!(refused.outcome(), (403, "forbidden".into()));
    assert!(refused.text.contains("ssf.manage"));
    let with = |token: &str| Hub { app: &app, token: token.to_owned() };
    let (web, _) = sign_in_to(&app, "web").await;
    let access = web.cookie("__Host-cf_access").unwrap();
    assert_eq!(with(&access).send("GET", "/ssf/streams", &Value::Null).await.outcome(), (401, "token_invalid".into()));
    assert_eq!(with("x").send("GET", "/ssf/streams", &Value::Null).await.outcome(), (401, "token_invalid".into()));
    let cookie = web.request(Method::GET, "/ssf/streams");
    assert_eq!(web.send_without_keeping(cookie).await.outcome(), (401, "token_missing".into()), "no cookie opens it");
    // Its credential has been taken back: the token that it still has opens nothing.
    assert_eq!(ask(&app, "POST", "/api/admin/clients/hub/revoke", None).await.0, 204);
    assert_eq!(app.app.store.streams().await.unwrap(), [], "nor is anything told to it");
    let over = reader.send("GET", "/ssf/streams", &Value::Null).await;
    assert_eq!(over.outcome(), (401, "session_revoked".into()));
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_changes_nothing() {
    let app = TestApp::with(ON).await;
    let hub = Hub::new(&app).await;
    let push = |url: &str| json!({ "delivery": { "method": PUSH, "endpoint_url": url } });
    let header = json!({ "delivery": {
        "method": PUSH, "endpoint_url": "https://receiver.example.com/", "authorization_header": "a\r\nx-user-id: root" } });
    for (wanted, says) in [
        // Somebody would have this server send requests wherever they like.
        (push("https://metadata.internal/"), "https://receiver.example.com"),
        (push("http://receiver.example.com/"), "https://receiver.example.com"),
        (push("https://receiver.example.com.evil.example/"), "https://receiver.example.com"),
        (push("https://receiver.example.com:8443/"), "https://receiver.example.com"),
        (push("https://user@receiver.example.com/"), "credentials"),
        (push("file:///etc/passwd"), "endpoint_url"),
        (json!({ "delivery": { "method": PUSH } }), "endpoint_url"),
        (json!({ "delivery": { "method": "urn:example:pigeon" } }), "urn:ietf:rfc:8935"),
        (header, "authorization_header"),
        (json!({ "description": "a\nb" }), "control"),
        (json!({ "description": "x".repeat(600) }), "512"),
        (json!({ "events_requested": vec!["x"; 65] }), "64"),
        (json!({ "stream_id": "AAAAAAAAAAAAAAAAAAAAAA" }), "PATCH"),
        (json!({ "iss": "https://other.example.com" }), "iss"),
        (json!({ "delivery": "poll" }), "members and types"),
    ] {
        let answer = hub.send("POST", "/ssf/streams", &wanted).await;
        assert_eq!(answer.outcome(), (400, "malformed".into()), "{wanted}");
        assert!(answer.text.contains(says), "{wanted}: {}", answer.text);
    }
    assert_eq!(hub.send("GET", "/ssf/streams", &Value::Null).await.json(), json!([]));
    let id = hub.stream(json!({})).await["stream_id"].clone();
    for (path, body) in [
        ("/ssf/status", json!({ "stream_id": id, "status": "asleep" })),
        ("/ssf/status", json!({ "stream_id": id, "status": "paused", "reason": "\u{1b}[2J" })),
        ("/ssf/verify", json!({ "stream_id": id, "state": "x".repeat(600) })),
        ("/ssf/subjects/add", json!({ "stream_id": id, "subject": "ada" })),
        ("/ssf/subjects/add", json!({ "stream_id": id, "subject": { "format": "email", "email": EMAIL } })),
        (
            "/ssf/subjects/add",
            json!({ "stream_id": id, "subject": { "format": "iss_sub", "iss": "https://other.example.com", "sub": "x" } }),
        ),
    ] {
        assert_eq!(hub.send("POST", path, &body).await.outcome(), (400, "malformed".into()), "{path} {body}");
    }
    let big = json!({ "stream_id": id, "description": "x".repeat(70_000) });
    assert_eq!(hub.send("PATCH", "/ssf/streams", &big).await.outcome(), (413, "too_large".into()));
}

#[tokio::test]
async fn there_is_an_end_to_streams() {
    let app = TestApp::with(ON).await;
    let hub = Hub::new(&app).await;
    for _ in 0..10 {
        hub.stream(json!({})).await;
    }
    assert_eq!(hub.send("POST", "/ssf/streams", &json!({})).await.outcome(), (409, "stream_limit".into()));
    let other = Hub::of(&app, "other", "ssf.manage").await;
    other.stream(json!({})).await;
}

#[tokio::test]
async fn an_administrator_sees_streams_pauses_them_and_their_receiver_is_told() {
    let app = TestApp::with(ON).await;
    let hub = Hub::new(&app).await;
    let stream = hub.stream(json!({ "description": "of the hub" })).await;
    let id = stream["stream_id"].as_str().unwrap();
    let (_, list) = ask(&app, "GET", "/api/admin/streams", None).await;
    let shown = &list["streams"][0];
    assert_eq!(
        (&shown["stream_id"], &shown["client_id"], &shown["delivery"]),
        (&json!(id), &json!("hub"), &json!("poll"))
    );
    let status = format!("/api/admin/streams/{id}/status");
    let paused = ask(&app, "POST", &status, Some(json!({ "status": "paused", "reason": "night" }))).await;
    assert_eq!(paused, (200, json!({ "stream_id": id, "status": "paused", "reason": "night" })));
    sign_in_to(&app, "web").await.0.post("/api/auth/logout-all").await;
    let told = hub.drain(&stream).await;
    assert_eq!(words(&told), ["stream-updated"], "and nothing else while it is paused");
    assert_eq!(super::event(&told[0]).1, json!({ "status": "paused", "reason": "night" }));
    assert_eq!(told[0]["sub_id"], json!({ "format": "opaque", "id": id }));
    assert_eq!(ask(&app, "POST", &status, Some(json!({ "status": "enabled" }))).await.0, 200);
    assert_eq!(words(&hub.drain(&stream).await), ["session-revoked", "stream-updated"]);
    assert_eq!(ask(&app, "POST", &status, Some(json!({ "status": "gone" }))).await.0, 400);
    assert_eq!(ask(&app, "DELETE", &format!("/api/admin/streams/{id}"), None).await.0, 204);
    assert_eq!(ask(&app, "DELETE", &format!("/api/admin/streams/{id}"), None).await.0, 404);
    assert_eq!(hub.send("GET", "/ssf/streams", &Value::Null).await.json(), json!([]));
}

/// A dump of the store shows no receiver's secret.
#[tokio::test]
async fn s6_what_a_receiver_wants_to_find_in_authorization_lies_sealed_and_is_not_shown() {
    let app = TestApp::with(ON).await;
    let hub = Hub::new(&app).await;
    let secret = "Bearer 0123456789abcdef-very-secret";
    let push =
        json!({ "method": PUSH, "endpoint_url": "https://receiver.example.com/", "authorization_header": secret });
    let made = hub.send("POST", "/ssf/streams", &json!({ "delivery": push })).await;
    assert!(made.status == StatusCode::CREATED && !made.text.contains("very-secret"));
    let kept = app.app.store.streams().await.unwrap();
    let sealed = kept[0].sealed.clone().unwrap();
    assert!(!sealed.windows(11).any(|window| window == b"very-secret"));
    assert!(!format!("{kept:?}").contains("receiver.example.com"), "nor the address in a log");
    let (_, list) = ask(&app, "GET", "/api/admin/streams", None).await;
    assert!(!list.to_string().contains("very-secret"));
    // A new delivery takes it along.
    let id = made.json()["stream_id"].clone();
    hub.send("PATCH", "/ssf/streams", &json!({ "stream_id": id, "delivery": { "method": POLL } })).await;
    assert!(app.app.store.streams().await.unwrap()[0].sealed.is_none());
}
