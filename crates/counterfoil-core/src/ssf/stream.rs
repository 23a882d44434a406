//! Event streams (SSF section 8.1): what a receiver wants to be told, and how far it has been. Pure; the machine by which what is not
//! acknowledged comes again, and what is acknowledged never does.

use super::event::EventType;
use super::set;
use super::signal::Signal;
use counterfoil_guard::{ClientName, IdError, Jti, LogId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// How many SETs that are no entry's wait at the most: one more takes the place of the oldest.
const MOST_NOTES: usize = 16;

/// Names a stream: 16 random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(Jti);

impl StreamId {
    /// From 16 random bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Jti::from_bytes(bytes))
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for StreamId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        text.parse().map(Self)
    }
}

/// Whether a stream is told anything (SSF section 8.1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It is.
    Enabled,
    /// It will be, of all that has happened meanwhile.
    Paused,
    /// It is not, and what happens meanwhile is not kept for it.
    Disabled,
}

impl Status {
    /// The word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
        }
    }

    /// The status with this word.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Enabled, Self::Paused, Self::Disabled].into_iter().find(|status| status.as_str() == name)
    }
}

/// How events get to the receiver.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Delivery {
    /// They are sent there (RFC 8935).
    Push(String),
    /// The receiver fetches them (RFC 8936).
    Poll,
}

impl fmt::Debug for Delivery {
    /// Some receivers are known by nothing but their address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Push(_) => "Push(…)",
            Self::Poll => "Poll",
        })
    }
}

/// Whom a stream is about if nothing else is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Subjects {
    /// Everybody, but for those who were taken out.
    All,
    /// Nobody, but for those who were added.
    None,
}

/// What the receiver has chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// How it is told.
    pub delivery: Delivery,
    /// The types that it asked for, as it wrote them; nothing: all there are.
    pub requested: Option<Vec<String>>,
    /// What it calls the stream.
    pub description: Option<String>,
    /// Whom it is about.
    pub subjects: Subjects,
}

impl Settings {
    /// The types that it is told of.
    pub fn delivered(&self) -> impl Iterator<Item = EventType> {
        EventType::TRANSMITTED.into_iter().filter(|kind| self.wants(*kind))
    }

    fn wants(&self, kind: EventType) -> bool {
        self.requested.as_ref().is_none_or(|uris| uris.iter().any(|uri| EventType::from_uri(uri) == Some(kind)))
    }
}

/// A SET that is no entry's: the receiver has asked for it, or the stream's status has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Its `jti`.
    pub jti: String,
    /// When it was made, in milliseconds.
    pub at: i64,
    /// What it says.
    pub what: What,
}

/// What it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum What {
    /// The state that the receiver gave, if it gave one.
    Verification(Option<String>),
    /// The new status, and why.
    Updated(Status, Option<String>),
}

/// A stream.
#[derive(Clone, PartialEq, Eq)]
pub struct Stream {
    /// Its name.
    pub id: StreamId,
    /// Whose it is.
    pub client: ClientName,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether it is told anything.
    pub status: Status,
    /// Why, if somebody has said so.
    pub reason: Option<String>,
    /// What the receiver has chosen.
    pub settings: Settings,
    /// What the receiver wants to find in the header Authorization, sealed.
    pub sealed: Option<Vec<u8>>,
    /// When it was last asked to be verified.
    pub verified_at: Option<Timestamp>,
    /// The entries of the audit log up to here are done with.
    pub position: i64,
    /// Which SETs of later entries have been acknowledged.
    pub acknowledged: BTreeSet<String>,
    /// What else has to be told.
    pub notes: Vec<Note>,
    /// How often this has been changed: nobody puts an older state in the place of a newer one.
    pub version: i64,
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("id", &self.id).field("client", &self.client).finish_non_exhaustive()
    }
}

/// An entry of the audit log, and what of it a stream is told.
#[derive(Clone, Debug)]
pub struct Numbered {
    /// Its number.
    pub seq: i64,
    /// What it says.
    pub signals: Vec<Signal>,
}

impl Stream {
    /// Whether it is told of this, whoever it is about.
    pub fn wants(&self, signal: &Signal) -> bool {
        self.settings.wants(signal.kind)
    }

    /// Has one note more to tell.
    pub fn note(&mut self, note: Note) {
        if self.notes.len() >= MOST_NOTES {
            self.notes.remove(0);
        }
        self.notes.push(note);
    }

    /// Another status. What happened while it was disabled is not told later: then it goes on from the `newest` entry.
    pub fn set_status(&mut self, status: Status, reason: Option<String>, newest: i64) {
        if self.status == Status::Disabled && status != Status::Disabled {
            self.position = self.position.max(newest);
            self.acknowledged.clear();
        }
        (self.status, self.reason) = (status, reason);
    }

    /// Takes acknowledgements in. `entries` are those that follow the position, without a gap, with what this stream is told of them. The
    /// position moves over those that are done with; returned are the SETs that are not, as places in `entries`.
    pub fn acknowledge(&mut self, log: LogId, entries: &[Numbered], acknowledged: &[String]) -> Vec<(usize, usize)> {
        self.notes.retain(|note| !acknowledged.contains(&note.jti));
        let (mut open, mut kept) = (Vec::new(), BTreeSet::new());
        for (place, entry) in entries.iter().enumerate() {
            for (index, signal) in entry.signals.iter().enumerate() {
                let jti = set::name(log, entry.seq, &signal.tag);
                if self.acknowledged.contains(&jti) || acknowledged.contains(&jti) {
                    kept.insert(jti);
                } else {
                    open.push((place, index));
                }
            }
            if open.is_empty() {
                self.position = self.position.max(entry.seq);
                kept.clear();
            }
        }
        self.acknowledged = kept;
        open
    }
}

#[cfg(test)]
mod tests {
    use super::{Delivery, Note, Numbered, Settings, Status, Stream, StreamId, Subjects, What};
    use crate::ssf::event::EventType;
    use crate::ssf::set::name;
    use crate::ssf::signal::Signal;
    use counterfoil_guard::{LogId, Timestamp, UserId};
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const LOG: LogId = LogId::from_bytes([9; 16]);

    fn stream() -> Stream {
        let settings =
            Settings { delivery: Delivery::Poll, requested: None, description: None, subjects: Subjects::All };
        Stream {
            id: StreamId::from_bytes([7; 16]),
            client: "hub".parse().expect("a name"),
            created_at: Timestamp::from_seconds(0),
            status: Status::Enabled,
            reason: None,
            settings,
            sealed: None,
            verified_at: None,
            position: 0,
            acknowledged: BTreeSet::new(),
            notes: Vec::new(),
            version: 0,
        }
    }

    fn numbered(seq: i64, signals: usize) -> Numbered {
        let signal = |index: usize| Signal {
            tag: index.to_string(),
            kind: EventType::SessionRevoked,
            user: UserId::from_bytes([1; 16]),
            sid: None,
            at: Timestamp::from_seconds(seq),
            claims: serde_json::Map::new(),
        };
        Numbered { seq, signals: (0..signals).map(signal).collect() }
    }

    proptest! {
        /// Whatever is acknowledged, in whatever order and over whatever restarts, every SET is offered until it has been acknowledged
        /// and never after, and the position ends behind the last entry.
        #[test]
        fn poll_2_what_is_acknowledged_never_comes_again_and_everything_else_does(
            sizes in prop::collection::vec(0_usize..4, 1..12),
            order in any::<Vec<prop::sample::Index>>(),
            window in 1_usize..5,
        ) {
            let entries: Vec<Numbered> = (1..).zip(&sizes).map(|(seq, size)| numbered(seq * 2, *size)).collect();
            let total: usize = sizes.iter().sum();
            let (mut stream, mut told, mut acks) = (stream(), BTreeSet::new(), Vec::new());
            let mut order = order.iter().cycle();
            for _ in 0..=2 * (total + entries.len()) {
                let ahead: Vec<Numbered> =
                    entries.iter().filter(|entry| entry.seq > stream.position).take(window).cloned().collect();
                let open = stream.acknowledge(LOG, &ahead, &acks);
                let open: Vec<String> = open
                    .into_iter()
                    .map(|(place, index)| name(LOG, ahead[place].seq, &ahead[place].signals[index].tag))
                    .collect();
                for jti in &open {
                    prop_assert!(!told.contains(jti), "{jti} comes again");
                }
                acks = match (open.is_empty(), order.next()) {
                    (true, _) => Vec::new(),
                    (false, Some(index)) => vec![index.get(&open).clone()],
                    (false, None) => open,
                };
                told.extend(acks.iter().cloned());
            }
            prop_assert_eq!(told.len(), total, "everything was told");
            prop_assert_eq!(stream.position, entries.last().expect("some").seq);
            prop_assert!(stream.acknowledged.is_empty(), "and nothing is kept of it");
        }
    }

    #[test]
    fn what_nobody_told_cannot_be_acknowledged() {
        let mut stream = stream();
        let ahead = [numbered(5, 1)];
        let other = [name(LogId::from_bytes([8; 16]), 5, "0"), name(LOG, 6, "0"), "x".repeat(9)];
        assert_eq!(stream.acknowledge(LOG, &ahead, &other), [(0, 0)]);
        assert!(stream.acknowledged.is_empty() && stream.position == 0);
    }

    #[test]
    fn notes_go_when_acknowledged_and_do_not_pile_up() {
        let mut stream = stream();
        for number in 0..20 {
            stream.note(Note { jti: number.to_string(), at: 0, what: What::Verification(None) });
        }
        assert_eq!(stream.notes.len(), 16);
        stream.acknowledge(LOG, &[], &["19".to_owned()]);
        assert!(stream.notes.len() == 15 && stream.notes.iter().all(|note| note.jti != "19"));
    }

    #[test]
    fn what_happened_while_it_was_disabled_is_not_told_and_what_happened_while_paused_is() {
        let mut stream = stream();
        stream.set_status(Status::Paused, None, 9);
        stream.set_status(Status::Enabled, None, 10);
        assert_eq!(stream.position, 0);
        stream.set_status(Status::Disabled, None, 11);
        stream.set_status(Status::Enabled, None, 12);
        assert_eq!(stream.position, 12);
    }

    #[test]
    fn only_what_was_asked_for_is_delivered() {
        let requested = vec![EventType::AccountPurged.uri(), "https://example.com/other".to_owned()];
        let settings = Settings { requested: Some(requested), ..stream().settings };
        assert_eq!(settings.delivered().collect::<Vec<_>>(), [EventType::AccountPurged]);
        assert_eq!(stream().settings.delivered().count(), EventType::TRANSMITTED.len());
    }
}
