//! PASETO v4.public, and what PASERK calls its keys.

use super::{bytes, list, read};
use counterfoil_guard::paseto::Message;
use counterfoil_guard::{Algorithm, KeySet, Kid, PaserkId, Refusal, Timestamp, Verifier, VerifyingKey};
use serde_json::Value;

fn text<'a>(test: &'a Value, name: &str) -> &'a str {
    test[name].as_str().expect("text")
}

/// The key of the vectors: all that have one have the same.
fn key_of(test: &Value) -> VerifyingKey {
    VerifyingKey::new(Algorithm::EdDsa, &bytes(&test["public-key"])).expect("a key")
}

/// What was signed, if the token is this key's.
fn verified(token: &str, key: &VerifyingKey, implicit_assertion: &str) -> Result<Message, Refusal> {
    let message = Message::split(token)?;
    if message.verifies(key, implicit_assertion.as_bytes()) { Ok(message) } else { Err(Refusal::BadSignature) }
}

#[test]
fn pas_3_what_is_signed_verifies_and_nothing_else_does() {
    let vectors = read("paseto/v4");
    let signed = |test: &&Value| text(test, "name").starts_with("4-S-");
    let key = key_of(list(&vectors["tests"]).iter().find(signed).expect("a signed one"));
    let (mut verify, mut refused) = (0, 0);
    for test in list(&vectors["tests"]) {
        let (name, token, implicit) = (text(test, "name"), text(test, "token"), text(test, "implicit-assertion"));
        let found = verified(token, &key, implicit);
        if signed(&test) {
            assert_eq!(test["expect-fail"], false);
            let found = found.expect(name);
            assert_eq!((found.message, found.footer), (text(test, "payload").into(), text(test, "footer").into()));
            assert!(verified(token, &key, &format!("{implicit} ")).is_err(), "{name}: the implicit assertion counts");
            verify += 1;
        } else {
            // 4-F-2 is a public token given to decryption: of the right kind, and signed by nobody known.
            let expected = if name == "4-F-2" { Refusal::BadSignature } else { Refusal::Malformed };
            assert_eq!(found.unwrap_err(), expected, "{name}");
            refused += 1;
        }
    }
    assert_eq!((verify, refused), (3, 14), "nine are encrypted and five must fail");
}

/// A bit of each byte of a token, of its footer and of its signature.
#[test]
fn pas_3_every_byte_of_a_token_counts() {
    let vectors = read("paseto/v4");
    for test in list(&vectors["tests"]).iter().filter(|test| text(test, "name").starts_with("4-S-")) {
        let (token, key) = (text(test, "token"), key_of(test));
        for at in 0..token.len() {
            let mut changed = token.as_bytes().to_vec();
            changed[at] ^= 1;
            let changed = String::from_utf8(changed).expect("ASCII");
            assert!(verified(&changed, &key, text(test, "implicit-assertion")).is_err(), "{at} of {token}");
        }
    }
}

/// The algorithm belongs to the key: one for P-256 verifies no PASETO.
#[test]
fn pas_1_a_key_of_another_kind_verifies_nothing() {
    let jws = read("wycheproof/ecdsa_secp256r1_sha256_p1363_test");
    let point = bytes(&list(&jws["testGroups"])[0]["publicKey"]["uncompressed"]);
    let key = VerifyingKey::new(Algorithm::Es256, &point).expect("a key");
    for test in list(&read("paseto/v4")["tests"]) {
        assert!(verified(text(test, "token"), &key, text(test, "implicit-assertion")).is_err(), "{}", test["name"]);
    }
}

/// The vectors' footers name a key by something that is no PASERK id, or name none.
#[test]
fn t1_no_vector_is_an_access_token() {
    let vectors = read("paseto/v4");
    let tests = list(&vectors["tests"]);
    let key = key_of(tests.iter().find(|test| test.get("public-key").is_some()).expect("one with a key"));
    let mut keys = KeySet::default();
    let kid: Kid = "k".parse().expect("a name");
    assert!(keys.insert(kid.clone(), key));
    let id = "k4.pid.9ShR3xc8-qVJ_di0tc9nx0IDIqbatdeM2mqLFBJsKRHs".parse().expect("an id");
    assert!(keys.name_in_paseto(&kid, id));
    let verifier = Verifier::new("https://example.com", "web", keys);
    for test in tests {
        let refused = verifier.verify(text(test, "token"), Timestamp::from_seconds(1_640_000_000)).unwrap_err();
        let expected = match text(test, "name") {
            "4-S-2" | "4-S-3" | "4-F-2" => Refusal::UnknownKey,
            _ => Refusal::Malformed,
        };
        assert_eq!(refused, expected, "{}", test["name"]);
    }
}

/// In a footer stands the id of a public key and nothing else, least of all a key.
#[test]
fn pas_7_of_all_that_paserk_writes_only_an_id_of_a_public_key_names_one() {
    let (mut names, mut others) = (0, 0);
    let folder = super::root().join("paseto/PASERK");
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let stem = path.file_stem().and_then(|stem| stem.to_str()).expect("a name");
        for test in list(&read(&format!("paseto/PASERK/{stem}"))["tests"]) {
            let Some(paserk) = test["paserk"].as_str() else { continue };
            assert_eq!(paserk.parse::<PaserkId>().is_ok(), stem == "k4.pid", "{paserk}");
            *(if stem == "k4.pid" { &mut names } else { &mut others }) += 1;
        }
    }
    assert_eq!((names, others), (3, 41));
}
