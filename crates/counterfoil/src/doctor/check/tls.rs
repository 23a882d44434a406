//! TLS: that there is no way without it, and what it is like.

use super::super::observed::{Observed, Probe};
use super::super::{Finding, fine, note, shown, unseen, wrong};
use http::header::{LOCATION, STRICT_TRANSPORT_SECURITY};

/// ASVS-3.4.1: a year.
const LEAST_AGE: u64 = 31_536_000;

/// Certificates are renewed a month before their end, as a rule.
const SOON_DAYS: u64 = 30;
/// Then nobody has renewed it.
const TOO_SOON_DAYS: u64 = 14;

pub(super) fn check(observed: &Observed) -> Vec<Finding> {
    if !observed.site.https {
        return vec![in_the_clear(observed.site.loopback)];
    }
    let mut findings = Vec::new();
    findings.extend(plain(observed));
    findings.extend(hsts(observed));
    findings.extend(connection(observed));
    findings
}

fn in_the_clear(loopback: bool) -> Finding {
    if loopback {
        let seen = "http to this machine itself: browsers take that for secure, and nobody else can listen";
        let why = "Anywhere else, passwords and cookies would cross the network in the clear.";
        return note("ASVS-12.2.1", seen, why, "Run the doctor once more on the public https address.");
    }
    let why = "Whoever is on the way reads passwords and cookies, and writes into the pages.";
    wrong("ASVS-12.2.1", "the address is http", why, "Serve https only, and let http answer with a redirect to it.")
}

fn plain(observed: &Observed) -> Option<Finding> {
    let exchange = observed.asked(|probe| probe == Probe::PlainHttp).next()?;
    let Ok(answer) = &exchange.answer else {
        return Some(fine("ASVS-12.2.1", "nothing answers at port 80"));
    };
    let target = answer.header(LOCATION).filter(|_| answer.is_redirect()).unwrap_or_default();
    if target.starts_with("https://") {
        return Some(fine("ASVS-12.2.1", "http redirects to https"));
    }
    let seen = format!("http answers {} and does not lead to https", answer.status);
    let why = "Who types the address without https stays in the clear, and can be kept there.";
    Some(wrong(
        "ASVS-12.2.1",
        seen,
        why,
        "Answer every request at port 80 with a redirect (308) to the same address at https.",
    ))
}

fn hsts(observed: &Observed) -> Option<Finding> {
    let (_, page) = observed.answer(Probe::SignInPage).or_else(|| observed.answer(Probe::Metadata))?;
    let value = page.header(STRICT_TRANSPORT_SECURITY).unwrap_or_default().to_ascii_lowercase();
    let age = value.split(';').find_map(|part| part.trim().strip_prefix("max-age="));
    let age = age.and_then(|age| age.trim_matches('"').parse::<u64>().ok()).unwrap_or(0);
    if age >= LEAST_AGE {
        return Some(fine("ASVS-3.4.1", format!("Strict-Transport-Security: {}", shown(&value))));
    }
    let seen = if value.is_empty() {
        "no Strict-Transport-Security".into()
    } else {
        format!("Strict-Transport-Security: {}, which is less than a year", shown(&value))
    };
    let why = "A browser that has not been told so tries http again, and somebody on the way can answer.";
    Some(wrong(
        "ASVS-3.4.1",
        seen,
        why,
        "Send Strict-Transport-Security: max-age=31536000; includeSubDomains with every answer.",
    ))
}

fn connection(observed: &Observed) -> Vec<Finding> {
    let Some(tls) = &observed.tls else { return vec![unseen("ASVS-12.1.1", "no TLS connection was made")] };
    let mut findings = Vec::new();
    findings.push(if tls.version == "TLS 1.3" {
        fine("ASVS-12.1.1", "TLS 1.3")
    } else {
        let why = "1.3 leaves out what could be chosen wrongly in 1.2, and hides the certificate.";
        note(
            "ASVS-12.1.1",
            format!("{}, where 1.3 was offered", tls.version),
            why,
            "Switch TLS 1.3 on; keep 1.2 for old clients only.",
        )
    });
    if let Some(distrust) = &tls.distrust {
        let why = "People learn to click warnings away, and programs to switch the check off.";
        let fix = "Use a certificate for this name from an authority that browsers trust, sent with its intermediates.";
        findings.push(wrong("ASVS-12.2.2", format!("the certificate is not trusted: {}", shown(distrust)), why, fix));
    }
    let Some(expires) = tls.expires else { return findings };
    let days = expires.since(tls.now).as_secs() / 86_400;
    let seen = format!("the certificate ends in {days} days");
    let why = "With the certificate the site ends, for everybody at once.";
    let fix = "Renew it, and see why that did not happen by itself.";
    findings.push(match days {
        0..TOO_SOON_DAYS => wrong("ASVS-12.2.2", seen, why, fix),
        TOO_SOON_DAYS..SOON_DAYS => note("ASVS-12.2.2", seen, why, fix),
        _ => fine("ASVS-12.2.2", seen),
    });
    findings
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::tests::Case> {
    use super::super::observed::made::{answered, site};
    use super::super::observed::{Site, Tls};
    use super::tests::Case;
    use counterfoil_core::Timestamp;
    let with = |days: i64, version: &str, distrust: Option<&str>, hsts: &str, plain: (u16, &str)| {
        let headers: &[(&str, &str)] = if hsts.is_empty() { &[] } else { &[("strict-transport-security", hsts)] };
        let page = answered(Probe::SignInPage, 200, headers, "");
        let plain = answered(Probe::PlainHttp, plain.0, &[("location", plain.1)], "");
        let expires = Some(Timestamp::from_seconds(days * 86_400 + 60));
        let tls =
            Tls { version: version.into(), distrust: distrust.map(str::to_owned), expires, now: Timestamp::default() };
        Observed { tls: Some(tls), ..site([page, plain]) }
    };
    let (year, moved) = ("max-age=31536000", (308, "https://app.example.com/"));
    let clear = |loopback| Observed { site: Site { loopback, ..Site::default() }, ..Observed::default() };
    vec![
        Case { what: "all well", observed: with(60, "TLS 1.3", None, year, moved), expected: &[] },
        Case { what: "http", observed: clear(false), expected: &["ASVS-12.2.1"] },
        Case { what: "loopback", observed: clear(true), expected: &["ASVS-12.2.1"] },
        Case {
            what: "a page at port 80",
            observed: with(60, "TLS 1.3", None, year, (200, "")),
            expected: &["ASVS-12.2.1"],
        },
        Case {
            what: "to http",
            observed: with(60, "TLS 1.3", None, year, (301, "http://x/")),
            expected: &["ASVS-12.2.1"],
        },
        Case { what: "no HSTS", observed: with(60, "TLS 1.3", None, "", moved), expected: &["ASVS-3.4.1"] },
        Case {
            what: "a short one",
            observed: with(60, "TLS 1.3", None, "max-age=300", moved),
            expected: &["ASVS-3.4.1"],
        },
        Case { what: "1.2", observed: with(60, "TLS 1.2", None, year, moved), expected: &["ASVS-12.1.1"] },
        Case { what: "soon over", observed: with(20, "TLS 1.3", None, year, moved), expected: &["ASVS-12.2.2"] },
        Case { what: "nearly over", observed: with(3, "TLS 1.3", None, year, moved), expected: &["ASVS-12.2.2"] },
        Case {
            what: "untrusted",
            observed: with(60, "TLS 1.3", Some("UnknownIssuer"), year, moved),
            expected: &["ASVS-12.2.2"],
        },
    ]
}
