//! Durations as people write them: `30s`, `5m`, `7d`.

use super::ConfigError;
use serde::Deserialize;
use std::fmt;
use std::time::Duration;

/// A duration out of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

impl Span {
    /// A span of whole seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// An error unless it lies between the two, inclusive.
    pub(super) fn within(self, key: &str, least: Self, most: Self) -> Result<(), ConfigError> {
        if (least.0..=most.0).contains(&self.0) {
            return Ok(());
        }
        Err(ConfigError::key(key, format!("found {self}; allowed are {least} to {most}")))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", humantime::format_duration(self.0))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let expected = "expected a duration such as \"30s\", \"5m\", \"7d\"";
        let text = String::deserialize(from).map_err(|_| serde::de::Error::custom(expected))?;
        humantime::parse_duration(&text)
            .map(Self)
            .map_err(|_| serde::de::Error::custom(format!("found \"{text}\", {expected}")))
    }
}
