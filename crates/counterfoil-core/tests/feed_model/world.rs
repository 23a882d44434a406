//! What there is: guards with their messages and leases, replicas with their copies, one log. Every time is an age or
//! what is left, and stops counting once it can matter no more, so that the world is finite however long it runs.

use crate::model::{Feature, Feed};
use crate::rules::Mutation;

/// Guards at the most.
pub(crate) const GUARDS: usize = 3;

/// What an entry hits; also its bit in an index.
pub(crate) type What = u8;
/// A session whose tokens are all dead by the time of a restore: its entry is not replayed.
pub(crate) const OTHER: What = 0;
pub(crate) const SESSION: What = 1;
pub(crate) const KEY: What = 2;

/// A position in a log: which log, and what stands there up to it, two bits an entry, the first one lowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub(crate) log: u8,
    pub(crate) code: u8,
}

impl Place {
    /// The targets, in order.
    pub(crate) fn targets(self) -> impl Iterator<Item = What> {
        (0..4).map(move |at| self.code >> (2 * at) & 3).take_while(|it| *it > 0).map(|it| it - 1)
    }

    pub(crate) fn len(self) -> u8 {
        u8::try_from(self.targets().count()).expect("logs of the model are short")
    }

    /// The number of this target's entry.
    pub(crate) fn seq(self, what: What) -> Option<u8> {
        (1_u8..).zip(self.targets()).find(|(_, it)| *it == what).map(|(seq, _)| seq)
    }

    #[must_use]
    pub(crate) fn push(self, what: What) -> Self {
        Self { code: self.code | (what + 1) << (2 * self.len()), ..self }
    }
}

/// A guard's process. What it holds is read off the real one after each step, and the real one is made from it before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Guard {
    /// By how much its clock is slower or faster than the authority's.
    pub(crate) rate: i8,
    pub(crate) cursor: Option<Place>,
    pub(crate) index: u8,
    /// Acknowledged, and not yet in the index: only where a rule is taken out.
    pub(crate) late: u8,
    /// What is left of the lease, in milliseconds of its own clock.
    pub(crate) left: i16,
    /// How many ticks ago the poll under way was sent.
    pub(crate) asked: Option<i8>,
}

/// A poll on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Poll {
    /// Its nonce is the one that the guard waits for.
    pub(crate) current: bool,
    pub(crate) after: Option<Place>,
}

/// How far a replica has got with a poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Stage {
    /// For so many ticks.
    Waiting(i8),
    /// The lease is in the table; x was so many ticks after the arrival. The log is read next: itself, or the copy.
    Granted { held: i8, fresh: bool },
    /// The wrong order: read, waiting for so many ticks, and not yet in the table.
    Read { age: i8, page: Page },
}

/// A poll at a replica.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Work {
    pub(crate) poll: Poll,
    pub(crate) replica: usize,
    pub(crate) stage: Stage,
}

/// What was read for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Page {
    pub(crate) place: Place,
    pub(crate) snapshot: bool,
    pub(crate) entries: u8,
}

/// An answer on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Reply {
    pub(crate) current: bool,
    pub(crate) held: i8,
    /// Granted by the shorter S.
    pub(crate) shorter: bool,
    pub(crate) page: Page,
}

/// A row of a replica's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Lease {
    pub(crate) acknowledged: u8,
    /// Ticks left.
    pub(crate) left: i8,
}

/// A guard, and all that concerns it alone: guards are interchangeable.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Slot {
    pub(crate) guard: Guard,
    pub(crate) polls: [Option<Poll>; 2],
    pub(crate) works: [Option<Work>; 2],
    pub(crate) replies: [Option<Reply>; 2],
    /// In each replica's table.
    pub(crate) leases: [Option<Lease>; 2],
}

/// Whether a replica serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Phase {
    /// It is not in the registry.
    Off,
    /// It is in the registry, and has still to read the log.
    Registered,
    Serving,
}

/// A replica: its journal and its leases, which are the real ones, and its rows in the harness's registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Replica {
    pub(crate) phase: Phase,
    /// Its copy of the log, and how many ticks ago the reading of it began.
    pub(crate) copy: Option<(u8, i8)>,
    /// Ticks until no lease is alive that this process has not granted itself.
    pub(crate) alone: i8,
    /// It runs by the shorter S.
    pub(crate) shorter: bool,
    /// It has dropped the entries past their time.
    pub(crate) forgot: bool,
    /// The row of a guard that is no more.
    pub(crate) ghost: Option<Lease>,
    /// The highest floor it has ever published: an overwriting that comes late is the worst case.
    pub(crate) floor: u8,
}

/// What has been seen, for runs that ask whether something happens at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Sight {
    /// A guard accepts.
    Accepts,
    /// A receipt by acknowledgement, with a guard that accepts.
    Early,
    /// A receipt by acknowledgement at a replica that is not the only one, with a guard that accepts.
    EarlyAmongTwo,
    /// A receipt by time, with a guard that was accepting and has not heard of the entry.
    ByTime,
}

/// A state of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) slots: [Slot; GUARDS],
    pub(crate) replicas: [Replica; 2],
    pub(crate) log: Place,
    /// How long ago each target was committed.
    pub(crate) committed: [i8; 3],
    /// Targets that have been reported to be effective: asking is free, so whatever could be said has been said.
    pub(crate) reported: u8,
    pub(crate) guard_restarts: u8,
    pub(crate) restarts: u8,
    pub(crate) restores: u8,
    /// What the run asks for has happened.
    pub(crate) found: bool,
}

/// Puts `item` into a free place.
pub(crate) fn put<T>(places: &mut [Option<T>], item: T) {
    let free = places.iter_mut().find(|place| place.is_none()).expect("the caller has looked for room");
    *free = Some(item);
}

/// How many places are taken.
pub(crate) fn count<T>(places: &[Option<T>]) -> usize {
    places.iter().filter(|place| place.is_some()).count()
}

impl Slot {
    /// Messages that are somewhere.
    pub(crate) fn under_way(&self) -> usize {
        count(&self.polls) + count(&self.works) + count(&self.replies)
    }

    /// Whether an answer to the poll under way may come, or `any` answer.
    fn awaits(&self, any: bool) -> bool {
        let counts = |current: bool| current || any;
        self.polls.iter().flatten().any(|it| counts(it.current))
            || self.works.iter().flatten().any(|it| counts(it.poll.current))
            || self.replies.iter().flatten().any(|it| counts(it.current))
    }

    /// Nothing that is under way answers what the guard waits for any more. What is stale can only make a receipt later
    /// (its lease, its lower cursor), so most runs lose it at once.
    pub(crate) fn outdate(&mut self, keep: bool) {
        for place in &mut self.polls {
            *place = place.filter(|_| keep).map(|it| Poll { current: false, ..it });
        }
        for place in &mut self.works {
            *place = place.filter(|_| keep).map(|it| Work { poll: Poll { current: false, ..it.poll }, ..it });
        }
        for place in &mut self.replies {
            *place = place.filter(|_| keep).map(|it| Reply { current: false, ..it });
        }
    }
}

impl World {
    /// Nothing has happened; every guard has the clock it is given.
    pub(crate) fn first(run: &Feed, rates: [i8; GUARDS]) -> Self {
        let copy = run.has(Feature::Copies).then_some((0, 0));
        let serving =
            Replica { phase: Phase::Serving, copy, alone: 0, shorter: false, forgot: false, ghost: None, floor: 0 };
        let second =
            if run.has(Feature::SecondJoins) { Replica { phase: Phase::Off, copy: None, ..serving } } else { serving };
        Self {
            slots: rates.map(|rate| Slot { guard: Guard { rate, ..Guard::default() }, ..Slot::default() }),
            replicas: [serving, second],
            log: Place { log: 0, code: 0 },
            committed: [0; 3],
            reported: 0,
            guard_restarts: run.guard_restarts,
            restarts: run.restarts,
            restores: run.restores,
            found: false,
        }
    }

    /// The one name of all worlds that differ only in how guards and messages are called, or in what nothing can come of.
    pub(crate) fn canonical(mut self, run: &Feed) -> Self {
        self.fade(run);
        for slot in &mut self.slots {
            slot.polls.sort_unstable();
            slot.works.sort_unstable();
            slot.replies.sort_unstable();
        }
        self.slots[..run.guards].sort_unstable();
        self
    }

    /// When a poll was sent matters to what may still answer it, and tables matter to receipts that are still to be given.
    fn fade(&mut self, run: &Feed) {
        for slot in &mut self.slots {
            let any = run.rules == Mutation::NonceNotChecked;
            slot.guard.asked = slot.guard.asked.filter(|_| slot.awaits(any));
        }
        let speaks = |what: &What| run.claim.targets().contains(what);
        if run.revoked.iter().filter(|what| speaks(what)).all(|what| self.reported >> what & 1 == 1) {
            self.slots.iter_mut().for_each(|slot| slot.leases = [None; 2]);
            self.committed = [0; 3];
            for it in &mut self.replicas {
                (it.alone, it.ghost, it.floor) = (0, None, 0);
            }
        }
    }

    /// One tick passes.
    pub(crate) fn tick(&mut self, run: &Feed) {
        for slot in &mut self.slots[..run.guards] {
            let guard = &mut slot.guard;
            guard.left = (guard.left - Feed::tick_of(guard.rate)).max(0);
            guard.asked = guard.asked.map(|age| (age + 1).min(run.staleness + run.wait + 2));
            for place in &mut slot.works {
                *place = place.and_then(|work| work.later(run.wait));
            }
            slot.leases.iter_mut().for_each(Lease::later);
        }
        for replica in &mut self.replicas[..run.replicas] {
            Lease::later(&mut replica.ghost);
            replica.alone = (replica.alone - 1).max(0);
            replica.copy = replica.copy.map(|(code, age)| (code, (age + 1).min(run.far())));
        }
        for what in self.log.targets() {
            let age = &mut self.committed[usize::from(what)];
            *age = (*age + 1).min(run.far());
        }
    }
}

impl Work {
    /// A replica answers within `wait`, or not at all.
    fn later(self, wait: i8) -> Option<Self> {
        let stage = match self.stage {
            Stage::Waiting(age) => Stage::Waiting(age + 1),
            Stage::Read { age, page } => Stage::Read { age: age + 1, page },
            granted @ Stage::Granted { .. } => granted,
        };
        let in_time = !matches!(stage, Stage::Waiting(age) | Stage::Read { age, .. } if age > wait);
        in_time.then_some(Self { stage, ..self })
    }
}

impl Lease {
    /// Rows that have run out are dropped.
    fn later(row: &mut Option<Self>) {
        *row = row.filter(|it| it.left > 1).map(|it| Self { left: it.left - 1, ..it });
    }
}
