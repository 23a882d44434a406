//! The configuration: one TOML file, every key overridable by an environment variable, nothing guessed. An unknown key or
//! a bad value stops the start with the key's name, what was found and what is allowed.

mod applications;
mod audit;
mod gate;
mod keys;
mod legacy;
mod limits;
mod mail;
mod outgoing;
mod pages;
mod passkeys;
mod readers;
mod resources;
mod revocation;
mod risk;
mod roles;
mod session;
mod span;
mod ssf;
mod status_lists;
mod store;
mod upstreams;

pub use applications::{ApplicationConfig, DEFAULT_APPLICATION};
pub use audit::{AuditConfig, Retention};
pub use gate::{GateConfig, RuleConfig};
pub use keys::{AlgorithmConfig, KEY_SET_MAX_AGE, KeysConfig};
pub use legacy::{LegacyConfig, Names, SecretEncoding};
pub use limits::{LimitConfig, LimitsConfig};
pub use mail::{MailConfig, Security, SmtpUrl};
pub use outgoing::OutgoingUrl;
pub use pages::PagesConfig;
pub use passkeys::PasskeysConfig;
pub use readers::{Events, RedisMirrorConfig, RedisUrl, WebhookConfig};
pub use resources::{ClientConfig, ResourceConfig};
pub use revocation::RevocationConfig;
pub use risk::{FailuresConfig, RiskConfig, RiskRuleConfig};
pub use roles::RoleConfig;
pub use session::{DeviceBinding, SessionConfig};
pub use span::Span;
pub use ssf::{SSF_RESOURCE, SSF_SCOPES, SsfConfig};
pub use status_lists::StatusListsConfig;
pub use store::{RedisConfig, StoreConfig, StoreUrl};
pub use upstreams::{OnDisabled, UpstreamConfig};

use counterfoil_core::issue::Format;
use counterfoil_guard::Algorithm;
use ipnet::IpNet;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

/// The prefix of environment variables: `COUNTERFOIL__SESSION__IDLE=1d`.
pub const ENV_PREFIX: &str = "COUNTERFOIL__";

/// Everything an operator can choose.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The URL under which people reach this server; also the issuer of its tokens. Default: `http://localhost:PORT`.
    pub public_url: Option<String>,
    /// What the pages call the service.
    pub service_name: String,
    /// Proxies whose `X-Forwarded-For` is believed, and that may ask the gate.
    pub trusted_proxies: Vec<IpNet>,
    /// Certificate and key, to speak TLS here.
    pub tls: Option<TlsConfig>,
    /// Where what has to last is kept.
    pub store: StoreConfig,
    /// What replicas count in together, faster than in the store.
    pub redis: Option<RedisConfig>,
    /// Sessions and their tokens.
    pub session: SessionConfig,
    /// What signs access tokens.
    pub keys: KeysConfig,
    /// How revocations reach verifiers.
    pub revocation: RevocationConfig,
    /// How long the audit log is kept.
    pub audit: AuditConfig,
    /// Passwords.
    pub password: PasswordConfig,
    /// Passkeys.
    pub passkeys: PasskeysConfig,
    /// Who may make an account.
    pub registration: RegistrationConfig,
    /// What is sent by mail, and through what.
    pub mail: MailConfig,
    /// What the pages say.
    pub pages: PagesConfig,
    /// Rate limits and other bounds.
    pub limits: LimitsConfig,
    /// Who may read `/metrics`.
    pub metrics: MetricsConfig,
    /// Proofs of possession (RFC 9449).
    pub dpop: DpopConfig,
    /// Forward-auth.
    pub gate: GateConfig,
    /// What is unusual, and what is done about it.
    pub risk: RiskConfig,
    /// What is asked of whoever holds a role, by its name.
    pub roles: BTreeMap<String, RoleConfig>,
    /// Applications, by the name that a sign-in gives as `client_id`.
    pub applications: BTreeMap<String, ApplicationConfig>,
    /// APIs that take tokens of services, and exchanged ones.
    pub resources: BTreeMap<String, ResourceConfig>,
    /// What services may have, by the name of their credential.
    pub clients: BTreeMap<String, ClientConfig>,
    /// Lists of what is revoked, for verifiers that follow no feed.
    pub status_lists: StatusListsConfig,
    /// Event streams for receivers elsewhere (OpenID Shared Signals).
    pub ssf: SsfConfig,
    /// Identity providers elsewhere whose events count here.
    pub upstreams: BTreeMap<String, UpstreamConfig>,
    /// Systems that were there before, whose tokens are turned into sessions for a while.
    pub legacy: BTreeMap<String, LegacyConfig>,
    /// Who is told of events.
    pub webhooks: Vec<WebhookConfig>,
    /// A Redis that holds what is revoked.
    pub redis_mirror: Option<RedisMirrorConfig>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080),
            public_url: None,
            service_name: "Counterfoil".into(),
            trusted_proxies: Vec::new(),
            tls: None,
            store: StoreConfig::default(),
            redis: None,
            session: SessionConfig::default(),
            keys: KeysConfig::default(),
            revocation: RevocationConfig::default(),
            audit: AuditConfig::default(),
            password: PasswordConfig::default(),
            passkeys: PasskeysConfig::default(),
            registration: RegistrationConfig::default(),
            mail: MailConfig::default(),
            pages: PagesConfig::default(),
            limits: LimitsConfig::default(),
            metrics: MetricsConfig::default(),
            dpop: DpopConfig::default(),
            gate: GateConfig::default(),
            risk: RiskConfig::default(),
            roles: BTreeMap::new(),
            applications: BTreeMap::new(),
            resources: BTreeMap::new(),
            clients: BTreeMap::new(),
            status_lists: StatusListsConfig::default(),
            ssf: SsfConfig::default(),
            upstreams: BTreeMap::new(),
            legacy: BTreeMap::new(),
            webhooks: Vec::new(),
            redis_mirror: None,
        }
    }
}

/// `[dpop]`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DpopConfig {
    /// Whether a proof must hold a nonce of this server's, so that none can be made in advance. A client without one is told
    /// `use_dpop_nonce` once, and given one.
    pub nonce: bool,
}

impl Default for DpopConfig {
    fn default() -> Self {
        Self { nonce: true }
    }
}

/// `[tls]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsConfig {
    /// PEM file with the certificate chain, leaf first.
    pub cert: PathBuf,
    /// PEM file with the private key.
    pub key: PathBuf,
}

/// `[password]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PasswordConfig {
    /// The fewest characters, 8 to 64. NIST asks for 15 where a password is the only factor.
    pub min_length: usize,
}

impl Default for PasswordConfig {
    fn default() -> Self {
        Self { min_length: 15 }
    }
}

/// `[registration]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RegistrationConfig {
    /// Who may make an account.
    pub policy: RegistrationPolicy,
    /// How many accounts there may be, whoever makes them; as many as you like if nothing is said.
    pub max_users: Option<u32>,
}

/// Who may make an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RegistrationPolicy {
    /// Anybody.
    #[default]
    Open,
    /// Whoever brings an invitation.
    Invite,
    /// Nobody by themselves; an invitation from the command line still counts.
    Closed,
}

/// `[metrics]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MetricsConfig {
    /// Networks that may read `/metrics`.
    pub allow: Vec<IpNet>,
}

impl Default for MetricsConfig {
    fn default() -> Self {
        let loopback = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(std::net::Ipv6Addr::LOCALHOST)];
        Self { allow: loopback.into_iter().map(IpNet::from).collect() }
    }
}

/// What is wrong with the configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration file {path}: {reason}")]
    Unreadable {
        /// Which file.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// The file is not TOML.
    #[error("the configuration file {path} is not TOML: {reason}")]
    NotToml {
        /// Which file.
        path: String,
        /// Where and why.
        reason: String,
    },
    /// A key is unknown or its value has the wrong shape.
    #[error("configuration key `{key}`: {reason}")]
    Key {
        /// Which key.
        key: String,
        /// What was found and what is allowed.
        reason: String,
    },
}

impl ConfigError {
    pub(crate) fn key(key: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Key { key: key.into(), reason: reason.into() }
    }
}

impl Config {
    /// Reads the file (if one is named), lays the environment over it and checks everything.
    pub fn load(file: Option<&Path>, env: impl Iterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let text = file.map(read).transpose()?.unwrap_or_default();
        let path = file.map_or_else(String::new, |path| path.display().to_string());
        let mut table: toml::Table =
            text.parse().map_err(|error: toml::de::Error| ConfigError::NotToml { path, reason: error.to_string() })?;
        overlay(&mut table, env)?;
        Self::from_table(table)
    }

    fn from_table(table: toml::Table) -> Result<Self, ConfigError> {
        let mut config: Self = serde_path_to_error::deserialize(toml::Value::Table(table)).map_err(|error| {
            let key = error.path().to_string();
            ConfigError::key(key, error.into_inner().message().trim().to_owned())
        })?;
        config.applications.entry(DEFAULT_APPLICATION.into()).or_default();
        config.add_ssf_resource()?;
        config.check()?;
        Ok(config)
    }

    /// The algorithms that some application's tokens are signed by, and the gate's.
    pub fn algorithms(&self) -> Vec<Algorithm> {
        let own = self.applications.values().filter_map(|application| application.algorithm);
        let theirs = self.resources.values().filter_map(|resource| resource.algorithm);
        let all: BTreeSet<Algorithm> = own.chain(theirs).map(|own| own.0).chain([self.keys.algorithm.0]).collect();
        all.into_iter().collect()
    }

    /// Streams are opened by tokens for a resource like any other.
    fn add_ssf_resource(&mut self) -> Result<(), ConfigError> {
        if !self.ssf.enabled {
            return Ok(());
        }
        let scopes = SSF_SCOPES.map(str::to_owned).to_vec();
        if self.resources.insert(SSF_RESOURCE.into(), ResourceConfig { scopes, ..ResourceConfig::default() }).is_some()
        {
            let reason = "this name is taken by `ssf.enabled`, whose streams it opens; choose another";
            return Err(ConfigError::key(format!("resources.{SSF_RESOURCE}"), reason));
        }
        Ok(())
    }

    fn check(&self) -> Result<(), ConfigError> {
        self.ssf.check()?;
        self.upstreams.iter().try_for_each(|(name, upstream)| upstream.check(name))?;
        legacy::check(&self.legacy)?;
        self.store.check(self.public_url.as_deref())?;
        if let Some(redis) = &self.redis {
            redis.check()?;
        }
        self.session.check()?;
        self.keys.check()?;
        self.revocation.check()?;
        self.audit.check()?;
        self.limits.check()?;
        self.status_lists.check()?;
        self.mail.check()?;
        for (name, application) in &self.applications {
            application.check(name)?;
            if application.mail_code && !self.mail.is_on() {
                return Err(ConfigError::key(format!("applications.{name}.mail_code"), "needs mail: set `mail.smtp`"));
            }
            let algorithm = application.algorithm.unwrap_or(self.keys.algorithm);
            check_format(&format!("applications.{name}.format"), application.format, algorithm)?;
        }
        self.roles.keys().try_for_each(|name| RoleConfig::check(name))?;
        self.risk.check(&self.applications.keys())?;
        self.check_services()?;
        let own = |(name, application): (&String, &ApplicationConfig)| {
            application.audience.clone().unwrap_or_else(|| name.clone())
        };
        self.gate.check(&self.applications.iter().map(own).collect::<Vec<_>>())?;
        for webhook in &self.webhooks {
            webhook.check()?;
        }
        readers::check_names(&self.webhooks)?;
        if let Some(mirror) = &self.redis_mirror {
            mirror.check()?;
        }
        if !(8..=64).contains(&self.password.min_length) {
            let found = self.password.min_length;
            return Err(ConfigError::key(
                "password.min_length",
                format!("found {found}; allowed are 8 to 64 characters"),
            ));
        }
        if self.registration.max_users == Some(0) {
            return Err(ConfigError::key("registration.max_users", "found 0; allowed is 1 or more"));
        }
        if self.service_name.trim().is_empty() || self.service_name.chars().count() > 60 {
            return Err(ConfigError::key("service_name", "must have 1 to 60 characters"));
        }
        Ok(())
    }
}

impl Config {
    /// A token for a resource must not open `/api/auth`, nor one for another resource: each has an audience of its own.
    fn check_services(&self) -> Result<(), ConfigError> {
        let own = |(name, application): (&String, &ApplicationConfig)| {
            application.audience.clone().unwrap_or_else(|| name.clone())
        };
        let mut taken: BTreeSet<String> = self.applications.iter().map(own).collect();
        for (name, resource) in &self.resources {
            resource.check(name)?;
            let algorithm = resource.algorithm.unwrap_or(self.keys.algorithm);
            check_format(&format!("resources.{name}.format"), resource.format, algorithm)?;
            if self.applications.contains_key(name) {
                let reason = "an application has this name; `exchanges` could mean either";
                return Err(ConfigError::key(format!("resources.{name}"), reason));
            }
            let other = self.resources.keys().any(|other| other != name && other == resource.audience(name));
            if other || !taken.insert(resource.audience(name).to_owned()) {
                let reason =
                    format!("\"{}\" is another's audience; a resource needs one of its own", resource.audience(name));
                return Err(ConfigError::key(format!("resources.{name}.audience"), reason));
            }
        }
        if let Some(name) = self.clients.keys().find(|name| self.applications.contains_key(*name)) {
            let reason = "an application has this name; a token's `client_id` could mean either";
            return Err(ConfigError::key(format!("clients.{name}"), reason));
        }
        self.clients.iter().try_for_each(|(name, client)| client.check(name, self))
    }
}

/// The host of a URL without the brackets of an IPv6 address.
fn unbracketed(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

/// Whether the host of a URL is an address of this machine; a name could lead anywhere.
fn is_loopback(host: &str) -> bool {
    unbracketed(host).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// PASETO v4.public is signed by Ed25519 and nothing else.
fn check_format(key: &str, format: Format, algorithm: AlgorithmConfig) -> Result<(), ConfigError> {
    if format == Format::Paseto && !algorithm.0.is_ed25519() {
        let name = algorithm.0.name();
        let reason =
            format!("\"paseto\" is signed by Ed25519, and the algorithm here is {name}; allowed with it is \"jwt\"");
        return Err(ConfigError::key(key, reason));
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path)
        .map_err(|error| ConfigError::Unreadable { path: path.display().to_string(), reason: error.to_string() })
}

/// `COUNTERFOIL__A__B=v` sets `a.b`. The value is read as TOML where it is TOML (`true`, `3`, `["x"]`), else as text.
fn overlay(table: &mut toml::Table, env: impl Iterator<Item = (String, String)>) -> Result<(), ConfigError> {
    for (name, value) in env {
        let Some(key) = name.strip_prefix(ENV_PREFIX) else { continue };
        let key = key.to_ascii_lowercase();
        let mut parts: Vec<&str> = key.split("__").collect();
        let last = parts.pop().unwrap_or_default();
        let mut place = &mut *table;
        for part in &parts {
            let inner = place.entry(*part).or_insert_with(|| toml::Value::Table(toml::Table::new()));
            place = inner.as_table_mut().ok_or_else(|| {
                ConfigError::key(key.replace("__", "."), format!("`{part}` is a value, not a section"))
            })?;
        }
        place.insert(last.to_owned(), parse_value(&value));
    }
    Ok(())
}

fn parse_value(text: &str) -> toml::Value {
    let document = format!("value = {text}").parse::<toml::Table>();
    let parsed = document.ok().and_then(|mut table| (table.len() == 1).then(|| table.remove("value")).flatten());
    match parsed {
        Some(toml::Value::Datetime(_)) | None => toml::Value::String(text.to_owned()),
        Some(value) => value,
    }
}

#[cfg(test)]
mod tests;
