//! `[keys]`: what signs access tokens, and for how long.

use super::{ConfigError, Span};
use counterfoil_core::keys::rotation::Policy;
use counterfoil_core::revocation::ENTRY_LIFE;
use counterfoil_guard::Algorithm;
use serde::Deserialize;
use std::time::Duration;

/// How long verifiers may keep the key set: the `max-age` it is served with.
pub const KEY_SET_MAX_AGE: Duration = Duration::from_mins(5);

/// `[keys]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KeysConfig {
    /// What signs: `EdDSA` (Ed25519 under its older name), `Ed25519` or `ES256`. Another one takes effect once its key has been
    /// published for ten minutes.
    pub algorithm: AlgorithmConfig,
    /// How long a key signs: 1 h to 400 d.
    pub rotate_every: Span,
}

impl Default for KeysConfig {
    fn default() -> Self {
        Self { algorithm: AlgorithmConfig(Algorithm::EdDsa), rotate_every: Span::seconds(30 * 24 * 60 * 60) }
    }
}

impl KeysConfig {
    /// What a rotation is planned by.
    pub fn policy(&self) -> Policy {
        Policy { rotate_every: self.rotate_every.0, publish_ahead: KEY_SET_MAX_AGE * 2, longest_life: ENTRY_LIFE }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.rotate_every.within("keys.rotate_every", Span::seconds(3600), Span::seconds(400 * 24 * 3600))
    }
}

/// An algorithm, by the name it has in tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlgorithmConfig(pub Algorithm);

impl<'de> Deserialize<'de> for AlgorithmConfig {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        Algorithm::from_name(&name).map(Self).ok_or_else(|| {
            let allowed = Algorithm::ALL.map(Algorithm::name).join(", ");
            serde::de::Error::custom(format!("found \"{name}\"; allowed are {allowed}"))
        })
    }
}
