//! Invitations, as the seam sees them.

use super::StoreError;
use async_trait::async_trait;
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::user::Role;
use counterfoil_core::{Timestamp, UserId};

/// An invitation: whoever brings the token whose hash this is may register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    /// SHA-256 of the token.
    pub hash: [u8; 32],
    /// A role the account gets.
    pub role: Option<Role>,
    /// For whom it is, in the words of whoever made it.
    pub note: String,
    /// The account or API key that made it, if one did. A ban or a change of roles of that account takes it back, and so does the end
    /// of that key.
    pub issuer: Option<UserId>,
    /// Good only as long as no account holds the role: the first administrator's link.
    pub bootstrap: bool,
    /// Until when.
    pub expires_at: Timestamp,
}

/// Invitations.
#[async_trait]
pub trait Invites {
    /// Keeps one.
    async fn invite(&self, invite: Invite, audit: AuditEntry) -> Result<(), StoreError>;
    /// Those that have not been used and are not over at `now`, the first to end first. The first administrator's link is not among them.
    async fn invites(&self, now: Timestamp) -> Result<Vec<Invite>, StoreError>;
    /// Takes one back; `false` if there is none with this hash.
    async fn withdraw_invite(&self, hash: [u8; 32], audit: AuditEntry) -> Result<bool, StoreError>;
}
