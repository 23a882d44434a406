//! Where a sign-in may lead: what is accepted cannot leave the host, the way browsers read it.
#![no_main]

use counterfoil_core::redirect::LocalPath;
use counterfoil_fuzz::{Bound, bounded, text};
use libfuzzer_sys::fuzz_target;

/// One copy.
const MEMORY: Bound = Bound { times: 1, plus: 0 };

fuzz_target!(|data: &[u8]| {
    let input = text(data);
    let Some(path) = bounded(MEMORY, input.as_bytes(), || LocalPath::parse(&input)) else { return };
    assert_eq!(path.as_str(), input, "kept as it is");
    let mut bytes = input.bytes();
    assert_eq!(bytes.next(), Some(b'/'));
    assert!(!matches!(bytes.next(), Some(b'/' | b'\\')));
    assert!(input.bytes().all(|byte| byte.is_ascii_graphic()), "nothing that splits or bends a header");
    assert_eq!(host_after_redirect(&input), "host");
    assert_eq!(LocalPath::parse(path.as_str()), Some(path));
});

/// Which host a browser on `https://host/login` asks next (WHATWG URL, special schemes): it trims controls and spaces,
/// drops tabs and line breaks, takes `\` for `/`, then looks for a scheme or for two slashes.
fn host_after_redirect(location: &str) -> String {
    let cleaned: String = location
        .trim_matches(|c: char| c <= ' ')
        .chars()
        .filter(|c| !matches!(c, '\t' | '\n' | '\r'))
        .map(|c| if c == '\\' { '/' } else { c })
        .collect();
    let scheme_end = cleaned.find([':', '/', '?', '#']).filter(|at| cleaned[*at..].starts_with(':'));
    let after_scheme = scheme_end.map_or(&*cleaned, |at| &cleaned[at + 1..]);
    if scheme_end.is_none() && !after_scheme.starts_with("//") {
        return "host".into();
    }
    let authority = after_scheme.trim_start_matches('/').split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default().into()
}
