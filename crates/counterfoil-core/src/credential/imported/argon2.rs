//! Argon2 in all three variants, without our pepper: `$argon2id$v=19$m=65536,t=3,p=4$salt$digest`.

use super::fields::{digest, encode, parameters, salt, split};
use super::{NotTaken, same, within};
use argon2::{Algorithm, Argon2, Params, Version};
use std::fmt;
use zeroize::Zeroizing;

const KIND: &str = "Argon2";

#[derive(Clone, PartialEq, Eq)]
pub(super) struct Hash {
    algorithm: Algorithm,
    version: Version,
    cost: [u32; 3],
    salt: Vec<u8>,
    digest: Vec<u8>,
}

impl Hash {
    /// What follows `$argon2`. Texts of the first version do not name it.
    pub(super) fn parse(text: &str) -> Result<Self, NotTaken> {
        let (variant, rest) = text.split_once('$').unwrap_or((text, ""));
        let algorithm = match variant {
            "d" => Algorithm::Argon2d,
            "i" => Algorithm::Argon2i,
            "id" => Algorithm::Argon2id,
            _ => return Err(NotTaken::malformed(KIND, "the variant is none of argon2d, argon2i and argon2id")),
        };
        let (version, rest) = match rest.strip_prefix("v=").and_then(|rest| rest.split_once('$')) {
            Some(("19", rest)) => (Version::V0x13, rest),
            Some(("16", rest)) => (Version::V0x10, rest),
            Some(_) => return Err(NotTaken::malformed(KIND, "the version is neither 19 nor 16")),
            None => (Version::V0x10, rest),
        };
        let [cost, with, expected] = split(KIND, rest)?;
        let cost =
            parameters(cost, ["m", "t", "p"]).ok_or(NotTaken::malformed(KIND, "the parameters are not m=…,t=…,p=…"))?;
        bounded(cost)?;
        let salt = salt(KIND, with)?;
        // The specification's least.
        within(KIND, "a salt of bytes:", salt.len() as u64, 8..=64)?;
        Ok(Self { algorithm, version, cost, salt, digest: digest(KIND, expected)? })
    }

    /// In memory of its own, which is given back: that which is kept for our own hashes stays as small as they need it.
    pub(super) fn verify(&self, password: &[u8]) -> bool {
        let [m, t, p] = self.cost;
        let params = Params::new(m, t, p, Some(self.digest.len())).expect("within the library's bounds");
        let mut derived = Zeroizing::new(vec![0; self.digest.len()]);
        let argon2 = Argon2::new(self.algorithm, self.version, params);
        argon2.hash_password_into(password, &self.salt, &mut derived).is_ok() && same(&derived, &self.digest)
    }
}

/// At most 128 MiB; four passes over them, or more over less.
fn bounded([m, t, p]: [u32; 3]) -> Result<(), NotTaken> {
    within(KIND, "p", p.into(), 1..=16)?;
    within(KIND, "memory (m) of KiB:", m.into(), 8 * u64::from(p)..=128 * 1024)?;
    within(KIND, "t", t.into(), 1..=64)?;
    within(KIND, "m times t", u64::from(m) * u64::from(t), 1..=512 * 1024)
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ([m, t, p], version) = (self.cost, u32::from(self.version));
        let (salt, digest) = (encode(&self.salt), encode(&self.digest));
        write!(f, "${}$v={version}$m={m},t={t},p={p}${salt}${digest}", self.algorithm.as_str())
    }
}
