//! Security Event Tokens of others: the published examples of CAEP, RISC, SSF and RFC 8417, signed by a key that is trusted.
#![expect(clippy::unwrap_used, reason = "tests")]

use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use counterfoil_core::foreign::IssuerKeys;
use counterfoil_core::keys::signing::SigningKey;
use counterfoil_core::ssf::event::EventType;
use counterfoil_core::ssf::received::{Refused, read, verify};
use counterfoil_core::{Secret, Timestamp};
use counterfoil_guard::{Algorithm, base64url_encode, encode_signing_input};
use serde_json::{Value, json};

const CAEP: &str = include_str!("../../../vectors/ssf-caep/caep_events.json");
const RISC: &str = include_str!("../../../vectors/ssf-caep/risc_events.json");
const SSF: &str = include_str!("../../../vectors/ssf-caep/ssf_sets.json");
const RFC: &str = include_str!("../../../vectors/set/rfc8417_8935_8936_examples.json");

fn key() -> SigningKey {
    SigningKey::new(Algorithm::EdDsa, &Secret::new(vec![1; 32])).unwrap()
}

fn keys() -> IssuerKeys {
    let (key, kid) = (key(), key().kid().clone());
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "kid": kid.as_str(), "x": base64url_encode(key.public()) });
    IssuerKeys::parse(json!({ "keys": [jwk] }).to_string().as_bytes()).unwrap()
}

/// Decides an example as the receiver that it is for would, at the time at which it was made.
fn decide(claims: &Value) -> Result<Option<EventType>, Refused> {
    let audience = claims["aud"].as_str().or_else(|| claims["aud"][0].as_str()).unwrap_or_default();
    let now = Timestamp::from_seconds(claims["iat"].as_i64().unwrap_or(0));
    let set = key().sign_as("secevent+jwt", claims.to_string().as_bytes());
    verify(&read(&set)?, &keys(), (claims["iss"].as_str().unwrap(), audience), now).map(|received| received.kind)
}

#[test]
fn ssf_4_1_the_published_examples_are_read_as_what_they_are() {
    let (mut read, mut known) = (0, 0);
    for (file, text) in [("caep", CAEP), ("risc", RISC), ("ssf", SSF)] {
        let examples: Vec<Value> = serde_json::from_str(text).unwrap();
        assert!(!examples.is_empty());
        for example in examples {
            let (caption, claims) = (&example["caption"], &example["json"]);
            if claims["events"].is_null() {
                continue;
            }
            let kind = match decide(claims) {
                // RISC writes its subject types before RFC 9493 did.
                Err(Refused::Request(why)) if file == "risc" && why.starts_with("sub_id") => {
                    let old = claims["events"].to_string().contains("subject_type");
                    assert!(old, "{file}: {caption}: {why}");
                    continue;
                }
                decided => decided.unwrap_or_else(|why| panic!("{file}: {caption}: {why:?}")),
            };
            read += 1;
            let uri = claims["events"].as_object().unwrap().keys().next().unwrap();
            assert_eq!(kind, EventType::from_uri(uri));
            if let Some(kind) = kind {
                known += 1;
                assert_eq!(kind.uri(), *uri);
            }
        }
    }
    assert!(read >= 25 && known >= 12, "{read} read, {known} known");
}

/// RFC 8417's own examples are of other profiles: with `sub`, with two events, without a subject. SSF-4.1a takes none of them.
#[test]
fn set_2_2_what_is_a_set_and_no_shared_signal_is_refused() {
    let file: Value = serde_json::from_str(RFC).unwrap();
    for example in file["set_claims"].as_array().unwrap() {
        assert!(matches!(decide(&example["claims"]), Err(Refused::Request(_))), "{}", example["event_uris"]);
    }
    let unsigned = file["unsecured_set_compact"]["compact"].as_str().unwrap();
    assert!(
        read(unsigned)
            .and_then(|set| {
                verify(&set, &keys(), ("https://scim.example.com", "x"), Timestamp::from_seconds(1_458_496_025))
            })
            .is_err()
    );
}

/// Most identity providers sign by RS256 (the interoperability profile asks for it).
#[test]
fn ssf_4_1a_rs256_of_at_least_2048_bits_is_taken_under_its_own_name_only() {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    // RFC 8017 appendix A.1.1: a sequence of the modulus, with a zero in front, and of the exponent 65537.
    let public = pair.public_key().as_ref();
    assert_eq!((public.len(), &public[..9]), (270, [0x30, 0x82, 1, 0x0a, 2, 0x82, 1, 1, 0].as_slice()));
    let (n, e) = (&public[9..265], &public[267..]);
    let jwk = |alg: &str| json!({ "kty": "RSA", "kid": "r", "use": "sig", "alg": alg, "n": base64url_encode(n), "e": base64url_encode(e) });
    let parse = |jwk: Value| IssuerKeys::parse(json!({ "keys": [jwk] }).to_string().as_bytes()).unwrap();
    let claims = json!({
        "iss": "https://idp.example.com", "aud": "a", "jti": "j", "iat": 1_800_000_000,
        "sub_id": { "format": "email", "email": "ada@example.com" }, "events": { EventType::SessionRevoked.uri(): {} },
    });
    let signed = |alg: &str| {
        let header = json!({ "alg": alg, "kid": "r", "typ": "secevent+jwt" }).to_string();
        let input = encode_signing_input(&header, claims.to_string().as_bytes());
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &aws_lc_rs::rand::SystemRandom::new(), input.as_bytes(), &mut signature).unwrap();
        format!("{input}.{}", base64url_encode(&signature))
    };
    let decide = |set: &str, keys: &IssuerKeys| {
        verify(&read(set)?, keys, ("https://idp.example.com", "a"), Timestamp::from_seconds(1_800_000_000))
            .map(|received| received.kind)
    };
    assert_eq!(decide(&signed("RS256"), &parse(jwk("RS256"))), Ok(Some(EventType::SessionRevoked)));
    for alg in ["RS384", "RS512", "PS256", "HS256", "none", "EdDSA"] {
        assert_eq!(decide(&signed(alg), &parse(jwk("RS256"))), Err(Refused::Key), "{alg}");
    }
    assert!(!parse(jwk("RS512")).has(Some("r")), "a key for something else");
    let mut encryption = jwk("RS256");
    encryption["use"] = json!("enc");
    assert!(!parse(encryption).has(Some("r")));
    // Shorter than it may be.
    let mut short = jwk("RS256");
    short["n"] = json!(base64url_encode(&n[..128]));
    assert_eq!(decide(&signed("RS256"), &parse(short)), Err(Refused::Key));
    assert_eq!(read(&signed("RS256")).unwrap().kid(), Some("r"));
}

#[test]
fn of_two_keys_of_one_name_neither_counts_and_a_set_has_an_end() {
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "k", "x": base64url_encode(key().public()) });
    let parse = |keys: Vec<&Value>| IssuerKeys::parse(json!({ "keys": keys }).to_string().as_bytes());
    assert!(parse(vec![&jwk]).unwrap().has(Some("k")) && parse(vec![&jwk]).unwrap().has(None));
    assert!(!parse(vec![&jwk, &jwk]).unwrap().has(Some("k")));
    assert!(parse(vec![&jwk; 65]).is_none());
    assert!(IssuerKeys::parse(b"{\"keys\":1}").is_none() && IssuerKeys::parse(b"<html>").is_none());
}
