//! `[store]` and `[redis]`: where what has to last is kept, and what replicas count together. No secret stands in the file: it
//! names where one is.

use super::readers::check_redis;
use super::{ConfigError, RedisUrl};
use serde::Deserialize;
use std::fmt;
use std::path::PathBuf;

/// `[store]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreConfig {
    /// `postgres://user@host[:port][,host…]/database`. Without it, everything is kept in the data folder.
    pub url: Option<StoreUrl>,
    /// The file with the password.
    pub password_file: Option<PathBuf>,
    /// The environment variable with the password.
    pub password_env: Option<String>,
    /// A PEM file with the authorities that may vouch for the server. Without it, the system's may.
    pub ca_file: Option<PathBuf>,
    /// How many connections there may be at a time.
    pub connections: u32,
}

impl Default for StoreConfig {
    fn default() -> Self {
        Self { url: None, password_file: None, password_env: None, ca_file: None, connections: 16 }
    }
}

impl StoreConfig {
    /// `public_url` names whose tokens the sessions stand behind: replicas cannot each make one up.
    pub(super) fn check(&self, public_url: Option<&str>) -> Result<(), ConfigError> {
        if self.password_file.is_some() && self.password_env.is_some() {
            return Err(ConfigError::key("store", "set one of `password_file` and `password_env`, or neither"));
        }
        if !(6..=1000).contains(&self.connections) {
            let reason = format!("found {}; allowed are 6 to 1000", self.connections);
            return Err(ConfigError::key("store.connections", reason));
        }
        if self.url.is_some() && public_url.is_none() {
            let reason = "must be set when `store.url` is: all servers on one store have the same";
            return Err(ConfigError::key("public_url", reason));
        }
        Ok(())
    }
}

/// Where the database is. Holds no password.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct StoreUrl(String);

impl StoreUrl {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.split('?').next().unwrap_or_default())
    }
}

impl TryFrom<String> for StoreUrl {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const WRONG: &str = "expected \"postgres://user@host[:port][,host…]/database\"";
        const PASSWORD: &str = "a password does not belong into the URL; name it in `password_file` or `password_env`";
        let rest = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://")).ok_or(WRONG)?;
        let (place, options) = rest.split_once('?').unwrap_or((rest, ""));
        let user = place.rsplit_once('@').map_or("", |(user, _)| user);
        if user.contains(':') || options.split('&').any(|option| option.starts_with("password=")) {
            return Err(PASSWORD);
        }
        Ok(Self(text))
    }
}

/// `[redis]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedisConfig {
    /// `redis://[user@]host[:port][/database]`, or `rediss://` for TLS.
    pub url: RedisUrl,
    /// The file with the password.
    pub password_file: Option<PathBuf>,
    /// The environment variable with the password.
    pub password_env: Option<String>,
    /// What all keys begin with.
    #[serde(default = "default_prefix")]
    pub prefix: String,
}

fn default_prefix() -> String {
    "counterfoil_".into()
}

impl RedisConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let both = self.password_file.is_some() && self.password_env.is_some();
        check_redis("redis", both, &self.prefix)
    }
}
