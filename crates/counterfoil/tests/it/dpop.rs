//! `DPoP` (RFC 9449): tokens bound to a key are good only with that key's proof, for this request, once.

use crate::control::ask;
use crate::oauth::{FORM, audit, credential, introspect};
use crate::support::{Answer, EMAIL, PASSWORD, TestApp};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use counterfoil::clock::Clock as _;
use counterfoil_guard::dpop::Proof;
use counterfoil_guard::{
    Claims, Clocks, Guard, Instance, KeySet, Refusal, Subjects, Verifier, base64url_decode, base64url_encode,
    encode_signing_input,
};
use http::{Method, Request, header};
use serde_json::{Value, json};

const CONFIG: &str = "trusted_proxies = [\"203.0.113.7/32\"]\n[limits]\nenabled = false\n\
    [applications.phone]\nprofile = \"native\"\n[applications.vault]\nprofile = \"native\"\nrequire_dpop = true\n\
    [resources.billing]\n[clients.reports]\n[clients.reports.resources]\nbilling = []\n\
    [clients.strict]\nrequire_dpop = true\n[clients.strict.resources]\nbilling = []";
const ORIGIN: &str = "https://app.example.com";

/// A client that holds a key, and the nonce it was given last.
pub(crate) struct Prover {
    /// Its clock, in seconds.
    pub(crate) now: i64,
    pair: Ed25519KeyPair,
    pub(crate) nonce: Option<String>,
    made: u32,
}

impl Prover {
    pub(crate) fn new(seed: u8) -> Self {
        Self {
            now: 1_800_000_000,
            pair: Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap(),
            nonce: None,
            made: 0,
        }
    }

    fn proof(&mut self, method: &str, path: &str, token: Option<&str>) -> String {
        self.proof_for(method, &format!("{ORIGIN}{path}"), token)
    }

    pub(crate) fn proof_for(&mut self, method: &str, url: &str, token: Option<&str>) -> String {
        self.made += 1;
        let mut claims = json!({ "jti": self.made.to_string(), "htm": method, "htu": url, "iat": self.now });
        if let Some(nonce) = &self.nonce {
            claims["nonce"] = json!(nonce);
        }
        if let Some(token) = token {
            claims["ath"] = json!(base64url_encode(digest(&SHA256, token.as_bytes()).as_ref()));
        }
        let x = base64url_encode(self.pair.public_key().as_ref());
        let header = json!({ "alg": "EdDSA", "typ": "dpop+jwt", "jwk": { "kty": "OKP", "crv": "Ed25519", "x": x } });
        let input = encode_signing_input(&header.to_string(), claims.to_string().as_bytes());
        format!("{input}.{}", base64url_encode(self.pair.sign(input.as_bytes()).as_ref()))
    }

    fn learn(&mut self, answer: &Answer) {
        if let Some(nonce) = answer.headers.get("dpop-nonce") {
            self.nonce = Some(nonce.to_str().unwrap().to_owned());
        }
    }

    /// Posts JSON with a proof; once more when a nonce is asked for, as clients do.
    pub(crate) async fn post(&mut self, app: &TestApp, path: &str, body: &Value) -> Answer {
        for _ in 0..2 {
            let proof = self.proof("POST", path, None);
            let answer = post(app, path, body, Some(&proof)).await;
            self.learn(&answer);
            if answer.code() != "use_dpop_nonce" {
                return answer;
            }
        }
        panic!("asked for a nonce twice");
    }
}

async fn post(app: &TestApp, path: &str, body: &Value, proof: Option<&str>) -> Answer {
    let browser = app.browser();
    let mut request = browser.json_request(path, body);
    if let Some(proof) = proof {
        request.headers_mut().insert("dpop", proof.parse().unwrap());
    }
    browser.send_without_keeping(request).await
}

/// Asks with a token under a scheme, and with these proofs.
pub(crate) async fn get(app: &TestApp, path: &str, authorization: &str, proofs: &[&str]) -> Answer {
    let mut browser = app.browser();
    browser.peer = "203.0.113.7".parse().unwrap();
    let mut request = browser.request(Method::GET, path);
    request.headers_mut().insert(header::AUTHORIZATION, authorization.parse().unwrap());
    for (name, value) in [("x-original-method", "GET"), ("x-original-uri", "/things?a=b")] {
        if path == "/gate" {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
    }
    for proof in proofs {
        request.headers_mut().append("dpop", proof.parse().unwrap());
    }
    browser.send_without_keeping(request).await
}

fn account(application: &str) -> Value {
    json!({ "email": EMAIL, "password": PASSWORD, "client_id": application })
}

pub(crate) async fn signed_in(app: &TestApp, prover: &mut Prover) -> Value {
    app.browser().post_json("/api/auth/register", &account("phone")).await;
    let answer = prover.post(app, "/api/auth/login", &account("phone")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

fn text<'a>(body: &'a Value, name: &str) -> &'a str {
    body[name].as_str().unwrap()
}

/// A proof for a question with a token, with the nonce that such questions need.
pub(crate) async fn asking(app: &TestApp, prover: &mut Prover, path: &str, token: &str) -> String {
    let first = prover.proof("GET", path, Some(token));
    let told = get(app, "/api/auth/me", &format!("DPoP {token}"), &[&first]).await;
    prover.learn(&told);
    prover.proof("GET", path, Some(token))
}

#[tokio::test]
async fn dpop_5a_dpop_8_a_native_sign_in_binds_its_tokens_to_the_key_it_shows() {
    let app = TestApp::with(CONFIG).await;
    let mut prover = Prover::new(1);
    app.browser().post_json("/api/auth/register", &account("phone")).await;
    let proof = prover.proof("POST", "/api/auth/login", None);
    let told = post(&app, "/api/auth/login", &account("phone"), Some(&proof)).await;
    assert_eq!(told.outcome(), (400, "use_dpop_nonce".into()));
    assert_eq!(told.headers.get_all("dpop-nonce").iter().count(), 1);
    let body = signed_in(&app, &mut prover).await;
    assert_eq!(body["token_type"], "DPoP");
    let payload = base64url_decode(text(&body, "access_token").split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    let proof = prover.proof("GET", "/", None);
    let key = Proof::read(&proof, "GET", &format!("{ORIGIN}/")).unwrap().key;
    assert_eq!(claims["cnf"], json!({ "jkt": base64url_encode(&key) }));
    // Without a proof nothing is bound, unless the application wants it so.
    let plain = post(&app, "/api/auth/login", &account("phone"), None).await.json();
    assert_eq!(plain["token_type"], "Bearer");
    let refused = post(&app, "/api/auth/login", &account("vault"), None).await;
    assert_eq!(refused.outcome(), (401, "proof_required".into()));
    assert_eq!(prover.post(&app, "/api/auth/login", &account("vault")).await.status, 200);
    let guard = credential(&app, "api").await;
    let said = introspect(&app, &guard, text(&body, "access_token")).await;
    assert_eq!((&said["token_type"], &said["cnf"]), (&json!("DPoP"), &claims["cnf"]));
}

#[tokio::test]
async fn s3_dpop_5a_a_bound_refresh_token_needs_its_key_and_forgives_what_was_lost() {
    let app = TestApp::with(CONFIG).await;
    let (mut own, mut thief) = (Prover::new(1), Prover::new(2));
    let body = signed_in(&app, &mut own).await;
    let first = json!({ "refresh_token": body["refresh_token"] });
    assert_eq!(post(&app, "/api/auth/refresh", &first, None).await.outcome(), (401, "proof_required".into()));
    for _ in 0..6 {
        assert_eq!(thief.post(&app, "/api/auth/refresh", &first).await.outcome(), (401, "proof_required".into()));
    }
    let written = audit(&app).await.iter().filter(|entry| entry["event"] == "refresh_unproven").count();
    assert_eq!(written, 3, "and not for ever");
    let second = own.post(&app, "/api/auth/refresh", &first).await.json();
    assert_eq!(second["token_type"], "DPoP");
    // Long after the grace: whoever proves the key is no thief, whatever got lost (S3); and the thief still is.
    app.pass(120);
    let again = own.post(&app, "/api/auth/refresh", &first).await;
    assert_eq!(again.status, 200, "{}", again.text);
    assert_eq!(thief.post(&app, "/api/auth/refresh", &first).await.outcome(), (401, "proof_required".into()));
    let next = json!({ "refresh_token": again.json()["refresh_token"] });
    assert_eq!(own.post(&app, "/api/auth/refresh", &next).await.status, 200);
}

#[tokio::test]
async fn atk28_a_proof_counts_once_for_whoever_comes_first() {
    let app = TestApp::with(CONFIG).await;
    let mut own = Prover::new(1);
    let body = signed_in(&app, &mut own).await;
    let token = text(&body, "access_token");
    let proof = asking(&app, &mut own, "/api/auth/me", token).await;
    let scheme = format!("DPoP {token}");
    let proofs = [proof.as_str()];
    let all = futures_util::future::join_all((0..8).map(|_| get(&app, "/api/auth/me", &scheme, &proofs))).await;
    assert_eq!(all.iter().filter(|answer| answer.status == 200).count(), 1);
    for answer in all.iter().filter(|answer| answer.status != 200) {
        assert_eq!(answer.outcome(), (401, "invalid_dpop_proof".into()));
    }
    let proof = own.proof("POST", "/api/auth/refresh", None);
    let told = post(&app, "/api/auth/refresh", &json!({ "refresh_token": body["refresh_token"] }), Some(&proof)).await;
    assert_eq!(told.code(), "use_dpop_nonce", "another role's nonce (DPOP-8)");
    own.learn(&told);
    let proof = own.proof("POST", "/api/auth/refresh", None);
    let refresh = json!({ "refresh_token": body["refresh_token"] });
    let all =
        futures_util::future::join_all((0..8).map(|_| post(&app, "/api/auth/refresh", &refresh, Some(&proof)))).await;
    assert_eq!(all.iter().filter(|answer| answer.status == 200).count(), 1);
}

#[tokio::test]
async fn dpop_7a_dpop_7b_atk36_a_bound_token_passes_only_with_a_proof_for_this_request() {
    let app = TestApp::with(CONFIG).await;
    let (mut own, mut thief) = (Prover::new(1), Prover::new(2));
    let body = signed_in(&app, &mut own).await;
    let unbound = post(&app, "/api/auth/login", &account("phone"), None).await.json();
    let (token, free) = (text(&body, "access_token"), text(&unbound, "access_token"));
    let good = asking(&app, &mut own, "/api/auth/me", token).await;
    let (bearer, bound) = (format!("Bearer {token}"), format!("DPoP {token}"));
    thief.nonce.clone_from(&own.nonce);
    let of_thief = thief.proof("GET", "/api/auth/me", Some(token));
    let elsewhere = own.proof("GET", "/api/auth/sessions", Some(token));
    let posted = own.proof("POST", "/api/auth/me", Some(token));
    let unnamed = own.proof("GET", "/api/auth/me", None);
    let of_other = own.proof("GET", "/api/auth/me", Some(free));
    let mut late = Prover { nonce: None, ..Prover::new(1) };
    late.made = 100;
    let without_nonce = late.proof("GET", "/api/auth/me", Some(token));
    late.nonce = Some("AAAA".into());
    let foreign_nonce = late.proof("GET", "/api/auth/me", Some(token));
    for (path, authorization, proofs, expected) in [
        ("/api/auth/me", &bearer, vec![], "proof_required"),
        ("/api/auth/me", &bearer, vec![good.as_str()], "proof_required"),
        ("/api/auth/me", &bound, vec![], "proof_required"),
        ("/api/auth/me", &bound, vec![good.as_str(), good.as_str()], "invalid_dpop_proof"),
        ("/api/auth/me", &bound, vec![of_thief.as_str()], "invalid_dpop_proof"),
        ("/api/auth/me", &bound, vec![elsewhere.as_str()], "invalid_dpop_proof"),
        ("/api/auth/me", &bound, vec![posted.as_str()], "invalid_dpop_proof"),
        ("/api/auth/me", &bound, vec![unnamed.as_str()], "invalid_dpop_proof"),
        ("/api/auth/me", &bound, vec![of_other.as_str()], "invalid_dpop_proof"),
        ("/api/auth/me", &bound, vec!["x"], "invalid_dpop_proof"),
        ("/api/auth/me", &bound, vec![without_nonce.as_str()], "use_dpop_nonce"),
        ("/api/auth/me", &bound, vec![foreign_nonce.as_str()], "use_dpop_nonce"),
        ("/api/auth/sessions", &bearer, vec![], "proof_required"),
        ("/gate", &bearer, vec![], "proof_required"),
        ("/gate", &bound, vec![good.as_str()], "invalid_dpop_proof"),
    ] {
        let answer = get(&app, path, authorization, &proofs).await;
        assert_eq!(answer.outcome(), (401, expected.into()), "{path} {authorization} {proofs:?}");
        assert!(answer.headers[header::WWW_AUTHENTICATE].to_str().unwrap().starts_with("DPoP "), "{}", answer.text);
    }
    let named = own.proof("GET", "/api/auth/me", Some(free));
    let answer = get(&app, "/api/auth/me", &format!("DPoP {free}"), &[&named]).await;
    assert_eq!(answer.outcome(), (401, "invalid_dpop_proof".into()), "an unbound token is no bound one");
    assert_eq!(get(&app, "/api/auth/me", &bound, &[&good]).await.status, 200, "none of it has used the good one up");
    let sessions = own.proof("GET", "/api/auth/sessions", Some(token));
    assert_eq!(get(&app, "/api/auth/sessions", &bound, &[&sessions]).await.status, 200);
    for _ in 0..2 {
        let forwarded = own.proof("GET", "/things", Some(token));
        let passed = get(&app, "/gate", &bound, &[&forwarded]).await;
        assert_eq!(passed.status, 200);
        own.learn(&passed);
        assert!(passed.headers.contains_key("dpop-nonce"), "before the last one is too old");
        assert_eq!(get(&app, "/gate", &bound, &[&forwarded]).await.outcome(), (401, "invalid_dpop_proof".into()));
    }
    app.pass(303);
    let stale = own.proof("GET", "/api/auth/me", Some(token));
    assert_eq!(get(&app, "/api/auth/me", &bound, &[&stale]).await.code(), "use_dpop_nonce", "the nonce is old");
}

#[tokio::test]
async fn the_token_that_the_gate_hands_on_is_not_bound_it_has_seen_the_proof() {
    let app = TestApp::with(&format!("{CONFIG}\n[gate]\nupstream_audience = \"behind\"")).await;
    let mut own = Prover::new(1);
    let body = signed_in(&app, &mut own).await;
    let token = text(&body, "access_token");
    asking(&app, &mut own, "/api/auth/me", token).await;
    let forwarded = own.proof("GET", "/things", Some(token));
    let answer = get(&app, "/gate", &format!("DPoP {token}"), &[&forwarded]).await;
    let handed = answer.headers[header::AUTHORIZATION].to_str().unwrap().strip_prefix("Bearer ").unwrap();
    let keys = KeySet::from_jwks(&app.app.keyring().jwks).unwrap();
    let behind = Verifier::new(app.app.public.issuer(), "behind", keys);
    assert!(behind.verify(handed, app.app.clock.now()).is_ok());
}

#[tokio::test]
async fn signing_out_by_a_bound_token_needs_the_proof_too() {
    let app = TestApp::with(CONFIG).await;
    let mut own = Prover::new(1);
    let body = signed_in(&app, &mut own).await;
    let token = text(&body, "access_token");
    let sign_out = async |authorization: String, proof: Option<String>| {
        let browser = app.browser();
        let mut request = browser.request(Method::POST, "/api/auth/logout");
        request.headers_mut().insert(header::AUTHORIZATION, authorization.parse().unwrap());
        if let Some(proof) = proof {
            request.headers_mut().insert("dpop", proof.parse().unwrap());
        }
        browser.send_without_keeping(request).await
    };
    assert_eq!(sign_out(format!("Bearer {token}"), None).await.outcome(), (401, "proof_required".into()));
    let alive = asking(&app, &mut own, "/api/auth/me", token).await;
    assert_eq!(
        get(&app, "/api/auth/me", &format!("DPoP {token}"), &[&alive]).await.status,
        200,
        "a thief ends nothing"
    );
    let proof = own.proof("POST", "/api/auth/logout", Some(token));
    for _ in 0..2 {
        let repeated = Some(proof.clone());
        assert_eq!(sign_out(format!("DPoP {token}"), repeated).await.status, 204, "fine to repeat");
    }
    let over = own.proof("GET", "/api/auth/me", Some(token));
    let answer = get(&app, "/api/auth/me", &format!("DPoP {token}"), &[&over]).await;
    assert_eq!(answer.outcome(), (401, "session_revoked".into()));
}

/// Asks for a service's token with a proof.
async fn service(app: &TestApp, prover: &mut Prover, form: &str) -> Answer {
    let mut request = Request::post("/oauth/token").header(header::CONTENT_TYPE, FORM);
    request = request.header("dpop", prover.proof("POST", "/oauth/token", None));
    let answer = app.browser().send_without_keeping(request.body(form.to_owned().into()).unwrap()).await;
    prover.learn(&answer);
    answer
}

fn guard(app: &TestApp, audience: &str) -> Guard {
    let keys = KeySet::from_jwks(&app.app.keyring().jwks).unwrap();
    let verifier = Verifier::new(app.app.public.issuer(), audience, keys).of(Subjects::Both);
    Guard::new(verifier, Instance::from_bytes([1; 16]))
}

#[tokio::test]
async fn dpop_5b_a_services_token_is_bound_too_and_guards_ask_for_the_proof() {
    let app = TestApp::with(CONFIG).await;
    let mut own = Prover::new(1);
    let secret = |name: &'static str| ask(&app, "POST", "/api/admin/clients", Some(json!({ "name": name })));
    let form = |name: &str, made: &Value| {
        format!("grant_type=client_credentials&client_id={name}&client_secret={}", text(made, "client_secret"))
    };
    let (reports, strict) = (form("reports", &secret("reports").await.1), form("strict", &secret("strict").await.1));
    assert_eq!(service(&app, &mut own, &reports).await.json()["error"], "use_dpop_nonce");
    let answer = service(&app, &mut own, &reports).await.json();
    assert_eq!(answer["token_type"], "DPoP");
    let refused = crate::oauth::send(&app, "/oauth/token", "", &strict).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["error"]), (400, &json!("invalid_dpop_proof")));
    assert_eq!(service(&app, &mut own, &strict).await.json()["token_type"], "DPoP");
    // At a resource server.
    let token = text(&answer, "access_token");
    let guard = guard(&app, "billing");
    let clocks = Clocks { boot: app.clock.tick(), wall: app.app.clock.now() };
    let verified = guard.verify_but_for_revocation(token, clocks).unwrap();
    let url = "https://billing.example.com/invoices";
    let proof =
        |prover: &mut Prover, token: &str| Proof::read(&prover.proof_for("GET", url, Some(token)), "GET", url).unwrap();
    let good = proof(&mut own, token);
    assert_eq!(guard.check_proof(&verified, token, &good, clocks), Ok(()));
    assert_eq!(guard.check_proof(&verified, token, &good, clocks), Err(Refusal::BadProof), "once");
    let foreign = proof(&mut Prover::new(2), token);
    assert_eq!(guard.check_proof(&verified, token, &foreign, clocks), Err(Refusal::BadProof));
    let other = proof(&mut own, "another token");
    assert_eq!(guard.check_proof(&verified, token, &other, clocks), Err(Refusal::BadProof));
    let claims: &Claims = &verified.claims;
    assert_eq!(claims.check_binding(token, None), Err(Refusal::ProofRequired));
    let keys = KeySet::from_jwks(&app.app.keyring().jwks).unwrap();
    let plain = Verifier::new(app.app.public.issuer(), "billing", keys).of(Subjects::Both);
    assert_eq!(plain.verify(token, app.app.clock.now()), Err(Refusal::ProofRequired));
    let late = proof(&mut own, token);
    let later = Clocks { wall: clocks.wall.plus(std::time::Duration::from_secs(61)), ..clocks };
    let renewed = guard.check_proof(&verified, token, &late, later);
    assert_eq!(renewed, Err(Refusal::BadProof), "a minute old");
}
