//! scrypt as PHC strings have it: `$scrypt$ln=17,r=8,p=1$salt$digest`.

use super::fields::{digest, encode, parameters, salt, split};
use super::{NotTaken, same, within};
use scrypt::Params;
use std::fmt;
use zeroize::Zeroizing;

const KIND: &str = "scrypt";

/// What a derivation costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cost {
    pub(super) log_n: u32,
    pub(super) r: u32,
    p: u32,
}

impl Cost {
    /// At most 128 MiB, as OWASP's strongest setting has, and twice the time that one takes.
    pub(super) fn new(kind: &'static str, [log_n, r, p]: [u32; 3]) -> Result<Self, NotTaken> {
        within(kind, "the logarithm of N", log_n.into(), 1..=20)?;
        within(kind, "r", r.into(), 1..=32)?;
        within(kind, "p", p.into(), 1..=16)?;
        let kibibytes = (u64::from(r) << log_n) / 8;
        within(kind, "memory of KiB:", kibibytes, 0..=128 * 1024)?;
        within(kind, "N times r times p", u64::from(r * p) << log_n, 1..=1 << 21)?;
        Ok(Self { log_n, r, p })
    }

    /// As many bytes as asked for.
    pub(super) fn derive(self, password: &[u8], salt: &[u8], bytes: usize) -> Zeroizing<Vec<u8>> {
        let log_n = u8::try_from(self.log_n).expect("at most 20");
        let params = Params::new(log_n, self.r, self.p).expect("within bounds far below the library's");
        let mut derived = Zeroizing::new(vec![0; bytes]);
        scrypt::scrypt(password, salt, &params, &mut derived).expect("a length within the library's bounds");
        derived
    }
}

#[derive(Clone, PartialEq, Eq)]
pub(super) struct Hash {
    cost: Cost,
    salt: Vec<u8>,
    digest: Vec<u8>,
}

impl Hash {
    /// What follows `$scrypt$`.
    pub(super) fn parse(text: &str) -> Result<Self, NotTaken> {
        let [cost, with, expected] = split(KIND, text)?;
        let cost = parameters(cost, ["ln", "r", "p"])
            .ok_or(NotTaken::malformed(KIND, "the parameters are not ln=…,r=…,p=…, where ln is the logarithm of N"))?;
        Ok(Self { cost: Cost::new(KIND, cost)?, salt: salt(KIND, with)?, digest: digest(KIND, expected)? })
    }

    pub(super) fn verify(&self, password: &[u8]) -> bool {
        same(&self.cost.derive(password, &self.salt, self.digest.len()), &self.digest)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cost { log_n, r, p } = self.cost;
        write!(f, "$scrypt$ln={log_n},r={r},p={p}${}${}", encode(&self.salt), encode(&self.digest))
    }
}
