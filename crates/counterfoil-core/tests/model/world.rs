//! What there is: the row, the jar, what is under way, the thief. Everything is relative, so that the world is finite
//! however long it runs: times are ages that stop counting once they are past every grace, generations are counted
//! from the row's, nonces are renamed in the order in which they are met.

use crate::model::{Feature, Rotations};

/// The generation that the row is renamed to when generations are relative.
const HERE: u8 = 6;
/// A token this far behind is as old as any older one: the row remembers three rotations.
const OLDEST: u8 = HERE - 4;
/// The name of a nonce that no longer matters.
const FADED: u8 = 0;

/// A refresh token: which generation, which sibling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Token {
    pub(crate) generation: u8,
    pub(crate) nonce: u8,
}

/// The sibling that was rotated into the current generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Origin {
    None,
    Nonce(u8),
    Any,
}

/// The rotation state in the store. Times are ages by the true clock, so a replica whose clock is ahead writes negative
/// ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Row {
    pub(crate) generation: u8,
    pub(crate) parent: Origin,
    pub(crate) handed: i8,
    pub(crate) twice: bool,
    pub(crate) presented: bool,
    pub(crate) rotated: [i8; 3],
}

/// The browser's one refresh cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Jar {
    pub(crate) token: Token,
    /// How long ago this very token was rotated, while its successor has not arrived.
    pub(crate) spent: Option<i8>,
    /// Zero unless it was received after the theft; else how many refreshes after it, up to the run's limit.
    pub(crate) safe: u8,
}

/// Who holds a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Party {
    Victim,
    Thief,
}

/// A request of the browser's, on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Request {
    pub(crate) token: Token,
    pub(crate) age: i8,
    pub(crate) safe: u8,
}

/// An answer with a `Set-Cookie`, on its way to the browser. Its age counts from the reading of the store's clock.
/// Answers without one change nothing at the browser and are not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Answer {
    pub(crate) token: Token,
    pub(crate) age: i8,
    pub(crate) safe: u8,
}

/// What was decided, without its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Verdict {
    Ended,
    Hold,
    Rotate,
    Repeat,
    Late,
    Reuse,
    FastForward,
}

/// A request at a replica: the row has been read and judged, and is not yet swapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Work {
    pub(crate) by: Party,
    pub(crate) token: Token,
    pub(crate) safe: u8,
    pub(crate) replica: i8,
    /// Since it was sent.
    pub(crate) sent: i8,
    /// Since the clock was read.
    pub(crate) age: i8,
    /// The row is no longer the one that was read.
    pub(crate) stale: bool,
    /// Its token was past every grace when the row was read.
    pub(crate) overdue: bool,
    pub(crate) verdict: Verdict,
    pub(crate) next: Row,
}

/// The thief: what was copied from the jar, and what came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Thief {
    pub(crate) stole: bool,
    /// Has been given a refresh token.
    pub(crate) gained: bool,
    /// The victim has got so far that the thief should gain nothing any more.
    pub(crate) cut: bool,
    pub(crate) tokens: [Option<Token>; 3],
}

/// A state of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) row: Row,
    pub(crate) active: bool,
    /// An end of the session has been acknowledged.
    pub(crate) acknowledged: bool,
    pub(crate) backup: Option<Row>,
    pub(crate) restores: u8,
    /// For so long refresh stays closed after a restore.
    pub(crate) closed: i8,
    pub(crate) jar: Jar,
    pub(crate) requests: [Option<Request>; 4],
    pub(crate) answers: [Option<Answer>; 4],
    pub(crate) works: [Option<Work>; 3],
    pub(crate) thief: Thief,
    /// True ages of the last four rotations (kept for S4 only).
    pub(crate) superseded: [i8; 4],
    /// Nonces that were rotated into the last three generations but the current (kept for one proposal only).
    pub(crate) ancestors: [Origin; 2],
    /// What the run asks for has happened: its claim has been broken, or what it watches for was seen.
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

impl World {
    /// Just signed in: the jar holds the first token.
    pub(crate) fn first(rotations: &Rotations) -> Self {
        let far = rotations.far();
        let generation = if rotations.has(Feature::Relative) { HERE } else { 1 };
        Self {
            row: Row { generation, parent: Origin::None, handed: 0, twice: false, presented: false, rotated: [far; 3] },
            active: true,
            acknowledged: false,
            backup: None,
            restores: rotations.restores,
            closed: 0,
            jar: Jar { token: Token { generation, nonce: 1 }, spent: None, safe: 0 },
            requests: [None; 4],
            answers: [None; 4],
            works: [None; 3],
            thief: Thief { stole: false, gained: false, cut: false, tokens: [None; 3] },
            superseded: [rotations.overdue(); 4],
            ancestors: [Origin::None; 2],
            found: false,
        }
    }

    /// Messages of the browser's that are somewhere.
    pub(crate) fn under_way(&self) -> usize {
        let victims = self.works.iter().flatten().filter(|work| work.by == Party::Victim).count();
        count(&self.requests) + count(&self.answers) + victims
    }

    /// A nonce that nobody has.
    pub(crate) fn new_nonce(&mut self) -> u8 {
        let mut highest = FADED;
        self.for_each_nonce(|nonce| highest = highest.max(*nonce));
        highest + 1
    }

    /// The one name of all worlds that differ only in how generations and nonces are called.
    pub(crate) fn canonical(mut self, rotations: &Rotations) -> Self {
        if rotations.has(Feature::Relative) {
            self.count_generations_from_the_row(rotations.has(Feature::LateByDescent));
        }
        self.sort();
        let (mut names, mut next) = ([FADED; 64], FADED);
        self.for_each_nonce(|nonce| {
            let name = &mut names[usize::from(*nonce)];
            if *nonce != FADED && *name == FADED {
                next += 1;
                *name = next;
            }
            *nonce = *name;
        });
        self.sort();
        self
    }

    fn sort(&mut self) {
        self.requests.sort_unstable();
        self.answers.sort_unstable();
        self.works.sort_unstable();
        self.thief.tokens.sort_unstable();
    }

    fn count_generations_from_the_row(&mut self, descent: bool) {
        let row = self.row.generation;
        let matters = if descent { OLDEST } else { HERE - 2 };
        self.for_each_token(|token| {
            token.generation = (token.generation + HERE).saturating_sub(row).max(OLDEST);
            if token.generation <= matters {
                token.nonce = FADED;
            }
        });
        for work in self.works.iter_mut().flatten() {
            work.next.generation = (work.next.generation + HERE).saturating_sub(row).max(OLDEST);
        }
        self.row.generation = HERE;
    }

    fn for_each_token(&mut self, mut visit: impl FnMut(&mut Token)) {
        visit(&mut self.jar.token);
        self.works.iter_mut().flatten().for_each(|work| visit(&mut work.token));
        self.requests.iter_mut().flatten().for_each(|request| visit(&mut request.token));
        self.answers.iter_mut().flatten().for_each(|answer| visit(&mut answer.token));
        self.thief.tokens.iter_mut().flatten().for_each(visit);
    }

    fn for_each_nonce(&mut self, mut visit: impl FnMut(&mut u8)) {
        let of_parent = |row: &mut Origin, visit: &mut dyn FnMut(&mut u8)| {
            if let Origin::Nonce(nonce) = row {
                visit(nonce);
            }
        };
        of_parent(&mut self.row.parent, &mut visit);
        self.ancestors.iter_mut().for_each(|origin| of_parent(origin, &mut visit));
        self.works.iter_mut().flatten().for_each(|work| of_parent(&mut work.next.parent, &mut visit));
        if let Some(backup) = &mut self.backup {
            of_parent(&mut backup.parent, &mut visit);
        }
        self.for_each_token(|token| visit(&mut token.nonce));
    }

    /// One tick passes for the row, its copies and the thief's memory; messages are the network's business.
    pub(crate) fn age(&mut self, rotations: &Rotations) {
        let far = rotations.far();
        let older = |age: &mut i8| *age = (*age + 1).min(far);
        let row = |row: &mut Row| {
            older(&mut row.handed);
            row.rotated.iter_mut().for_each(older);
        };
        row(&mut self.row);
        self.backup.iter_mut().for_each(row);
        self.works.iter_mut().flatten().for_each(|work| row(&mut work.next));
        for age in &mut self.superseded {
            *age = (*age + 1).min(rotations.overdue());
        }
        self.closed = (self.closed - 1).max(0);
    }
}
