//! Compact JWS (RFC 7515 section 7.1), the one shape of JWT that exists here: three parts, signed.

use crate::base64url;
use crate::id::Kid;
use crate::json::{Object, Strict};
use crate::refusal::Refusal;
use serde::Deserialize;

/// No token longer than this is looked at (T2's hard cap; also keeps headers small).
pub const MAX_TOKEN_BYTES: usize = 4096;

/// The three members a header may have; any other is refused. Among the others are `crit`, `b64`, `zip`, and the
/// ones that carry or point to key material: `jwk`, `jku`, `x5c`, `x5u` (ATK-08, ATK-09, ATK-12).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The algorithm the token claims; believed only if the key says the same.
    pub alg: String,
    /// Which key; a look-up, nothing else.
    pub kid: Kid,
    /// The media type, as it stands in the token.
    pub typ: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHeader {
    alg: String,
    kid: String,
    typ: String,
}

/// Splits a compact JWS into header, payload and signature, undecoded.
///
/// Refuses what is too long, has other than three parts, an empty part, or a character outside `[A-Za-z0-9_-]`
/// (JWT-BCP-3.14, ATK-18), all before anything is allocated.
pub fn split(token: &str) -> Result<[&str; 3], Refusal> {
    split_within(token, MAX_TOKEN_BYTES)
}

/// As [`split`], for a kind of token that may have so many bytes.
pub(crate) fn split_within(token: &str, most: usize) -> Result<[&str; 3], Refusal> {
    if token.len() > most {
        return Err(Refusal::TooLarge);
    }
    let mut parts = token.split('.');
    let (Some(header), Some(payload), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Refusal::Malformed);
    };
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let well_formed = |part: &str| !part.is_empty() && part.bytes().all(allowed);
    if !(well_formed(header) && well_formed(payload) && well_formed(signature)) {
        return Err(Refusal::Malformed);
    }
    Ok([header, payload, signature])
}

impl Header {
    /// Decodes and checks a header part.
    pub fn decode(part: &str) -> Result<Self, Refusal> {
        let bytes = base64url::decode(part).ok_or(Refusal::Malformed)?;
        let Object(raw): Object<RawHeader> = match serde_json::from_slice(&bytes) {
            Ok(raw) => raw,
            // A well-formed object that is not ours is told apart from rubbish, for the log only.
            Err(_) if serde_json::from_slice::<Strict>(&bytes).is_ok() => return Err(Refusal::HeaderNotAllowed),
            Err(_) => return Err(Refusal::Malformed),
        };
        let kid = raw.kid.parse().map_err(|_| Refusal::UnknownKey)?;
        Ok(Self { alg: raw.alg, kid, typ: raw.typ })
    }

    /// Whether `typ` says access token (RFC 9068 section 4): `at+jwt`, with or without `application/`, in any case.
    pub fn is_access_token(&self) -> bool {
        let typ = self.typ.as_bytes();
        typ.eq_ignore_ascii_case(b"at+jwt") || typ.eq_ignore_ascii_case(b"application/at+jwt")
    }

    /// Whether `typ` says status list (TSL-5.1a): `statuslist+jwt`, with or without `application/`, in any case.
    #[cfg(feature = "status-list")]
    pub(crate) fn is_status_list(&self) -> bool {
        let typ = self.typ.as_bytes();
        typ.eq_ignore_ascii_case(b"statuslist+jwt") || typ.eq_ignore_ascii_case(b"application/statuslist+jwt")
    }
}

/// Header and payload as the signature covers them: `BASE64URL(header) || '.' || BASE64URL(payload)`.
pub fn encode_signing_input(header: &str, payload: &[u8]) -> String {
    let mut input = base64url::encode(header.as_bytes());
    input.push('.');
    input.push_str(&base64url::encode(payload));
    input
}
