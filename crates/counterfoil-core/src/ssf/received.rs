//! Security Event Tokens that others send: believed only if everything holds (RFC 8417, RFC 8935, SSF-4.1a to c).

use super::event::EventType;
use super::subject::Subject;
use crate::foreign::{Compact, IssuerKeys};
use counterfoil_guard::{LEEWAY_SECONDS, Timestamp, parse_object, whole_seconds};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use std::time::Duration;

/// No SET longer than this is looked at.
pub const MAX_SET_BYTES: usize = 16 * 1024;

/// The longest `jti` that is taken.
const LONGEST_NAME: usize = 256;

/// How old a SET may be. For so long it is remembered, so that it counts once.
pub const OLDEST: Duration = Duration::from_hours(168);

/// Why a SET is not believed, as its sender is told (RFC 8935 section 2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is not a SET, or not one that counts.
    #[error("{0}")]
    Request(&'static str),
    /// No key of the issuer verifies it.
    #[error("no key of the issuer's set verifies it")]
    Key,
    /// It is somebody else's.
    #[error("iss is not the issuer that events are taken from here")]
    Issuer,
    /// It is for somebody else.
    #[error("aud does not name this receiver")]
    Audience,
}

impl Refused {
    /// The code in the answer.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Request(_) => "invalid_request",
            Self::Key => "invalid_key",
            Self::Issuer => "invalid_issuer",
            Self::Audience => "invalid_audience",
        }
    }
}

/// A SET that is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Names it, at its issuer.
    pub jti: String,
    /// When it was made.
    pub at: Timestamp,
    /// What happened; nothing for a type that is not known here.
    pub kind: Option<EventType>,
    /// Whom it is about.
    pub subject: Subject,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    jti: String,
    iat: f64,
    events: Map<String, Value>,
    sub_id: Option<Value>,
    sub: Option<IgnoredAny>,
    exp: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// Takes a SET apart; nothing of it is believed yet.
pub fn read(set: &str) -> Result<Compact<'_>, Refused> {
    if set.len() > MAX_SET_BYTES {
        return Err(Refused::Request("the SET is too large; allowed are 16384 bytes"));
    }
    Compact::read(set, MAX_SET_BYTES).ok_or(Refused::Request("the body is not a signed SET in compact form"))
}

/// Believes a SET or refuses it.
pub fn verify(
    set: &Compact<'_>,
    keys: &IssuerKeys,
    (issuer, audience): (&str, &str),
    now: Timestamp,
) -> Result<Received, Refused> {
    if set.typ() != super::set::TYPE {
        return Err(Refused::Request("typ must be secevent+jwt"));
    }
    if !set.is_plain() {
        return Err(Refused::Request("the header has a member that is not taken here"));
    }
    let claims = parse_object(set.verified_by(keys).ok_or(Refused::Key)?)
        .ok_or(Refused::Request("the SET lacks a claim: iss, aud, jti, iat and events are needed"))?;
    judge(claims, (issuer, audience), now)
}

fn judge(claims: Claims, (issuer, audience): (&str, &str), now: Timestamp) -> Result<Received, Refused> {
    if claims.iss != issuer {
        return Err(Refused::Issuer);
    }
    let named = match &claims.aud {
        Audience::One(one) => one == audience,
        Audience::Several(several) => several.iter().any(|one| one == audience),
    };
    if !named {
        return Err(Refused::Audience);
    }
    if claims.sub.is_some() || claims.exp.is_some() {
        return Err(Refused::Request("a SET has no sub and no exp: whom it is about stands in sub_id"));
    }
    if claims.jti.is_empty() || claims.jti.len() > LONGEST_NAME {
        return Err(Refused::Request("jti must have 1 to 256 bytes"));
    }
    let at = whole_seconds(claims.iat).ok_or(Refused::Request("iat is not a time"))?;
    let oldest = now.minus(OLDEST).as_seconds();
    if at > now.as_seconds() + LEEWAY_SECONDS || at < oldest {
        return Err(Refused::Request("iat is in the future, or more than 7 days ago"));
    }
    let mut events = claims.events.iter();
    let (Some((uri, event)), None) = (events.next(), events.next()) else {
        return Err(Refused::Request("events must have exactly one member"));
    };
    if !event.is_object() {
        return Err(Refused::Request("an event must be an object"));
    }
    // Before SSF 1.0 the subject stood in the event.
    let sub_id = claims.sub_id.as_ref().or_else(|| event.get("subject"));
    let subject =
        sub_id.and_then(Subject::read).ok_or(Refused::Request("sub_id is missing, or not a subject identifier"))?;
    Ok(Received { jti: claims.jti, at: Timestamp::from_seconds(at), kind: EventType::from_uri(uri), subject })
}
