//! `private_key_jwt`. As a whole assertion: only the one that was signed is believed. As a header, a line break and claims, both
//! signed: what is believed says the same to `serde_json`, is meant for this server, and need not be remembered for long.
#![no_main]

use counterfoil_core::keys::signing::SigningKey;
use counterfoil_core::service::assertion::{Assertion, BadAssertion, LONGEST_LIFE_SECONDS, claimed_client, verify};
use counterfoil_fuzz::{Bound, ISSUER, KID, NOW, bounded, halves, now, object, sign, signing_key, text};
use counterfoil_guard::{Algorithm, KeySet, MAX_TOKEN_BYTES, VerifyingKey};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// As for an access token: a set of names for each object.
const MEMORY: Bound = Bound { times: 24, plus: 4096 };

const GENUINE: &str = include_str!("../corpus/client_assertion/genuine");
const CLIENT: &str = "reports";
const AUDIENCES: [&str; 2] = [ISSUER, "https://auth.example/oauth/token"];

/// Who signs; what the client has registered: one key, or two.
static SIDES: LazyLock<(SigningKey, KeySet, KeySet)> = LazyLock::new(|| {
    let key = signing_key();
    let own = VerifyingKey::new(key.algorithm(), key.public()).expect("a key");
    let mut one = KeySet::default();
    one.insert(key.kid().clone(), own.clone());
    let mut two = one.clone();
    two.insert("other".parse().expect("a kid"), VerifyingKey::new(Algorithm::Ed25519, key.public()).expect("a key"));
    assert!(judge(GENUINE, &one).is_ok(), "the seed is no longer believed");
    (key, one, two)
});

fuzz_target!(|data: &[u8]| {
    let (key, one, two) = &*SIDES;
    let assertion = text(data);
    assert_eq!(judge(&assertion, one).is_ok(), assertion == GENUINE);
    let (header, claims) = halves(data);
    let assertion = sign(key, header, claims);
    let claimed = bounded(MEMORY, assertion.as_bytes(), || claimed_client(&assertion));
    let judged = judge(&assertion, one);
    if let Ok(believed) = &judged {
        assert!(assertion.len() <= MAX_TOKEN_BYTES);
        assert_eq!(claimed.as_deref(), Some(CLIENT));
        check(header, claims, believed);
    }
    // Of two keys the header says which.
    let named = judged.is_ok() && object(header).get("kid").is_some_and(Value::is_string);
    assert_eq!(judge(&assertion, two).is_ok(), named);
});

fn judge(assertion: &str, keys: &KeySet) -> Result<Assertion, BadAssertion> {
    bounded(MEMORY, assertion.as_bytes(), || verify(assertion, keys, CLIENT, &AUDIENCES, now()))
}

fn check(header: &[u8], claims: &[u8], believed: &Assertion) {
    let (header, claims) = (object(header), object(claims));
    assert_eq!(header["alg"], "EdDSA");
    assert!(header.keys().all(|name| ["alg", "kid", "typ"].contains(&name.as_str())));
    assert!(header.get("kid").is_none_or(|kid| kid.is_null() || kid == KID));
    assert!(header.get("typ").is_none_or(|typ| *typ != "at+jwt" && *typ != "dpop+jwt"));
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!(CLIENT), &json!(CLIENT)));
    assert!(AUDIENCES.iter().any(|own| claims["aud"] == *own || claims["aud"] == json!([own])));
    assert_eq!(claims["jti"], *believed.jti);
    assert!((1..=256).contains(&believed.jti.len()));
    let until = believed.expires_at.as_seconds();
    assert!(NOW < until && until <= NOW + LONGEST_LIFE_SECONDS, "{until}");
    assert!(until as f64 <= claims["exp"].as_f64().expect("a number"));
}
