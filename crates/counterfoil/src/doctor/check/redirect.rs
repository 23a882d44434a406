//! Whether the sign-in page leads to wherever its address says (ATK-40).

use super::super::observed::{Answer, Observed, Probe};
use super::super::{Finding, fine, note, shown, unseen, wrong};
use http::header::LOCATION;
use url::Url;

const WHY: &str = "A link to the real sign-in page ends at somebody else's, who asks for the password once more.";
const FIX: &str = "Go on to paths of this host only: one slash first, no second one, no backslash, no control character; \
                   or to addresses on a list.";

/// Attributes that a browser follows by itself or with a click.
const FOLLOWED: [&str; 5] = ["href", "action", "formaction", "src", "content"];

pub(super) fn check(observed: &Observed) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut asked = 0;
    for (exchange, answer) in observed.answers(|probe| matches!(probe, Probe::ReturnTo(_))) {
        let Probe::ReturnTo(target) = exchange.probe else { continue };
        let target = observed.site.put_into(target);
        asked += 1;
        let what = target.escape_debug().to_string();
        if leads_away(answer, &observed.site.origin) {
            findings.push(wrong("ATK-40", format!("{what}: the sign-in page redirects there"), WHY, FIX));
        } else if let Some(attribute) = carried(&answer.body, &target) {
            let seen = format!("{what}: stands in the sign-in page as {}", shown(&attribute));
            findings.push(if FOLLOWED.contains(&attribute.as_str()) {
                wrong("ATK-40", seen, WHY, FIX)
            } else {
                note("ATK-40", format!("{seen}; whether a sign-in leads there was not seen"), WHY, FIX)
            });
        }
    }
    match (asked, findings.is_empty()) {
        (0, _) => vec![unseen("ATK-40", "no sign-in page was found; name it with --sign-in PATH")],
        (_, true) => vec![fine("ATK-40", format!("none of {asked} foreign addresses is taken up by the sign-in page"))],
        _ => findings,
    }
}

fn leads_away(answer: &Answer, origin: &str) -> bool {
    let Some(location) = answer.header(LOCATION).filter(|_| answer.is_redirect()) else { return false };
    let target = Url::parse(origin).and_then(|origin| origin.join(location));
    let theirs = |host: &str| host == "attacker.example" || host.ends_with(".attacker.example");
    target.is_ok_and(|url| url.host_str().is_some_and(theirs) || url.scheme() == "javascript")
}

/// The attribute, or the variable of a script, that the address is the value of.
fn carried(html: &str, target: &str) -> Option<String> {
    let html = html.replace("&#x2F;", "/").replace("&#47;", "/").replace("\\/", "/");
    for (at, _) in html.match_indices(target) {
        let before = html[..at].trim_end_matches("0;url=").trim_end_matches("0; url=");
        let Some(before) = before.strip_suffix(['"', '\'']) else { continue };
        let before = before.trim_end().trim_end_matches(['=', ':']).trim_end().trim_end_matches(['"', '\'']);
        let name = before.rsplit(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c)).next().unwrap_or_default();
        let name = name.to_ascii_lowercase();
        // What a script assigns to the window's address is followed like a link.
        return Some(if name.ends_with("location") || name.ends_with("location.href") { "href".into() } else { name });
    }
    None
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::tests::Case> {
    use super::super::observed::made::{answered, site};
    use super::tests::Case;
    const AWAY: &str = "//attacker.example/";
    let to = |status, location: &'static str, body: &str| {
        site([answered(Probe::ReturnTo(AWAY), status, &[("location", location)], body)])
    };
    vec![
        Case { what: "not taken up", observed: to(200, "", "<form data-redirect=\"/account\">"), expected: &[] },
        Case {
            what: "in its own address",
            observed: to(200, "", "<a href=\"/login?next=//attacker.example/\">"),
            expected: &[],
        },
        Case { what: "at home", observed: to(302, "/account", ""), expected: &[] },
        Case { what: "redirected", observed: to(302, AWAY, ""), expected: &["ATK-40"] },
        Case { what: "by backslash", observed: to(302, "/\\attacker.example/", ""), expected: &["ATK-40"] },
        Case {
            what: "as a name before the host",
            observed: to(302, "https://app.example.com@attacker.example/", ""),
            expected: &["ATK-40"],
        },
        Case {
            what: "as a longer host",
            observed: to(302, "https://app.example.com.attacker.example/", ""),
            expected: &["ATK-40"],
        },
        Case { what: "linked", observed: to(200, "", "<a href=\"//attacker.example/\">"), expected: &["ATK-40"] },
        Case {
            what: "refreshed",
            observed: to(200, "", "<meta content='0;url=//attacker.example/'>"),
            expected: &["ATK-40"],
        },
        Case {
            what: "by script",
            observed: to(200, "", "window.location = '\\/\\/attacker.example/'"),
            expected: &["ATK-40"],
        },
        Case {
            what: "hidden",
            observed: to(200, "", "<input name=next value=\"//attacker.example/\">"),
            expected: &["ATK-40"],
        },
    ]
}
