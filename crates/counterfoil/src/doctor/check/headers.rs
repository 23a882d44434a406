//! What the sign-in page tells the browser about itself, and what may be kept of answers.

use super::super::observed::{Answer, Observed, Probe};
use super::super::{Finding, fine, note, shown, unseen, wrong};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS};

const POLICY: &str = "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
const XSS: &str = "A script that gets into the sign-in page reads every password.";

pub(super) fn check(observed: &Observed) -> Vec<Finding> {
    let mut findings = match observed.answer(Probe::SignInPage) {
        None => vec![unseen("ASVS-3.4.3", "no sign-in page was found; name it with --sign-in PATH")],
        Some((_, page)) => {
            vec![scripts(page), frames(page), sniffing(page), referrer(page), page_cache(page)]
        }
    };
    findings.extend(answers(observed));
    findings
}

/// The sources of a directive, or of the one that stands in for it.
fn directive<'a>(policy: &'a str, names: &[&str]) -> Option<Vec<&'a str>> {
    let of = |wanted: &str| {
        policy.split([';', ',']).find_map(|part| {
            let mut words = part.split_ascii_whitespace();
            words.next().filter(|name| name.eq_ignore_ascii_case(wanted)).map(|_| words.collect())
        })
    };
    names.iter().find_map(|name| of(name))
}

fn scripts(page: &Answer) -> Finding {
    let Some(policy) = page.header(CONTENT_SECURITY_POLICY) else {
        return wrong("ASVS-3.4.3", "no Content-Security-Policy", XSS, POLICY);
    };
    let Some(sources) = directive(policy, &["script-src-elem", "script-src", "default-src"]) else {
        return wrong("ASVS-3.4.3", "the content security policy allows every script", XSS, POLICY);
    };
    let pinned = sources.iter().any(|source| {
        ["'nonce-", "'sha256-", "'sha384-", "'sha512-", "'strict-dynamic'"]
            .iter()
            .any(|start| source.starts_with(start))
    });
    let inline = sources.contains(&"'unsafe-inline'") && !pinned;
    let anywhere = sources.iter().any(|source| matches!(*source, "*" | "https:" | "http:" | "data:")) && !pinned;
    if inline || anywhere || sources.contains(&"'unsafe-eval'") {
        let seen = format!("scripts are allowed from {}", shown(&sources.join(" ")));
        return wrong(
            "ASVS-3.4.3",
            seen,
            XSS,
            "Allow scripts from 'self' alone, or by nonce; no 'unsafe-inline', no 'unsafe-eval'.",
        );
    }
    let none = |names: &[&str]| directive(policy, names).is_some_and(|sources| sources == ["'none'"]);
    let base = directive(policy, &["base-uri"]).is_some();
    if !base || !none(&["object-src", "default-src"]) {
        let why = "An injected <base> takes relative links and forms elsewhere; an injected <object> is another page within this one.";
        let missing = if base { "no object-src 'none'" } else { "no base-uri" };
        let seen = format!("scripts only from {}, but {missing}", shown(&sources.join(" ")));
        return note(
            "ASVS-3.4.3",
            seen,
            why,
            "Add base-uri 'none' and object-src 'none', or begin with default-src 'none'.",
        );
    }
    fine("ASVS-3.4.3", format!("scripts only from {}", shown(&sources.join(" "))))
}

fn frames(page: &Answer) -> Finding {
    let why = "Another site shows the page in a frame, and has people click or type where they do not mean to.";
    let fix = "Add frame-ancestors 'none' to the content security policy.";
    let policy = page.header(CONTENT_SECURITY_POLICY).and_then(|policy| directive(policy, &["frame-ancestors"]));
    match policy {
        Some(sources) if sources.iter().any(|source| matches!(*source, "*" | "https:" | "http:")) => {
            wrong("SEC-4.16", "frame-ancestors allows every site", why, fix)
        }
        Some(sources) => fine("SEC-4.16", format!("frame-ancestors {}", shown(&sources.join(" ")))),
        None if page.header(X_FRAME_OPTIONS).is_some() => {
            note("SEC-4.16", "X-Frame-Options alone", "It is the older way; browsers prefer frame-ancestors.", fix)
        }
        None => wrong("SEC-4.16", "neither frame-ancestors nor X-Frame-Options", why, fix),
    }
}

fn sniffing(page: &Answer) -> Finding {
    if page.header(X_CONTENT_TYPE_OPTIONS).is_some_and(|value| value.eq_ignore_ascii_case("nosniff")) {
        return fine("ASVS-3.4.4", "X-Content-Type-Options: nosniff");
    }
    let why = "A browser may take an upload or an answer for a script.";
    wrong(
        "ASVS-3.4.4",
        "no X-Content-Type-Options: nosniff",
        why,
        "Send X-Content-Type-Options: nosniff with every answer.",
    )
}

fn referrer(page: &Answer) -> Finding {
    let policy = page.header(REFERRER_POLICY).unwrap_or_default();
    let last = policy.rsplit(',').next().unwrap_or_default().trim();
    if !matches!(last, "" | "unsafe-url" | "no-referrer-when-downgrade" | "origin-when-cross-origin") {
        return fine("SEC-4.2", format!("Referrer-Policy: {}", shown(policy)));
    }
    let seen =
        if last.is_empty() { "no Referrer-Policy".into() } else { format!("Referrer-Policy: {}", shown(policy)) };
    let why = "What stands in the page's address, a code or a way back, is told to other sites.";
    wrong("SEC-4.2", seen, why, "Send Referrer-Policy: no-referrer with pages that sign in.")
}

fn has_no_store(answer: &Answer) -> bool {
    answer.header(CACHE_CONTROL).is_some_and(|value| value.to_ascii_lowercase().contains("no-store"))
}

fn page_cache(page: &Answer) -> Finding {
    if has_no_store(page) {
        return fine("ASVS-14.3.2", "the sign-in page is not kept (no-store)");
    }
    let why = "What is kept on a shared machine or in a proxy is shown to the next one.";
    note(
        "ASVS-14.3.2",
        "the sign-in page may be kept by caches",
        why,
        "Send Cache-Control: no-store with pages that sign in.",
    )
}

/// Of what holds credentials or says who somebody is.
fn answers(observed: &Observed) -> Vec<Finding> {
    let private = [(Probe::SignIn, "TOK-1", "the answer to a sign-in"), (Probe::Me, "ASVS-14.3.2", "who is signed in")];
    let mut findings = Vec::new();
    for (probe, id, what) in private {
        let Some((_, answer)) = observed.answer(probe).filter(|(_, answer)| answer.status < 400) else { continue };
        findings.push(if has_no_store(answer) {
            fine(id, format!("{what} is not kept (no-store)"))
        } else {
            let why = "A cache on the way, or the browser's own, gives it to the next one.";
            wrong(id, format!("{what} may be kept by caches"), why, "Send Cache-Control: no-store with it.")
        });
    }
    findings
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::tests::Case> {
    use super::super::observed::made::{answered, site};
    use super::tests::Case;
    const GOOD: [(&str, &str); 4] = [
        ("content-security-policy", "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cache-control", "no-store"),
    ];
    let page = |headers: &[(&'static str, &str)]| site([answered(Probe::SignInPage, 200, headers, "")]);
    let policy = |policy: &str| {
        let mut headers = GOOD;
        headers[0].1 = policy;
        page(&headers)
    };
    let kept = |probe| site([answered(Probe::SignInPage, 200, &GOOD, ""), answered(probe, 200, &[], "{}")]);
    let mut open = GOOD;
    open[2].1 = "unsafe-url";
    vec![
        Case { what: "all well", observed: page(&GOOD), expected: &[] },
        Case {
            what: "nothing",
            observed: page(&[]),
            expected: &["ASVS-3.4.3", "SEC-4.16", "ASVS-3.4.4", "SEC-4.2", "ASVS-14.3.2"],
        },
        Case {
            what: "inline",
            observed: policy("script-src 'self' 'unsafe-inline'; frame-ancestors 'none'"),
            expected: &["ASVS-3.4.3"],
        },
        Case {
            what: "inline for old browsers",
            observed: policy(
                "default-src 'none'; script-src 'unsafe-inline' 'nonce-x'; base-uri 'self'; frame-ancestors 'none'",
            ),
            expected: &[],
        },
        Case {
            what: "frames everywhere",
            observed: policy("default-src 'none'; script-src 'self'; base-uri 'none'; frame-ancestors *"),
            expected: &["SEC-4.16"],
        },
        Case {
            what: "a base",
            observed: policy("default-src 'none'; script-src 'self'; frame-ancestors 'none'"),
            expected: &["ASVS-3.4.3"],
        },
        Case {
            what: "objects",
            observed: policy("default-src 'self'; base-uri 'none'; frame-ancestors 'none'"),
            expected: &["ASVS-3.4.3"],
        },
        Case { what: "no scripts named", observed: policy("frame-ancestors 'none'"), expected: &["ASVS-3.4.3"] },
        Case { what: "told to all", observed: page(&open), expected: &["SEC-4.2"] },
        Case { what: "a kept sign-in", observed: kept(Probe::SignIn), expected: &["TOK-1"] },
        Case { what: "a kept name", observed: kept(Probe::Me), expected: &["ASVS-14.3.2"] },
    ]
}
