//! Signed tokens (JWS in compact form) of issuers elsewhere, and the keys that verify them. Each key is bound to one algorithm
//! (JWT-BCP-3.1c); nothing that a token brings along or points to is ever a key (ATK-08, ATK-09).

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use counterfoil_guard::{Algorithm, VerifyingKey, base64url_decode, parse_object};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

/// The most keys that a set may have.
const MAX_KEYS: usize = 64;

/// The longest `kid` that is taken.
const LONGEST_NAME: usize = 256;

/// HMAC with a secret that both sides know. Only for tokens of a system that is left behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum MacAlgorithm {
    /// With SHA-256.
    #[default]
    #[serde(rename = "HS256")]
    Hs256,
    /// With SHA-384.
    #[serde(rename = "HS384")]
    Hs384,
    /// With SHA-512.
    #[serde(rename = "HS512")]
    Hs512,
}

impl MacAlgorithm {
    /// As a token's header says it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }

    /// The shortest secret that is one: as long as the hash (RFC 7518 section 3.2).
    pub const fn least_bytes(self) -> usize {
        match self {
            Self::Hs256 => 32,
            Self::Hs384 => 48,
            Self::Hs512 => 64,
        }
    }

    const fn primitive(self) -> hmac::Algorithm {
        match self {
            Self::Hs256 => hmac::HMAC_SHA256,
            Self::Hs384 => hmac::HMAC_SHA384,
            Self::Hs512 => hmac::HMAC_SHA512,
        }
    }
}

enum Key {
    Own(VerifyingKey),
    /// For issuers that sign by nothing else; at least 2048 bits.
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
    Secret(MacAlgorithm, Box<hmac::Key>),
}

impl Key {
    const fn algorithm(&self) -> &'static str {
        match self {
            Self::Own(key) => key.algorithm().name(),
            Self::Rsa(_) => "RS256",
            Self::Secret(algorithm, _) => algorithm.name(),
        }
    }

    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Own(key) => key.verifies(message, signature),
            Self::Rsa(key) => key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok(),
            // In constant time.
            Self::Secret(_, key) => hmac::verify(key, message, signature).is_ok(),
        }
    }
}

/// The keys of an issuer elsewhere. Those that this server does not know are left out.
pub struct IssuerKeys(Vec<(Option<String>, Key)>);

impl std::fmt::Debug for IssuerKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "IssuerKeys({})", self.0.len())
    }
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

impl Jwk {
    fn key(&self) -> Option<Key> {
        if self.usage.as_deref().is_some_and(|usage| usage != "sig") {
            return None;
        }
        let bytes = |text: &Option<String>| base64url_decode(text.as_deref()?);
        let alg = self.alg.as_deref();
        match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) if alg.is_none_or(|alg| alg == "RS256") => {
                Some(Key::Rsa(RsaPublicKeyComponents { n: bytes(&self.n)?, e: bytes(&self.e)? }))
            }
            ("EC", Some("P-256")) if alg.is_none_or(|alg| alg == "ES256") => {
                VerifyingKey::p256(&bytes(&self.x)?, &bytes(&self.y)?).map(Key::Own)
            }
            ("OKP", Some("Ed25519")) => {
                let algorithm = alg.map_or(Some(Algorithm::EdDsa), Algorithm::from_name)?;
                VerifyingKey::new(algorithm, &bytes(&self.x)?).map(Key::Own)
            }
            _ => None,
        }
    }
}

impl IssuerKeys {
    /// From a JWK Set. `None`: it is not one, or has too many keys.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let set: KeySet = parse_object(text)?;
        if set.keys.len() > MAX_KEYS {
            return None;
        }
        let known = set.keys.into_iter().filter_map(|key| serde_json::from_value::<Jwk>(key).ok());
        Some(Self(known.filter_map(|jwk| Some((jwk.kid.clone(), jwk.key()?))).collect()))
    }

    /// From a shared secret. `None`: it is shorter than the algorithm's hash, and could be guessed (ATK-04).
    pub fn secret(algorithm: MacAlgorithm, secret: &[u8]) -> Option<Self> {
        let key = || Key::Secret(algorithm, Box::new(hmac::Key::new(algorithm.primitive(), secret)));
        (secret.len() >= algorithm.least_bytes()).then(|| Self(vec![(None, key())]))
    }

    /// Whether this is a shared secret.
    pub fn is_secret(&self) -> bool {
        matches!(self.0.as_slice(), [(_, Key::Secret(..))])
    }

    /// Whether there is a key of this name; without a name, whether there is exactly one key.
    pub fn has(&self, kid: Option<&str>) -> bool {
        self.find(kid).is_some()
    }

    /// Whether there is none at all that is known here.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn find(&self, kid: Option<&str>) -> Option<&Key> {
        match (kid, self.0.as_slice()) {
            // A secret has no name, whatever its tokens call it.
            (_, [(None, only @ Key::Secret(..))]) | (None, [(_, only)]) => Some(only),
            (None, _) => None,
            (Some(kid), all) => {
                let mut named = all.iter().filter(|(name, _)| name.as_deref() == Some(kid));
                // Two keys of one name are none.
                named.next().filter(|_| named.next().is_none()).map(|(_, key)| key)
            }
        }
    }
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    // What changes what a signature means, or brings a key along (ATK-08, ATK-09, ATK-12).
    crit: Option<IgnoredAny>,
    b64: Option<IgnoredAny>,
    zip: Option<IgnoredAny>,
    jwk: Option<IgnoredAny>,
    jku: Option<IgnoredAny>,
}

/// A token that has been taken apart. Nothing of it is believed yet.
pub struct Compact<'a> {
    header: Header,
    signed: &'a str,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

impl<'a> Compact<'a> {
    /// Takes a token of at most this many bytes apart. `None`: it is not three parts of base64url, the first a JSON object.
    pub fn read(token: &'a str, most: usize) -> Option<Self> {
        let (signed, signature) = token.rsplit_once('.').filter(|_| token.len() <= most)?;
        let (header, payload) = signed.split_once('.').filter(|(_, payload)| !payload.contains('.'))?;
        Some(Self {
            header: parse_object(&base64url_decode(header)?)?,
            signed,
            payload: base64url_decode(payload)?,
            signature: base64url_decode(signature)?,
        })
    }

    /// What kind of token it says it is, in lower case and without `application/`; empty if it does not say.
    pub fn typ(&self) -> String {
        let typ = self.header.typ.as_deref().unwrap_or_default().to_ascii_lowercase();
        typ.strip_prefix("application/").map_or_else(|| typ.clone(), ToOwned::to_owned)
    }

    /// The name of the key that it says it is signed by.
    pub fn kid(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// Whether it says that it is signed by a shared secret.
    pub fn is_mac(&self) -> bool {
        self.header.alg.starts_with("HS")
    }

    /// Whether its header has nothing that changes what a signature means, and no key.
    pub fn is_plain(&self) -> bool {
        let header = &self.header;
        let odd = [&header.crit, &header.b64, &header.zip, &header.jwk, &header.jku];
        odd.iter().all(|member| member.is_none()) && self.kid().is_none_or(|kid| kid.len() <= LONGEST_NAME)
    }

    /// What was signed. A signature may be written in more than one way (ATK-06); this may not.
    pub const fn signed(&self) -> &'a str {
        self.signed
    }

    /// What it says, if one of these keys has signed it, by the algorithm of that key.
    pub fn verified_by(&self, keys: &IssuerKeys) -> Option<&[u8]> {
        let key = keys.find(self.kid())?;
        let good = self.header.alg == key.algorithm() && key.verifies(self.signed.as_bytes(), &self.signature);
        good.then_some(self.payload.as_slice())
    }
}
