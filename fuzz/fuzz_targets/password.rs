//! A password and the words easily guessed for its user, one a line.
#![no_main]

use counterfoil_core::Secret;
use counterfoil_core::credential::password::{LEAST_MINIMUM, MAX_BYTES, Password, Rejected};
use counterfoil_fuzz::{Bound, bounded, text};
use libfuzzer_sys::fuzz_target;

/// Two bytes may be two marks (U+0344), which wait in lists, of 8 and 4 bytes each, to be sorted; lists double as they grow.
const NORMALISING: Bound = Bound { times: 96, plus: 256 };
/// Each word of five bytes is looked for twice, in two copies of a password that may have grown to three times `MAX_BYTES`.
const CHECKING: Bound = Bound { times: 1536, plus: 8192 };

fuzz_target!(|data: &[u8]| {
    let input = text(data);
    let mut lines = input.split('\n');
    let received = lines.next().unwrap_or_default();
    let context: Vec<&str> = lines.collect();
    let secret = Secret::new(received.to_owned());
    let Ok(password) = bounded(NORMALISING, received.as_bytes(), || Password::new(&secret)) else {
        assert!(received.len() > MAX_BYTES);
        return;
    };
    let normal = String::from_utf8(password.as_bytes().to_vec()).expect("text stays text");
    if received.is_ascii() {
        assert_eq!(normal, received, "not trimmed, not cut, not changed");
    }
    if let Ok(again) = Password::new(&Secret::new(normal.clone())) {
        assert_eq!(again.as_bytes(), password.as_bytes(), "normalising twice changes nothing");
    }
    let verdict = bounded(CHECKING, input.as_bytes(), || password.check(LEAST_MINIMUM, &context));
    if verdict.is_ok() {
        assert!(normal.chars().count() >= LEAST_MINIMUM && !normal.contains(char::is_control));
        assert_eq!(password.check(0, &[]), Ok(()), "fewer words forbid less; the least minimum stands");
        assert_eq!(password.check(usize::MAX, &context), Err(Rejected::TooShort));
        assert_eq!(password.check(LEAST_MINIMUM, &[received]), Err(Rejected::Context), "one's own name");
    }
    // Context is the last reason, and never hides another.
    if password.check(LEAST_MINIMUM, &[]).is_err() {
        assert_eq!(verdict, password.check(LEAST_MINIMUM, &[]));
    }
});
