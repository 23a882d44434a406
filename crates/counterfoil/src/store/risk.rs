//! From where accounts have been seen, as the seam sees it.

use super::StoreError;
use async_trait::async_trait;
use aws_lc_rs::digest::{SHA256, digest};
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::session::Session;
use counterfoil_core::{Timestamp, UserId};
use std::time::Duration;

/// How many are kept for an account: those seen last.
pub const MOST_FAMILIAR: u32 = 50;

/// How long.
pub const FAMILIAR_FOR: Duration = Duration::from_hours(180 * 24);

/// A device and a network that an account has been used from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Familiar {
    /// The device in words.
    pub device: String,
    /// The network as it is shown.
    pub network: String,
    /// When last.
    pub last_at: Timestamp,
}

/// What is known of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// From where it has been used, newest first.
    pub familiar: Vec<Familiar>,
    /// When a session of it was last ended by reuse, as long as that session's row is kept.
    pub reuse_at: Option<Timestamp>,
}

impl Familiar {
    /// From where a session was begun.
    pub(super) fn of(session: &Session) -> Self {
        Self { device: session.device.clone(), network: session.network.clone(), last_at: session.created_at }
    }

    /// Its key: one row for each device in each network.
    pub(super) fn id(&self, user: UserId) -> [u8; 16] {
        let Self { device, network, .. } = self;
        let digest = digest(&SHA256, &[user.as_bytes(), device.as_bytes(), b"\n", network.as_bytes()].concat());
        digest.as_ref()[..16].try_into().expect("SHA-256 is 32 bytes")
    }
}

/// From where accounts have been seen.
#[async_trait]
pub trait Histories {
    /// What is known of an account.
    async fn history(&self, user: UserId) -> Result<History, StoreError>;
    /// Notes that an account is used from there, and what that was found to be, if anything. At most [`MOST_FAMILIAR`] are kept.
    async fn note_familiar(&self, user: UserId, seen: Familiar, audit: Option<AuditEntry>) -> Result<(), StoreError>;
    /// Forgets all of it.
    async fn forget_familiar(&self, user: UserId) -> Result<(), StoreError>;
}
