//! Key rotation: what the keyring needs now, from what it is and the time. Pure, so that the model checker drives it.
//!
//! A planned rotation locks nobody out (K1): a key is published long before it signs, and stays published until the last
//! token it signed has expired. There is always a published next key, so that a revocation has something to go on with.
//!
//! | the ring, for each algorithm in use | what is done |
//! |---|---|
//! | there is no next key | one is made, and published by that |
//! | the active key is older than `rotate_every`, and the next one has been published for `publish_ahead` | active → retiring, next → active, and a new next key |
//! | there is no active key (the algorithm is new), and the next one has been published for `publish_ahead` | next → active |
//! | no key of any algorithm signs | next → active at once: without a key nobody is let in at all |
//! | a key has been retiring for `longest_life` | retiring → retired |
//! | the algorithm is not in use any more, and every one in use has an active key | active → retiring, next → retired |

use super::ring::{KeyState, StoredKey};
use counterfoil_guard::{Algorithm, Kid, Timestamp};
use std::time::Duration;

/// By which the plan goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long a key signs.
    pub rotate_every: Duration,
    /// How long a key is published before it signs: at least as long as verifiers keep the key set.
    pub publish_ahead: Duration,
    /// How long after its signing a token can be alive.
    pub longest_life: Duration,
}

/// Why the ring changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// There must always be a published next key.
    NextMissing,
    /// The active key has signed for its time.
    Due,
    /// An operator asked for it.
    Asked,
    /// There was no active key of this algorithm.
    ActiveMissing,
    /// Its last token has expired.
    NothingLeft,
    /// The configuration does not use its algorithm any more.
    NotInUse,
    /// It has been revoked, or the one before it has.
    Revoked,
}

impl Reason {
    /// The word for it, for logs and the audit log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NextMissing => "next_missing",
            Self::Due => "due",
            Self::Asked => "asked",
            Self::ActiveMissing => "active_missing",
            Self::NothingLeft => "nothing_left",
            Self::NotInUse => "not_in_use",
            Self::Revoked => "revoked",
        }
    }
}

/// One change of the ring, and why.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum KeyChange {
    /// A new key.
    Create {
        /// For this algorithm.
        algorithm: Algorithm,
        /// In this state.
        state: KeyState,
        /// Why.
        reason: Reason,
    },
    /// A key goes on in its life.
    Move {
        /// Which.
        kid: Kid,
        /// From here.
        from: KeyState,
        /// To there.
        to: KeyState,
        /// Why.
        reason: Reason,
    },
}

/// Why the ring cannot be rotated now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TooEarly {
    /// The next key has not been published for long enough; at this time it will have been.
    NextAt(Timestamp),
    /// There is no next key yet.
    NoNext,
}

/// What the ring needs now. Carried out as a whole, it needs nothing more at that time.
pub fn plan(keys: &[StoredKey], in_use: &[Algorithm], now: Timestamp, policy: Policy) -> Vec<KeyChange> {
    let ring = Ring { keys, now, policy };
    let mut changes = Vec::new();
    let nobody_signs = !keys.iter().any(|key| key.state == KeyState::Active);
    let mut all_sign = true;
    for algorithm in in_use {
        all_sign &= ring.tend(*algorithm, nobody_signs, &mut changes);
    }
    for key in keys {
        let over = now.since(key.since) >= policy.longest_life;
        if key.state == KeyState::Retiring && over {
            changes.push(moved(key, KeyState::Retired, Reason::NothingLeft));
        }
        if all_sign && !in_use.contains(&key.algorithm) {
            match key.state {
                KeyState::Active => changes.push(moved(key, KeyState::Retiring, Reason::NotInUse)),
                KeyState::Next => changes.push(moved(key, KeyState::Retired, Reason::NotInUse)),
                _ => {}
            }
        }
    }
    changes
}

/// What is to be done when an operator wants this algorithm's key changed now: the same as when it is due.
pub fn rotate_now(
    keys: &[StoredKey],
    algorithm: Algorithm,
    now: Timestamp,
    policy: Policy,
) -> Result<Vec<KeyChange>, TooEarly> {
    let ring = Ring { keys, now, policy };
    let next = ring.of(algorithm, KeyState::Next).ok_or(TooEarly::NoNext)?;
    if !ring.may_sign(next) {
        return Err(TooEarly::NextAt(next.since.plus(policy.publish_ahead)));
    }
    let mut changes = Vec::new();
    if let Some(active) = ring.of(algorithm, KeyState::Active) {
        changes.push(moved(active, KeyState::Retiring, Reason::Asked));
    }
    changes.push(moved(next, KeyState::Active, Reason::Asked));
    changes.push(next_key(algorithm, Reason::Asked));
    Ok(changes)
}

/// What is to be done when a key is revoked: it goes, and if it signed, the next one signs from now on, published long enough or
/// not. `None` when there is no such key; nothing when it has been revoked before.
pub fn revoke(keys: &[StoredKey], kid: &Kid) -> Option<Vec<KeyChange>> {
    let key = keys.iter().find(|key| key.kid == *kid)?;
    if key.state == KeyState::Revoked {
        return Some(Vec::new());
    }
    let mut changes = vec![moved(key, KeyState::Revoked, Reason::Revoked)];
    let next = keys.iter().find(|other| other.algorithm == key.algorithm && other.state == KeyState::Next);
    match (key.state, next) {
        (KeyState::Active, Some(next)) => {
            changes.push(moved(next, KeyState::Active, Reason::Revoked));
            changes.push(next_key(key.algorithm, Reason::Revoked));
        }
        (KeyState::Active, None) => changes.extend(fresh(key.algorithm)),
        (KeyState::Next, _) => changes.push(next_key(key.algorithm, Reason::Revoked)),
        _ => {}
    }
    Some(changes)
}

/// What is to be done when every key is revoked: none of those published stays, and new ones sign at once. Verifiers that fetch
/// the key set only now and then do not know these yet.
pub fn revoke_all(keys: &[StoredKey], in_use: &[Algorithm]) -> Vec<KeyChange> {
    let published = keys.iter().filter(|key| key.state.is_published());
    let revoked = published.map(|key| moved(key, KeyState::Revoked, Reason::Revoked));
    revoked.chain(in_use.iter().flat_map(|algorithm| fresh(*algorithm))).collect()
}

struct Ring<'a> {
    keys: &'a [StoredKey],
    now: Timestamp,
    policy: Policy,
}

impl<'a> Ring<'a> {
    fn of(&self, algorithm: Algorithm, state: KeyState) -> Option<&'a StoredKey> {
        self.keys.iter().find(|key| key.algorithm == algorithm && key.state == state)
    }

    fn may_sign(&self, next: &StoredKey) -> bool {
        self.now.since(next.since) >= self.policy.publish_ahead
    }

    /// One algorithm in use. Returns whether it has a key that signs once this is done.
    fn tend(&self, algorithm: Algorithm, nobody_signs: bool, changes: &mut Vec<KeyChange>) -> bool {
        let (active, next) = (self.of(algorithm, KeyState::Active), self.of(algorithm, KeyState::Next));
        let Some(next) = next else {
            let instead = active.is_none() && nobody_signs;
            let state = if instead { KeyState::Active } else { KeyState::Next };
            changes.push(KeyChange::Create { algorithm, state, reason: Reason::NextMissing });
            if instead {
                changes.push(next_key(algorithm, Reason::NextMissing));
            }
            return active.is_some() || instead;
        };
        match active {
            Some(active) if self.now.since(active.since) < self.policy.rotate_every => return true,
            Some(_) if !self.may_sign(next) => return true,
            None if !self.may_sign(next) && !nobody_signs => return false,
            _ => {}
        }
        let reason = if active.is_some() { Reason::Due } else { Reason::ActiveMissing };
        changes.extend(active.map(|active| moved(active, KeyState::Retiring, reason)));
        changes.push(moved(next, KeyState::Active, reason));
        changes.push(next_key(algorithm, Reason::NextMissing));
        true
    }
}

fn moved(key: &StoredKey, to: KeyState, reason: Reason) -> KeyChange {
    KeyChange::Move { kid: key.kid.clone(), from: key.state, to, reason }
}

const fn next_key(algorithm: Algorithm, reason: Reason) -> KeyChange {
    KeyChange::Create { algorithm, state: KeyState::Next, reason }
}

fn fresh(algorithm: Algorithm) -> [KeyChange; 2] {
    let create = |state| KeyChange::Create { algorithm, state, reason: Reason::Revoked };
    [create(KeyState::Active), create(KeyState::Next)]
}

#[cfg(test)]
#[path = "rotation_tests.rs"]
mod tests;
