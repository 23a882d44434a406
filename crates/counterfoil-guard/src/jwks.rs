//! The key set of one issuer: `kid` → key, each bound to exactly one algorithm (JWT-BCP-3.1c).

use crate::base64url;
use crate::id::Kid;
use crate::json::Object;
use aws_lc_rs::signature::{ED25519, ParsedPublicKey};
use serde::Deserialize;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// How many keys a set may have.
const MAX_KEYS: usize = 64;

/// A signature algorithm by the name it has in `alg`. RFC 9864 gave Ed25519 its own name beside the older `EdDSA`;
/// a key is bound to one of the two names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// `EdDSA` (RFC 8037) with curve Ed25519.
    EdDsa,
    /// `Ed25519` (RFC 9864).
    Ed25519,
}

impl Algorithm {
    /// The name in `alg`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Ed25519 => "Ed25519",
        }
    }

    /// The algorithm with this exact name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::EdDsa, Self::Ed25519].into_iter().find(|algorithm| algorithm.name() == name)
    }
}

/// A public key that verifies, parsed once.
#[derive(Clone)]
pub struct VerifyingKey {
    algorithm: Algorithm,
    public: Arc<ParsedPublicKey>,
    raw: Vec<u8>,
}

impl VerifyingKey {
    /// An Ed25519 public key of 32 bytes, bound to `algorithm`; `None` when the bytes are not one.
    pub fn ed25519(algorithm: Algorithm, raw: &[u8]) -> Option<Self> {
        if raw.len() != 32 {
            return None;
        }
        let public = ParsedPublicKey::new(&ED25519, raw).ok()?;
        Some(Self { algorithm, public: Arc::new(public), raw: raw.to_vec() })
    }

    /// The one algorithm of this key.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public bytes (JWK `x`).
    pub fn as_bytes(&self) -> &[u8] {
        &self.raw
    }

    /// Whether `signature` is this key's over `message`.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        signature.len() == 64 && self.public.verify_sig(message, signature).is_ok()
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", self.algorithm.name())
    }
}

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
    /// Two keys share a `kid`.
    DuplicateKid,
}

/// The verifying keys of one issuer.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    keys: HashMap<Kid, VerifyingKey>,
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
            if let Some((kid, key)) = key.verifying()
                && !set.insert(kid, key)
            {
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
        if !for_signatures || !may_verify || self.kty != "OKP" || self.crv.as_deref() != Some("Ed25519") {
            return None;
        }
        let algorithm = Algorithm::from_name(self.alg.as_deref()?)?;
        let raw = base64url::decode(self.x.as_deref()?)?;
        Some((self.kid.as_deref()?.parse().ok()?, VerifyingKey::ed25519(algorithm, &raw)?))
    }
}
