//! A guard's side of the revocation feed, as a state machine: no input or output, no clock. It holds the index, and the
//! lease without which nothing may be accepted (S2).

use crate::cursor::{Cursor, Instance};
use crate::refusal::Refusal;
use crate::revocation::RevocationIndex;
use crate::time::{Clocks, Tick, Timestamp};
use crate::wire::Answer;
use std::time::Duration;

/// A poll to be sent: the parameters of `GET /api/revocations`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poll {
    /// This guard.
    pub instance: Instance,
    /// Tells the answer to this poll from any other.
    pub nonce: String,
    /// Up to here everything is in force at this guard.
    pub after: Option<Cursor>,
    /// How long the authority may wait for something new.
    pub wait: Duration,
}

/// Why an answer was put aside. The guard goes on as if it had not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// It answers another poll, or another guard's.
    Foreign,
    /// It comes from a state of the same log that lies behind this guard's.
    Older,
    /// It carries no cursor that could be a continuation: not a snapshot, and of another log.
    Gap,
}

/// What an answer that was taken in calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The key set has changed: fetch it again.
    pub keys_changed: bool,
    /// Entries came in.
    pub news: bool,
}

/// Until when this guard may accept, on two clocks; the earlier end counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Lease {
    boot: Tick,
    wall: Timestamp,
}

/// What a guard knows from the feed.
#[derive(Clone, Debug)]
pub struct Follower {
    instance: Instance,
    /// The nonce of the poll under way, and when it was sent.
    asked: Option<(String, Clocks)>,
    cursor: Option<Cursor>,
    index: RevocationIndex,
    lease: Option<Lease>,
    /// The authority's clock, and when it said so.
    authority: Option<(Timestamp, Tick)>,
    wait: Duration,
    keys_etag: Option<String>,
    /// When the index was last rid of what is over.
    forgot: Tick,
}

/// So that two answers may be lost while a lease of the shortest kind lives.
const SHORTEST_TIME_OUT: Duration = Duration::from_millis(100);

/// An entry that stays this much longer does no harm.
const FORGET_EVERY: Duration = Duration::from_secs(10);

impl Follower {
    /// A guard that has heard nothing yet, and so accepts nothing. `instance` must be random for each process.
    pub fn new(instance: Instance) -> Self {
        Self {
            instance,
            asked: None,
            cursor: None,
            index: RevocationIndex::default(),
            lease: None,
            authority: None,
            wait: Duration::ZERO,
            keys_etag: None,
            forgot: Tick::default(),
        }
    }

    /// The next poll. The one before it, if it is still under way, is given up: its answer will be ignored. Without a
    /// lease it does not wait, so that a guard is ready at once.
    pub fn poll(&mut self, nonce: String, now: Clocks) -> Poll {
        self.asked = Some((nonce.clone(), now));
        let wait = if self.check_lease(now).is_ok() { self.wait } else { Duration::ZERO };
        Poll { instance: self.instance, nonce, after: self.cursor, wait }
    }

    /// Takes an answer in: first its entries, then the cursor that acknowledges them, then the lease.
    pub fn receive(&mut self, answer: &Answer, now: Clocks) -> Result<Taken, Ignored> {
        let asked = self.asked.as_ref().filter(|(nonce, _)| answer.instance == self.instance && *nonce == answer.nonce);
        let sent = asked.ok_or(Ignored::Foreign)?.1;
        if let Some(mine) = self.cursor.filter(|mine| mine.log == answer.cursor.log)
            && answer.cursor.seq < mine.seq
        {
            return Err(Ignored::Older);
        }
        // What is not a snapshot goes on from where this guard stands, and only there.
        if !answer.snapshot && self.cursor.is_none_or(|mine| mine.log != answer.cursor.log) {
            return Err(Ignored::Gap);
        }
        self.asked = None;
        let mut news = false;
        for entry in answer.entries() {
            self.index.add(&entry);
            news = true;
        }
        self.cursor = Some(answer.cursor);
        let (staleness, margin) =
            (Duration::from_millis(answer.max_staleness_ms), Duration::from_millis(answer.margin_ms));
        self.extend(sent, answer.held_ms, staleness.saturating_sub(margin));
        self.authority = Some((Timestamp::from_millis(answer.now), now.boot));
        self.wait = staleness / 5;
        let keys_changed = self.keys_etag.as_deref() != Some(answer.keys_etag.as_str());
        self.keys_etag = Some(answer.keys_etag.clone());
        Ok(Taken { keys_changed, news })
    }

    /// The lease runs from this guard's own sending time, so that no delay on the way can lengthen it. It may come out
    /// shorter than the one before, when the authority's setting has changed.
    fn extend(&mut self, sent: Clocks, held_ms: i64, life: Duration) {
        self.lease =
            Some(Lease { boot: sent.boot.shifted(held_ms).plus(life), wall: sent.wall.shifted(held_ms).plus(life) });
    }

    /// Whether anything may be accepted now.
    pub fn check_lease(&self, now: Clocks) -> Result<(), Refusal> {
        match self.lease {
            Some(lease) if now.boot < lease.boot && now.wall < lease.wall => Ok(()),
            _ => Err(Refusal::VerifierStale),
        }
    }

    /// The time by the authority's clock: what `exp` is judged by. By this machine's before the first answer.
    pub fn authority_time(&self, now: Clocks) -> Timestamp {
        self.authority.map_or(now.wall, |(then, at)| then.plus(now.boot.since(at)))
    }

    /// What has been revoked.
    pub const fn index(&self) -> &RevocationIndex {
        &self.index
    }

    /// Where this guard stands.
    pub const fn cursor(&self) -> Option<Cursor> {
        self.cursor
    }

    /// How long a poll may take before it is given up: its waiting, and half as long again.
    pub fn time_out(&self) -> Duration {
        (self.wait * 3 / 2).max(SHORTEST_TIME_OUT)
    }

    /// Drops what no living token can be hit by; now and then, because all of it is looked at.
    pub fn forget(&mut self, now: Clocks) {
        if now.boot.since(self.forgot) >= FORGET_EVERY {
            self.forgot = now.boot;
            let now = self.authority_time(now);
            self.index.forget_before(now);
        }
    }

    /// How long the lease has to go: on the clock on which it ends first.
    pub fn lease_left(&self, now: Clocks) -> Duration {
        self.lease.map_or(Duration::ZERO, |lease| lease.boot.since(now.boot).min(lease.wall.since(now.wall)))
    }
}

#[cfg(test)]
#[path = "feed_tests.rs"]
mod tests;
