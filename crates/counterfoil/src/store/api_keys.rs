//! API keys of the administration, as the seam sees them.

use super::StoreError;
use async_trait::async_trait;
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::duty::Duty;
use counterfoil_core::user::User;
use counterfoil_core::{Timestamp, UserId};

/// What a program administers with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Its name.
    pub name: String,
    /// What the audit log calls it: random, and no account's.
    pub id: UserId,
    /// SHA-256 of the key.
    pub hash: [u8; 32],
    /// What it may do.
    pub duty: Duty,
    /// The account that made it, if one did.
    pub issuer: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it counts.
    pub expires_at: Timestamp,
    /// When it was last used, to the hour; never, if it was not.
    pub used_at: Option<Timestamp>,
}

/// API keys.
#[async_trait]
pub trait ApiKeys {
    /// All of them, by name.
    async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError>;
    /// The one with this hash, with the account that made it as it is now.
    async fn api_key(&self, hash: [u8; 32]) -> Result<Option<(ApiKey, Option<User>)>, StoreError>;
    /// Adds one; `false`, and nothing done, if the name is taken.
    async fn add_api_key(&self, new: ApiKey, audit: AuditEntry) -> Result<bool, StoreError>;
    /// Removes one, and the invitations that it has made; `false` if there is none of that name.
    async fn remove_api_key(&self, name: String, audit: AuditEntry) -> Result<bool, StoreError>;
    /// Notes when a key is used.
    async fn note_api_key(&self, id: UserId, at: Timestamp) -> Result<(), StoreError>;
}
