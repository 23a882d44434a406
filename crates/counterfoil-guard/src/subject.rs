//! Who a token speaks for: a user, or a service of its own (SEC-4.15, ATK-26). The two are written so that no text is both.

use crate::id::{ClientName, Sid, UserId};
use serde::de::{self, Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};
use std::fmt;

/// What the `sub` of a service begins with; no id holds a colon.
const CLIENT: &str = "client:";

/// How many actors may stand behind one another.
pub const MAX_ACTORS: usize = 4;

/// `sub`: who a token speaks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A user.
    User(UserId),
    /// A service, in its own name; `client:NAME` in the token.
    Client(ClientName),
}

impl Subject {
    /// The user, if it is one.
    pub const fn user(&self) -> Option<UserId> {
        match self {
            Self::User(user) => Some(*user),
            Self::Client(_) => None,
        }
    }

    /// The service, if it is one.
    pub const fn client(&self) -> Option<&ClientName> {
        match self {
            Self::User(_) => None,
            Self::Client(name) => Some(name),
        }
    }
}

impl std::str::FromStr for Subject {
    type Err = crate::IdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.strip_prefix(CLIENT) {
            Some(name) => name.parse().map(Self::Client),
            None => text.parse().map(Self::User),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => user.fmt(f),
            Self::Client(name) => write!(f, "{CLIENT}{name}"),
        }
    }
}

impl Serialize for Subject {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Subject {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
        text.parse().map_err(de::Error::custom)
    }
}

/// Whose tokens a verifier believes. What serves people must not take a service for one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Subjects {
    /// Users' only.
    #[default]
    Users,
    /// Services' only.
    Clients,
    /// Both.
    Both,
}

impl Subjects {
    pub(crate) const fn allow(self, subject: &Subject) -> bool {
        match subject {
            Subject::User(_) => !matches!(self, Self::Clients),
            Subject::Client(_) => !matches!(self, Self::Users),
        }
    }
}

/// `act` (RFC 8693 section 4.1): who acts for the subject, and before it who acted for that. Only the outermost may be decided by;
/// that the others are there is history. All of them must be in good standing.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// Who.
    pub sub: Subject,
    /// On which session; for a service, the one that stands as long as its credential does.
    pub sid: Sid,
    /// Who had acted before.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub act: Option<Box<Actor>>,
}

/// `null` is no actor, and not the absence of one.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Box<Actor>>, D::Error> {
    crate::json::Object::deserialize(from).map(|crate::json::Object(actor)| Some(Box::new(actor)))
}

impl Actor {
    /// This one and those before it.
    pub fn chain(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |actor| actor.act.as_deref())
    }
}
