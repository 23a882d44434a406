//! That no link signs out, and that a sign-out takes back what was handed out.

use super::super::observed::{Observed, Probe};
use super::super::set_cookie;
use super::super::{Finding, fine, unseen, wrong};

pub(super) fn check(observed: &Observed) -> Vec<Finding> {
    let mut findings = vec![by_get(observed)];
    findings.extend(taken_back(observed));
    findings
}

fn by_get(observed: &Observed) -> Finding {
    let with_session = observed.answer(Probe::GetSignOutSession);
    let Some((exchange, answer)) = with_session.or_else(|| observed.answer(Probe::GetSignOut)) else {
        return unseen("CSRF-1", "no address for signing out was found; name it with --sign-out PATH");
    };
    let seen = format!("{} is answered with {}", exchange.asked, answer.status);
    let clears = set_cookie::all(&answer.headers, answer.received).iter().any(set_cookie::SetCookie::is_deletion);
    let over = with_session.is_some() && observed.answer(Probe::MeAfterGet).is_some_and(|(_, me)| !me.is_success());
    // Else it was the request before this one.
    let by_this = observed
        .answer(Probe::CrossSiteSession(super::super::observed::Act::SignOut))
        .is_none_or(|(_, other)| other.status >= 400);
    if answer.status < 400 && (clears || over && by_this) {
        let why = "An image in a mail or on a page signs out whoever looks at it; browsers fetch links ahead.";
        return wrong(
            "CSRF-1",
            format!("{seen}, and ends the session"),
            why,
            "Sign out by POST alone, and check where it comes from.",
        );
    }
    if answer.status >= 400 || with_session.is_some() {
        return fine("CSRF-1", seen);
    }
    unseen("CSRF-1", format!("{seen}; without a session that says nothing"))
}

fn taken_back(observed: &Observed) -> Vec<Finding> {
    let Some((_, sign_out)) = observed.answer(Probe::SignOut) else {
        return vec![unseen("ASVS-7.4.1", no_session(observed))];
    };
    if sign_out.status >= 400 {
        let seen = format!("the sign-out itself was answered with {}; end the session yourself", sign_out.status);
        return vec![unseen("ASVS-7.4.1", seen)];
    }
    let why = "Who has a copy goes on as the user, and there is nothing that the user can do about it.";
    let fix = "End the session at the server, and ask it, or a list of what has been taken back, at each request.";
    let mut findings = Vec::new();
    for (probe, what) in
        [(Probe::MeAfter, "what was handed out at the sign-in"), (Probe::RefreshAfter, "the refresh token")]
    {
        let Some((_, answer)) = observed.answer(probe) else { continue };
        findings.push(match answer.status {
            200..=299 => {
                wrong("ASVS-7.4.1", format!("{what} still counts after the sign-out ({})", answer.status), why, fix)
            }
            404 | 405 => unseen("ASVS-7.4.1", format!("{what}: {}: it is not there", answer.status)),
            status => fine("ASVS-7.4.1", format!("{what} is refused after the sign-out ({status})")),
        });
    }
    findings
}

/// Why there was none.
fn no_session(observed: &Observed) -> String {
    match (
        observed.asked(|probe| probe == Probe::SignIn).next().map(|exchange| &exchange.answer),
        observed.answer(Probe::Me),
    ) {
        (None, _) => "what a sign-out takes back shows with --email and --password-stdin".into(),
        (Some(Err(reason)), _) => reason.clone(),
        (Some(Ok(answer)), None) => {
            format!("the sign-in was answered with {}, and nothing could be asked with it", answer.status)
        }
        (Some(Ok(answer)), Some((_, me))) => format!(
            "after the sign-in ({}) one was not known to be signed in ({}): a wrong password, a second factor, or another --who PATH",
            answer.status, me.status
        ),
    }
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::tests::Case> {
    use super::super::observed::made::{answered, site};
    use super::tests::Case;
    let clearing = [("set-cookie", "session=; Max-Age=0")];
    let by_get = |status, headers: &[(&'static str, &str)]| site([answered(Probe::GetSignOut, status, headers, "")]);
    let story = |get: u16, after_get: u16, after: u16, refresh: u16| {
        site([
            answered(Probe::GetSignOutSession, get, &[], ""),
            answered(Probe::MeAfterGet, after_get, &[], ""),
            answered(Probe::SignOut, 204, &[], ""),
            answered(Probe::MeAfter, after, &[], ""),
            answered(Probe::RefreshAfter, refresh, &[], ""),
        ])
    };
    vec![
        Case { what: "refused", observed: by_get(405, &[]), expected: &[] },
        Case { what: "a page that asks", observed: by_get(200, &[]), expected: &[] },
        Case { what: "cleared", observed: by_get(302, &clearing), expected: &["CSRF-1"] },
        Case { what: "all well", observed: story(405, 200, 401, 401), expected: &[] },
        Case { what: "ended by a link", observed: story(302, 401, 401, 401), expected: &["CSRF-1"] },
        Case { what: "still good", observed: story(405, 200, 200, 401), expected: &["ASVS-7.4.1"] },
        Case { what: "still refreshed", observed: story(405, 200, 401, 200), expected: &["ASVS-7.4.1"] },
    ]
}
