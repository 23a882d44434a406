//! PBKDF2 with HMAC over SHA-256 or SHA-512: PHC strings, passlib's, and Django's texts.

use super::fields::{decode, digest, encode, number, parameters, salt, split};
use super::{NotTaken, same, within};
use aws_lc_rs::pbkdf2::{Algorithm, PBKDF2_HMAC_SHA256, PBKDF2_HMAC_SHA512, derive};
use std::fmt;
use std::num::NonZeroU32;
use zeroize::Zeroizing;

const KIND: &str = "PBKDF2";

/// The hash function below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Function {
    Sha256,
    Sha512,
}

impl Function {
    const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    const fn output(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }

    const fn algorithm(self) -> Algorithm {
        match self {
            Self::Sha256 => PBKDF2_HMAC_SHA256,
            Self::Sha512 => PBKDF2_HMAC_SHA512,
        }
    }
}

#[derive(Clone, PartialEq, Eq)]
pub(super) struct Hash {
    function: Function,
    iterations: NonZeroU32,
    salt: Vec<u8>,
    digest: Vec<u8>,
}

impl Hash {
    /// What follows `$pbkdf2-`: `sha256$i=600000,l=32$salt$digest`, the length optional, or passlib's plain number of
    /// iterations.
    pub(super) fn parse(text: &str) -> Result<Self, NotTaken> {
        let [function, cost, with, expected] = split(KIND, text)?;
        let function = match function {
            "sha256" => Function::Sha256,
            "sha512" => Function::Sha512,
            _ => return Err(NotTaken::malformed(KIND, "the function is neither sha256 nor sha512")),
        };
        let expected = digest(KIND, expected)?;
        let length = u32::try_from(expected.len()).unwrap_or(u32::MAX);
        let [iterations, said] = parameters(cost, ["i", "l"])
            .or_else(|| parameters(cost, ["i"]).map(|[iterations]| [iterations, length]))
            .or_else(|| number(cost).map(|iterations| [iterations, length]))
            .ok_or(NotTaken::malformed(KIND, "the parameters are neither i=…,l=… nor i=…"))?;
        if said != length {
            return Err(NotTaken::malformed(KIND, "the digest does not have the length that the parameters say"));
        }
        Self::new(function, iterations, salt(KIND, with)?, expected)
    }

    /// What follows `pbkdf2_sha256$` in Django: `iterations$salt$digest`, where the salt is text.
    pub(super) fn parse_django(text: &str) -> Result<Self, NotTaken> {
        let [iterations, salt, expected] = split(KIND, text)?;
        let iterations =
            number(iterations).ok_or(NotTaken::malformed(KIND, "the number of iterations is not a number"))?;
        within(KIND, "a salt of bytes:", salt.len() as u64, 1..=64)?;
        let expected = decode(expected).ok_or(NotTaken::malformed(KIND, "the digest is not base64"))?;
        if expected.len() != 32 {
            return Err(NotTaken::malformed(KIND, "the digest does not have 32 bytes"));
        }
        Self::new(Function::Sha256, iterations, salt.as_bytes().to_vec(), expected)
    }

    /// Every further block of output costs as many iterations again. Two million take up to two seconds.
    fn new(function: Function, iterations: u32, salt: Vec<u8>, digest: Vec<u8>) -> Result<Self, NotTaken> {
        let blocks = digest.len().div_ceil(function.output()) as u64;
        within(KIND, "iterations times blocks of output", u64::from(iterations) * blocks, 1..=2_000_000)?;
        let iterations = NonZeroU32::new(iterations).ok_or(NotTaken::malformed(KIND, "there are no iterations"))?;
        Ok(Self { function, iterations, salt, digest })
    }

    pub(super) fn verify(&self, password: &[u8]) -> bool {
        let mut derived = Zeroizing::new(vec![0; self.digest.len()]);
        derive(self.function.algorithm(), self.iterations, &self.salt, password, &mut derived);
        same(&derived, &self.digest)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (function, i, l) = (self.function.name(), self.iterations, self.digest.len());
        write!(f, "$pbkdf2-{function}$i={i},l={l}${}${}", encode(&self.salt), encode(&self.digest))
    }
}
