//! What each action does.

use crate::model::{Claim, Feature, Rotations};
use crate::rules::Mutation;
use crate::world::{Answer, Origin, Party, Request, Row, Token, Verdict, Work, World, put};

impl World {
    /// A tab sends what the jar holds.
    pub(crate) fn send(&mut self, run: &Rotations) -> bool {
        put(&mut self.requests, Request { token: self.jar.token, age: 0, safe: self.jar.safe });
        if run.has(Feature::RetriesInChain) {
            self.jar.spent = self.jar.spent.map(|_| 0);
        }
        true
    }

    /// A replica takes a request in, reads clock and row, and decides.
    pub(crate) fn load(&mut self, run: &Rotations, request: usize, replica: i8, again: bool) -> bool {
        let Some(taken) = self.requests[request] else { return false };
        if !again {
            self.requests[request] = None;
        }
        self.judge(run, Party::Victim, taken, replica)
    }

    /// The thief presents a token.
    pub(crate) fn attempt(&mut self, run: &Rotations, token: usize, replica: i8) -> bool {
        let Some(token) = self.thief.tokens[token] else { return false };
        self.judge(run, Party::Thief, Request { token, age: 0, safe: 0 }, replica)
    }

    fn judge(&mut self, run: &Rotations, by: Party, request: Request, replica: i8) -> bool {
        let Request { token, age: sent, safe } = request;
        let (verdict, next) = run.judge(self, token, replica);
        if verdict == Verdict::Ended {
            return true;
        }
        if verdict == Verdict::Reuse && by == Party::Victim && run.claim == Claim::NeverSignedOut {
            self.found = true;
        }
        let overdue = run.has(Feature::History) && self.is_overdue(run, token);
        let work = Work { by, token, safe, replica, sent, age: 0, stale: false, overdue, verdict, next };
        put(&mut self.works, work);
        true
    }

    /// Where load and swap are one.
    pub(crate) fn at_once(&mut self, run: &Rotations) -> bool {
        if run.has(Feature::Atomic)
            && let Some(place) = self.works.iter().position(Option::is_some)
        {
            self.commit(run, place);
        }
        true
    }

    /// Whether the token was superseded longer than the grace ago, whichever clocks are asked.
    fn is_overdue(&self, run: &Rotations, token: Token) -> bool {
        let behind = self.row.generation.saturating_sub(token.generation);
        behind > 0 && self.superseded[usize::from(behind.min(4) - 1)] >= run.overdue()
    }

    /// Whether a token two or three generations old is the one that was rotated then.
    pub(crate) fn descends(&self, token: Token) -> bool {
        match self.row.generation - token.generation {
            behind @ 2..=3 => match self.ancestors[usize::from(behind - 2)] {
                Origin::Nonce(nonce) => nonce == token.nonce,
                Origin::Any => true,
                Origin::None => false,
            },
            _ => true,
        }
    }

    /// Swaps, if the row is still the one that was read and the session lives; else reads and decides again.
    pub(crate) fn commit(&mut self, run: &Rotations, place: usize) -> bool {
        let Some(work) = self.works[place].take() else { return false };
        let ended = !self.active && run.rules != Mutation::SwapIgnoresActive;
        let stale = work.stale && run.rules != Mutation::SwapIgnoresTheRow;
        if work.verdict == Verdict::Reuse {
            if run.rules != Mutation::ReuseRollsBack {
                self.end();
            }
        } else if ended || stale {
            let request = Request { token: work.token, age: work.sent, safe: work.safe };
            return self.judge(run, work.by, request, work.replica);
        } else {
            self.apply(run, &work);
        }
        self.look(run, &work);
        true
    }

    fn apply(&mut self, run: &Rotations, work: &Work) {
        if run.claim == Claim::EndedStaysEnded && self.acknowledged {
            self.found = true;
        }
        if work.verdict == Verdict::Rotate {
            if run.has(Feature::History) {
                self.superseded = [0, self.superseded[0], self.superseded[1], self.superseded[2]];
            }
            if run.has(Feature::LateByDescent) {
                self.ancestors = [self.row.parent, self.ancestors[0]];
            }
            if work.token == self.jar.token {
                self.jar.spent = Some(work.age);
            }
        }
        self.write(run, work.next);
        if matches!(work.verdict, Verdict::Rotate | Verdict::Repeat) {
            self.hand_out(run, work);
        }
    }

    fn write(&mut self, run: &Rotations, next: Row) {
        if self.row == next {
            return;
        }
        self.row = next;
        for work in self.works.iter_mut().flatten() {
            work.stale = true;
            // What such a request was going to do will not be done; forgetting it joins many states.
            if run.rules != Mutation::SwapIgnoresTheRow && work.verdict != Verdict::Reuse {
                (work.verdict, work.next, work.age, work.overdue) = (Verdict::Ended, next, 0, false);
            }
        }
        // A request's way ends with the reading that decides on it: one that is too old by now is given up.
        if run.has(Feature::Timed) {
            self.give_up(run.life);
        }
    }

    fn hand_out(&mut self, run: &Rotations, work: &Work) {
        let token = Token { generation: work.next.generation, nonce: self.new_nonce() };
        match work.by {
            Party::Victim => {
                let after = if self.thief.stole { (work.safe + 1).min(run.refreshes()) } else { 0 };
                put(&mut self.answers, Answer { token, age: work.age, safe: after.saturating_sub(1) });
                self.thief.cut |= match run.claim {
                    Claim::ThreeRefreshes => after == run.refreshes(),
                    _ => self.thief.stole && work.safe > 0 && work.verdict == Verdict::Rotate,
                };
            }
            Party::Thief => {
                let never = matches!(run.claim, Claim::ThiefIsCutOff | Claim::ThreeRefreshes);
                self.found |= never && self.thief.cut;
                self.thief.gained = true;
                self.give_thief(token);
            }
        }
    }

    /// The thief keeps the newest three.
    fn give_thief(&mut self, token: Token) {
        if let Some(free) = self.thief.tokens.iter_mut().find(|place| place.is_none()) {
            *free = Some(token);
        } else if let Some(oldest) = self.thief.tokens.iter_mut().min() {
            *oldest = Some(token);
        }
    }

    /// What the run's claim says about a request that has been carried out.
    fn look(&mut self, run: &Rotations, work: &Work) {
        let hunted = work.by == Party::Thief && self.thief.cut && self.thief.gained;
        match run.claim {
            Claim::OverdueRevokes => self.found |= work.overdue && self.active,
            Claim::NextAttemptRevokes => self.found |= hunted && self.active,
            Claim::NextAttemptRevokesOrIsLate => {
                self.found |= hunted && self.active && work.verdict != Verdict::Late;
            }
            Claim::Sees(verdict) => self.found |= work.verdict == verdict,
            Claim::SeesCut => self.found |= hunted && work.verdict == Verdict::Reuse,
            _ => {}
        }
    }

    /// The jar takes whatever arrives.
    pub(crate) fn arrive(&mut self, place: usize, again: bool) -> bool {
        let Some(answer) = self.answers[place] else { return false };
        if !again {
            self.answers[place] = None;
        }
        self.jar.token = answer.token;
        self.jar.spent = None;
        self.jar.safe = if self.thief.stole { answer.safe + 1 } else { 0 };
        true
    }

    /// Time passes, unless that would break what S3 takes for granted.
    pub(crate) fn tick(&mut self, run: &Rotations) -> bool {
        self.age(run);
        if run.has(Feature::Timed) {
            self.age_messages(run.life);
            let waits = self.closed > 0 && run.has(Feature::ClosureDoesNotCount);
            let passed = i8::from(!waits);
            self.jar.spent = self.jar.spent.map(|spent| (spent + passed).min(2 * run.far()));
        }
        self.may_send_or_hears(run)
    }

    fn age_messages(&mut self, life: i8) {
        for place in &mut self.requests {
            *place = place.map(|it| Request { age: it.age + 1, ..it }).filter(|it| it.age <= life);
        }
        for place in &mut self.answers {
            *place = place.map(|it| Answer { age: it.age + 1, ..it }).filter(|it| it.age <= life);
        }
        for place in &mut self.works {
            let older = |it: Work| Work {
                age: if it.stale { it.age } else { it.age + 1 },
                sent: (it.sent + 1).min(life + 1),
                ..it
            };
            *place = place.map(older);
        }
        self.give_up(life);
    }

    fn give_up(&mut self, life: i8) {
        let in_time = |it: &Work| if it.stale { it.sent <= life } else { it.age <= life };
        for place in &mut self.works {
            *place = place.filter(in_time);
        }
    }

    /// A client that may not send any more is waiting for an answer that is still to come.
    fn may_send_or_hears(&self, run: &Rotations) -> bool {
        if run.may_send(self) || !run.has(Feature::AnswerArrives) && !run.has(Feature::RetriesInChain) {
            return true;
        }
        let token = self.jar.token;
        self.answers.iter().flatten().next().is_some()
            || self.requests.iter().flatten().any(|request| request.token == token)
            || self.works.iter().flatten().any(|work| work.by == Party::Victim && work.token == token)
    }

    pub(crate) const fn steal(&mut self) -> bool {
        self.thief.stole = true;
        self.thief.tokens[0] = Some(self.jar.token);
        self.jar.safe = 0;
        true
    }

    /// The session ends and somebody is told.
    pub(crate) const fn end(&mut self) -> bool {
        (self.active, self.acknowledged) = (false, true);
        true
    }

    pub(crate) const fn back_up(&mut self) -> bool {
        self.backup = Some(self.row);
        self.active
    }

    /// The store is put back. The servers were stopped for it: what they were at is gone.
    pub(crate) fn restore(&mut self, run: &Rotations) -> bool {
        let Some(row) = self.backup.take() else { return false };
        (self.row, self.works) = (row, [None; 3]);
        self.restores -= 1;
        self.active = !self.acknowledged || run.rules == Mutation::RestoreForgetsRevocations;
        self.closed = if run.rules == Mutation::OpenAfterRestore { 0 } else { run.overdue() };
        if run.has(Feature::GraceFromReopening) {
            self.row.rotated[0] = -self.closed;
        }
        if self.jar.token.generation >= row.generation {
            self.jar.spent = None;
        }
        true
    }

    /// A forged token is presented.
    pub(crate) fn forge(&mut self, run: &Rotations, claims: Token) -> bool {
        let before = (self.row, self.active);
        if let Some(token) = run.rules.open_forgery(claims) {
            match run.judge(self, token, 0) {
                (Verdict::Reuse, _) => {
                    self.end();
                }
                (_, next) => self.row = next,
            }
        }
        self.found = (self.row, self.active) != before;
        true
    }
}
