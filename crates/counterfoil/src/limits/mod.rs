//! Rate limits in this process: a bounded table of one timestamp per key. And how much is worked on at once.

mod admission;

use counterfoil_core::Timestamp;
use counterfoil_core::limit::{Rate, Verdict};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

pub use admission::{Admission, Full, Permit, WAIT};

/// How many keys are remembered. When it is full of keys in use, new ones are refused rather than let through: a flood
/// of made-up keys must not switch the limits off.
const MOST_KEYS: usize = 200_000;

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limited {
    /// Sign-in attempts on an account, by address, whether it exists or not (P1).
    LoginAccount,
    /// Sign-in attempts from a network.
    LoginNetwork,
    /// Legacy tokens that were not believed, from a network.
    LegacyNetwork,
    /// Codes tried on an account.
    CodeAccount,
    /// Passkeys tried from a network.
    PasskeyNetwork,
    /// Registrations from a network.
    RegisterNetwork,
    /// Mails to an address, whether it is an account's or not (P1).
    MailAddress,
    /// Requests that lead to a mail, from a network.
    MailNetwork,
    /// Tokens revoked by clients without a credential, from a network.
    RevokeNetwork,
    /// What is written down of refreshes of one session without the proof it needs.
    Unproven,
    /// What is written down of one session that is used in an unusual way.
    Unusual,
    /// Requests for tokens by services, from a network.
    TokenNetwork,
    /// Events of upstreams that were not believed, from a network.
    UpstreamNetwork,
}

impl Limited {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LoginAccount => "login_account",
            Self::LoginNetwork => "login_network",
            Self::LegacyNetwork => "legacy_network",
            Self::CodeAccount => "code_account",
            Self::PasskeyNetwork => "passkey_network",
            Self::RegisterNetwork => "register_network",
            Self::MailAddress => "mail_address",
            Self::MailNetwork => "mail_network",
            Self::RevokeNetwork => "revoke_network",
            Self::Unproven => "unproven",
            Self::Unusual => "unusual",
            Self::TokenNetwork => "token_network",
            Self::UpstreamNetwork => "upstream_network",
        }
    }
}

/// The table.
#[derive(Debug, Default)]
pub struct Limiter {
    hasher: RandomState,
    states: Mutex<HashMap<u64, Timestamp>>,
}

impl Limiter {
    /// Counts one; `Err` holds the time to wait.
    pub fn take(&self, what: Limited, key: &str, rate: Rate, now: Timestamp) -> Result<(), Duration> {
        let key = self.hasher.hash_one((what, key));
        let mut states = self.states.lock();
        if states.len() >= MOST_KEYS && !states.contains_key(&key) {
            states.retain(|_, state| !Rate::is_idle(*state, now));
            if states.len() >= MOST_KEYS {
                return Err(rate.interval);
            }
        }
        match rate.decide(states.get(&key).copied(), now) {
            Verdict::Pass(next) => {
                states.insert(key, next);
                Ok(())
            }
            Verdict::Wait(wait) => Err(wait),
        }
    }

    /// Takes one count back.
    pub fn give_back(&self, what: Limited, key: &str, rate: Rate) {
        let key = self.hasher.hash_one((what, key));
        if let Some(state) = self.states.lock().get_mut(&key) {
            *state = state.minus(rate.interval);
        }
    }

    /// Forgets the key.
    pub fn forget(&self, what: Limited, key: &str) {
        self.states.lock().remove(&self.hasher.hash_one((what, key)));
    }

    /// Forgets all keys that are as good as never seen.
    pub fn sweep(&self, now: Timestamp) {
        self.states.lock().retain(|_, state| !Rate::is_idle(*state, now));
    }
}
