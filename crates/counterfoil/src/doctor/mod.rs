//! `counterfoil doctor`: looks at a running sign-in from outside, ours or anybody's, and says what is wrong with it. `observe` sends a
//! bounded number of requests, one at a time; each check is a pure function of what came back. It reads no configuration and no store, and
//! repeats nothing that it was given: cookies are named, never quoted.

mod certificate;
mod check;
mod form;
mod http_date;
mod jar;
mod observe;
mod observed;
mod session;
mod set_cookie;
mod wire;

pub(crate) use check::{CHECKS, Check};
pub(crate) use observe::{Account, Options, Paths, SignInApi, observe};
pub(crate) use observed::Observed;
pub(crate) use wire::{EACH_WITHIN, MAX_BODY, MOST_REQUESTS, TOTAL_WITHIN};

use serde::Serialize;

/// What came of one look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    /// As it should be.
    Fine,
    /// It could not be seen from here.
    Unseen,
    /// Worth knowing; whether it is wrong only the operator can say.
    Note,
    /// A requirement is not met.
    Wrong,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// The requirement.
    pub(crate) id: &'static str,
    pub(crate) verdict: Verdict,
    /// What was seen; never a credential.
    pub(crate) seen: String,
    /// Why it matters, and what to do. Empty where there is nothing to do.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) why: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub(crate) fix: &'static str,
}

/// All that one check has to say.
#[derive(Debug, Serialize)]
pub(crate) struct Section {
    pub(crate) check: &'static str,
    /// The requirements that it looks at.
    pub(crate) about: &'static [&'static str],
    pub(crate) verdict: Verdict,
    pub(crate) findings: Vec<Finding>,
}

/// Asks every check.
pub(crate) fn examine(observed: &Observed) -> Vec<Section> {
    let section = |check: &Check| {
        let mut findings = (check.run)(observed);
        findings.sort_by_key(|finding| std::cmp::Reverse(finding.verdict));
        let verdict = findings.first().map_or(Verdict::Unseen, |finding| finding.verdict);
        // What was seen to be right is the verdict, where nothing is wrong and something else was out of sight.
        let any_fine = findings.iter().any(|finding| finding.verdict == Verdict::Fine);
        let verdict = if verdict == Verdict::Unseen && any_fine { Verdict::Fine } else { verdict };
        Section { check: check.name, about: check.ids, verdict, findings }
    };
    CHECKS.iter().map(section).collect()
}

fn wrong(id: &'static str, seen: impl Into<String>, why: &'static str, fix: &'static str) -> Finding {
    Finding { id, verdict: Verdict::Wrong, seen: seen.into(), why, fix }
}

fn note(id: &'static str, seen: impl Into<String>, why: &'static str, fix: &'static str) -> Finding {
    Finding { id, verdict: Verdict::Note, seen: seen.into(), why, fix }
}

fn unseen(id: &'static str, seen: impl Into<String>) -> Finding {
    Finding { id, verdict: Verdict::Unseen, seen: seen.into(), why: "", fix: "" }
}

fn fine(id: &'static str, seen: impl Into<String>) -> Finding {
    Finding { id, verdict: Verdict::Fine, seen: seen.into(), why: "", fix: "" }
}

/// A text of the site's, as it may be shown: in one line, and not without end.
fn shown(text: &str) -> String {
    const MOST: usize = 100;
    let plain = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c });
    let mut short: String = plain.take(MOST).collect();
    if text.chars().count() > MOST {
        short.push('…');
    }
    short
}
