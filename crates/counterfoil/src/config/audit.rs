//! `[audit]`: how long the audit log is kept.

use super::{ConfigError, Span};
use serde::Deserialize;

const DAY: u64 = 24 * 60 * 60;

/// `[audit]`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditConfig {
    /// Entries older than this are removed: 1 d to 3650 d, or "forever". What a webhook has not been told stays.
    pub retention: Retention,
}

/// How long entries are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// Without end.
    Forever,
    /// For so long.
    For(Span),
}

impl Default for AuditConfig {
    fn default() -> Self {
        Self { retention: Retention::For(Span::seconds(400 * DAY)) }
    }
}

impl AuditConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        match self.retention {
            Retention::Forever => Ok(()),
            Retention::For(span) => span.within("audit.retention", Span::seconds(DAY), Span::seconds(3650 * DAY)),
        }
    }
}

impl<'de> Deserialize<'de> for Retention {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let expected = "expected \"forever\" or a duration such as \"400d\"";
        let text = String::deserialize(from).map_err(|_| serde::de::Error::custom(expected))?;
        if text == "forever" {
            return Ok(Self::Forever);
        }
        let span = humantime::parse_duration(&text).map(|span| Self::For(Span(span)));
        span.map_err(|_| serde::de::Error::custom(format!("found \"{text}\", {expected}")))
    }
}
