//! Whether answers, or how long they take, tell who has an account. What two made-up addresses differ in is no news.

use super::super::observed::{Answer, Observed, Probe, Who};
use super::super::{Finding, fine, note, unseen, wrong};
use std::time::Duration;

/// Differences below this are the network's.
const LEAST: Duration = Duration::from_millis(25);

const WHY: &str = "Whoever has a list of addresses learns which of them have an account here.";
const FIX: &str =
    "Give one answer to all, and do the same work: compute the password's hash whether there is an account or not.";

pub(super) fn check(observed: &Observed) -> Vec<Finding> {
    vec![sign_in(observed), forgotten(observed)]
}

fn of(observed: &Observed, wanted: Probe) -> Vec<&Answer> {
    // The one that was too many says nothing about the address.
    observed
        .answers(move |probe| probe == wanted)
        .map(|(_, answer)| answer)
        .filter(|answer| answer.status != 429)
        .collect()
}

/// What an answer says, without what differs each time.
fn said(answer: &Answer) -> String {
    let location = answer.header(http::header::LOCATION).unwrap_or_default();
    let cookies = answer.headers.get_all(http::header::SET_COOKIE).iter().count();
    // Pages hold tokens that change; their length does not, beyond what an address is longer than another.
    let body = if answer.is_page() { format!("{} kB", answer.body.len() / 1024) } else { answer.body.clone() };
    format!("{} {location} {cookies} {body}", answer.status)
}

fn differ(one: &[&Answer], other: &[&Answer]) -> bool {
    one.first().map(|answer| said(answer)) != other.first().map(|answer| said(answer))
}

fn sign_in(observed: &Observed) -> Finding {
    let [unknown, another, known] =
        [Who::Unknown, Who::AnotherUnknown, Who::Known].map(|who| of(observed, Probe::WrongSignIn(who)));
    if unknown.is_empty() {
        let failed = observed
            .asked(|probe| matches!(probe, Probe::WrongSignIn(_)))
            .find_map(|exchange| exchange.answer.as_ref().err());
        return unseen(
            "ATK-39",
            failed.map_or("no sign-in to send to was found; name it with --login-api PATH", String::as_str),
        );
    }
    if known.is_empty() {
        return unseen(
            "ATK-39",
            "with --email ADDRESS an account's answers are compared with those to made-up addresses",
        );
    }
    if differ(&unknown, &another) {
        return unseen("ATK-39", "answers to two made-up addresses differ, so an account's cannot be compared");
    }
    if differ(&unknown, &known) {
        let seen = format!(
            "a wrong password is answered with {} for an account, and with {} without one, and not in the same words",
            known[0].status, unknown[0].status
        );
        return wrong("ATK-39", seen, WHY, FIX);
    }
    times(&[unknown, another].concat(), &known)
}

fn times(without: &[&Answer], with: &[&Answer]) -> Finding {
    let sorted = |answers: &[&Answer]| {
        let mut times: Vec<Duration> = answers.iter().map(|answer| answer.took).collect();
        times.sort();
        times
    };
    let (without, with) = (sorted(without), sorted(with));
    let (middle, other) = (without[without.len() / 2], with[with.len() / 2]);
    let millis = |time: Duration| time.as_millis();
    let tries = with.len();
    let apart = without.last() < with.first() || with.last() < without.first();
    if tries >= 3 && apart && middle.abs_diff(other) > LEAST {
        let seen = format!(
            "a wrong password takes {} ms for an account and {} ms without one, each of {tries} times",
            millis(other),
            millis(middle)
        );
        return wrong("ATK-39", seen, WHY, FIX);
    }
    let seen = format!(
        "the same answer, in {} ms for an account and {} ms without one; {tries} tries show large differences only",
        millis(other),
        millis(middle)
    );
    fine("ATK-39", seen)
}

fn forgotten(observed: &Observed) -> Finding {
    let [unknown, another, known] =
        [Who::Unknown, Who::AnotherUnknown, Who::Known].map(|who| of(observed, Probe::Forgotten(who)));
    let (Some(first), false) = (unknown.first(), known.is_empty()) else {
        return unseen(
            "ASVS-6.3.8",
            "forgotten passwords: compared with --email ADDRESS, and --forgot PATH where it is not a Counterfoil",
        );
    };
    if differ(&unknown, &another) {
        return unseen("ASVS-6.3.8", "forgotten passwords: answers to two made-up addresses differ");
    }
    if differ(&unknown, &known) {
        return wrong("ASVS-6.3.8", "a forgotten password is answered differently for an account", WHY, FIX);
    }
    if first.status >= 400 {
        return unseen("ASVS-6.3.8", format!("forgotten passwords: everybody is answered with {}", first.status));
    }
    let (slow, fast) = (first.took.max(known[0].took), first.took.min(known[0].took));
    if slow > fast * 4 && slow.saturating_sub(fast) > LEAST * 4 {
        let seen = format!(
            "a forgotten password takes {} ms for an account and {} ms without one, once each",
            known[0].took.as_millis(),
            first.took.as_millis()
        );
        return note("ASVS-6.3.8", seen, WHY, "Answer first, and send the mail afterwards.");
    }
    fine("ASVS-6.3.8", "a forgotten password is answered alike")
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::tests::Case> {
    use super::super::observed::Exchange;
    use super::super::observed::made::{answered, site};
    use super::tests::Case;
    let taking = |probe, body: &str, millis: u64| {
        let status = if matches!(probe, Probe::Forgotten(_)) { 200 } else { 401 };
        let mut exchange = answered(probe, status, &[], body);
        if let Ok(answer) = &mut exchange.answer {
            answer.took = Duration::from_millis(millis);
        }
        exchange
    };
    let asked = |probe: fn(Who) -> Probe, told: [(&str, u64); 3]| {
        let all = [Who::Unknown, Who::AnotherUnknown, Who::Known].into_iter().zip(told);
        let each = all.map(|(who, (body, millis))| {
            (0..5).map(|more| taking(probe(who), body, millis + more)).collect::<Vec<Exchange>>()
        });
        site(each.collect::<Vec<_>>().into_iter().flatten())
    };
    let (sign_in, forgotten) = (Probe::WrongSignIn, Probe::Forgotten);
    vec![
        Case { what: "alike", observed: asked(sign_in, [("no", 100), ("no", 101), ("no", 102)]), expected: &[] },
        Case {
            what: "in other words",
            observed: asked(sign_in, [("no", 100), ("no", 101), ("wrong", 102)]),
            expected: &["ATK-39"],
        },
        Case {
            what: "other words each time",
            observed: asked(sign_in, [("1", 100), ("2", 101), ("3", 102)]),
            expected: &[],
        },
        Case { what: "slower", observed: asked(sign_in, [("no", 2), ("no", 3), ("no", 102)]), expected: &["ATK-39"] },
        Case {
            what: "forgotten alike",
            observed: asked(forgotten, [("ok", 10), ("ok", 10), ("ok", 10)]),
            expected: &[],
        },
        Case {
            what: "forgotten",
            observed: asked(forgotten, [("no", 1), ("no", 1), ("sent", 1)]),
            expected: &["ASVS-6.3.8"],
        },
        Case {
            what: "sent at once",
            observed: asked(forgotten, [("ok", 10), ("ok", 10), ("ok", 900)]),
            expected: &["ASVS-6.3.8"],
        },
    ]
}
