//! Where in the log a verifier stands.

use crate::id::IdError;
use std::fmt;
use std::str::FromStr;

id_type!(
    /// The identity of a revocation log: new after every restore, so that positions in one say nothing about the other.
    LogId
);
id_type!(
    /// One verifier process: random at its start, never stored.
    Instance
);

/// A position in a log, and what stood there. To a guard it is opaque but for its log and its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// Which log.
    pub log: LogId,
    /// Everything up to this number.
    pub seq: u64,
    /// A digest of the entry with this number; 0 before the first. A log put back to an earlier state goes on with other
    /// entries under the same numbers.
    pub hash: u64,
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{:016x}", self.log, self.seq, self.hash)
    }
}

impl FromStr for Cursor {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let mut parts = text.split('.');
        let (Some(log), Some(seq), Some(hash), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
            return Err(IdError);
        };
        let cursor = Self {
            log: log.parse()?,
            seq: seq.parse().map_err(|_| IdError)?,
            hash: u64::from_str_radix(hash, 16).map_err(|_| IdError)?,
        };
        // One text for one position.
        if cursor.to_string() == text { Ok(cursor) } else { Err(IdError) }
    }
}

impl serde::Serialize for Cursor {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Cursor {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::{Cursor, LogId};

    #[test]
    fn a_cursor_has_one_text() {
        let cursor = Cursor { log: LogId::from_bytes([7; 16]), seq: 12, hash: 0xab };
        let text = cursor.to_string();
        assert_eq!(text, "BwcHBwcHBwcHBwcHBwcHBw.12.00000000000000ab");
        assert_eq!(text.parse(), Ok(cursor));
        for other in ["BwcHBwcHBwcHBwcHBwcHBw.012.00000000000000ab", "BwcHBwcHBwcHBwcHBwcHBw.12.ab", "a.1.0", "..", ""]
        {
            assert!(other.parse::<Cursor>().is_err(), "{other}");
        }
    }
}
