//! The real `decide`, and the rules that can be taken out of it, each by a step before or after it.

use crate::world::{Origin, Row, Token, Verdict};
use counterfoil_core::profile::Profile;
use counterfoil_core::refresh::rotation::{Decision, Parent, Policy, Proof, Rotation, decide};
use counterfoil_core::refresh::token::{Nonce, Presented, TokenKey, TokenKeys};
use counterfoil_core::session::{Assurance, Binding, EndReason, Ended, Handle, Session};
use counterfoil_core::{Secret, Sid, Timestamp, UserId};
use std::time::Duration;

/// The true time at which every decision is made, in seconds: ages are counted from it.
const NOW: i64 = 1_000_000;
const HANDLE: Handle = Handle::from_bytes([2; 16]);

/// The rule that is taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutation {
    /// None: the design as it is.
    Nothing,
    /// A current token is rotated, whatever else is under way.
    NoHold,
    /// A hold hands out a sibling, and the row does not know.
    HoldSetsTheCookie,
    /// A hold hands out a sibling, and the row remembers: the hold is prolonged.
    HoldRepeats,
    /// Any sibling of the previous generation repeats.
    NoParent,
    /// The time of the last hand-out is the replica's clock, even where another replica has written a later one.
    HandOutsGoBack,
    /// A repeat starts the grace anew.
    GraceRestarts,
    /// Late for a token of any age.
    LateForever,
    /// The swap does not look whether the session has ended.
    SwapIgnoresActive,
    /// The swap does not look whether the row is the one that was read.
    SwapIgnoresTheRow,
    /// Refresh opens at once after a restore.
    OpenAfterRestore,
    /// A restore does not replay the revocation log.
    RestoreForgetsRevocations,
    /// The error that reports a reuse rolls its transaction back.
    ReuseRollsBack,
    /// The MAC is not looked at.
    NoMac,
}

/// What a decision is made from, besides the row.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) active: bool,
    pub(crate) token: Token,
    /// How far the replica's clock is ahead.
    pub(crate) ahead: i8,
    pub(crate) bound: bool,
    pub(crate) forgive: bool,
    pub(crate) grace: i8,
    pub(crate) far: i8,
}

fn at(age: i8) -> Timestamp {
    Timestamp::from_seconds(NOW - i64::from(age))
}

fn age(time: Timestamp, far: i8) -> i8 {
    i8::try_from(NOW - time.as_seconds()).expect("times of the model are near").min(far)
}

fn nonce(name: u8) -> Nonce {
    Nonce::from_bytes([name; 8])
}

fn rotation(row: &Row, far: i8) -> Rotation {
    Rotation {
        generation: u32::from(row.generation),
        parent: match row.parent {
            Origin::None => Parent::None,
            Origin::Nonce(name) => Parent::Nonce(nonce(name)),
            Origin::Any => Parent::Any,
        },
        handed_at: at(row.handed),
        handed_twice: row.twice,
        presented: row.presented,
        rotated_at: row.rotated.map(|age| (age < far).then(|| at(age))),
    }
}

fn row(rotation: &Rotation, far: i8) -> Row {
    Row {
        generation: u8::try_from(rotation.generation).expect("generations of the model are small"),
        parent: match rotation.parent {
            Parent::None => Origin::None,
            Parent::Nonce(nonce) => Origin::Nonce(nonce.as_bytes()[0]),
            Parent::Any => Origin::Any,
        },
        handed: age(rotation.handed_at, far),
        twice: rotation.handed_twice,
        presented: rotation.presented,
        rotated: rotation.rotated_at.map(|time| time.map_or(far, |time| age(time, far))),
    }
}

fn session(rotation: Rotation, active: bool, bound: bool) -> Session {
    Session {
        sid: Sid::from_bytes([1; 16]),
        handle: HANDLE,
        user: UserId::from_bytes([3; 16]),
        application: String::new(),
        profile: Profile::Cookie,
        persistent: true,
        created_at: at(100),
        auth_time: at(100),
        last_seen_at: at(100),
        idle: Duration::from_hours(24),
        expires_at: Timestamp::from_seconds(2 * NOW),
        acr: Assurance::Aal1,
        amr: Vec::new(),
        device: String::new(),
        network: String::new(),
        ended: (!active).then_some(Ended { at: at(0), reason: EndReason::SignedOut }),
        binding: if bound { Binding::Dpop([7; 32]) } else { Binding::None },
        copy_refused_at: None,
        rotation,
    }
}

impl Mutation {
    /// The verdict, and the row that it leaves behind if its swap wins.
    pub(crate) fn decide(self, before: &Row, case: Case) -> (Verdict, Row) {
        let grace = Duration::from_secs(u64::try_from(case.grace).expect("not negative"));
        let policy = Policy { grace, forgive_lost_answer: case.forgive };
        let proof = if case.bound { Proof::Valid } else { Proof::Absent };
        let presented =
            Presented { handle: HANDLE, generation: u32::from(case.token.generation), nonce: nonce(case.token.nonce) };
        let ask = |before: &Row| {
            let session = session(rotation(before, case.far), case.active, case.bound);
            decide(&session, &presented, at(-case.ahead), proof, policy)
        };
        let decision = match self {
            Self::NoParent => ask(&Row { parent: Origin::Any, ..*before }),
            _ => ask(before),
        };
        let (verdict, next) = match decision {
            Decision::Ended(_) => (Verdict::Ended, None),
            Decision::Unproven => unreachable!("a bound session brings its proof"),
            Decision::Hold(next) => (Verdict::Hold, next),
            Decision::Rotate(next) => (Verdict::Rotate, Some(next)),
            Decision::Repeat(next) => (Verdict::Repeat, Some(next)),
            Decision::Late => (Verdict::Late, None),
            Decision::Reuse => (Verdict::Reuse, None),
            Decision::FastForward(next) => (Verdict::FastForward, Some(next)),
        };
        let next = next.map_or(*before, |next| row(&next, case.far));
        self.after(verdict, before, next, case)
    }

    fn after(self, verdict: Verdict, before: &Row, mut next: Row, case: Case) -> (Verdict, Row) {
        match (self, verdict) {
            (Self::NoHold, Verdict::Hold) => {
                let [first, second, _] = before.rotated;
                let idle = Row { twice: false, rotated: [case.far; 3], ..*before };
                let (verdict, next) = Self::Nothing.decide(&idle, case);
                (verdict, Row { rotated: [next.rotated[0], first, second], ..next })
            }
            (Self::HoldSetsTheCookie, Verdict::Hold) => (Verdict::Repeat, *before),
            (Self::HoldRepeats, Verdict::Hold) => {
                (Verdict::Repeat, Row { handed: -case.ahead, twice: true, ..*before })
            }
            (Self::HandOutsGoBack, Verdict::Repeat | Verdict::Rotate) => (verdict, Row { handed: -case.ahead, ..next }),
            (Self::NoParent, Verdict::Repeat) => (verdict, Row { parent: before.parent, ..next }),
            (Self::GraceRestarts, Verdict::Repeat) => {
                next.rotated[0] = -case.ahead;
                (verdict, next)
            }
            (Self::LateForever, Verdict::Reuse) if before.generation - case.token.generation > 1 => {
                (Verdict::Late, *before)
            }
            _ => (verdict, next),
        }
    }

    /// What a server reads from a text that it did not make: `claims`, under a key that somebody guessed, or a token of
    /// its own with one character changed. The parser is the real one.
    pub(crate) fn open_forgery(self, claims: Token) -> Option<Token> {
        let keys = |byte| TokenKeys::new(vec![TokenKey::new(1, &Secret::new([byte; 32]))]).expect("one key");
        let (ours, guessed) = (keys(1), keys(2));
        let text = |keys: &TokenKeys| {
            keys.refresh_token(HANDLE, u32::from(claims.generation), nonce(claims.nonce)).expose().clone()
        };
        let mut garbled = text(&ours);
        let last = if garbled.pop() == Some('A') { 'Q' } else { 'A' };
        garbled.push(last);
        let read = |keys: &TokenKeys, text: &str| keys.parse_refresh(text).ok();
        let accepted = read(&ours, &text(&guessed)).or_else(|| read(&ours, &garbled));
        let accepted = match self {
            Self::NoMac => accepted.or_else(|| read(&guessed, &text(&guessed))),
            _ => accepted,
        };
        accepted.map(|presented| Token {
            generation: u8::try_from(presented.generation).expect("generations of the model are small"),
            nonce: presented.nonce.as_bytes()[0],
        })
    }
}
