//! Encrypted tokens: a signed JWT within a JWE, for audiences that have given the authority a key (RFC 7516, ECDH-ES with A256GCM).
//! Encryption proves nothing: anybody can encrypt to a public key. What is found inside is a token like any other, and verified whole.

use crate::base64url;
use crate::id::Kid;
use crate::json::{Object, Strict, present};
use crate::jwt::MAX_TOKEN_BYTES;
use crate::refusal::Refusal;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::agreement::{self, ECDH_P256, PrivateKey, UnparsedPublicKey, X25519};
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::kdf::{SskdfDigestAlgorithmId, get_sskdf_digest_algorithm, sskdf_digest};
use serde::Deserialize;
use std::fmt;
use std::sync::Arc;

/// How long the tag of A256GCM is. A shorter one would be easier to guess (ATK-20).
const TAG_BYTES: usize = 16;

/// A curve on which two parties agree on a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Curve {
    /// X25519 (RFC 8037).
    X25519,
    /// P-256 (RFC 7518 section 4.6).
    P256,
}

impl Curve {
    /// What a JWK on it says in `kty` and `crv`.
    pub const fn key_type(self) -> (&'static str, &'static str) {
        match self {
            Self::X25519 => ("OKP", "X25519"),
            Self::P256 => ("EC", "P-256"),
        }
    }

    const fn agreement(self) -> &'static agreement::Algorithm {
        match self {
            Self::X25519 => &X25519,
            Self::P256 => &ECDH_P256,
        }
    }
}

/// The members of a JWK that matter here, public and private.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
    y: Option<String>,
    d: Option<String>,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
}

impl Jwk {
    fn read(document: &[u8]) -> Option<Self> {
        let key: Self = crate::json::parse_object(document)?;
        let for_this = key.alg.as_deref().is_none_or(|alg| alg == "ECDH-ES");
        let for_encryption = key.usage.as_deref().is_none_or(|usage| usage == "enc");
        (for_this && for_encryption).then_some(key)
    }

    /// Its curve and its public half: 32 bytes, or a point, uncompressed.
    fn public(&self) -> Option<(Curve, Vec<u8>)> {
        point(&self.kty, &self.crv, &self.x, self.y.as_deref())
    }
}

fn point(kty: &str, crv: &str, x: &str, y: Option<&str>) -> Option<(Curve, Vec<u8>)> {
    let curve = [Curve::X25519, Curve::P256].into_iter().find(|curve| curve.key_type() == (kty, crv))?;
    let coordinate = |text: &str| base64url::decode(text).filter(|bytes| bytes.len() == 32);
    let x = coordinate(x)?;
    match (curve, y) {
        (Curve::X25519, None) => Some((curve, x)),
        (Curve::P256, Some(y)) => Some((curve, [&[4][..], &x, &coordinate(y)?].concat())),
        _ => None,
    }
}

/// A public key that tokens for an audience are encrypted to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncryptionKey {
    kid: Kid,
    curve: Curve,
    public: Vec<u8>,
}

impl EncryptionKey {
    /// From a public JWK of kind X25519 or P-256 with a `kid`. `None` for anything else, a private key among it.
    pub fn from_jwk(document: &[u8]) -> Option<Self> {
        let key = Jwk::read(document)?;
        let (curve, public) = key.public()?;
        if key.d.is_some() {
            return None;
        }
        let key = Self { kid: key.kid?.parse().ok()?, curve, public };
        // No point of the curve, or one of small order: nothing could ever be encrypted to it.
        key.encrypt("", &[1; 32], [0; NONCE_LEN]).is_some().then_some(key)
    }

    /// Encrypts a signed token. `ephemeral` and `nonce` must be random and fresh; `None` when `ephemeral` happens to be no private
    /// key (one in four thousand million, on P-256), or the public key is no point: then another is needed.
    pub fn encrypt(&self, token: &str, ephemeral: &[u8; 32], nonce: [u8; NONCE_LEN]) -> Option<String> {
        let private = PrivateKey::from_private_key(self.curve.agreement(), ephemeral).ok()?;
        let public = private.compute_public_key().ok()?;
        let header = base64url::encode(self.header(public.as_ref())?.as_bytes());
        let key = agree(&private, self.curve, &self.public).ok()?;
        let mut sealed = token.as_bytes().to_vec();
        let aad = Aad::from(header.as_bytes());
        let tag = key.seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed).ok()?;
        let part = base64url::encode;
        Some(format!("{header}..{}.{}.{}", part(&nonce), part(&sealed), part(tag.as_ref())))
    }

    fn header(&self, ephemeral: &[u8]) -> Option<String> {
        let ((kty, crv), kid) = (self.curve.key_type(), &self.kid);
        let epk = match self.curve {
            Curve::X25519 => format!(r#"{{"kty":"{kty}","crv":"{crv}","x":"{}"}}"#, base64url::encode(ephemeral)),
            Curve::P256 => {
                let (x, y) = ephemeral.get(1..)?.split_at_checked(32)?;
                let (x, y) = (base64url::encode(x), base64url::encode(y));
                format!(r#"{{"kty":"{kty}","crv":"{crv}","x":"{x}","y":"{y}"}}"#)
            }
        };
        Some(format!(r#"{{"alg":"ECDH-ES","cty":"JWT","enc":"A256GCM","epk":{epk},"kid":"{kid}"}}"#))
    }
}

/// A private key that opens tokens encrypted to its public half.
#[derive(Clone)]
pub struct DecryptionKey {
    kid: Kid,
    curve: Curve,
    private: Arc<PrivateKey>,
}

impl DecryptionKey {
    /// From a private JWK of kind X25519 or P-256 with a `kid`. `None` for anything else, and when the halves do not fit.
    pub fn from_jwk(document: &[u8]) -> Option<Self> {
        let key = Jwk::read(document)?;
        let (curve, public) = key.public()?;
        let secret = base64url::decode(key.d.as_deref()?)?;
        let private = PrivateKey::from_private_key(curve.agreement(), &secret).ok()?;
        if private.compute_public_key().ok()?.as_ref() != public {
            return None;
        }
        Some(Self { kid: key.kid?.parse().ok()?, curve, private: Arc::new(private) })
    }
}

impl fmt::Debug for DecryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DecryptionKey({}, …)", self.kid)
    }
}

/// The five members a header has here. `zip`, `p2c`, `apu`, `jku` and all others are refused: nothing is unpacked, derived or fetched.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    enc: String,
    cty: String,
    kid: String,
    epk: Object<Ephemeral>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ephemeral {
    kty: String,
    crv: String,
    x: String,
    #[serde(default, deserialize_with = "present")]
    y: Option<String>,
}

/// The signed token within an encrypted one. Which of the keys opens it, the header says; that is a look-up, nothing else.
pub(crate) fn decrypt(token: &str, keys: &[DecryptionKey]) -> Result<String, Refusal> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(Refusal::TooLarge);
    }
    let parts: Vec<&str> = token.split('.').collect();
    let [header, "", nonce, sealed, tag] = parts[..] else { return Err(Refusal::Malformed) };
    let decoded = |part: &str| base64url::decode(part).filter(|bytes| !bytes.is_empty()).ok_or(Refusal::Malformed);
    let (nonce, mut sealed, tag) = (decoded(nonce)?, decoded(sealed)?, decoded(tag)?);
    let read = read_header(&decoded(header)?)?;
    let kid: Kid = read.kid.parse().map_err(|_| Refusal::UnknownKey)?;
    let key = keys.iter().find(|key| key.kid == kid).ok_or(Refusal::UnknownKey)?;
    // From here on there is one refusal, whatever is wrong (JWE-11.5).
    open(key, &read.epk.0, (header, &nonce, &tag), &mut sealed).ok_or(Refusal::NotDecryptable)?;
    let inner = String::from_utf8(sealed).map_err(|_| Refusal::Malformed)?;
    // Signed, then encrypted, once each (JWT-11.2, ATK-19).
    if inner.split('.').count() == 3 { Ok(inner) } else { Err(Refusal::Malformed) }
}

fn read_header(bytes: &[u8]) -> Result<Header, Refusal> {
    let Object(header): Object<Header> = match serde_json::from_slice(bytes) {
        Ok(header) => header,
        Err(_) if serde_json::from_slice::<Strict>(bytes).is_ok() => return Err(Refusal::HeaderNotAllowed),
        Err(_) => return Err(Refusal::Malformed),
    };
    let only = (header.alg.as_str(), header.enc.as_str(), header.cty.as_str()) == ("ECDH-ES", "A256GCM", "JWT");
    if only { Ok(header) } else { Err(Refusal::HeaderNotAllowed) }
}

/// Opens in place; what is left is the plaintext.
fn open(
    key: &DecryptionKey,
    epk: &Ephemeral,
    (header, nonce, tag): (&str, &[u8], &[u8]),
    sealed: &mut Vec<u8>,
) -> Option<()> {
    let (curve, public) = point(&epk.kty, &epk.crv, &epk.x, epk.y.as_deref())?;
    if curve != key.curve || tag.len() != TAG_BYTES {
        return None;
    }
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let secret = agree(&key.private, curve, &public).ok()?;
    sealed.extend_from_slice(tag);
    let length = secret.open_in_place(nonce, Aad::from(header.as_bytes()), sealed).ok()?.len();
    sealed.truncate(length);
    Some(())
}

/// ECDH and the Concat KDF of RFC 7518 section 4.6.2, to a key for A256GCM. The library refuses points off the curve and, on X25519,
/// a shared secret of zeros (JWT-BCP-3.4).
fn agree(private: &PrivateKey, curve: Curve, public: &[u8]) -> Result<LessSafeKey, Unspecified> {
    const ALGORITHM: &[u8] = b"A256GCM";
    let digest = get_sskdf_digest_algorithm(SskdfDigestAlgorithmId::Sha256).ok_or(Unspecified)?;
    // AlgorithmID, PartyUInfo and PartyVInfo (both empty), SuppPubInfo: 256 bits.
    let info = [&7u32.to_be_bytes()[..], ALGORITHM, &[0; 4], &[0; 4], &256u32.to_be_bytes()].concat();
    let peer = UnparsedPublicKey::new(curve.agreement(), public);
    agreement::agree(private, peer, Unspecified, |secret| {
        let mut key = [0; 32];
        sskdf_digest(digest, secret, &info, &mut key)?;
        UnboundKey::new(&AES_256_GCM, &key).map(LessSafeKey::new)
    })
}

#[cfg(test)]
mod tests {
    use super::{DecryptionKey, EncryptionKey, Refusal, agree, decrypt};
    use crate::base64url;
    use aws_lc_rs::agreement::{ECDH_P256, PrivateKey, X25519};
    use serde_json::json;

    /// RFC 7518 appendix C has Alice's and Bob's keys; with A256GCM instead of its A128GCM and without its party infos the same
    /// agreement must come out on both sides.
    #[test]
    fn jwa_4_6_both_sides_agree() {
        let alice = base64url::decode("0_NxaRPUMQoAJt50Gz8YiTr8gRTwyEaCumd-MToTmIo").expect("base64url");
        let bob = base64url::decode("VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw").expect("base64url");
        let [alice, bob] = [alice, bob].map(|key| PrivateKey::from_private_key(&ECDH_P256, &key).expect("a key"));
        let public = |key: &PrivateKey| key.compute_public_key().expect("its public half").as_ref().to_vec();
        let one = agree(&alice, super::Curve::P256, &public(&bob)).expect("a key");
        let other = agree(&bob, super::Curve::P256, &public(&alice)).expect("a key");
        let seal = |key: &super::LessSafeKey| {
            let mut text = b"text".to_vec();
            let nonce = super::Nonce::assume_unique_for_key([0; 12]);
            key.seal_in_place_append_tag(nonce, super::Aad::empty(), &mut text).expect("sealed");
            text
        };
        assert_eq!(seal(&one), seal(&other));
    }

    #[test]
    fn a_token_opens_with_its_own_key_and_only_whole() {
        for (curve, kty, crv) in [(&X25519, "OKP", "X25519"), (&ECDH_P256, "EC", "P-256")] {
            let private = PrivateKey::from_private_key(curve, &[7; 32]).expect("a key");
            let public = private.compute_public_key().expect("its public half");
            let (x, y) = match kty {
                "EC" => (&public.as_ref()[1..33], Some(base64url::encode(&public.as_ref()[33..]))),
                _ => (public.as_ref(), None),
            };
            let mut jwk = json!({ "kty": kty, "crv": crv, "x": base64url::encode(x), "kid": "e1" });
            if let Some(y) = y {
                jwk["y"] = y.into();
            }
            let to = EncryptionKey::from_jwk(jwk.to_string().as_bytes()).expect("a public key");
            jwk["d"] = base64url::encode(&[7; 32]).into();
            assert!(EncryptionKey::from_jwk(jwk.to_string().as_bytes()).is_none(), "a private key");
            let own = DecryptionKey::from_jwk(jwk.to_string().as_bytes()).expect("a private key");
            let sealed = to.encrypt("a.b.c", &[9; 32], [1; 12]).expect("encrypted");
            assert_eq!(decrypt(&sealed, std::slice::from_ref(&own)).as_deref(), Ok("a.b.c"));
            assert_eq!(decrypt(&sealed, &[]), Err(Refusal::UnknownKey));
            let two = to.encrypt("a.b.c.d", &[9; 32], [1; 12]).expect("encrypted");
            assert_eq!(decrypt(&two, std::slice::from_ref(&own)), Err(Refusal::Malformed));
            for at in [sealed.find("..").expect("empty part") + 3, sealed.len() - 30, sealed.len() - 5] {
                let mut changed = sealed.clone().into_bytes();
                changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
                let changed = String::from_utf8(changed).expect("ASCII");
                assert_eq!(decrypt(&changed, std::slice::from_ref(&own)), Err(Refusal::NotDecryptable), "{changed}");
            }
            jwk["d"] = base64url::encode(&[8; 32]).into();
            assert!(DecryptionKey::from_jwk(jwk.to_string().as_bytes()).is_none(), "halves of two keys");
        }
    }
}
