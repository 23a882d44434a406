//! The claims of an access token (RFC 9068 section 2.2), typed as they are read.

use crate::base64url;
use crate::dpop::{Proof, Thumbprint};
use crate::id::{Jti, Sid};
use crate::json::{Object, StrictVisitor};
use crate::refusal::Refusal;
use crate::rfc3339;
use crate::status_list::{Status, StatusReference};
use crate::subject::{Actor, MAX_ACTORS, Subject};
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::fmt;

/// What a verified access token says. No personal data ever stands here (T2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Issuer: the authority's public URL.
    pub iss: String,
    /// The user, or the service that speaks in its own name.
    pub sub: Subject,
    /// The one audience.
    pub aud: String,
    /// The application signed in to.
    pub client_id: String,
    /// Expiry, seconds since the epoch.
    pub exp: i64,
    /// Minted at, seconds since the epoch.
    pub iat: i64,
    /// Not valid before, if given.
    pub nbf: Option<i64>,
    /// This token's id.
    pub jti: Jti,
    /// The session on which the token hangs; what a revocation names.
    pub sid: Sid,
    /// When the user last proved themselves, seconds since the epoch. A refresh does not change it. 0 for a service.
    pub auth_time: i64,
    /// How strongly (RFC 9470). Empty for a service.
    pub acr: String,
    /// By which methods (RFC 8176).
    pub amr: Vec<String>,
    /// Roles, where the application's claim list has them.
    pub roles: Vec<String>,
    /// How often the user's roles have changed (claim `cv`, absent for never); see [`crate::Target::Stale`].
    pub claims_version: u32,
    /// Granted scope, where one was asked for: space-separated tokens, none of them twice.
    pub scope: Option<String>,
    /// Who acts for the subject, if not the subject itself.
    pub act: Option<Actor>,
    /// The key that whoever presents the token must prove to hold (`cnf`, RFC 9449 section 6.1).
    pub bound_to: Option<Thumbprint>,
    /// Where its status is to be found, for verifiers that follow no feed (Token Status List).
    pub status: Option<StatusReference>,
    /// What only the audience may read of the user, such as an address. Never there in a token that was not encrypted.
    pub private: BTreeMap<String, String>,
}

impl Claims {
    /// Whether this scope was granted: a whole token of `scope`, not a part of one (ATK-27).
    pub fn has_scope(&self, wanted: &str) -> bool {
        self.scope.as_deref().is_some_and(|scope| scope.split(' ').any(|granted| granted == wanted))
    }

    /// Whether the token may be presented like this: one that is bound to a key only with that key's proof for it, any other only
    /// without (DPOP-7b). That the proof is fresh and has not been used is for the caller to see to.
    pub fn check_binding(&self, token: &str, proof: Option<&Proof>) -> Result<(), Refusal> {
        match (self.bound_to, proof) {
            (None, None) => Ok(()),
            (Some(_), None) => Err(Refusal::ProofRequired),
            (Some(key), Some(proof)) if proof.key == key && proof.is_for(token) => Ok(()),
            _ => Err(Refusal::BadProof),
        }
    }

    /// Everybody who acts for the subject, the outermost first. The token hangs on their sessions too.
    pub fn actors(&self) -> impl Iterator<Item = &Actor> {
        self.act.iter().flat_map(Actor::chain)
    }

    /// Reads a payload as this kind of token has it.
    pub(crate) fn read(payload: &[u8], kind: Kind) -> Result<Self, serde_json::Error> {
        let mut from = serde_json::Deserializer::from_slice(payload);
        let claims = Payload(kind).deserialize(&mut from)?;
        from.end()?;
        Ok(claims)
    }
}

/// What may stand in a token of this kind, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kind {
    /// How times are written.
    pub(crate) dates: Dates,
    /// Whether it may say what is private: it came encrypted.
    pub(crate) private: bool,
}

/// `cnf`: one key, by its thumbprint. A binding we cannot check is not ignored (CNF-3).
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Confirmation {
    jkt: Jkt,
}

struct Jkt(Thumbprint);

impl<'de> Deserialize<'de> for Jkt {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(from)?;
        let bytes = base64url::decode(&text).and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| D::Error::custom("expected a SHA-256 thumbprint"))
    }
}

/// Texts by name, each name once.
#[derive(Default)]
struct Texts(BTreeMap<String, String>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Texts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Texts, A::Error> {
                let mut texts = BTreeMap::new();
                while let Some((name, text)) = members.next_entry()? {
                    if texts.insert(name, text).is_some() {
                        return Err(A::Error::custom("duplicate member name"));
                    }
                }
                Ok(Texts(texts))
            }
        }
        from.deserialize_map(Members)
    }
}

/// How a kind of token writes times. A time in the other kind's way is refused (ATK-22, PAS-5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dates {
    /// Numbers of seconds: JWT.
    Numeric,
    /// RFC 3339, the one spelling of [`crate::rfc3339`]: PASETO.
    Text,
}

impl<'de> DeserializeSeed<'de> for Dates {
    type Value = i64;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<i64, D::Error> {
        match self {
            Self::Numeric => NumericDate::deserialize(from).map(|NumericDate(seconds)| seconds),
            Self::Text => {
                let text = Cow::<str>::deserialize(from)?;
                rfc3339::parse(&text).ok_or_else(|| D::Error::custom("expected a time such as 2026-11-21T08:00:00Z"))
            }
        }
    }
}

/// `scope` (RFC 6749 section 3.3), without repetition.
struct Scope(String);

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        if is_scope(&text) { Ok(Self(text)) } else { Err(D::Error::custom("no scope")) }
    }
}

/// Whether this is a scope: tokens of visible ASCII without quotation mark and backslash, one space between two, none twice.
pub fn is_scope(text: &str) -> bool {
    let mut seen = HashSet::new();
    text.split(' ').all(|token| is_scope_token(token) && seen.insert(token))
}

/// Whether this may be one of a scope's tokens.
pub fn is_scope_token(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_graphic() && b != b'"' && b != b'\\';
    !text.is_empty() && text.bytes().all(allowed)
}

/// Seconds since the epoch out of a JSON number (RFC 7519 section 2: fractions allowed, strings not).
pub(crate) struct NumericDate(pub(crate) i64);

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Number;
        impl Visitor<'_> for Number {
            type Value = NumericDate;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of seconds")
            }

            fn visit_i64<E: Error>(self, value: i64) -> Result<NumericDate, E> {
                Ok(NumericDate(value))
            }

            fn visit_u64<E: Error>(self, value: u64) -> Result<NumericDate, E> {
                i64::try_from(value).map(NumericDate).map_err(E::custom)
            }

            #[expect(clippy::cast_possible_truncation, reason = "the range check keeps the value exact")]
            fn visit_f64<E: Error>(self, value: f64) -> Result<NumericDate, E> {
                const EXACT: f64 = 9_007_199_254_740_992.0;
                if value.abs() < EXACT { Ok(NumericDate(value.floor() as i64)) } else { Err(E::custom("out of range")) }
            }
        }
        from.deserialize_any(Number)
    }
}

/// `aud` as a string, or as an array holding exactly one (ATK-25: a token for us and another is refused).
struct OneAudience(String);

impl<'de> Deserialize<'de> for OneAudience {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Audience;
        impl<'de> Visitor<'de> for Audience {
            type Value = OneAudience;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("one audience")
            }

            fn visit_str<E: Error>(self, value: &str) -> Result<OneAudience, E> {
                Ok(OneAudience(value.to_owned()))
            }

            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<OneAudience, A::Error> {
                let only: String = items.next_element()?.ok_or_else(|| A::Error::custom("no audience"))?;
                if items.next_element::<IgnoredAny>()?.is_some() {
                    return Err(A::Error::custom("more than one audience"));
                }
                Ok(OneAudience(only))
            }
        }
        from.deserialize_any(Audience)
    }
}

#[derive(Default)]
struct Partial {
    iss: Option<String>,
    sub: Option<Subject>,
    aud: Option<OneAudience>,
    client_id: Option<String>,
    exp: Option<i64>,
    iat: Option<i64>,
    nbf: Option<i64>,
    jti: Option<Jti>,
    sid: Option<Sid>,
    auth_time: Option<i64>,
    acr: Option<String>,
    amr: Option<Vec<String>>,
    roles: Option<Vec<String>>,
    claims_version: Option<u32>,
    scope: Option<Scope>,
    act: Option<Object<Actor>>,
    cnf: Option<Object<Confirmation>>,
    status: Option<Status>,
    private: Option<Texts>,
    others: HashSet<String>,
}

impl Partial {
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, members: &mut A, kind: Kind) -> Result<(), A::Error> {
        let dates = kind.dates;
        match name {
            "iss" => once(&mut self.iss, members),
            "sub" => once(&mut self.sub, members),
            "aud" => once(&mut self.aud, members),
            "client_id" => once(&mut self.client_id, members),
            "exp" => time(&mut self.exp, members, dates),
            "iat" => time(&mut self.iat, members, dates),
            "nbf" => time(&mut self.nbf, members, dates),
            "jti" => once(&mut self.jti, members),
            "sid" => once(&mut self.sid, members),
            "auth_time" => time(&mut self.auth_time, members, dates),
            "acr" => once(&mut self.acr, members),
            "amr" => once(&mut self.amr, members),
            "roles" => once(&mut self.roles, members),
            "cv" => once(&mut self.claims_version, members),
            "scope" => once(&mut self.scope, members),
            "act" => once(&mut self.act, members),
            "cnf" => once(&mut self.cnf, members),
            "status" => once(&mut self.status, members),
            "private" if kind.private => once(&mut self.private, members),
            // A security event is never an access token (SSF-4.1c); what is private does not travel in the clear.
            "events" | "private" => Err(A::Error::custom("claim not allowed in this kind of token")),
            other => {
                if !self.others.insert(other.to_owned()) {
                    return Err(A::Error::custom("duplicate member name"));
                }
                members.next_value_seed(StrictVisitor::MEMBER).map(|_| ())
            }
        }
    }

    /// All that every token must have. How and when a subject proved itself is said of people only.
    fn complete(self) -> Option<Claims> {
        let sub = self.sub?;
        let service = sub.client().is_some();
        let act = self.act.map(|Object(actor)| actor);
        if act.as_ref().is_some_and(|actor| actor.chain().count() > MAX_ACTORS) {
            return None;
        }
        Some(Claims {
            iss: self.iss?,
            sub,
            aud: self.aud?.0,
            client_id: self.client_id?,
            exp: self.exp?,
            iat: self.iat?,
            nbf: self.nbf,
            jti: self.jti?,
            sid: self.sid?,
            auth_time: self.auth_time.or(service.then_some(0))?,
            acr: self.acr.or_else(|| service.then(String::new))?,
            amr: self.amr.or_else(|| service.then(Vec::new))?,
            roles: self.roles.unwrap_or_default(),
            claims_version: self.claims_version.unwrap_or_default(),
            scope: self.scope.map(|Scope(scope)| scope),
            act,
            bound_to: self.cnf.map(|Object(cnf)| cnf.jkt.0),
            status: self.status.and_then(|Status(found)| found),
            private: self.private.unwrap_or_default().0,
        })
    }
}

fn once<'de, T: Deserialize<'de>, A: MapAccess<'de>>(slot: &mut Option<T>, members: &mut A) -> Result<(), A::Error> {
    if slot.is_some() {
        return Err(A::Error::custom("duplicate member name"));
    }
    *slot = Some(members.next_value()?);
    Ok(())
}

fn time<'de, A: MapAccess<'de>>(slot: &mut Option<i64>, members: &mut A, dates: Dates) -> Result<(), A::Error> {
    if slot.is_some() {
        return Err(A::Error::custom("duplicate member name"));
    }
    *slot = Some(members.next_value_seed(dates)?);
    Ok(())
}

/// Claims, as one kind of token has them.
struct Payload(Kind);

impl<'de> DeserializeSeed<'de> for Payload {
    type Value = Claims;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Claims, D::Error> {
        struct Members(Kind);
        impl<'de> Visitor<'de> for Members {
            type Value = Claims;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object of claims")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Claims, A::Error> {
                let mut partial = Partial::default();
                while let Some(name) = members.next_key::<Cow<'de, str>>()? {
                    partial.read(&name, &mut members, self.0)?;
                }
                partial.complete().ok_or_else(|| A::Error::custom("a required claim is missing"))
            }
        }
        from.deserialize_map(Members(self.0))
    }
}
