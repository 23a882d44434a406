//! Looking something up in the audit log: which entries are wanted, and along which of its orders they are found with the least to
//! look through.

use crate::audit::{Actor, AuditEntry, Event};
use counterfoil_guard::{Sid, Timestamp, UserId};

/// Which entries are wanted: those that are all of this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// About this account.
    pub user: Option<UserId>,
    /// About this session.
    pub sid: Option<Sid>,
    /// Of this kind.
    pub event: Option<Event>,
    /// By such an actor.
    pub actor: Option<By>,
    /// Not before this.
    pub since: Timestamp,
    /// Before this.
    pub until: Timestamp,
}

/// By whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Anybody of this kind.
    Kind(&'static str),
    /// This administrator.
    Admin(UserId),
}

impl By {
    /// The kind of actor with this word, or the administrator with this id.
    pub fn parse(text: &str) -> Option<Self> {
        let kinds = ["anonymous", "user", "admin", "api_key", "guard", "client", "operator", "system"];
        let kind = kinds.into_iter().find(|kind| *kind == text).map(Self::Kind);
        kind.or_else(|| text.parse().ok().map(Self::Admin))
    }
}

/// The order in which entries are gone through: all that have one thing in common, by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Along {
    /// All.
    Everything,
    /// Those about an account.
    User(UserId),
    /// Those about a session.
    Session(Sid),
    /// Those of a kind.
    Event(Event),
    /// Those by a kind of actor.
    Kind(&'static str),
    /// Those by an administrator.
    Admin(UserId),
}

/// In which direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The newest first.
    Back,
    /// The oldest first.
    Forward,
}

/// A place in every order: an entry's time and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// When.
    pub at: Timestamp,
    /// Its number.
    pub seq: i64,
}

/// What to go through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Along which order.
    pub along: Along,
    /// In which direction.
    pub direction: Direction,
    /// Not before this.
    pub since: Timestamp,
    /// Before this.
    pub until: Timestamp,
    /// Only what comes after this place.
    pub after: Option<Place>,
}

impl Default for Wanted {
    fn default() -> Self {
        let (since, until) = (Timestamp::from_millis(i64::MIN), Timestamp::from_millis(i64::MAX));
        Self { user: None, sid: None, event: None, actor: None, since, until }
    }
}

impl Wanted {
    /// Where to look: what a session or an account has is less than what there is of a kind.
    pub fn along(&self) -> Along {
        let session = self.sid.map(Along::Session).or_else(|| self.user.map(Along::User));
        let actor = |by| match by {
            By::Kind(kind) => Along::Kind(kind),
            By::Admin(id) => Along::Admin(id),
        };
        let few = self.actor.filter(|by| !matches!(by, By::Kind("user" | "anonymous"))).map(actor);
        let kind = few.or_else(|| self.event.map(Along::Event)).or_else(|| self.actor.map(actor));
        session.or(kind).unwrap_or(Along::Everything)
    }

    /// The whole of it, from after `after`.
    pub fn stretch(&self, direction: Direction, after: Option<Place>) -> Stretch {
        Stretch { along: self.along(), direction, since: self.since, until: self.until, after }
    }

    /// Whether this entry is one of them.
    pub fn admits(&self, entry: &AuditEntry) -> bool {
        let by = |by| match by {
            By::Kind(kind) => entry.actor.kind() == kind,
            By::Admin(id) => entry.actor == Actor::Admin(id),
        };
        self.user.is_none_or(|user| entry.user == Some(user))
            && self.sid.is_none_or(|sid| entry.sid == Some(sid))
            && self.event.is_none_or(|event| entry.event == event)
            && self.actor.is_none_or(by)
            && (self.since..self.until).contains(&entry.at)
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.at.as_millis(), self.seq)
    }
}

impl std::str::FromStr for Place {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (at, seq) = text.split_once('.').unwrap_or((text, ""));
        Ok(Self { at: Timestamp::from_millis(at.parse()?), seq: seq.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::{Along, By, Place, Wanted};
    use crate::audit::{Actor, AuditEntry, Event};
    use counterfoil_guard::{Sid, Timestamp, UserId};

    const ADA: UserId = UserId::from_bytes([1; 16]);
    const SID: Sid = Sid::from_bytes([2; 16]);

    fn entry() -> AuditEntry {
        let (network, detail) = (String::new(), String::new());
        let (at, event, actor) = (Timestamp::from_seconds(5), Event::Banned, Actor::Admin(ADA));
        AuditEntry { at, event, actor, user: Some(ADA), sid: Some(SID), network, detail }
    }

    #[test]
    fn each_condition_is_one_of_all() {
        let (other, at) = (UserId::from_bytes([9; 16]), Timestamp::from_seconds);
        let all = Wanted::default();
        let cases = [
            (all, true),
            (
                Wanted {
                    user: Some(ADA),
                    sid: Some(SID),
                    event: Some(Event::Banned),
                    actor: By::parse("admin"),
                    ..all
                },
                true,
            ),
            (Wanted { user: Some(other), ..all }, false),
            (Wanted { sid: Some(Sid::from_bytes([9; 16])), ..all }, false),
            (Wanted { event: Some(Event::Unbanned), ..all }, false),
            (Wanted { actor: By::parse("operator"), ..all }, false),
            (Wanted { actor: Some(By::Admin(ADA)), ..all }, true),
            (Wanted { actor: Some(By::Admin(other)), ..all }, false),
            (Wanted { since: at(5), until: at(6), ..all }, true),
            (Wanted { since: at(6), ..all }, false),
            (Wanted { until: at(5), ..all }, false),
        ];
        for (wanted, admitted) in cases {
            assert_eq!(wanted.admits(&entry()), admitted, "{wanted:?}");
        }
    }

    #[test]
    fn it_goes_along_what_has_the_fewest() {
        let all = Wanted::default();
        let event = Some(Event::SignedIn);
        let cases = [
            (all, Along::Everything),
            (Wanted { event, ..all }, Along::Event(Event::SignedIn)),
            (Wanted { event, actor: By::parse("user"), ..all }, Along::Event(Event::SignedIn)),
            (Wanted { event, actor: By::parse("admin"), ..all }, Along::Kind("admin")),
            (Wanted { actor: By::parse("user"), ..all }, Along::Kind("user")),
            (Wanted { event, actor: Some(By::Admin(ADA)), ..all }, Along::Admin(ADA)),
            (Wanted { event, user: Some(ADA), ..all }, Along::User(ADA)),
            (Wanted { sid: Some(SID), user: Some(ADA), ..all }, Along::Session(SID)),
        ];
        for (wanted, along) in cases {
            assert_eq!(wanted.along(), along, "{wanted:?}");
        }
    }

    #[test]
    fn a_place_is_read_as_it_is_written() {
        let place = Place { at: Timestamp::from_millis(-5), seq: 17 };
        assert_eq!((place.to_string().as_str(), "-5.17".parse()), ("-5.17", Ok(place)));
        for text in ["", "5", "5.", ".5", "5.x", "5.6.7"] {
            assert!(text.parse::<Place>().is_err(), "{text}");
        }
        assert_eq!((By::parse(&ADA.to_string()), By::parse("nobody")), (Some(By::Admin(ADA)), None));
    }
}
