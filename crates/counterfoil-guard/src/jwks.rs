//! The key set of one issuer: `kid` → key, each bound to exactly one algorithm (JWT-BCP-3.1c).

use crate::base64url;
use crate::id::{Kid, PaserkId};
use crate::json::Object;
use crate::key::{Algorithm, VerifyingKey};
use serde::Deserialize;
use std::collections::HashMap;

/// How many keys a set may have.
const MAX_KEYS: usize = 64;

/// Why a key set document was refused as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeySetError {
    /// Not a JSON object with an array `keys`.
    Malformed,
    /// More than 64 keys.
    TooManyKeys,
    /// A private or symmetric key stands in a public document.
    PrivateKey,
    /// Two keys share a `kid`, or a `paserk_id`.
    DuplicateKid,
}

/// The verifying keys of one issuer.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: HashMap<Kid, VerifyingKey>,
    /// The names that keys for Ed25519 have in PASETO.
    paserk: HashMap<PaserkId, Kid>,
}

#[derive(Deserialize)]
struct RawSet {
    keys: Vec<Object<RawKey>>,
}

#[derive(Deserialize)]
struct RawKey {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    paserk_id: Option<String>,
    d: Option<serde::de::IgnoredAny>,
    k: Option<serde::de::IgnoredAny>,
}

impl KeySet {
    /// Adds a key; `false` when the `kid` is taken already.
    pub fn insert(&mut self, kid: Kid, key: VerifyingKey) -> bool {
        if self.keys.contains_key(&kid) {
            return false;
        }
        self.keys.insert(kid, key);
        true
    }

    /// Says what a key of the set is called in PASETO; `false` when that name is taken, or the key is not one for Ed25519.
    pub fn name_in_paseto(&mut self, kid: &Kid, id: PaserkId) -> bool {
        let fits = self.keys.get(kid).is_some_and(|key| key.algorithm().is_ed25519());
        fits && self.paserk.insert(id, kid.clone()).is_none()
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The key with this name.
    pub fn get(&self, kid: &Kid) -> Option<&VerifyingKey> {
        self.keys.get(kid)
    }

    /// The key of a set that has only one.
    pub fn only(&self) -> Option<&VerifyingKey> {
        let mut keys = self.keys.values();
        keys.next().filter(|_| keys.next().is_none())
    }

    /// The key with this name in PASETO, and its `kid`.
    pub fn get_by_paserk(&self, id: &PaserkId) -> Option<(&Kid, &VerifyingKey)> {
        self.keys.get_key_value(self.paserk.get(id)?)
    }

    /// Reads a JWK Set (RFC 7517 section 5). Keys of a kind not known here are skipped; so is a key without `kid` or
    /// `alg`, and one not meant for verifying signatures (JWK-4.2).
    pub fn from_jwks(document: &[u8]) -> Result<Self, KeySetError> {
        let Object(raw): Object<RawSet> = serde_json::from_slice(document).map_err(|_| KeySetError::Malformed)?;
        if raw.keys.len() > MAX_KEYS {
            return Err(KeySetError::TooManyKeys);
        }
        let mut set = Self::default();
        for Object(key) in raw.keys {
            if key.d.is_some() || key.k.is_some() {
                return Err(KeySetError::PrivateKey);
            }
            let Some((kid, verifying)) = key.verifying() else { continue };
            let paserk = key.paserk_id.as_deref().and_then(|id| id.parse().ok());
            let paserk = paserk.filter(|_| verifying.algorithm().is_ed25519());
            let alone = set.insert(kid.clone(), verifying) && paserk.is_none_or(|id| set.name_in_paseto(&kid, id));
            if !alone {
                return Err(KeySetError::DuplicateKid);
            }
        }
        Ok(set)
    }
}

impl RawKey {
    fn verifying(&self) -> Option<(Kid, VerifyingKey)> {
        let for_signatures = self.usage.as_deref().is_none_or(|usage| usage == "sig");
        let may_verify = self.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        if !for_signatures || !may_verify {
            return None;
        }
        let algorithm = Algorithm::from_name(self.alg.as_deref()?)?;
        if (self.kty.as_str(), self.crv.as_deref()?) != algorithm.key_type() {
            return None;
        }
        let coordinate = |text: &Option<String>| base64url::decode(text.as_deref()?);
        let key = match algorithm {
            Algorithm::EdDsa | Algorithm::Ed25519 => VerifyingKey::new(algorithm, &coordinate(&self.x)?)?,
            Algorithm::Es256 => VerifyingKey::p256(&coordinate(&self.x)?, &coordinate(&self.y)?)?,
        };
        Some((self.kid.as_deref()?.parse().ok()?, key))
    }
}
