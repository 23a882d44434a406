//! `POST /oauth/token`: what services are granted, by what they prove themselves, and that it is taken back at once.

use super::{FORM, audit, credential, introspect, refusal, send, sign_in_to};
use crate::control::ask;
use crate::support::{Answer, Browser, TestApp};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use counterfoil_core::Secret;
use counterfoil_core::keys::signing::SigningKey;
use counterfoil_guard::{
    Algorithm, Claims, KeySet, Refusal, Subjects, Verifier, base64url_encode, encode_signing_input,
};
use http::{Method, Request, header};
use serde_json::{Value, json};

const CONFIG: &str = "[resources.billing]\naudience = \"https://billing.example.com\"\nscopes = [\"read\", \"write\"]\n\
    claims = [\"roles\"]\n\
    [resources.mail]\nscopes = [\"send\"]\nformat = \"paseto\"\n\
    [clients.reports.resources]\nbilling = [\"read\"]\n\
    [clients.front]\nexchanges = [\"web\", \"billing\"]\n[clients.front.resources]\nbilling = [\"read\", \"write\"]\nmail = [\"send\"]\n\
    [clients.lone]\n";
const BILLING: &str = "https://billing.example.com";
const EXCHANGE: &str = "grant_type=urn:ietf:params:oauth:grant-type:token-exchange\
    &subject_token_type=urn:ietf:params:oauth:token-type:access_token";

async fn secret(app: &TestApp, name: &str) -> String {
    let (status, made) = ask(app, "POST", "/api/admin/clients", Some(json!({ "name": name }))).await;
    assert_eq!(status, 201, "{made}");
    made["client_secret"].as_str().unwrap().to_owned()
}

fn basic(name: &str, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{secret}")))
}

async fn token(app: &TestApp, authorization: &str, body: &str) -> Answer {
    send(app, "/oauth/token", authorization, body).await
}

fn guard(app: &TestApp, audience: &str, subjects: Subjects) -> Verifier {
    let keys = KeySet::from_jwks(&app.app.keyring().jwks).unwrap();
    Verifier::new(app.app.public.issuer(), audience, keys).of(subjects)
}

/// What a guard of this resource makes of a token, revocation included.
fn judged(app: &TestApp, audience: &str, subjects: Subjects, token: &str) -> Result<Claims, Refusal> {
    let (claims, kid) = guard(app, audience, subjects).verify_with_kid(token, app.app.clock.now())?;
    app.app.revocations().read().check(&claims, &kid)?;
    Ok(claims)
}

fn access(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

async fn me(app: &TestApp, token: &str) -> u16 {
    let mut request = app.browser().request(Method::GET, "/api/auth/me");
    request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
    app.browser().send_without_keeping(request).await.status.as_u16()
}

#[tokio::test]
async fn tok_1_at_2_a_service_gets_a_token_in_its_own_name() {
    let app = TestApp::with(CONFIG).await;
    let secret = secret(&app, "reports").await;
    let answer = token(&app, &basic("reports", &secret), "grant_type=client_credentials").await;
    let body = answer.json();
    assert_eq!((answer.status.as_u16(), &body["token_type"], &body["scope"]), (200, &json!("Bearer"), &json!("read")));
    assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
    assert!(body["expires_in"].as_i64().unwrap() <= 300);
    let claims = judged(&app, BILLING, Subjects::Clients, &access(&answer)).unwrap();
    assert_eq!((claims.sub.to_string().as_str(), claims.client_id.as_str()), ("client:reports", "reports"));
    assert!(claims.has_scope("read") && !claims.has_scope("write") && claims.roles.is_empty() && claims.act.is_none());
    // The same by a secret in the body, with the resource named in each way there is.
    for resource in ["", "&audience=billing", "&resource=https%3A%2F%2Fbilling.example.com", "&scope=read"] {
        let body = format!("grant_type=client_credentials&client_id=reports&client_secret={secret}{resource}");
        assert_eq!(token(&app, "", &body).await.status, 200, "{resource}");
    }
    // One that may call several must say which; the format is the resource's own.
    let front = super::token::secret(&app, "front").await;
    let body = "grant_type=client_credentials";
    assert_eq!(refusal(&token(&app, &basic("front", &front), body).await), (400, "invalid_target".into()));
    let mail = token(&app, &basic("front", &front), &format!("{body}&audience=mail")).await;
    assert!(access(&mail).starts_with("v4.public."));
    assert!(judged(&app, "mail", Subjects::Both, &access(&mail)).unwrap().has_scope("send"));
}

#[tokio::test]
async fn tok_2_tok_3_what_is_wrong_is_said_in_the_words_of_the_standard() {
    let app = TestApp::with(CONFIG).await;
    let (reports, lone) = (secret(&app, "reports").await, secret(&app, "lone").await);
    let stranger = secret(&app, "stranger").await;
    let guard = credential(&app, "api").await;
    let (own, grant) = (basic("reports", &reports), "grant_type=client_credentials");
    let cases = [
        (own.clone(), "", 400, "invalid_request"),
        (own.clone(), "grant_type=password", 400, "unsupported_grant_type"),
        (own.clone(), "grant_type=refresh_token", 400, "unsupported_grant_type"),
        (own.clone(), "grant_type=client_credentials&grant_type=client_credentials", 400, "invalid_request"),
        (own.clone(), "grant_type=client_credentials&scope=write", 400, "invalid_scope"),
        (own.clone(), "grant_type=client_credentials&scope=read%09write", 400, "invalid_scope"),
        (own.clone(), "grant_type=client_credentials&audience=mail", 400, "invalid_target"),
        (own.clone(), "grant_type=client_credentials&audience=web", 400, "invalid_target"),
        (own.clone(), "grant_type=client_credentials&audience=billing&resource=mail", 400, "invalid_request"),
        (own.clone(), "grant_type=client_credentials&client_id=front", 400, "invalid_request"),
        (own.clone(), "grant_type=client_credentials&client_secret=x", 400, "invalid_request"),
        (basic("lone", &lone), grant, 400, "unauthorized_client"),
        (basic("stranger", &stranger), grant, 400, "unauthorized_client"),
        (String::new(), grant, 401, "invalid_client"),
        (basic("reports", "cfc_wrong"), grant, 401, "invalid_client"),
        (basic("front", &reports), grant, 401, "invalid_client"),
        (basic("nobody", &reports), grant, 401, "invalid_client"),
        (basic("api", &guard), grant, 401, "invalid_client"),
        (format!("Bearer {guard}"), grant, 401, "invalid_client"),
        (String::from("Basic %%%"), grant, 400, "invalid_request"),
    ];
    for (authorization, body, status, error) in cases {
        let answer = token(&app, &authorization, body).await;
        assert_eq!(refusal(&answer), (status, error.into()), "{authorization} {body}: {}", answer.text);
        assert_eq!(
            answer.headers.contains_key(header::WWW_AUTHENTICATE),
            status == 401 && authorization.starts_with('B'),
            "{authorization}"
        );
        assert!(!answer.text.contains(&reports));
    }
    let json = Request::post("/oauth/token").header(header::CONTENT_TYPE, "application/json");
    let answer = app.browser().send_without_keeping(json.body("{}".into()).unwrap()).await;
    assert_eq!(refusal(&answer), (400, "invalid_request".into()));
    let get = Request::get("/oauth/token").header(header::CONTENT_TYPE, FORM).body(String::new().into()).unwrap();
    assert_eq!(app.browser().send_without_keeping(get).await.status, 405);
}

#[tokio::test]
async fn atk26_a_service_is_nobodys_user_anywhere() {
    let app = TestApp::with(&format!("{CONFIG}\n[gate]\nupstream_audience = \"behind\"")).await;
    let reports = secret(&app, "reports").await;
    let held = access(&token(&app, &basic("reports", &reports), "grant_type=client_credentials").await);
    assert_eq!(judged(&app, BILLING, Subjects::Users, &held), Err(Refusal::WrongSubject));
    assert_eq!(judged(&app, "web", Subjects::Both, &held), Err(Refusal::WrongAudience));
    assert_eq!(me(&app, &held).await, 401);
    let guard = credential(&app, "api").await;
    let said = introspect(&app, &guard, &held).await;
    assert_eq!(
        (&said["active"], &said["sub"], &said["scope"]),
        (&json!(true), &json!("client:reports"), &json!("read"))
    );
    assert!(said.get("auth_time").is_none() && said.get("acr").is_none());
    // A client's secret is no guard's credential, and opens no feed.
    let answer = send(&app, "/oauth/introspect", &basic("reports", &reports), "token=x").await;
    assert_eq!(refusal(&answer), (401, "invalid_client".into()));
    let (_, user) = sign_in_to(&app, "web").await;
    assert!(user["user"]["id"].as_str().unwrap().parse::<counterfoil_guard::Subject>().unwrap().user().is_some());
}

#[tokio::test]
async fn s2_a_client_that_is_removed_takes_its_tokens_and_those_it_made_along() {
    let app = TestApp::with(CONFIG).await;
    let (mut browser, _) = sign_in_to(&app, "web").await;
    let (reports, front) = (secret(&app, "reports").await, secret(&app, "front").await);
    let own = access(&token(&app, &basic("reports", &reports), "grant_type=client_credentials").await);
    let subject = browser.cookie("__Host-cf_access").unwrap();
    let body = format!("{EXCHANGE}&subject_token={subject}&audience=billing");
    let made = access(&token(&app, &basic("front", &front), &body).await);
    for held in [&own, &made] {
        assert!(judged(&app, BILLING, Subjects::Both, held).is_ok());
    }
    for name in ["reports", "front"] {
        assert_eq!(ask(&app, "POST", &format!("/api/admin/clients/{name}/revoke"), None).await.0, 204);
    }
    let guard = credential(&app, "api").await;
    for held in [&own, &made] {
        assert_eq!(judged(&app, BILLING, Subjects::Both, held), Err(Refusal::Revoked));
        assert_eq!(introspect(&app, &guard, held).await, json!({ "active": false, "reason": "session_revoked" }));
    }
    assert_eq!(browser.me().await.status, 200, "the user is still signed in");
    let answer = token(&app, &basic("reports", &reports), "grant_type=client_credentials").await;
    assert_eq!(refusal(&answer), (401, "invalid_client".into()));
    assert_eq!(ask(&app, "POST", "/api/admin/clients/reports/revoke", None).await.0, 404);
    let events: Vec<_> = audit(&app).await.iter().map(|entry| entry["event"].as_str().unwrap().to_owned()).collect();
    assert_eq!(events.iter().filter(|event| *event == "client_removed").count(), 2);
    // The name is free again, and the old tokens stay what they are.
    let anew = secret(&app, "reports").await;
    assert_ne!(anew, reports);
    assert_eq!(judged(&app, BILLING, Subjects::Both, &own), Err(Refusal::Revoked));
}

async fn exchanged(app: &TestApp, secret: &str, subject: &str, more: &str) -> Answer {
    token(app, &basic("front", secret), &format!("{EXCHANGE}&subject_token={subject}{more}")).await
}

#[tokio::test]
async fn tex_2_tex_3_a_users_token_is_exchanged_for_one_of_another_audience() {
    let app = TestApp::with(CONFIG).await;
    let (mut browser, signed_in) = sign_in_to(&app, "web").await;
    let (user, front) = (signed_in["user"]["id"].as_str().unwrap(), secret(&app, "front").await);
    ask(&app, "PUT", &format!("/api/admin/users/{user}/roles"), Some(json!({ "roles": ["editor"] }))).await;
    browser.refresh().await;
    app.pass(120);
    let subject = browser.cookie("__Host-cf_access").unwrap();
    let answer = exchanged(&app, &front, &subject, "&audience=billing&scope=read").await;
    let body = answer.json();
    assert_eq!(body["issued_token_type"], "urn:ietf:params:oauth:token-type:access_token");
    assert!(body["expires_in"].as_i64().unwrap() <= 180, "no later than what it was made from: {body}");
    let claims = judged(&app, BILLING, Subjects::Users, &access(&answer)).unwrap();
    assert_eq!((claims.sub.to_string(), claims.client_id.as_str()), (user.to_owned(), "front"));
    assert_eq!(
        (claims.scope.as_deref(), claims.auth_time, &claims.roles),
        (Some("read"), 1_800_000_000, &vec!["editor".to_owned()])
    );
    assert_eq!(claims.act.as_ref().unwrap().sub.to_string(), "client:front");
    assert_eq!(me(&app, &access(&answer)).await, 401, "/api/auth takes no exchanged token");
    // Exchanged again: never more than it had.
    let again = exchanged(&app, &front, &access(&answer), "&audience=billing").await;
    let claims = judged(&app, BILLING, Subjects::Users, &access(&again)).unwrap();
    assert_eq!((claims.scope.as_deref(), claims.act.unwrap().chain().count()), (Some("read"), 2));
    let more = exchanged(&app, &front, &access(&answer), "&audience=billing&scope=write").await;
    assert_eq!(refusal(&more), (400, "invalid_scope".into()));
    // What ends the session ends what was made from it; new roles make it stale.
    ask(&app, "PUT", &format!("/api/admin/users/{user}/roles"), Some(json!({ "roles": [] }))).await;
    assert_eq!(judged(&app, BILLING, Subjects::Users, &access(&answer)), Err(Refusal::Stale));
    browser.refresh().await;
    let fresh = browser.cookie("__Host-cf_access").unwrap();
    let made = access(&exchanged(&app, &front, &fresh, "&audience=billing").await);
    browser.post_json("/api/auth/logout", &json!({})).await;
    assert_eq!(judged(&app, BILLING, Subjects::Users, &made), Err(Refusal::Revoked));
    assert_eq!(refusal(&exchanged(&app, &front, &fresh, "&audience=billing").await), (400, "invalid_request".into()));
}

#[tokio::test]
async fn tex_1_atk23_nothing_else_can_be_exchanged() {
    let app = TestApp::with(&format!("{CONFIG}\n[applications.phone]\nprofile = \"native\"")).await;
    let (browser, _) = sign_in_to(&app, "web").await;
    let (_, phone) = sign_in_to(&app, "phone").await;
    let (reports, front) = (secret(&app, "reports").await, secret(&app, "front").await);
    let good = browser.cookie("__Host-cf_access").unwrap();
    let own = access(&token(&app, &basic("reports", &reports), "grant_type=client_credentials").await);
    assert_eq!(exchanged(&app, &front, &own, "&audience=billing").await.status, 200, "its audience may be exchanged");
    for subject in [
        phone["access_token"].as_str().unwrap().to_owned(),
        phone["refresh_token"].as_str().unwrap().to_owned(),
        browser.cookie("__Secure-cf_refresh").unwrap(),
        "a.b.c".into(),
        format!("{good}x"),
        front.clone(),
        String::new(),
    ] {
        let answer = exchanged(&app, &front, &subject, "&audience=billing").await;
        assert_eq!(refusal(&answer), (400, "invalid_request".into()), "{subject}: {}", answer.text);
    }
    for more in [
        "&audience=billing&actor_token=x&actor_token_type=y",
        "&audience=billing&actor_token_type=y",
        "&audience=billing&requested_token_type=urn:ietf:params:oauth:token-type:refresh_token",
    ] {
        assert_eq!(refusal(&exchanged(&app, &front, &good, more).await), (400, "invalid_request".into()), "{more}");
    }
    assert_eq!(refusal(&exchanged(&app, &front, &good, "").await), (400, "invalid_target".into()));
    assert_eq!(refusal(&exchanged(&app, &front, &good, "&audience=web").await), (400, "invalid_target".into()));
    let body = format!("{EXCHANGE}&subject_token={good}");
    let answer = token(&app, &basic("reports", &reports), &body).await;
    assert_eq!(refusal(&answer), (400, "unauthorized_client".into()), "it may exchange nothing");
    let body = format!("grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token={good}");
    assert_eq!(refusal(&token(&app, &basic("front", &front), &body).await), (400, "invalid_request".into()));
    app.pass(301);
    assert_eq!(refusal(&exchanged(&app, &front, &good, "&audience=billing").await), (400, "invalid_request".into()));
}

fn key(byte: u8) -> SigningKey {
    SigningKey::new(Algorithm::Ed25519, &Secret::new(vec![byte; 32])).unwrap()
}

fn assertion(key: &SigningKey, changes: &Value) -> String {
    let mut claims = json!({
        "iss": "reports", "sub": "reports", "aud": "https://app.example.com", "jti": "1", "iat": 1_800_000_000,
        "exp": 1_800_000_060,
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let header = format!(r#"{{"alg":"Ed25519","kid":"{}"}}"#, key.kid());
    let input = encode_signing_input(&header, claims.to_string().as_bytes());
    format!("{input}.{}", base64url_encode(&key.signature_over(input.as_bytes())))
}

async fn by_assertion(app: &TestApp, assertion: &str, more: &str) -> Answer {
    let body = format!(
        "grant_type=client_credentials&client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer\
         &client_assertion={assertion}{more}"
    );
    token(app, "", &body).await
}

#[tokio::test]
async fn atk28_an_assertion_counts_once_whoever_comes_with_it() {
    let app = TestApp::with(CONFIG).await;
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "alg": "Ed25519", "kid": key(3).kid().as_str(), "x": base64url_encode(key(3).public()) });
    let (status, made) =
        ask(&app, "POST", "/api/admin/clients", Some(json!({ "name": "reports", "jwks": { "keys": [jwk.clone()] } })))
            .await;
    assert_eq!((status, &made["client_secret"], &made["configured"]), (201, &Value::Null, &json!(true)));
    let good = assertion(&key(3), &json!({}));
    let answers = futures_util::future::join_all((0..8).map(|_| by_assertion(&app, &good, ""))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1, "exactly one");
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!(refusal(answer), (401, "invalid_client".into()));
    }
    let other_ways = [json!({ "jti": "2", "aud": "https://app.example.com/oauth/token" }), json!({ "jti": "3" })];
    for changes in other_ways {
        assert_eq!(by_assertion(&app, &assertion(&key(3), &changes), "&client_id=reports").await.status, 200);
    }
    for (wrong, more) in [
        (assertion(&key(4), &json!({ "jti": "4" })), ""),
        (assertion(&key(3), &json!({ "jti": "5", "sub": "front" })), ""),
        (assertion(&key(3), &json!({ "jti": "6", "exp": 1_800_000_000 })), ""),
        (assertion(&key(3), &json!({ "jti": "7" })), "&client_id=front"),
    ] {
        assert_eq!(refusal(&by_assertion(&app, &wrong, more).await), (401, "invalid_client".into()));
    }
    let two = by_assertion(&app, &assertion(&key(3), &json!({ "jti": "8" })), "&client_secret=x").await;
    assert_eq!(refusal(&two), (400, "invalid_request".into()));
    // What cannot be a client's public keys is not taken.
    let with = |member: &str, value: Value| {
        let mut changed = jwk.clone();
        changed[member] = value;
        json!({ "name": "other", "jwks": { "keys": [changed] } })
    };
    for body in [with("d", json!("AAAA")), with("alg", Value::Null), with("kid", Value::Null), json!({ "name": "a b" })]
    {
        assert_eq!(ask(&app, "POST", "/api/admin/clients", Some(body.clone())).await.0, 400, "{body}");
    }
    assert_eq!(ask(&app, "POST", "/api/admin/clients", Some(json!({ "name": "reports" }))).await.0, 409);
}

#[tokio::test]
async fn rev_1_a_service_revokes_what_was_issued_to_it_and_nothing_else() {
    let app = TestApp::with(CONFIG).await;
    let (browser, _): (Browser, _) = sign_in_to(&app, "web").await;
    let (reports, front) = (secret(&app, "reports").await, secret(&app, "front").await);
    let own = access(&token(&app, &basic("reports", &reports), "grant_type=client_credentials").await);
    let other = send(&app, "/oauth/revoke", &basic("front", &front), &format!("token={own}")).await;
    assert_eq!(refusal(&other), (400, "invalid_grant".into()));
    let users = browser.cookie("__Host-cf_access").unwrap();
    let foreign = send(&app, "/oauth/revoke", &basic("front", &front), &format!("token={users}")).await;
    assert_eq!(refusal(&foreign), (400, "invalid_grant".into()));
    let body = format!("token={own}&client_id=reports&client_secret={reports}");
    assert_eq!(send(&app, "/oauth/revoke", "", &body).await.status, 200);
    assert_eq!(judged(&app, BILLING, Subjects::Both, &own), Err(Refusal::Revoked));
    let next = access(&token(&app, &basic("reports", &reports), "grant_type=client_credentials").await);
    assert!(judged(&app, BILLING, Subjects::Both, &next).is_ok(), "only the one");
    let wrong = send(&app, "/oauth/revoke", &basic("reports", "cfc_wrong"), &format!("token={next}")).await;
    assert_eq!(refusal(&wrong), (401, "invalid_client".into()));
}

#[tokio::test]
async fn asvs_13_3_4_a_services_credential_is_renewed_and_its_tokens_live_on() {
    let app = TestApp::with(CONFIG).await;
    let old = secret(&app, "reports").await;
    let held = access(&token(&app, &basic("reports", &old), "grant_type=client_credentials").await);
    let renew = "/api/admin/clients/reports/renew";
    let (status, made) = ask(&app, "POST", renew, Some(json!({}))).await;
    assert_eq!(status, 200, "{made}");
    let new = made["client_secret"].as_str().unwrap();
    let by = async |secret: &str| token(&app, &basic("reports", secret), "grant_type=client_credentials").await;
    assert_eq!(refusal(&by(&old).await), (401, "invalid_client".into()));
    assert_eq!(by(new).await.status, 200);
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "alg": "Ed25519", "kid": key(3).kid().as_str(), "x": base64url_encode(key(3).public()) });
    assert_eq!(ask(&app, "POST", renew, Some(json!({ "jwks": { "keys": [jwk] } }))).await.0, 200);
    assert_eq!(refusal(&by(new).await), (401, "invalid_client".into()));
    assert_eq!(by_assertion(&app, &assertion(&key(3), &json!({})), "").await.status, 200);
    assert!(judged(&app, BILLING, Subjects::Both, &held).is_ok(), "what it has lives on");
    assert_eq!(ask(&app, "POST", "/api/admin/clients/nobody/renew", Some(json!({}))).await.0, 404);
    assert_eq!(ask(&app, "POST", renew, Some(json!({ "jwks": { "keys": [] } }))).await.0, 400);
}
