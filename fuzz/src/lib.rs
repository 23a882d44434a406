//! What the targets share: a key, an instant, a verifier, bytes as text, and a bound on memory.

mod allocation;
mod claims;

pub use allocation::{Bound, bounded};
pub use claims::{check_claims, check_times, object};

use counterfoil_core::Secret;
use counterfoil_core::keys::signing::SigningKey;
use counterfoil_guard::{Algorithm, KeySet, Timestamp, Verifier, VerifyingKey, base64url_encode};
use std::borrow::Cow;

pub const ISSUER: &str = "https://auth.example";
pub const AUDIENCE: &str = "api";
pub const KID: &str = "fuzz";

/// 2030-01-01T00:00:00Z; the seeds are valid then.
pub const NOW: i64 = 1_893_456_000;

/// `NOW` as the library has it.
pub const fn now() -> Timestamp {
    Timestamp::from_seconds(NOW)
}

/// Every input is some text: UTF-8 where it is, else one character per byte, as a header would be read.
pub fn text(data: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(data) {
        Ok(text) => text.into(),
        Err(_) => data.iter().map(|byte| char::from(*byte)).collect::<String>().into(),
    }
}

/// An input that is two things: what stands before the first line break, and what stands after it.
pub fn halves(data: &[u8]) -> (&[u8], &[u8]) {
    let cut = data.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    (&data[..cut], data.get(cut + 1..).unwrap_or_default())
}

/// A signing key known to everybody. Ed25519 is deterministic, so the tokens in the corpus stay valid.
pub fn signing_key() -> SigningKey {
    let seed = Secret::new(b"a seed for fuzzing, not a secret".to_vec());
    SigningKey::new(Algorithm::EdDsa, &seed).expect("32 bytes").named(KID.parse().expect("a kid"))
}

/// Believes what that key signed.
pub fn verifier(key: &SigningKey) -> Verifier {
    let mut keys = KeySet::default();
    keys.insert(key.kid().clone(), VerifyingKey::new(key.algorithm(), key.public()).expect("a key"));
    Verifier::new(ISSUER, AUDIENCE, keys)
}

/// Signs any header over any payload.
pub fn sign(key: &SigningKey, header: &[u8], payload: &[u8]) -> String {
    let mut token = format!("{}.{}", base64url_encode(header), base64url_encode(payload));
    let signature = base64url_encode(&key.signature_over(token.as_bytes()));
    token.push('.');
    token.push_str(&signature);
    token
}
