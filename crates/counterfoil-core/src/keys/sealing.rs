//! Secrets at rest: AES-256-GCM under the master key, with purpose and id as associated data, so that a sealed secret
//! opens only as what it was sealed as.

use crate::secret::Secret;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

/// The key that all others are sealed under. It is never in the database.
pub struct MasterKey(LessSafeKey);

/// The sealed bytes do not open: another master key, another purpose or id, or damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("sealed under another master key, or damaged")]
pub struct Unsealable;

/// What a sealed secret is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The private half of a signing key.
    SigningKey,
    /// A version of the key that makes opaque tokens.
    TokenKey,
    /// The secret that enters every password hash ("pepper").
    Pepper,
    /// What seals the audit log.
    AuditKey,
    /// A known text, to tell a wrong master key at start.
    Probe,
}

impl Purpose {
    const ALL: [Self; 5] = [Self::SigningKey, Self::TokenKey, Self::Pepper, Self::AuditKey, Self::Probe];

    /// The purpose with this word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == name)
    }

    /// The word for it, in the store and in the associated data.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SigningKey => "signing-key",
            Self::TokenKey => "token-key",
            Self::Pepper => "pepper",
            Self::AuditKey => "audit-key",
            Self::Probe => "probe",
        }
    }
}

impl MasterKey {
    /// From 32 random bytes.
    pub fn new(secret: &Secret<[u8; 32]>) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, secret.expose()).expect("the key is 32 bytes");
        Self(LessSafeKey::new(key))
    }

    /// Seals `plain`: nonce ‖ ciphertext ‖ tag. `nonce` must be random and fresh.
    pub fn seal(&self, purpose: Purpose, id: &str, nonce: [u8; NONCE_LEN], plain: &[u8]) -> Vec<u8> {
        let mut sealed = plain.to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad(purpose, id), &mut sealed)
            .expect("a secret is far shorter than the algorithm's limit");
        [nonce.as_slice(), &sealed].concat()
    }

    /// Opens what [`MasterKey::seal`] made for the same purpose and id.
    pub fn open(&self, purpose: Purpose, id: &str, sealed: &[u8]) -> Result<Secret<Vec<u8>>, Unsealable> {
        let (nonce, rest) = sealed.split_at_checked(NONCE_LEN).ok_or(Unsealable)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Unsealable)?;
        let mut buffer = rest.to_vec();
        let plain = self.0.open_in_place(nonce, aad(purpose, id), &mut buffer).map_err(|_| Unsealable)?;
        Ok(Secret::new(plain.to_vec()))
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey(…)")
    }
}

fn aad(purpose: Purpose, id: &str) -> Aad<Vec<u8>> {
    Aad::from(format!("counterfoil/{}/{id}", purpose.as_str()).into_bytes())
}

#[cfg(test)]
mod tests {
    use super::{MasterKey, Purpose, Unsealable};
    use crate::secret::Secret;

    #[test]
    fn s6_a_sealed_secret_opens_only_as_what_it_was_sealed_as() {
        let master = MasterKey::new(&Secret::new([1; 32]));
        let sealed = master.seal(Purpose::SigningKey, "k1", [5; 12], b"private");
        assert_eq!(master.open(Purpose::SigningKey, "k1", &sealed).expect("opens").expose(), b"private");
        let open = |purpose, id, bytes: &[u8]| master.open(purpose, id, bytes).map(|_| ());
        assert_eq!(open(Purpose::SigningKey, "k2", &sealed), Err(Unsealable));
        assert_eq!(open(Purpose::TokenKey, "k1", &sealed), Err(Unsealable));
        let mut damaged = sealed.clone();
        damaged[20] ^= 1;
        assert_eq!(open(Purpose::SigningKey, "k1", &damaged), Err(Unsealable));
        assert_eq!(open(Purpose::SigningKey, "k1", &sealed[..5]), Err(Unsealable));
        let other = MasterKey::new(&Secret::new([2; 32]));
        assert!(other.open(Purpose::SigningKey, "k1", &sealed).is_err());
    }
}
