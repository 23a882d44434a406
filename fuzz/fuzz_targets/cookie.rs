//! The `Cookie` header. The input's first line is the name asked for, the rest is the header.
#![no_main]

use counterfoil_fuzz::{Bound, bounded, text};
use counterfoil_guard::cookie_values;
use libfuzzer_sys::fuzz_target;

/// A value is a reference of 16 bytes, for at least three of the header (`=x;`), in a list that doubles as it grows.
const MEMORY: Bound = Bound { times: 24, plus: 128 };

fuzz_target!(|data: &[u8]| {
    let input = text(data);
    let (name, header) = input.split_once('\n').unwrap_or(("__Host-cf_access", &input));
    let values = bounded(MEMORY, header.as_bytes(), || cookie_values(header.as_bytes(), name));
    assert!(values.len() <= header.matches(';').count() + 1);
    for value in &values {
        let sendable = |c: char| c.is_ascii_graphic() && !matches!(c, '"' | ',' | ';' | '\\');
        assert!(!value.is_empty() && value.chars().all(sendable), "{value:?}");
        assert!(header.contains(&format!("{name}={value}")));
    }
    // Whatever stands before it, a well-formed cookie is found, and after it nothing else changes.
    let longer = format!("{header}; {name}=value");
    let sendable = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
    if sendable {
        assert_eq!(cookie_values(longer.as_bytes(), name), [&values[..], &["value"]].concat());
    }
});
