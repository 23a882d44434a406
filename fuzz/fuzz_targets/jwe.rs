//! Encrypted tokens. As a whole token: no bytes make the reader panic, and only what somebody encrypted to the key is opened. As a
//! plaintext that is encrypted to it: what comes out is what went in, and is verified like any other. As a place and a change: the
//! genuine token with that change is refused.
#![no_main]

use counterfoil_core::keys::signing::SigningKey;
use counterfoil_fuzz::{Bound, bounded, now, signing_key, text, verifier};
use counterfoil_guard::{DecryptionKey, EncryptionKey, Refusal, Verifier};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

/// Its parts are decoded once, the inner token is read like any other; the agreement's own work does not grow with the input.
const MEMORY: Bound = Bound { times: 60, plus: 16 * 1024 };

/// Made from the 32 bytes 0x07, for fuzzing and nothing else.
const PUBLIC: &str = include_str!("../corpus/jwe/public.jwk");
const PRIVATE: &str = include_str!("../corpus/jwe/private.jwk");
const INNER: &str = include_str!("../corpus/access_token/genuine");

static SIDES: LazyLock<(SigningKey, EncryptionKey, Verifier)> = LazyLock::new(|| {
    let key = signing_key();
    let to = EncryptionKey::from_jwk(PUBLIC.as_bytes()).expect("a public key");
    let own = DecryptionKey::from_jwk(PRIVATE.as_bytes()).expect("a private key");
    let verifier = verifier(&key).opening_with(own);
    (key, to, verifier)
});

fuzz_target!(|data: &[u8]| {
    let (_, to, verifier) = &*SIDES;
    let token = text(data);
    let opened = bounded(MEMORY, token.as_bytes(), || verifier.opened(&token).map(|inner| inner.len()));
    if token.split('.').count() != 5 {
        assert_eq!(opened, Ok(token.len()), "not encrypted, and left alone");
    }
    let _ = bounded(MEMORY, token.as_bytes(), || verifier.verify(&token, now()));
    if let Some(sealed) = to.encrypt(&token, &[9; 32], [1; 12]) {
        let inner = bounded(MEMORY, sealed.as_bytes(), || verifier.opened(&sealed).map(|inner| inner.into_owned()));
        match inner {
            Ok(inner) => assert_eq!(inner, token),
            Err(refusal) => assert!(matches!(refusal, Refusal::Malformed | Refusal::TooLarge), "{refusal:?}"),
        }
    }
    if let [high, low, by, ..] = *data {
        changed(usize::from(u16::from_be_bytes([high, low])), by);
    }
});

fn changed(at: usize, by: u8) {
    let (_, to, verifier) = &*SIDES;
    let sealed = to.encrypt(INNER.trim(), &[9; 32], [1; 12]).expect("a key");
    let mut bytes = sealed.clone().into_bytes();
    let at = at % bytes.len();
    bytes[at] ^= (by & 0x7f).max(1);
    let Ok(token) = String::from_utf8(bytes) else { return };
    assert!(verifier.verify(&token, now()).is_err(), "{token}");
}
