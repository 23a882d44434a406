//! The published status lists (draft-ietf-oauth-status-list).

use super::{list, read};
use counterfoil_guard::{KeySet, LONGEST_TTL, Refusal, Statuses, Timestamp, Verifier};
use serde_json::{Value, json};

fn decoded(members: &Value) -> Statuses {
    let (bits, lst) = (members["bits"].as_u64().expect("a number"), members["lst"].as_str().expect("text"));
    Statuses::decode(bits, lst).expect("a list")
}

fn number(value: &Value) -> u32 {
    value.as_u64().and_then(|number| u32::try_from(number).ok()).expect("an index")
}

#[test]
fn tsl_4_1_the_published_lists_say_what_they_should_and_nothing_beyond_their_end() {
    let file = read("status-list/encoding");
    for case in list(&file) {
        let statuses = decoded(&case["status_list"]);
        for index in 0..number(&case["size"]) {
            let expected = case["expected"].get(index.to_string()).cloned().unwrap_or(json!(0));
            assert_eq!(json!(statuses.status(index)), expected, "{} {index}", case["name"]);
        }
        assert_eq!(statuses.status(number(&case["out_of_bounds_index"])), None, "{}", case["name"]);
    }
    assert_eq!(list(&file).len(), 6);
}

#[test]
fn tsl_5_1a_the_published_token_is_read_by_its_key_and_for_its_address() {
    let file = read("status-list/token");
    let keys = json!({ "keys": [file["public_jwk"]] });
    let keys = KeySet::from_jwks(keys.to_string().as_bytes()).expect("a key set");
    let claims = &file["claims"];
    let (iss, uri) = (claims["iss"].as_str().expect("text"), claims["sub"].as_str().expect("text"));
    let at = |name: &str| Timestamp::from_seconds(claims[name].as_i64().expect("a time"));
    let token = file["status_list_token_jwt"].as_str().expect("text");
    let verifier = Verifier::new(iss, "web", keys.clone());
    let read = verifier.verify_status_list(token, uri, at("iat")).expect("a list");
    for (index, status) in file["expected_status_of_idx"].as_object().expect("statuses") {
        assert_eq!(json!(read.statuses.status(index.parse().expect("an index"))), *status, "{index}");
    }
    assert_eq!(read.statuses.status(16), None);
    assert_eq!(read.ttl, LONGEST_TTL, "half a day is too long");
    let refused = |verifier: &Verifier, uri: &str, now| verifier.verify_status_list(token, uri, now).err();
    assert_eq!(refused(&verifier, "https://example.com/statuslists/2", at("iat")), Some(Refusal::WrongSubject));
    assert_eq!(refused(&Verifier::new("https://example.org", "web", keys), uri, at("iat")), Some(Refusal::WrongIssuer));
    assert_eq!(refused(&verifier, uri, at("exp")), Some(Refusal::Expired));
}
