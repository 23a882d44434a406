//! Which other origins' scripts may read answers.

use super::super::observe::ATTACKER;
use super::super::observed::{Answer, Observed, Probe};
use super::super::{Finding, fine, note, unseen, wrong};
use http::header::{ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_ORIGIN};

const WHY: &str = "A script on that site acts as whoever is signed in, and reads the answers.";
const FIX: &str =
    "Compare Origin with a list of whole origins, and answer nothing to the others; never `null`, never what was sent.";

pub(super) fn check(observed: &Observed) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut seen = false;
    for (exchange, answer) in observed.answers(|probe| matches!(probe, Probe::Foreign(_) | Probe::Preflight)) {
        seen = true;
        let origin = if let Probe::Foreign(origin) = exchange.probe { origin } else { ATTACKER };
        findings.extend(judge(&exchange.asked, &observed.site.put_into(origin), answer));
    }
    if !seen {
        return vec![unseen(
            "CSRF-5",
            "no address was known that could be read from elsewhere; name one with --who PATH",
        )];
    }
    if findings.is_empty() {
        findings.push(fine("CSRF-5", "other origins, `null`, and those that look like this one are allowed nothing"));
    }
    findings
}

fn judge(asked: &str, origin: &str, answer: &Answer) -> Option<Finding> {
    let allowed = answer.header(ACCESS_CONTROL_ALLOW_ORIGIN)?;
    let credentials = answer.header(ACCESS_CONTROL_ALLOW_CREDENTIALS) == Some("true");
    match (allowed, credentials) {
        ("*", true) => Some(wrong("ASVS-3.4.2", format!("{asked}: every origin, with credentials"), WHY, FIX)),
        ("null", true) => Some(wrong("ASVS-3.4.2", format!("{asked}: the origin `null`, with credentials"), WHY, FIX)),
        ("*", false) => None,
        (allowed, true) if allowed == origin => {
            Some(wrong("CSRF-5", format!("{asked}: {origin} is allowed, with credentials"), WHY, FIX))
        }
        (allowed, false) if allowed == origin => {
            let why = "Answers that rest on no cookie are for everybody; what is only reachable from inside is not.";
            Some(note("CSRF-5", format!("{asked}: {origin} is allowed, without credentials"), why, FIX))
        }
        _ => None,
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::tests::Case> {
    use super::super::observed::made::{answered, site};
    use super::tests::Case;
    const BEGINS: Probe = Probe::Foreign("{scheme}://{host}.attacker.example");
    const ENDS: Probe = Probe::Foreign("{scheme}://attacker-{host}");
    let with = |probe, origin: &'static str, credentials: &str| {
        let headers = [("access-control-allow-origin", origin), ("access-control-allow-credentials", credentials)];
        site([answered(probe, 200, &headers, "")])
    };
    let attacker = Probe::Foreign(ATTACKER);
    let same = "https://attacker.example";
    vec![
        Case { what: "nothing allowed", observed: site([answered(attacker, 401, &[], "")]), expected: &[] },
        Case { what: "public", observed: with(attacker, "*", "false"), expected: &[] },
        Case { what: "another one", observed: with(attacker, "https://www.example.com", "true"), expected: &[] },
        Case { what: "reflected", observed: with(attacker, same, "true"), expected: &["CSRF-5"] },
        Case { what: "reflected, harmless", observed: with(attacker, same, "false"), expected: &["CSRF-5"] },
        Case {
            what: "the beginning compared",
            observed: with(BEGINS, "https://app.example.com.attacker.example", "true"),
            expected: &["CSRF-5"],
        },
        Case {
            what: "the end compared",
            observed: with(ENDS, "https://attacker-app.example.com", "true"),
            expected: &["CSRF-5"],
        },
        Case { what: "itself, whoever asks", observed: with(BEGINS, "https://app.example.com", "true"), expected: &[] },
        Case { what: "preflight", observed: with(Probe::Preflight, same, "true"), expected: &["CSRF-5"] },
        Case { what: "null", observed: with(Probe::Foreign("null"), "null", "true"), expected: &["ASVS-3.4.2"] },
        Case { what: "all", observed: with(attacker, "*", "true"), expected: &["ASVS-3.4.2"] },
    ]
}
