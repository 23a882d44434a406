//! What a webhook says of an event, and its signature: Standard Webhooks 1.0.0. Ids and words only; no address, no name of a
//! person, no network.

use crate::clock::on_the_system;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use counterfoil_core::audit::{AuditEntry, Event};
use counterfoil_core::{Secret, Sid, Timestamp, UserId};
use counterfoil_guard::LogId;
use serde::Serialize;

/// What the text of a signing secret begins with.
const PREFIX: &str = "whsec_";

/// One event, as it is sent.
#[derive(Clone, Debug)]
pub struct Message {
    /// Names the event: the same at every attempt, of no other event, in no other installation.
    pub id: String,
    /// JSON.
    pub body: Bytes,
}

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'static str,
    timestamp: String,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    seq: i64,
    actor: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<Sid>,
    #[serde(skip_serializing_if = "str::is_empty")]
    detail: &'a str,
}

impl Message {
    /// The event with this number. `log` is new after every restore, after which numbers come again for other events.
    pub fn of(log: LogId, seq: i64, entry: &AuditEntry) -> Self {
        let data = Data {
            seq,
            actor: entry.actor.kind(),
            by: entry.actor.id(),
            user: entry.user,
            session: entry.sid,
            detail: if detail_is_a_word(entry.event) { &entry.detail } else { "" },
        };
        let body = Body { r#type: entry.event.as_str(), timestamp: rfc3339(entry.at), data };
        let body = serde_json::to_vec(&body).expect("texts and numbers");
        Self { id: format!("evt_{log}_{seq}"), body: body.into() }
    }
}

/// Events whose detail is a word of ours or a name an operator chose. Others keep theirs to the audit log.
const fn detail_is_a_word(event: Event) -> bool {
    matches!(
        event,
        Event::AccountsImported
            | Event::RolesChanged
            | Event::Invited
            | Event::InviteWithdrawn
            | Event::ApiKeyAdded
            | Event::ApiKeyRemoved
            | Event::SessionEnded
            | Event::TokenRevoked
            | Event::GuardAdded
            | Event::GuardRemoved
            | Event::ClientAdded
            | Event::ClientRenewed
            | Event::ClientRemoved
            | Event::StreamAdded
            | Event::StreamChanged
            | Event::StreamRemoved
            | Event::KeyCreated
            | Event::KeyActivated
            | Event::KeyRetired
            | Event::KeyRevoked
    )
}

fn rfc3339(time: Timestamp) -> String {
    humantime::format_rfc3339_millis(on_the_system(time)).to_string()
}

/// What a webhook's messages are signed with: one secret, or two while the receiver changes over.
pub struct SigningSecrets(Vec<hmac::Key>);

impl SigningSecrets {
    /// From one or two lines of `whsec_` and base64 (the prefix may be missing). `None` if it is anything else, or a secret is
    /// shorter than 32 bytes or longer than the standard's 64.
    pub fn parse(text: &Secret<String>) -> Option<Self> {
        let key = |line: &str| {
            let line = line.trim();
            let bytes = STANDARD.decode(line.strip_prefix(PREFIX).unwrap_or(line)).ok().map(Secret::new)?;
            let long_enough = (32..=64).contains(&bytes.expose().len());
            long_enough.then(|| hmac::Key::new(hmac::HMAC_SHA256, bytes.expose()))
        };
        let keys: Vec<_> = text.expose().lines().map(key).collect::<Option<_>>()?;
        (1..=2).contains(&keys.len()).then_some(Self(keys))
    }

    /// The value of `webhook-signature` for a message sent at this second.
    pub fn sign(&self, message: &Message, seconds: i64) -> String {
        let signature = |key: &hmac::Key| {
            let mut context = hmac::Context::with_key(key);
            context.update(format!("{}.{seconds}.", message.id).as_bytes());
            context.update(&message.body);
            format!("v1,{}", STANDARD.encode(context.sign()))
        };
        self.0.iter().map(signature).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::{Message, SigningSecrets};
    use counterfoil_core::audit::{Actor, AuditEntry, Event};
    use counterfoil_core::{Secret, Sid, Timestamp, UserId};
    use counterfoil_guard::LogId;

    fn secrets(text: &str) -> Option<SigningSecrets> {
        SigningSecrets::parse(&Secret::new(text.to_owned()))
    }

    fn entry(event: Event) -> AuditEntry {
        AuditEntry {
            at: Timestamp::from_millis(1_800_000_000_123),
            event,
            actor: Actor::Admin(UserId::from_bytes([1; 16])),
            user: Some(UserId::from_bytes([2; 16])),
            sid: Some(Sid::from_bytes([3; 16])),
            network: "203.0.113.0/24".into(),
            detail: "a detail".into(),
        }
    }

    #[test]
    fn signs_as_the_standard_says() {
        // The key, message and signature that the standard's own libraries test with; their key is shorter than ours may be,
        // so it is filled up here and the expected value was made with Python's `hmac`.
        let key = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
        let message = Message { id: "msg_p5jXN8AQM9LWM0D4loKWxJek".into(), body: r#"{"test": 2432232314}"#.into() };
        let signed = secrets(key).unwrap().sign(&message, 1_614_265_330);
        assert_eq!(signed, "v1,hK4CWvngkaAwjY1pABLuUbOIkEJjW9tAapq1no4ojG0=");
        let both = format!("{key}\n{}", key.replace("MDEy", "NDEy"));
        let two = secrets(&both).unwrap().sign(&message, 1_614_265_330);
        assert!(two.starts_with(&format!("{signed} v1,")) && two.len() == 2 * signed.len() + 1, "{two}");
    }

    #[test]
    fn a_secret_has_32_to_64_bytes() {
        let bytes = |count: usize| base64::Engine::encode(&super::STANDARD, vec![7_u8; count]);
        for (text, good) in [
            (bytes(32), true),
            (format!("whsec_{}", bytes(64)), true),
            (bytes(31), false),
            (bytes(65), false),
            (format!("{}!", bytes(33)), false),
            (String::new(), false),
            (format!("{0}\n{0}\n{0}", bytes(32)), false),
        ] {
            assert_eq!(secrets(&text).is_some(), good, "{text}");
        }
    }

    #[test]
    fn t2_a_message_holds_ids_and_words_and_nothing_personal() {
        let message = Message::of(LogId::from_bytes([9; 16]), 17, &entry(Event::SignedIn));
        assert_eq!(message.id, "evt_CQkJCQkJCQkJCQkJCQkJCQ_17");
        let text = str::from_utf8(&message.body).unwrap();
        assert_eq!(
            text,
            r#"{"type":"signed_in","timestamp":"2027-01-15T08:00:00.123Z","data":{"seq":17,"actor":"admin","#
                .to_owned()
                + r#""by":"AQEBAQEBAQEBAQEBAQEBAQ","user":"AgICAgICAgICAgICAgICAg","session":"AwMDAwMDAwMDAwMDAwMDAw"}}"#
        );
        let ended = Message::of(LogId::from_bytes([9; 16]), 17, &entry(Event::SessionEnded));
        let text = str::from_utf8(&ended.body).unwrap();
        assert!(text.contains(r#""detail":"a detail""#) && !text.contains("203.0.113"), "{text}");
    }
}
