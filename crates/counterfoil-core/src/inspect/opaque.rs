//! `cfr_…`, `cfs_…` and kin: shape only. Their content is a secret handle, so nothing of it is shown but the counters.

use super::notes::Notes;
use super::{Explained, Kind, Part, base64};

const VERSION: usize = 2;
const HANDLE: usize = 16;
const MAC: usize = 32;
const SESSION: usize = VERSION + HANDLE + MAC;
const REFRESH: usize = SESSION + 4 + 8;

/// Explains an opaque token; `None` when the text is not one.
pub(super) fn explain(text: &str, notes: &mut Notes) -> Option<(Kind, Vec<Part>)> {
    let (prefix, body) = text.split_at_checked(4)?;
    let kind = match prefix {
        "cfr_" => Kind::RefreshToken,
        "cfs_" => Kind::SessionToken,
        "cfi_" | "cfa_" => Kind::OtherOpaque,
        other if is_ours_in_another_case(other) => {
            let fix = "prefixes are compared exactly; Counterfoil refuses the token";
            notes.error("ATK-18", "the prefix is spelt in another case", fix);
            Kind::OtherOpaque
        }
        _ => return None,
    };
    notes.warning(
        "S6",
        "this text is the credential itself: whoever has it is signed in",
        "keep it out of tickets, chats and logs; end the session if it has been there",
    );
    let bytes = base64::decode("token", body, notes);
    let part = match kind {
        Kind::RefreshToken => refresh(&bytes, notes),
        Kind::SessionToken => session(&bytes, notes),
        _ => vec![line("length", format!("{} bytes", bytes.len()), "a secret; only the authority can read it")],
    };
    Some((kind, vec![Part { name: "content", members: part }]))
}

fn is_ours_in_another_case(prefix: &str) -> bool {
    ["cfr_", "cfs_", "cfi_", "cfa_"].iter().any(|ours| ours.eq_ignore_ascii_case(prefix))
}

fn refresh(bytes: &[u8], notes: &mut Notes) -> Vec<Explained> {
    let mut lines = common(bytes, REFRESH, notes);
    if let Some([a, b, c, d]) = bytes.get(VERSION + HANDLE..VERSION + HANDLE + 4)
        && bytes.len() == REFRESH
    {
        let generation = u32::from_be_bytes([*a, *b, *c, *d]).to_string();
        lines.push(line(
            "generation",
            generation,
            "how often the session's refresh token has been rotated; an older one than the session's is reuse",
        ));
        lines.push(line("nonce", "8 bytes, not shown".into(), "tells tokens of one generation apart"));
        lines.push(line(
            "mac",
            "32 bytes, not shown".into(),
            "HMAC-SHA256 under the refresh key; not checked, that takes the authority",
        ));
    }
    lines
}

fn session(bytes: &[u8], notes: &mut Notes) -> Vec<Explained> {
    let mut lines = common(bytes, SESSION, notes);
    if bytes.len() == SESSION {
        lines.push(line(
            "mac",
            "32 bytes, not shown".into(),
            "HMAC-SHA256 under the refresh key; not checked, that takes the authority",
        ));
    }
    lines
}

fn common(bytes: &[u8], expected: usize, notes: &mut Notes) -> Vec<Explained> {
    if bytes.len() != expected {
        let message = format!("{} bytes after the prefix; such a token has exactly {expected}", bytes.len());
        notes.error("ATK-18", message, "it is cut off, or not one of ours");
        return vec![line("length", format!("{} bytes", bytes.len()), "cannot be read further")];
    }
    let version = bytes.iter().take(VERSION).fold(0, |version: u32, byte| version << 8 | u32::from(*byte));
    vec![
        line("key version", version.to_string(), "which version of the refresh key made the MAC"),
        line("handle", "16 bytes, not shown".into(), "the secret by which the authority finds the session"),
    ]
}

fn line(name: &str, value: String, meaning: &'static str) -> Explained {
    Explained { name: name.into(), value, meaning: meaning.into(), source: "Counterfoil design section 5" }
}
