//! What people call themselves: addresses, display names, roles. What is accepted is fit to store, to compare, to show.
#![no_main]

use counterfoil_core::user::{Email, Role, parse_name};
use counterfoil_fuzz::{Bound, bounded, text};
use libfuzzer_sys::fuzz_target;

/// One copy.
const MEMORY: Bound = Bound { times: 1, plus: 0 };

fuzz_target!(|data: &[u8]| {
    let input = text(data);
    if let Some(email) = bounded(MEMORY, input.as_bytes(), || Email::parse(&input)) {
        check_email(&email, &input);
    }
    if let Some(role) = bounded(MEMORY, input.as_bytes(), || Role::parse(&input)) {
        assert_eq!(role.as_str(), input);
        assert!((1..=32).contains(&input.len()) && input.starts_with(|c: char| c.is_ascii_lowercase()));
        assert!(input.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-')));
    }
    if let Some(name) = bounded(MEMORY, input.as_bytes(), || parse_name(&input)) {
        assert!((1..=200).contains(&name.len()) && input.contains(&name));
        assert!(!name.contains(|c: char| c.is_control() || is_bidirectional(c)), "{name:?}");
        assert_eq!(parse_name(&name).as_ref(), Some(&name), "parsing twice changes nothing");
    }
});

fn check_email(email: &Email, input: &str) {
    let address = email.as_str();
    assert_eq!(address, input.trim_matches(' '));
    assert!((3..=254).contains(&address.len()) && address.matches('@').count() == 1, "{address:?}");
    assert!(!address.contains(|c: char| c.is_whitespace() || c.is_control() || is_bidirectional(c)), "{address:?}");
    assert_eq!(Email::parse(address).as_ref(), Some(email), "parsing twice changes nothing");
    let key = Email::parse(&email.key()).expect("the key of an address is an address");
    assert!(key.key() == email.key() && key.as_str().eq_ignore_ascii_case(address));
    assert_eq!(Email::parse(&address.to_ascii_uppercase()).map(|upper| upper.key()), Some(email.key()));
}

/// Overrides and isolates.
fn is_bidirectional(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
