//! Subject identifiers (RFC 9493) as others write them.

use counterfoil_guard::UserId;
use serde_json::Value;

/// Whom an event, or an order to a stream, is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Somebody by the name that an issuer has for them.
    IssSub {
        /// Whose name it is.
        iss: String,
        /// The name.
        sub: String,
    },
    /// Somebody by a mail address.
    Email(String),
    /// A user, perhaps with a session or device of theirs.
    Complex(Box<Self>),
    /// Something that has no meaning outside the transmitter, or a format that is not known here.
    Other,
}

/// Names and addresses longer than this are nobody's.
const LONGEST: usize = 320;

impl Subject {
    /// Reads one. `None`: it is not one, or lacks what its format must have.
    pub fn read(value: &Value) -> Option<Self> {
        let text = |name: &str| {
            let text = value.get(name)?.as_str()?;
            (!text.is_empty() && text.len() <= LONGEST).then(|| text.to_owned())
        };
        match value.get("format")?.as_str()? {
            "iss_sub" => Some(Self::IssSub { iss: text("iss")?, sub: text("sub")? }),
            "email" => Some(Self::Email(text("email")?)),
            "complex" => match value.get("user") {
                // Members of a complex one are simple.
                Some(user) if user.get("format")?.as_str()? != "complex" => {
                    Some(Self::Complex(Box::new(Self::read(user)?)))
                }
                Some(_) => None,
                None => Some(Self::Other),
            },
            _ => Some(Self::Other),
        }
    }

    /// The user it is about.
    pub fn user(&self) -> &Self {
        match self {
            Self::Complex(user) => user,
            simple => simple,
        }
    }

    /// The account of ours, if it is named as our tokens name it.
    pub fn of_issuer(&self, issuer: &str) -> Option<UserId> {
        match self.user() {
            Self::IssSub { iss, sub } if iss == issuer => sub.parse().ok(),
            _ => None,
        }
    }
}
