//! Public keys that verify, each bound to exactly one algorithm (JWT-BCP-3.1c), and the one rule for signatures that libraries
//! differ on (ATK-05, ATK-07).

use crate::base64url;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey};
use std::fmt;
use std::sync::Arc;

/// A signature algorithm by the name it has in `alg`. RFC 9864 gave Ed25519 its own name beside the older `EdDSA`;
/// a key is bound to one of the two names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// `EdDSA` (RFC 8037) with curve Ed25519.
    EdDsa,
    /// `Ed25519` (RFC 9864).
    Ed25519,
    /// `ES256` (RFC 7518 section 3.4): ECDSA with P-256 and SHA-256, for verifiers that do not know Ed25519.
    Es256,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::EdDsa, Self::Ed25519, Self::Es256];

    /// The name in `alg`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Ed25519 => "Ed25519",
            Self::Es256 => "ES256",
        }
    }

    /// The algorithm with this exact name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    /// What a JWK for it says in `kty` and `crv`.
    pub const fn key_type(self) -> (&'static str, &'static str) {
        match self {
            Self::EdDsa | Self::Ed25519 => ("OKP", "Ed25519"),
            Self::Es256 => ("EC", "P-256"),
        }
    }

    /// Whether keys for it lie on the curve Ed25519, which PASETO v4.public signs with under any name.
    pub const fn is_ed25519(self) -> bool {
        matches!(self, Self::EdDsa | Self::Ed25519)
    }
}

/// How long a signature is, for every algorithm there is here.
pub(crate) const SIGNATURE_BYTES: usize = 64;

/// A public key that verifies, parsed once.
#[derive(Clone)]
pub struct VerifyingKey {
    algorithm: Algorithm,
    public: Arc<ParsedPublicKey>,
    raw: Vec<u8>,
}

impl VerifyingKey {
    /// From its bytes: 32 for Ed25519 (RFC 8032), 65 for P-256 (a point, uncompressed: 4, x, y). `None` when they are not a key,
    /// or one that verifies signatures nobody made (of small order).
    pub fn new(algorithm: Algorithm, raw: &[u8]) -> Option<Self> {
        let public = match algorithm {
            Algorithm::EdDsa | Algorithm::Ed25519 => {
                let point: &[u8; 32] = raw.try_into().ok()?;
                if !is_canonical(point) || has_small_order(point) {
                    return None;
                }
                ParsedPublicKey::new(&ED25519, raw)
            }
            Algorithm::Es256 if raw.len() == 65 && raw[0] == 4 => ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, raw),
            Algorithm::Es256 => return None,
        };
        Some(Self { algorithm, public: Arc::new(public.ok()?), raw: raw.to_vec() })
    }

    /// A P-256 key from its coordinates, 32 bytes each (RFC 7518 section 6.2.1).
    pub fn p256(x: &[u8], y: &[u8]) -> Option<Self> {
        if x.len() != 32 || y.len() != 32 {
            return None;
        }
        Self::new(Algorithm::Es256, &[&[4], x, y].concat())
    }

    /// The one algorithm of this key.
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The bytes it was made from.
    pub fn as_bytes(&self) -> &[u8] {
        &self.raw
    }

    /// The SHA-256 thumbprint of its JWK (RFC 7638 section 3): required members only, in lexicographic order.
    pub fn thumbprint(&self) -> [u8; 32] {
        let (kty, crv) = self.algorithm.key_type();
        let members = match self.raw.strip_prefix(&[4]).and_then(|point| point.split_at_checked(32)) {
            Some((x, y)) if self.algorithm == Algorithm::Es256 => {
                let (x, y) = (base64url::encode(x), base64url::encode(y));
                format!(r#"{{"crv":"{crv}","kty":"{kty}","x":"{x}","y":"{y}"}}"#)
            }
            _ => format!(r#"{{"crv":"{crv}","kty":"{kty}","x":"{}"}}"#, base64url::encode(&self.raw)),
        };
        digest(&SHA256, members.as_bytes()).as_ref().try_into().expect("SHA-256 has 32 bytes")
    }

    /// Whether `signature` is this key's over `message`.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        if signature.len() != SIGNATURE_BYTES {
            return false;
        }
        // aws-lc computes R anew and compares bytes, so one that is not canonical never fits; of small order it might.
        if self.algorithm.is_ed25519() && signature.first_chunk().is_none_or(has_small_order) {
            return false;
        }
        self.public.verify_sig(message, signature).is_ok()
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({})", self.algorithm.name())
    }
}

/// y of the points of order 8 (the other pair has the same y with the sign of x flipped).
const ORDER_8: [[u8; 32]; 2] = [
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf,
        0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20,
        0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];

/// Whether these 32 bytes spell, in any of the 14 ways, one of the eight points whose order divides the cofactor: y is 0, 1 or −1
/// (also as p, p + 1, p − 1), or that of a point of order 8.
fn has_small_order(point: &[u8; 32]) -> bool {
    let mut y = *point;
    y[31] &= 0x7f;
    let middle = |byte: u8| y[1..31].iter().all(|other| *other == byte);
    let trivial = y[31] == 0 && y[0] <= 1 && middle(0);
    let around_p = y[31] == 0x7f && (0xec..=0xee).contains(&y[0]) && middle(0xff);
    trivial || around_p || ORDER_8.contains(&y)
}

/// Whether y is spelt in the one canonical way: below p = 2^255 − 19 (RFC 8032 section 5.1.3).
fn is_canonical(point: &[u8; 32]) -> bool {
    let [lowest, middle @ .., highest] = point;
    highest & 0x7f != 0x7f || *lowest < 0xed || middle.iter().any(|byte| *byte != 0xff)
}
