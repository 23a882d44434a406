//! Accounts as a system names them that was there before, as the seam sees them.

use super::StoreError;
use async_trait::async_trait;
use counterfoil_core::user::User;
use counterfoil_core::{Timestamp, UserId};

/// What a legacy token names an account by: as it was imported. Whatever becomes of an address here, such a token never means somebody
/// else who has taken it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountName<'a> {
    /// The key of the address that it was imported with ([`counterfoil_core::user::Email::key`]).
    Address(&'a str),
    /// What the import has called it.
    ExternalId(&'a str),
    /// Its id here.
    Own(UserId),
}

/// An account that a legacy token names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegacyAccount {
    /// The account.
    pub user: User,
    /// What the import has called it.
    pub external_id: Option<String>,
    /// The key of the address that it was imported with.
    pub imported_email: Option<String>,
    /// When all its sessions were ended last. A token that is older opens none: `Sessions::open` refuses it.
    pub sessions_ended_at: Option<Timestamp>,
}

/// Looks them up.
#[async_trait]
pub trait LegacyAccounts {
    /// The account of this name, if there is one.
    async fn legacy_account(&self, name: AccountName<'_>) -> Result<Option<LegacyAccount>, StoreError>;
}
