//! Tokens of the system that was there before: JWTs of another issuer, believed for a limited time so that the move signs nobody out.
//!
//! Such a token may live for days and has often been kept where any script could read it. So it counts once, it opens a session of the
//! lowest level, and what has ended a user's sessions here since it was made has ended it as well; whoever calls this sees to that.

use crate::foreign::{Compact, IssuerKeys};
use counterfoil_guard::{LEEWAY_SECONDS, Timestamp, parse_object, whole_seconds};
use serde_json::{Map, Value};
use std::time::Duration;

/// No legacy token longer than this is looked at.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// The most that `max_age` may be.
pub const LONGEST_AGE: Duration = Duration::from_hours(366 * 24);

/// The longest name that an account may have had elsewhere, in bytes.
pub const LONGEST_SUBJECT: usize = 256;

/// What a legacy issuer's tokens must say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegacyRules {
    /// This server's own `iss`: whoever says that is no legacy.
    pub own_issuer: String,
    /// Their `iss`, if it is asked for.
    pub issuer: Option<String>,
    /// What their `aud` must name, if it is asked for.
    pub audience: Option<String>,
    /// Where they name the account: a claim, or one within another.
    pub subject: ClaimPath,
    /// How old they may be, whatever their `exp` says.
    pub max_age: Duration,
}

/// The way to a claim: `sub`, or `user.id` for one within another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath(Vec<String>);

impl ClaimPath {
    /// Reads one: 1 to 4 names, separated by dots. `None`: it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let names: Vec<String> = text.split('.').map(ToOwned::to_owned).collect();
        let fits = (1..=4).contains(&names.len()) && text.len() <= LONGEST_SUBJECT;
        (fits && names.iter().all(|name| !name.is_empty())).then_some(Self(names))
    }

    /// What its last name stands in.
    fn parent<'a>(&self, claims: &'a Map<String, Value>) -> Option<&'a Map<String, Value>> {
        let (_, before) = self.0.split_last()?;
        before.iter().try_fold(claims, |at, name| at.get(name)?.as_object())
    }

    /// The text or whole number at its end.
    fn follow(&self, claims: &Map<String, Value>) -> Option<String> {
        let subject = match self.parent(claims)?.get(self.0.last()?)? {
            Value::String(text) => text.clone(),
            Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string(),
            _ => return None,
        };
        let fits = (1..=LONGEST_SUBJECT).contains(&subject.len()) && !subject.contains(char::is_control);
        fits.then_some(subject)
    }
}

/// A legacy token that is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Believed {
    /// The account, as the other system named it.
    pub subject: String,
    /// When the token was made.
    pub issued_at: Timestamp,
    /// From when on it would not be believed any more, whatever `max_age` may be until then: so long one has to know that it was exchanged.
    pub ends_at: Timestamp,
}

/// Why a legacy token is not believed: for the log, not for whoever brings it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not a JWT.
    #[error("it is not a signed JWT in compact form of at most {MAX_TOKEN_BYTES} bytes")]
    Shape,
    /// It is another kind of token.
    #[error("typ is neither absent nor JWT or at+jwt")]
    Kind,
    /// Its header has what is not taken.
    #[error("the header has a member that is not taken: crit, b64, zip, jwk, jku, or a kid of more than 256 bytes")]
    Header,
    /// No key verifies it.
    #[error("no key of the issuer verifies it by that key's own algorithm")]
    Key,
    /// It is somebody else's.
    #[error("iss is not what `issuer` says, or is this server's own")]
    Issuer,
    /// It is for somebody else.
    #[error("aud does not name what `audience` says")]
    Audience,
    /// It is over.
    #[error("exp has passed")]
    Expired,
    /// It is not good yet.
    #[error("nbf or iat lies in the future")]
    Future,
    /// Its times are none.
    #[error("iat is missing, or a time is not a number of seconds")]
    Times,
    /// Older than it may be.
    #[error("iat is longer ago than `max_age` allows")]
    Old,
    /// It names no account.
    #[error(
        "the claim that `subject` names is missing, or neither text of 1 to {LONGEST_SUBJECT} bytes without control characters nor a whole number"
    )]
    Subject,
    /// The other system says that the address was not confirmed.
    #[error("email_verified, at the top or beside the subject, is there and not true")]
    Unconfirmed,
}

/// Believes a token or refuses it.
pub fn verify(
    token: &Compact<'_>,
    keys: &IssuerKeys,
    rules: &LegacyRules,
    now: Timestamp,
) -> Result<Believed, Refused> {
    if !matches!(token.typ().as_str(), "" | "jwt" | "at+jwt") {
        return Err(Refused::Kind);
    }
    if !token.is_plain() {
        return Err(Refused::Header);
    }
    let claims: Map<String, Value> =
        parse_object(token.verified_by(keys).ok_or(Refused::Key)?).ok_or(Refused::Shape)?;
    // A security event or a logout token, whatever its header says (ATK-23).
    if claims.contains_key("events") {
        return Err(Refused::Kind);
    }
    let issuer = claims.get("iss").and_then(Value::as_str);
    if issuer == Some(&*rules.own_issuer) || rules.issuer.is_some() && rules.issuer.as_deref() != issuer {
        return Err(Refused::Issuer);
    }
    if rules.audience.as_deref().is_some_and(|audience| !names(claims.get("aud"), audience)) {
        return Err(Refused::Audience);
    }
    let (issued_at, ends_at) = times(&claims, rules.max_age, now)?;
    // Some issuers write it as text, and some put it where the address is.
    let unconfirmed = |at: &Map<String, Value>| {
        at.get("email_verified").is_some_and(|said| *said != Value::Bool(true) && said.as_str() != Some("true"))
    };
    if unconfirmed(&claims) || rules.subject.parent(&claims).is_some_and(unconfirmed) {
        return Err(Refused::Unconfirmed);
    }
    let subject = rules.subject.follow(&claims).ok_or(Refused::Subject)?;
    Ok(Believed { subject, issued_at, ends_at })
}

fn names(aud: Option<&Value>, audience: &str) -> bool {
    match aud {
        Some(Value::String(one)) => one == audience,
        Some(Value::Array(several)) => several.iter().any(|one| one.as_str() == Some(audience)),
        _ => false,
    }
}

/// When it was made, and from when on it counts no more, however long `max_age` will be.
fn times(claims: &Map<String, Value>, max_age: Duration, now: Timestamp) -> Result<(Timestamp, Timestamp), Refused> {
    let time = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_f64().and_then(whole_seconds).map(Some).ok_or(Refused::Times),
    };
    let issued_at = time("iat")?.ok_or(Refused::Times)?;
    let (seconds, latest) = (now.as_seconds(), now.as_seconds() + LEEWAY_SECONDS);
    if issued_at > latest || time("nbf")?.is_some_and(|from| from > latest) {
        return Err(Refused::Future);
    }
    let expires_at = time("exp")?;
    if expires_at.is_some_and(|at| seconds >= at) {
        return Err(Refused::Expired);
    }
    let issued_at = Timestamp::from_seconds(issued_at);
    if now >= issued_at.plus(max_age) {
        return Err(Refused::Old);
    }
    let oldest = issued_at.plus(LONGEST_AGE);
    Ok((issued_at, expires_at.map_or(oldest, |at| oldest.min(Timestamp::from_seconds(at)))))
}

#[cfg(test)]
mod tests;
