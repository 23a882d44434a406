//! Whether somebody who tries passwords is slowed down, within a few tries: what was not seen may begin later.

use super::super::observed::{Observed, Probe};
use super::super::{Finding, fine, note, unseen};
use http::header::RETRY_AFTER;

/// Fewer say nothing.
const ENOUGH: usize = 10;

const WHY: &str = "Passwords are guessed, or tried from lists of other sites, as fast as the server answers.";

pub(super) fn check(observed: &Observed) -> Vec<Finding> {
    let tries: Vec<_> =
        observed.answers(|probe| matches!(probe, Probe::WrongSignIn(_))).map(|(_, answer)| answer).collect();
    if let Some(at) = tries.iter().position(|answer| answer.status == 429) {
        let seen = format!("wrong sign-in number {} is answered with 429", at + 1);
        if tries[at].header(RETRY_AFTER).is_some() {
            return vec![fine("ASVS-6.3.1", format!("{seen} and Retry-After"))];
        }
        let why = "Honest clients do not know when to come again, and try at once.";
        return vec![note("ASVS-6.3.1", format!("{seen}, without Retry-After"), why, "Send Retry-After with it.")];
    }
    if tries.len() < ENOUGH {
        let failed = observed
            .asked(|probe| matches!(probe, Probe::WrongSignIn(_)))
            .find_map(|exchange| exchange.answer.as_ref().err());
        return vec![unseen("ASVS-6.3.1", failed.map_or("too few sign-ins could be tried", String::as_str))];
    }
    let first = tries[0].status;
    if let Some(at) = tries.iter().position(|answer| answer.status != first) {
        return vec![fine(
            "ASVS-6.3.1",
            format!("from wrong sign-in number {} on the answer is {}, not {first}", at + 1, tries[at].status),
        )];
    }
    let seen = format!("no limit was seen in {} wrong sign-ins; one may begin later", tries.len());
    vec![note("ASVS-6.3.1", seen, WHY, "Limit tries per account and per network, and answer 429 with Retry-After.")]
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::tests::Case> {
    use super::super::observed::Who;
    use super::super::observed::made::{answered, site};
    use super::tests::Case;
    let tried = |count: usize, last: u16, headers: &[(&'static str, &str)]| {
        let mut all: Vec<_> = (1..count).map(|_| answered(Probe::WrongSignIn(Who::Unknown), 401, &[], "")).collect();
        all.push(answered(Probe::WrongSignIn(Who::Unknown), last, headers, ""));
        site(all)
    };
    vec![
        Case { what: "limited", observed: tried(6, 429, &[("retry-after", "30")]), expected: &[] },
        Case { what: "blocked", observed: tried(12, 403, &[]), expected: &[] },
        Case { what: "too few", observed: tried(3, 401, &[]), expected: &[] },
        Case { what: "until when?", observed: tried(6, 429, &[]), expected: &["ASVS-6.3.1"] },
        Case { what: "never", observed: tried(12, 401, &[]), expected: &["ASVS-6.3.1"] },
    ]
}
