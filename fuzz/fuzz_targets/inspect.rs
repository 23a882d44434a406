//! `token inspect`: never panics, says no more than a multiple of what it was given, and prints nothing that could drive a
//! terminal or be used as a credential.
#![no_main]

use counterfoil_core::inspect::{Finding, Severity, inspect};
use counterfoil_fuzz::{Bound, bounded, now, text};
use libfuzzer_sys::fuzz_target;

/// Each member is explained and may have findings of its own: texts of a hundred bytes for one of ten.
const MEMORY: Bound = Bound { times: 192, plus: 16384 };

fuzz_target!(|data: &[u8]| {
    let input = text(data);
    let report = bounded(MEMORY, input.as_bytes(), || inspect(&input, now()));
    let members = report.parts.iter().flat_map(|part| &part.members);
    let lines: Vec<[&str; 4]> = members
        .map(|member| [&*member.name, &*member.value, &*member.meaning, member.source])
        .chain(report.findings.iter().map(|finding| [&*finding.message, finding.id, finding.fix, ""]))
        .collect();
    let size: usize = lines.iter().flatten().map(|text| text.len()).sum();
    assert!(size <= 64 * input.len() + 16 * 1024, "{size} bytes said about {}", input.len());
    for said in lines.iter().flatten() {
        assert!(!said.contains(is_dangerous), "{said:?}");
        assert!(input.len() < 16 || !is_credential(&input) || !said.contains(&*input), "the credential is repeated");
    }
    let disclaimer =
        |finding: &&Finding| finding.severity == Severity::Note && finding.message.starts_with("nothing was");
    assert_eq!(report.findings.iter().filter(disclaimer).count(), 1);
    assert!(report.findings.is_sorted_by_key(|finding| finding.severity));
    assert_eq!(report.has_errors(), report.findings.iter().any(|finding| finding.severity == Severity::Error));
    assert!(report.size <= input.len());
});

fn is_credential(input: &str) -> bool {
    ["cfr_", "cfs_", "cfi_", "cfa_"].iter().any(|prefix| input.starts_with(prefix))
        || (input.starts_with("eyJ") && input.matches('.').count() == 2)
}

fn is_dangerous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}
