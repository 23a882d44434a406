//! Token Status List (draft-ietf-oauth-status-list): where a token says that its status is to be found, the lists themselves, and what
//! a guard keeps of them. For verifiers that follow no feed, at the price of a delay: a revocation reaches them within the `ttl` of
//! the list, and the time it takes to publish it.

#[cfg(feature = "status-list")]
mod list;
#[cfg(feature = "status-list")]
mod lists;

#[cfg(feature = "status-list")]
pub use list::{
    DEFAULT_TTL, LONGEST_TTL, MAX_LIST_BYTES, MAX_LIST_TOKEN_BYTES, SHORTEST_TTL, StatusList, Statuses, WITHOUT_EXPIRY,
};
#[cfg(feature = "status-list")]
pub use lists::{MOST_LISTS, Older, StatusLists, Verdict};

use crate::json::StrictVisitor;
use serde::Serialize;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

/// The place of a token's bit: `status.status_list` in it (TSL-6.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StatusReference {
    /// Which bit, from 0.
    #[serde(rename = "idx")]
    pub index: u32,
    /// Of which list.
    pub uri: String,
}

/// The claim `status`: of other ways to say a status we know nothing, and they may be there.
pub(crate) struct Status(pub(crate) Option<StatusReference>);

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Status;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of ways to say a status")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Status, A::Error> {
                let (mut found, mut others) = (None, HashSet::new());
                while let Some(name) = members.next_key::<Cow<'de, str>>()? {
                    let twice = if name == "status_list" {
                        found.replace(members.next_value::<Reference>()?.0).is_some()
                    } else {
                        members.next_value_seed(StrictVisitor::MEMBER)?;
                        !others.insert(name)
                    };
                    if twice {
                        return Err(A::Error::custom("duplicate member name"));
                    }
                }
                Ok(Status(found))
            }
        }
        from.deserialize_map(Members)
    }
}

struct Reference(StatusReference);

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Reference;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an index and the address of a list")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Reference, A::Error> {
                let (mut index, mut uri, mut others) = (None, None, HashSet::new());
                while let Some(name) = members.next_key::<Cow<'de, str>>()? {
                    let twice = match &*name {
                        "idx" => index.replace(members.next_value::<u32>()?).is_some(),
                        "uri" => uri.replace(members.next_value::<String>()?).is_some(),
                        _ => {
                            members.next_value_seed(StrictVisitor::MEMBER)?;
                            !others.insert(name)
                        }
                    };
                    if twice {
                        return Err(A::Error::custom("duplicate member name"));
                    }
                }
                let missing = || A::Error::custom("`idx` and `uri` belong together");
                let (index, uri) = (index.ok_or_else(missing)?, uri.ok_or_else(missing)?);
                Ok(Reference(StatusReference { index, uri }))
            }
        }
        from.deserialize_map(Members)
    }
}
