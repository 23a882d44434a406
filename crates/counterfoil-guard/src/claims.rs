//! The claims of an access token (RFC 9068 section 2.2), typed as they are read.

use crate::id::{Jti, Sid, UserId};
use crate::json::StrictVisitor;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};
use std::collections::HashSet;
use std::fmt;

/// What a verified access token says. No personal data ever stands here (T2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Issuer: the authority's public URL.
    pub iss: String,
    /// The user.
    pub sub: UserId,
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
    /// When the user last proved themselves, seconds since the epoch. A refresh does not change it.
    pub auth_time: i64,
    /// How strongly (RFC 9470).
    pub acr: String,
    /// By which methods (RFC 8176).
    pub amr: Vec<String>,
    /// Roles, where the application's claim list has them.
    pub roles: Vec<String>,
    /// How often the user's roles have changed (claim `cv`, absent for never); see [`crate::Target::Stale`].
    pub claims_version: u32,
    /// Granted scope, where one was asked for: space-separated tokens.
    pub scope: Option<String>,
}

/// Seconds since the epoch out of a JSON number (RFC 7519 section 2: fractions allowed, strings not).
struct NumericDate(i64);

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
    sub: Option<UserId>,
    aud: Option<OneAudience>,
    client_id: Option<String>,
    exp: Option<NumericDate>,
    iat: Option<NumericDate>,
    nbf: Option<NumericDate>,
    jti: Option<Jti>,
    sid: Option<Sid>,
    auth_time: Option<NumericDate>,
    acr: Option<String>,
    amr: Option<Vec<String>>,
    roles: Option<Vec<String>>,
    claims_version: Option<u32>,
    scope: Option<String>,
    others: HashSet<String>,
}

impl Partial {
    fn read<'de, A: MapAccess<'de>>(&mut self, name: &str, members: &mut A) -> Result<(), A::Error> {
        match name {
            "iss" => once(&mut self.iss, members),
            "sub" => once(&mut self.sub, members),
            "aud" => once(&mut self.aud, members),
            "client_id" => once(&mut self.client_id, members),
            "exp" => once(&mut self.exp, members),
            "iat" => once(&mut self.iat, members),
            "nbf" => once(&mut self.nbf, members),
            "jti" => once(&mut self.jti, members),
            "sid" => once(&mut self.sid, members),
            "auth_time" => once(&mut self.auth_time, members),
            "acr" => once(&mut self.acr, members),
            "amr" => once(&mut self.amr, members),
            "roles" => once(&mut self.roles, members),
            "cv" => once(&mut self.claims_version, members),
            "scope" => once(&mut self.scope, members),
            // A security event is never an access token (SSF-4.1c); a binding we cannot check is not ignored (CNF-3).
            "events" | "cnf" => Err(A::Error::custom("claim not allowed in this kind of token")),
            other => {
                if !self.others.insert(other.to_owned()) {
                    return Err(A::Error::custom("duplicate member name"));
                }
                members.next_value_seed(StrictVisitor::MEMBER).map(|_| ())
            }
        }
    }

    fn complete(self) -> Option<Claims> {
        Some(Claims {
            iss: self.iss?,
            sub: self.sub?,
            aud: self.aud?.0,
            client_id: self.client_id?,
            exp: self.exp?.0,
            iat: self.iat?.0,
            nbf: self.nbf.map(|nbf| nbf.0),
            jti: self.jti?,
            sid: self.sid?,
            auth_time: self.auth_time?.0,
            acr: self.acr?,
            amr: self.amr?,
            roles: self.roles.unwrap_or_default(),
            claims_version: self.claims_version.unwrap_or_default(),
            scope: self.scope,
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

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Claims;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object of claims")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Claims, A::Error> {
                let mut partial = Partial::default();
                while let Some(name) = members.next_key::<std::borrow::Cow<'de, str>>()? {
                    partial.read(&name, &mut members)?;
                }
                partial.complete().ok_or_else(|| A::Error::custom("a required claim is missing"))
            }
        }
        from.deserialize_map(Object)
    }
}
