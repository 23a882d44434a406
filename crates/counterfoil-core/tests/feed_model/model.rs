//! The configuration of a run, and the checker's view of it: which actions there are, which property is asked.

use crate::rules::Mutation;
use crate::world::{GUARDS, KEY, OTHER, Phase, SESSION, Sight, Stage, What, World, count};
use stateright::{Model, Property};

/// One tick, in milliseconds of the authority's clock.
pub(crate) const TICK: i16 = 10;

/// What takes part in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Feature {
    /// Granting and reading are one step.
    Atomic,
    /// What the guard no longer waits for stays on its way.
    Delayed,
    /// A poll may arrive twice.
    Repeats,
    /// Replicas answer from copies of the log.
    Copies,
    /// Replicas may also read the log itself for an answer.
    Fresh,
    /// The second replica comes up later, and may leave again.
    SecondJoins,
    /// A restart of the authority shortens S.
    Shortens,
    /// Entries past their time are dropped.
    Forgets,
}

/// What is claimed. One per run: with several open, stateright 0.31 may report a longer trace than needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// S2 and K2: what has been reported to be effective is never accepted again.
    RevokedStaysRevoked,
    /// K2 alone, when everything else has been forgotten.
    KeyStaysRevoked,
    /// Reached at all.
    Sees(Sight),
}

/// A run. Times are ticks.
#[derive(Clone, Debug)]
pub(crate) struct Feed {
    pub(crate) claim: Claim,
    pub(crate) rules: Mutation,
    pub(crate) with: &'static [Feature],
    pub(crate) guards: usize,
    pub(crate) replicas: usize,
    /// S.
    pub(crate) staleness: i8,
    /// S after a restart that shortens it.
    pub(crate) shorter: i8,
    /// m.
    pub(crate) margin: i8,
    /// How long a poll waits at a replica.
    pub(crate) wait: i8,
    /// By how many milliseconds in a tick a guard's clock may be slow or fast.
    pub(crate) rates: &'static [i8],
    /// What may be revoked.
    pub(crate) revoked: &'static [What],
    /// A guard's messages at one time.
    pub(crate) in_flight: usize,
    pub(crate) guard_restarts: u8,
    pub(crate) restarts: u8,
    pub(crate) restores: u8,
}

/// A step. Numbers are places in the lists of the state before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// A guard asks; a poll still under way is given up.
    Ask {
        guard: usize,
    },
    /// A poll reaches a replica; `again` leaves a copy on the network.
    Arrive {
        guard: usize,
        poll: usize,
        replica: usize,
        again: bool,
    },
    /// The replica grants the lease, on the log itself (`fresh`) or on its copy.
    Grant {
        guard: usize,
        work: usize,
        fresh: bool,
    },
    /// It reads, and answers.
    Answer {
        guard: usize,
        work: usize,
    },
    /// The answer reaches the guard.
    Receive {
        guard: usize,
        reply: usize,
    },
    LosePoll {
        guard: usize,
        poll: usize,
    },
    LoseWork {
        guard: usize,
        work: usize,
    },
    LoseReply {
        guard: usize,
        reply: usize,
    },
    /// What was acknowledged too early gets into the index.
    Settle {
        guard: usize,
    },
    Tick,
    Revoke {
        what: What,
    },
    /// A guard's process is a new one.
    RestartGuard {
        guard: usize,
    },
    /// A replica's process is a new one.
    Restart {
        replica: usize,
    },
    /// The log is put back, and what was revoked replayed, perhaps in another order.
    Restore {
        reversed: bool,
    },
    /// A replica reads the log into its copy.
    Read {
        replica: usize,
    },
    Register {
        replica: usize,
    },
    Leave {
        replica: usize,
    },
    ReplicaForgets {
        replica: usize,
    },
    GuardForgets {
        guard: usize,
    },
}

impl Feed {
    pub(crate) fn has(&self, feature: Feature) -> bool {
        self.with.contains(&feature)
    }

    /// An age at which nothing depends on the time any more.
    pub(crate) const fn far(&self) -> i8 {
        self.staleness + self.margin + 1
    }

    /// What a guard's clock counts in a tick.
    pub(crate) const fn tick_of(rate: i8) -> i16 {
        TICK + rate as i16
    }

    pub(crate) const fn policy_of(&self, shorter: bool) -> (i8, i8) {
        (if shorter { self.shorter } else { self.staleness }, self.margin)
    }

    fn network(&self, world: &World, guard: usize, actions: &mut Vec<Action>) {
        let slot = &world.slots[guard];
        let room = slot.under_way() < self.in_flight;
        if room || !self.has(Feature::Delayed) {
            actions.push(Action::Ask { guard });
        }
        let serving = |replica: &usize| world.replicas[*replica].phase == Phase::Serving;
        for poll in (0..2).filter(|place| slot.polls[*place].is_some()) {
            for replica in (0..self.replicas).filter(serving) {
                actions.push(Action::Arrive { guard, poll, replica, again: false });
                if room && self.has(Feature::Repeats) {
                    actions.push(Action::Arrive { guard, poll, replica, again: true });
                }
            }
            actions.push(Action::LosePoll { guard, poll });
        }
        for work in 0..2 {
            let Some(it) = slot.works[work] else { continue };
            if matches!(it.stage, Stage::Waiting(_)) {
                if self.has(Feature::Copies) {
                    actions.push(Action::Grant { guard, work, fresh: false });
                }
                if self.has(Feature::Fresh) || !self.has(Feature::Copies) {
                    actions.push(Action::Grant { guard, work, fresh: true });
                }
            } else {
                actions.push(Action::Answer { guard, work });
            }
            actions.push(Action::LoseWork { guard, work });
        }
        for reply in (0..2).filter(|place| slot.replies[*place].is_some()) {
            actions.push(Action::Receive { guard, reply });
            actions.push(Action::LoseReply { guard, reply });
        }
        // Unless late messages stay, to lose one is to ask again before it has arrived.
        let lost =
            |it: &Action| matches!(it, Action::LosePoll { .. } | Action::LoseWork { .. } | Action::LoseReply { .. });
        actions.retain(|it| self.has(Feature::Delayed) || !lost(it));
    }

    fn people(&self, world: &World, actions: &mut Vec<Action>) {
        actions.extend(self.revoked.iter().map(|what| Action::Revoke { what: *what }));
        if world.guard_restarts > 0 {
            actions.extend((0..self.guards).map(|guard| Action::RestartGuard { guard }));
        }
        if world.restarts > 0 {
            actions.extend((0..self.replicas).map(|replica| Action::Restart { replica }));
        }
        if world.restores > 0 {
            actions.extend([false, true].map(|reversed| Action::Restore { reversed }));
        }
        if self.has(Feature::Forgets) {
            actions.extend((0..self.replicas).map(|replica| Action::ReplicaForgets { replica }));
            actions.extend((0..self.guards).map(|guard| Action::GuardForgets { guard }));
        }
    }

    fn replicas(&self, actions: &mut Vec<Action>) {
        actions.extend((0..self.replicas).map(|replica| Action::Read { replica }));
        if self.has(Feature::SecondJoins) {
            actions.extend([Action::Register { replica: 1 }, Action::Leave { replica: 1 }]);
        }
    }

    /// Every choice of clocks; guards are interchangeable, so in falling order.
    fn clocks(&self) -> Vec<[i8; GUARDS]> {
        let mut all = vec![[0; GUARDS]];
        for guard in 0..self.guards {
            let with = |it: [i8; GUARDS], rate: i8| {
                let mut it = it;
                it[guard] = rate;
                it
            };
            all = all.iter().flat_map(|it| self.rates.iter().map(move |rate| with(*it, *rate))).collect();
        }
        all.retain(|it| it[..self.guards].is_sorted());
        all
    }
}

impl Model for Feed {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        self.clocks().into_iter().map(|rates| World::first(self, rates).canonical(self)).collect()
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        if world.found {
            return;
        }
        for guard in 0..self.guards {
            self.network(world, guard, actions);
            if world.slots[guard].guard.late != 0 {
                actions.push(Action::Settle { guard });
            }
        }
        self.people(world, actions);
        if self.has(Feature::Copies) {
            self.replicas(actions);
        }
        actions.push(Action::Tick);
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = *world;
        let happens = match action {
            Action::Ask { guard } => next.ask(self, guard),
            Action::Arrive { guard, poll, replica, again } => next.arrive(self, guard, poll, (replica, again)),
            Action::Grant { guard, work, fresh } => next.grant(self, guard, work, fresh) && next.at_once(self, guard),
            Action::Answer { guard, work } => next.answer(self, guard, work),
            Action::Receive { guard, reply } => next.receive(self, guard, reply),
            Action::LosePoll { guard, poll } => next.slots[guard].polls[poll].take().is_some(),
            Action::LoseWork { guard, work } => next.slots[guard].works[work].take().is_some(),
            Action::LoseReply { guard, reply } => next.slots[guard].replies[reply].take().is_some(),
            Action::Settle { guard } => next.settle(guard),
            Action::Tick => {
                next.tick(self);
                true
            }
            Action::Revoke { what } => next.revoke(what),
            Action::RestartGuard { guard } => next.restart_guard(self, guard),
            Action::Restart { replica } => next.restart(self, replica),
            Action::Restore { reversed } => next.restore(self, reversed),
            Action::Read { replica } => next.read(replica, self.rules),
            Action::Register { replica } => next.register(self, replica),
            Action::Leave { replica } => next.leave(self, replica),
            Action::ReplicaForgets { replica } => next.replica_forgets(replica),
            Action::GuardForgets { guard } => next.guard_forgets(guard),
        };
        if !happens {
            return None;
        }
        next.look(self);
        let next = next.canonical(self);
        (next != *world).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![match self.claim {
            Claim::Sees(_) => Property::sometimes("reached", |_, world: &World| world.found),
            _ => Property::always("holds", |_, world: &World| !world.found),
        }]
    }
}

impl Claim {
    /// The targets that it speaks of.
    pub(crate) const fn targets(self) -> &'static [What] {
        match self {
            Self::KeyStaysRevoked => &[KEY],
            _ => &[SESSION, KEY],
        }
    }
}

/// The tokens of an entry that a restore leaves out are dead.
pub(crate) const fn is_replayed(what: What) -> bool {
    what != OTHER
}

/// For `matches!` on a free place.
pub(crate) fn has_room<T>(places: &[Option<T>]) -> bool {
    count(places) < places.len()
}
