//! What answers give away: the insides of the program in errors, credentials where scripts and logs find them.

use super::super::observed::{Answer, Observed, Probe};
use super::super::set_cookie::{self, is_jwt};
use super::super::{Finding, fine, note, shown, unseen, wrong};
use counterfoil_core::inspect::{self, Severity};
use http::header::{LOCATION, SERVER};
use serde_json::Value;
use url::Url;

/// Words of stack traces and debug pages, of which no error page has another use.
const INSIDES: [&str; 16] = [
    "Traceback (most recent call last)",
    "    at Object.<anonymous>",
    "node_modules/",
    ".java:",
    "at java.base/",
    "Exception in thread",
    "System.NullReferenceException",
    "stack backtrace:",
    "panicked at",
    "goroutine 1 [running]",
    "PDOException",
    "SQLSTATE[",
    "Werkzeug Debugger",
    "You're seeing this error because you have <code>DEBUG = True</code>",
    "Whoops! There was an error",
    "ActionController::RoutingError",
];

/// Members and parameters that hold credentials.
const NAMES: [&str; 9] = [
    "access_token",
    "accessToken",
    "refresh_token",
    "refreshToken",
    "id_token",
    "token",
    "jwt",
    "session",
    "sessionId",
];

pub(super) fn check(observed: &Observed) -> Vec<Finding> {
    let mut findings = Vec::from_iter(insides(observed));
    findings.extend(banner(observed));
    match observed.answer(Probe::SignIn) {
        Some((_, answer)) if answer.status < 400 => findings.extend(handed_out(observed, answer)),
        _ => findings.push(unseen("BBA-8", "what a sign-in hands out shows with --email and --password-stdin")),
    }
    findings
}

fn insides(observed: &Observed) -> Option<Finding> {
    let mut errors = 0;
    for (exchange, answer) in observed.answers(|_| true).filter(|(_, answer)| answer.status >= 400) {
        errors += 1;
        if let Some(found) = INSIDES.iter().find(|words| answer.body.contains(**words)) {
            let seen =
                format!("{}: the error ({}) shows its insides: {}", exchange.asked, answer.status, shown(found.trim()));
            let why = "Paths, versions and code tell where to attack, and may hold what others have sent.";
            return Some(wrong(
                "ASVS-16.5.1",
                seen,
                why,
                "Switch debug pages off; log the trace, and answer with a code.",
            ));
        }
    }
    (errors > 0).then(|| fine("ASVS-16.5.1", format!("{errors} errors say nothing of the insides")))
}

fn banner(observed: &Observed) -> Option<Finding> {
    let versioned = |value: &&str| value.contains('/') && value.bytes().any(|byte| byte.is_ascii_digit());
    let mut answers = observed.answers(|_| true).map(|(_, answer)| answer);
    let told = answers.find_map(|answer| {
        let by = answer.named("x-powered-by");
        by.or_else(|| answer.header(SERVER).filter(versioned)).map(str::to_owned)
    })?;
    let why = "Whoever looks for sites with a known hole finds this one.";
    Some(note(
        "ASVS-13.4.6",
        format!("answers say what they are made with: {}", shown(&told)),
        why,
        "Leave X-Powered-By out, and the version in Server.",
    ))
}

fn handed_out(observed: &Observed, answer: &Answer) -> Vec<Finding> {
    let mut findings = Vec::from_iter(in_address(observed, answer));
    let mut members = Vec::new();
    collect(&answer.json(), &mut members);
    let why = "A script that gets into the page reads it, keeps it, and uses it from elsewhere.";
    for (name, _) in &members {
        let seen = format!("the answer to a sign-in holds `{name}`");
        findings.push(if name.to_ascii_lowercase().contains("refresh") {
            wrong("BBA-8", seen, why, "Give refresh tokens to browsers in HttpOnly cookies only.")
        } else {
            note("BBA-8", seen, why, "Give it in an HttpOnly cookie, or keep it in memory and never in localStorage.")
        });
    }
    if findings.is_empty() {
        findings.push(fine("BBA-8", "a sign-in's answer and address hold no token"));
    }
    let cookies = set_cookie::all(&answer.headers, answer.received);
    let jwts = cookies.iter().map(|cookie| (cookie.name.clone(), cookie.value.expose().clone()));
    for (name, token) in jwts.chain(members.iter().cloned()).filter(|(_, value)| is_jwt(value)) {
        findings.push(token_of(&name, &token, answer));
    }
    findings
}

/// The rules that the token inspector finds broken; its texts quote the token and stay out.
fn token_of(name: &str, token: &str, answer: &Answer) -> Finding {
    let report = inspect::inspect(token, answer.received);
    let errors = report.findings.iter().filter(|finding| finding.severity == Severity::Error);
    let mut rules: Vec<&str> = errors.map(|finding| finding.id).collect();
    rules.dedup();
    if rules.is_empty() {
        return fine("T1", format!("{}: the token inspector finds no error in it", shown(name)));
    }
    let why =
        "A verifier that checks what the standards ask for refuses it, or checks less and takes more than it should.";
    let seen = format!("{}: the token inspector finds {}", shown(name), rules.join(", "));
    note("T1", seen, why, "Look at one with `counterfoil token inspect`.")
}

fn in_address(observed: &Observed, answer: &Answer) -> Option<Finding> {
    let location = answer.header(LOCATION)?;
    let url = Url::parse(&observed.site.origin).and_then(|origin| origin.join(location)).ok()?;
    let fragment = url.fragment().unwrap_or_default();
    let in_fragment = url::form_urlencoded::parse(fragment.as_bytes());
    let mut pairs = url.query_pairs().chain(in_fragment);
    let (name, _) = pairs.find(|(name, value)| is_jwt(value) || NAMES.contains(&name.as_ref()) && value.len() >= 16)?;
    let why = "Addresses are kept in histories and logs, and told to other sites.";
    Some(wrong(
        "ASVS-14.2.1",
        format!("the sign-in leads to an address with `{}`", shown(&name)),
        why,
        "Hand out credentials in cookies or bodies, never in addresses.",
    ))
}

/// Members of the answer that are credentials, at any depth.
fn collect(value: &Value, into: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member.as_str() {
                    Some(text) if is_jwt(text) || NAMES.contains(&name.as_str()) && text.len() >= 16 => {
                        into.push((name.clone(), text.to_owned()));
                    }
                    _ => collect(member, into),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, into)),
        _ => {}
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::tests::Case> {
    use super::super::observed::made::{answered, site};
    use super::tests::Case;
    let error = |body: &str| site([answered(Probe::NoSuchPage, 500, &[], body)]);
    let signed_in = |body: &str| site([answered(Probe::SignIn, 200, &[], body)]);
    let to = |location: &str| site([answered(Probe::SignIn, 302, &[("location", location)], "")]);
    let banner = |name, value: &str| site([answered(Probe::NoSuchPage, 404, &[(name, value)], "")]);
    let unsigned = "session=eyJhbGciOiJub25lIn0.e30.YWJj; Path=/";
    vec![
        Case { what: "plain errors", observed: error("Something went wrong."), expected: &[] },
        Case {
            what: "a trace",
            observed: error("<pre>Traceback (most recent call last):"),
            expected: &["ASVS-16.5.1"],
        },
        Case { what: "a banner", observed: banner("x-powered-by", "Express"), expected: &["ASVS-13.4.6"] },
        Case { what: "a version", observed: banner("server", "nginx/1.18.0"), expected: &["ASVS-13.4.6"] },
        Case { what: "no version", observed: banner("server", "nginx"), expected: &[] },
        Case { what: "nothing in it", observed: signed_in(r#"{"user":{"id":"1"}}"#), expected: &[] },
        Case { what: "access", observed: signed_in(r#"{"access_token":"0123456789abcdef"}"#), expected: &["BBA-8"] },
        Case {
            what: "refresh",
            observed: signed_in(r#"{"data":[{"refresh_token":"0123456789abcdef"}]}"#),
            expected: &["BBA-8"],
        },
        Case { what: "in the address", observed: to("/app#access_token=0123456789abcdef"), expected: &["ASVS-14.2.1"] },
        Case { what: "an address", observed: to("/app?page=1"), expected: &[] },
        Case {
            what: "unsigned",
            observed: site([answered(Probe::SignIn, 200, &[("set-cookie", unsigned)], "")]),
            expected: &["T1"],
        },
    ]
}
