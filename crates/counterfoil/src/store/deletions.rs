//! Accounts that have been deleted, as the seam sees them. What deletes them is [`super::Log::revoke`].

use super::StoreError;
use async_trait::async_trait;
use counterfoil_core::UserId;

/// Accounts that have been deleted.
#[async_trait]
pub trait Deletions {
    /// Some of those whose networks still stand in the audit log: a crash has left them, or attempts with their tokens since.
    async fn unerased(&self, limit: u32) -> Result<Vec<UserId>, StoreError>;
}
