//! What the authority answers to a poll of its feed; see `docs/reference/feed.md`. Lists are flat, and times are seconds,
//! so that a million entries fit into 40 MB.

use crate::cursor::{Cursor, Instance};
use crate::id::{Jti, Kid, Sid};
use crate::revocation::{Entry, Target};
use crate::time::Timestamp;
use serde::de::{DeserializeOwned, Error as _, SeqAccess, Visitor};
use serde::ser::SerializeSeq as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;

/// An answer of the feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Whose poll this answers.
    pub instance: Instance,
    /// Which of its polls.
    pub nonce: String,
    /// Where the guard stands once it has taken the entries in.
    pub cursor: Cursor,
    /// Whether the lists hold everything in force.
    pub snapshot: bool,
    /// When the lease was granted, in milliseconds after the poll's arrival, rounded down.
    pub held_ms: i64,
    /// The authority's clock, milliseconds since the epoch.
    pub now: i64,
    /// S.
    pub max_staleness_ms: u64,
    /// m.
    pub margin_ms: u64,
    /// The entity tag of the key set.
    pub keys_etag: String,
    /// Sessions, and the second until which each counts.
    pub sessions: Flat<(Sid, i64)>,
    /// Tokens, and the second until which each counts.
    pub tokens: Flat<(Jti, i64)>,
    /// Sessions, the least claims version that is good, and the second until which it counts.
    pub stale: Flat<(Sid, u32, i64)>,
    /// Keys, for ever.
    pub keys: Vec<String>,
}

impl Answer {
    /// Puts an entry into the list it belongs to.
    pub fn push(&mut self, entry: &Entry) {
        // Rounded up: an entry must not leave before its time.
        let until = entry.until.as_millis().div_euclid(1000) + i64::from(entry.until.as_millis().rem_euclid(1000) > 0);
        match &entry.what {
            Target::Session(sid) => self.sessions.0.push((*sid, until)),
            Target::Token(jti) => self.tokens.0.push((*jti, until)),
            Target::Stale(sid, version) => self.stale.0.push((*sid, *version, until)),
            Target::Key(kid) => self.keys.push(kid.as_str().to_owned()),
        }
    }

    /// The entries, each with the number of the answer's cursor: their own numbers do not matter to a verifier.
    pub fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        let seq = self.cursor.seq;
        let entry = move |until: i64, what| Entry { seq, until: Timestamp::from_seconds(until), what };
        let sessions = self.sessions.0.iter().map(move |(sid, until)| entry(*until, Target::Session(*sid)));
        let tokens = self.tokens.0.iter().map(move |(jti, until)| entry(*until, Target::Token(*jti)));
        let stale = self.stale.0.iter().map(move |(sid, least, until)| entry(*until, Target::Stale(*sid, *least)));
        let keys = self.keys.iter().filter_map(|kid| kid.parse::<Kid>().ok());
        let keys = keys.map(move |kid| Entry { seq, until: Timestamp::default(), what: Target::Key(kid) });
        sessions.chain(tokens).chain(stale).chain(keys)
    }
}

/// Tuples written one after the other into one array.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flat<T>(pub Vec<T>);

impl<T> Default for Flat<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// A tuple that can stand in a [`Flat`] array.
trait Row: Sized {
    const WIDTH: usize;
    fn write<S: serde::ser::SerializeSeq>(&self, to: &mut S) -> Result<(), S::Error>;
    fn read<'de, A: SeqAccess<'de>>(from: &mut A) -> Result<Option<Self>, A::Error>;
}

fn rest<'de, T: DeserializeOwned, A: SeqAccess<'de>>(from: &mut A) -> Result<T, A::Error> {
    from.next_element()?.ok_or_else(|| A::Error::custom("the list ends in the middle of an entry"))
}

impl<T: Serialize + DeserializeOwned> Row for (T, i64) {
    const WIDTH: usize = 2;

    fn write<S: serde::ser::SerializeSeq>(&self, to: &mut S) -> Result<(), S::Error> {
        to.serialize_element(&self.0)?;
        to.serialize_element(&self.1)
    }

    fn read<'de, A: SeqAccess<'de>>(from: &mut A) -> Result<Option<Self>, A::Error> {
        let Some(id) = from.next_element()? else { return Ok(None) };
        Ok(Some((id, rest(from)?)))
    }
}

impl Row for (Sid, u32, i64) {
    const WIDTH: usize = 3;

    fn write<S: serde::ser::SerializeSeq>(&self, to: &mut S) -> Result<(), S::Error> {
        to.serialize_element(&self.0)?;
        to.serialize_element(&self.1)?;
        to.serialize_element(&self.2)
    }

    fn read<'de, A: SeqAccess<'de>>(from: &mut A) -> Result<Option<Self>, A::Error> {
        let Some(sid) = from.next_element()? else { return Ok(None) };
        Ok(Some((sid, rest(from)?, rest(from)?)))
    }
}

impl<T: Row> Serialize for Flat<T> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut list = to.serialize_seq(Some(self.0.len() * T::WIDTH))?;
        for row in &self.0 {
            row.write(&mut list)?;
        }
        list.end()
    }
}

impl<'de, T: Row> Deserialize<'de> for Flat<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Rows<T>(PhantomData<T>);
        impl<'de, T: Row> Visitor<'de> for Rows<T> {
            type Value = Flat<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a flat list of entries")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Flat<T>, A::Error> {
                let mut rows = Vec::new();
                while let Some(row) = T::read(&mut list)? {
                    rows.push(row);
                }
                Ok(Flat(rows))
            }
        }
        from.deserialize_seq(Rows(PhantomData))
    }
}
