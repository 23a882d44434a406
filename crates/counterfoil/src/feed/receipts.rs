//! Receipts: waiting until an entry of the log is in force at every verifier.

use super::Feed;
use counterfoil_core::feed::{How, Leases};
use counterfoil_guard::{Instance, Tick};
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

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
    /// Every verifier of this replica that could have accepted, in the order in which they confirmed.
    pub verifiers: Vec<Confirmation>,
    /// How many verifiers other replicas and their guards are that have confirmed it, and how many there are.
    pub elsewhere: (usize, usize),
}

impl Feed {
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
                Ok((ms, elsewhere)) => {
                    metrics::histogram!("counterfoil_receipt_seconds").record(Duration::from_millis(ms).as_secs_f64());
                    return Receipt { seq, ms, verifiers: watched.confirmed, elsewhere };
                }
                Err(wait) => wait.max(Duration::from_millis(1)),
            };
            drop(tokio::time::timeout(wait, progress.changed()).await);
        }
    }

    /// After how many milliseconds it has become effective, and what others say; if it has not, when to look again at the latest.
    fn look(&self, watched: &mut Watched) -> Result<(u64, (usize, usize)), Duration> {
        let state = self.state.lock();
        let (leases, now) = (&state.leases, self.clock.tick());
        if state.journal.cursor().seq < watched.seq {
            return Err(leases.policy().max_staleness);
        }
        // Leases granted from here on know the entry.
        let committed = *watched.committed.get_or_insert(now);
        let ms = u64::try_from(now.since(watched.begun).as_millis()).unwrap_or(u64::MAX);
        watched.observe(leases, now, ms);
        // Among replicas, those there were at the commit must be known; early, also that all of theirs have it.
        let (looked, all_have) = state
            .copy
            .as_ref()
            .map_or((true, true), |copy| (copy.peers.looked_after(committed), copy.peers.all_have(watched.seq)));
        let how = leases.effective(watched.seq, committed, now);
        match how.filter(|how| looked && (all_have || *how == How::Time)) {
            Some(how) => {
                watched.confirm_the_rest(how, ms);
                Ok((ms, state.copy.as_ref().map_or((0, 0), |copy| copy.peers.count(watched.seq))))
            }
            None => Err(leases.next_change(committed, now).since(now)),
        }
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
