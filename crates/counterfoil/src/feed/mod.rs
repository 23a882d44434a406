//! The revocation feed: guards wait here for news, and receipts for guards. The decisions are in `counterfoil_core::feed`; this
//! holds their state under one lock, and wakes whoever waits.

mod lag;
mod receipts;

use crate::clock::Clock;
use crate::store::LogState;
use counterfoil_core::Timestamp;
use counterfoil_core::feed::{Journal, Leases, Page, Peer, Peers, Policy};
use counterfoil_guard::feed::Poll;
use counterfoil_guard::{Answer, Cursor, Entry, Flat, Instance, LogId, Tick};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit, watch};

pub use receipts::{Confirmation, Receipt};

/// How many snapshots are made at a time, and from how many entries on that matters.
const SNAPSHOTS: usize = 4;
const LONG: usize = 4096;

/// The feed of this process.
pub struct Feed {
    state: Mutex<State>,
    /// Long answers are made a few at a time: a thousand guards after a restore must not take a thousand copies of the log.
    snapshots: Semaphore,
    clock: Arc<dyn Clock>,
    /// Counts what came into the journal: long polls wait for it.
    news: watch::Sender<u64>,
    /// Counts what may make an entry effective: receipts wait for it.
    progress: watch::Sender<u64>,
    /// Until when the copy of the log may be relied on, as milliseconds of a tick; for ever where it is no copy.
    current_until: AtomicI64,
}

struct State {
    journal: Journal,
    leases: Leases,
    /// Where others write to the log too: what is here is a copy of it.
    copy: Option<Copy>,
    /// Whether this process is about to end: nobody waits any more.
    closing: bool,
}

/// A copy of the log, and who else has one.
struct Copy {
    /// When the reading of the log began that the journal holds at least what there was then.
    read_at: Tick,
    peers: Peers,
}

/// What there is to measure.
#[derive(Clone, Copy, Debug, Default)]
pub struct Summary {
    /// The newest entry.
    pub head: u64,
    /// Guards with a lease.
    pub guards: u64,
    /// By how many entries the furthest of them is behind.
    pub furthest_behind: u64,
    /// How long the lease that ends first has to go.
    pub first_lease_ends: Option<Duration>,
    /// How old the copy of the log is; nothing where it is none.
    pub copy_age: Duration,
    /// Other replicas.
    pub peers: u64,
}

/// What a look at the log and at the other replicas has shown.
pub struct Look<'a> {
    /// When it began and when it had ended.
    pub span: (Tick, Tick),
    /// The entries after those that are here, in their order.
    pub entries: &'a [Entry],
    /// The newest entry there was: only when everything up to it is here has all of the log been seen.
    pub head: u64,
    /// The other replicas.
    pub peers: &'a [Peer],
    /// The longest S by which anybody may have granted leases.
    pub promised: Duration,
}

impl Feed {
    /// From the log as the store has it. `promised` is the longest `max_staleness` by which leases may be alive.
    /// `shared`: others write to the log too, and nothing is granted before there has been a [`Feed::follow`].
    pub fn new(log: LogState, (policy, promised): (Policy, Duration), shared: bool, clock: Arc<dyn Clock>) -> Self {
        let leases = Leases::new(policy, promised, clock.tick());
        let journal = Journal::new(log.id, log.head.as_ref(), log.in_force);
        let copy = shared.then(|| Copy { read_at: Tick::default(), peers: Peers::default() });
        let state = Mutex::new(State { journal, leases, copy, closing: false });
        Self {
            state,
            snapshots: Semaphore::new(SNAPSHOTS),
            clock,
            news: watch::Sender::new(0),
            progress: watch::Sender::new(0),
            current_until: AtomicI64::new(if shared { 0 } else { i64::MAX }),
        }
    }

    /// Takes in what a look at the log and at the other replicas has shown.
    pub fn follow(&self, look: &Look<'_>) {
        let mut state = self.state.lock();
        let before = state.journal.cursor().seq;
        state.journal.append(look.entries);
        let now = state.journal.cursor().seq;
        let (news, complete) = (now != before, now >= look.head);
        let State { leases, copy, .. } = &mut *state;
        if let Some(copy) = copy {
            copy.peers.look(look.span, look.peers);
            leases.others_promise(copy.peers.longest().max(look.promised));
            if complete {
                copy.read_at = copy.read_at.max(look.span.0);
                let policy = leases.policy();
                let until = copy.read_at.plus(policy.max_staleness.saturating_sub(policy.margin));
                self.current_until.store(until.as_millis(), Ordering::Release);
            }
        }
        drop(state);
        if news {
            self.news.send_modify(|count| *count += 1);
        }
        self.progress.send_modify(|count| *count += 1);
    }

    /// Whether what is known of the log may be relied on here (S2): a replica that has not been able to read it for so long
    /// that a revocation may have become effective without it accepts nothing.
    pub fn is_current(&self) -> bool {
        let until = self.current_until.load(Ordering::Acquire);
        until == i64::MAX || self.clock.tick().as_millis() < until
    }

    /// The entry that is in force at every verifier of this replica, if that is known.
    pub fn floor(&self) -> Option<u64> {
        let state = self.state.lock();
        state.leases.floor(state.journal.cursor().seq, self.clock.tick())
    }

    /// The other replicas whose leases are all over, with their last sign of life.
    pub fn gone(&self) -> Vec<([u8; 16], i64)> {
        let state = self.state.lock();
        let margin = state.leases.policy().margin;
        state.copy.as_ref().map(|copy| copy.peers.gone(margin)).unwrap_or_default()
    }

    /// What there is to measure.
    pub fn summary(&self) -> Summary {
        let state = self.state.lock();
        let (now, head) = (self.clock.tick(), state.journal.cursor().seq);
        let mut summary = Summary { head, ..Summary::default() };
        for (_, lease) in state.leases.live(now) {
            let left = lease.until.since(now);
            summary.guards += 1;
            summary.furthest_behind = summary.furthest_behind.max(head.saturating_sub(lease.acknowledged));
            summary.first_lease_ends = Some(summary.first_lease_ends.map_or(left, |first| first.min(left)));
        }
        if let Some(copy) = &state.copy {
            summary.copy_age = now.since(copy.read_at);
            summary.peers = copy.peers.len() as u64;
        }
        summary
    }

    /// Changes whenever a verifier may have taken something in.
    pub fn progress(&self) -> watch::Receiver<u64> {
        self.progress.subscribe()
    }

    /// Waits until everything up to this entry counts here; `false` if that takes too long.
    pub async fn caught_up(&self, seq: u64, within: Duration) -> bool {
        let mut news = self.news.subscribe();
        let caught_up = async {
            while self.head() < seq {
                // The sender lives as long as this does.
                drop(news.changed().await);
            }
        };
        tokio::time::timeout(within, caught_up).await.is_ok()
    }

    /// Whether this process is about to end.
    pub fn is_closing(&self) -> bool {
        self.state.lock().closing
    }

    /// Nobody is kept waiting any more: this process is about to end.
    pub fn close(&self) {
        self.state.lock().closing = true;
        self.wake();
    }

    /// Takes in what has just been committed.
    pub fn append(&self, entries: &[Entry]) {
        self.state.lock().journal.append(entries);
        self.wake();
    }

    /// Makes everybody who waits look again.
    pub fn wake(&self) {
        self.news.send_modify(|count| *count += 1);
        self.progress.send_modify(|count| *count += 1);
    }

    /// The newest entry there is.
    pub fn head(&self) -> u64 {
        self.state.lock().journal.cursor().seq
    }

    /// Changes whenever there may be something new.
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// What is in force and comes after the cursor, or everything, for a reader in this process.
    pub fn after(&self, cursor: Option<Cursor>) -> Page {
        self.state.lock().journal.after(cursor)
    }

    /// Which log it is: new after every restore.
    pub fn log(&self) -> LogId {
        self.state.lock().journal.cursor().log
    }

    /// Whether this process is known by another guard's credential: nobody acknowledges for somebody else.
    pub fn is_anothers(&self, name: &str, poll: &Poll) -> bool {
        let state = self.state.lock();
        let mut live = state.leases.live(self.clock.tick());
        live.any(|(instance, lease)| *instance == poll.instance && lease.name != name)
    }

    /// A place to make a long answer in, when this poll calls for one; held until it is written.
    pub async fn place_for(&self, poll: &Poll) -> Option<SemaphorePermit<'_>> {
        let long = {
            let state = self.state.lock();
            let known = poll.after.and_then(|cursor| state.journal.acknowledged(cursor));
            known.is_none() && state.journal.len() > LONG
        };
        // The semaphore is never closed.
        if long { self.snapshots.acquire().await.ok() } else { None }
    }

    /// Answers a guard's poll: at once when there is something new, else after its `wait`. The cursor it brings acknowledges
    /// what it has taken in.
    pub async fn poll(&self, name: &str, poll: &Poll, keys_etag: impl Fn() -> String) -> Answer {
        let arrival = self.clock.tick();
        let mut news = self.news.subscribe();
        let wait = poll.wait.min(self.state.lock().leases.policy().max_staleness / 2);
        self.acknowledge(poll);
        let until = arrival.plus(wait);
        loop {
            if let Some(answer) = self.grant(name, poll, (arrival, until), &keys_etag) {
                return answer;
            }
            let left = until.since(self.clock.tick()).max(Duration::from_millis(1));
            // Either way it looks again; the sender lives as long as this does.
            drop(tokio::time::timeout(left, news.changed()).await);
        }
    }

    fn acknowledge(&self, poll: &Poll) {
        let mut state = self.state.lock();
        let acknowledged = poll.after.and_then(|cursor| state.journal.acknowledged(cursor)).unwrap_or(0);
        state.leases.acknowledge(poll.instance, acknowledged);
        drop(state);
        self.progress.send_modify(|count| *count += 1);
    }

    /// In this order, under one lock: the time, the lease from it, the log. Whatever was in the log at that time is in what the
    /// guard is told, so no lease outlives an entry that it does not know by more than S. From a copy of the log the time is
    /// that at which the reading behind it began.
    fn grant(
        &self,
        name: &str,
        poll: &Poll,
        (arrival, until): (Tick, Tick),
        keys_etag: &impl Fn() -> String,
    ) -> Option<Answer> {
        let mut state = self.state.lock();
        let now = self.clock.tick();
        if now < until && poll.after == Some(state.journal.cursor()) && !state.closing {
            return None;
        }
        let x = state.copy.as_ref().map_or(now, |copy| copy.read_at);
        let acknowledged = poll.after.and_then(|cursor| state.journal.acknowledged(cursor)).unwrap_or(0);
        state.leases.grant(poll.instance, name, acknowledged, x);
        let (page, policy) = (state.journal.after(poll.after), state.leases.policy());
        drop(state);
        let held = x.as_millis() - arrival.as_millis();
        Some(answer(poll, &page, policy, (held, self.clock.now()), keys_etag()))
    }

    /// Whether no lease can be alive that an earlier process has granted, by an earlier `max_staleness` either.
    pub fn is_alone(&self) -> bool {
        self.state.lock().leases.is_alone(self.clock.tick())
    }

    /// Now and then: leases and entries that are over.
    pub fn forget(&self, now: Timestamp) {
        let mut state = self.state.lock();
        state.journal.forget_before(now);
        let tick = self.clock.tick();
        state.leases.forget(tick);
    }

    /// Whether an entry has not come by that others wait for.
    pub fn has_gap(&self) -> bool {
        self.state.lock().journal.has_gap()
    }

    /// The log anew from the store; leases stay.
    pub fn reload(&self, log: LogState) {
        let journal = Journal::new(log.id, log.head.as_ref(), log.in_force);
        let mut state = self.state.lock();
        if journal.cursor().seq >= state.journal.cursor().seq {
            // Those after the head that was read may have come by since: nobody would hear of them again.
            let before = std::mem::replace(&mut state.journal, journal);
            state.journal.append(&before.into_waiting());
        }
        drop(state);
        self.wake();
    }

    /// The verifiers that may accept something now: names, and where they stand.
    pub fn verifiers(&self) -> Vec<(String, Instance, u64)> {
        let state = self.state.lock();
        let live = state.leases.live(self.clock.tick());
        live.map(|(instance, lease)| (lease.name.clone(), *instance, lease.acknowledged)).collect()
    }
}

fn answer(poll: &Poll, page: &Page, policy: Policy, (held_ms, now): (i64, Timestamp), keys_etag: String) -> Answer {
    let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let mut answer = Answer {
        instance: poll.instance,
        nonce: poll.nonce.clone(),
        cursor: page.cursor,
        snapshot: page.snapshot,
        held_ms,
        now: now.as_millis(),
        max_staleness_ms: millis(policy.max_staleness),
        margin_ms: millis(policy.margin),
        keys_etag,
        sessions: Flat::default(),
        tokens: Flat::default(),
        stale: Flat::default(),
        keys: Vec::new(),
    };
    for entry in &page.entries {
        answer.push(entry);
    }
    answer
}
