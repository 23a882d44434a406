//! Every way in which a proof can be wrong, and the examples of the draft (`vectors/dbsc`).

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use counterfoil_core::device::DeviceKey;
use counterfoil_core::device::proof::{BadProof, check, header_text, registered_key};
use counterfoil_guard::{base64url_encode, encode_signing_input};
use serde_json::{Value, json};

const URL: &str = "https://example.com/reg";
const VECTORS: &str = include_str!("../../../vectors/dbsc/examples.json");

fn pair() -> EcdsaKeyPair {
    EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("a key")
}

fn jwk(pair: &EcdsaKeyPair) -> Value {
    let point = pair.public_key().as_ref();
    json!({ "kty": "EC", "crv": "P-256", "x": base64url_encode(&point[1..33]), "y": base64url_encode(&point[33..]) })
}

fn public(pair: &EcdsaKeyPair) -> DeviceKey {
    DeviceKey::from_bytes(pair.public_key().as_ref()).expect("a key")
}

fn signed(pair: &EcdsaKeyPair, header: &str, claims: &str) -> String {
    let input = encode_signing_input(header, claims.as_bytes());
    let signature = pair.sign(&SystemRandom::new(), input.as_bytes()).expect("a signature");
    format!("{input}.{}", base64url_encode(signature.as_ref()))
}

fn register(pair: &EcdsaKeyPair, header: &Value, claims: &Value) -> Result<DeviceKey, BadProof> {
    let proof = signed(pair, &header.to_string(), &claims.to_string());
    registered_key(&proof, URL, |challenge, authorization| (challenge, authorization) == ("cv", "ac"))
}

fn prove(pair: &EcdsaKeyPair, key: &DeviceKey, header: &Value, claims: &Value) -> Result<(), BadProof> {
    check(&signed(pair, &header.to_string(), &claims.to_string()), URL, key, |challenge| challenge == "cv")
}

/// The shapes of the draft, with a key of our own.
fn good(pair: &EcdsaKeyPair) -> [Value; 4] {
    let vectors: Value = serde_json::from_str(VECTORS).expect("the vectors");
    let part = |of: &str, name: &str| vectors[of][name].clone();
    let mut header = part("normative_registration_proof", "header");
    header["jwk"] = jwk(pair);
    [
        header,
        part("normative_registration_proof", "payload"),
        part("normative_refresh_proof", "header"),
        part("normative_refresh_proof", "payload"),
    ]
}

#[test]
fn dbsc_reg2_dbsc_ref2_the_drafts_two_proofs_are_taken() {
    let pair = pair();
    let [header, claims, later, later_claims] = good(&pair);
    assert_eq!(register(&pair, &header, &claims), Ok(public(&pair)));
    assert_eq!(prove(&pair, &public(&pair), &later, &later_claims), Ok(()));
    let mut with_aud = claims;
    with_aud["aud"] = json!(URL);
    assert_eq!(register(&pair, &header, &with_aud), Ok(public(&pair)), "Chromium can say for whom");
}

#[test]
fn atk37_the_drafts_outdated_example_is_refused() {
    let vectors: Value = serde_json::from_str(VECTORS).expect("the vectors");
    let stale = vectors["response_header_example_in_spec"]["value"].as_str().expect("a token");
    assert_eq!(registered_key(stale, URL, |_, _| true), Err(BadProof("jwk")));
    let [x, y] = ["x", "y"].map(|name| {
        let text = vectors["response_header_example_in_spec"]["payload"]["jwk"][name].as_str().expect("a coordinate");
        counterfoil_guard::base64url_decode(text).expect("base64url")
    });
    let key = DeviceKey::from_bytes(&[vec![4], x, y].concat()).expect("a key");
    assert_eq!(check(stale, URL, &key, |_| true), Err(BadProof("signature")), "nobody has signed it");
}

#[test]
fn atk37_a_registration_is_refused_for_whatever_is_wrong() {
    let pair = pair();
    let [header, claims, later, _] = good(&pair);
    for (name, value, why) in [
        ("alg", json!("none"), "alg"),
        ("alg", json!("RS256"), "alg"),
        ("alg", json!("EdDSA"), "alg"),
        ("alg", json!("es256"), "alg"),
        ("typ", json!("dpop+jwt"), "typ"),
        ("typ", json!("at+jwt"), "typ"),
        ("typ", json!("JWT"), "typ"),
        ("kid", json!("k"), "header"),
        ("crit", json!(["b64"]), "header"),
        ("jku", json!("https://evil.example/keys"), "header"),
        ("jwk", json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB" }), "header"),
        ("jwk", json!({ "kty": "RSA", "crv": "P-256", "x": "AA", "y": "AA" }), "jwk"),
        ("jwk", json!({ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" }), "jwk"),
        ("jwk", jwk(&crate::pair()), "signature"),
    ] {
        let mut changed = header.clone();
        changed[name] = value;
        assert_eq!(register(&pair, &changed, &claims), Err(BadProof(why)), "{changed}");
    }
    let mut private = header.clone();
    private["jwk"]["d"] = json!("AAAA");
    assert_eq!(register(&pair, &private, &claims), Err(BadProof("jwk")));
    assert_eq!(register(&pair, &later, &claims), Err(BadProof("jwk")), "a registration brings its key along");
    for (name, value, why) in [
        ("jti", json!("other"), "challenge"),
        ("jti", json!(1), "claims"),
        ("authorization", json!("other"), "challenge"),
        ("authorization", Value::Null, "authorization"),
        ("aud", json!("https://evil.example/reg"), "aud"),
    ] {
        let mut changed = claims.clone();
        changed[name] = value;
        assert_eq!(register(&pair, &header, &changed), Err(BadProof(why)), "{changed}");
    }
    let twice = claims.to_string().replacen('{', r#"{"jti":"other","#, 1);
    assert_eq!(registered_key(&signed(&pair, &header.to_string(), &twice), URL, |_, _| true), Err(BadProof("claims")));
}

#[test]
fn atk37_a_proof_is_refused_for_whatever_is_wrong() {
    let pair = pair();
    let key = public(&pair);
    let [registration, _, header, claims] = good(&pair);
    assert_eq!(prove(&pair, &key, &registration, &claims), Err(BadProof("jwk")), "even its own");
    assert_eq!(prove(&crate::pair(), &key, &header, &claims), Err(BadProof("signature")));
    for (name, value, why) in
        [("alg", json!("none"), "alg"), ("alg", json!("RS256"), "alg"), ("typ", json!("dpop+jwt"), "typ")]
    {
        let mut changed = header.clone();
        changed[name] = value;
        assert_eq!(prove(&pair, &key, &changed, &claims), Err(BadProof(why)), "{changed}");
    }
    assert_eq!(prove(&pair, &key, &header, &json!({ "jti": "other" })), Err(BadProof("challenge")));
    let proof = signed(&pair, &header.to_string(), &claims.to_string());
    let cut = &proof[..proof.rfind('.').expect("three parts")];
    for (text, why) in [
        (cut.to_owned(), "not a JWT"),
        (format!("{cut}."), "not a JWT"),
        (format!("{cut}.AAAA"), "signature"),
        (format!("{proof}="), "not a JWT"),
        ("x".repeat(4097), "too large"),
    ] {
        assert_eq!(check(&text, URL, &key, |_| true), Err(BadProof(why)), "{why}");
    }
    let unsigned = encode_signing_input(r#"{"alg":"none","typ":"dbsc+jwt"}"#, claims.to_string().as_bytes());
    assert_eq!(check(&format!("{unsigned}.AA"), URL, &key, |_| true), Err(BadProof("alg")));
}

#[test]
fn dbsc_raw_header_values_are_taken_bare_and_quoted() {
    let vectors: Value = serde_json::from_str(VECTORS).expect("the vectors");
    for value in vectors["session_id_header_values"].as_array().expect("a list") {
        assert_eq!(header_text(value.as_str().expect("text")), Some("session-id"));
    }
    for (value, text) in [
        ("session-id", Some("session-id")),
        (" \"a.b.c\" ", Some("a.b.c")),
        ("", None),
        ("\"\"", None),
        ("\"a", None),
        ("a\"", None),
        ("\"a\\\"b\"", None),
        ("a, b", None),
        ("a;b=1", None),
        (":YQ==:é", None),
    ] {
        assert_eq!(header_text(value), text, "{value}");
    }
}
