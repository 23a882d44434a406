//! Encrypted tokens (RFC 7516) of Wycheproof.

use super::{list, read};
use counterfoil_guard::{DecryptionKey, KeySet, Refusal, Timestamp, Verifier};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Every test with the key of its group; `None` where the key is no public one.
fn wycheproof(mut each: impl FnMut(Option<&Value>, &Value)) {
    for group in list(&read("wycheproof/json_web_encryption_test")["testGroups"]) {
        for test in list(&group["tests"]) {
            each(group.get("public"), test);
        }
    }
}

/// Nothing is opened without a key for it, and no key of a key set is one: those verify.
#[test]
fn jwe_5_2_a_guard_without_a_key_to_decrypt_refuses_every_encrypted_token() {
    let mut labels = BTreeMap::<String, usize>::new();
    wycheproof(|key, test| {
        let keys = KeySet::from_jwks(json!({ "keys": key.as_slice() }).to_string().as_bytes()).expect("public keys");
        assert!(keys.is_empty(), "a key for encryption does not verify");
        let verifier = Verifier::new("https://example.com", "web", keys);
        let token = test["jwe"].as_str().expect("a token");
        let refused = verifier.verify(token, Timestamp::from_seconds(1_700_000_000));
        assert_eq!(refused.unwrap_err(), Refusal::Malformed, "{}", test["tcId"]);
        *labels.entry(test["result"].as_str().expect("a label").to_owned()).or_default() += 1;
    });
    // The valid ones differ from their label: they are for somebody who has the key.
    assert_eq!(labels, BTreeMap::from([("invalid".to_owned(), 74), ("valid".to_owned(), 65)]));
}

/// Every key that agrees on P-256 is tried, whatever its own `alg` says. None of their tokens is of the one kind that is opened here
/// (ECDH-ES with A256GCM, a JWT within, no other member in the header): the valid ones differ from their label for that reason.
#[test]
fn atk20_a_guard_with_the_key_opens_none_of_the_other_kinds() {
    let mut refused = BTreeMap::<&str, usize>::new();
    for group in list(&read("wycheproof/json_web_encryption_test")["testGroups"]) {
        let mut jwk = group["private"].clone();
        jwk.as_object_mut().expect("a key").remove("alg");
        let Some(key) = DecryptionKey::from_jwk(jwk.to_string().as_bytes()) else { continue };
        let verifier = Verifier::new("https://example.com", "web", KeySet::default()).opening_with(key);
        for test in list(&group["tests"]) {
            let token = test["jwe"].as_str().expect("a token");
            let refusal = verifier.verify(token, Timestamp::from_seconds(1_700_000_000)).unwrap_err();
            *refused.entry(refusal.reason()).or_default() += 1;
        }
    }
    // Malformed: with a wrapped key where this kind has none.
    assert_eq!(refused, BTreeMap::from([("header_not_allowed", 7), ("malformed", 35)]));
}
