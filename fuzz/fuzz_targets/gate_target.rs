//! What a proxy asks the gate about: a path that is accepted has one reading, and a host one spelling.
#![no_main]

use counterfoil_core::gate::{RequestPath, parse_host};
use counterfoil_fuzz::{Bound, bounded, text};
use libfuzzer_sys::fuzz_target;

/// One copy.
const MEMORY: Bound = Bound { times: 1, plus: 0 };

fuzz_target!(|data: &[u8]| {
    let input = text(data);
    if let Some(path) = bounded(MEMORY, input.as_bytes(), || RequestPath::parse(&input)) {
        let path = path.as_str();
        assert!(path.starts_with('/') && !path.contains("//") && !path.contains(['\\', ';', '%']));
        assert!(path.split('/').all(|segment| segment != "." && segment != ".."));
        assert!(!path.chars().any(|c| c.is_ascii_control()));
    }
    if let Some(host) = bounded(MEMORY, input.as_bytes(), || parse_host(&input)) {
        assert_eq!(parse_host(&host).as_deref(), Some(host.as_str()), "said again it is the same");
        assert!(host.bytes().all(|byte| byte.is_ascii_graphic() && !byte.is_ascii_uppercase()));
    }
});
