//! `scope` (ATK-27): exact tokens, separated by one space.

use super::json::{Json, Member};
use super::notes::Notes;
use super::show;
use std::collections::HashSet;

const FIX: &str = "one string of tokens with one space between them, compared token by token (RFC 6749 section 3.3)";

pub(super) fn check(members: &[Member], notes: &mut Notes) {
    for Member { name, value, .. } in members {
        match (name.as_str(), value) {
            ("scope", Json::Text(scope)) => spelt(scope, notes),
            ("scope", other) => notes.error("ATK-27", format!("`scope` is {}, not a string", other.type_name()), FIX),
            ("scp", _) => {
                notes.warning("ATK-27", "`scp` is not `scope`: a verifier that knows RFC 9068 ignores it", FIX);
            }
            _ => {}
        }
    }
}

fn spelt(scope: &str, notes: &mut Notes) {
    if scope.is_empty() {
        return notes.error("ATK-27", "`scope` is empty", "leave it out when nothing was granted");
    }
    if scope.contains(|c: char| c.is_whitespace() && c != ' ') {
        notes.error("ATK-27", "`scope` has a tab or a line break between tokens", FIX);
    }
    if scope.starts_with(' ') || scope.ends_with(' ') || scope.contains("  ") {
        notes.error("ATK-27", "`scope` has a space too many", FIX);
    }
    let allowed = |c: char| matches!(c, '\x21' | '\x23'..='\x5b' | '\x5d'..='\x7e') || c.is_whitespace();
    if !scope.chars().all(allowed) {
        notes.error("ATK-27", "`scope` has characters that no scope token may have", FIX);
    }
    if !scope.contains(' ') && scope.contains([',', ';', '|']) {
        notes.warning("ATK-27", "`scope` separates by something other than a space: it is one long token", FIX);
    }
    let mut seen = HashSet::new();
    if let Some(twice) = scope.split_whitespace().find(|token| !seen.insert(*token)) {
        notes.warning("ATK-27", format!("`scope` lists {} twice", show::text(twice)), FIX);
    }
    if let Some(wide) = seen.iter().find(|token| token.contains('*')) {
        let message = format!("`scope` {} looks like a wildcard", show::text(wide));
        notes.warning("ATK-27", message, "scope tokens are compared exactly; name what is granted");
    }
}
