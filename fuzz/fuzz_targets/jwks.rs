//! A key set document: no private or foreign key becomes one that verifies.
#![no_main]

use counterfoil_fuzz::{Bound, bounded};
use counterfoil_guard::{KeySet, Kid, VerifyingKey, base64url_encode};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, from_slice};

/// A key has 224 bytes here and at least twelve there (`{"kty":""},`), and the list of them doubles as it grows.
const MEMORY: Bound = Bound { times: 96, plus: 4096 };

fuzz_target!(|data: &[u8]| {
    let Ok(set) = bounded(MEMORY, data, || KeySet::from_jwks(data)) else { return };
    assert_eq!(data.iter().find(|byte| !byte.is_ascii_whitespace()), Some(&b'{'), "a key set is an object");
    // Members that are not ours are skipped unread, so this reader may refuse where the guard does not.
    let Ok(document) = from_slice::<Value>(data) else { return };
    let keys = document["keys"].as_array().expect("an array of keys");
    assert!(keys.len() <= 64);
    for key in keys {
        assert!(key.is_object(), "a key is an object");
        assert!(key["d"].is_null() && key["k"].is_null(), "a private key");
        let Some(kid) = key["kid"].as_str().and_then(|kid| kid.parse::<Kid>().ok()) else { continue };
        if let Some(found) = set.get(&kid) {
            assert!(keys.iter().any(|key| is(key, &kid, found)), "a key that is not in the document");
            assert!(!found.verifies(b"message", &[7; 64]));
        }
    }
});

fn is(key: &Value, kid: &Kid, found: &VerifyingKey) -> bool {
    let (kty, crv) = found.algorithm().key_type();
    let point = match found.as_bytes() {
        [4, point @ ..] if point.len() == 64 => point,
        point => point,
    };
    let (x, y) = point.split_at(32);
    key["kty"] == kty
        && key["crv"] == crv
        && key["alg"] == found.algorithm().name()
        && key["kid"] == kid.as_str()
        && key["x"] == *base64url_encode(x)
        && (y.is_empty() || key["y"] == *base64url_encode(y))
        && (key["use"].is_null() || key["use"] == "sig")
}
