//! Security Event Tokens that others send: believed only if everything holds (RFC 8417, RFC 8935, SSF-4.1a to c).

use super::event::EventType;
use super::subject::Subject;
use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use counterfoil_guard::{
    Algorithm, LEEWAY_SECONDS, Timestamp, VerifyingKey, base64url_decode, parse_object, whole_seconds,
};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};
use std::time::Duration;

/// No SET longer than this is looked at.
pub const MAX_SET_BYTES: usize = 16 * 1024;

/// The most keys that a set may have.
const MAX_KEYS: usize = 64;

/// The longest `jti`, and the longest `kid`, that is taken.
const LONGEST_NAME: usize = 256;

/// How old a SET may be. For so long it is remembered, so that it counts once.
pub const OLDEST: Duration = Duration::from_hours(168);

/// Why a SET is not believed, as its sender is told (RFC 8935 section 2.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is not a SET, or not one that counts.
    #[error("{0}")]
    Request(&'static str),
    /// No key of the issuer verifies it.
    #[error("no key of the issuer's set verifies it")]
    Key,
    /// It is somebody else's.
    #[error("iss is not the issuer that events are taken from here")]
    Issuer,
    /// It is for somebody else.
    #[error("aud does not name this receiver")]
    Audience,
}

impl Refused {
    /// The code in the answer.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Request(_) => "invalid_request",
            Self::Key => "invalid_key",
            Self::Issuer => "invalid_issuer",
            Self::Audience => "invalid_audience",
        }
    }
}

enum Key {
    Own(VerifyingKey),
    /// For issuers that sign by nothing else; at least 2048 bits.
    Rsa(RsaPublicKeyComponents<Vec<u8>>),
}

impl Key {
    const fn algorithm(&self) -> &'static str {
        match self {
            Self::Own(key) => key.algorithm().name(),
            Self::Rsa(_) => "RS256",
        }
    }

    fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Own(key) => key.verifies(message, signature),
            Self::Rsa(key) => key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok(),
        }
    }
}

/// The keys of an issuer elsewhere, each bound to one algorithm. Those that this server does not know are left out.
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

    /// Whether there is a key of this name; without a name, whether there is exactly one key.
    pub fn has(&self, kid: Option<&str>) -> bool {
        self.find(kid).is_some()
    }

    fn find(&self, kid: Option<&str>) -> Option<&Key> {
        match (kid, self.0.as_slice()) {
            (None, [(_, only)]) => Some(only),
            (None, _) => None,
            (Some(kid), all) => {
                let mut named = all.iter().filter(|(name, _)| name.as_deref() == Some(kid));
                // Two keys of one name are none.
                named.next().filter(|_| named.next().is_none()).map(|(_, key)| key)
            }
        }
    }
}

/// A SET that is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Names it, at its issuer.
    pub jti: String,
    /// When it was made.
    pub at: Timestamp,
    /// What happened; nothing for a type that is not known here.
    pub kind: Option<EventType>,
    /// Whom it is about.
    pub subject: Subject,
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

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    jti: String,
    iat: f64,
    events: Map<String, Value>,
    sub_id: Option<Value>,
    sub: Option<IgnoredAny>,
    exp: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// The name of the key that a SET says it is signed by, to look whether it has to be fetched; nothing is believed yet.
pub fn claimed_key(set: &str) -> Option<Option<String>> {
    let header = set.split('.').next().filter(|_| set.len() <= MAX_SET_BYTES)?;
    parse_object::<Header>(&base64url_decode(header)?).map(|header| header.kid)
}

/// Believes a SET or refuses it.
pub fn verify(
    set: &str,
    keys: &IssuerKeys,
    (issuer, audience): (&str, &str),
    now: Timestamp,
) -> Result<Received, Refused> {
    const NOT_A_SET: Refused = Refused::Request("the body is not a signed SET in compact form");
    if set.len() > MAX_SET_BYTES {
        return Err(Refused::Request("the SET is too large; allowed are 16384 bytes"));
    }
    let parts: Vec<&str> = set.split('.').collect();
    let [header_part, payload_part, signature] = parts.as_slice() else { return Err(NOT_A_SET) };
    let decoded = |part: &str| base64url_decode(part).ok_or(NOT_A_SET);
    let header: Header = parse_object(&decoded(header_part)?).ok_or(NOT_A_SET)?;
    let typ = header.typ.as_deref().unwrap_or_default().to_ascii_lowercase();
    if typ.strip_prefix("application/").unwrap_or(&typ) != super::set::TYPE {
        return Err(Refused::Request("typ must be secevent+jwt"));
    }
    let odd = [&header.crit, &header.b64, &header.zip, &header.jwk, &header.jku];
    if odd.iter().any(|member| member.is_some()) || header.kid.as_ref().is_some_and(|kid| kid.len() > LONGEST_NAME) {
        return Err(Refused::Request("the header has a member that is not taken here"));
    }
    let key = keys.find(header.kid.as_deref()).ok_or(Refused::Key)?;
    let signed = &set.as_bytes()[..header_part.len() + 1 + payload_part.len()];
    if header.alg != key.algorithm() || !key.verifies(signed, &decoded(signature)?) {
        return Err(Refused::Key);
    }
    let claims: Claims = parse_object(&decoded(payload_part)?)
        .ok_or(Refused::Request("the SET lacks a claim: iss, aud, jti, iat and events are needed"))?;
    judge(claims, (issuer, audience), now)
}

fn judge(claims: Claims, (issuer, audience): (&str, &str), now: Timestamp) -> Result<Received, Refused> {
    if claims.iss != issuer {
        return Err(Refused::Issuer);
    }
    let named = match &claims.aud {
        Audience::One(one) => one == audience,
        Audience::Several(several) => several.iter().any(|one| one == audience),
    };
    if !named {
        return Err(Refused::Audience);
    }
    if claims.sub.is_some() || claims.exp.is_some() {
        return Err(Refused::Request("a SET has no sub and no exp: whom it is about stands in sub_id"));
    }
    if claims.jti.is_empty() || claims.jti.len() > LONGEST_NAME {
        return Err(Refused::Request("jti must have 1 to 256 bytes"));
    }
    let at = whole_seconds(claims.iat).ok_or(Refused::Request("iat is not a time"))?;
    let oldest = now.minus(OLDEST).as_seconds();
    if at > now.as_seconds() + LEEWAY_SECONDS || at < oldest {
        return Err(Refused::Request("iat is in the future, or more than 7 days ago"));
    }
    let mut events = claims.events.iter();
    let (Some((uri, event)), None) = (events.next(), events.next()) else {
        return Err(Refused::Request("events must have exactly one member"));
    };
    if !event.is_object() {
        return Err(Refused::Request("an event must be an object"));
    }
    // Before SSF 1.0 the subject stood in the event.
    let sub_id = claims.sub_id.as_ref().or_else(|| event.get("subject"));
    let subject =
        sub_id.and_then(Subject::read).ok_or(Refused::Request("sub_id is missing, or not a subject identifier"))?;
    Ok(Received { jti: claims.jti, at: Timestamp::from_seconds(at), kind: EventType::from_uri(uri), subject })
}
