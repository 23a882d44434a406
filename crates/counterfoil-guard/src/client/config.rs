//! What a guard is told.

use crate::encryption::DecryptionKey;
use crate::subject::Subjects;
use http::Uri;
use std::fmt;

/// How a token is checked against revocation, and within which bound a revoked one is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// By the pushed index: no look-up. In force within milliseconds as a rule, within the authority's `max_staleness`
    /// whatever the network does.
    #[default]
    Pushed,
    /// By asking the authority for every request (RFC 7662): in force at once, at the price of a call.
    Introspect,
    /// By the authority's status lists, which the guard fetches when it needs them: without a feed and its credential, at
    /// the price of a delay. A revocation is in force within the `ttl` of its list (an hour at the most) and the time it takes to publish.
    /// Tokens must carry `status`, and are judged by this machine's clock.
    StatusList,
}

/// What happens when the authority has not been heard of for so long that the index may be out of date. There is no
/// setting that accepts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnLeaseEnd {
    /// 503 `verifier_stale`.
    #[default]
    Refuse,
    /// Ask the authority for every request until the feed is back.
    Introspect,
}

/// Why a configuration cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// The authority's URL is not `https://host` (or `http://` to this machine).
    Authority,
    /// The credential is not one that `counterfoil guard add` prints.
    Credential,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Authority => "the authority must be https://HOST, without path; http:// only to localhost",
            Self::Credential => {
                "the credential must be what `counterfoil guard add NAME` has printed: cfg_ and 43 characters"
            }
        })
    }
}

impl std::error::Error for ConfigError {}

/// What a guard is told.
#[derive(Clone)]
pub struct Config {
    /// Where the authority is reached.
    pub(super) authority: String,
    /// Empty for a guard that follows no feed.
    pub(super) credential: String,
    /// `iss` of its tokens: its public URL. The same as `authority` unless the guard takes another way to it.
    pub issuer: String,
    /// `aud` of the tokens that are accepted.
    pub audience: String,
    /// Further audiences that are accepted.
    pub audiences: Vec<String>,
    /// Whose tokens are accepted: users' only unless told otherwise.
    pub subjects: Subjects,
    /// What opens tokens that are encrypted to this audience.
    pub decryption_keys: Vec<DecryptionKey>,
    /// How tokens are checked.
    pub mode: Mode,
    /// What happens when the lease has ended.
    pub on_lease_end: OnLeaseEnd,
}

impl Config {
    /// For an authority at `https://host[:port]`, which is also its issuer; for one audience; with the credential that
    /// `counterfoil guard add` has printed.
    pub fn new(authority: &str, audience: &str, credential: impl Into<String>) -> Result<Self, ConfigError> {
        let credential = credential.into();
        let config = Self::without_credential(authority, audience)?;
        let secret = credential.strip_prefix("cfg_").ok_or(ConfigError::Credential)?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if secret.len() != 43 || !secret.chars().all(allowed) {
            return Err(ConfigError::Credential);
        }
        Ok(Self { credential, ..config })
    }

    /// For a guard that rests on the authority's status lists alone ([`Mode::StatusList`]): it follows no feed and needs no credential.
    pub fn status_list(authority: &str, audience: &str) -> Result<Self, ConfigError> {
        Ok(Self { mode: Mode::StatusList, ..Self::without_credential(authority, audience)? })
    }

    fn without_credential(authority: &str, audience: &str) -> Result<Self, ConfigError> {
        let authority = authority.trim_end_matches('/');
        let uri: Uri = authority.parse().map_err(|_| ConfigError::Authority)?;
        let host = uri.host().unwrap_or_default();
        let here = host == "localhost"
            || host.trim_matches(['[', ']']).parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => here,
            _ => false,
        };
        let plain = uri.path() == "/" && uri.query().is_none() && !authority.contains('@');
        if !secure || !plain || host.is_empty() {
            return Err(ConfigError::Authority);
        }
        Ok(Self {
            authority: authority.to_owned(),
            credential: String::new(),
            issuer: authority.to_owned(),
            audience: audience.to_owned(),
            audiences: Vec::new(),
            subjects: Subjects::default(),
            decryption_keys: Vec::new(),
            mode: Mode::default(),
            on_lease_end: OnLeaseEnd::default(),
        })
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the credential.
        f.debug_struct("Config")
            .field("authority", &self.authority)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{Config, ConfigError, Mode};

    #[test]
    fn only_what_can_be_is_taken() {
        let credential = format!("cfg_{}", "a".repeat(43));
        let new = |authority: &str| Config::new(authority, "web", credential.clone()).map(|config| config.issuer);
        assert_eq!(new("https://auth.example.com/"), Ok("https://auth.example.com".into()));
        assert_eq!(new("http://127.0.0.1:8080"), Ok("http://127.0.0.1:8080".into()));
        for wrong in ["http://auth.example.com", "https://a/b", "https://a?b", "https://u@a", "ftp://a", "a", ""] {
            assert_eq!(new(wrong), Err(ConfigError::Authority), "{wrong}");
        }
        for wrong in ["", "cfg_", "cfg_short", &credential[4..], &format!("{credential}a")] {
            assert_eq!(Config::new("https://a", "web", wrong).map(|_| ()), Err(ConfigError::Credential), "{wrong}");
        }
        let lists = Config::status_list("https://a/", "web").expect("a configuration");
        assert_eq!((lists.mode, lists.issuer.as_str(), lists.credential.as_str()), (Mode::StatusList, "https://a", ""));
        assert_eq!(Config::status_list("http://a", "web").map(|_| ()), Err(ConfigError::Authority));
        let config = Config::new("https://a", "web", credential.clone()).expect("a configuration");
        assert_eq!(config.mode, Mode::Pushed);
        assert!(!format!("{config:?}").contains("cfg_"));
    }
}
