//! What the gate keeps in this process: its rules, the sessions it has just looked up, the tokens it has just handed off. All
//! bounded, and none of it outlives a revocation: the index is asked on every request.

use crate::config::GateConfig;
use counterfoil_core::gate::{Forwarded, Rule, find};
use counterfoil_core::session::Session;
use counterfoil_core::user::User;
use counterfoil_core::{Secret, Timestamp};
use counterfoil_guard::VerifiedTokens;
use parking_lot::Mutex;
use std::sync::Arc;

/// How many sessions and how many tokens are remembered (twice this at the most).
const REMEMBERED: usize = 4096;

/// A session and its user as they were looked up for a credential.
#[derive(Debug)]
pub struct Resolved {
    /// The time that was read before the rows were.
    pub at: Timestamp,
    /// The session; `acr` and `auth_time` as the access token has them, where it was one.
    pub session: Session,
    /// Its user.
    pub user: User,
}

/// A token made for a server behind.
#[derive(Debug)]
pub struct HandOff {
    /// The token.
    pub token: Secret<String>,
    /// From when on a new one is made: half its life.
    pub renew_at: Timestamp,
}

/// The gate's own.
pub struct Gate {
    rules: Vec<Rule>,
    fallback: Rule,
    /// By credential.
    pub resolved: Mutex<VerifiedTokens<Arc<Resolved>>>,
    /// By session, what the token says of it, and audience.
    pub handed_off: Mutex<VerifiedTokens<Arc<HandOff>>>,
}

impl Gate {
    /// With the configured rules; the gate's own audience goes to those that name none.
    pub fn new(config: &GateConfig) -> Self {
        let audience = &config.upstream_audience;
        let filled =
            |rule: &Rule| Rule { audience: rule.audience.clone().or_else(|| audience.clone()), ..rule.clone() };
        Self {
            rules: config.rules.iter().map(|rule| filled(&rule.0)).collect(),
            fallback: Rule::fallback(audience.clone()),
            resolved: Mutex::new(VerifiedTokens::new(REMEMBERED)),
            handed_off: Mutex::new(VerifiedTokens::new(REMEMBERED)),
        }
    }

    /// The rule for a request.
    pub fn rule(&self, request: Forwarded<'_>) -> &Rule {
        find(&self.rules, request).unwrap_or(&self.fallback)
    }

    /// Whether any server behind is handed tokens.
    pub fn hands_off(&self) -> bool {
        self.rules.iter().chain([&self.fallback]).any(|rule| rule.audience.is_some())
    }

    /// Whether any rule depends on the host.
    pub fn looks_at_hosts(&self) -> bool {
        self.rules.iter().any(|rule| rule.host.is_some())
    }
}
