//! Of a Counterfoil: that what is for proxies, monitoring and administrators is not there for everybody.

use super::super::observed::{Observed, Probe};
use super::super::{Finding, fine, note, unseen, wrong};

pub(super) fn check(observed: &Observed) -> Vec<Finding> {
    if !observed.counterfoil {
        return vec![unseen("ASVS-13.4.5", "not a Counterfoil, as far as its metadata tells")];
    }
    let mut findings = Vec::new();
    if let Some((_, health)) = observed.answer(Probe::Health) {
        let why = "Whatever watches the server takes it for dead, or cannot ask.";
        let seen = format!("/healthz is answered with {}", health.status);
        findings.push(if health.status == 200 {
            fine("ASVS-13.4.5", seen)
        } else {
            note("ASVS-13.4.5", seen, why, "Pass /healthz on to the server, or watch it from inside.")
        });
    }
    findings.extend(closed(observed, Probe::Metrics, METRICS));
    findings.extend(closed(observed, Probe::Gate, GATE));
    findings.extend(closed(observed, Probe::GetRefresh, REFRESH));
    findings.extend(closed(observed, Probe::Administration, ADMINISTRATION));
    findings.extend(closed(observed, Probe::Control, CONTROL));
    findings
}

/// What must not be answered from here: the requirement, what it is, why, and what to do.
type Rule = (&'static str, &'static str, &'static str, &'static str);

const METRICS: Rule = (
    "ASVS-13.4.5",
    "/metrics",
    "How many sign in, fail and are refused is nobody else's business.",
    "Name the networks that may in metrics.allow, and the proxy in trusted_proxies.",
);
const GATE: Rule = (
    "ATK-35",
    "/gate",
    "Whoever asks it directly writes the forwarded address and method themselves.",
    "Do not pass /gate on from outside; list only your proxies in trusted_proxies.",
);
const REFRESH: Rule = (
    "CSRF-1",
    "GET /api/auth/refresh",
    "A link would rotate tokens.",
    "Something in front of the server answers in its place: pass it on as it is.",
);
const ADMINISTRATION: Rule = (
    "ASVS-13.4.5",
    "/api/admin/users, without a credential,",
    "Everybody administers.",
    "Something in front of the server adds a credential: take it away.",
);
const CONTROL: Rule = (
    "ASVS-13.4.5",
    "the control socket's /api/admin/audit/verify",
    "What the socket is asked, it does: it is for whoever owns the data folder.",
    "Do not forward the control socket to a network.",
);

fn closed(observed: &Observed, probe: Probe, (id, what, why, fix): Rule) -> Option<Finding> {
    let (_, answer) = observed.answer(probe)?;
    let seen = format!("{what} is answered with {}", answer.status);
    // The gate's 401 and 303 are verdicts too: it has looked.
    let open = if probe == Probe::Gate { !matches!(answer.status, 403 | 404) } else { answer.status < 400 };
    if open && observed.site.loopback && matches!(probe, Probe::Metrics | Probe::Gate) {
        let fix = "Run the doctor once more from another machine, at the public address.";
        return Some(note(id, format!("{seen} to this machine"), why, fix));
    }
    Some(if open { wrong(id, seen, why, fix) } else { fine(id, seen) })
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::tests::Case> {
    use super::super::observed::made::{answered, site};
    use super::tests::Case;
    let one = |probe, status, counterfoil, loopback| {
        let mut observed = site([answered(probe, status, &[], "")]);
        (observed.counterfoil, observed.site.loopback) = (counterfoil, loopback);
        observed
    };
    vec![
        Case { what: "another's", observed: one(Probe::Metrics, 200, false, false), expected: &[] },
        Case { what: "closed", observed: one(Probe::Metrics, 403, true, false), expected: &[] },
        Case { what: "alive", observed: one(Probe::Health, 200, true, false), expected: &[] },
        Case { what: "not alive", observed: one(Probe::Health, 404, true, false), expected: &["ASVS-13.4.5"] },
        Case { what: "metrics", observed: one(Probe::Metrics, 200, true, false), expected: &["ASVS-13.4.5"] },
        Case { what: "metrics, here", observed: one(Probe::Metrics, 200, true, true), expected: &["ASVS-13.4.5"] },
        Case { what: "the gate", observed: one(Probe::Gate, 401, true, false), expected: &["ATK-35"] },
        Case { what: "a refresh", observed: one(Probe::GetRefresh, 200, true, false), expected: &["CSRF-1"] },
        Case { what: "everybody", observed: one(Probe::Administration, 200, true, false), expected: &["ASVS-13.4.5"] },
        Case { what: "the socket", observed: one(Probe::Control, 200, true, false), expected: &["ASVS-13.4.5"] },
    ]
}
