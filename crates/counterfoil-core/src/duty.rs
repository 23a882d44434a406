//! What somebody may do in the administration, by the roles they hold.

use crate::user::User;

/// The role that may do everything.
pub const ADMIN: &str = "admin";
/// The role that sees everything and ends access, and changes nothing that lasts: no key, no role, no credential.
pub const SUPPORT: &str = "support";
/// The role that sees everything and changes nothing.
pub const AUDITOR: &str = "auditor";

/// Each may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Duty {
    /// To look.
    See,
    /// To end sessions, ban, let in again and unlock.
    Support,
    /// Everything.
    Administer,
}

impl Duty {
    /// The highest of an account's roles; `None` for one that has no place in the administration.
    pub fn of(user: &User) -> Option<Self> {
        let held = [(ADMIN, Self::Administer), (SUPPORT, Self::Support), (AUDITOR, Self::See)];
        held.into_iter().find(|(role, _)| user.has_role(role)).map(|(_, duty)| duty)
    }

    /// What the holder of this role alone may do; `None` for one that has no place in the administration.
    pub fn of_role(role: &str) -> Option<Self> {
        [Self::See, Self::Support, Self::Administer].into_iter().find(|duty| duty.role() == role)
    }

    /// The role that is the least for it.
    pub const fn role(self) -> &'static str {
        match self {
            Self::Administer => ADMIN,
            Self::Support => SUPPORT,
            Self::See => AUDITOR,
        }
    }

    /// Whether somebody with this duty may act against an account with that one: nobody keeps those out who stand above them.
    pub fn reaches(self, account: Option<Self>) -> bool {
        account.is_none_or(|theirs| theirs <= self)
    }
}

#[cfg(test)]
mod tests {
    use super::Duty;
    use crate::user::{Email, Role, User};
    use counterfoil_guard::{Timestamp, UserId};

    fn with(roles: &[&str]) -> User {
        User {
            id: UserId::from_bytes([0; 16]),
            email: Email::parse("a@b").expect("an address"),
            name: None,
            roles: roles.iter().map(|role| Role::parse(role).expect("a role")).collect(),
            claims_version: 0,
            created_at: Timestamp::from_millis(0),
            banned: None,
        }
    }

    #[test]
    fn the_highest_role_counts_and_nobody_reaches_above_themselves() {
        assert_eq!(Duty::of(&with(&["editor"])), None);
        assert_eq!(Duty::of(&with(&["auditor", "support"])), Some(Duty::Support));
        assert_eq!(Duty::of(&with(&["admin", "auditor"])), Some(Duty::Administer));
        assert_eq!((Duty::of_role("support"), Duty::of_role("Support")), (Some(Duty::Support), None));
        assert!(Duty::Support.reaches(None) && Duty::Support.reaches(Some(Duty::Support)));
        assert!(!Duty::Support.reaches(Some(Duty::Administer)));
        assert!(Duty::Administer.reaches(Some(Duty::Administer)));
    }
}
