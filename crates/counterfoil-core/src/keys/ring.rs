//! Signing keys and their life: next → active → retiring → retired, or revoked.

use super::paserk;
use super::signing::coordinates;
use counterfoil_guard::{Algorithm, KeySet, Kid, Timestamp, VerifyingKey, base64url_encode};

/// Where a signing key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyState {
    /// Published, not yet signing: verifiers learn it before they need it.
    Next,
    /// Signs.
    Active,
    /// No longer signs; published until its last token has expired.
    Retiring,
    /// Out of the key set.
    Retired,
    /// Out of the key set, and in the revocation log: what it signed is refused for ever (K2).
    Revoked,
}

impl KeyState {
    const ALL: [Self; 5] = [Self::Next, Self::Active, Self::Retiring, Self::Retired, Self::Revoked];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::Retiring => "retiring",
            Self::Retired => "retired",
            Self::Revoked => "revoked",
        }
    }

    /// The state with this word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether verifiers may use it.
    pub const fn is_published(self) -> bool {
        matches!(self, Self::Next | Self::Active | Self::Retiring)
    }

    /// Whether it signs, or will. The private half of a key that will never sign again is not kept.
    pub const fn may_sign(self) -> bool {
        matches!(self, Self::Next | Self::Active)
    }
}

/// A signing key as the store keeps it: the private half sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// Its name.
    pub kid: Kid,
    /// Its one algorithm.
    pub algorithm: Algorithm,
    /// Where it is in its life.
    pub state: KeyState,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it is in this state.
    pub since: Timestamp,
    /// The public half.
    pub public: Vec<u8>,
    /// The private half under the master key; empty once it will never sign again.
    pub sealed: Vec<u8>,
}

/// One change of the keyring, for the store to carry out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyStep {
    /// A new key.
    Add(StoredKey),
    /// A key that must be in the one state goes into the other.
    Move {
        /// Which.
        kid: Kid,
        /// Where it must be.
        from: KeyState,
        /// Where it goes.
        to: KeyState,
        /// When.
        at: Timestamp,
    },
}

/// The public halves that verifiers may use. Keys whose bytes are not a public key are left out.
pub fn published(keys: &[StoredKey]) -> KeySet {
    key_set(keys.iter().filter(|key| key.state.is_published()))
}

/// Those of all keys there have been, retired and revoked ones too: to tell what was ours, and not what counts.
pub fn ever(keys: &[StoredKey]) -> KeySet {
    key_set(keys.iter())
}

fn key_set<'a>(keys: impl Iterator<Item = &'a StoredKey>) -> KeySet {
    let mut set = KeySet::default();
    for key in keys {
        if let Some(public) = VerifyingKey::new(key.algorithm, &key.public) {
            set.insert(key.kid.clone(), public);
            if let Some(id) = paserk::public_id(key.algorithm, &key.public) {
                set.name_in_paseto(&key.kid, id);
            }
        }
    }
    set
}

/// The same as a JWK Set document (RFC 7517 section 5): public members only.
pub fn jwks(keys: &[StoredKey]) -> serde_json::Value {
    let published = keys.iter().filter(|key| key.state.is_published()).map(jwk);
    serde_json::json!({ "keys": published.collect::<Vec<_>>() })
}

fn jwk(key: &StoredKey) -> serde_json::Value {
    let (kty, crv) = key.algorithm.key_type();
    let mut jwk = serde_json::json!({
        "kty": kty, "crv": crv, "use": "sig", "key_ops": ["verify"],
        "alg": key.algorithm.name(), "kid": key.kid.as_str(),
    });
    if key.algorithm.is_ed25519() {
        jwk["x"] = base64url_encode(&key.public).into();
        jwk["paserk_id"] = paserk::public_id(key.algorithm, &key.public).map(|id| id.as_str().to_owned()).into();
    } else {
        let (x, y) = coordinates(&key.public);
        (jwk["x"], jwk["y"]) = (x.into(), y.into());
    }
    jwk
}
