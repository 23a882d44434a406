//! Refresh rotation: what happens when a refresh token is presented. One pure function, [`decide`].
//!
//! A session's refresh token is replaced at every use. A *generation* counts the replacements. Tokens of one generation
//! with different nonces are *siblings*: an answer was lost or two tabs raced, and a second token of the same generation
//! was handed out. The row remembers which sibling was rotated into the current generation (its *parent*), when a token
//! of the current generation was last handed out, whether that happened twice, and the last three rotation times.
//!
//! G is the grace. The first row of this table that matches wins:
//!
//! | presented | decision |
//! |---|---|
//! | session ended | [`Decision::Ended`] |
//! | bound to a key, no valid proof | [`Decision::Unproven`] |
//! | bound, valid proof, any past generation | [`Decision::Repeat`] |
//! | current, and handed out twice with the last time ≤ G ago, or three rotations ≤ G old | [`Decision::Hold`] |
//! | current | [`Decision::Rotate`] |
//! | current−1, nonce = parent, ≤ G after the rotation | [`Decision::Repeat`] |
//! | current−1, nonce ≠ parent | [`Decision::Reuse`] |
//! | older, superseded ≤ G ago | [`Decision::Late`] |
//! | any other past generation | [`Decision::Reuse`] |
//! | newer than current | [`Decision::FastForward`] |
//!
//! Why it is shaped like this: without *hold*, a late `Set-Cookie` signs an honest person out in seven steps; without
//! the parent's nonce, a thief who comes within every grace is never seen. `tests/model` drives this very function
//! through every interleaving and finds both when the rule is taken out.

use super::token::{Nonce, Presented};
use crate::session::{EndReason, Session};
use counterfoil_guard::Timestamp;
use std::time::Duration;

/// The state of a session's refresh token: one row, however long the session lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rotation {
    /// How often the token has been replaced.
    pub generation: u32,
    /// The token that was rotated into the current generation.
    pub parent: Parent,
    /// When a token of the current generation was last handed out.
    pub handed_at: Timestamp,
    /// Whether a token of the current generation was handed out more than once.
    pub handed_twice: bool,
    /// Whether a token of the current generation has come back; kept only under [`Policy::forgive_lost_answer`].
    pub presented: bool,
    /// The last three rotation times, newest first.
    pub rotated_at: [Option<Timestamp>; 3],
}

/// Which sibling of the previous generation was rotated into the current one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Parent {
    /// There is no previous generation.
    None,
    /// The sibling with this nonce.
    Nonce(Nonce),
    /// Not known, because the store was older than its tokens: any will do.
    Any,
}

/// Whether the request proved possession of the key the session is bound to (`DPoP`, DBSC).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Proof {
    /// No proof, or one that does not hold.
    Absent,
    /// A valid proof by the session's own key.
    Valid,
}

/// What the operator can choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// For how long a superseded token may come back without being taken for theft. Zero is strict mode: every past
    /// generation is reuse at once.
    pub grace: Duration,
    /// While no token of the current generation has been presented, its parent repeats without time limit. Detection
    /// of a theft then comes up to three refreshes later.
    pub forgive_lost_answer: bool,
}

/// What to do. Those that carry a [`Rotation`] take effect only if the row is still the one that was decided on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The session is over: refuse, change nothing, leave the cookies alone.
    Ended(EndReason),
    /// The session is bound to a key and the proof is missing: refuse, change nothing.
    Unproven,
    /// Hand out an access token only, and no refresh token. `Some` when the row must remember that it was presented.
    Hold(Option<Rotation>),
    /// Replace the refresh token by one of the next generation.
    Rotate(Rotation),
    /// Hand out a sibling of the current generation: the answer to the first use was lost.
    Repeat(Rotation),
    /// Hand out an access token only: the request was under way while others rotated.
    Late,
    /// A spent token came back: end the session.
    Reuse,
    /// The token is newer than the store: adopt its generation, hand out an access token only, and warn.
    FastForward(Rotation),
}

impl Decision {
    /// The state that must be committed before this is acted on, if it changes the row.
    pub const fn next(&self) -> Option<Rotation> {
        match *self {
            Self::Rotate(to) | Self::Repeat(to) | Self::FastForward(to) | Self::Hold(Some(to)) => Some(to),
            Self::Ended(_) | Self::Unproven | Self::Hold(None) | Self::Late | Self::Reuse => None,
        }
    }
}

impl Rotation {
    /// The state at sign-in, when the first refresh token (generation 0) is handed out.
    pub const fn first(now: Timestamp) -> Self {
        Self {
            generation: 0,
            parent: Parent::None,
            handed_at: now,
            handed_twice: false,
            presented: false,
            rotated_at: [None; 3],
        }
    }

    fn rotated(&self, nonce: Nonce, now: Timestamp) -> Self {
        Self {
            generation: self.generation.saturating_add(1),
            parent: Parent::Nonce(nonce),
            handed_at: now.max(self.handed_at),
            handed_twice: false,
            presented: false,
            rotated_at: [Some(now), self.rotated_at[0], self.rotated_at[1]],
        }
    }

    /// `handed_at` never goes back: with replicas whose clocks differ, a hold would end early, and a row could return to a
    /// state that a slower request has already decided on.
    fn handed_again(self, now: Timestamp) -> Self {
        Self { handed_at: now.max(self.handed_at), handed_twice: true, ..self }
    }

    const fn adopted(generation: u32, now: Timestamp) -> Self {
        Self {
            generation,
            parent: Parent::Any,
            handed_at: now,
            handed_twice: true,
            presented: false,
            rotated_at: [Some(now); 3],
        }
    }

    fn is_parent(&self, nonce: Nonce) -> bool {
        match self.parent {
            Parent::None => false,
            Parent::Nonce(parent) => parent == nonce,
            Parent::Any => true,
        }
    }
}

impl Policy {
    fn within_grace(&self, then: Timestamp, now: Timestamp) -> bool {
        !self.grace.is_zero() && now <= then.plus(self.grace)
    }
}

/// Decides what a presented refresh token means. `now` is the store's time, read before the row was.
pub fn decide(session: &Session, presented: &Presented, now: Timestamp, proof: Proof, policy: Policy) -> Decision {
    if let Some(reason) = session.end_reason(now) {
        return Decision::Ended(reason);
    }
    let row = &session.rotation;
    if session.binding.is_required() {
        if proof == Proof::Absent {
            return Decision::Unproven;
        }
        if presented.generation < row.generation {
            return Decision::Repeat(row.handed_again(now));
        }
    }
    match presented.generation.cmp(&row.generation) {
        std::cmp::Ordering::Equal => current(row, presented, now, policy),
        std::cmp::Ordering::Less => past(row, presented, now, policy),
        std::cmp::Ordering::Greater => Decision::FastForward(Rotation::adopted(presented.generation, now)),
    }
}

/// A token of the current generation: replace it, unless two of them may be on their way to the same cookie jar.
fn current(row: &Rotation, presented: &Presented, now: Timestamp, policy: Policy) -> Decision {
    let two_under_way = row.handed_twice && policy.within_grace(row.handed_at, now);
    let recent = |time: &Option<Timestamp>| time.is_some_and(|time| policy.within_grace(time, now));
    if two_under_way || row.rotated_at.iter().all(recent) {
        let remember = policy.forgive_lost_answer && !row.presented;
        return Decision::Hold(remember.then_some(Rotation { presented: true, ..*row }));
    }
    Decision::Rotate(row.rotated(presented.nonce, now))
}

/// A token of a past generation: a lost answer, a late message, or theft.
fn past(row: &Rotation, presented: &Presented, now: Timestamp, policy: Policy) -> Decision {
    let behind = row.generation - presented.generation;
    let superseded_at = row.rotated_at.get(behind as usize - 1).copied().flatten();
    let within_grace = superseded_at.is_some_and(|time| policy.within_grace(time, now));
    if behind == 1 {
        let forgiven = policy.forgive_lost_answer && !policy.grace.is_zero() && !row.presented;
        return if row.is_parent(presented.nonce) && (within_grace || forgiven) {
            Decision::Repeat(row.handed_again(now))
        } else {
            Decision::Reuse
        };
    }
    if within_grace { Decision::Late } else { Decision::Reuse }
}

#[cfg(test)]
#[path = "rotation_tests.rs"]
mod tests;
