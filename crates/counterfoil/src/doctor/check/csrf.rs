//! Whether another site's page can sign in, refresh or sign out for whoever looks at it.

use super::super::observed::{Act, Answer, Observed, Probe, Who};
use super::super::set_cookie;
use super::super::{Finding, fine, unseen, wrong};
use http::header::LOCATION;

const FIX: &str =
    "Refuse what Sec-Fetch-Site or Origin says comes from elsewhere; for cookies ask for a custom header or token too.";

pub(super) fn check(observed: &Observed) -> Vec<Finding> {
    let mut findings = vec![sign_in(observed)];
    findings.extend([Act::Refresh, Act::SignOut].map(|act| session(observed, act)));
    findings
}

/// A sign-in that comes from elsewhere must not even be looked at: else somebody is signed in as the attacker.
fn sign_in(observed: &Observed) -> Finding {
    let Some((_, foreign)) = observed.answer(Probe::CrossSite(Act::SignIn)) else {
        return not_seen(
            observed,
            Probe::CrossSite(Act::SignIn),
            "CSRF-4",
            "no sign-in to send to was found; name it with --login-api PATH",
        );
    };
    if matches!(foreign.status, 400 | 403 | 415 | 419) {
        return fine("CSRF-4", format!("a sign-in sent by another site is refused with {}", foreign.status));
    }
    let Some((_, own)) = observed.answer(Probe::WrongSignIn(Who::Unknown)) else {
        return unseen(
            "CSRF-4",
            format!(
                "a sign-in sent by another site is answered with {}; there is nothing to compare it with",
                foreign.status
            ),
        );
    };
    if !alike(foreign, own) {
        return fine(
            "CSRF-4",
            format!(
                "a sign-in sent by another site is answered with {}, the site's own with {}",
                foreign.status, own.status
            ),
        );
    }
    let seen = format!("a sign-in sent by another site is examined like the site's own ({})", foreign.status);
    let why = "An attacker's page signs its visitors in to the attacker's account, and sees what they do there.";
    wrong("CSRF-4", seen, why, FIX)
}

fn alike(one: &Answer, other: &Answer) -> bool {
    one.status == other.status
        && one.header(LOCATION) == other.header(LOCATION)
        && one.json()["code"] == other.json()["code"]
}

fn session(observed: &Observed, act: Act) -> Finding {
    let what = if act == Act::Refresh { "a refresh" } else { "a sign-out" };
    let why = if act == Act::Refresh {
        "Another page makes the browser rotate its tokens, and may read what comes or end the session."
    } else {
        "Another page signs people out, as often as it likes."
    };
    if let Some((_, answer)) = observed.answer(Probe::CrossSiteSession(act)) {
        let done = answer.status < 400;
        let seen = format!("{what} sent by another site with the session's cookies is answered with {}", answer.status);
        return if done { wrong("FM-2", seen, why, FIX) } else { fine("FM-2", seen) };
    }
    let Some((_, answer)) = observed.answer(Probe::CrossSite(act)) else {
        return not_seen(
            observed,
            Probe::CrossSite(act),
            "FM-2",
            "no address for it was found; name it with --refresh or --sign-out PATH",
        );
    };
    let seen = format!("{what} sent by another site is answered with {}", answer.status);
    let cookies = set_cookie::all(&answer.headers, answer.received);
    match answer.status {
        403 | 419 => fine("FM-2", seen),
        404 | 405 => unseen("FM-2", format!("{seen}: it is not there")),
        200..=399 if cookies.iter().any(|cookie| cookie.is_deletion() || cookie.is_credential()) => {
            wrong("FM-2", format!("{seen}, and sets cookies"), why, FIX)
        }
        _ => unseen("FM-2", format!("{seen}; without a session that says nothing")),
    }
}

/// Why something was not seen: as it stands with the request, or that there was none.
fn not_seen(observed: &Observed, probe: Probe, id: &'static str, without: &'static str) -> Finding {
    let failed = observed.asked(|other| other == probe).find_map(|exchange| exchange.answer.as_ref().err());
    unseen(id, failed.map_or(without, String::as_str))
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::tests::Case> {
    use super::super::observed::made::{answered, site};
    use super::tests::Case;
    let to = |probe, status, location: &str| answered(probe, status, &[("location", location)], "");
    let compared = |foreign: (u16, &str), own: (u16, &str)| {
        let theirs = to(Probe::CrossSite(Act::SignIn), foreign.0, foreign.1);
        site([theirs, to(Probe::WrongSignIn(Who::Unknown), own.0, own.1)])
    };
    let one = |probe, status, headers: &[(&'static str, &str)]| site([answered(probe, status, headers, "")]);
    let clearing = [("set-cookie", "session=; Max-Age=0")];
    let sign_out = Act::SignOut;
    vec![
        Case { what: "refused", observed: compared((403, ""), (401, "")), expected: &[] },
        Case {
            what: "sent elsewhere",
            observed: compared((302, "/login?csrf=1"), (302, "/login?error=1")),
            expected: &[],
        },
        Case { what: "examined", observed: compared((401, ""), (401, "")), expected: &["CSRF-4"] },
        Case {
            what: "examined, by redirect",
            observed: compared((302, "/login"), (302, "/login")),
            expected: &["CSRF-4"],
        },
        Case { what: "nothing to see", observed: one(Probe::CrossSite(sign_out), 204, &[]), expected: &[] },
        Case { what: "cleared", observed: one(Probe::CrossSite(sign_out), 204, &clearing), expected: &["FM-2"] },
        Case {
            what: "with a session, refused",
            observed: one(Probe::CrossSiteSession(sign_out), 403, &[]),
            expected: &[],
        },
        Case {
            what: "with a session",
            observed: one(Probe::CrossSiteSession(sign_out), 302, &[]),
            expected: &["FM-2"],
        },
        Case { what: "refreshed", observed: one(Probe::CrossSiteSession(Act::Refresh), 200, &[]), expected: &["FM-2"] },
    ]
}
