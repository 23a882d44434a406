//! The server's clock against this machine's, by the `Date` of an answer.

use super::super::http_date;
use super::super::observed::Observed;
use super::super::{Finding, fine, note, unseen, wrong};
use http::header::DATE;
use std::time::Duration;

/// Beyond this, what is fresh to one is not to the other here and there.
const NOTED: i64 = 2;
/// Leeways end here: tokens are refused, or count for too long.
const TOO_FAR: i64 = 30;

pub(super) fn check(observed: &Observed) -> Vec<Finding> {
    // Of several, the one with the shortest way tells most. `Date` has whole seconds: on average it is half a second old.
    let mut dated = Vec::new();
    for (_, answer) in observed.answers(|_| true) {
        if let Some(date) = answer.header(DATE).and_then(http_date::parse) {
            let sent = answer.received.minus(answer.took / 2);
            dated.push((answer.took, date.plus(Duration::from_millis(500)).as_millis() - sent.as_millis()));
        }
    }
    let Some((_, off)) = dated.into_iter().min() else {
        return vec![unseen("JWT-4.1.4", "no answer says its Date")];
    };
    // Rounded towards zero: half a second either way is no news.
    let seconds = off / 1000;
    let seen = match seconds {
        0 => "the server's clock and this machine's agree".to_owned(),
        1.. => format!("the server's clock is {seconds} s ahead of this machine's; either may be wrong"),
        _ => format!("the server's clock is {} s behind this machine's; either may be wrong", -seconds),
    };
    let why = "Tokens are refused as not yet good or as expired, and what has been taken back is forgotten too early.";
    let fix = "Let both machines follow time servers: `timedatectl` says whether they do.";
    vec![match seconds.abs() {
        far if far > TOO_FAR => wrong("JWT-4.1.4", seen, why, fix),
        far if far > NOTED => note("JWT-4.1.4", seen, why, fix),
        _ => fine("JWT-4.1.4", seen),
    }]
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::tests::Case> {
    use super::super::observed::Probe;
    use super::super::observed::made::{answered, site};
    use super::tests::Case;
    use counterfoil_core::Timestamp;
    let off = |seconds: i64| {
        let mut exchange = answered(Probe::NoSuchPage, 404, &[("date", "Sun, 06 Nov 1994 08:49:37 GMT")], "");
        if let Ok(answer) = &mut exchange.answer {
            answer.received = Timestamp::from_seconds(784_111_777 - seconds);
        }
        site([exchange])
    };
    vec![
        Case { what: "right", observed: off(0), expected: &[] },
        Case { what: "nearly right", observed: off(-2), expected: &[] },
        Case { what: "seconds", observed: off(8), expected: &["JWT-4.1.4"] },
        Case { what: "minutes", observed: off(-120), expected: &["JWT-4.1.4"] },
        Case { what: "no date", observed: site([answered(Probe::NoSuchPage, 404, &[], "")]), expected: &[] },
    ]
}
