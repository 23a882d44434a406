//! The revocation feed: guards wait here for news, and receipts for guards. The decisions are in `counterfoil_core::feed`; this
//! holds their state under one lock, and wakes whoever waits.

use crate::clock::Clock;
use crate::store::LogState;
use counterfoil_core::Timestamp;
use counterfoil_core::feed::{How, Journal, Leases, Page, Policy};
use counterfoil_guard::feed::Poll;
use counterfoil_guard::{Answer, Cursor, Entry, Flat, Instance, LogId, Tick};
use parking_lot::Mutex;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit, watch};

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
}

struct State {
    journal: Journal,
    leases: Leases,
}

/// A verifier that a receipt speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// Whose credential it has.
    pub name: String,
    /// Which process of it.
    pub instance: Instance,
    /// By what it is known that it refuses.
    pub how: How,
    /// Milliseconds after the commit.
    pub ms: u64,
}

/// That an entry of the log is in force at every verifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The entry.
    pub seq: u64,
    /// How long it took, in milliseconds after the commit.
    pub ms: u64,
    /// Every verifier that could have accepted, in the order in which they confirmed.
    pub verifiers: Vec<Confirmation>,
}

impl Feed {
    /// From the log as the store has it. `promised` is the longest `max_staleness` by which leases may be alive.
    pub fn new(log: LogState, policy: Policy, promised: Duration, clock: Arc<dyn Clock>) -> Self {
        let leases = Leases::new(policy, promised, clock.tick());
        let journal = Journal::new(log.id, log.head.as_ref(), log.in_force);
        let state = Mutex::new(State { journal, leases });
        Self {
            state,
            snapshots: Semaphore::new(SNAPSHOTS),
            clock,
            news: watch::Sender::new(0),
            progress: watch::Sender::new(0),
        }
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
    /// guard is told, so no lease outlives an entry that it does not know by more than S.
    fn grant(
        &self,
        name: &str,
        poll: &Poll,
        (arrival, until): (Tick, Tick),
        keys_etag: &impl Fn() -> String,
    ) -> Option<Answer> {
        let mut state = self.state.lock();
        let x = self.clock.tick();
        if x < until && poll.after == Some(state.journal.cursor()) {
            return None;
        }
        let acknowledged = poll.after.and_then(|cursor| state.journal.acknowledged(cursor)).unwrap_or(0);
        state.leases.grant(poll.instance, name, acknowledged, x);
        let (page, policy) = (state.journal.after(poll.after), state.leases.policy());
        drop(state);
        let held = x.as_millis() - arrival.as_millis();
        Some(answer(poll, &page, policy, (held, self.clock.now()), keys_etag()))
    }

    /// Waits until the entry, and all before it, are in force at every verifier: at the latest S and a little after it was
    /// committed. To be called after the commit.
    pub async fn effective(&self, seq: u64) -> Receipt {
        self.effective_telling(seq, |_| ()).await
    }

    /// The same, and tells of each verifier as soon as it is known to refuse.
    pub async fn effective_telling(&self, seq: u64, mut tell: impl FnMut(&Confirmation) + Send) -> Receipt {
        let mut progress = self.progress.subscribe();
        let mut watched = Watched::begin(seq, self.clock.tick());
        loop {
            let told = watched.confirmed.len();
            let looked = self.look(&mut watched);
            for confirmation in &watched.confirmed[told..] {
                tell(confirmation);
            }
            let wait = match looked {
                Ok(ms) => return Receipt { seq, ms, verifiers: watched.confirmed },
                Err(wait) => wait.max(Duration::from_millis(1)),
            };
            drop(tokio::time::timeout(wait, progress.changed()).await);
        }
    }

    /// After how many milliseconds it has become effective; if it has not, when to look again at the latest.
    fn look(&self, watched: &mut Watched) -> Result<u64, Duration> {
        let state = self.state.lock();
        let (leases, now) = (&state.leases, self.clock.tick());
        if state.journal.cursor().seq < watched.seq {
            return Err(leases.policy().max_staleness);
        }
        // Leases granted from here on know the entry.
        let committed = *watched.committed.get_or_insert(now);
        let ms = u64::try_from(now.since(watched.begun).as_millis()).unwrap_or(u64::MAX);
        watched.observe(leases, now, ms);
        match leases.effective(watched.seq, committed, now) {
            Some(how) => {
                watched.confirm_the_rest(how, ms);
                Ok(ms)
            }
            None => Err(leases.next_change(committed, now).since(now)),
        }
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

/// An entry somebody waits for.
struct Watched {
    seq: u64,
    begun: Tick,
    /// When it was first seen in the journal.
    committed: Option<Tick>,
    /// Who may accept, and has not been heard to refuse.
    awaited: BTreeMap<Instance, String>,
    /// Who is known to refuse, in the order in which that became known.
    confirmed: Vec<Confirmation>,
    instances: HashSet<Instance>,
}

impl Watched {
    fn begin(seq: u64, begun: Tick) -> Self {
        let (awaited, confirmed, instances) = Default::default();
        Self { seq, begun, committed: None, awaited, confirmed, instances }
    }

    /// Notes who has confirmed since the last look, and who has to be waited for.
    fn observe(&mut self, leases: &Leases, now: Tick, ms: u64) {
        for (instance, lease) in leases.live(now) {
            if self.instances.contains(instance) {
                continue;
            }
            if lease.acknowledged >= self.seq {
                self.awaited.remove(instance);
                self.confirm(*instance, lease.name.clone(), How::Acknowledged, ms);
            } else if !self.awaited.contains_key(instance) {
                self.awaited.insert(*instance, lease.name.clone());
            }
        }
        let over: Vec<Instance> =
            self.awaited.keys().filter(|instance| !leases.is_live(instance, now)).copied().collect();
        for instance in over {
            if let Some(name) = self.awaited.remove(&instance) {
                self.confirm(instance, name, How::Time, ms);
            }
        }
    }

    fn confirm_the_rest(&mut self, how: How, ms: u64) {
        for (instance, name) in std::mem::take(&mut self.awaited) {
            self.confirm(instance, name, how, ms);
        }
    }

    fn confirm(&mut self, instance: Instance, name: String, how: How, ms: u64) {
        self.instances.insert(instance);
        self.confirmed.push(Confirmation { name, instance, how, ms });
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
