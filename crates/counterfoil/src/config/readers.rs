//! `[[webhooks]]` and `[redis_mirror]`: who else is told what the logs say. No secret stands in the file: it names where one is.

use super::{ConfigError, OutgoingUrl};
use counterfoil_core::audit::Event;
use http::Uri;
use serde::Deserialize;
use std::path::PathBuf;

/// `[[webhooks]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    /// Its name: in logs and metrics, and of its place in the log.
    pub name: String,
    /// Where events are sent.
    pub url: OutgoingUrl,
    /// Whether `url` may be `http` to another machine.
    #[serde(default)]
    pub allow_http: bool,
    /// The file with the signing secret.
    pub secret_file: Option<PathBuf>,
    /// The environment variable with the signing secret.
    pub secret_env: Option<String>,
    /// Which events.
    pub events: Events,
}

impl WebhookConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
        if self.name.is_empty() || self.name.len() > 32 || !self.name.bytes().all(plain) {
            let reason = format!("found \"{}\"; a name has 1 to 32 characters of a-z, 0-9, - and _", self.name);
            return Err(ConfigError::key("webhooks.name", reason));
        }
        let key = |field: &str| format!("webhooks.{}.{field}", self.name);
        if !self.url.is_https() && !self.url.is_loopback() && !self.allow_http {
            let reason =
                "beyond loopback it must be https; `allow_http = true` lifts that where the network is trusted";
            return Err(ConfigError::key(key("url"), reason));
        }
        if self.secret_file.is_some() == self.secret_env.is_some() {
            let reason = "set one of `secret_file` and `secret_env`; the secret itself never stands in this file";
            return Err(ConfigError::key(key("secret_file"), reason));
        }
        Ok(())
    }
}

/// Names are places in the log, so each may be there once.
pub(super) fn check_names(webhooks: &[WebhookConfig]) -> Result<(), ConfigError> {
    for (index, webhook) in webhooks.iter().enumerate() {
        if webhooks[..index].iter().any(|earlier| earlier.name == webhook.name) {
            return Err(ConfigError::key("webhooks.name", format!("\"{}\" is there twice", webhook.name)));
        }
    }
    Ok(())
}

/// The events a webhook wants: the words of the audit log, or `"*"` for all.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub enum Events {
    /// All, also those of later versions.
    All,
    /// These.
    Some(Vec<Event>),
}

impl Events {
    /// Whether this one is among them.
    pub fn contain(&self, event: Event) -> bool {
        match self {
            Self::All => true,
            Self::Some(events) => events.contains(&event),
        }
    }
}

impl TryFrom<Vec<String>> for Events {
    type Error = String;

    fn try_from(words: Vec<String>) -> Result<Self, String> {
        let allowed = || Event::all().map(Event::as_str).collect::<Vec<_>>().join(", ");
        match words.as_slice() {
            [] => return Err(format!("expected at least one event; allowed: \"*\", {}", allowed())),
            [all] if all == "*" => return Ok(Self::All),
            _ => {}
        }
        let event = |word: &String| {
            Event::from_name(word).ok_or_else(|| format!("\"{word}\" is not an event; allowed: \"*\", {}", allowed()))
        };
        words.iter().map(event).collect::<Result<_, _>>().map(Self::Some)
    }
}

/// `[redis_mirror]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedisMirrorConfig {
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
    "revoked_".into()
}

impl RedisMirrorConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let both = self.password_file.is_some() && self.password_env.is_some();
        check_redis("redis_mirror", both, &self.prefix)
    }
}

/// What holds for every section that names a Redis.
pub(super) fn check_redis(section: &str, two_passwords: bool, prefix: &str) -> Result<(), ConfigError> {
    if two_passwords {
        return Err(ConfigError::key(section, "set one of `password_file` and `password_env`, or neither"));
    }
    if prefix.is_empty() || prefix.len() > 64 || !prefix.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(ConfigError::key(format!("{section}.prefix"), "must have 1 to 64 visible ASCII characters"));
    }
    Ok(())
}

/// Where the Redis is. Holds no password.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct RedisUrl(String);

impl RedisUrl {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RedisUrl {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const WRONG: &str = "expected \"redis://[user@]host[:port][/database]\", or rediss:// for TLS";
        if text.contains(['#', '?']) {
            return Err(WRONG);
        }
        let uri: Uri = text.parse().map_err(|_| WRONG)?;
        let authority = uri.authority().ok_or(WRONG)?;
        let user = authority.as_str().rsplit_once('@').map_or("", |(user, _)| user);
        if user.contains(':') {
            return Err("a password does not belong into the URL; name it in `password_file` or `password_env`");
        }
        let database = uri.path().trim_start_matches('/');
        let known = matches!(uri.scheme_str(), Some("redis" | "rediss"));
        if !known || authority.host().is_empty() || !(database.is_empty() || database.parse::<u16>().is_ok()) {
            return Err(WRONG);
        }
        Ok(Self(text))
    }
}
