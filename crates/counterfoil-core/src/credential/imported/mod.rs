//! Password hashes that other systems have made: which kinds there are, what checking one may cost, and whether a password is
//! the one behind it. Nothing here makes a hash: once its owner has signed in, an imported one is replaced by one of ours.

mod argon2;
mod bcrypt;
mod fields;
mod firebase;
mod pbkdf2;
mod scrypt;

pub use firebase::FirebaseProject;

use super::password::Password;
use std::fmt;
use std::ops::RangeInclusive;

/// The most bytes the text of a hash may have. The longest that is understood, Firebase's, has 200.
pub const MAX_TEXT: usize = 512;

/// Why a hash is not taken. The text names the limit; it never repeats salt or digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// Too long to be looked at.
    #[error("`password_hash` is longer than {MAX_TEXT} bytes")]
    TooLong,
    /// Not a text of any kind known here.
    #[error(
        "`password_hash` is of no kind that is understood: bcrypt, scrypt, PBKDF2 with SHA-256 or SHA-512, Argon2, Firebase's scrypt"
    )]
    Unknown,
    /// Of a known kind, but not as texts of that kind are written.
    #[error("the {kind} hash cannot be read: {what}")]
    Malformed {
        /// Which kind.
        kind: &'static str,
        /// What is wrong.
        what: &'static str,
    },
    /// Checking it would cost too much, or it is too small to mean anything.
    #[error("the {kind} hash has {what} {found}; allowed are {least} to {most}")]
    OutOfBounds {
        /// Which kind.
        kind: &'static str,
        /// Which parameter.
        what: &'static str,
        /// What it is.
        found: u64,
        /// The least.
        least: u64,
        /// The most.
        most: u64,
    },
}

impl NotTaken {
    const fn malformed(kind: &'static str, what: &'static str) -> Self {
        Self::Malformed { kind, what }
    }
}

/// Refuses a parameter outside its bounds.
fn within(kind: &'static str, what: &'static str, found: u64, bounds: RangeInclusive<u64>) -> Result<(), NotTaken> {
    let (least, most) = bounds.into_inner();
    if (least..=most).contains(&found) { Ok(()) } else { Err(NotTaken::OutOfBounds { kind, what, found, least, most }) }
}

/// A hash that another system has made, with every parameter within its bounds. `Display` writes the one text that
/// [`Imported::parse`] reads back as the same.
#[derive(Clone, PartialEq, Eq)]
pub struct Imported(Kind);

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    Argon2(argon2::Hash),
    Bcrypt(bcrypt::Hash),
    Firebase(firebase::Hash),
    Pbkdf2(pbkdf2::Hash),
    Scrypt(scrypt::Hash),
}

impl Imported {
    /// Reads a hash as other systems write it. No work is done that the text could make long.
    pub fn parse(text: &str) -> Result<Self, NotTaken> {
        if text.len() > MAX_TEXT {
            return Err(NotTaken::TooLong);
        }
        let text = without_hasher(text);
        let kind = if let Some(rest) = text.strip_prefix("$argon2") {
            Kind::Argon2(argon2::Hash::parse(rest)?)
        } else if let Some(rest) = text.strip_prefix("$2") {
            Kind::Bcrypt(bcrypt::Hash::parse(rest)?)
        } else if let Some(rest) = text.strip_prefix("$scrypt$") {
            Kind::Scrypt(scrypt::Hash::parse(rest)?)
        } else if let Some(rest) = text.strip_prefix("$pbkdf2-") {
            Kind::Pbkdf2(pbkdf2::Hash::parse(rest)?)
        } else if let Some(rest) = text.strip_prefix("pbkdf2_sha256$") {
            Kind::Pbkdf2(pbkdf2::Hash::parse_django(rest)?)
        } else if let Some(rest) = text.strip_prefix("$firebase-scrypt$") {
            Kind::Firebase(firebase::Hash::parse(rest)?)
        } else {
            return Err(NotTaken::Unknown);
        };
        Ok(Self(kind))
    }

    /// Whether this is the password behind the hash, compared in constant time. It is taken as it was received: other
    /// systems did not normalise it.
    pub fn verify(&self, password: &Password) -> bool {
        let password = password.as_received();
        match &self.0 {
            Kind::Argon2(hash) => hash.verify(password),
            Kind::Bcrypt(hash) => hash.verify(password),
            Kind::Firebase(hash) => hash.verify(password),
            Kind::Pbkdf2(hash) => hash.verify(password),
            Kind::Scrypt(hash) => hash.verify(password),
        }
    }
}

impl fmt::Debug for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Imported(…)")
    }
}

impl fmt::Display for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Argon2(hash) => hash.fmt(f),
            Kind::Bcrypt(hash) => hash.fmt(f),
            Kind::Firebase(hash) => hash.fmt(f),
            Kind::Pbkdf2(hash) => hash.fmt(f),
            Kind::Scrypt(hash) => hash.fmt(f),
        }
    }
}

/// Django writes the name of its hasher in front of texts that name their algorithm themselves.
fn without_hasher(text: &str) -> &str {
    let argon2 = text.strip_prefix("argon2").filter(|rest| rest.starts_with("$argon2"));
    let bcrypt = || text.strip_prefix("bcrypt$").filter(|rest| rest.starts_with("$2"));
    argon2.or_else(bcrypt).unwrap_or(text)
}

/// Whether a derived digest is the expected one; an empty or shortened one never is.
fn same(actual: &[u8], expected: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(actual, expected).is_ok()
}
