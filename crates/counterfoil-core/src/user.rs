//! Accounts, as the store keeps them.

use crate::characters::{is_bidirectional, is_invisible, is_noncharacter};
use counterfoil_guard::{Timestamp, UserId};

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its id, the `sub` of its tokens.
    pub id: UserId,
    /// The address as the user wrote it, checked by [`Email::parse`].
    pub email: Email,
    /// What the user likes to be called.
    pub name: Option<String>,
    /// Roles, sorted, without duplicates.
    pub roles: Vec<Role>,
    /// How often the roles have changed; goes into tokens as `cv`.
    pub claims_version: u32,
    /// When the account was made.
    pub created_at: Timestamp,
    /// Set while the account may not sign in, and perhaps for longer: [`User::ban_at`] says whether it still counts.
    pub banned: Option<Ban>,
}

impl User {
    /// Whether the user holds this role.
    pub fn has_role(&self, role: &str) -> bool {
        self.roles.iter().any(|held| held.as_str() == role)
    }

    /// The ban that keeps the account out at `now`, if one does.
    pub fn ban_at(&self, now: Timestamp) -> Option<&Ban> {
        self.banned.as_ref().filter(|ban| ban.until.is_none_or(|until| now < until))
    }
}

/// Why and until when an account may not sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    /// Since when.
    pub at: Timestamp,
    /// When it ends by itself; without it, it stays until it is lifted.
    pub until: Option<Timestamp>,
    /// Why, for support.
    pub reason: String,
}

/// A mail address with exactly one `@`, at most 254 bytes, no white space and no control characters. Two addresses are
/// the same account when they are equal but for ASCII case; nothing else is folded (ATK-16: no normalisation games).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Email(String);

impl Email {
    /// Checks an address; `None` when it cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_matches(' ');
        let (local, domain) = text.split_once('@')?;
        let punctuation = |c: char| "<>()[],;:\\\"".contains(c);
        let unseen = |c: char| c.is_control() || is_invisible(c) || is_bidirectional(c) || is_noncharacter(c);
        let forbidden = |c: char| c.is_whitespace() || punctuation(c) || unseen(c);
        let dotted = !domain.starts_with('.') && !domain.ends_with('.') && !domain.contains("..");
        let fits = text.len() <= 254 && !local.is_empty() && local.len() <= 64 && !domain.is_empty();
        (fits && dotted && !domain.contains('@') && !text.contains(forbidden)).then(|| Self(text.to_owned()))
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What makes it unique.
    pub fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

/// The name of a role: 1 to 32 characters of `[a-z0-9_-]`, beginning with a letter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Role(String);

impl Role {
    /// Checks a role's name.
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-';
        let starts = text.as_bytes().first().is_some_and(u8::is_ascii_lowercase);
        (starts && text.len() <= 32 && text.bytes().all(allowed)).then(|| Self(text.to_owned()))
    }

    /// Its name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A display name fit to show: at most 200 bytes, no control characters, line breaks or changes of direction; `None` if not.
/// Joiners are welcome, some scripts and all emoji need them.
pub fn parse_name(text: &str) -> Option<String> {
    let text = text.trim();
    let fit = !text.is_empty() && text.len() <= 200 && !text.contains(spoils_a_line);
    fit.then(|| text.to_owned())
}

fn spoils_a_line(c: char) -> bool {
    c.is_control() || is_bidirectional(c) || is_noncharacter(c) || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::{Email, Role, parse_name};

    #[test]
    fn addresses_are_checked_and_compared_by_ascii_case_only() {
        for good in ["a@b", "First.Last+tag@Example.COM", "ü@münchen.example"] {
            assert!(Email::parse(good).is_some(), "{good}");
        }
        for bad in ["", "@", "a@", "@b", "a@b@c", "a b@c", "a@b\n", "a\u{200b}@b", "a@.b", "a@b..c", "<a@b>", "a\0@b"] {
            assert!(Email::parse(bad).is_none(), "{bad:?}");
        }
        assert!(Email::parse(&format!("{}@b", "a".repeat(65))).is_none());
        assert_eq!(Email::parse("A@B.c").expect("valid").key(), "a@b.c");
    }

    #[test]
    fn roles_and_names() {
        assert!(Role::parse("admin").is_some() && Role::parse("billing-eu_2").is_some());
        for bad in ["", "Admin", "1st", "a b", "admin,root", &"a".repeat(33)] {
            assert!(Role::parse(bad).is_none(), "{bad:?}");
        }
        assert_eq!(parse_name("  Ada Lovelace ").as_deref(), Some("Ada Lovelace"));
        assert!(parse_name("x\u{202e}y").is_none() && parse_name("\t").is_none());
    }
}
