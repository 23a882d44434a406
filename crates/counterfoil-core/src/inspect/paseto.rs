//! PASETO (ATK-38, PAS-*): version and purpose are in the text, times are strings, the footer is readable by everybody.

use super::header::Purpose;
use super::json::{Json, Member, last};
use super::notes::Notes;
use super::times::TimeForm;
use super::{Explained, Kind, Part, base64, claims, jose, meanings, reading, show};
use counterfoil_guard::Timestamp;

const SIGNATURE: usize = 64;
const NONCE_AND_TAG: usize = 64;
const MAX_FOOTER: usize = 512;

/// Explains a PASETO or a PASERK; `None` when the text is neither.
pub(super) fn explain(text: &str, now: Timestamp, notes: &mut Notes) -> Option<(Kind, Vec<Part>)> {
    let mut parts = text.splitn(5, '.');
    let (version, purpose, body) = (parts.next()?, parts.next()?, parts.next()?);
    let footer = parts.next();
    match version.as_bytes() {
        [b'v' | b'V', b'0'..=b'9'] => {}
        [b'k', b'1'..=b'4'] => return Some(paserk(version, purpose, notes)),
        _ => return None,
    }
    jose::size(text.len(), notes);
    if parts.next().is_some() {
        notes.error("ATK-18", "more than four parts", "a PASETO has three, or four with a footer");
    }
    let bytes = base64::decode("payload", body, notes);
    let (kind, mut explained) = match (version, purpose) {
        ("v4", "public") => (Kind::PasetoV4Public, public(&bytes, now, notes)),
        ("v4", "local") => (Kind::PasetoV4Local, vec![local(&bytes, notes)]),
        _ => {
            let message = format!("header `{}.{}.` is not `v4.public.`", show::name(version), show::name(purpose));
            notes.error(
                "ATK-38",
                message,
                "compare the header exactly, before decoding; the caller chooses it, not the token",
            );
            (Kind::PasetoOther, vec![size_only("payload", bytes.len(), "not read: another version or purpose")])
        }
    };
    if let Some(footer) = footer {
        explained.push(footer_part(footer, notes));
    } else if kind == Kind::PasetoV4Public {
        notes.warning("PAS-7", "no footer: nothing names the key", "put `kid`, a PASERK id, into the footer");
    }
    Some((kind, explained))
}

fn public(bytes: &[u8], now: Timestamp, notes: &mut Notes) -> Vec<Part> {
    let Some((payload, _)) = bytes.len().checked_sub(SIGNATURE).and_then(|at| bytes.split_at_checked(at)) else {
        let message = format!("{} bytes are too few to end with a signature of 64", bytes.len());
        notes.error("PAS-3", message, "refuse by length");
        return vec![size_only("payload", bytes.len(), "too short to be read")];
    };
    let members = reading::object("payload", payload, notes);
    match &members {
        Some(members) => claims::check(members, Purpose::AccessToken, TimeForm::Rfc3339, now, notes),
        None => notes.error("PAS-4", "the payload is no JSON object", "refuse"),
    }
    let members = meanings::of_claims(&members.unwrap_or_default(), now);
    let meaning = "Ed25519 over header, payload, footer and implicit assertion; not checked, not shown";
    vec![Part { name: "payload", members }, size_only("signature", SIGNATURE, meaning)]
}

fn local(bytes: &[u8], notes: &mut Notes) -> Part {
    notes.warning(
        "ATK-38",
        "v4.local is encrypted with a shared key: every reader could have made it",
        "never accept it where v4.public is expected",
    );
    if bytes.len() < NONCE_AND_TAG {
        let message = format!("{} bytes are fewer than nonce and tag (64)", bytes.len());
        notes.error("PAS-3", message, "refuse by length");
    }
    size_only("payload", bytes.len(), "nonce (32 bytes), ciphertext, tag (32 bytes); cannot be read without the key")
}

fn footer_part(encoded: &str, notes: &mut Notes) -> Part {
    let bytes = base64::decode("footer", encoded, notes);
    if bytes.len() > MAX_FOOTER {
        let message = format!("a footer of {} bytes, to be read before anything is verified", bytes.len());
        notes.error("PAS-6", message, "limit its length, depth and number of keys");
    }
    if !bytes.starts_with(b"{") {
        let text = String::from_utf8_lossy(&bytes);
        if text.contains("k4.") {
            key_id(&text, notes);
        }
        let value = show::text(&text);
        let meaning = "authenticated but not encrypted; should name the key".into();
        let line = Explained { name: "text".into(), value, meaning, source: "PASETO version 4" };
        return Part { name: "footer", members: vec![line] };
    }
    let members = reading::object("footer", &bytes, notes).unwrap_or_default();
    if members.len() > 8 || members.iter().any(|m| m.value.depth() > 0) {
        notes.error(
            "PAS-6",
            "the footer is nested or has more than 8 members",
            "limit its length, depth and number of keys",
        );
    }
    for Member { name, value, .. } in &members {
        match (name.as_str(), value) {
            ("kid", Json::Text(kid)) => key_id(kid, notes),
            ("kid", other) => notes.error("ATK-10", format!("footer: `kid` is {}", other.type_name()), "refuse"),
            (_, Json::Text(text)) if show::is_secret(text) => key_id(text, notes),
            _ => {}
        }
    }
    if last(&members, "kid").is_none() {
        notes.warning("PAS-7", "footer: no `kid`: nothing names the key", "put a PASERK id there");
    }
    Part { name: "footer", members: meanings::of_header(&members) }
}

fn key_id(kid: &str, notes: &mut Notes) {
    const FIX: &str = "a footer may name a key (k4.pid, k4.lid, k4.sid) or hold a wrapped one; nothing else";
    let mut parts = kid.trim_matches('"').split('.');
    let (version, family) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    match (version, family) {
        ("k4", "pid" | "lid" | "sid") if kid.len() == 51 => {}
        ("k4", "pid" | "lid" | "sid") => notes.error("PAS-7", "footer: the PASERK id has a wrong length", FIX),
        (_, "secret" | "local" | "public" | "secret-pw" | "local-pw") => {
            notes.error(
                "PAS-7",
                format!("footer: a KEY of type `{family}` stands in the footer, readable by everybody"),
                FIX,
            );
        }
        ("k1" | "k2" | "k3", _) => notes.error("PAS-7", "footer: the PASERK version is not the token's", FIX),
        ("k4", "seal" | "local-wrap" | "secret-wrap") => {}
        _ => notes.warning("PAS-7", "footer: `kid` is no PASERK id", FIX),
    }
}

fn paserk(version: &str, purpose: &str, notes: &mut Notes) -> (Kind, Vec<Part>) {
    let id = matches!(purpose, "lid" | "pid" | "sid");
    let what = if id { "the id of a key" } else { "a KEY; it has now been shown to this terminal" };
    let message = format!("PASERK `{version}.{}`: {what}, not a token", show::name(purpose));
    notes.error("PAS-7", message, "keys are handed over sealed or wrapped, never as they are");
    (Kind::Unknown, Vec::new())
}

fn size_only(name: &'static str, bytes: usize, meaning: &'static str) -> Part {
    let value = format!("{bytes} bytes");
    let line = Explained { name: "length".into(), value, meaning: meaning.into(), source: "PASETO version 4" };
    Part { name, members: vec![line] }
}
