//! One byte string has exactly one spelling.
#![no_main]

use counterfoil_fuzz::{Bound, bounded, text};
use counterfoil_guard::{Kid, Sid, base64url_decode, base64url_encode};
use libfuzzer_sys::fuzz_target;

/// What is decoded, and nothing else.
const MEMORY: Bound = Bound { times: 1, plus: 64 };

fuzz_target!(|data: &[u8]| {
    assert_eq!(base64url_decode(&base64url_encode(data)).as_deref(), Some(data));
    let input = text(data);
    let decoded = bounded(MEMORY, input.as_bytes(), || base64url_decode(&input));
    if let Some(bytes) = &decoded {
        assert_eq!(base64url_encode(bytes), input);
        assert!(input.is_empty() || !input.contains(['=', '+', '/', ' ', '\n']));
    }
    if let Ok(id) = bounded(MEMORY, input.as_bytes(), || input.parse::<Sid>()) {
        assert_eq!(id.to_string(), input);
        assert_eq!(decoded.as_deref(), Some(&id.as_bytes()[..]));
    }
    if let Ok(kid) = bounded(MEMORY, input.as_bytes(), || input.parse::<Kid>()) {
        assert_eq!(kid.as_str(), input);
        assert!((1..=64).contains(&input.len()));
    }
});
