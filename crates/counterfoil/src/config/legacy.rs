//! `[legacy.NAME]`: a system that was there before, whose tokens are turned into sessions for a while, so that nobody is signed out by the
//! move.

use super::applications::check_name;
use super::{ConfigError, OutgoingUrl, Span};
use counterfoil_core::Timestamp;
use counterfoil_core::foreign::MacAlgorithm;
use counterfoil_core::legacy::{ClaimPath, LONGEST_AGE};
use counterfoil_guard::rfc3339;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// How many there may be: each is tried with each token.
const MOST: usize = 8;

/// The longest prefix, in bytes.
const LONGEST_PREFIX: usize = 64;

/// `[legacy.NAME]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LegacyConfig {
    /// From then on none of its tokens is taken; at most a year ahead.
    pub until: Until,
    /// The `iss` of its tokens, where they have one.
    pub issuer: Option<String>,
    /// What their `aud` names, where they have one.
    pub audience: Option<String>,
    /// How its secret signs: `HS256`, `HS384`, `HS512`. A key of a JWK Set says so itself.
    pub algorithm: Option<MacAlgorithm>,
    /// The file with the secret that it has signed by.
    pub secret_file: Option<PathBuf>,
    /// The environment variable with it.
    pub secret_env: Option<String>,
    /// Whether the secret is written as `text` or as `base64`.
    #[serde(default)]
    pub secret_encoding: SecretEncoding,
    /// Where its public keys are, instead of a secret: a JWK Set, by https, or by http on this machine.
    pub jwks_uri: Option<OutgoingUrl>,
    /// The file with them, once that is no longer served.
    pub jwks_file: Option<PathBuf>,
    /// The claim that names the account; with dots for one within another, such as `user.id`.
    #[serde(default = "sub")]
    pub subject: String,
    /// What that is.
    #[serde(rename = "match", default)]
    pub names: Names,
    /// What stands before their ids in `external_id`, so that two systems that both count 1, 2, 3 do not mean each other's accounts.
    #[serde(default)]
    pub prefix: String,
    /// How old a token may be, whatever its `exp` says.
    #[serde(default = "thirty_days")]
    pub max_age: Span,
}

fn sub() -> String {
    "sub".into()
}

const fn thirty_days() -> Span {
    Span::seconds(30 * 24 * 3600)
}

/// How a secret is written down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretEncoding {
    /// Its bytes are those of the text, as most libraries for JWT take them.
    #[default]
    Text,
    /// Base64, of either alphabet, with or without `=` at its end.
    Base64,
}

/// What names an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Names {
    /// What the import has called `external_id`.
    #[default]
    ExternalId,
    /// Its address.
    Email,
}

/// A moment, as RFC 3339 writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Until(pub Timestamp);

impl<'de> Deserialize<'de> for Until {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let expected = "expected a time such as \"2027-03-01T00:00:00Z\", in quotes (RFC 3339)";
        let text = String::deserialize(from).map_err(|_| serde::de::Error::custom(expected))?;
        let seconds = rfc3339::parse(&text);
        seconds
            .map(|seconds| Self(Timestamp::from_seconds(seconds)))
            .ok_or_else(|| serde::de::Error::custom(format!("found \"{text}\", {expected}")))
    }
}

pub(super) fn check(all: &BTreeMap<String, LegacyConfig>) -> Result<(), ConfigError> {
    if all.len() > MOST {
        return Err(ConfigError::key("legacy", format!("found {}; allowed are {MOST}", all.len())));
    }
    all.iter().try_for_each(|(name, legacy)| legacy.check(name))
}

impl LegacyConfig {
    /// Where the account is named.
    pub fn path(&self) -> Option<ClaimPath> {
        ClaimPath::parse(&self.subject)
    }

    fn check(&self, name: &str) -> Result<(), ConfigError> {
        let wrong = |field: &str, reason: &str| Err(ConfigError::key(format!("legacy.{name}.{field}"), reason));
        check_name("legacy", name)?;
        for (field, text) in [("issuer", &self.issuer), ("audience", &self.audience)] {
            if text.as_ref().is_some_and(|text| text.is_empty() || text.len() > 512) {
                return wrong(field, "must have 1 to 512 bytes");
            }
        }
        let [file, env] = [self.secret_file.is_some(), self.secret_env.is_some()];
        let ways = [file, env, self.jwks_uri.is_some(), self.jwks_file.is_some()];
        if ways.iter().filter(|way| **way).count() != 1 {
            return wrong("secret_file", "set exactly one of `secret_file`, `secret_env`, `jwks_uri` and `jwks_file`");
        }
        if !file && !env && (self.algorithm.is_some() || self.secret_encoding != SecretEncoding::Text) {
            return wrong("algorithm", "it is of a secret; a key of a JWK Set has its own (leave it out)");
        }
        if self.jwks_uri.as_ref().is_some_and(|uri| !uri.is_https() && !uri.is_loopback()) {
            return wrong(
                "jwks_uri",
                "beyond this machine it must be https: whoever could change the keys could sign in as anybody",
            );
        }
        if self.prefix.len() > LONGEST_PREFIX || self.prefix.contains(char::is_control) {
            return wrong("prefix", "must have at most 64 bytes, and no control characters");
        }
        if !self.prefix.is_empty() && self.names == Names::Email {
            return wrong(
                "prefix",
                "it is of ids; addresses have none (leave it out, or set `match = \"external-id\"`)",
            );
        }
        if self.path().is_none() {
            return wrong(
                "subject",
                "expected the name of a claim, or up to four with dots between them, such as \"user.id\"",
            );
        }
        self.max_age.within(&format!("legacy.{name}.max_age"), Span::seconds(60), Span(LONGEST_AGE))
    }
}
