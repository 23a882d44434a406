use super::super::{Verdict, examine};
use super::*;

/// A site, and the requirements that are not met there, in order; notes count too.
pub(super) struct Case {
    pub(super) what: &'static str,
    pub(super) observed: Observed,
    pub(super) expected: &'static [&'static str],
}

fn cases(check: &str) -> Vec<Case> {
    match check {
        "tls" => tls::cases(),
        "cookies" => cookies::cases(),
        "headers" => headers::cases(),
        "cors" => cors::cases(),
        "csrf" => csrf::cases(),
        "sign-out" => sign_out::cases(),
        "keys" => keys::cases(),
        "metadata" => metadata::cases(),
        "clock" => clock::cases(),
        "redirect" => redirect::cases(),
        "enumeration" => enumeration::cases(),
        "limits" => limits::cases(),
        "leaks" => leaks::cases(),
        "counterfoil" => counterfoil::cases(),
        other => panic!("{other} has no cases"),
    }
}

#[test]
fn every_check_says_of_each_site_what_is_wrong_with_it_and_nothing_else() {
    for check in CHECKS {
        for Case { what, observed, expected } in cases(check.name) {
            let findings = (check.run)(&observed);
            let told = findings.iter().filter(|finding| finding.verdict >= Verdict::Note);
            let told: Vec<&str> = told.map(|finding| finding.id).collect();
            assert_eq!(told, expected, "{}: {what}: {findings:#?}", check.name);
            for finding in findings.iter().filter(|finding| finding.verdict >= Verdict::Note) {
                assert!(!finding.why.is_empty() && !finding.fix.is_empty(), "{finding:?}");
                assert!(check.ids.contains(&finding.id), "{} does not list {}", check.name, finding.id);
            }
        }
    }
}

#[test]
fn every_requirement_of_every_check_fires_somewhere_and_holds_somewhere() {
    for check in CHECKS {
        let all = cases(check.name);
        assert!(all.iter().any(|case| case.expected.is_empty()), "{}: nowhere is all well", check.name);
        for id in check.ids {
            assert!(all.iter().any(|case| case.expected.contains(id)), "{}: {id} never fires", check.name);
        }
    }
}

#[test]
fn of_a_site_that_says_nothing_everything_is_unseen_and_nothing_wrong() {
    let site = super::super::observed::made::site([]);
    for section in examine(&site) {
        let loud: Vec<_> = section.findings.iter().filter(|finding| finding.verdict >= Verdict::Note).collect();
        assert!(loud.is_empty(), "{}: {loud:?}", section.check);
        assert_ne!(section.verdict, Verdict::Fine, "{}", section.check);
    }
}
