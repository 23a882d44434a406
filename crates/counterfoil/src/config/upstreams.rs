//! `[upstreams.NAME]`: an identity provider elsewhere whose events (Shared Signals, RFC 8935) count here.

use super::applications::check_name;
use super::{ConfigError, OutgoingUrl};
use serde::Deserialize;
use std::path::PathBuf;

/// `[upstreams.NAME]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpstreamConfig {
    /// The `iss` of its events, exactly as it stands in them.
    pub issuer: String,
    /// Where its keys are: a JWK Set, by https, or by http on this machine.
    pub jwks_uri: OutgoingUrl,
    /// The `aud` of events for this server; default: the address they are pushed to, `PUBLIC_URL/ssf/events/NAME`.
    pub audience: Option<String>,
    /// The domains of the mail addresses that it speaks for, such as `["example.com"]`; `["*"]`: all. Nobody else is touched.
    pub domains: Vec<String>,
    /// The file with what it sends in the header Authorization.
    pub authorization_file: Option<PathBuf>,
    /// The environment variable with it.
    pub authorization_env: Option<String>,
    /// What becomes of an account that it has disabled or removed: `ban` (it cannot sign in here either, until it is enabled again), or
    /// `end-sessions`.
    #[serde(default)]
    pub on_disabled: OnDisabled,
}

/// What becomes of an account that was disabled elsewhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnDisabled {
    /// It is banned.
    #[default]
    Ban,
    /// Its sessions end.
    EndSessions,
}

impl UpstreamConfig {
    pub(super) fn check(&self, name: &str) -> Result<(), ConfigError> {
        let key = |field: &str| format!("upstreams.{name}.{field}");
        check_name("upstreams", name)?;
        for (field, text) in [("issuer", Some(&self.issuer)), ("audience", self.audience.as_ref())] {
            if text.is_some_and(|text| text.is_empty() || text.len() > 512) {
                return Err(ConfigError::key(key(field), "must have 1 to 512 bytes"));
            }
        }
        if !self.jwks_uri.is_https() && !self.jwks_uri.is_loopback() {
            let reason = "beyond this machine it must be https: whoever could change the keys could end any session";
            return Err(ConfigError::key(key("jwks_uri"), reason));
        }
        let is_domain = |domain: &String| {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.' || b == b'-';
            domain == "*" || (!domain.is_empty() && domain.len() <= 253 && domain.bytes().all(plain))
        };
        if self.domains.is_empty() || !self.domains.iter().all(is_domain) {
            let reason = "expected domains in lower case, such as [\"example.com\"], or [\"*\"] for all";
            return Err(ConfigError::key(key("domains"), reason));
        }
        if self.authorization_file.is_some() && self.authorization_env.is_some() {
            let reason = "set one of `authorization_file` and `authorization_env`, or neither";
            return Err(ConfigError::key(key("authorization_file"), reason));
        }
        Ok(())
    }

    /// Whether it speaks for who has this address.
    pub fn speaks_for(&self, address: &str) -> bool {
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain).to_ascii_lowercase();
        self.domains.iter().any(|known| known == "*" || *known == domain)
    }
}
