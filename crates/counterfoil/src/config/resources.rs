//! `[resources.NAME]`: an API that takes tokens of services and exchanged ones; `[clients.NAME]`: what a service may have.

use super::applications::{check_budget, check_claims, check_name};
use super::{AlgorithmConfig, ConfigError};
use counterfoil_core::issue::{Confidential, Format, PrivateClaim};
use counterfoil_core::service::grant::Rules;
use counterfoil_guard::{ClientName, EncryptionKey, is_scope_token};
use serde::Deserialize;
use std::collections::BTreeMap;

/// `[resources.NAME]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ResourceConfig {
    /// The `aud` of its tokens; default: its name.
    pub audience: Option<String>,
    /// The scopes it knows.
    pub scopes: Vec<String>,
    /// Claims beyond those every access token has.
    pub claims: Vec<String>,
    /// How its tokens are written: `jwt` (the default) or `paseto` (v4.public).
    pub format: Format,
    /// What signs its tokens; default: `keys.algorithm`.
    pub algorithm: Option<AlgorithmConfig>,
    /// A public key (a JWK of kind X25519 or P-256, with a kid) that its tokens are encrypted to: nobody else can read them then, the
    /// browser that carries one included.
    pub encryption_key: Option<EncryptionKeyConfig>,
    /// What its tokens say of the person, now that nobody else can read it: `email`, `name`.
    pub private: Vec<PrivateClaim>,
    /// Whether its tokens say where their status is to be found, for verifiers that follow no feed (Token Status List).
    pub status_list: bool,
    /// How many bytes an access token may have: 400 to 4096; 1024 if not given, 2048 if it is encrypted.
    pub token_budget: Option<usize>,
}

/// A public JWK, as text or as a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncryptionKeyConfig(pub EncryptionKey);

impl<'de> Deserialize<'de> for EncryptionKeyConfig {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Text(String),
            Table(BTreeMap<String, String>),
        }
        let text = match Written::deserialize(from)? {
            Written::Text(text) => text,
            Written::Table(members) => serde_json::to_string(&members).map_err(serde::de::Error::custom)?,
        };
        EncryptionKey::from_jwk(text.as_bytes()).map(Self).ok_or_else(|| {
            serde::de::Error::custom(
                "expected a public JWK with kid, kty and crv: OKP and X25519 with x, or EC and P-256 with x and y; no private member",
            )
        })
    }
}

impl Default for ResourceConfig {
    fn default() -> Self {
        Self {
            audience: None,
            scopes: Vec::new(),
            claims: Vec::new(),
            format: Format::Jwt,
            algorithm: None,
            encryption_key: None,
            private: Vec::new(),
            status_list: false,
            token_budget: None,
        }
    }
}

impl ResourceConfig {
    pub(super) fn check(&self, name: &str) -> Result<(), ConfigError> {
        let key = |field: &str| format!("resources.{name}.{field}");
        check_name("resources", name)?;
        check_claims(&key("claims"), &self.claims)?;
        check_budget(&key("token_budget"), self.budget())?;
        if self.audience.as_ref().is_some_and(|audience| audience.is_empty() || audience.len() > 200) {
            return Err(ConfigError::key(key("audience"), "must have 1 to 200 bytes"));
        }
        if self.encryption_key.is_none() && !self.private.is_empty() {
            let reason = "what is private goes only into encrypted tokens: give the resource an `encryption_key`";
            return Err(ConfigError::key(key("private"), reason));
        }
        if self.encryption_key.is_some() && self.format != Format::Jwt {
            let reason = "found \"paseto\"; tokens that are encrypted are JWTs (a PASETO for one audience would need a shared key)";
            return Err(ConfigError::key(key("format"), reason));
        }
        for (place, scope) in self.scopes.iter().enumerate() {
            if !is_scope_token(scope) || scope.len() > 64 || self.scopes[..place].contains(scope) {
                let reason = format!(
                    "found \"{scope}\"; a scope is one word of at most 64 visible ASCII characters without \" and \\, and stands there once"
                );
                return Err(ConfigError::key(key("scopes"), reason));
            }
        }
        Ok(())
    }

    /// How many bytes a token may have. It travels between servers, in a header; an exchanged one says who acts, and what is
    /// encrypted is a third longer once more.
    pub fn budget(&self) -> usize {
        let usual = if self.encryption_key.is_some() { 2048 } else { 1024 };
        self.token_budget.unwrap_or(usual)
    }

    /// The key its tokens are encrypted to, and what they say because of it.
    pub fn confidential(&self) -> Option<Confidential> {
        let EncryptionKeyConfig(key) = self.encryption_key.clone()?;
        Some(Confidential { key, claims: self.private.clone() })
    }

    /// The `aud` of its tokens.
    pub fn audience<'a>(&'a self, name: &'a str) -> &'a str {
        self.audience.as_deref().unwrap_or(name)
    }
}

/// `[clients.NAME]`. The credential is made by `counterfoil client add NAME`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClientConfig {
    /// The resources it may call, by name, each with the scopes it may have there.
    pub resources: BTreeMap<String, Vec<String>>,
    /// The applications and resources, by name, whose tokens it may exchange for tokens in the same user's name.
    pub exchanges: Vec<String>,
    /// Whether its tokens must be bound to a key that it proves to hold (RFC 9449).
    pub require_dpop: bool,
}

impl ClientConfig {
    pub(super) fn check(&self, name: &str, all: &super::Config) -> Result<(), ConfigError> {
        let key = |field: &str| format!("clients.{name}.{field}");
        if name.parse::<ClientName>().is_err() {
            let reason = "a name has 1 to 64 letters, digits, dots, dashes and underscores";
            return Err(ConfigError::key(format!("clients.{name}"), reason));
        }
        for (resource, scopes) in &self.resources {
            let Some(known) = all.resources.get(resource) else {
                let reason = format!("found \"{resource}\"; allowed are the names of [resources]");
                return Err(ConfigError::key(key("resources"), reason));
            };
            if let Some(unknown) = scopes.iter().find(|scope| !known.scopes.contains(scope)) {
                let allowed = known.scopes.join(", ");
                let reason = format!("found \"{unknown}\"; the scopes of that resource are: {allowed}");
                return Err(ConfigError::key(key(&format!("resources.{resource}")), reason));
            }
        }
        let named = |name: &String| all.applications.contains_key(name) || all.resources.contains_key(name);
        if let Some(unknown) = self.exchanges.iter().find(|name| !named(name)) {
            let reason = format!("found \"{unknown}\"; allowed are the names of [applications] and [resources]");
            return Err(ConfigError::key(key("exchanges"), reason));
        }
        Ok(())
    }

    /// As the decision takes it.
    pub fn rules(&self, all: &super::Config) -> Rules {
        let audience = |name: &String| match all.resources.get(name) {
            Some(resource) => resource.audience(name).to_owned(),
            None => all.applications.get(name).and_then(|own| own.audience.clone()).unwrap_or_else(|| name.clone()),
        };
        let in_order = |(name, scopes): (&String, &Vec<String>)| {
            let known = all.resources.get(name).map(|resource| resource.scopes.as_slice()).unwrap_or_default();
            (name.clone(), known.iter().filter(|scope| scopes.contains(scope)).cloned().collect())
        };
        Rules {
            resources: self.resources.iter().map(in_order).collect(),
            exchanges: self.exchanges.iter().map(audience).collect(),
            bound: self.require_dpop,
        }
    }
}
