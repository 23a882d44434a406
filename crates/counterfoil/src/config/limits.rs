//! `[limits]`: how much is taken on.

use super::{ConfigError, Span};
use counterfoil_core::limit::Rate;
use serde::Deserialize;

/// `[limits]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Whether the rate limits below apply. The bounds on work always do.
    pub enabled: bool,
    /// Sign-in attempts per account, and codes of its second factor, each by itself; a success gives the allowance back.
    pub login_per_account: LimitConfig,
    /// Sign-in attempts per network (IPv4 address, IPv6 /64), and answers of passkeys, each by itself; a success gives its attempt back.
    pub login_per_network: LimitConfig,
    /// Accounts made per network.
    pub register_per_network: LimitConfig,
    /// Mails to one address, whether there is an account or not.
    pub mail_per_address: LimitConfig,
    /// Requests that lead to a mail, per network.
    pub mail_per_network: LimitConfig,
    /// Tokens revoked at `/oauth/revoke` without a guard's credential, per network.
    pub revoke_per_network: LimitConfig,
    /// Requests for tokens at `/oauth/token`, per network.
    pub token_per_network: LimitConfig,
    /// How many password hashes may wait for a processor; beyond it 503.
    pub hash_queue: u32,
    /// How many refreshes, and requests for tokens, are worked on at once; beyond it new ones wait for two seconds, and then get 503.
    pub in_flight: u32,
    /// How many connections are served at once; beyond it new ones wait.
    pub connections: u32,
}

/// A burst, then one per interval.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitConfig {
    /// How many at once.
    pub burst: u32,
    /// Then one in this time.
    pub interval: Span,
}

impl LimitConfig {
    /// As arithmetic.
    pub const fn rate(self) -> Rate {
        Rate { burst: self.burst, interval: self.interval.0 }
    }
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            login_per_account: LimitConfig { burst: 10, interval: Span::seconds(30) },
            login_per_network: LimitConfig { burst: 100, interval: Span::seconds(2) },
            register_per_network: LimitConfig { burst: 50, interval: Span::seconds(10) },
            mail_per_address: LimitConfig { burst: 5, interval: Span::seconds(600) },
            mail_per_network: LimitConfig { burst: 50, interval: Span::seconds(30) },
            revoke_per_network: LimitConfig { burst: 300, interval: Span::seconds(1) },
            token_per_network: LimitConfig { burst: 600, interval: Span::seconds(1) },
            hash_queue: 64,
            in_flight: 512,
            connections: 10_000,
        }
    }
}

impl LimitsConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let limits = [
            ("limits.login_per_account", self.login_per_account),
            ("limits.login_per_network", self.login_per_network),
            ("limits.register_per_network", self.register_per_network),
            ("limits.mail_per_address", self.mail_per_address),
            ("limits.mail_per_network", self.mail_per_network),
            ("limits.revoke_per_network", self.revoke_per_network),
            ("limits.token_per_network", self.token_per_network),
        ];
        for (key, limit) in limits {
            if limit.burst == 0 || limit.interval.0.is_zero() {
                return Err(ConfigError::key(key, "`burst` must be at least 1 and `interval` longer than 0 s"));
            }
        }
        if self.hash_queue == 0 || self.in_flight == 0 || self.connections == 0 {
            return Err(ConfigError::key("limits", "`hash_queue`, `in_flight` and `connections` must be at least 1"));
        }
        Ok(())
    }
}
