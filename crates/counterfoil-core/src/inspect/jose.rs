//! Compact serialization: parts between dots (RFC 7515 section 7.1, RFC 7516 section 7.1).

use super::header::{self, Purpose, Shape};
use super::notes::Notes;
use super::times::TimeForm;
use super::{Explained, Kind, Part, SIZE_BUDGET, claims, jwe, meanings, reading, signature};
use counterfoil_guard::{MAX_TOKEN_BYTES, Timestamp};

const SHAPE_FIX: &str = "an access token is three parts of base64url between two dots, and nothing else";

pub(super) fn explain(text: &str, now: Timestamp, notes: &mut Notes) -> (Kind, Vec<Part>) {
    let parts: Vec<&str> = text.split('.').take(8).collect();
    let count = text.bytes().filter(|b| *b == b'.').count() + 1;
    if count != 3 && !looks_like_header(parts[0]) {
        return unknown(text, notes);
    }
    size(text.len(), notes);
    if let [header, key, iv, content, tag] = parts[..] {
        return (Kind::Jwe, jwe::explain([header, key, iv, content, tag], notes));
    }
    if count != 3 {
        let message = format!("{count} parts between dots; a signed token has 3, an encrypted one 5");
        notes.error("ATK-18", message, SHAPE_FIX);
    }
    let part = |index: usize| parts.get(index).copied().unwrap_or_default();
    (Kind::Jws, signed([part(0), part(1), part(2)], now, notes))
}

/// Explains header, payload and signature of a signed token.
pub(super) fn signed([header, payload, signature]: [&str; 3], now: Timestamp, notes: &mut Notes) -> Vec<Part> {
    for (name, part) in [("header", header), ("payload", payload), ("signature", signature)] {
        if part.is_empty() {
            let detached = if name == "payload" { " (detached content: no JWT)" } else { "" };
            notes.error("ATK-18", format!("the {name} part is empty{detached}"), SHAPE_FIX);
        }
    }
    let decoded = if header.is_empty() { None } else { reading::encoded_object("header", header, notes) };
    // Without a header nothing says what this is; its absence has been flagged, its members need not be.
    let purpose = decoded.as_ref().map_or(Purpose::Unclear, |members| header::check(members, Shape::Signed, notes));
    let members = decoded.unwrap_or_default();
    let mut parts = vec![Part { name: "header", members: meanings::of_header(&members) }];
    if payload.starts_with("ZXlK") {
        // base64url of base64url of `{"`: another token is the content.
        let message = "the payload is itself a token";
        notes.error(
            "ATK-19",
            message,
            "refuse nested tokens unless agreed; then sign first and encrypt after (JWT-11.2)",
        );
    } else if !payload.is_empty() {
        let claims = reading::encoded_object("payload", payload, notes);
        if let Some(claims) = &claims {
            claims::check(claims, purpose, TimeForm::Seconds, now, notes);
        }
        let members = meanings::of_claims(&claims.unwrap_or_default(), now);
        parts.push(Part { name: "payload", members });
    }
    parts.push(signature::explain(signature, &members, notes));
    parts
}

/// T2: what a token may weigh.
pub(super) fn size(bytes: usize, notes: &mut Notes) {
    if bytes > MAX_TOKEN_BYTES {
        let message = format!("{bytes} bytes: over the hard cap of {MAX_TOKEN_BYTES}; cookies and headers drop it");
        notes.error("ATK-21", message, "put less into it; look the rest up by `sub` or `sid`");
    } else if bytes > SIZE_BUDGET {
        let message = format!("{bytes} bytes: over the budget of {SIZE_BUDGET}, on every request");
        notes.warning("T2", message, "put less into it; look the rest up by `sub` or `sid`");
    }
}

fn looks_like_header(part: &str) -> bool {
    // `{"`, `{ `, `{` with a line break, `{}`, and a space before it, in base64url.
    ["ey", "ew", "e3", "IHs"].iter().any(|start| part.starts_with(start))
}

fn unknown(text: &str, notes: &mut Notes) -> (Kind, Vec<Part>) {
    let (what, fix) = if text.is_empty() {
        ("no token: the text is empty", "give the token as the argument or on standard input")
    } else if text.contains("PRIVATE KEY") {
        (
            "this is a PRIVATE KEY, not a token; it has now been shown to this terminal",
            "replace the key if anybody else could see it",
        )
    } else if text.len() == 22 && counterfoil_guard::base64url_decode(text).is_some() {
        ("22 characters of base64url: an id (user, session or token), which is no secret and no token", "look it up")
    } else {
        ("no kind of token known here", SHAPE_FIX)
    };
    notes.error("ATK-18", what, fix);
    let length = Explained {
        name: "length".into(),
        value: format!("{} bytes", text.len()),
        meaning: "not shown, because it may be a secret of another system".into(),
        source: "",
    };
    (Kind::Unknown, vec![Part { name: "text", members: vec![length] }])
}
