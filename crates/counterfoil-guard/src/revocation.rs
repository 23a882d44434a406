//! What has been revoked and may still be presented: a small index, because no access token outlives 15 minutes.

use crate::Claims;
use crate::id::{Jti, Kid, Sid};
use crate::refusal::Refusal;
use crate::time::Timestamp;
use std::collections::HashMap;

/// What a revocation log entry hits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// Every token of a session.
    Session(Sid),
    /// One access token.
    Token(Jti),
    /// Every token a key has signed; for ever.
    Key(Kid),
    /// Tokens of a session whose claims version is lower than this carry outdated roles: a refresh gets a right one.
    /// A version and not a time, because `iat` has whole seconds and several clocks.
    Stale(Sid, u32),
}

/// One entry of the revocation log as a verifier needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Position in the log.
    pub seq: u64,
    /// Past this no token it could hit is alive.
    pub until: Timestamp,
    /// What it hits.
    pub what: Target,
}

/// The revocations in force. Entries are only added, and dropped when no token they hit can be alive.
#[derive(Clone, Debug, Default)]
pub struct RevocationIndex {
    head: u64,
    sessions: HashMap<Sid, Timestamp>,
    tokens: HashMap<Jti, Timestamp>,
    stale: HashMap<Sid, (u32, Timestamp)>,
    keys: HashMap<Kid, Timestamp>,
}

impl RevocationIndex {
    /// The highest position seen.
    pub const fn head(&self) -> u64 {
        self.head
    }

    /// Takes an entry in. Repeating one changes nothing; order does not matter.
    pub fn add(&mut self, entry: &Entry) {
        self.head = self.head.max(entry.seq);
        let later = |until: &mut Timestamp| *until = (*until).max(entry.until);
        match &entry.what {
            Target::Session(sid) => later(self.sessions.entry(*sid).or_default()),
            Target::Token(jti) => later(self.tokens.entry(*jti).or_default()),
            Target::Key(kid) => later(self.keys.entry(kid.clone()).or_default()),
            Target::Stale(sid, version) => {
                let (least, until) = self.stale.entry(*sid).or_default();
                *least = (*least).max(*version);
                later(until);
            }
        }
    }

    /// Refuses what has been revoked: the token, its session, or the key that signed it.
    pub fn check(&self, claims: &Claims, kid: &Kid) -> Result<(), Refusal> {
        if self.tokens.contains_key(&claims.jti) {
            return Err(Refusal::Revoked);
        }
        self.check_session(claims.sid, claims.claims_version)?;
        if claims.actors().any(|actor| self.sessions.contains_key(&actor.sid)) {
            return Err(Refusal::Revoked);
        }
        if self.key_is_revoked(kid) { Err(Refusal::KeyRevoked) } else { Ok(()) }
    }

    /// The same for a session that is known without an access token, with the version of the claims that are known of it.
    pub fn check_session(&self, sid: Sid, claims_version: u32) -> Result<(), Refusal> {
        if self.sessions.contains_key(&sid) {
            return Err(Refusal::Revoked);
        }
        match self.stale.get(&sid) {
            Some((least, _)) if claims_version < *least => Err(Refusal::Stale),
            _ => Ok(()),
        }
    }

    /// Whether this key has been revoked. A `Key` entry never leaves.
    pub fn key_is_revoked(&self, kid: &Kid) -> bool {
        self.keys.contains_key(kid)
    }

    /// Drops entries past which no token they hit can be alive.
    pub fn forget_before(&mut self, now: Timestamp) {
        self.sessions.retain(|_, until| *until > now);
        self.tokens.retain(|_, until| *until > now);
        self.stale.retain(|_, (_, until)| *until > now);
    }

    /// How many entries are in force.
    pub fn len(&self) -> usize {
        self.sessions.len() + self.tokens.len() + self.stale.len() + self.keys.len()
    }

    /// Whether nothing is revoked.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, RevocationIndex, Target};
    use crate::id::Sid;
    use crate::time::Timestamp;

    #[test]
    fn a_million_entries_take_at_most_64_bytes_each() {
        let mut index = RevocationIndex::default();
        for n in 0..1_000_000_u128 {
            let what = Target::Session(Sid::from_bytes(n.to_be_bytes()));
            index.add(&Entry { seq: 1, until: Timestamp::from_seconds(1), what });
        }
        // The table keeps an eighth of its places free, and a byte beside each.
        let places = index.sessions.capacity() * 8 / 7;
        let bytes = places * (size_of::<(Sid, Timestamp)>() + 1);
        assert!(bytes <= 64_000_000, "{bytes}");
    }
}
