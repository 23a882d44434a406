//! Token Status Lists, as they are served and as tokens point to them.

use crate::control::ask;
use crate::oauth::{send, sign_in_to};
use crate::support::{Answer, Browser, PASSWORD, TestApp};
use counterfoil::clock::Clock as _;
use counterfoil::flow::publish_status::publish;
use counterfoil_guard::{Clocks, KeySet, Refusal, StatusLists, Verdict, Verifier, base64url_decode};
use flate2::read::{GzDecoder, ZlibDecoder};
use http::{Method, header};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use std::io::Read as _;
use tower::ServiceExt as _;

const ON: &str =
    "[applications.web]\nstatus_list = true\n[applications.phone]\nprofile = \"native\"\n[status_lists]\nsize = 1024";

/// What a token or a list says.
fn said(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&base64url_decode(payload).unwrap()).unwrap()
}

/// Where the token of a browser says that its status is.
fn place(browser: &Browser) -> (usize, String) {
    let token = said(&browser.cookie("__Host-cf_access").unwrap());
    let place = &token["status"]["status_list"];
    (usize::try_from(place["idx"].as_u64().unwrap()).unwrap(), place["uri"].as_str().unwrap().to_owned())
}

async fn list(app: &TestApp, headers: &[(header::HeaderName, &str)]) -> Answer {
    let browser = app.browser();
    let mut request = browser.request(Method::GET, "/status-lists/1");
    for (name, value) in headers {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    browser.send_without_keeping(request).await
}

/// The statuses in a list, one byte each.
pub(crate) fn statuses(list: &str) -> Vec<u8> {
    let said = said(list);
    assert_eq!(said["status_list"]["bits"], 1);
    let compressed = base64url_decode(said["status_list"]["lst"].as_str().unwrap()).unwrap();
    let mut bytes = Vec::new();
    ZlibDecoder::new(compressed.as_slice()).read_to_end(&mut bytes).unwrap();
    bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1)).collect()
}

async fn status_of(app: &TestApp, (index, uri): &(usize, String)) -> u8 {
    publish(&app.app).await.unwrap();
    let list = list(app, &[]).await;
    assert_eq!(said(&list.text)["sub"], uri.as_str());
    statuses(&list.text)[*index]
}

async fn somebody(app: &TestApp, email: &str) -> Browser {
    let made = json!({ "email": email, "password": PASSWORD, "roles": [] });
    assert_eq!(ask(app, "POST", "/api/admin/users", Some(made)).await.0, 201);
    let mut browser = app.browser();
    browser.sign_in(email).await;
    browser
}

#[tokio::test]
async fn tsl_6_2_tokens_of_an_audience_that_wants_it_say_where_their_status_is() {
    let app = TestApp::with(ON).await;
    let mut ada = app.signed_in().await;
    let before = place(&ada);
    assert_eq!(before.1, format!("{}/status-lists/1", app.app.public.issuer()));
    ada.refresh().await;
    assert_eq!(place(&ada), before, "one bit a session");
    let (_, phone) = sign_in_to(&app, "phone").await;
    assert_eq!(said(phone["access_token"].as_str().unwrap())["status"], Value::Null, "it has not asked for it");
    // TSL-13: nobody can tell from their own place whose the next one is.
    let mut places = Vec::new();
    for n in 0..6 {
        places.push(place(&somebody(&app, &format!("{n}@example.com")).await).0);
    }
    let steps: std::collections::BTreeSet<_> = places.windows(2).map(|two| two[1].wrapping_sub(two[0])).collect();
    assert!(steps.len() > 1, "{places:?}");
}

#[tokio::test]
async fn a_session_that_has_ended_is_invalid_until_none_of_its_tokens_can_be_alive() {
    let app = TestApp::with(ON).await;
    let (mut ada, bob) = (app.signed_in().await, somebody(&app, "bob@example.com").await);
    let (hers, his) = (place(&ada), place(&bob));
    assert_eq!((status_of(&app, &hers).await, status_of(&app, &his).await), (0, 0));
    assert_eq!(ada.post("/api/auth/logout").await.status, 204);
    assert_eq!((status_of(&app, &hers).await, status_of(&app, &his).await), (1, 0));
    app.pass(15 * 60);
    assert_eq!(status_of(&app, &hers).await, 1);
    app.pass(60);
    assert_eq!(status_of(&app, &hers).await, 0, "nobody has a token that could be looked up");
}

#[tokio::test]
async fn whoever_asks_before_it_is_published_is_told_of_what_has_been_revoked_all_the_same() {
    let app = TestApp::with(ON).await;
    let mut ada = app.signed_in().await;
    let hers = place(&ada);
    assert_eq!(status_of(&app, &hers).await, 0);
    assert_eq!(ada.post("/api/auth/logout").await.status, 204);
    // Not more often than once a second.
    assert_eq!(statuses(&list(&app, &[]).await.text)[hers.0], 0);
    app.pass(1);
    assert_eq!(statuses(&list(&app, &[]).await.text)[hers.0], 1);
}

#[tokio::test]
async fn changed_roles_make_the_old_tokens_invalid_and_not_the_new_ones() {
    let app = TestApp::with(ON).await;
    let mut ada = app.signed_in().await;
    let id = ada.me().await.json()["user"]["id"].as_str().unwrap().to_owned();
    let before = place(&ada);
    let roles = json!({ "roles": ["editor"] });
    assert_eq!(ask(&app, "PUT", &format!("/api/admin/users/{id}/roles"), Some(roles)).await.0, 204);
    app.pass(31);
    ada.refresh().await;
    let after = place(&ada);
    assert_ne!(before, after);
    assert_eq!((status_of(&app, &before).await, status_of(&app, &after).await), (1, 0));
    assert_eq!(ada.post("/api/auth/logout").await.status, 204);
    assert_eq!((status_of(&app, &before).await, status_of(&app, &after).await), (1, 1));
}

#[tokio::test]
async fn tsl_5_1a_tsl_8_2_a_list_says_what_it_must_and_may_be_kept() {
    let app = TestApp::with(ON).await;
    app.signed_in().await;
    publish(&app.app).await.unwrap();
    let first = list(&app, &[]).await;
    assert_eq!(first.status, 200);
    let header = |answer: &Answer, name: &str| answer.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    assert_eq!(header(&first, "content-type").as_deref(), Some("application/statuslist+jwt"));
    assert_eq!(header(&first, "cache-control").as_deref(), Some("public, max-age=60"));
    assert_eq!(header(&first, "access-control-allow-origin").as_deref(), Some("*"));
    let head: Value =
        serde_json::from_slice(&base64url_decode(first.text.split('.').next().unwrap()).unwrap()).unwrap();
    assert_eq!(head["typ"], "statuslist+jwt");
    let claims = said(&first.text);
    let now = app.clock.now().as_seconds();
    assert_eq!((&claims["iat"], &claims["ttl"], &claims["exp"]), (&json!(now), &json!(60), &json!(now + 180)));
    assert_eq!(statuses(&first.text), [0; 1024]);

    let etag = header(&first, "etag").unwrap();
    assert!(etag.starts_with("W/\""), "the same compressed or not: {etag}");
    for tags in [etag.clone(), format!("\"other\", {}", &etag[2..]), "*".into()] {
        assert_eq!(list(&app, &[(header::IF_NONE_MATCH, &tags)]).await.status, 304, "{tags}");
    }
    assert_eq!(list(&app, &[(header::IF_NONE_MATCH, "\"other\"")]).await.status, 200);
    app.pass(20);
    publish(&app.app).await.unwrap();
    let kept = list(&app, &[(header::IF_NONE_MATCH, &etag)]).await;
    assert_eq!((kept.status.as_u16(), header(&kept, "cache-control").as_deref()), (304, Some("public, max-age=40")));
    // Before it gets old it is signed anew.
    app.pass(10);
    publish(&app.app).await.unwrap();
    assert_eq!(list(&app, &[(header::IF_NONE_MATCH, &etag)]).await.status, 200);

    let plain = list(&app, &[(header::ACCEPT_ENCODING, "gzip;q=0, br")]).await;
    assert_eq!(header(&plain, "content-encoding"), None);
    let browser = app.browser();
    let mut request = browser.request(Method::GET, "/status-lists/1");
    request.headers_mut().insert(header::ACCEPT_ENCODING, "br, gzip;q=0.8".parse().unwrap());
    let zipped = app.router.clone().oneshot(request).await.unwrap();
    assert_eq!(zipped.headers()[header::CONTENT_ENCODING], "gzip");
    let bytes = zipped.into_body().collect().await.unwrap().to_bytes();
    let mut text = String::new();
    GzDecoder::new(&bytes[..]).read_to_string(&mut text).unwrap();
    assert_eq!(text, plain.text);
}

#[tokio::test]
async fn what_is_asked_wrongly_is_refused_and_without_an_audience_there_are_no_lists() {
    let app = TestApp::with(ON).await;
    let mut browser = app.browser();
    for (path, status) in [
        ("/status-lists/1", 200),
        ("/status-lists/1?time=1700000000", 501),
        ("/status-lists/2", 404),
        ("/status-lists/0", 404),
        ("/status-lists/01", 404),
        ("/status-lists/-1", 404),
        ("/status-lists/4294967296", 404),
        ("/status-lists/x", 404),
    ] {
        assert_eq!(browser.get(path).await.status, status, "{path}");
    }
    let all = browser.get("/status-lists").await.json();
    assert_eq!(all["status_lists"], json!([format!("{}/status-lists/1", app.app.public.issuer())]));
    let metadata = browser.get("/.well-known/oauth-authorization-server").await.json();
    let aggregation = format!("{}/status-lists", app.app.public.issuer());
    assert_eq!(metadata["status_list_aggregation_endpoint"], aggregation.as_str());

    let without = TestApp::new().await;
    let mut browser = without.browser();
    for path in ["/status-lists", "/status-lists/1"] {
        assert_eq!(browser.get(path).await.status, 404, "{path}");
    }
    let metadata = browser.get("/.well-known/oauth-authorization-server").await.json();
    assert_eq!(metadata["status_list_aggregation_endpoint"], Value::Null);
}

const BEHIND: &str = "trusted_proxies = [\"203.0.113.7/32\"]\n[gate]\nupstream_audience = \"https://billing.example\"\n\
    [resources.billing]\naudience = \"https://billing.example\"\nstatus_list = true\n[resources.plain]\n\
    [clients.reports]\nexchanges = [\"web\"]\n[clients.reports.resources]\nbilling = []\nplain = []";

#[tokio::test]
async fn tokens_of_services_exchanged_ones_and_those_of_the_gate_have_places_where_their_audience_wants_it() {
    let app = TestApp::with(BEHIND).await;
    let mut ada = app.signed_in().await;
    let own = ada.cookie("__Host-cf_access").unwrap();
    assert_eq!(said(&own)["status"], Value::Null);
    let (_, made) = ask(&app, "POST", "/api/admin/clients", Some(json!({ "name": "reports" }))).await;
    let secret = made["client_secret"].as_str().unwrap().to_owned();
    let token = async |form: String| {
        let answer = send(&app, "/oauth/token", "", &format!("client_id=reports&client_secret={secret}&{form}")).await;
        said(answer.json()["access_token"].as_str().unwrap())
    };
    let credentials = "grant_type=client_credentials&resource=";
    let exchange = format!(
        "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token={own}\
         &subject_token_type=urn:ietf:params:oauth:token-type:access_token&resource="
    );
    let of_service = token(format!("{credentials}https://billing.example")).await["status"].clone();
    let exchanged = token(format!("{exchange}https://billing.example")).await["status"].clone();
    for grant in [credentials, &exchange] {
        assert_eq!(token(format!("{grant}plain")).await["status"], Value::Null, "{grant}");
    }
    let mut request = ada.request(Method::GET, "/gate");
    for (name, value) in [("x-original-method", "GET"), ("x-original-uri", "/x")] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let passed = ada.send_without_keeping(request).await;
    let handed = passed.headers[header::AUTHORIZATION].to_str().unwrap().strip_prefix("Bearer ").unwrap();
    // Of the same session it is the same place, whoever the token is for; the service's own is another.
    assert!(exchanged["status_list"]["idx"].is_u64());
    assert_eq!(said(handed)["status"], exchanged);
    assert_ne!(of_service, exchanged);
    // Whatever hangs on them ends with them.
    let index = |status: &Value| usize::try_from(status["status_list"]["idx"].as_u64().unwrap()).unwrap();
    let (services, users) = (index(&of_service), index(&exchanged));
    let bits = async || {
        publish(&app.app).await.unwrap();
        let statuses = statuses(&list(&app, &[]).await.text);
        (statuses[services], statuses[users])
    };
    assert_eq!(bits().await, (0, 0));
    assert_eq!(ada.post("/api/auth/logout").await.status, 204);
    assert_eq!(bits().await, (0, 1));
    assert_eq!(ask(&app, "POST", "/api/admin/clients/reports/revoke", None).await.0, 204);
    assert_eq!(bits().await, (1, 1));
}

/// What a guard that knows nothing but the key set and the lists makes of a token.
async fn judged(app: &TestApp, browser: &Browser) -> Verdict {
    publish(&app.app).await.unwrap();
    let keys = KeySet::from_jwks(&app.app.keyring().jwks).unwrap();
    let verifier = Verifier::new(app.app.public.issuer(), "web", keys);
    let claims = verifier.verify(&browser.cookie("__Host-cf_access").unwrap(), app.clock.now()).unwrap();
    let clocks = Clocks { boot: app.clock.tick(), wall: app.clock.now() };
    let mut lists = StatusLists::new(app.app.public.issuer());
    let uri = claims.status.as_ref().unwrap().uri.clone();
    assert!(matches!(lists.check(&claims, clocks), Verdict::Wanted(wanted) if wanted == uri));
    let list = verifier.verify_status_list(&list(app, &[]).await.text, &uri, app.clock.now()).unwrap();
    lists.receive(list, clocks).unwrap();
    lists.check(&claims, clocks)
}

#[tokio::test]
async fn our_own_guard_takes_the_lists_and_refuses_whose_session_has_ended() {
    let app = TestApp::with(ON).await;
    let (mut ada, bob) = (app.signed_in().await, somebody(&app, "bob@example.com").await);
    assert!(matches!(judged(&app, &ada).await, Verdict::Valid));
    let before = ada.clone();
    assert_eq!(ada.post("/api/auth/logout").await.status, 204);
    assert!(matches!(judged(&app, &before).await, Verdict::Refused(Refusal::Revoked)));
    assert!(matches!(judged(&app, &bob).await, Verdict::Valid));
}

#[tokio::test]
async fn a_revoked_key_signs_no_list_any_more() {
    let app = TestApp::with(ON).await;
    publish(&app.app).await.unwrap();
    let kid = |list: &str| {
        let head: Value = serde_json::from_slice(&base64url_decode(list.split('.').next().unwrap()).unwrap()).unwrap();
        head["kid"].as_str().unwrap().to_owned()
    };
    let before = kid(&list(&app, &[]).await.text);
    assert_eq!(ask(&app, "POST", &format!("/api/admin/keys/{before}/revoke"), Some(json!({}))).await.0, 204);
    publish(&app.app).await.unwrap();
    assert_ne!(kid(&list(&app, &[]).await.text), before);
}

#[tokio::test]
async fn whose_session_has_ended_meanwhile_gets_a_token_without_a_place() {
    let app = TestApp::with(ON).await;
    let mut ada = app.signed_in().await;
    let sid = ada.me().await.json()["session"]["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(ada.post("/api/auth/logout").await.status, 204);
    let free = counterfoil::store::status::Place { list: 1, index: 5 };
    let given = app.app.store.give_status_place(sid, 0, vec![free]).await.unwrap();
    assert_eq!(given, counterfoil::store::status::Given::Over);
}
