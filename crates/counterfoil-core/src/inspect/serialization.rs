//! The JSON serializations of JWS and JWE. No token of ours has that form (ATK-18), but it can be explained.

use super::json::{Json, Member, last};
use super::notes::Notes;
use super::{Kind, Part, jose, jwe, meanings, reading, show};
use counterfoil_guard::Timestamp;

const FIX: &str = "use the compact form; a verifier that takes both can be made to read one and check the other";

pub(super) fn explain(text: &str, now: Timestamp, notes: &mut Notes) -> (Kind, Vec<Part>) {
    let Some(members) = reading::object("text", text.as_bytes(), notes) else { return (Kind::Unknown, Vec::new()) };
    let has = |name| last(&members, name).is_some();
    if has("ciphertext") {
        notes.error("ATK-18", "JSON serialization of an encrypted token", FIX);
        let part = |name| word(&members, name);
        let parts = [part("protected"), part("encrypted_key"), part("iv"), part("ciphertext"), part("tag")];
        return (Kind::Jwe, jwe::explain(parts, notes));
    }
    if has("payload") {
        notes.error("ATK-18", "JSON serialization of a signed token", FIX);
        return (Kind::Jws, signed(&members, now, notes));
    }
    if has("kty") || has("keys") {
        let secret = members.iter().any(|m| show::is_secret_name(&m.name));
        let what = if secret { "a PRIVATE key" } else { "a key" };
        notes.error(
            "ATK-18",
            format!("this is {what} (JWK), not a token"),
            "replace a private key that others could see",
        );
    } else {
        notes.error("ATK-18", "JSON, but no token: perhaps what a token says, without the token", FIX);
    }
    (Kind::Unknown, vec![Part { name: "text", members: meanings::of_claims(&members, now) }])
}

fn signed(members: &[Member], now: Timestamp, notes: &mut Notes) -> Vec<Part> {
    let mut signer = members;
    if let Some(Json::Array(signers)) = last(members, "signatures") {
        if signers.len() != 1 {
            notes.error("ATK-18", format!("{} signatures; the first is explained", signers.len()), FIX);
        }
        if let Some(Json::Object(first)) = signers.first() {
            signer = first;
        }
    }
    if last(signer, "header").is_some() {
        notes.error("ATK-18", "an unprotected header, which no signature covers", "refuse");
    }
    let parts = [word(signer, "protected"), word(members, "payload"), word(signer, "signature")];
    jose::signed(parts, now, notes)
}

fn word<'a>(members: &'a [Member], name: &str) -> &'a str {
    last(members, name).and_then(Json::as_text).unwrap_or_default()
}
