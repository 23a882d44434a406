//! PASETO v4.public (paseto-standard, version 4): what is signed, by Ed25519, and how it is written. There is no header to be
//! believed: the purpose is the caller's, and whatever does not begin with `v4.public.` is no token of this kind (PAS-2).

use crate::base64url;
use crate::id::PaserkId;
use crate::json::{Object, Strict};
use crate::key::{SIGNATURE_BYTES, VerifyingKey};
use crate::refusal::Refusal;
use serde::Deserialize;

/// What every token of this version and purpose begins with.
pub const HEADER: &str = "v4.public.";

/// A token taken apart; nothing of it is believed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// What was signed for whoever reads it: the claims.
    pub message: Vec<u8>,
    /// Signed too, read before the signature is checked, and only to find the key (PAS-6). Empty when the token has none.
    pub footer: Vec<u8>,
    /// The signature.
    pub signature: [u8; SIGNATURE_BYTES],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Footer {
    kid: String,
}

impl Message {
    /// Takes a token apart: header, payload and perhaps a footer, each in canonical base64url.
    pub fn split(token: &str) -> Result<Self, Refusal> {
        let rest = token.strip_prefix(HEADER).ok_or(Refusal::Malformed)?;
        let (payload, footer) = rest.split_once('.').map_or((rest, None), |(payload, footer)| (payload, Some(footer)));
        if payload.is_empty() || footer.is_some_and(str::is_empty) {
            return Err(Refusal::Malformed);
        }
        let mut message = base64url::decode(payload).ok_or(Refusal::Malformed)?;
        let footer = base64url::decode(footer.unwrap_or_default()).ok_or(Refusal::Malformed)?;
        let length = message.len().checked_sub(SIGNATURE_BYTES).filter(|left| *left > 0).ok_or(Refusal::Malformed)?;
        let signature = message.split_off(length).try_into().map_err(|_| Refusal::Malformed)?;
        Ok(Self { message, footer, signature })
    }

    /// Whether the signature is this key's. The key must be one for Ed25519 (PAS-1).
    pub fn verifies(&self, key: &VerifyingKey, implicit_assertion: &[u8]) -> bool {
        let signed = signing_input(&self.message, &self.footer, implicit_assertion);
        key.algorithm().is_ed25519() && key.verifies(&signed, &self.signature)
    }

    /// The name of the key in the footer, which holds nothing else.
    pub(crate) fn key_id(&self) -> Result<PaserkId, Refusal> {
        let Object(footer): Object<Footer> = match serde_json::from_slice(&self.footer) {
            Ok(footer) => footer,
            Err(_) if serde_json::from_slice::<Strict>(&self.footer).is_ok() => return Err(Refusal::HeaderNotAllowed),
            Err(_) => return Err(Refusal::Malformed),
        };
        footer.kid.parse().map_err(|_| Refusal::UnknownKey)
    }
}

/// What is signed: header, message, footer and implicit assertion, each with its length before it (PAS-3), so that none can be
/// taken for a part of another.
pub fn signing_input(message: &[u8], footer: &[u8], implicit_assertion: &[u8]) -> Vec<u8> {
    let pieces = [HEADER.as_bytes(), message, footer, implicit_assertion];
    let mut input = length(pieces.len()).to_vec();
    for piece in pieces {
        input.extend_from_slice(&length(piece.len()));
        input.extend_from_slice(piece);
    }
    input
}

/// Little-endian, the highest bit clear.
fn length(of: usize) -> [u8; 8] {
    (of as u64 & (u64::MAX >> 1)).to_le_bytes()
}

/// Puts a signed message together.
pub fn encode(message: &[u8], signature: &[u8], footer: &[u8]) -> String {
    let payload = base64url::encode(&[message, signature].concat());
    format!("{HEADER}{payload}.{}", base64url::encode(footer))
}

#[cfg(test)]
mod tests {
    use super::signing_input;

    /// The worked example of the specification, "Authentication Padding": a count, then each piece behind its length.
    #[test]
    fn pas_3_every_piece_is_behind_its_length() {
        let input = signing_input(b"m", b"", b"ii");
        let expected = [
            &[4, 0, 0, 0, 0, 0, 0, 0][..],
            &[10, 0, 0, 0, 0, 0, 0, 0],
            b"v4.public.",
            &[1, 0, 0, 0, 0, 0, 0, 0],
            b"m",
            &[0, 0, 0, 0, 0, 0, 0, 0],
            &[2, 0, 0, 0, 0, 0, 0, 0],
            b"ii",
        ];
        assert_eq!(input, expected.concat());
    }
}
