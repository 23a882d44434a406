//! Accounts that have been deleted, as the seam sees them. What deletes them is [`super::Log::revoke`].

use super::StoreError;
use async_trait::async_trait;
use counterfoil_core::UserId;

/// Accounts that have been deleted.
#[async_trait]
pub trait Deletions {
    /// Those of which something is left: sessions that are told why they have ended.
    async fn deleted_accounts(&self) -> Result<Vec<UserId>, StoreError>;
}
