//! ATK-23: every kind of token and credential that is issued here, offered to everything here that takes one. What is not in a
//! validator's list is refused by it.

use crate::control::ask;
use crate::oauth::{credential, introspect, send, sign_in_to};
use crate::support::{Browser, TestApp};
use Kind::{
    Access, AccessOfAnother, ApiKey, ClientSecret, Exchanged, Guard, HandedOff, Invite, LogoutToken, OfService,
    Refresh, RefreshInBody, SecurityEvent, Session, StatusList, Streams,
};
use counterfoil::clock::{Clock as _, random};
use counterfoil_core::logout_token;
use counterfoil_guard::{Algorithm, Clocks, Instance, KeySet, Subjects, Verifier};
use http::{Method, Request, header};
use serde_json::json;

pub(crate) const CONFIG: &str = "trusted_proxies = [\"203.0.113.7/32\"]\n[limits]\nenabled = false\n\
    [registration]\npolicy = \"invite\"\n[gate]\nupstream_audience = \"behind\"\n\
    [applications.web]\nstatus_list = true\n[applications.classic]\nprofile = \"opaque\"\n[applications.phone]\nprofile = \"native\"\n\
    [ssf]\nenabled = true\n[clients.hub.resources]\nssf = [\"ssf.manage\"]\n[resources.billing]\n[clients.reports]\nexchanges = [\"web\"]\n[clients.reports.resources]\nbilling = []";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Access,
    AccessOfAnother,
    HandedOff,
    Refresh,
    RefreshInBody,
    Session,
    Guard,
    Invite,
    ClientSecret,
    ApiKey,
    OfService,
    Exchanged,
    StatusList,
    SecurityEvent,
    Streams,
    LogoutToken,
}

pub(crate) type Issued = Vec<(Kind, String)>;

/// (what takes a token, and how; the kinds it takes)
const VALIDATORS: [(&str, &[Kind]); 19] = [
    ("me, Bearer", &[Access, AccessOfAnother, Session]),
    ("me, access cookie", &[Access, AccessOfAnother]),
    ("me, session cookie", &[Session]),
    ("gate, Bearer", &[Access, AccessOfAnother, Session]),
    ("gate, session cookie", &[Session]),
    ("refresh, cookie", &[Refresh]),
    ("refresh, body", &[RefreshInBody]),
    (
        "introspection, the token",
        &[Access, AccessOfAnother, HandedOff, Refresh, RefreshInBody, Session, OfService, Exchanged, Streams],
    ),
    ("introspection, the caller", &[Guard]),
    ("the feed", &[Guard]),
    ("registration", &[Invite]),
    ("a guard of the application", &[Access]),
    ("a guard behind the gate", &[HandedOff]),
    ("a guard of the resource, for users", &[Exchanged]),
    ("a guard of the resource, for services", &[OfService]),
    ("exchange, the subject", &[Access]),
    ("a token for a service, the secret", &[ClientSecret]),
    ("administration", &[ApiKey]),
    ("event streams", &[Streams]),
];

pub(crate) async fn issue(app: &TestApp) -> Issued {
    let made = json!({ "email": crate::support::EMAIL, "password": crate::support::PASSWORD, "roles": [] });
    assert_eq!(ask(app, "POST", "/api/admin/users", Some(made)).await.0, 201);
    let (web, _) = sign_in_to(app, "web").await;
    let (classic, _) = sign_in_to(app, "classic").await;
    let (_, phone) = sign_in_to(app, "phone").await;
    let access = web.cookie("__Host-cf_access").unwrap();
    let handed = at_gate(app, header::AUTHORIZATION, &format!("Bearer {access}")).await;
    let (_, invite) = ask(app, "POST", "/api/admin/invites", Some(json!({}))).await;
    let link = invite["link"].as_str().unwrap();
    let invite = link.split_once("invite=").unwrap().1.split('&').next().unwrap();
    let (_, key) = ask(app, "POST", "/api/admin/api-keys", Some(json!({ "name": "k", "role": "auditor" }))).await;
    let secret = client_secret(app, "reports").await;
    let form = |grant: &str| format!("client_id=reports&client_secret={secret}&{grant}");
    let own = token(app, &form("grant_type=client_credentials")).await.unwrap();
    let exchanged = token(app, &form(&exchange_of(&access))).await.unwrap();
    let (_, made) = ask(app, "POST", "/api/admin/clients", Some(json!({ "name": "hub" }))).await;
    let hub = made["client_secret"].as_str().unwrap();
    let streams =
        token(app, &format!("client_id=hub&client_secret={hub}&grant_type=client_credentials")).await.unwrap();
    let list = app.browser().get("/status-lists/1").await.text;
    assert!(list.starts_with("eyJ"));
    vec![
        (StatusList, list),
        (SecurityEvent, security_event(app, &streams).await),
        (Streams, streams),
        (LogoutToken, logout_token(app, &access)),
        (OfService, own),
        (Exchanged, exchanged),
        (ClientSecret, secret),
        (Access, access),
        (AccessOfAnother, phone["access_token"].as_str().unwrap().to_owned()),
        (HandedOff, handed.unwrap()),
        (Refresh, web.cookie("__Secure-cf_refresh").unwrap()),
        (RefreshInBody, phone["refresh_token"].as_str().unwrap().to_owned()),
        (Session, classic.cookie("__Host-cf_session").unwrap()),
        (Guard, credential(app, "api").await),
        (Invite, invite.to_owned()),
        (ApiKey, key["api_key"].as_str().unwrap().to_owned()),
    ]
}

/// A SET, as a receiver fetches it.
async fn security_event(app: &TestApp, token: &str) -> String {
    let browser = app.browser();
    let send = async |path: &str, body: serde_json::Value| {
        let mut request = browser.json_request(path, &body);
        request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        browser.send_without_keeping(request).await.json()
    };
    let id = send("/ssf/streams", json!({})).await["stream_id"].as_str().unwrap().to_owned();
    send("/ssf/verify", json!({ "stream_id": id })).await;
    let polled = send(&format!("/ssf/poll/{id}"), json!({ "returnImmediately": true })).await;
    polled["sets"].as_object().unwrap().values().next().unwrap().as_str().unwrap().to_owned()
}

/// What the application would be told of the session of this token.
fn logout_token(app: &TestApp, access: &str) -> String {
    let keyring = app.app.keyring();
    let (claims, _) = keyring.verifier.verify_with_kid(access, app.clock.now()).unwrap();
    let said = logout_token::Logout {
        issuer: app.app.public.issuer(),
        application: "web",
        user: claims.sub.user().unwrap(),
        sid: claims.sid,
        jti: "out_x_1_y",
    };
    logout_token::sign(keyring.signing(Algorithm::EdDsa), &said, app.clock.now())
}

async fn client_secret(app: &TestApp, name: &str) -> String {
    let (_, made) = ask(app, "POST", "/api/admin/clients", Some(json!({ "name": name }))).await;
    made["client_secret"].as_str().unwrap().to_owned()
}

fn exchange_of(subject: &str) -> String {
    format!(
        "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token={subject}\
         &subject_token_type=urn:ietf:params:oauth:token-type:access_token"
    )
}

async fn token(app: &TestApp, form: &str) -> Option<String> {
    let answer = send(app, "/oauth/token", "", form).await;
    (answer.status == 200).then(|| answer.json()["access_token"].as_str().unwrap().to_owned())
}

fn with(
    browser: &Browser,
    (method, path): (&str, &str),
    name: header::HeaderName,
    value: &str,
) -> Request<axum::body::Body> {
    let mut request = browser.request(Method::from_bytes(method.as_bytes()).unwrap(), path);
    request.headers_mut().insert(name, value.parse().unwrap());
    request
}

/// The token that the gate hands on, if it lets pass.
async fn at_gate(app: &TestApp, name: header::HeaderName, value: &str) -> Option<String> {
    let browser = app.browser();
    let mut request = with(&browser, ("GET", "/gate"), name, value);
    for (name, value) in [("x-original-method", "GET"), ("x-original-uri", "/x")] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let answer = browser.send_without_keeping(request).await;
    let handed = answer.headers.get(header::AUTHORIZATION)?.to_str().unwrap().strip_prefix("Bearer ").unwrap();
    (answer.status == 200).then(|| handed.to_owned())
}

fn verifies(app: &TestApp, (audience, subjects): (&str, Subjects), token: &str) -> bool {
    let keys = KeySet::from_jwks(&app.app.keyring().jwks).unwrap();
    let verifier = Verifier::new(app.app.public.issuer(), audience, keys).of(subjects);
    let guard = counterfoil_guard::Guard::new(verifier, Instance::from_bytes(random()));
    let clocks = Clocks { boot: app.clock.tick(), wall: app.clock.now() };
    guard.verify_but_for_revocation(token, clocks).is_ok()
}

/// Whether this validator takes the token.
async fn takes(app: &TestApp, validator: &str, token: &str, guard: &str) -> bool {
    let browser = app.browser();
    let cookie = |name: &str| format!("{name}={token}");
    let bearer = format!("Bearer {token}");
    let get = |path: &'static str, name, value: String| with(&browser, ("GET", path), name, &value);
    let request = match validator {
        "me, Bearer" => get("/api/auth/me", header::AUTHORIZATION, bearer),
        "me, access cookie" => get("/api/auth/me", header::COOKIE, cookie("__Host-cf_access")),
        "me, session cookie" => get("/api/auth/me", header::COOKIE, cookie("__Host-cf_session")),
        "event streams" => get("/ssf/streams", header::AUTHORIZATION, bearer),
        "administration" => get("/api/admin/users", header::AUTHORIZATION, bearer),
        "gate, Bearer" => return at_gate(app, header::AUTHORIZATION, &bearer).await.is_some(),
        "gate, session cookie" => return at_gate(app, header::COOKIE, &cookie("__Host-cf_session")).await.is_some(),
        "refresh, cookie" => {
            with(&browser, ("POST", "/api/auth/refresh"), header::COOKIE, &cookie("__Secure-cf_refresh"))
        }
        "refresh, body" => browser.json_request("/api/auth/refresh", &json!({ "refresh_token": token })),
        "introspection, the token" => return introspect(app, guard, token).await["active"] == true,
        "introspection, the caller" => {
            return crate::oauth::send(app, "/oauth/introspect", &bearer, "token=x").await.status == 200;
        }
        "the feed" => {
            get("/api/revocations?instance=AAAAAAAAAAAAAAAAAAAAAA&nonce=n&wait=0", header::AUTHORIZATION, bearer)
        }
        "registration" => browser.json_request(
            "/api/auth/register",
            &json!({ "email": "new@example.com", "password": crate::support::PASSWORD, "invite": token }),
        ),
        "a guard of the application" => return verifies(app, ("web", Subjects::Users), token),
        "a guard behind the gate" => return verifies(app, ("behind", Subjects::Both), token),
        "a guard of the resource, for users" => return verifies(app, ("billing", Subjects::Users), token),
        "a guard of the resource, for services" => return verifies(app, ("billing", Subjects::Clients), token),
        "exchange, the subject" => {
            ask(app, "POST", "/api/admin/clients/reports/revoke", None).await;
            let secret = client_secret(app, "reports").await;
            let form = format!("client_id=reports&client_secret={secret}&{}", exchange_of(token));
            return self::token(app, &form).await.is_some();
        }
        "a token for a service, the secret" => {
            let form = format!("grant_type=client_credentials&client_id=reports&client_secret={token}");
            return self::token(app, &form).await.is_some();
        }
        other => panic!("{other}"),
    };
    browser.send_without_keeping(request).await.status.is_success()
}

#[tokio::test]
async fn atk23_every_kind_of_token_is_refused_by_everything_that_is_not_for_it() {
    let mut wrong = Vec::new();
    for (validator, expected) in VALIDATORS {
        // Anew for each, because some take a token once.
        let app = TestApp::with(CONFIG).await;
        let issued = issue(&app).await;
        let guard = issued.iter().find(|(kind, _)| *kind == Guard).unwrap().1.clone();
        for (kind, token) in &issued {
            let taken = takes(&app, validator, token, &guard).await;
            if taken != expected.contains(kind) {
                wrong.push(format!("{validator}: {kind:?} is {}", if taken { "taken" } else { "refused" }));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
