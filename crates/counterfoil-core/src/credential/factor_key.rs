//! The keys by which second factors and unfinished ceremonies are kept: derived from the pepper, a secret that is not in the
//! database (S6), each for one use.

use crate::secret::Secret;
use crate::ssf::stream::StreamId;
use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, hmac};
use counterfoil_guard::UserId;

/// Seals authenticator secrets and tickets, and hashes recovery codes.
pub struct FactorKeys {
    sealing: LessSafeKey,
    codes: hmac::Key,
}

/// The sealed bytes do not open: made under another key or for another use, or damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sealed for another use, or damaged")]
pub struct Unsealable;

/// What is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// The secret of this account's authenticator app.
    Totp(UserId),
    /// A ticket of an unfinished ceremony, which a client keeps.
    Ticket,
    /// What a link in a mail is for, beside the hash of its token.
    MailLink([u8; 32]),
    /// What the receiver of this event stream wants to find in the header Authorization.
    StreamHeader(StreamId),
}

impl Use {
    fn aad(self) -> Aad<Vec<u8>> {
        Aad::from(match self {
            Self::Totp(user) => format!("counterfoil/totp/{user}").into_bytes(),
            Self::Ticket => b"counterfoil/ticket".to_vec(),
            Self::StreamHeader(stream) => format!("counterfoil/stream/{stream}").into_bytes(),
            Self::MailLink(hash) => [b"counterfoil/mail-link/".as_slice(), &hash].concat(),
        })
    }
}

impl FactorKeys {
    /// Derives the keys (RFC 5869).
    pub fn derive(pepper: &Secret<Vec<u8>>) -> Self {
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"counterfoil/factors").extract(pepper.expose());
        let key = |label: &[u8]| {
            let mut key = [0; 32];
            let labels = [label];
            let derived = root.expand(&labels, hkdf::HKDF_SHA256).expect("one block can be had");
            derived.fill(&mut key).expect("the key is one block");
            Secret::new(key)
        };
        let sealing = UnboundKey::new(&AES_256_GCM_SIV, key(b"sealing").expose()).expect("the key is 32 bytes");
        let codes = hmac::Key::new(hmac::HMAC_SHA256, key(b"recovery-codes").expose());
        Self { sealing: LessSafeKey::new(sealing), codes }
    }

    /// Seals `plain`: nonce ‖ ciphertext ‖ tag. Anybody may have any number of tickets made, so the cipher is one that a nonce which
    /// comes twice by chance does not break (RFC 8452).
    pub fn seal(&self, what: Use, nonce: [u8; NONCE_LEN], plain: &[u8]) -> Vec<u8> {
        let mut sealed = plain.to_vec();
        self.sealing
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), what.aad(), &mut sealed)
            .expect("a secret is far shorter than the algorithm's limit");
        [nonce.as_slice(), &sealed].concat()
    }

    /// Opens what [`FactorKeys::seal`] made for the same use.
    pub fn open(&self, what: Use, sealed: &[u8]) -> Result<Secret<Vec<u8>>, Unsealable> {
        let (nonce, rest) = sealed.split_at_checked(NONCE_LEN).ok_or(Unsealable)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Unsealable)?;
        let mut buffer = rest.to_vec();
        let plain = self.sealing.open_in_place(nonce, what.aad(), &mut buffer).map_err(|_| Unsealable)?;
        Ok(Secret::new(plain.to_vec()))
    }

    /// What is kept of a recovery code of this account.
    pub fn code_hash(&self, user: UserId, code: &Secret<[u8; super::recovery_code::BYTES]>) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.codes);
        context.update(user.as_bytes());
        context.update(code.expose());
        context.sign().as_ref().try_into().expect("SHA-256 is 32 bytes")
    }
}

impl std::fmt::Debug for FactorKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FactorKeys(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::{FactorKeys, Unsealable, Use};
    use crate::secret::Secret;
    use counterfoil_guard::UserId;

    #[test]
    fn s6_what_is_sealed_opens_for_its_use_and_under_its_key_only() {
        let keys = FactorKeys::derive(&Secret::new(vec![1; 32]));
        let (ada, bob) = (UserId::from_bytes([1; 16]), UserId::from_bytes([2; 16]));
        let sealed = keys.seal(Use::Totp(ada), [7; 12], b"secret");
        let open = |keys: &FactorKeys, what| keys.open(what, &sealed).map(|plain| plain.expose().clone());
        assert_eq!(open(&keys, Use::Totp(ada)), Ok(b"secret".to_vec()));
        assert_eq!(open(&keys, Use::Totp(bob)), Err(Unsealable));
        assert_eq!(open(&keys, Use::Ticket), Err(Unsealable));
        assert_eq!(open(&FactorKeys::derive(&Secret::new(vec![2; 32])), Use::Totp(ada)), Err(Unsealable));
        assert!(keys.open(Use::Ticket, b"short").is_err());
    }

    #[test]
    fn a_code_is_hashed_for_its_account() {
        let keys = FactorKeys::derive(&Secret::new(vec![1; 32]));
        let code = Secret::new([3; 15]);
        let hash = |user| keys.code_hash(UserId::from_bytes([user; 16]), &code);
        assert!(hash(1) == hash(1) && hash(1) != hash(2));
    }
}
