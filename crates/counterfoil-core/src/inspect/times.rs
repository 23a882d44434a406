//! Times (ATK-22, PAS-5): their form, and what they say about each other and about now.

use super::header::Purpose;
use super::json::{Json, Member, last};
use super::meanings::TIMES;
use super::notes::Notes;
use super::{number, show, when};
use counterfoil_guard::{LEEWAY_SECONDS, MAX_LIFETIME_SECONDS, Timestamp};

/// The year 5138 in seconds; in milliseconds it is 1973. A larger number of "seconds" is another unit.
const BEYOND_SECONDS: i64 = 100_000_000_000;
/// A `DPoP` proof older than this is taken by no server (DPOP-4.3d).
const OLD_PROOF: i64 = 300;

/// How a format writes times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimeForm {
    /// JWT: a JSON number of seconds (RFC 7519 section 2).
    Seconds,
    /// PASETO: a string as in RFC 3339.
    Rfc3339,
}

pub(super) fn check(members: &[Member], purpose: Purpose, form: TimeForm, now: Timestamp, notes: &mut Notes) {
    for Member { name, value, .. } in members.iter().filter(|m| TIMES.contains(&m.name.as_str())) {
        match form {
            TimeForm::Seconds => seconds_form(name, value, notes),
            TimeForm::Rfc3339 => rfc3339_form(name, value, notes),
        }
    }
    let read = |name| last(members, name).and_then(|value| read(value, form));
    let times = Times { iat: read("iat"), nbf: read("nbf"), exp: read("exp"), auth_time: read("auth_time") };
    let access = matches!(purpose, Purpose::AccessToken | Purpose::Unclear);
    if access {
        if last(members, "exp").is_none() {
            notes.error("ATK-22", "no `exp`: the token would live for ever", "refuse; every access token expires");
        }
        times.lifetime(notes);
    }
    times.against_each_other(notes);
    times.against_now(now.as_seconds(), purpose, notes);
}

/// A time in seconds, if it is one; not one in another unit.
fn read(value: &Json, form: TimeForm) -> Option<i64> {
    let seconds = match (value, form) {
        (Json::Number(word), TimeForm::Seconds) => number::whole(word)?,
        (Json::Text(text), TimeForm::Rfc3339) => when::parse(text)?,
        _ => return None,
    };
    (-BEYOND_SECONDS..BEYOND_SECONDS).contains(&seconds).then_some(seconds)
}

fn seconds_form(name: &str, value: &Json, notes: &mut Notes) {
    const FIX: &str = "write whole seconds since 1970 as a JSON number; check with arithmetic that cannot overflow";
    let Json::Number(word) = value else {
        let as_date = value.as_text().and_then(when::parse).is_some();
        let hint = if as_date { " (RFC 3339, as in PASETO)" } else { "" };
        let message = format!("`{name}` is {}{hint}, not a number", value.type_name());
        return notes.error("ATK-22", message, FIX);
    };
    match number::whole(word) {
        None => notes.error("ATK-22", format!("`{name}` {} is no usable number", show::json(value)), FIX),
        Some(seconds) if seconds < 0 => notes.error("ATK-22", format!("`{name}` is negative"), FIX),
        Some(seconds) if seconds >= BEYOND_SECONDS => {
            let (unit, real) = if seconds < 1000 * BEYOND_SECONDS {
                ("milliseconds", seconds / 1000)
            } else if seconds < 1_000_000 * BEYOND_SECONDS {
                ("microseconds", seconds / 1_000_000)
            } else {
                ("nanoseconds", seconds / 1_000_000_000)
            };
            let date = when::rfc3339(real).unwrap_or_default();
            notes.error("ATK-22", format!("`{name}` seems to be {unit} ({date}); as seconds it is absurd"), FIX);
        }
        Some(_) if word.contains(['.', 'e', 'E']) => {
            notes.note("ATK-22", format!("`{name}` is not a plain whole number"), FIX);
        }
        Some(_) => {}
    }
}

fn rfc3339_form(name: &str, value: &Json, notes: &mut Notes) {
    const FIX: &str = "PASETO writes times as RFC 3339 strings, such as 2026-11-21T08:00:00Z";
    match value {
        Json::Text(text) if when::parse(text).is_none() => {
            notes.error("PAS-5", format!("`{name}` {} is no RFC 3339 time", show::text(text)), FIX);
        }
        Json::Text(text) if text.contains(['t', 'z', ' ']) => {
            notes.error("PAS-5", format!("`{name}` writes `T` or `Z` in another way"), FIX);
        }
        Json::Text(_) => {}
        Json::Number(_) => notes.error("ATK-38", format!("`{name}` is a number, as in a JWT"), FIX),
        other => notes.error("PAS-5", format!("`{name}` is {}", other.type_name()), FIX),
    }
}

struct Times {
    iat: Option<i64>,
    nbf: Option<i64>,
    exp: Option<i64>,
    auth_time: Option<i64>,
}

impl Times {
    fn lifetime(&self, notes: &mut Notes) {
        let Some((iat, exp)) = self.iat.zip(self.exp) else { return };
        let life = exp - iat;
        let span = when::span(life);
        if life > 3600 {
            let message = format!("lives {span}: a password in disguise, useful to a thief all that time");
            notes.error("ATK-22", message, "issue for 5 minutes and refresh; the refresh token carries the long life");
        } else if life > MAX_LIFETIME_SECONDS {
            let message = format!("lives {span}; a guard accepts at most {}", when::span(MAX_LIFETIME_SECONDS));
            notes.error("ATK-22", message, "issue for 5 minutes and refresh");
        }
    }

    fn against_each_other(&self, notes: &mut Notes) {
        let pair =
            |a: Option<i64>, b: Option<i64>, wrong: fn(i64, i64) -> bool| a.zip(b).is_some_and(|(a, b)| wrong(a, b));
        if pair(self.exp, self.iat, |exp, iat| exp <= iat) {
            notes.error("ATK-22", "`exp` is not after `iat`: never valid", "refuse");
        }
        if pair(self.nbf, self.exp, |nbf, exp| nbf >= exp) {
            notes.error("ATK-22", "`nbf` is not before `exp`: never valid", "refuse");
        }
        if pair(self.auth_time, self.iat, |auth_time, iat| auth_time > iat + LEEWAY_SECONDS) {
            let message = "`auth_time` is after `iat`: signed in after the token was made";
            notes.warning("AT-2.2.1", message, "`auth_time` describes the sign-in and stays through refreshes");
        }
    }

    fn against_now(&self, now: i64, purpose: Purpose, notes: &mut Notes) {
        if let Some(exp) = self.exp.filter(|exp| now >= *exp) {
            notes.error("ATK-22", format!("expired {}", when::relative(exp, now)), "refresh and use the new token");
        }
        for (name, time) in [("nbf", self.nbf), ("iat", self.iat)] {
            if let Some(time) = time.filter(|time| *time > now.saturating_add(LEEWAY_SECONDS)) {
                let message = format!("`{name}` lies in the future ({}): not valid yet", when::relative(time, now));
                notes.error("ATK-22", message, "refuse; compare the clocks of issuer and verifier");
            }
        }
        if purpose == Purpose::Proof
            && let Some(iat) = self.iat.filter(|iat| now.saturating_sub(*iat) > OLD_PROOF)
        {
            let message = format!("the proof was made {}: too old to be accepted", when::relative(iat, now));
            notes.warning("DPOP-4.3d", message, "make a proof for every request");
        }
    }
}
