//! Signing keys and their life: next → active → retiring → retired.

use crate::secret::Secret;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use counterfoil_guard::{Algorithm, KeySet, Kid, Timestamp, VerifyingKey, base64url_encode};

/// Where a signing key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyState {
    /// Published, not yet signing: verifiers learn it before they need it.
    Next,
    /// Signs.
    Active,
    /// No longer signs; published until its last token has expired.
    Retiring,
    /// Out of the key set.
    Retired,
}

impl KeyState {
    const ALL: [Self; 4] = [Self::Next, Self::Active, Self::Retiring, Self::Retired];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::Retiring => "retiring",
            Self::Retired => "retired",
        }
    }

    /// The state with this word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
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
    /// The public half.
    pub public: Vec<u8>,
    /// The private half (32-byte seed) under the master key.
    pub sealed: Vec<u8>,
}

/// A key that can sign.
pub struct SigningKey {
    kid: Kid,
    algorithm: Algorithm,
    pair: Ed25519KeyPair,
    header: String,
}

impl SigningKey {
    /// From a 32-byte seed; `None` when it is not one.
    pub fn from_seed(kid: Kid, algorithm: Algorithm, seed: &Secret<Vec<u8>>) -> Option<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.expose()).ok()?;
        let header = format!(r#"{{"alg":"{}","kid":"{kid}","typ":"at+jwt"}}"#, algorithm.name());
        Some(Self { kid, algorithm, pair, header })
    }

    /// Its name.
    pub const fn kid(&self) -> &Kid {
        &self.kid
    }

    /// Its algorithm.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public half.
    pub fn public(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    /// Signs a payload as an access token (`typ: at+jwt`, compact JWS).
    pub fn sign(&self, payload: &[u8]) -> String {
        let mut token = counterfoil_guard::encode_signing_input(&self.header, payload);
        let signature = self.signature_over(token.as_bytes());
        token.push('.');
        token.push_str(&base64url_encode(&signature));
        token
    }

    /// Its signature over these bytes, whatever they are.
    pub fn signature_over(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).as_ref().to_vec()
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.kid)
    }
}

/// The name of a key: the first 8 bytes of its RFC 7638 thumbprint, which keeps tokens small. Uniqueness is checked
/// when a key is stored.
pub fn kid_of(public: &[u8]) -> Kid {
    let members = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, base64url_encode(public));
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, members.as_bytes());
    base64url_encode(&digest.as_ref()[..8]).parse().expect("base64url text is a kid")
}

/// The public halves that verifiers may use: everything but the retired. Keys whose bytes are not a public key are left
/// out.
pub fn published(keys: &[StoredKey]) -> KeySet {
    let mut set = KeySet::default();
    for key in keys.iter().filter(|key| key.state != KeyState::Retired) {
        if let Some(public) = VerifyingKey::ed25519(key.algorithm, &key.public) {
            set.insert(key.kid.clone(), public);
        }
    }
    set
}

/// The same as a JWK Set document (RFC 7517 section 5): public members only.
pub fn jwks(keys: &[StoredKey]) -> serde_json::Value {
    let jwk = |key: &StoredKey| {
        serde_json::json!({
            "kty": "OKP", "crv": "Ed25519", "use": "sig", "key_ops": ["verify"],
            "alg": key.algorithm.name(), "kid": key.kid.as_str(), "x": base64url_encode(&key.public),
        })
    };
    let published = keys.iter().filter(|key| key.state != KeyState::Retired).map(jwk);
    serde_json::json!({ "keys": published.collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::kid_of;
    use counterfoil_guard::base64url_decode;

    /// RFC 8037 appendix A.3: the thumbprint of its example key is `kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k`.
    #[test]
    fn jwk_7638_the_kid_is_the_head_of_the_thumbprint() {
        let public = base64url_decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").expect("base64url");
        assert_eq!(kid_of(&public).as_str(), "kPrK_qmxVWY");
    }
}
