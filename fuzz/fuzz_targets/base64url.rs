//! One byte string has exactly one spelling.
#![no_main]

use counterfoil_fuzz::text;
use counterfoil_guard::{Kid, Sid, base64url_decode, base64url_encode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    assert_eq!(base64url_decode(&base64url_encode(data)).as_deref(), Some(data));
    let input = text(data);
    let decoded = base64url_decode(&input);
    if let Some(bytes) = &decoded {
        assert_eq!(base64url_encode(bytes), input);
        assert!(input.is_empty() || !input.contains(['=', '+', '/', ' ', '\n']));
    }
    if let Ok(id) = input.parse::<Sid>() {
        assert_eq!(id.to_string(), input);
        assert_eq!(decoded.as_deref(), Some(&id.as_bytes()[..]));
    }
    if let Ok(kid) = input.parse::<Kid>() {
        assert_eq!(kid.as_str(), input);
        assert!((1..=64).contains(&input.len()));
    }
});
