//! What has been sent by mail and waits to be used, as the seam sees it; and the address that mail goes to.

use super::StoreError;
use async_trait::async_trait;
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::credential::mail_link::Purpose;
use counterfoil_core::user::Email;
use counterfoil_core::{Timestamp, UserId};

/// A link or a code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailLink {
    /// By what it is found: the hash of what stands in the mail.
    pub hash: [u8; 32],
    /// What it is for.
    pub purpose: Purpose,
    /// Whose, if there is an account. It goes with the account.
    pub user: Option<UserId>,
    /// The rest, sealed.
    pub sealed: Vec<u8>,
    /// Until when it counts.
    pub expires_at: Timestamp,
}

/// What came of a change of address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailChanged {
    /// Done; durable.
    Done,
    /// Another account has the address.
    Taken,
    /// There is no such account, or it has another address meanwhile.
    Unknown,
}

/// Links by mail, and addresses.
#[async_trait]
pub trait MailLinks {
    /// Keeps one.
    async fn keep_mail_link(&self, link: MailLink) -> Result<(), StoreError>;
    /// The one of this hash and purpose that still counts `now`. It goes on to count.
    async fn mail_link(&self, hash: [u8; 32], purpose: Purpose, now: Timestamp)
    -> Result<Option<MailLink>, StoreError>;
    /// The same, and it counts no more, nor do others of this purpose that the account has been sent: of any number of callers, at whatever
    /// replica, one gets it (ATK-28).
    async fn take_mail_link(
        &self,
        hash: [u8; 32],
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<Option<MailLink>, StoreError>;
    /// Gives an account another address if it still has `from`, with the audit entry. All links that it has been sent end: they went to
    /// the old one.
    async fn change_email(
        &self,
        user: UserId,
        (from, to): (Email, Email),
        audit: AuditEntry,
    ) -> Result<EmailChanged, StoreError>;
}
