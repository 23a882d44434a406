//! From the text of a part to its members, with findings for all that a strict reader would refuse on the way.

use super::json::{Flaw, Json, Member, parse};
use super::notes::Notes;
use super::{base64, show, text};
use counterfoil_guard::MAX_DEPTH;

/// More members than this are no set of claims.
const MANY_MEMBERS: usize = 64;
const LONG_NUMBER: usize = 40;

/// Decodes a base64url part that should hold a JSON object; `None` when it holds something else.
pub(super) fn encoded_object(part: &'static str, encoded: &str, notes: &mut Notes) -> Option<Vec<Member>> {
    let bytes = base64::decode(part, encoded, notes);
    object(part, &bytes, notes)
}

/// Reads bytes that should be a JSON object; `None` when they are something else.
pub(super) fn object(part: &'static str, bytes: &[u8], notes: &mut Notes) -> Option<Vec<Member>> {
    let text = decode_utf8(part, bytes, notes)?;
    let parsed = parse(&text);
    for flaw in &parsed.flaws {
        report(part, flaw, notes);
    }
    match parsed.value {
        Some(Json::Object(members)) => {
            check_members(part, &members, notes);
            Some(members)
        }
        Some(other) => {
            let message = format!("{part}: {} where a JSON object must stand", other.type_name());
            notes.error("JWS-5.2", message, "refuse: header and claims are JSON objects (RFC 7519 section 7.2)");
            None
        }
        None => None,
    }
}

fn decode_utf8(part: &str, bytes: &[u8], notes: &mut Notes) -> Option<String> {
    const FIX: &str = "refuse: only UTF-8 without byte order mark, and no lossy conversion (JWT-BCP-3.7)";
    let bytes = match bytes {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, b'{', ..] | [b'{', 0, ..] => {
            notes.error("ATK-15", format!("{part}: UTF-16, not UTF-8"), FIX);
            return None;
        }
        [0xef, 0xbb, 0xbf, rest @ ..] => {
            notes.error("ATK-15", format!("{part}: begins with a byte order mark"), FIX);
            rest
        }
        bytes => bytes,
    };
    let text = String::from_utf8_lossy(bytes);
    if std::str::from_utf8(bytes).is_err() {
        notes.error("ATK-15", format!("{part}: invalid UTF-8"), FIX);
    }
    Some(text.into_owned())
}

fn report(part: &str, flaw: &Flaw, notes: &mut Notes) {
    match flaw {
        Flaw::Duplicate { name, escaped } => {
            let twin = if *escaped { ", one of them spelt with escapes" } else { "" };
            let message = format!(
                "{part}: `{}` stands more than once{twin}; two readers may take different ones",
                show::name(name)
            );
            notes.error("ATK-13", message, "refuse duplicate names at any depth, compared after unescaping");
        }
        Flaw::TooDeep => {
            notes.error("ATK-21", format!("{part}: nested too deeply to be read"), "limit the depth before reading");
        }
        Flaw::LoneSurrogate => {
            notes.error(
                "ATK-15",
                format!("{part}: a lone surrogate (\\ud800 to \\udfff)"),
                "refuse; it is no character",
            );
        }
        Flaw::RawControl => {
            let message = format!("{part}: a raw control character inside a string");
            notes.error("ATK-15", message, "refuse: JSON wants it escaped, and a token wants it gone");
        }
        Flaw::NotANumber(word) => {
            let message = format!("{part}: {} is no JSON value", show::text(word));
            notes.error("JWS-5.2", message, "refuse; write JSON as RFC 8259 has it");
        }
        Flaw::Syntax(at, what) => {
            let message = format!("{part}: not well-formed JSON at byte {at}: {what}");
            notes.error("JWS-5.2", message, "refuse; what follows was not read");
        }
    }
}

fn check_members(part: &'static str, members: &[Member], notes: &mut Notes) {
    if members.len() > MANY_MEMBERS {
        let message = format!("{part}: {} members", members.len());
        notes.error("ATK-21", message, "limit what is read before reading it");
    }
    let depth = 1 + members.iter().map(|m| m.value.depth()).max().unwrap_or(0);
    if depth > MAX_DEPTH {
        let message = format!("{part}: nested {depth} deep; a guard reads {MAX_DEPTH}");
        notes.error("ATK-21", message, "keep claims flat");
    }
    if members.iter().any(|m| longest_number(&m.value) > LONG_NUMBER) {
        notes.error("ATK-21", format!("{part}: an absurdly long number"), "refuse by length before converting");
    }
    text::check(part, members, notes);
}

fn longest_number(value: &Json) -> usize {
    match value {
        Json::Number(word) => word.len(),
        Json::Array(items) => items.iter().map(longest_number).max().unwrap_or(0),
        Json::Object(members) => members.iter().map(|m| longest_number(&m.value)).max().unwrap_or(0),
        _ => 0,
    }
}
