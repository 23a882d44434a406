//! Accounts from other systems: what makes one acceptable. The same rules as for an account made here, and a password hash
//! instead of a password.

use crate::credential::imported::{Imported, NotTaken};
use crate::credential::stored;
use crate::legacy::LONGEST_SUBJECT;
use crate::user::{Ban, Email, Role, User, parse_name};
use counterfoil_guard::{Timestamp, UserId, rfc3339};

/// The most roles an account may have.
pub const MAX_ROLES: usize = 16;

/// Why somebody is banned who was so where they came from.
pub const BAN_REASON: &str = "banned before the import";

/// An account as the other system tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// The address.
    pub email: String,
    /// What the user likes to be called.
    pub name: Option<String>,
    /// Names of roles.
    pub roles: Vec<String>,
    /// When the account was made (RFC 3339); now, if nothing is said.
    pub created_at: Option<String>,
    /// Whether it may not sign in.
    pub banned: bool,
    /// The hash of its password; without one it has no password.
    pub password_hash: Option<String>,
    /// What the other system calls it, as its tokens do.
    pub external_id: Option<String>,
}

/// An account that may be taken over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The account.
    pub user: User,
    /// The text to be stored as its password.
    pub hash: String,
    /// What the other system calls it.
    pub external_id: Option<String>,
}

/// Why an account is not taken over. The text is for whoever imports; it repeats neither address nor hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// Not an address.
    #[error("`email` is not an email address")]
    Email,
    /// Not fit to be shown.
    #[error("`name` must be at most 200 bytes of printable text")]
    Name,
    /// A name no role can have, or too many.
    #[error(
        "`roles` must be at most {MAX_ROLES}, each 1 to 32 characters of a-z, 0-9, - and _, beginning with a letter"
    )]
    Roles,
    /// Not a time.
    #[error("`created_at` must be a time such as 2026-11-21T08:00:00Z, from 1970 on (RFC 3339)")]
    CreatedAt,
    /// A time that has not come.
    #[error("`created_at` lies in the future")]
    Future,
    /// Not fit to be found by.
    #[error("`external_id` must be at most {LONGEST_SUBJECT} bytes without control characters")]
    ExternalId,
    /// No room.
    #[error("there are as many accounts as there may be (`registration.max_users`)")]
    Full,
    /// The hash.
    #[error(transparent)]
    Hash(#[from] NotTaken),
}

impl Row {
    /// The account, if it is acceptable.
    pub fn check(self, id: UserId, now: Timestamp) -> Result<Account, Wrong> {
        let email = Email::parse(&self.email).ok_or(Wrong::Email)?;
        let name = match self.name.as_deref() {
            None | Some("") => None,
            Some(name) => Some(parse_name(name).ok_or(Wrong::Name)?),
        };
        let roles: Option<Vec<Role>> = self.roles.iter().map(|role| Role::parse(role)).collect();
        let mut roles = roles.filter(|roles| roles.len() <= MAX_ROLES).ok_or(Wrong::Roles)?;
        roles.sort();
        roles.dedup();
        let created_at = match self.created_at.as_deref() {
            None | Some("") => now,
            Some(text) => time(text).ok_or(Wrong::CreatedAt)?,
        };
        if created_at > now {
            return Err(Wrong::Future);
        }
        let hash = match self.password_hash.as_deref() {
            None | Some("") => stored::NO_PASSWORD.to_owned(),
            Some(text) => stored::write(&Imported::parse(text)?),
        };
        let banned = self.banned.then(|| Ban { at: now, until: None, reason: BAN_REASON.to_owned() });
        let external_id = self.external_id.filter(|id| !id.is_empty());
        if external_id.as_ref().is_some_and(|id| id.len() > LONGEST_SUBJECT || id.chars().any(char::is_control)) {
            return Err(Wrong::ExternalId);
        }
        let user = User { id, email, name, roles, claims_version: 0, created_at, banned };
        Ok(Account { user, hash, external_id })
    }
}

/// A time with a fraction and an offset, both optional as RFC 3339 has them; databases write a space for the T. From the epoch on.
fn time(text: &str) -> Option<Timestamp> {
    let (date, rest) = text.split_at_checked(10)?;
    let (clock, rest) = rest.strip_prefix(['T', 't', ' '])?.split_at_checked(8)?;
    let seconds = rfc3339::parse(&format!("{date}T{clock}Z"))?;
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (fraction, offset) = match rest.strip_prefix('.') {
        None => ("", rest),
        Some(rest) => rest.split_at(digits(rest)),
    };
    let empty = rest.starts_with('.') && fraction.is_empty();
    let offset = offset_seconds(offset).filter(|_| !empty)?;
    let millis: i64 = format!("{fraction:0<3}")[..3].parse().ok()?;
    let millis = seconds.checked_sub(offset)?.checked_mul(1000)?.checked_add(millis)?;
    (millis >= 0).then(|| Timestamp::from_millis(millis))
}

/// `Z`, `+02:00` or, from databases, `+02`.
fn offset_seconds(text: &str) -> Option<i64> {
    if matches!(text, "Z" | "z") {
        return Some(0);
    }
    let (sign, rest) = text.strip_prefix('+').map(|rest| (1, rest)).or_else(|| Some((-1, text.strip_prefix('-')?)))?;
    let (hours, minutes) = rest.split_once(':').unwrap_or((rest, "00"));
    let two = |text: &str, most: i64| -> Option<i64> {
        let plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse().ok()).flatten().filter(|value| *value <= most)
    };
    Some(sign * (two(hours, 23)? * 3600 + two(minutes, 59)? * 60))
}

#[cfg(test)]
mod tests {
    use super::{Account, BAN_REASON, Row, Wrong, time};
    use crate::credential::imported::NotTaken;
    use counterfoil_guard::{Timestamp, UserId};

    fn now() -> Timestamp {
        Timestamp::from_seconds(1_800_000_000)
    }

    fn row(email: &str) -> Row {
        Row { email: email.into(), ..Row::default() }
    }

    fn why(row: Row) -> Option<Wrong> {
        row.check(UserId::from_bytes([1; 16]), now()).err()
    }

    #[test]
    fn times_are_read_as_other_systems_write_them() {
        for (text, millis) in [
            ("2024-02-29T23:59:59Z", Some(1_709_251_199_000)),
            ("2024-02-29t23:59:59.1239z", Some(1_709_251_199_123)),
            ("2024-03-01T01:59:59+02:00", Some(1_709_251_199_000)),
            ("2024-02-29 18:29:59.5-05:30", Some(1_709_251_199_500)),
            ("2024-03-01 01:59:59.000001+02", Some(1_709_251_199_000)),
            ("1970-01-01T00:00:00Z", Some(0)),
            ("1970-01-01T00:00:00+00:01", None),
            ("2024-02-30T00:00:00Z", None),
            ("2024-02-29T23:59:59", None),
            ("2024-02-29T23:59:59.Z", None),
            ("2024-02-29T23:59:59+2:00", None),
            ("2024-02-29T23:59:59+24:00", None),
            ("2024-02-29", None),
            ("1709251199", None),
            ("2024-02-29T23:59:5é", None),
        ] {
            assert_eq!(time(text).map(Timestamp::as_millis), millis, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_with_an_imported_account_is_said() {
        assert_eq!(why(row("ada")), Some(Wrong::Email));
        let with = |change: fn(&mut Row)| {
            let mut row = row("ada@example.com");
            change(&mut row);
            why(row)
        };
        assert_eq!(with(|row| row.name = Some("x\u{202e}".into())), Some(Wrong::Name));
        assert_eq!(with(|row| row.roles = vec!["Admin".into()]), Some(Wrong::Roles));
        assert_eq!(with(|row| row.roles = vec!["r".into(); 17]), Some(Wrong::Roles));
        assert_eq!(with(|row| row.created_at = Some("yesterday".into())), Some(Wrong::CreatedAt));
        assert_eq!(with(|row| row.created_at = Some("2027-01-15T08:00:01Z".into())), Some(Wrong::Future));
        assert_eq!(
            with(|row| row.password_hash = Some("5f4dcc3b5aa765d61d83".into())),
            Some(Wrong::Hash(NotTaken::Unknown))
        );
        assert_eq!(with(|row| row.password_hash = Some(String::new())), None);
    }

    #[test]
    fn an_imported_account_is_as_it_was() {
        let row = Row {
            name: Some(" Ada ".into()),
            roles: vec!["editor".into(), "admin".into(), "editor".into()],
            created_at: Some("2020-01-01T00:00:00Z".into()),
            banned: true,
            ..row("Ada@Example.com")
        };
        let Account { user, hash, .. } = row.check(UserId::from_bytes([1; 16]), now()).expect("an account");
        let roles: Vec<_> = user.roles.iter().map(crate::user::Role::as_str).collect();
        assert_eq!(
            (user.email.as_str(), user.name.as_deref(), roles),
            ("Ada@Example.com", Some("Ada"), vec!["admin", "editor"])
        );
        assert_eq!(user.created_at, Timestamp::from_seconds(1_577_836_800));
        assert_eq!(user.banned.map(|ban| ban.reason).as_deref(), Some(BAN_REASON));
        assert_eq!(hash, "imported$none");
    }
}
