//! What each step does. `false`: it cannot be taken here.

use crate::model::{Claim, Feature, Feed, has_room, is_replayed};
use crate::rules::{Mutation, forget, poll, read};
use crate::world::{Guard, Page, Phase, Place, Poll, Replica, Reply, Sight, Slot, Stage, What, Work, World, put};
use counterfoil_core::feed::How;

impl World {
    pub(crate) fn ask(&mut self, run: &Feed, guard: usize) -> bool {
        let slot = &mut self.slots[guard];
        slot.outdate(run.has(Feature::Delayed));
        let after = poll(&slot.guard);
        slot.guard.asked = Some(0);
        if !has_room(&slot.polls) {
            return false;
        }
        put(&mut slot.polls, Poll { current: true, after });
        true
    }

    /// Where a replica stands that reads the log itself, or takes its copy.
    fn place(&self, run: &Feed, replica: usize, fresh: bool) -> Place {
        let copy = self.replicas[replica].copy.filter(|_| run.has(Feature::Copies) && !fresh);
        copy.map_or(self.log, |(code, _)| Place { code, ..self.log })
    }

    pub(crate) fn arrive(&mut self, run: &Feed, guard: usize, place: usize, to: (usize, bool)) -> bool {
        let (replica, again) = to;
        let slot = &mut self.slots[guard];
        let Some(poll) = slot.polls[place].filter(|_| has_room(&slot.works)) else { return false };
        if !again {
            slot.polls[place] = None;
        }
        put(&mut slot.works, Work { poll, replica, stage: Stage::Waiting(0) });
        let acknowledged = self.acknowledged(run, replica, false, poll);
        run.acknowledge(self, replica, guard, acknowledged);
        true
    }

    fn acknowledged(&self, run: &Feed, replica: usize, fresh: bool, poll: Poll) -> u8 {
        run.acknowledged(self.place(run, replica, fresh), self.replicas[replica].forgot, poll.after)
    }

    fn page(&self, run: &Feed, replica: usize, fresh: bool, poll: Poll) -> Page {
        read(self.place(run, replica, fresh), self.replicas[replica].forgot, poll.after)
    }

    /// x := clock, or the start of the reading behind the copy; register. The log is read afterwards.
    pub(crate) fn grant(&mut self, run: &Feed, guard: usize, work: usize, fresh: bool) -> bool {
        let Some(Work { poll, replica, stage: Stage::Waiting(age) }) = self.slots[guard].works[work] else {
            return false;
        };
        let copy = self.replicas[replica].copy.filter(|_| !fresh && run.rules != Mutation::CopyIsFresh);
        let x = copy.map_or(0, |(_, age)| age);
        let stage = if run.rules == Mutation::ReadsFirst {
            Stage::Read { age, page: self.page(run, replica, fresh, poll) }
        } else {
            let acknowledged = self.acknowledged(run, replica, fresh, poll);
            run.grant_lease(self, replica, guard, (acknowledged, x));
            Stage::Granted { held: age - x, fresh }
        };
        self.slots[guard].works[work] = Some(Work { poll, replica, stage });
        true
    }

    pub(crate) fn answer(&mut self, run: &Feed, guard: usize, work: usize) -> bool {
        let Some(Work { poll, replica, stage }) = self.slots[guard].works[work] else { return false };
        let (held, page) = match stage {
            Stage::Waiting(_) => return false,
            Stage::Granted { held, fresh } => (held, self.page(run, replica, fresh, poll)),
            Stage::Read { age, page } => {
                let acknowledged = self.acknowledged(run, replica, false, poll);
                run.grant_lease(self, replica, guard, (acknowledged, 0));
                (age, page)
            }
        };
        let slot = &mut self.slots[guard];
        slot.works[work] = None;
        if !has_room(&slot.replies) {
            return false;
        }
        put(&mut slot.replies, Reply { current: poll.current, held, shorter: self.replicas[replica].shorter, page });
        true
    }

    /// Where a run does not tell granting from reading, both are done.
    pub(crate) fn at_once(&mut self, run: &Feed, guard: usize) -> bool {
        if !run.has(Feature::Atomic) {
            return true;
        }
        let granted = |it: &Option<Work>| it.is_some_and(|it| !matches!(it.stage, Stage::Waiting(_)));
        match self.slots[guard].works.iter().position(granted) {
            Some(work) => self.answer(run, guard, work),
            None => true,
        }
    }

    pub(crate) fn receive(&mut self, run: &Feed, guard: usize, place: usize) -> bool {
        let slot = &mut self.slots[guard];
        let Some(reply) = slot.replies[place].take() else { return false };
        let after = run.take_in(&slot.guard, reply);
        if after.asked.is_none() {
            slot.outdate(run.has(Feature::Delayed));
        }
        slot.guard = after;
        true
    }

    pub(crate) const fn settle(&mut self, guard: usize) -> bool {
        let guard = &mut self.slots[guard].guard;
        guard.index |= guard.late;
        guard.late = 0;
        true
    }

    pub(crate) fn revoke(&mut self, what: What) -> bool {
        if self.log.seq(what).is_some() {
            return false;
        }
        self.log = self.log.push(what);
        self.committed[usize::from(what)] = 0;
        true
    }

    /// A new instance on the same machine. What concerns the old one is lost, but for its rows.
    pub(crate) fn restart_guard(&mut self, run: &Feed, guard: usize) -> bool {
        self.guard_restarts -= 1;
        let slot = &mut self.slots[guard];
        for (replica, row) in self.replicas[..run.replicas].iter_mut().zip(slot.leases) {
            replica.ghost = row;
        }
        let rate = slot.guard.rate;
        *slot = Slot { guard: Guard { rate, ..Guard::default() }, ..Slot::default() };
        true
    }

    pub(crate) fn restart(&mut self, run: &Feed, replica: usize) -> bool {
        if self.replicas[replica].phase == Phase::Off {
            return false;
        }
        self.restarts -= 1;
        self.replicas[replica].shorter |= run.has(Feature::Shortens);
        self.start(run, replica);
        true
    }

    /// A process begins. The registry still has its row, if it had one.
    fn start(&mut self, run: &Feed, replica: usize) {
        for slot in &mut self.slots[..run.guards] {
            for place in &mut slot.works {
                *place = place.filter(|work| work.replica != replica);
            }
            slot.leases[replica] = None;
        }
        let before = self.replicas[replica];
        let phase = if run.has(Feature::Copies) { Phase::Registered } else { Phase::Serving };
        let alone = run.alone_after_start(before.shorter);
        self.replicas[replica] = Replica { phase, copy: None, alone, ghost: None, ..before };
    }

    pub(crate) fn restore(&mut self, run: &Feed, reversed: bool) -> bool {
        self.restores -= 1;
        let mut replayed: Vec<_> = self.log.targets().filter(|what| is_replayed(*what)).collect();
        for what in self.log.targets().filter(|what| !is_replayed(*what)) {
            self.committed[usize::from(what)] = 0;
        }
        if reversed {
            replayed.reverse();
        }
        let log = if run.rules == Mutation::KeepsLogId { self.log.log } else { self.log.log + 1 };
        let empty = Place { log, code: 0 };
        self.log = replayed.into_iter().fold(empty, Place::push);
        for replica in 0..run.replicas {
            self.replicas[replica].floor = 0;
            if self.replicas[replica].phase != Phase::Off {
                self.start(run, replica);
            }
        }
        true
    }

    /// A replica reads the log. What it holds when the reading ends is at least what was there when it began.
    pub(crate) fn read(&mut self, replica: usize, rules: Mutation) -> bool {
        let it = &mut self.replicas[replica];
        if it.phase == Phase::Off && rules != Mutation::ReadsBeforeRegistering {
            return false;
        }
        it.copy = Some((self.log.code, 0));
        if it.phase == Phase::Registered {
            it.phase = Phase::Serving;
        }
        true
    }

    pub(crate) fn register(&mut self, run: &Feed, replica: usize) -> bool {
        if self.replicas[replica].phase != Phase::Off {
            return false;
        }
        let copy = self.replicas[replica].copy;
        self.start(run, replica);
        if run.rules == Mutation::ReadsBeforeRegistering && copy.is_some() {
            let it = &mut self.replicas[replica];
            (it.copy, it.phase) = (copy, Phase::Serving);
        }
        true
    }

    /// A replica ends and takes its row with it, once no lease of its can be alive.
    pub(crate) fn leave(&mut self, run: &Feed, replica: usize) -> bool {
        let alive = run.least_acknowledged(self, replica).is_some() || self.replicas[replica].alone > 0;
        if self.replicas[replica].phase == Phase::Off || alive && run.rules != Mutation::LeavesEarly {
            return false;
        }
        self.start(run, replica);
        let it = &mut self.replicas[replica];
        (it.phase, it.alone, it.floor) = (Phase::Off, 0, 0);
        true
    }

    pub(crate) const fn replica_forgets(&mut self, replica: usize) -> bool {
        self.replicas[replica].forgot = true;
        true
    }

    pub(crate) fn guard_forgets(&mut self, guard: usize) -> bool {
        let guard = &mut self.slots[guard].guard;
        guard.index = forget(guard);
        true
    }

    /// Publishes what may be published, asks everything that may be asked, and then what the run's claim says.
    pub(crate) fn look(&mut self, run: &Feed) {
        // Nobody reads the floor of a replica that is alone.
        for replica in (0..run.replicas).filter(|_| run.replicas > 1) {
            self.publish(run, replica);
        }
        let targets = run.claim.targets();
        for what in targets.iter().copied() {
            let Some(seq) = self.log.seq(what).filter(|_| self.reported >> what & 1 == 0) else { continue };
            for replica in 0..run.replicas {
                if let Some(how) = self.reports(run, replica, seq, self.committed[usize::from(what)]) {
                    self.reported |= 1 << what;
                    self.found |= run.claim.sees(run, self, how, what);
                }
            }
        }
        let guards = || self.slots[..run.guards].iter().map(|slot| &slot.guard);
        let reported = || targets.iter().filter(|what| self.reported >> **what & 1 == 1);
        self.found |= match run.claim {
            Claim::Sees(Sight::Accepts) => guards().any(|guard| run.trusts(guard)),
            Claim::Sees(_) => false,
            _ => reported().any(|what| guards().any(|guard| run.accepts(guard, *what))),
        };
    }

    fn head(&self, run: &Feed, replica: usize) -> u8 {
        self.place(run, replica, false).len()
    }

    /// What the replica's real table gives as its floor goes into the registry.
    fn publish(&mut self, run: &Feed, replica: usize) {
        let it = self.replicas[replica];
        if it.phase == Phase::Serving
            && let Some(floor) = run.floor(self, replica, self.head(run, replica))
        {
            self.replicas[replica].floor = it.floor.max(floor);
        }
    }

    /// What a replica answers who asks it for a receipt: by its own table and by the others' floors, both as the real ones
    /// say.
    fn reports(&self, run: &Feed, replica: usize, seq: u8, age: i8) -> Option<How> {
        if self.replicas[replica].phase != Phase::Serving {
            return None;
        }
        let how = run.effective(self, replica, seq, age)?;
        let own = self.head(run, replica) >= seq || run.rules == Mutation::OwnHeadIgnored;
        let others = (0..run.replicas).filter(|it| *it != replica && self.replicas[*it].phase != Phase::Off);
        let floors = run.rules == Mutation::NoFloor || run.all_have(others.map(|it| self.replicas[it].floor), seq);
        (how == How::Time || own && floors).then_some(how)
    }
}

impl Claim {
    /// Whether this receipt is what the run watches for.
    fn sees(self, run: &Feed, world: &World, how: How, what: What) -> bool {
        let mut guards = world.slots[..run.guards].iter().map(|slot| &slot.guard);
        let registered = world.replicas[..run.replicas].iter().filter(|it| it.phase != Phase::Off).count();
        match self {
            Self::Sees(Sight::Early) => how == How::Acknowledged && guards.any(|it| run.trusts(it)),
            Self::Sees(Sight::EarlyAmongTwo) => {
                how == How::Acknowledged && registered > 1 && guards.any(|it| run.trusts(it))
            }
            Self::Sees(Sight::ByTime) => {
                how == How::Time && guards.any(|it| it.cursor.is_some() && it.index >> what & 1 == 0)
            }
            _ => false,
        }
    }
}
