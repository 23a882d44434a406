//! Security Event Tokens (RFC 8417) as this server makes them: one event each, no `sub`, no `exp` (SSF-4.1a).

use super::event::EventType;
use super::signal::Signal;
use super::stream::{Note, StreamId, What};
use crate::keys::signing::SigningKey;
use counterfoil_guard::{LogId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// What stands in `typ`, and follows `application/` in the media type (SET-2.3).
pub const TYPE: &str = "secevent+jwt";

/// From whom a SET is, and for whom.
#[derive(Clone, Copy, Debug)]
pub struct Parties<'a> {
    /// The transmitter.
    pub issuer: &'a str,
    /// The receiver.
    pub audience: &'a str,
}

/// A SET before it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set {
    /// Names it: the same at every attempt, of no other, in no other installation.
    pub jti: String,
    /// When what it says has happened.
    pub at: Timestamp,
    /// Names what has caused it, and all SETs of that.
    pub txn: Option<String>,
    /// Whom it is about.
    pub sub_id: Value,
    /// What happened.
    pub kind: EventType,
    /// Its members.
    pub claims: Map<String, Value>,
}

#[derive(Serialize)]
struct Payload<'a> {
    iss: &'a str,
    jti: &'a str,
    iat: i64,
    aud: &'a str,
    toe: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    txn: Option<&'a str>,
    sub_id: &'a Value,
    events: Map<String, Value>,
}

impl Set {
    /// The SET for a signal of the entry with this number. The log is another after every restore, after which numbers come again.
    pub fn of(issuer: &str, (log, seq): (LogId, i64), signal: &Signal) -> Self {
        let user = user(issuer, signal.user);
        let sub_id = match signal.sid {
            None => user,
            Some(sid) => json!({ "format": "complex", "session": { "format": "opaque", "id": sid }, "user": user }),
        };
        Self {
            jti: name(log, seq, &signal.tag),
            at: signal.at,
            txn: Some(format!("{log}.{seq}")),
            sub_id,
            kind: signal.kind,
            claims: signal.claims.clone(),
        }
    }

    /// The SET for a note of a stream, whose subject is the stream itself (SSF-VER).
    pub fn of_note(stream: StreamId, note: &Note) -> Self {
        let (kind, claims) = match &note.what {
            What::Verification(None) => (EventType::Verification, json!({})),
            What::Verification(Some(state)) => (EventType::Verification, json!({ "state": state })),
            What::Updated(status, None) => (EventType::StreamUpdated, json!({ "status": status })),
            What::Updated(status, Some(reason)) => {
                (EventType::StreamUpdated, json!({ "status": status, "reason": reason }))
            }
        };
        let Value::Object(claims) = claims else { unreachable!("an object was written") };
        Self {
            jti: note.jti.clone(),
            at: Timestamp::from_millis(note.at),
            txn: None,
            sub_id: json!({ "format": "opaque", "id": stream.to_string() }),
            kind,
            claims,
        }
    }

    /// The token, as of this time.
    pub fn sign(&self, key: &SigningKey, parties: Parties<'_>, now: Timestamp) -> String {
        let payload = Payload {
            iss: parties.issuer,
            jti: &self.jti,
            iat: now.as_seconds(),
            aud: parties.audience,
            toe: self.at.as_seconds(),
            txn: self.txn.as_deref(),
            sub_id: &self.sub_id,
            events: Map::from_iter([(self.kind.uri(), Value::Object(self.claims.clone()))]),
        };
        key.sign_as(TYPE, &serde_json::to_vec(&payload).expect("strings, numbers and objects always serialise"))
    }
}

/// What a receiver says is wrong with a SET (RFC 8935 section 2.3, RFC 8936 section 2.6).
#[derive(Debug, Deserialize)]
pub struct SetError {
    /// The code.
    pub err: String,
    /// For people.
    #[serde(default)]
    pub description: String,
}

impl SetError {
    /// In one short line for the log: what somebody else says is not to look like a line of ours.
    pub fn in_words(&self) -> String {
        format!("{}: {}", self.err, self.description).chars().filter(|c| !c.is_control()).take(200).collect()
    }
}

/// The `jti` of a signal.
pub fn name(log: LogId, seq: i64, tag: &str) -> String {
    format!("{log}.{seq}.{tag}")
}

/// A user as receivers know them (RFC 9493 section 3.2.3): by what stands in tokens.
fn user(issuer: &str, user: UserId) -> Value {
    json!({ "format": "iss_sub", "iss": issuer, "sub": user })
}
