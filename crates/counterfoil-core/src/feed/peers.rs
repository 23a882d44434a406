//! The other replicas that share the log, as the registry showed them when this one last looked.

use counterfoil_guard::Tick;
use std::collections::BTreeMap;
use std::time::Duration;

/// Another replica as it stands in the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Which: random, and new at every start.
    pub id: [u8; 16],
    /// Counts its signs of life.
    pub beat: i64,
    /// The entry that is in force at every verifier of it; unknown for a while after its start.
    pub floor: Option<u64>,
    /// How long its leases are.
    pub max_staleness: Duration,
    /// How many guards have one. For people; nothing is decided by it.
    pub verifiers: u32,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    peer: Peer,
    /// When this sign of life had been seen for the first time.
    since: Tick,
}

/// What a replica knows of the others.
#[derive(Clone, Debug, Default)]
pub struct Peers {
    seen: BTreeMap<[u8; 16], Seen>,
    /// When the last look began.
    looked: Option<Tick>,
}

impl Peers {
    /// Takes in what a look has shown, which was at the registry at some moment between `began` and `ended`.
    pub fn look(&mut self, (began, ended): (Tick, Tick), found: &[Peer]) {
        let before = std::mem::take(&mut self.seen);
        for peer in found {
            let known = before.get(&peer.id).filter(|seen| seen.peer.beat == peer.beat);
            let since = known.map_or(ended, |seen| seen.since);
            self.seen.insert(peer.id, Seen { peer: *peer, since });
        }
        self.looked = Some(began);
    }

    /// Whether there has been a look that began after this moment: whoever was registered then is known.
    pub fn looked_after(&self, moment: Tick) -> bool {
        self.looked.is_some_and(|began| began > moment)
    }

    /// Whether this entry is in force at every verifier of every other replica, as far as they say so themselves.
    pub fn all_have(&self, seq: u64) -> bool {
        self.seen.values().all(|seen| seen.peer.floor.is_some_and(|floor| floor >= seq))
    }

    /// How many verifiers the others and their guards are that have this entry, and how many there are in all.
    pub fn count(&self, seq: u64) -> (usize, usize) {
        let all = self
            .seen
            .values()
            .map(|seen| (seen.peer.floor.is_some_and(|floor| floor >= seq), 1 + seen.peer.verifiers as usize));
        all.fold((0, 0), |(have, of), (has, verifiers)| (have + if has { verifiers } else { 0 }, of + verifiers))
    }

    /// The longest S of any of them.
    pub fn longest(&self) -> Duration {
        self.seen.values().map(|seen| seen.peer.max_staleness).max().unwrap_or_default()
    }

    /// Those whose leases are all over, with their last sign of life: it was seen so long ago that even what they granted on
    /// the reading of the log that came with it has run out. They may be taken out of the registry, if they have given none since.
    pub fn gone(&self, margin: Duration) -> Vec<([u8; 16], i64)> {
        let Some(looked) = self.looked else { return Vec::new() };
        let over = |seen: &&Seen| seen.since.plus(seen.peer.max_staleness + 2 * margin) < looked;
        self.seen.values().filter(over).map(|seen| (seen.peer.id, seen.peer.beat)).collect()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.seen.len()
    }

    /// Whether there is no other.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{Peer, Peers};
    use counterfoil_guard::Tick;
    use std::time::Duration;

    const MARGIN: Duration = Duration::from_millis(50);

    fn at(millis: i64) -> Tick {
        Tick::from_millis(millis)
    }

    fn peer(id: u8, beat: i64, floor: Option<u64>) -> Peer {
        Peer { id: [id; 16], beat, floor, max_staleness: Duration::from_secs(5), verifiers: 2 }
    }

    #[test]
    fn what_all_have_is_what_the_last_of_them_has() {
        let mut peers = Peers::default();
        assert!(peers.all_have(9) && !peers.looked_after(at(0)), "nobody is known, and nobody has looked");
        peers.look((at(10), at(12)), &[peer(1, 1, Some(7)), peer(2, 1, Some(9))]);
        assert!(peers.all_have(7) && !peers.all_have(8));
        assert_eq!(peers.count(8), (3, 6), "one of the two, with two guards each");
        assert!(peers.looked_after(at(9)) && !peers.looked_after(at(10)), "a look that began before says nothing");
        peers.look((at(20), at(22)), &[peer(1, 2, None), peer(2, 2, Some(9))]);
        assert!(!peers.all_have(1), "one that has just started knows nothing yet");
    }

    #[test]
    fn one_that_gives_no_sign_is_gone_when_its_leases_are() {
        let mut peers = Peers::default();
        peers.look((at(0), at(2)), &[peer(1, 1, Some(1))]);
        peers.look((at(5_102), at(5_104)), &[peer(1, 1, Some(1))]);
        assert_eq!(peers.gone(MARGIN), [], "one that began its reading at 2 may grant until 5052");
        peers.look((at(5_103), at(5_105)), &[peer(1, 1, Some(1))]);
        assert_eq!(peers.gone(MARGIN), [([1; 16], 1)]);
        peers.look((at(5_200), at(5_201)), &[peer(1, 2, Some(1))]);
        assert_eq!(peers.gone(MARGIN), [], "it lives");
    }
}
