//! Who may still be accepting, and up to which entry they have acknowledged.

use counterfoil_guard::{Instance, Tick};
use std::collections::HashMap;
use std::time::Duration;

/// The feed's two times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// S: how long a guard that hears nothing goes on accepting.
    pub max_staleness: Duration,
    /// m: for clocks that run at different speeds, and for rounding.
    pub margin: Duration,
}

/// What is known of a guard's process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Whose credential it has.
    pub name: String,
    /// Everything up to this entry is in force there.
    pub acknowledged: u64,
    /// After this it accepts nothing unless it has been granted more.
    pub until: Tick,
}

/// By what an entry is known to be effective.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// Every guard that may be accepting has acknowledged it.
    Acknowledged,
    /// Every lease granted without it has run out.
    Time,
}

/// All leases this process has granted and that may be alive. They are never stored: after a restart, time has to do.
#[derive(Clone, Debug)]
pub struct Leases {
    policy: Policy,
    /// The longest S by which other replicas grant leases.
    longest: Duration,
    /// From here on no lease is alive that this process has not granted itself, by an earlier and longer S either.
    alone_from: Tick,
    table: HashMap<Instance, Lease>,
}

impl Leases {
    /// At a start. `promised` is the longest S that this installation may have granted leases by.
    pub fn new(policy: Policy, promised: Duration, started: Tick) -> Self {
        let promised = promised.max(policy.max_staleness);
        let alone_from = started.plus(promised + policy.margin);
        Self { policy, longest: policy.max_staleness, alone_from, table: HashMap::new() }
    }

    /// Other replicas grant leases by this S. It is never forgotten that one did by a longer one: its leases may be alive.
    pub fn others_promise(&mut self, max_staleness: Duration) {
        self.longest = self.longest.max(max_staleness);
    }

    /// The entry that is known to be in force at every guard with a lease of this process, which itself knows the log up to
    /// `head`; `None` as long as leases may be alive that it does not know of.
    pub fn floor(&self, head: u64, now: Tick) -> Option<u64> {
        let least = self.live(now).map(|(_, lease)| lease.acknowledged).fold(head, u64::min);
        self.is_alone(now).then_some(least)
    }

    /// S and m.
    pub const fn policy(&self) -> Policy {
        self.policy
    }

    /// Grants a lease from `x`. To be called after `x` was read and before the log is, all under one lock: whatever was in
    /// the log at `x` is in what the guard is about to be told. From a copy of the log, `x` is when the reading of it began,
    /// and so may lie before an earlier grant's: what that one promised the guard may still hold.
    pub fn grant(&mut self, instance: Instance, name: &str, acknowledged: u64, x: Tick) {
        let until = x.plus(self.policy.max_staleness + self.policy.margin);
        let until = self.table.get(&instance).map_or(until, |lease| lease.until.max(until));
        self.table.insert(instance, Lease { name: name.to_owned(), acknowledged, until });
    }

    /// A guard's poll has come in, and its cursor says what is in force there.
    pub fn acknowledge(&mut self, instance: Instance, acknowledged: u64) {
        if let Some(lease) = self.table.get_mut(&instance) {
            lease.acknowledged = acknowledged;
        }
    }

    /// Whether the entry `seq` is in force at every guard that may accept anything. `committed` is a moment at which the log
    /// that leases are granted from held the entry; ask only after that.
    pub fn effective(&self, seq: u64, committed: Tick, now: Tick) -> Option<How> {
        if now >= self.effective_by(committed) {
            return Some(How::Time);
        }
        let all = self.live(now).all(|(_, lease)| lease.acknowledged >= seq);
        (self.is_alone(now) && all).then_some(How::Acknowledged)
    }

    /// When an entry committed then is effective whatever happens.
    pub fn effective_by(&self, committed: Tick) -> Tick {
        committed.plus(self.longest + self.policy.margin).max(self.alone_from)
    }

    /// When to ask again if nobody acknowledges anything meanwhile.
    pub fn next_change(&self, committed: Tick, now: Tick) -> Tick {
        let ends = self.live(now).map(|(_, lease)| lease.until);
        let by = self.effective_by(committed);
        ends.chain((self.alone_from > now).then_some(self.alone_from)).fold(by, Tick::min)
    }

    /// Whether this instance may still accept without having been granted more.
    pub fn is_live(&self, instance: &Instance, now: Tick) -> bool {
        self.table.get(instance).is_some_and(|lease| lease.until > now)
    }

    /// Whether no lease can be alive that this process has not granted itself.
    pub fn is_alone(&self, now: Tick) -> bool {
        now >= self.alone_from
    }

    /// The leases that may be alive.
    pub fn live(&self, now: Tick) -> impl Iterator<Item = (&Instance, &Lease)> {
        self.table.iter().filter(move |(_, lease)| lease.until > now)
    }

    /// Drops those that have run out.
    pub fn forget(&mut self, now: Tick) {
        self.table.retain(|_, lease| lease.until > now);
    }
}

#[cfg(test)]
mod tests {
    use super::{How, Leases, Policy};
    use counterfoil_guard::{Instance, Tick};
    use std::time::Duration;

    const S: Duration = Duration::from_secs(5);
    const A: Instance = Instance::from_bytes([1; 16]);
    const B: Instance = Instance::from_bytes([2; 16]);

    fn at(millis: i64) -> Tick {
        Tick::from_millis(millis)
    }

    fn leases() -> Leases {
        Leases::new(Policy { max_staleness: S, margin: Duration::from_millis(50) }, S, at(0))
    }

    #[test]
    fn effective_when_every_live_instance_has_acknowledged() {
        let mut leases = leases();
        leases.grant(A, "api", 3, at(10_000));
        leases.grant(B, "api", 4, at(10_000));
        assert_eq!(leases.effective(4, at(10_001), at(10_002)), None, "counted by instance, not by credential");
        leases.acknowledge(A, 4);
        assert_eq!(leases.effective(4, at(10_001), at(10_002)), Some(How::Acknowledged));
        leases.acknowledge(A, 2);
        assert_eq!(leases.effective(4, at(10_001), at(10_002)), None, "a guard that lost its place has lost the entry");
    }

    #[test]
    fn a_guard_that_is_cut_off_is_waited_for_until_its_lease_is_over() {
        let mut leases = leases();
        leases.grant(A, "api", 3, at(10_000));
        assert_eq!(leases.effective(4, at(12_000), at(15_049)), None);
        assert_eq!(leases.effective(4, at(12_000), at(15_050)), Some(How::Acknowledged), "nobody is left");
        leases.grant(A, "api", 3, at(12_000));
        assert_eq!(leases.effective(4, at(12_000), at(17_049)), None);
        assert_eq!(leases.effective(4, at(12_000), at(17_050)), Some(How::Time), "always sound");
    }

    #[test]
    fn a_grant_from_an_earlier_moment_takes_nothing_back() {
        let mut leases = leases();
        leases.grant(A, "api", 3, at(12_000));
        // From a copy of the log that is older than the reading before; and then the guard never hears of it.
        leases.grant(A, "api", 3, at(10_000));
        assert_eq!(leases.effective(4, at(12_001), at(15_050)), None, "it may accept until 16950");
    }

    #[test]
    fn a_floor_is_what_the_slowest_guard_has() {
        let mut leases = leases();
        assert_eq!(leases.floor(7, at(5049)), None, "leases of an earlier process may be alive");
        assert_eq!(leases.floor(7, at(5050)), Some(7), "nobody is behind");
        leases.grant(A, "api", 3, at(6_000));
        assert_eq!(leases.floor(7, at(11_049)), Some(3));
        assert_eq!(leases.floor(2, at(11_049)), Some(2), "and never more than this process knows itself");
        assert_eq!(leases.floor(7, at(11_050)), Some(7));
    }

    #[test]
    fn another_replicas_longer_leases_are_waited_for() {
        let mut leases = leases();
        leases.others_promise(Duration::from_mins(1));
        leases.others_promise(Duration::from_secs(2));
        assert_eq!(leases.effective_by(at(10_000)), at(70_050));
    }

    #[test]
    fn after_a_start_nothing_is_said_early() {
        let leases = leases();
        assert_eq!(leases.effective(1, at(10), at(5049)), None);
        assert_eq!(leases.effective(1, at(10), at(5050)), Some(How::Acknowledged));
    }

    #[test]
    fn a_shorter_bound_counts_only_when_the_longer_leases_are_over() {
        let policy = Policy { max_staleness: Duration::from_secs(1), margin: Duration::from_millis(50) };
        let leases = Leases::new(policy, S, at(0));
        assert_eq!(leases.effective(1, at(10), at(1060)), None);
        assert_eq!(leases.effective(1, at(10), at(5049)), None);
        assert!(leases.effective(1, at(10), at(5050)).is_some());
        assert_eq!(
            leases.effective(1, at(4900), at(5051)),
            Some(How::Acknowledged),
            "from 5050 on nobody else is left"
        );
        assert_eq!(leases.effective_by(at(4900)), at(5950));
    }
}
