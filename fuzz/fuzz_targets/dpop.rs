//! A proof of possession (RFC 9449). As a whole: no bytes make the reader panic, and what it accepts says what was asked for. As a
//! header, a line break and claims, both signed by the key in the header: what is accepted says the same to `serde_json`.
#![no_main]

use counterfoil_core::keys::signing::SigningKey;
use counterfoil_fuzz::{Bound, bounded, halves, object, sign, signing_key, text};
use counterfoil_guard::dpop::Proof;
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

/// As for a signed token; a proof's address is read, put in order and kept, too.
const MEMORY: Bound = Bound { times: 40, plus: 4096 };

const METHOD: &str = "POST";
const URL: &str = "https://auth.example/oauth/token";

static KEY: LazyLock<SigningKey> = LazyLock::new(signing_key);

fuzz_target!(|data: &[u8]| {
    read(&text(data));
    let (header, claims) = halves(data);
    let proof = sign(&KEY, header, claims);
    let Some(read) = read(&proof) else { return };
    let (header, claims) = (object(header), object(claims));
    assert!(header["typ"].as_str().is_some_and(|typ| typ.to_ascii_lowercase().ends_with("dpop+jwt")));
    assert_eq!(header.len(), 3, "alg, typ and jwk");
    assert!(header["jwk"].get("d").is_none_or(serde_json::Value::is_null), "a private key");
    assert_eq!((claims["htm"].as_str(), claims["jti"].as_str()), (Some(METHOD), Some(read.jti.as_str())));
    assert_eq!(claims["iat"].as_f64().map(f64::floor), Some(read.issued_at as f64));
    assert_eq!(claims.get("nonce").and_then(|nonce| nonce.as_str()), read.nonce.as_deref());
});

fn read(proof: &str) -> Option<Proof> {
    let read = bounded(MEMORY, proof.as_bytes(), || Proof::read(proof, METHOD, URL)).ok()?;
    assert!((1..=256).contains(&read.jti.len()));
    assert!(Proof::read(proof, "GET", URL).is_err() && Proof::read(proof, METHOD, "https://other.example/").is_err());
    Some(read)
}
