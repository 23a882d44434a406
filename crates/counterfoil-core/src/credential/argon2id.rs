//! Password hashes: Argon2id in the usual text form, with a secret ("pepper") that the database does not hold.

use crate::credential::password::Password;
use crate::secret::Secret;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// Memory in KiB, passes and lanes (OWASP password storage: 19 MiB, 2, 1).
pub const COST: (u32, u32, u32) = (19_456, 2, 1);

const DIGEST: usize = 32;

/// Working memory for one hash at a time. It is kept and used again: fetching 19 MiB of fresh pages from the kernel
/// costs page faults every time.
#[derive(Default)]
pub struct Memory(Vec<Block>);

/// The stored text is not a hash this version can check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an argon2id hash")]
pub struct UnknownHash;

/// Hashes a password under a fresh random salt.
pub fn hash(password: &Password, salt: &[u8; 16], pepper: &Secret<Vec<u8>>, memory: &mut Memory) -> String {
    let digest = digest(password.as_bytes(), salt, COST, pepper, memory).expect("the cost above is valid");
    let (m, t, p) = COST;
    let encode = |bytes: &[u8]| STANDARD_NO_PAD.encode(bytes);
    format!("$argon2id$v=19$m={m},t={t},p={p}${}${}", encode(salt), encode(digest.expose()))
}

/// Whether this is the password behind `stored`, in constant time.
pub fn verify(
    password: &Password,
    stored: &str,
    pepper: &Secret<Vec<u8>>,
    memory: &mut Memory,
) -> Result<bool, UnknownHash> {
    let (cost, salt, expected) = parse(stored).ok_or(UnknownHash)?;
    let actual = digest(password.as_bytes(), &salt, cost, pepper, memory).map_err(|_| UnknownHash)?;
    Ok(aws_lc_rs::constant_time::verify_slices_are_equal(actual.expose(), &expected).is_ok())
}

/// Cost, salt and digest of a stored hash.
type Stored = ((u32, u32, u32), Vec<u8>, Vec<u8>);

fn parse(stored: &str) -> Option<Stored> {
    let mut fields = stored.strip_prefix("$argon2id$v=19$")?.split('$');
    let (cost, salt, digest) = (fields.next()?, fields.next()?, fields.next()?);
    let mut numbers = cost.split(',').zip(["m=", "t=", "p="]).map(|(text, name)| text.strip_prefix(name)?.parse().ok());
    let cost = (numbers.next()??, numbers.next()??, numbers.next()??);
    let decode = |text: &str| STANDARD_NO_PAD.decode(text).ok();
    // A stored cost beyond this would let whoever writes the database stop the server.
    let bounded = cost.0 <= 4 * COST.0 && cost.1 <= 8 && cost.2 <= 4;
    (bounded && fields.next().is_none()).then_some((cost, decode(salt)?, decode(digest)?))
}

fn digest(
    password: &[u8],
    salt: &[u8],
    (m, t, p): (u32, u32, u32),
    pepper: &Secret<Vec<u8>>,
    memory: &mut Memory,
) -> Result<Secret<[u8; DIGEST]>, argon2::Error> {
    let params = Params::new(m, t, p, Some(DIGEST))?;
    let blocks = params.block_count();
    let argon2 = Argon2::new_with_secret(pepper.expose(), Algorithm::Argon2id, Version::V0x13, params)?;
    if memory.0.len() < blocks {
        memory.0.resize(blocks, Block::default());
    }
    let mut digest = [0; DIGEST];
    argon2.hash_password_into_with_memory(password, salt, &mut digest, &mut memory.0[..blocks])?;
    Ok(Secret::new(digest))
}

#[cfg(test)]
mod tests {
    use super::{Memory, UnknownHash, hash, verify};
    use crate::credential::password::Password;
    use crate::secret::Secret;

    /// OWASP's least for Argon2id, and what docs/threat-model.md says. Whoever lowers it must change both.
    #[test]
    fn asvs_11_4_2_the_cost_is_what_is_documented() {
        let password = Password::new(&Secret::new("correct horse".to_owned())).expect("short");
        let stored = hash(&password, &[7; 16], &Secret::new(vec![1; 32]), &mut Memory::default());
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
    }

    #[test]
    fn a_hash_checks_its_password_only_with_its_pepper() {
        let password = |text: &str| Password::new(&Secret::new(text.to_owned())).expect("short");
        let pepper = Secret::new(vec![1; 32]);
        let mut memory = Memory::default();
        let stored = hash(&password("correct horse"), &[7; 16], &pepper, &mut memory);
        assert_eq!(verify(&password("correct horse"), &stored, &pepper, &mut memory), Ok(true));
        assert_eq!(verify(&password("Correct horse"), &stored, &pepper, &mut memory), Ok(false));
        let other = Secret::new(vec![2; 32]);
        assert_eq!(verify(&password("correct horse"), &stored, &other, &mut memory), Ok(false));
        for not_a_hash in ["", "$argon2i$v=19$m=8,t=1,p=1$AAAA$AAAA", "$argon2id$v=19$m=99999999,t=1,p=1$AAAA$AAAA"] {
            assert_eq!(verify(&password("x"), not_a_hash, &pepper, &mut memory), Err(UnknownHash));
        }
    }
}
