//! PASERK: what keys are called in PASETO (paseto-standard/paserk).

use blake2::Blake2b;
use blake2::digest::Digest;
use blake2::digest::consts::U33;
use counterfoil_guard::{Algorithm, PaserkId, base64url_encode};

/// The id of a public key for version 4: `k4.pid.` and the digest of its serialisation, 33 bytes of `BLAKE2b`. `None` for a key that
/// is not one for Ed25519.
pub fn public_id(algorithm: Algorithm, public: &[u8]) -> Option<PaserkId> {
    if !algorithm.is_ed25519() || public.len() != 32 {
        return None;
    }
    let mut digest = Blake2b::<U33>::new();
    digest.update(b"k4.pid.");
    digest.update(format!("k4.public.{}", base64url_encode(public)));
    format!("k4.pid.{}", base64url_encode(&digest.finalize())).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::public_id;
    use counterfoil_guard::Algorithm;

    /// The published vectors of `k4.pid`, all of them.
    #[test]
    fn pas_7_ids_are_those_of_the_published_vectors() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/paseto/PASERK/k4.pid.json");
        let text = std::fs::read_to_string(path).expect("the vectors are in the repository");
        let vectors: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let tests = vectors["tests"].as_array().expect("tests");
        assert!(tests.len() >= 4, "{}", tests.len());
        for test in tests {
            let key = hex(test["key"].as_str().expect("hex"));
            let found = public_id(Algorithm::EdDsa, &key);
            // A key of another version's length has no id here.
            let expected = if test["expect-fail"] == true { None } else { test["paserk"].as_str() };
            assert_eq!(found.as_ref().map(counterfoil_guard::PaserkId::as_str), expected, "{}", test["name"]);
            assert_eq!(public_id(Algorithm::Es256, &key), None);
        }
    }

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len() / 2).map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).expect("hex")).collect()
    }
}
