//! An access token from outside: only the two that were signed verify, whatever is done to them.
#![no_main]

use counterfoil_fuzz::{Bound, bounded, now, signing_key, text, verifier};
use counterfoil_guard::Verifier;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

/// Each object costs a set of its names: 116 bytes for the five of `{"":}`, which are seven of base64url.
const MEMORY: Bound = Bound { times: 24, plus: 2048 };

const GENUINE: [&str; 2] =
    [include_str!("../corpus/access_token/genuine"), include_str!("../corpus/access_token/genuine-with-all-claims")];

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let verifier = verifier(&signing_key());
    assert!(GENUINE.iter().all(|token| verifier.verify(token, now()).is_ok()), "the seeds no longer verify");
    verifier
});

fuzz_target!(|data: &[u8]| {
    let (token, verifier) = (text(data), &*VERIFIER);
    let strict = bounded(MEMORY, token.as_bytes(), || verifier.verify(&token, now()));
    let lenient =
        bounded(MEMORY, token.as_bytes(), || verifier.verify_even_if_expired(&token, now())).map(|(claims, _)| claims);
    assert_eq!(strict.is_ok(), GENUINE.contains(&&*token), "{strict:?}");
    assert_eq!(strict, lenient, "none of the seeds is expired");
});
