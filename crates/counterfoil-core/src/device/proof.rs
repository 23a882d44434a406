//! What a browser signs (`Secure-Session-Response`): at the registration of its key, and whenever it is asked whether it still has it.
//!
//! A proof has no time of its own and says neither method nor address: it is worth what the challenge in it is worth. So whoever asks
//! says by a function whether that is one of its own, for this session, and not too old; it is asked before the signature is looked
//! at, which costs more.

use super::DeviceKey;
use counterfoil_guard::{MAX_TOKEN_BYTES, VerifyingKey, base64url_decode, parse_object, split};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// The one algorithm that is offered and taken.
pub const ALGORITHM: &str = "ES256";

/// Why a proof is refused. The word is for the log and the metrics; it holds nothing of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the proof is refused: {0}")]
pub struct BadProof(pub &'static str);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    typ: String,
    jwk: Option<Jwk>,
}

/// A public key: the members that say which, and the one that would give it away.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    crv: String,
    x: String,
    y: String,
    d: Option<IgnoredAny>,
}

/// Whatever else stands there is ignored: browsers may come to say more.
#[derive(Deserialize)]
struct Claims {
    jti: String,
    authorization: Option<String>,
    aud: Option<String>,
}

struct Read<'a> {
    header: Header,
    claims: Claims,
    signed: &'a [u8],
    signature: Vec<u8>,
}

/// A header's value as Chromium sends it (bare), or as the draft has it (a quoted string). `None` for anything else (DBSC-RAW).
pub fn header_text(value: &str) -> Option<&str> {
    let value = value.trim_matches([' ', '\t']);
    let text = match value.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"')?,
        None => value,
    };
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\' | b',' | b';');
    (!text.is_empty() && text.bytes().all(plain)).then_some(text)
}

/// The key of a registration: the proof carries it, and is signed by it. `known` is asked for challenge and authorization.
pub fn registered_key(proof: &str, url: &str, known: impl FnOnce(&str, &str) -> bool) -> Result<DeviceKey, BadProof> {
    let read = read(proof, url)?;
    let authorization = read.claims.authorization.as_deref().ok_or(BadProof("authorization"))?;
    if !known(&read.claims.jti, authorization) {
        return Err(BadProof("challenge"));
    }
    let key = read.header.jwk.as_ref().and_then(Jwk::public).ok_or(BadProof("jwk"))?;
    if key.verifies(read.signed, &read.signature) { Ok(key) } else { Err(BadProof("signature")) }
}

/// Whether a proof is by this key. One that brings a key along is refused, whosever it is (DBSC-REF2). `known` is asked for the challenge.
pub fn check(proof: &str, url: &str, key: &DeviceKey, known: impl FnOnce(&str) -> bool) -> Result<(), BadProof> {
    let read = read(proof, url)?;
    if read.header.jwk.is_some() {
        return Err(BadProof("jwk"));
    }
    if !known(&read.claims.jti) {
        return Err(BadProof("challenge"));
    }
    if key.verifies(read.signed, &read.signature) { Ok(()) } else { Err(BadProof("signature")) }
}

fn read<'a>(proof: &'a str, url: &str) -> Result<Read<'a>, BadProof> {
    if proof.len() > MAX_TOKEN_BYTES {
        return Err(BadProof("too large"));
    }
    let [header_part, claims_part, signature_part] = split(proof).map_err(|_| BadProof("not a JWT"))?;
    let decoded = |part: &str| base64url_decode(part).ok_or(BadProof("not base64url"));
    let header: Header = parse_object(&decoded(header_part)?).ok_or(BadProof("header"))?;
    if !header.typ.eq_ignore_ascii_case("dbsc+jwt") {
        return Err(BadProof("typ"));
    }
    if header.alg != ALGORITHM {
        return Err(BadProof("alg"));
    }
    let claims: Claims = parse_object(&decoded(claims_part)?).ok_or(BadProof("claims"))?;
    // Chromium can be told to say it, and does not by default.
    if claims.aud.as_ref().is_some_and(|aud| aud != url) {
        return Err(BadProof("aud"));
    }
    let signed = &proof.as_bytes()[..header_part.len() + 1 + claims_part.len()];
    Ok(Read { header, claims, signed, signature: decoded(signature_part)? })
}

impl Jwk {
    fn public(&self) -> Option<DeviceKey> {
        if (self.kty.as_str(), self.crv.as_str()) != ("EC", "P-256") || self.d.is_some() {
            return None;
        }
        let key = VerifyingKey::p256(&base64url_decode(&self.x)?, &base64url_decode(&self.y)?)?;
        DeviceKey::from_bytes(key.as_bytes())
    }
}
