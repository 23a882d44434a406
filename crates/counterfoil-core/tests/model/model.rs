//! The configuration of a run, and the checker's view of it: which actions there are, which property is asked.

use crate::rules::{Case, Mutation};
use crate::world::{Row, Token, Verdict, World, count};
use stateright::{Model, Property};

/// What takes part in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Feature {
    /// Messages die of age, and a replica gives up what takes it longer than a message may live.
    Timed,
    /// A client does not send a token that was spent longer than `retry` ago, and one answer gets through in the end.
    AnswerArrives,
    /// The same, but each retry only within `retry` of the one before it.
    RetriesInChain,
    /// The same, but the client's clock for it stands still while refresh is closed after a restore.
    ClosureDoesNotCount,
    /// An answer may arrive twice.
    AnswersRepeat,
    /// A thief copies the jar once.
    Thief,
    /// The user ends the session.
    Revocation,
    /// Forged and garbled tokens.
    Forgery,
    /// The session is bound to a key, and its proof is always there.
    Bound,
    /// `forgive_lost_answer`.
    Forgiving,
    /// Generations are counted from the row's: no restore, no swap that takes the row back.
    Relative,
    /// True times of rotations are remembered.
    History,
    /// Load and swap are one step: the short way to tell a story.
    Atomic,
    /// A proposal: a restore counts the grace of the row's last rotation from the reopening.
    GraceFromReopening,
    /// A proposal: a token is late only if it is the one that was rotated.
    LateByDescent,
}

/// What is claimed. One per run: with several open, stateright 0.31 may report a longer trace than needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// S1: no refresh succeeds once an end has been acknowledged.
    EndedStaysEnded,
    /// S3: the honest client never receives `reuse`.
    NeverSignedOut,
    /// S3: nor would it, whenever it may send what is in its jar.
    JarIsGood,
    /// S4: a token superseded longer than the grace ago ends the session.
    OverdueRevokes,
    /// S4: no refresh token for the thief once the victim has rotated with one received after the theft.
    ThiefIsCutOff,
    /// S4, read to the letter: from then on, the thief's next attempt ends the session.
    NextAttemptRevokes,
    /// S4: so it does, or it is late (an access token, no refresh token).
    NextAttemptRevokesOrIsLate,
    /// S4: the thief gains nothing once the victim has refreshed three times, each with what the last one brought.
    ThreeRefreshes,
    /// S5: a forged token changes nothing.
    ForgeryChangesNothing,
    /// Reached at all: a committed decision of this kind.
    Sees(Verdict),
    /// Reached at all: the thief has been cut off after a gain.
    SeesCut,
}

/// A run.
#[derive(Clone, Debug)]
pub(crate) struct Rotations {
    pub(crate) claim: Claim,
    pub(crate) rules: Mutation,
    pub(crate) with: &'static [Feature],
    /// The grace, in ticks.
    pub(crate) grace: i8,
    /// How long a message lives, each way.
    pub(crate) life: i8,
    /// How long after it was spent a client still sends a token.
    pub(crate) retry: i8,
    /// How far the second replica's clock is ahead of the first's.
    pub(crate) skew: i8,
    /// The browser's messages at one time.
    pub(crate) in_flight: usize,
    /// Requests between load and swap at one time.
    pub(crate) at_work: usize,
    pub(crate) restores: u8,
    /// Where generations are absolute: the last one.
    pub(crate) generations: u8,
}

/// A step. Numbers are places in the lists of the state before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// A tab sends the jar's token.
    Send,
    /// A replica takes in a request and judges it by the row as it is now; `again` leaves a copy on the network.
    Load {
        request: usize,
        replica: i8,
        again: bool,
    },
    /// It swaps the row, or finds that it has changed and judges again.
    Commit {
        work: usize,
    },
    /// An answer reaches the browser; `again` leaves a copy on the network.
    Arrive {
        answer: usize,
        again: bool,
    },
    LoseRequest {
        request: usize,
    },
    LoseAnswer {
        answer: usize,
    },
    Tick,
    /// The thief copies the jar's token.
    Steal,
    /// The thief presents a token; nothing of the thief's is lost or delayed.
    Use {
        token: usize,
        replica: i8,
    },
    /// The user ends the session, and is told so.
    Revoke,
    Backup,
    Restore,
    /// A token that was not made here, or was changed since.
    Forge {
        claims: Token,
    },
}

impl Rotations {
    pub(crate) fn has(&self, feature: Feature) -> bool {
        self.with.contains(&feature)
    }

    /// An age past every grace by every clock.
    pub(crate) const fn far(&self) -> i8 {
        self.grace + 1
    }

    /// A true age past every grace, whichever clocks wrote and read it.
    pub(crate) const fn overdue(&self) -> i8 {
        self.grace + self.skew + 1
    }

    /// Replicas hold nothing, so those whose clocks agree are one: what they do in parallel is in the works.
    pub(crate) fn replicas(&self) -> impl Iterator<Item = i8> + use<> {
        0..=self.skew
    }

    /// Up to how many refreshes in a row are counted after a theft.
    pub(crate) fn refreshes(&self) -> u8 {
        if self.claim == Claim::ThreeRefreshes { 3 } else { 1 }
    }

    /// What the rules say to a token at a replica, now.
    pub(crate) fn judge(&self, world: &World, token: Token, replica: i8) -> (Verdict, Row) {
        let case = Case {
            active: world.active,
            token,
            ahead: replica,
            bound: self.has(Feature::Bound),
            forgive: self.has(Feature::Forgiving),
            grace: self.grace,
            far: self.far(),
        };
        let (verdict, next) = self.rules.decide(&world.row, case);
        if verdict == Verdict::Late && self.has(Feature::LateByDescent) && !world.descends(token) {
            return (Verdict::Reuse, world.row);
        }
        (verdict, next)
    }

    /// Whether an honest client may send what is in its jar.
    pub(crate) fn may_send(&self, world: &World) -> bool {
        let ruled = self.has(Feature::AnswerArrives) || self.has(Feature::RetriesInChain);
        !ruled || world.jar.spent.is_none_or(|spent| spent <= self.retry)
    }

    /// S3's second half: no replica would call the jar's token reuse.
    fn jar_is_good(&self, world: &World) -> bool {
        !self.may_send(world)
            || self.replicas().all(|replica| self.judge(world, world.jar.token, replica).0 != Verdict::Reuse)
    }

    fn network(&self, world: &World, actions: &mut Vec<Action>) {
        let room = world.under_way() < self.in_flight;
        let timed_out = world.closed > 0;
        if room && self.may_send(world) && !timed_out {
            actions.push(Action::Send);
        }
        for request in (0..4).filter(|place| world.requests[*place].is_some()) {
            actions.push(Action::LoseRequest { request });
            for replica in self.replicas().filter(|_| count(&world.works) < self.at_work && !timed_out) {
                actions.push(Action::Load { request, replica, again: false });
                if room {
                    actions.push(Action::Load { request, replica, again: true });
                }
            }
        }
        for answer in (0..4).filter(|place| world.answers[*place].is_some()) {
            actions.push(Action::Arrive { answer, again: false });
            actions.push(Action::LoseAnswer { answer });
            if self.has(Feature::AnswersRepeat) {
                actions.push(Action::Arrive { answer, again: true });
            }
        }
    }

    fn people(&self, world: &World, actions: &mut Vec<Action>) {
        if self.has(Feature::Thief) && !world.thief.stole {
            actions.push(Action::Steal);
        }
        let free = count(&world.works) < self.at_work && world.closed == 0;
        for token in (0..3).filter(|place| free && world.thief.tokens[*place].is_some()) {
            actions.extend(self.replicas().map(|replica| Action::Use { token, replica }));
        }
        if self.has(Feature::Revocation) && !world.acknowledged {
            actions.push(Action::Revoke);
        }
        if world.restores > 0 && world.backup.is_none() {
            actions.push(Action::Backup);
        }
        if world.restores > 0 && world.backup.is_some() {
            actions.push(Action::Restore);
        }
        if self.has(Feature::Forgery) {
            for generation in world.row.generation.saturating_sub(3)..=world.row.generation + 1 {
                actions.extend([1, 2].map(|nonce| Action::Forge { claims: Token { generation, nonce } }));
            }
        }
    }
}

impl Model for Rotations {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::first(self).canonical(self)]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        if world.found {
            return;
        }
        self.network(world, actions);
        for work in (0..3).filter(|place| world.works[*place].is_some()) {
            actions.push(Action::Commit { work });
        }
        self.people(world, actions);
        actions.push(Action::Tick);
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = *world;
        let happens = match action {
            Action::Send => next.send(self),
            Action::Load { request, replica, again } => next.load(self, request, replica, again) && next.at_once(self),
            Action::Commit { work } => next.commit(self, work),
            Action::Arrive { answer, again } => next.arrive(answer, again),
            Action::LoseRequest { request } => next.requests[request].take().is_some(),
            Action::LoseAnswer { answer } => next.answers[answer].take().is_some(),
            Action::Tick => next.tick(self),
            Action::Steal => next.steal(),
            Action::Use { token, replica } => next.attempt(self, token, replica) && next.at_once(self),
            Action::Revoke => next.end(),
            Action::Backup => next.back_up(),
            Action::Restore => next.restore(self),
            Action::Forge { claims } => next.forge(self, claims),
        };
        let next = next.canonical(self);
        (happens && next != *world).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![match self.claim {
            Claim::Sees(_) | Claim::SeesCut => Property::sometimes("reached", |_, world: &World| world.found),
            Claim::JarIsGood => Property::always("holds", |run: &Self, world: &World| run.jar_is_good(world)),
            _ => Property::always("holds", |_, world: &World| !world.found),
        }]
    }

    fn within_boundary(&self, world: &World) -> bool {
        world.row.generation <= self.generations
    }
}
