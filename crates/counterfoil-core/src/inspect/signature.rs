//! The signature part: its length and the values that no honest signer produces. Never shown.

use super::json::{Json, Member, last};
use super::notes::Notes;
use super::{Explained, Part, base64, show};

/// The order of P-256 (RFC 7518 section 3.4: r and s lie between 1 and n−1), big-endian.
const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7,
    0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// The order of the Ed25519 base point (RFC 8032 section 5.1: S lies below it), big-endian.
const ED25519_ORDER: [u8; 32] = [
    0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x14, 0xde, 0xf9, 0xde, 0xa2, 0xf7, 0x9c, 0xd6, 0x58, 0x12,
    0x63, 0x1a, 0x5c, 0xf5, 0xd3, 0xed,
];

/// Explains the signature part by its length alone.
pub(super) fn explain(encoded: &str, header: &[Member], notes: &mut Notes) -> Part {
    let bytes = base64::decode("signature", encoded, notes);
    let algorithm = last(header, "alg").and_then(Json::as_text).unwrap_or_default();
    if bytes.is_empty() {
        let message = "the signature is empty: nobody signed this";
        notes.error("ATK-03", message, "check the exact length before anything else");
    } else {
        check(algorithm, &bytes, notes);
    }
    Part {
        name: "signature",
        members: vec![Explained {
            name: "length".into(),
            value: format!("{} bytes", bytes.len()),
            meaning: "not checked: that takes the issuer's public key; not shown: it is what makes the token work"
                .into(),
            source: "RFC 7515 section 5.2",
        }],
    }
}

fn check(algorithm: &str, bytes: &[u8], notes: &mut Notes) {
    let (right, expected) = match algorithm {
        "EdDSA" | "Ed25519" | "ES256" | "ES256K" | "HS512" => (bytes.len() == 64, "64"),
        "ES384" => (bytes.len() == 96, "96"),
        "ES512" => (bytes.len() == 132, "132"),
        "Ed448" => (bytes.len() == 114, "114"),
        "HS256" => (bytes.len() == 32, "32"),
        "HS384" => (bytes.len() == 48, "48"),
        name if name.starts_with("RS") || name.starts_with("PS") => {
            ((256..=512).contains(&bytes.len()), "256 to 512 (RSA of 2048 to 4096 bits)")
        }
        _ => return,
    };
    if !right {
        let der = algorithm.starts_with("ES") && is_der(bytes);
        let id = if der || algorithm.starts_with("ES") { "ATK-05" } else { "ATK-03" };
        let why = if der { "; it is DER, as X.509 has it, not r and s side by side" } else { "" };
        let shown = show::name(algorithm);
        let message = format!("the signature has {} bytes, {shown} wants {expected}{why}", bytes.len());
        return notes.error(id, message, "check the exact length before anything else");
    }
    match algorithm {
        "ES256" => ecdsa_range(bytes, notes),
        "EdDSA" | "Ed25519" => {
            let mut scalar: Vec<u8> = bytes[32..].to_vec();
            scalar.reverse();
            if scalar.as_slice() >= ED25519_ORDER.as_slice() {
                let message = "the signature's S is not below the group order: a second spelling of another signature";
                notes.error("ATK-07", message, "refuse (RFC 8032 section 5.1.7)");
            }
        }
        _ => {}
    }
}

fn ecdsa_range(bytes: &[u8], notes: &mut Notes) {
    let outside = |half: &[u8]| half.iter().all(|b| *b == 0) || half >= P256_ORDER.as_slice();
    if bytes.chunks(32).any(outside) {
        let message = "r or s of the signature is zero or beyond the curve's order (a \"psychic\" signature)";
        notes.error("ATK-05", message, "refuse; use a library without CVE-2022-21449");
    }
}

fn is_der(bytes: &[u8]) -> bool {
    matches!(bytes, [0x30, length, 0x02, ..] if usize::from(*length) + 2 == bytes.len())
}
