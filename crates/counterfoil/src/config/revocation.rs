//! `[revocation]`: how long a verifier that hears nothing goes on accepting.

use super::{ConfigError, Span};
use counterfoil_core::feed::Policy;
use serde::Deserialize;
use std::time::Duration;

/// The least allowance for clocks that run at different speeds, and for rounding.
const MARGIN: Duration = Duration::from_millis(50);

/// And the allowance as a share of `max_staleness`: a hundredth of it is enough where two clocks differ by up to 0.8 % over S and
/// the wait of a fifth of it (m ≥ 2ρ(S + wait) with ρ = 0.4 %). A clock that is being set right runs wrong by 0.05 %.
const SHARE: u32 = 100;

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
    pub fn policy(&self) -> Policy {
        let max_staleness = self.max_staleness.0;
        Policy { max_staleness, margin: MARGIN.max(max_staleness / SHARE) }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        self.max_staleness.within("revocation.max_staleness", Span::seconds(1), Span::seconds(300))
    }
}
