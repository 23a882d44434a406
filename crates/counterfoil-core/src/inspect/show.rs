//! Text made safe to print: escaped, shortened, and without secrets.

use super::json::Json;
use super::text::is_unprintable;
use std::fmt::Write as _;

const MAX_VALUE: usize = 160;
const MAX_NAME: usize = 64;
const MAX_ITEMS: usize = 16;

/// JWK members and claim names whose value is a secret by definition (RFC 7518 section 6).
const SECRET_NAMES: [&str; 19] = [
    "d",
    "p",
    "q",
    "dp",
    "dq",
    "qi",
    "oth",
    "k",
    "password",
    "passwd",
    "secret",
    "client_secret",
    "api_key",
    "apikey",
    "private_key",
    "refresh_token",
    "access_token",
    "id_token",
    "session_token",
];

/// A string value in quotes.
pub(super) fn text(value: &str) -> String {
    if is_secret(value) {
        return hidden(value);
    }
    let mut shown = String::from('"');
    shorten(value, MAX_VALUE, &mut shown, is_unprintable);
    shown.push('"');
    shown
}

/// A member name. All beyond ASCII is escaped: a look-alike name should look like what it is.
pub(super) fn name(value: &str) -> String {
    if is_secret(value) {
        return hidden(value);
    }
    let mut shown = String::new();
    shorten(value, MAX_NAME, &mut shown, |c| !c.is_ascii() || is_unprintable(c));
    shown
}

/// The value of the member called `name`, as JSON.
pub(super) fn member(name: &str, value: &Json) -> String {
    match value {
        Json::Text(text) if is_secret_name(name) => hidden(text),
        Json::Array(_) | Json::Object(_) | Json::Number(_) if is_secret_name(name) => String::from("(not shown)"),
        _ => json(value),
    }
}

/// Any value as compact JSON.
pub(super) fn json(value: &Json) -> String {
    let mut shown = String::new();
    write_json(value, &mut shown);
    if shown.chars().count() <= 2 * MAX_VALUE {
        return shown;
    }
    let mut cut: String = shown.chars().take(2 * MAX_VALUE).collect();
    cut.push('…');
    cut
}

fn write_json(value: &Json, shown: &mut String) {
    if shown.len() > 4 * MAX_VALUE {
        return;
    }
    match value {
        Json::Null => shown.push_str("null"),
        Json::Bool(value) => shown.push_str(if *value { "true" } else { "false" }),
        Json::Number(word) => shorten(word, MAX_NAME, shown, is_unprintable),
        Json::Text(value) => shown.push_str(&text(value)),
        Json::Array(items) => list(items.iter().map(|item| (None, item)), ['[', ']'], shown),
        Json::Object(members) => {
            list(members.iter().map(|m| (Some(m.name.as_str()), &m.value)), ['{', '}'], shown);
        }
    }
}

fn list<'a>(items: impl ExactSizeIterator<Item = (Option<&'a str>, &'a Json)>, around: [char; 2], shown: &mut String) {
    let count = items.len();
    shown.push(around[0]);
    for (index, (key, value)) in items.take(MAX_ITEMS).enumerate() {
        if index > 0 {
            shown.push_str(", ");
        }
        match key {
            Some(key) => {
                let _ = write!(shown, "{}: ", name(key));
                shown.push_str(&member(key, value));
            }
            None => write_json(value, shown),
        }
    }
    if count > MAX_ITEMS {
        let _ = write!(shown, ", … {count} in all");
    }
    shown.push(around[1]);
}

fn shorten(value: &str, limit: usize, shown: &mut String, escape: impl Fn(char) -> bool) {
    for c in value.chars().take(limit) {
        if escape(c) {
            let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
        } else {
            if matches!(c, '"' | '\\') {
                shown.push('\\');
            }
            shown.push(c);
        }
    }
    let count = value.chars().count();
    if count > limit {
        let _ = write!(shown, "… ({count} characters)");
    }
}

/// Whether a text is, or holds, something that whoever reads it could use: a token, a private key.
pub(super) fn is_secret(text: &str) -> bool {
    let jwt = text.contains("eyJ") && text.matches('.').count() >= 2;
    jwt || ["cfr_", "cfs_", "cfi_", "cfa_", "PRIVATE KEY"].iter().any(|mark| text.contains(mark)) || holds_paseto(text)
}

/// `v4.local.…`, `k4.secret.…` and kin, anywhere in the text.
fn holds_paseto(text: &str) -> bool {
    [".local", ".public", ".secret", ".seal"].iter().any(|purpose| {
        text.match_indices(purpose).any(|(at, _)| {
            let before = &text.as_bytes()[..at];
            matches!(before, [.., b'v' | b'k', b'1'..=b'4'])
        })
    })
}

/// Whether a member with this name holds a secret.
pub(super) fn is_secret_name(name: &str) -> bool {
    SECRET_NAMES.contains(&name)
}

fn hidden(text: &str) -> String {
    format!("({} characters, not shown)", text.chars().count())
}

#[cfg(test)]
mod tests {
    use super::{name, text};

    #[test]
    fn nothing_shown_can_drive_a_terminal_or_hide() {
        assert_eq!(text("a\u{1b}[31m\u{202e}b"), "\"a\\u{1b}[31m\\u{202e}b\"");
        assert_eq!(name("\u{435}xp"), "\\u{435}xp");
        assert_eq!(text("Zoë \"x\""), "\"Zoë \\\"x\\\"\"");
        assert!(text(&"x".repeat(500)).ends_with("… (500 characters)\""));
    }

    #[test]
    fn tokens_inside_tokens_are_not_repeated() {
        for secret in ["cfr_abcdefgh", "eyJhbGciOiJub25lIn0.e30.c2ln", "k4.secret.AAAA", "-----BEGIN PRIVATE KEY-----"]
        {
            assert!(!text(secret).contains(secret) && text(secret).contains("not shown"), "{secret}");
        }
    }
}
