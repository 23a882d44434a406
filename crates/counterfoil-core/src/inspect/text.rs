//! Characters that have no business in a token (ATK-15, ATK-16), wherever a string stands.

use super::json::{Json, Member};
use super::lookalike;
use super::notes::Notes;
use super::show;
use crate::characters::{is_bidirectional, is_invisible, is_noncharacter};
use unicode_normalization::is_nfc;

/// Members by which tokens are compared; all of them are plain ASCII in a Counterfoil token.
const IDENTIFIERS: [&str; 10] = ["iss", "sub", "aud", "client_id", "azp", "sid", "jti", "kid", "scope", "roles"];

/// `U+202E` and so on.
pub(super) fn code_point(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}

/// Control characters and all that changes or hides what the eye sees.
pub(super) fn is_unprintable(c: char) -> bool {
    c.is_control() || is_bidirectional(c) || is_invisible(c) || is_noncharacter(c)
}

/// Checks every string and name in `members`, at any depth.
pub(super) fn check(part: &str, members: &[Member], notes: &mut Notes) {
    for member in members {
        check_name(part, &member.name, notes);
        check_value(part, &member.name, &member.value, notes);
    }
}

fn check_name(part: &str, name: &str, notes: &mut Notes) {
    if let Some(odd) = name.chars().find(|c| is_unprintable(*c)) {
        let message = format!("{part}: the member name `{}` holds {}", show::name(name), describe(odd));
        notes.error("ATK-15", message, "refuse; a name is plain ASCII");
    }
}

fn check_value(part: &str, name: &str, value: &Json, notes: &mut Notes) {
    match value {
        Json::Text(text) => check_text(part, name, text, notes),
        Json::Array(items) => items.iter().for_each(|item| check_value(part, name, item, notes)),
        Json::Object(members) => check(part, members, notes),
        _ => {}
    }
}

fn check_text(part: &str, name: &str, text: &str, notes: &mut Notes) {
    let shown = show::name(name);
    if let Some(odd) = text.chars().find(|c| c.is_control() || is_noncharacter(*c)) {
        let message = format!("{part}: `{shown}` holds {}", describe(odd));
        notes.error("ATK-15", message, "refuse; never strip or replace, two readers would see two values");
    }
    if let Some(odd) = text.chars().find(|c| is_bidirectional(*c) || is_invisible(*c)) {
        let message = format!("{part}: `{shown}` holds {}: it reads otherwise than it compares", describe(odd));
        notes.error("ATK-16", message, "refuse in identifiers; compare by code point, never by look");
    }
    if let Some(odd) = lookalike::mixed_script(text) {
        let message = format!("{part}: `{shown}` mixes scripts: {} looks like an ASCII letter", code_point(odd));
        notes.warning("ATK-16", message, "compare by code point; allow one script in names at registration");
    } else if IDENTIFIERS.contains(&name) && !text.is_ascii() {
        let message = format!("{part}: `{shown}` is an identifier with characters beyond ASCII");
        notes.warning("ATK-16", message, "use ASCII identifiers");
    }
    if !is_nfc(text) {
        let message = format!("{part}: `{shown}` is not in normal form C, so an equal-looking value may differ");
        notes.warning("ATK-16", message, "tokens are compared without normalisation; write NFC in the first place");
    }
}

fn describe(c: char) -> String {
    let what = match c {
        '\0' => "a NUL character",
        '\u{feff}' => "a byte order mark",
        c if c.is_control() => "a control character",
        c if is_bidirectional(c) => "a bidirectional control",
        c if is_invisible(c) => "an invisible character",
        _ => "a noncharacter",
    };
    format!("{what} ({})", code_point(c))
}
