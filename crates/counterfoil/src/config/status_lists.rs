//! `[status_lists]`: the lists that say which tokens have been revoked, for verifiers that follow no feed.

use super::{ConfigError, Span};
use serde::Deserialize;

/// `[status_lists]`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StatusListsConfig {
    /// How long a verifier may go on with a list: 5 seconds to an hour. The shorter, the sooner it hears of a revocation, and the oftener
    /// it asks.
    pub ttl: Span,
    /// How many places a list has: 1024 to 16777216, a multiple of 8. When they become few there is another list.
    pub size: u32,
}

impl Default for StatusListsConfig {
    fn default() -> Self {
        Self { ttl: Span::seconds(60), size: 1 << 20 }
    }
}

impl StatusListsConfig {
    pub(super) fn check(self) -> Result<(), ConfigError> {
        self.ttl.within("status_lists.ttl", Span::seconds(5), Span::seconds(3_600))?;
        if !(1 << 10..=1 << 24).contains(&self.size) || !self.size.is_multiple_of(8) {
            let reason = format!("found {}; allowed is a multiple of 8, 1024 to 16777216", self.size);
            return Err(ConfigError::key("status_lists.size", reason));
        }
        Ok(())
    }
}
