//! Firebase's scrypt: what scrypt derives from the password is a key, and the hash is the project's signer key, encrypted by it
//! (AES-256 in counter mode, beginning at zero).
//!
//! In counter mode the encrypted text is the plain one XOR a key stream, so the key stream is known of every account as soon as
//! the signer key is. It is what is kept, and compared: the signer key need not be, anywhere.

use super::fields::{decode, encode, parameters, salt, split};
use super::scrypt::Cost;
use super::{Imported, Kind, NotTaken, same, within};
use crate::secret::Secret;
use aws_lc_rs::cipher::{AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use std::fmt;
use zeroize::Zeroizing;

const KIND: &str = "Firebase scrypt";

/// Bytes of the key for AES-256.
const KEY: usize = 32;

/// The hash parameters of a Firebase project.
#[derive(Clone, Debug)]
pub struct FirebaseProject {
    signer_key: Secret<Vec<u8>>,
    separator: Vec<u8>,
    cost: Cost,
}

impl FirebaseProject {
    /// From what the console shows as `base64_signer_key`, `base64_salt_separator`, `rounds` and `mem_cost`.
    pub fn new(signer_key: &Secret<String>, separator: &str, rounds: u32, mem_cost: u32) -> Result<Self, NotTaken> {
        let unreadable = NotTaken::malformed(KIND, "the signer key is not base64");
        let signer_key = Secret::new(decode(signer_key.expose()).ok_or(unreadable)?);
        within(KIND, "a signer key of bytes:", signer_key.expose().len() as u64, 16..=128)?;
        let separator = decode(separator).ok_or(NotTaken::malformed(KIND, "the salt separator is not base64"))?;
        within(KIND, "a salt separator of bytes:", separator.len() as u64, 0..=16)?;
        Ok(Self { signer_key, separator, cost: Cost::new(KIND, [mem_cost, rounds, 1])? })
    }

    /// The hash of one of the project's accounts, from its `passwordHash` and `salt`.
    pub fn hash(&self, password_hash: &str, salt: &str) -> Result<Imported, NotTaken> {
        let wrong = |what| NotTaken::malformed(KIND, what);
        let encrypted = decode(password_hash).ok_or_else(|| wrong("the hash is not base64"))?;
        let signer_key = self.signer_key.expose();
        if encrypted.len() != signer_key.len() {
            return Err(wrong("the hash is not as long as the signer key"));
        }
        let mut salt = self::salt(KIND, salt)?;
        salt.extend_from_slice(&self.separator);
        let stream = encrypted.iter().zip(signer_key).map(|(encrypted, plain)| encrypted ^ plain).collect();
        Ok(Imported(Kind::Firebase(Hash { cost: self.cost, salt, stream })))
    }
}

#[derive(Clone, PartialEq, Eq)]
pub(super) struct Hash {
    cost: Cost,
    /// The account's salt and the project's separator.
    salt: Vec<u8>,
    stream: Vec<u8>,
}

impl Hash {
    /// What follows `$firebase-scrypt$` in a text of our own: `ln=14,r=8$salt and separator$key stream`.
    pub(super) fn parse(text: &str) -> Result<Self, NotTaken> {
        let [cost, with, stream] = split(KIND, text)?;
        let [log_n, r] =
            parameters(cost, ["ln", "r"]).ok_or(NotTaken::malformed(KIND, "the parameters are not ln=…,r=…"))?;
        let salt = decode(with).ok_or(NotTaken::malformed(KIND, "the salt is not base64"))?;
        within(KIND, "a salt of bytes:", salt.len() as u64, 1..=80)?;
        let stream = decode(stream).ok_or(NotTaken::malformed(KIND, "the key stream is not base64"))?;
        within(KIND, "a key stream of bytes:", stream.len() as u64, 16..=128)?;
        Ok(Self { cost: Cost::new(KIND, [log_n, r, 1])?, salt, stream })
    }

    pub(super) fn verify(&self, password: &[u8]) -> bool {
        let key = self.cost.derive(password, &self.salt, KEY);
        let mut stream = Zeroizing::new(vec![0; self.stream.len()]);
        let encrypted = UnboundCipherKey::new(&AES_256, &key)
            .and_then(EncryptingKey::ctr)
            .and_then(|key| key.less_safe_encrypt(&mut stream, EncryptionContext::Iv128(FixedLength::from([0; 16]))));
        encrypted.is_ok() && same(&stream, &self.stream)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cost { log_n, r, .. } = self.cost;
        write!(f, "$firebase-scrypt$ln={log_n},r={r}${}${}", encode(&self.salt), encode(&self.stream))
    }
}
