//! Every cookie that was set: those that sign somebody in are judged, the others are named.

use super::super::observed::Observed;
use super::super::set_cookie::{self, SetCookie};
use super::super::{Finding, fine, note, shown, unseen, wrong};
use std::collections::BTreeSet;
use std::time::Duration;

/// CK-5.5: browsers keep none for longer.
const LONGEST: Duration = Duration::from_hours(400 * 24);
/// NIST-2.1.3: that long a sign-in may last.
const LONG: Duration = Duration::from_hours(31 * 24);
/// CK-5.7a: browsers drop larger ones without a word.
const LARGEST: usize = 4096;

pub(super) fn check(observed: &Observed) -> Vec<Finding> {
    let mut names = BTreeSet::new();
    let mut findings = Vec::new();
    for (_, answer) in observed.answers(|_| true) {
        for cookie in set_cookie::all(&answer.headers, answer.received) {
            if !cookie.is_deletion() && names.insert(cookie.name.clone()) {
                findings.extend(judge(&cookie, observed.site.loopback));
            }
        }
    }
    if findings.is_empty() {
        findings
            .push(unseen("ASVS-3.3.4", "no cookie was set; with --email and --password-stdin a sign-in shows them"));
    }
    findings
}

fn judge(cookie: &SetCookie, loopback: bool) -> Vec<Finding> {
    let name = shown(&cookie.name);
    let mut findings = prefix(cookie, &name);
    if cookie.size > LARGEST {
        let seen = format!("{name}: {} bytes", cookie.size);
        findings.push(wrong(
            "CK-5.7a",
            seen,
            "Browsers drop what is larger than 4096 bytes.",
            "Put less into it: a reference, or fewer claims.",
        ));
    }
    if cookie.same_site.as_deref().is_some_and(|value| value.eq_ignore_ascii_case("none")) && !cookie.secure {
        let fix = "Say Secure as well, or rather SameSite=Lax.";
        findings.push(wrong("ASVS-3.3.2", format!("{name}: SameSite=None without Secure"), "Browsers refuse it.", fix));
    }
    if !cookie.is_credential() {
        findings.push(fine("ASVS-3.3.4", format!("{name}: takes no part in signing in, as far as its name tells")));
        return findings;
    }
    let before = findings.len();
    findings.extend(reach(cookie, &name, loopback));
    findings.extend(life(cookie, &name));
    if findings.len() == before {
        findings.push(fine("ASVS-3.3.4", format!("{name}: {}", attributes(cookie))));
    }
    findings
}

/// Who can read it, and where it is sent.
fn reach(cookie: &SetCookie, name: &str, loopback: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !cookie.http_only {
        let why = "Any script that gets into a page carries it off.";
        findings.push(wrong(
            "ASVS-3.3.4",
            format!("{name}: not HttpOnly"),
            why,
            "Set it with HttpOnly; let pages ask the server who is signed in.",
        ));
    }
    if !cookie.secure {
        let (seen, why) =
            (format!("{name}: not Secure"), "It is sent in the clear by whoever gets the browser to ask http://.");
        let fix = "Set it with Secure; browsers take such cookies from http://localhost too.";
        findings.push(if loopback { note("ASVS-3.3.1", seen, why, fix) } else { wrong("ASVS-3.3.1", seen, why, fix) });
    }
    match cookie.same_site.as_deref().map(str::to_ascii_lowercase).as_deref() {
        Some("lax" | "strict") => {}
        Some("none") => {
            let why = "Every other site's page can send requests with it.";
            findings.push(wrong("ASVS-3.3.2", format!("{name}: SameSite=None"), why, "Set SameSite=Lax or Strict."));
        }
        _ => {
            let why = "Without it browsers differ, and some send it along with other sites' POSTs for two minutes.";
            findings.push(wrong("ASVS-3.3.2", format!("{name}: no SameSite"), why, "Set SameSite=Lax or Strict."));
        }
    }
    if let Some(domain) = &cookie.domain {
        let why = "Every host below that name gets it, and can set it.";
        let fix = "Leave Domain out: then it is this host's alone.";
        findings.push(wrong("NIST-5.1.1", format!("{name}: Domain={}", shown(domain)), why, fix));
    } else if !cookie.name.starts_with("__Host-") && !cookie.name.starts_with("__Secure-") {
        let why = "A sibling host, or somebody on the way, can plant one of the same name.";
        findings.push(note(
            "ASVS-3.3.3",
            format!("{name}: no prefix"),
            why,
            "Call it __Host-…, with Secure and Path=/ and no Domain.",
        ));
    }
    findings
}

fn life(cookie: &SetCookie, name: &str) -> Option<Finding> {
    let life = cookie.life.filter(|life| *life > LONG)?;
    let days = life.as_secs() / 86_400;
    let why = "A stolen copy counts for as long, unless the server ends the session earlier.";
    let fix = "Let it end with the session, after 30 days at most.";
    Some(if life > LONGEST {
        wrong("CK-5.5", format!("{name}: kept for {days} days; browsers cut that to 400"), why, fix)
    } else {
        note("NIST-5.1.1", format!("{name}: kept for {days} days"), why, fix)
    })
}

/// CK-5.7b: what the prefixes promise.
fn prefix(cookie: &SetCookie, name: &str) -> Vec<Finding> {
    let lower = cookie.name.to_ascii_lowercase();
    let (host, secure) = (lower.starts_with("__host-"), lower.starts_with("__secure-"));
    let kept = cookie.secure && (secure || cookie.domain.is_none() && cookie.path.as_deref() == Some("/"));
    if !host && !secure || kept {
        return Vec::new();
    }
    let fix = "__Secure- needs Secure; __Host- needs Secure, Path=/ and no Domain.";
    vec![wrong(
        "CK-5.7b",
        format!("{name}: {} break the promise of its name", attributes(cookie)),
        "Browsers refuse it.",
        fix,
    )]
}

fn attributes(cookie: &SetCookie) -> String {
    let mut parts = Vec::new();
    parts.extend(cookie.http_only.then(|| "HttpOnly".to_owned()));
    parts.extend(cookie.secure.then(|| "Secure".to_owned()));
    parts.extend(cookie.same_site.as_deref().map(|value| format!("SameSite={}", shown(value))));
    parts.extend(cookie.path.as_deref().map(|value| format!("Path={}", shown(value))));
    parts.extend(cookie.domain.as_deref().map(|value| format!("Domain={}", shown(value))));
    parts.extend(cookie.life.map(|life| format!("{} s", life.as_secs())));
    if parts.is_empty() { "no attributes".into() } else { parts.join("; ") }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::tests::Case> {
    use super::super::observed::Probe;
    use super::super::observed::made::{answered, site};
    use super::tests::Case;
    let set = |cookies: &[&str]| {
        let headers: Vec<_> = cookies.iter().map(|cookie| ("set-cookie", *cookie)).collect();
        site([answered(Probe::SignIn, 200, &headers, "")])
    };
    let long = format!("__Host-session={}; Path=/; HttpOnly; Secure; SameSite=Lax", "a".repeat(4100));
    let good = "__Host-session=0123456789; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=86400";
    let local = |mut observed: Observed| {
        observed.site.loopback = true;
        observed
    };
    let bare = "session=0123456789; Path=/; HttpOnly; SameSite=Lax";
    vec![
        Case {
            what: "as it should be, and one that signs nobody in",
            observed: set(&[good, "theme=dark"]),
            expected: &[],
        },
        Case { what: "taken away", observed: set(&["session=; Max-Age=0"]), expected: &[] },
        Case {
            what: "bare",
            observed: set(&["session=0123456789"]),
            expected: &["ASVS-3.3.4", "ASVS-3.3.1", "ASVS-3.3.2", "ASVS-3.3.3"],
        },
        Case { what: "not Secure on loopback", observed: local(set(&[bare])), expected: &["ASVS-3.3.1", "ASVS-3.3.3"] },
        Case {
            what: "to every site and host, for years",
            observed: set(&["token=0123456789; Secure; HttpOnly; SameSite=None; Domain=example.com; Max-Age=99999999"]),
            expected: &["ASVS-3.3.2", "NIST-5.1.1", "CK-5.5"],
        },
        Case { what: "months", observed: set(&[&good.replace("86400", "8640000")]), expected: &["NIST-5.1.1"] },
        Case { what: "a false prefix", observed: set(&["__Host-theme=1; Secure; Path=/app"]), expected: &["CK-5.7b"] },
        Case { what: "too large", observed: set(&[&long]), expected: &["CK-5.7a"] },
        Case { what: "None in the clear", observed: set(&["theme=1; SameSite=None"]), expected: &["ASVS-3.3.2"] },
    ]
}
