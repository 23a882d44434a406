//! The cases of `vectors/guard/verify.json` and `vectors/attacks`, which both guards read, at every endpoint that takes an access token: the server
//! here has the keys of the vectors, and their time.

use crate::control::ask;
use crate::oauth::{FORM, credential};
use crate::support::{Browser, MASTER, TestApp};
use counterfoil::clock::random;
use counterfoil::store::{SealedSecret, Store};
use counterfoil_core::keys::ring::{KeyState, StoredKey};
use counterfoil_core::keys::sealing::{MasterKey, Purpose};
use counterfoil_core::{Secret, Timestamp};
use counterfoil_guard::{Algorithm, base64url_decode};
use http::{HeaderValue, Method, Request, header};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The private halves: the example of RFC 8037, and one repeated byte. The third key only verifies.
const SEEDS: [(&str, &str); 2] =
    [("k1", "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"), ("k2", "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI")];

/// All of them as one: keys, issuer and time are the same in every file.
fn vectors() -> Value {
    let folder = format!("{}/../../vectors", env!("CARGO_MANIFEST_DIR"));
    let read =
        |path: std::path::PathBuf| -> Value { serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap() };
    let mut all = read(format!("{folder}/guard/verify.json").into());
    for entry in std::fs::read_dir(format!("{folder}/attacks")).unwrap() {
        let attack = read(entry.unwrap().path());
        assert_eq!((&attack["now"], &attack["issuer"]), (&all["now"], &all["issuer"]));
        assert_eq!(attack["jwks"], all["jwks"]);
        let cases = attack["cases"].as_array().unwrap().clone();
        all["cases"].as_array_mut().unwrap().extend(cases);
    }
    // What a guard that serves services takes or refuses says nothing of this server, which serves people.
    all["cases"].as_array_mut().unwrap().retain(|case| case["subjects"].is_null());
    all
}

fn keys(vectors: &Value, master: &MasterKey, at: Timestamp) -> Vec<StoredKey> {
    let mut keys = Vec::new();
    for jwk in vectors["jwks"]["keys"].as_array().unwrap() {
        let text = |name: &str| jwk[name].as_str().unwrap_or_default();
        let bytes = |name: &str| base64url_decode(text(name)).unwrap();
        let (kid, algorithm) = (text("kid"), Algorithm::from_name(text("alg")));
        let (Some(algorithm), true) = (algorithm, ["k1", "k2", "k3"].contains(&kid)) else { continue };
        let public = if algorithm.is_ed25519() { bytes("x") } else { [vec![4], bytes("x"), bytes("y")].concat() };
        let seed = SEEDS.iter().find(|(name, _)| *name == kid).map(|(_, seed)| base64url_decode(seed).unwrap());
        let state = if seed.is_some() { KeyState::Active } else { KeyState::Retiring };
        let sealed = seed.map(|seed| master.seal(Purpose::SigningKey, kid, random(), &seed)).unwrap_or_default();
        let kid = kid.parse().unwrap();
        keys.push(StoredKey { kid, algorithm, state, created_at: at, since: at, public, sealed });
    }
    assert_eq!(keys.len(), 3);
    keys
}

async fn app(vectors: &Value) -> TestApp {
    let now = Timestamp::from_seconds(vectors["now"].as_i64().unwrap());
    let master = MasterKey::new(&Secret::new(MASTER));
    let keys = keys(vectors, &master, now);
    let secret = |purpose: Purpose, id: &str, plain: &[u8]| SealedSecret {
        purpose: purpose.as_str().into(),
        id: id.into(),
        sealed: master.seal(purpose, id, random(), plain),
    };
    let secrets = vec![
        secret(Purpose::Probe, "probe", b"counterfoil"),
        secret(Purpose::TokenKey, "1", &[1; 32]),
        secret(Purpose::Pepper, "1", &[1; 32]),
    ];
    let config = "trusted_proxies = [\"203.0.113.7/32\"]\n[limits]\nenabled = false";
    TestApp::prepared(config, now, async |store: &dyn Store| {
        assert_eq!(store.initialise(keys, secrets).await, Ok(true));
    })
    .await
}

/// What each endpoint makes of a token; `None` where it cannot even be written into a header.
async fn outcomes(app: &TestApp, introspector: &str, token: &str) -> Vec<(&'static str, String)> {
    let mut seen = Vec::new();
    if let Ok(value) = HeaderValue::from_str(&format!("Bearer {token}")) {
        let browser = app.browser();
        for (method, path) in [("GET", "/api/auth/me"), ("GET", "/api/auth/sessions"), ("GET", "/gate")] {
            let mut request = Browser::request(&browser, method.parse().unwrap(), path);
            request.headers_mut().insert(header::AUTHORIZATION, value.clone());
            request.headers_mut().insert("x-original-method", HeaderValue::from_static("GET"));
            request.headers_mut().insert("x-original-uri", HeaderValue::from_static("/x"));
            let answer = browser.send_without_keeping(request).await;
            assert_eq!(answer.status, 401, "{path}: {}", answer.text);
            seen.push((path, answer.code()));
        }
        for path in ["/api/auth/logout", "/api/auth/logout-all"] {
            let mut request = browser.request(Method::POST, path);
            request.headers_mut().insert(header::AUTHORIZATION, value.clone());
            browser.send_without_keeping(request).await;
        }
    }
    let encoded = token.bytes().fold(String::new(), |mut text, byte| {
        write!(text, "%{byte:02X}").unwrap();
        text
    });
    for path in ["/oauth/introspect", "/oauth/revoke"] {
        let request = Request::post(path).header(header::CONTENT_TYPE, FORM);
        let request = request.header(header::AUTHORIZATION, format!("Bearer {introspector}"));
        let answer = app.browser().send_without_keeping(request.body(format!("token={encoded}").into()).unwrap()).await;
        // An empty token is none (TOK-5).
        let fine = answer.status == 200 || (token.is_empty() && answer.status == 400);
        assert!(fine, "{path}: {}", answer.text);
        assert!(answer.json()["active"] != true, "{path}: {}", answer.text);
    }
    seen
}

#[tokio::test]
async fn t1_every_case_of_the_vectors_is_refused_at_every_endpoint_that_takes_a_token() {
    let vectors = vectors();
    let app = app(&vectors).await;
    let introspector = credential(&app, "introspector").await;
    let (mut refused, mut wrong) = (0, Vec::new());
    for case in vectors["cases"].as_array().unwrap() {
        let expected = match case["refusal"].as_str() {
            // Verified; and then its session is none of this server's, or not even its application.
            None if case["claims"]["client_id"] == "web" => "session_revoked",
            Some("expired") => "token_expired",
            Some("proof_required") => "proof_required",
            None | Some(_) => "token_invalid",
        };
        for (path, code) in outcomes(&app, &introspector, case["token"].as_str().unwrap()).await {
            refused += 1;
            if code != expected {
                wrong.push(format!("{path}, {}: {code}, not {expected}", case["name"]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(refused > 1500, "{refused}");
    assert_eq!(app.app.feed.head(), 0, "nothing was revoked by any of them");
    let audit = ask(&app, "GET", "/api/admin/audit", None).await.1;
    assert_eq!(
        audit["entries"].as_array().unwrap().len(),
        1,
        "the guard's credential and nothing else: {}",
        json!(audit)
    );
}
