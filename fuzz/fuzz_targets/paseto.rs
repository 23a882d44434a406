//! PASETO v4.public. As a whole token: only the one that was signed verifies, and what can be taken apart has one spelling. As a
//! footer, a line break and a payload, both signed: what is accepted says the same to `serde_json`. As a place and a change: the
//! genuine token with that change is refused.
#![no_main]

use counterfoil_core::keys::paserk::public_id;
use counterfoil_core::keys::signing::SigningKey;
use counterfoil_fuzz::{
    AUDIENCE, Bound, ISSUER, KID, NOW, bounded, check_claims, check_times, halves, now, object, signing_key, text,
};
use counterfoil_guard::paseto::{Message, encode, signing_input};
use counterfoil_guard::rfc3339::days;
use counterfoil_guard::{KeySet, MAX_TOKEN_BYTES, PaserkId, Subjects, Verifier, base64url_encode};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use std::sync::LazyLock;

/// As for a signed token.
const MEMORY: Bound = Bound { times: 48, plus: 4096 };

const GENUINE: &str = include_str!("../corpus/paseto/genuine");

static SIDES: LazyLock<(SigningKey, PaserkId, Verifier)> = LazyLock::new(|| {
    let key = signing_key();
    let id = public_id(key.algorithm(), key.public()).expect("a key for Ed25519");
    let verifier = Verifier::new(ISSUER, AUDIENCE, key_set(&key, &id)).of(Subjects::Both);
    assert!(verifier.verify(GENUINE, now()).is_ok(), "the seed no longer verifies");
    (key, id, verifier)
});

/// As the authority publishes it.
fn key_set(key: &SigningKey, id: &PaserkId) -> KeySet {
    let (kty, crv) = key.algorithm().key_type();
    let (alg, x) = (key.algorithm().name(), base64url_encode(key.public()));
    let jwk = json!({ "kty": kty, "crv": crv, "alg": alg, "kid": KID, "paserk_id": id.as_str(), "x": x });
    KeySet::from_jwks(json!({ "keys": [jwk] }).to_string().as_bytes()).expect("a key set")
}

fuzz_target!(|data: &[u8]| {
    whole(&text(data));
    signed(data);
    if let [high, low, by, ..] = *data {
        changed(usize::from(u16::from_be_bytes([high, low])), by);
    }
});

fn whole(token: &str) {
    let verifier = &SIDES.2;
    if let Ok(message) = bounded(MEMORY, token.as_bytes(), || Message::split(token)) {
        let again = encode(&message.message, &message.signature, &message.footer);
        assert_eq!(again.trim_end_matches('.'), token, "a second spelling");
        assert!(!message.message.is_empty());
    }
    let strict = bounded(MEMORY, token.as_bytes(), || verifier.verify(token, now()));
    assert_eq!(strict.is_ok(), token == GENUINE, "{strict:?}");
}

fn signed(data: &[u8]) {
    let (key, id, verifier) = &*SIDES;
    let (footer, payload) = halves(data);
    let signature = key.signature_over(&signing_input(payload, footer, b""));
    let token = encode(payload, &signature, footer);
    let accepted = bounded(MEMORY, token.as_bytes(), || verifier.verify_even_if_expired(&token, now()));
    let strict = bounded(MEMORY, token.as_bytes(), || verifier.verify_with_kid(&token, now()));
    let Ok((claims, _)) = accepted else {
        assert!(strict.is_err());
        return;
    };
    assert!(token.len() <= MAX_TOKEN_BYTES);
    assert_eq!(
        Value::from(object(footer)),
        json!({ "kid": id.as_str() }),
        "the footer says which key, and nothing else"
    );
    let payload = object(payload);
    check_claims(&payload, &claims);
    check_times(&payload, &claims, seconds);
    assert_eq!(strict.is_ok(), claims.exp > NOW);
}

fn changed(at: usize, by: u8) {
    let mut bytes = GENUINE.as_bytes().to_vec();
    let at = at % bytes.len();
    bytes[at] ^= (by & 0x7f).max(1);
    let token = String::from_utf8(bytes).expect("ASCII");
    assert!(SIDES.2.verify(&token, now()).is_err(), "{token}");
    // Nor may what has been signed be read as if the footer were a part of the message, or the other way round.
    let message = Message::split(GENUINE).expect("the seed");
    let all = [&*message.message, &*message.footer].concat();
    let (shifted, footer) = all.split_at(at % all.len());
    let token = encode(shifted, &message.signature, footer);
    assert_eq!(SIDES.2.verify(&token, now()).is_ok(), token == GENUINE, "{token}");
}

/// `2030-01-01T00:00:00Z`, read by places.
fn seconds(text: &Value) -> i64 {
    let text = text.as_str().expect("text");
    assert_eq!(text.len(), 20);
    let number = |from: usize, to: usize| text[from..to].parse::<i64>().expect("digits");
    let date = days(number(0, 4), number(5, 7), number(8, 10));
    ((date * 24 + number(11, 13)) * 60 + number(14, 16)) * 60 + number(17, 19)
}
