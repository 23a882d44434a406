//! Vectors that others have made, against this guard; see the README of each folder in `vectors/`. The Node guard reads the same.

use counterfoil_guard::{Algorithm, KeySet, Timestamp, Verifier, VerifyingKey, base64url_decode, split};
use serde_json::{Value, json};
use std::path::PathBuf;

#[path = "public_vectors/encryption.rs"]
mod encryption;
#[path = "public_vectors/jose.rs"]
mod jose;
#[path = "public_vectors/paseto.rs"]
mod paseto;
#[cfg(feature = "status-list")]
#[path = "public_vectors/status_list.rs"]
mod status_list;

/// The folders of `vectors/` that `decisions.json` lists file by file.
const FOLDERS: [&str; 5] = ["dpop", "rfc-jose-appendix", "rfc7520-cookbook", "set", "status-list"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../vectors")
}

fn read(path: &str) -> Value {
    let text = std::fs::read_to_string(root().join(format!("{path}.json"))).expect("the vectors are in the repository");
    serde_json::from_str(&text).expect("JSON")
}

fn bytes(hex: &Value) -> Vec<u8> {
    let hex = hex.as_str().expect("hex").as_bytes();
    let digit = |at: usize| char::from(hex[at]).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).expect("hex");
    (0..hex.len() / 2).map(|at| digit(2 * at) << 4 | digit(2 * at + 1)).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

/// Every test of a file of raw signatures: what the label says, and what this guard says.
fn raw_signatures(path: &str, algorithm: Algorithm, key: impl Fn(&Value) -> Vec<u8>) -> (usize, Vec<String>) {
    let (mut count, mut different) = (0, Vec::new());
    for group in list(&read(path)["testGroups"]) {
        let key = VerifyingKey::new(algorithm, &key(group));
        for test in list(&group["tests"]) {
            count += 1;
            let accepted = key.as_ref().is_some_and(|key| key.verifies(&bytes(&test["msg"]), &bytes(&test["sig"])));
            if accepted != (test["result"] == "valid") {
                different.push(format!("{} {}: {}", test["tcId"], test["comment"], test["result"]));
            }
        }
    }
    (count, different)
}

#[test]
fn atk07_wycheproof_ed25519() {
    let (count, different) =
        raw_signatures("wycheproof/ed25519_test", Algorithm::EdDsa, |group| bytes(&group["publicKey"]["pk"]));
    assert_eq!((count, different), (151, Vec::new()));
}

#[test]
fn atk05_06_wycheproof_es256() {
    let key = |group: &Value| bytes(&group["publicKey"]["uncompressed"]);
    let (count, different) = raw_signatures("wycheproof/ecdsa_secp256r1_sha256_p1363_test", Algorithm::Es256, key);
    assert_eq!((count, different), (262, Vec::new()));
}

/// r and s of a signature in DER, 32 bytes each, as JWS has them (RFC 7518 section 3.4). Only for those that the label calls valid.
fn from_der(der: &[u8]) -> Vec<u8> {
    let length = usize::from(der[3]);
    let (r, s) = (&der[4..4 + length], &der[6 + length..]);
    let number = |bytes: &[u8]| {
        let digits = &bytes[bytes.iter().take_while(|byte| **byte == 0).count()..];
        [&vec![0; 32 - digits.len()], digits].concat()
    };
    [number(r), number(s)].concat()
}

/// The labels are for DER, which X.509 and WebAuthn write. In a JWS there are r and s alone, so all are refused as they stand, and
/// those that are labelled valid differ: 174, for the spelling and nothing else.
#[test]
fn atk05_der_is_no_spelling_of_an_es256_signature() {
    let (mut count, mut different) = (0, 0);
    for group in list(&read("wycheproof/ecdsa_secp256r1_sha256_test")["testGroups"]) {
        let key = VerifyingKey::new(Algorithm::Es256, &bytes(&group["publicKey"]["uncompressed"])).expect("a key");
        for test in list(&group["tests"]) {
            let (message, signature) = (bytes(&test["msg"]), bytes(&test["sig"]));
            assert!(!key.verifies(&message, &signature), "{}", test["tcId"]);
            count += 1;
            if test["result"] == "valid" {
                assert!(key.verifies(&message, &from_der(&signature)), "{}", test["tcId"]);
                different += 1;
            }
        }
    }
    assert_eq!((count, different), (484, 174));
}

#[test]
fn atk07_one_rule_for_every_edge_of_ed25519() {
    let mut accepted = 0;
    let all = read("ed25519-edge/cctv_ed25519vectors");
    for case in list(&all) {
        let flags: Vec<&str> =
            case["flags"].as_array().map_or(&[][..], Vec::as_slice).iter().filter_map(Value::as_str).collect();
        let refused = ["low_order_A", "low_order_R", "non_canonical_A", "non_canonical_R", "low_order_residue"];
        let expected = !flags.iter().any(|flag| refused.contains(flag));
        let key = VerifyingKey::new(Algorithm::EdDsa, &bytes(&case["key"]));
        let message = case["msg"].as_str().expect("text").as_bytes();
        let found = key.is_some_and(|key| key.verifies(message, &bytes(&case["sig"])));
        assert_eq!(found, expected, "{} {flags:?}", case["number"]);
        accepted += usize::from(found);
    }
    assert_eq!((list(&all).len(), accepted), (914, 43));

    let found: String = list(&read("ed25519-edge/speccheck_cases"))
        .iter()
        .map(|case| {
            let key = VerifyingKey::new(Algorithm::EdDsa, &bytes(&case["pub_key"]));
            key.is_some_and(|key| key.verifies(&bytes(&case["message"]), &bytes(&case["signature"])))
        })
        .map(|accepted| if accepted { 'V' } else { 'X' })
        .collect();
    assert_eq!(found, "XXXVXXXXXXXX", "the fourth is of mixed order: neither key nor R is small");
}

/// Tokens of the JOSE files, by keys that this guard takes: the signature part alone, since none of them is an access token.
const DIFFERENT: [(u64, &str); 4] = [
    (367, "byte for byte the same as the valid 357; the file has lost its ="),
    (370, "the same"),
    (372, "labelled valid with a ? inside a part; JWT-BCP-3.14"),
    (373, "the same"),
];

fn signature_holds(key: &VerifyingKey, token: &str) -> bool {
    let Ok([header, payload, signature]) = split(token) else { return false };
    let read = |part: &str| base64url_decode(part);
    let Some(Ok(head)) = read(header).map(|bytes| serde_json::from_slice::<Value>(&bytes)) else { return false };
    let plain = head["alg"] == key.algorithm().name() && head.get("crit").is_none() && head.get("b64").is_none();
    let (Some(_), Some(signature)) = (read(payload), read(signature)) else { return false };
    plain && key.verifies(&token.as_bytes()[..header.len() + 1 + payload.len()], &signature)
}

#[test]
fn t1_wycheproof_jws_is_decided_as_labelled_or_for_a_reason_and_none_is_an_access_token() {
    let (mut decided, mut skipped, mut refused) = (0, 0, 0);
    for file in ["json_web_signature_test", "json_web_key_test"] {
        for group in list(&read(&format!("wycheproof/{file}"))["testGroups"]) {
            let own = if group["public"].is_null() { &group["private"] } else { &group["public"] };
            let mut keys = own["keys"].as_array().cloned().unwrap_or_else(|| vec![own.clone()]);
            for key in &mut keys {
                if let Some(key) = key.as_object_mut() {
                    key.remove("d");
                    key.entry("kid").or_insert(json!("none"));
                }
            }
            let set = KeySet::from_jwks(json!({ "keys": keys }).to_string().as_bytes());
            let only = keys.first().and_then(|key| key["kid"].as_str()).and_then(|kid| kid.parse().ok());
            let key = set.as_ref().ok().and_then(|set| set.get(&only?));
            for test in list(&group["tests"]) {
                let token = test["jws"].as_str().map_or_else(|| test["jws"].to_string(), str::to_owned);
                if let Ok(set) = &set {
                    let verifier = Verifier::new("https://app.example.com", "web", set.clone());
                    assert!(
                        verifier.verify(&token, Timestamp::from_seconds(1_700_000_000)).is_err(),
                        "{}",
                        test["tcId"]
                    );
                    refused += 1;
                }
                let valid = test["result"] == "valid";
                match key {
                    Some(key) => {
                        let id = test["tcId"].as_u64().expect("a number");
                        let differs = DIFFERENT.iter().any(|(known, _)| *known == id && file.contains("signature"));
                        assert_eq!(signature_holds(key, &token) == valid, !differs, "{file} {id}: {}", test["comment"]);
                        decided += 1;
                    }
                    // HMAC, RSA and other curves are refused with their key; a valid one is a skip, counted.
                    None => skipped += usize::from(valid),
                }
            }
        }
    }
    assert!(decided >= 39 && refused >= 300, "{decided} decided, {refused} refused");
    println!(
        "{decided} decided by a key of ours, {refused} offered as access tokens, {skipped} valid ones of other kinds skipped"
    );
}
