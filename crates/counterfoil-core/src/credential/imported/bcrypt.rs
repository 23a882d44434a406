//! bcrypt: `$2b$12$` and 53 characters of its own base64. The letters a, b and y name versions that differ only in faults long
//! mended; `$2x$`, which has one of them, is not taken.

use super::{NotTaken, same, within};
use base64::Engine as _;
use bcrypt::BASE_64;
use std::fmt;
use zeroize::Zeroizing;

const KIND: &str = "bcrypt";

/// bcrypt reads no more of a password.
const READS: usize = 72;

#[derive(Clone, PartialEq, Eq)]
pub(super) struct Hash {
    version: char,
    cost: u32,
    salt: [u8; 16],
    digest: [u8; 23],
}

impl Hash {
    /// What follows `$2`. Cost 14 takes one to two seconds.
    pub(super) fn parse(text: &str) -> Result<Self, NotTaken> {
        let version = text.chars().next().filter(|version| "aby".contains(*version));
        let version = version.ok_or(NotTaken::malformed(KIND, "the version is none of $2a$, $2b$ and $2y$"))?;
        let malformed = || NotTaken::malformed(KIND, "it is not $2b$, two digits of cost, $ and 53 characters");
        let (cost, rest) = text[1..].strip_prefix('$').and_then(|rest| rest.split_once('$')).ok_or_else(malformed)?;
        let cost = super::fields::number(cost).filter(|_| cost.len() == 2).ok_or_else(malformed)?;
        within(KIND, "cost", cost.into(), 4..=14)?;
        let (salt, digest) =
            rest.split_at_checked(22).filter(|(_, digest)| digest.len() == 31).ok_or_else(malformed)?;
        let salt = BASE_64.decode(salt).ok().and_then(|salt| salt.try_into().ok()).ok_or_else(malformed)?;
        let digest = BASE_64.decode(digest).ok().and_then(|digest| digest.try_into().ok()).ok_or_else(malformed)?;
        Ok(Self { version, cost, salt, digest })
    }

    /// The password ends with a zero byte, unless it is so long that it ends with bcrypt's patience.
    pub(super) fn verify(&self, password: &[u8]) -> bool {
        let read = Zeroizing::new([&password[..password.len().min(READS)], &[0]].concat());
        let read = &read[..read.len().min(READS)];
        same(&bcrypt::bcrypt(self.cost, self.salt, read)[..23], &self.digest)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (salt, digest) = (BASE_64.encode(self.salt), BASE_64.encode(self.digest));
        write!(f, "$2{}${:02}${salt}{digest}", self.version, self.cost)
    }
}
