//! `[revocation]`: how long a verifier that hears nothing goes on accepting.

use super::{ConfigError, Span};
use counterfoil_core::feed::Policy;
use serde::Deserialize;
use std::time::Duration;

/// For clocks that run at different speeds (1 % over the longest wait would be less), and for rounding.
const MARGIN: Duration = Duration::from_millis(50);

/// `[revocation]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RevocationConfig {
    /// A revocation is in force everywhere after this, even at verifiers that are cut off: 1 s to 5 min. An authority that
    /// cannot be reached for longer stops every API behind guards.
    pub max_staleness: Span,
}

impl Default for RevocationConfig {
    fn default() -> Self {
        Self { max_staleness: Span::seconds(5) }
    }
}

impl RevocationConfig {
    /// What leases are granted by.
    pub const fn policy(&self) -> Policy {
        Policy { max_staleness: self.max_staleness.0, margin: MARGIN }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.max_staleness.within("revocation.max_staleness", Span::seconds(1), Span::seconds(300))
    }
}
