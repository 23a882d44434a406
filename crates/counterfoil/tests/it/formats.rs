//! The other formats: PASETO v4.public, from the sign-in to everything here that takes a token; and JWE, for audiences that have
//! given a key.

use crate::oauth::{credential, introspect, send};
use crate::support::{Browser, TestApp};
use aws_lc_rs::agreement::{PrivateKey, X25519};
use counterfoil_guard::paseto::Message;
use counterfoil_guard::{DecryptionKey, KeySet, Refusal, Verifier, base64url_decode, base64url_encode};
use http::{Method, header};
use serde_json::{Value, json};

const ACCESS: &str = "__Host-cf_access";
const PASETO: &str = "trusted_proxies = [\"203.0.113.7/32\"]\n[applications.web]\nformat = \"paseto\"";

fn guard(app: &TestApp) -> Verifier {
    Verifier::new(app.app.public.issuer(), "web", KeySet::from_jwks(&app.app.keyring().jwks).unwrap())
}

/// What `me` and the gate say of a token.
async fn statuses(browser: &Browser, token: &str) -> (u16, u16) {
    let bearer = format!("Bearer {token}");
    let ask = async |path: &str, forwarded: bool| {
        let mut request = browser.request(Method::GET, path);
        request.headers_mut().remove(header::COOKIE);
        request.headers_mut().insert(header::AUTHORIZATION, bearer.parse().unwrap());
        if forwarded {
            for (name, value) in [("x-original-method", "GET"), ("x-original-uri", "/")] {
                request.headers_mut().insert(name, value.parse().unwrap());
            }
        }
        browser.send_without_keeping(request).await.status.as_u16()
    };
    (ask("/api/auth/me", false).await, ask("/gate", true).await)
}

#[tokio::test]
async fn pas_2_pas_5_a_paseto_is_taken_wherever_a_jwt_is_and_taken_back_alike() {
    let app = TestApp::with(PASETO).await;
    let mut browser = app.signed_in().await;
    browser.peer = "203.0.113.7".parse().unwrap();
    let token = browser.cookie(ACCESS).unwrap();
    assert!(token.starts_with("v4.public.") && token.len() < 640, "{}: {token}", token.len());
    let message = Message::split(&token).unwrap();
    let claims: Value = serde_json::from_slice(&message.message).unwrap();
    assert_eq!(
        (&claims["iat"], &claims["auth_time"]),
        (&json!("2027-01-15T08:00:00Z"), &json!("2027-01-15T08:00:00Z"))
    );
    let jwks: Value = serde_json::from_slice(&app.app.keyring().jwks).unwrap();
    let footer: Value = serde_json::from_slice(&message.footer).unwrap();
    assert!(jwks["keys"].as_array().unwrap().iter().any(|key| key["paserk_id"] == footer["kid"]), "{footer} {jwks}");
    assert_eq!(statuses(&browser, &token).await, (200, 200));
    let believed = guard(&app).verify(&token, app.app.clock.now()).unwrap();
    assert!((1_800_000_285..=1_800_000_300).contains(&believed.exp), "seconds, as in a JWT: {}", believed.exp);
    let credential = credential(&app, "api").await;
    let said = introspect(&app, &credential, &token).await;
    assert_eq!((&said["active"], &said["sub"], &said["iat"]), (&json!(true), &claims["sub"], &json!(1_800_000_000)));
    assert_eq!(browser.post_json("/api/auth/logout", &json!({})).await.status, 204);
    assert_eq!(statuses(&browser, &token).await, (401, 401));
    assert_eq!(introspect(&app, &credential, &token).await, json!({ "active": false, "reason": "session_revoked" }));
}

#[tokio::test]
async fn atk38_what_is_not_the_token_as_it_was_made_is_refused_everywhere() {
    let app = TestApp::with(PASETO).await;
    let mut browser = app.signed_in().await;
    browser.peer = "203.0.113.7".parse().unwrap();
    let token = browser.cookie(ACCESS).unwrap();
    let parts: Vec<&str> = token.split('.').collect();
    let footer = |text: &str| format!("v4.public.{}.{}", parts[2], base64url_encode(text.as_bytes()));
    let ring = app.app.keyring();
    let key = ring.signing(counterfoil_guard::Algorithm::EdDsa);
    // The same claims in the other format's way, and the reverse.
    let as_jwt = key.sign(&Message::split(&token).unwrap().message);
    let numbers = json!({ "iss": app.app.public.issuer(), "exp": 1_800_000_200, "iat": 1_800_000_000 });
    let as_paseto = key.sign_paseto(numbers.to_string().as_bytes()).unwrap();
    let credential = credential(&app, "api").await;
    let wrong = [
        token.replacen("v4.public.", "v4.local.", 1),
        token.replacen("v4.public.", "v3.public.", 1),
        token.replacen("v4.public.", "v2.public.", 1),
        token.replacen("v4.public.", "V4.public.", 1),
        token.replacen("v4.public.", "v4.public..", 1),
        format!("v4.public.{}", parts[2]),
        format!("{token}.a"),
        format!("{token}="),
        footer("{}"),
        footer(r#"{"kid":"k4.pid.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#),
        footer(&format!(r#"{{"kid":"{}"}}"#, key.kid())),
        as_jwt,
        as_paseto,
    ];
    for token in wrong {
        assert_eq!(statuses(&browser, &token).await, (401, 401), "{token}");
        assert!(guard(&app).verify(&token, app.app.clock.now()).is_err(), "{token}");
        assert_eq!(introspect(&app, &credential, &token).await, json!({ "active": false }), "{token}");
    }
    let changed = footer(r#"{"kid":"k4.pid.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}"#);
    assert_eq!(guard(&app).verify(&changed, app.app.clock.now()), Err(Refusal::UnknownKey));
}

/// A key pair of the audience's own: (what the configuration holds, what its guards hold).
fn pair() -> (Value, DecryptionKey) {
    let private = PrivateKey::from_private_key(&X25519, &[7; 32]).unwrap();
    let x = base64url_encode(private.compute_public_key().unwrap().as_ref());
    let public = json!({ "kty": "OKP", "crv": "X25519", "kid": "e1", "x": x });
    let mut jwk = public.clone();
    jwk["d"] = base64url_encode(&[7; 32]).into();
    (public, DecryptionKey::from_jwk(jwk.to_string().as_bytes()).unwrap())
}

#[tokio::test]
async fn jwt_bcp_3_3_what_is_private_is_read_by_its_audience_and_by_nobody_else() {
    let (public, key) = pair();
    let app = TestApp::with(&format!(
        "trusted_proxies = [\"203.0.113.7/32\"]\n[gate]\nupstream_audience = \"crm\"\n\
         [resources.crm]\nencryption_key = '{public}'\nprivate = [\"email\", \"name\"]\n\
         [clients.front]\nexchanges = [\"web\"]\n[clients.front.resources]\ncrm = []"
    ))
    .await;
    let mut browser = app.signed_in().await;
    browser.peer = "203.0.113.7".parse().unwrap();
    let access = browser.cookie(ACCESS).unwrap();
    let secret = crate::control::ask(&app, "POST", "/api/admin/clients", Some(json!({ "name": "front" }))).await.1;
    let form = format!(
        "client_id=front&client_secret={}&grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token={access}\
         &subject_token_type=urn:ietf:params:oauth:token-type:access_token",
        secret["client_secret"].as_str().unwrap()
    );
    let exchanged = send(&app, "/oauth/token", "", &form).await.json();
    let mut asked = browser.request(Method::GET, "/gate");
    for (name, value) in [("x-original-method", "GET"), ("x-original-uri", "/")] {
        asked.headers_mut().insert(name, value.parse().unwrap());
    }
    let handed = browser.send_without_keeping(asked).await;
    let handed = handed.headers[header::AUTHORIZATION].to_str().unwrap().strip_prefix("Bearer ").unwrap().to_owned();
    let keys = KeySet::from_jwks(&app.app.keyring().jwks).unwrap();
    let blind = Verifier::new(app.app.public.issuer(), "crm", keys);
    let own = blind.clone().opening_with(key);
    let credential = credential(&app, "crm").await;
    for token in [exchanged["access_token"].as_str().unwrap(), &handed] {
        assert_eq!(token.split('.').count(), 5, "{token}");
        let header = base64url_decode(token.split('.').next().unwrap()).unwrap();
        assert!(!String::from_utf8_lossy(&header).contains("ada"));
        let claims = own.verify(token, app.app.clock.now()).unwrap();
        assert_eq!(claims.private["email"], crate::support::EMAIL);
        assert_eq!(blind.verify(token, app.app.clock.now()), Err(Refusal::Malformed));
        let inner = own.opened(token).unwrap();
        assert_eq!(blind.verify(&inner, app.app.clock.now()), Err(Refusal::BadClaim), "not in the clear");
        assert_eq!(introspect(&app, &credential, &inner).await["sub"], claims.sub.to_string());
        assert_eq!(introspect(&app, &credential, token).await, json!({ "active": false }), "we cannot open it either");
        assert_eq!(statuses(&browser, token).await, (401, 401));
    }
    let clear = Message::split(&access).is_err() && access.split('.').count() == 3;
    assert!(
        clear && !String::from_utf8_lossy(&base64url_decode(access.split('.').nth(1).unwrap()).unwrap()).contains('@')
    );
}

/// P-256's order, less s: the other signature that ECDSA lets anybody make of one.
fn twin(signature: &[u8]) -> Vec<u8> {
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad,
        0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let mut other = signature.to_vec();
    let mut borrow = 0;
    for at in (0..32).rev() {
        let difference = i16::from(ORDER[at]) - i16::from(signature[32 + at]) - borrow;
        borrow = i16::from(difference < 0);
        other[32 + at] = u8::try_from(difference.rem_euclid(256)).unwrap();
    }
    other
}

#[tokio::test]
async fn atk06_the_twin_of_a_revoked_es256_token_is_revoked_too() {
    let app = TestApp::with("trusted_proxies = [\"203.0.113.7/32\"]\n[keys]\nalgorithm = \"ES256\"").await;
    let mut browser = app.signed_in().await;
    browser.peer = "203.0.113.7".parse().unwrap();
    let token = browser.cookie(ACCESS).unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let other = format!("{signed}.{}", base64url_encode(&twin(&base64url_decode(signature).unwrap())));
    assert_ne!(other, token);
    assert_eq!(statuses(&browser, &other).await, (200, 200), "it verifies, by the nature of ECDSA");
    let credential = credential(&app, "api").await;
    let revoked = send(&app, "/oauth/revoke", &format!("Bearer {credential}"), &format!("token={token}")).await;
    assert_eq!(revoked.status, 200);
    for token in [&token, &other] {
        assert_eq!(statuses(&browser, token).await, (401, 401), "what is revoked is its jti, not its bytes");
        assert_eq!(introspect(&app, &credential, token).await["active"], false);
    }
}

#[tokio::test]
async fn t2_a_budget_that_no_token_could_keep_stops_the_start() {
    for config in [
        "[applications.web]\ntoken_budget = 400",
        "[resources.crm]\ntoken_budget = 400",
        "[resources.crm]\ntoken_budget = 500\nscopes = [\"a-scope-with-a-rather-long-name\", \"another-of-that-kind\"]\n[clients.a]",
    ] {
        let started = TestApp::try_with(config).await;
        let error = started.err().unwrap().to_string();
        assert!(error.contains("token_budget") && error.contains("bytes"), "{config}: {error}");
    }
}
