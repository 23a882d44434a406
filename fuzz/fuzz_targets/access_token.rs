//! An access token from outside: only the two that were signed verify, whatever is done to them.
#![no_main]

use counterfoil_fuzz::{now, signing_key, text, verifier};
use counterfoil_guard::Verifier;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

const GENUINE: [&str; 2] =
    [include_str!("../corpus/access_token/genuine"), include_str!("../corpus/access_token/genuine-with-all-claims")];

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    let verifier = verifier(&signing_key());
    assert!(GENUINE.iter().all(|token| verifier.verify(token, now()).is_ok()), "the seeds no longer verify");
    verifier
});

fuzz_target!(|data: &[u8]| {
    let token = text(data);
    let strict = VERIFIER.verify(&token, now());
    let lenient = VERIFIER.verify_even_if_expired(&token, now());
    assert_eq!(strict.is_ok(), GENUINE.contains(&&*token), "{strict:?}");
    assert_eq!(strict, lenient, "none of the seeds is expired");
});
