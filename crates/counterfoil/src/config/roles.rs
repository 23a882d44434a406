//! `[roles.NAME]`: what is asked of whoever holds a role.

use super::ConfigError;
use counterfoil_core::assurance::Requirement;
use counterfoil_core::user::Role;
use serde::Deserialize;

/// `[roles.NAME]`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RoleConfig {
    /// How strongly its holders prove themselves at a sign-in: `one-factor`, `two-factor` or `phishing-resistant`.
    pub require: Requirement,
}

impl RoleConfig {
    pub(super) fn check(name: &str) -> Result<(), ConfigError> {
        let reason = "a role's name has 1 to 32 characters of a-z, 0-9, - and _, and begins with a letter";
        Role::parse(name).map(|_| ()).ok_or_else(|| ConfigError::key(format!("roles.{name}"), reason))
    }
}
