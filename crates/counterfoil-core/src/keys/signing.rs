//! A private key that signs access tokens.

use super::paserk;
use crate::secret::Secret;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use counterfoil_guard::{Algorithm, Kid, VerifyingKey, base64url_encode, encode_signing_input, paseto};

enum Pair {
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
}

/// A key that can sign.
pub struct SigningKey {
    kid: Kid,
    algorithm: Algorithm,
    pair: Pair,
    header: String,
    /// What its PASETOs carry in their footer; a key for Ed25519 only.
    footer: Option<String>,
}

impl SigningKey {
    /// From its private half: for Ed25519 the seed of 32 bytes (RFC 8032), for P-256 a PKCS #8 document (RFC 5208). Its name
    /// follows from its public half. `None` when the bytes are not such a key.
    pub fn new(algorithm: Algorithm, private: &Secret<Vec<u8>>) -> Option<Self> {
        let pair = match algorithm {
            Algorithm::EdDsa | Algorithm::Ed25519 => {
                Pair::Ed25519(Ed25519KeyPair::from_seed_unchecked(private.expose()).ok()?)
            }
            Algorithm::Es256 => {
                Pair::P256(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, private.expose()).ok()?)
            }
        };
        let kid = kid_of(algorithm, public(&pair));
        let paserk = paserk::public_id(algorithm, public(&pair));
        let footer = paserk.map(|id| format!(r#"{{"kid":"{}"}}"#, id.as_str()));
        Some(Self { header: header(algorithm, &kid, ACCESS_TOKEN), kid, algorithm, pair, footer })
    }

    /// The same key under another name.
    #[must_use]
    pub fn named(self, kid: Kid) -> Self {
        Self { header: header(self.algorithm, &kid, ACCESS_TOKEN), kid, ..self }
    }

    /// Its name.
    pub const fn kid(&self) -> &Kid {
        &self.kid
    }

    /// Its algorithm.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The public half, as [`counterfoil_guard::VerifyingKey::new`] takes it.
    pub fn public(&self) -> &[u8] {
        public(&self.pair)
    }

    /// Signs a payload as an access token (`typ: at+jwt`, compact JWS).
    pub fn sign(&self, payload: &[u8]) -> String {
        self.signed(&self.header, payload)
    }

    /// Signs a payload as something else, which its `typ` says.
    pub fn sign_as(&self, typ: &str, payload: &[u8]) -> String {
        self.signed(&header(self.algorithm, &self.kid, typ), payload)
    }

    fn signed(&self, header: &str, payload: &[u8]) -> String {
        let mut token = encode_signing_input(header, payload);
        let signature = self.signature_over(token.as_bytes());
        token.push('.');
        token.push_str(&base64url_encode(&signature));
        token
    }

    /// Signs a payload as a PASETO v4.public. `None` for a key that is not one for Ed25519.
    pub fn sign_paseto(&self, payload: &[u8]) -> Option<String> {
        let footer = self.footer.as_ref()?.as_bytes();
        let signature = self.signature_over(&paseto::signing_input(payload, footer, b""));
        Some(paseto::encode(payload, &signature, footer))
    }

    /// Its signature over these bytes, whatever they are.
    pub fn signature_over(&self, message: &[u8]) -> Vec<u8> {
        match &self.pair {
            Pair::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            // The library makes ECDSA's one-time number itself, from its own generator and the key; what is passed is ignored.
            Pair::P256(pair) => {
                let signature = pair.sign(&SystemRandom::new(), message);
                signature.expect("a valid key signs whatever there is").as_ref().to_vec()
            }
        }
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.kid)
    }
}

/// The `typ` of access tokens (RFC 9068 section 2.1).
const ACCESS_TOKEN: &str = "at+jwt";

fn header(algorithm: Algorithm, kid: &Kid, typ: &str) -> String {
    format!(r#"{{"alg":"{}","kid":"{kid}","typ":"{typ}"}}"#, algorithm.name())
}

fn public(pair: &Pair) -> &[u8] {
    match pair {
        Pair::Ed25519(pair) => pair.public_key().as_ref(),
        Pair::P256(pair) => pair.public_key().as_ref(),
    }
}

/// The coordinates of a P-256 point: what follows the byte that says it is uncompressed.
pub(super) fn coordinates(point: &[u8]) -> (String, String) {
    let (x, y) = point.get(1..).unwrap_or_default().split_at_checked(32).unwrap_or_default();
    (base64url_encode(x), base64url_encode(y))
}

/// The name of a key: the first 8 bytes of its RFC 7638 thumbprint, which keeps tokens small. Uniqueness is checked
/// when a key is stored.
pub fn kid_of(algorithm: Algorithm, public: &[u8]) -> Kid {
    let key = VerifyingKey::new(algorithm, public).expect("a public half of this algorithm");
    base64url_encode(&key.thumbprint()[..8]).parse().expect("base64url text is a kid")
}

#[cfg(test)]
mod tests {
    use super::kid_of;
    use counterfoil_guard::{Algorithm, base64url_decode};

    /// RFC 8037 appendix A.3: the thumbprint of its example key is `kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k`.
    #[test]
    fn jwk_7638_the_kid_is_the_head_of_the_thumbprint() {
        let public = base64url_decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").expect("base64url");
        assert_eq!(kid_of(Algorithm::EdDsa, &public).as_str(), "kPrK_qmxVWY");
    }
}
