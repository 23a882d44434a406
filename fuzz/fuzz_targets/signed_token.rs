//! Header and claims behind a good signature. The input is a header, a line break, and a payload; both are signed. What is
//! accepted is read again by `serde_json` and must say the same.
#![no_main]

use counterfoil_core::keys::signing::SigningKey;
use counterfoil_fuzz::{
    Bound, KID, NOW, bounded, check_claims, check_times, halves, now, object, sign, signing_key, verifier,
};
use counterfoil_guard::{MAX_TOKEN_BYTES, Subjects, Verifier};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// As for an access token, and twice: claims that are refused are read again, to tell why.
const MEMORY: Bound = Bound { times: 48, plus: 4096 };

/// Who signs; who believes users and services, and who users only.
static SIDES: LazyLock<(SigningKey, Verifier, Verifier)> = LazyLock::new(|| {
    let key = signing_key();
    let verifier = verifier(&key);
    (key, verifier.clone().of(Subjects::Both), verifier)
});

fuzz_target!(|data: &[u8]| {
    let (key, both, users) = &*SIDES;
    let (header, payload) = halves(data);
    let token = sign(key, header, payload);
    let accepted = bounded(MEMORY, token.as_bytes(), || both.verify_even_if_expired(&token, now()));
    let strict = bounded(MEMORY, token.as_bytes(), || both.verify_with_kid(&token, now()));
    let Ok((claims, _)) = accepted else {
        assert!(strict.is_err());
        return;
    };
    assert!(token.len() <= MAX_TOKEN_BYTES);
    check_header(&object(header));
    let payload = object(payload);
    check_claims(&payload, &claims);
    check_times(&payload, &claims, seconds);
    assert_eq!(strict.is_ok(), claims.exp > NOW);
    // A bearer token is believed as it is; one that is bound to a key, only with a proof.
    let alone = claims.bound_to.is_none() && claims.sub.user().is_some();
    assert_eq!(users.verify(&token, now()).is_ok(), strict.is_ok() && alone);
});

fn check_header(header: &Map<String, Value>) {
    assert_eq!(header.len(), 3);
    assert_eq!((&header["alg"], &header["kid"]), (&Value::from("EdDSA"), &Value::from(KID)));
    let typ = header["typ"].as_str().expect("text").to_ascii_lowercase();
    assert!(matches!(&*typ, "at+jwt" | "application/at+jwt"));
}

/// Whole numbers must be kept to the last digit.
fn seconds(number: &Value) -> i64 {
    number.as_i64().unwrap_or_else(|| number.as_f64().expect("a number").floor() as i64)
}
