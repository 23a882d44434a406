//! `[ssf]`: event streams for receivers elsewhere (OpenID Shared Signals), and `[upstreams.NAME]`: identity providers whose events count here.

use super::applications::is_origin;
use super::{ConfigError, is_loopback};
use counterfoil_core::ssf::stream::Subjects;
use http::Uri;
use serde::Deserialize;

/// The resource whose tokens open the streams; there while `ssf.enabled` is set.
pub const SSF_RESOURCE: &str = "ssf";

/// What they may be good for: to see streams and fetch events, and to change streams too.
pub const SSF_SCOPES: [&str; 2] = ["ssf.read", "ssf.manage"];

/// `[ssf]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SsfConfig {
    /// Whether services that `[clients]` allows it can have event streams.
    pub enabled: bool,
    /// Whom a new stream is about: `all`, until its receiver takes somebody out; or `none`, until it adds somebody.
    pub default_subjects: Subjects,
    /// The origins that events may be pushed to, such as `https://receiver.example.com`. Without any, receivers fetch them.
    pub push_origins: Vec<String>,
}

impl Default for SsfConfig {
    fn default() -> Self {
        Self { enabled: false, default_subjects: Subjects::All, push_origins: Vec::new() }
    }
}

impl SsfConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        for origin in &self.push_origins {
            let host = origin.parse::<Uri>().ok().and_then(|uri| Some(uri.host()?.to_owned()));
            let good =
                is_origin(origin) && (origin.starts_with("https://") || host.is_some_and(|host| is_loopback(&host)));
            if !good {
                let reason = format!(
                    "found \"{origin}\"; an origin is https, host and perhaps port, such as \"https://receiver.example.com\"; \
                     http only to an address of this machine"
                );
                return Err(ConfigError::key("ssf.push_origins", reason));
            }
        }
        Ok(())
    }
}
