//! What an account can prove itself with beside its password, as the seam sees it.

use super::risk::Familiar;
use super::{Credential, ProvedBy, StoreError};
use async_trait::async_trait;
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::session::{Assurance, Handle};
use counterfoil_core::user::User;
use counterfoil_core::{Sid, Timestamp, UserId};

/// How many passkeys an account may have.
pub const MOST_PASSKEYS: u32 = 20;

/// This many wrong codes in a row, and an authenticator app counts no more until it is set up anew or an administrator unlocks it (NIST-3.2.2).
pub const FAILURES_THAT_LOCK: u32 = 100;

/// A passkey of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// The id that the authenticator gave it; the same one is never kept twice (WA-CLONE).
    pub id: Vec<u8>,
    /// Whose it is.
    pub user: UserId,
    /// What its user calls it.
    pub name: String,
    /// What verifies it, as JSON.
    pub credential: String,
    /// Whether it may leave the device it was made on.
    pub synced: bool,
    /// Whether there is a copy of it.
    pub backed_up: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was used last.
    pub last_used_at: Option<Timestamp>,
}

/// The authenticator app of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredTotp {
    /// Its secret, sealed.
    pub sealed: Vec<u8>,
    /// When it was set up.
    pub created_at: Timestamp,
    /// The time step of the newest code that counted.
    pub last_step: i64,
    /// Wrong codes in a row.
    pub failures: u32,
}

/// All of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Factors {
    /// The account and its password.
    pub credential: Credential,
    /// Its passkeys, the oldest first.
    pub passkeys: Vec<Passkey>,
    /// Its authenticator app.
    pub totp: Option<StoredTotp>,
    /// How many recovery codes have not been used.
    pub recovery_codes: u32,
}

/// A change of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactorChange {
    /// One passkey more.
    AddPasskey(Passkey),
    /// Another name for a passkey.
    RenamePasskey {
        /// Which.
        id: Vec<u8>,
        /// Its name from now on.
        name: String,
    },
    /// One passkey less.
    RemovePasskey {
        /// Which.
        id: Vec<u8>,
    },
    /// An authenticator app, in place of the one that may have been there.
    SetTotp(StoredTotp),
    /// No authenticator app. Where no passkey is left either, the recovery codes go with it: there is nothing to recover.
    RemoveTotp,
    /// Other recovery codes, by their hashes. The old ones count no more.
    SetRecoveryCodes(Vec<[u8; 32]>),
    /// An administrator has found out by other ways who it is: nothing but the password is left.
    Reset,
}

impl FactorChange {
    /// Whether somebody who is signing in may make it, in an account that has a passkey, or an authenticator app.
    pub(super) const fn is_first(&self, (passkey, totp): (bool, bool), by_code: bool) -> bool {
        match self {
            Self::AddPasskey(_) => !passkey && (!totp || by_code),
            Self::SetTotp(_) => !passkey && !totp,
            _ => false,
        }
    }
}

/// Who makes a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changer {
    /// An administrator, or this server itself, as a part of a change that it has just made.
    Server,
    /// Somebody signed in, with a fresh proof: their session has not ended in the transaction that makes the change.
    SignedIn(Sid),
    /// Somebody signing in who has to set a factor up. In the transaction that adds it all that they have shown still counts, as when a session
    /// is opened, and the account has nothing that they would have to show: its owner may have been quicker (ASVS-6.4.4).
    SigningIn {
        /// What they have shown.
        proved_by: Vec<ProvedBy>,
        /// Whether that included a code of the authenticator app, or a recovery code.
        by_code: bool,
        /// Now.
        at: Timestamp,
    },
}

/// What came of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Changed {
    /// Done; durable.
    Done,
    /// There is no such thing, or no such account.
    Unknown,
    /// There is a passkey of that id already, whosever it is.
    Taken,
    /// The account has as many as it may have.
    Full,
    /// It is the last way in.
    LastOne,
    /// Whoever wanted it may not, any more.
    Refused,
}

/// A proof that has been checked and shall count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactorUse {
    /// A code of the authenticator app, of this time step.
    Totp {
        /// Later than that of any that counted.
        step: i64,
    },
    /// A recovery code, by its hash.
    RecoveryCode {
        /// Gone once it has counted.
        hash: [u8; 32],
    },
    /// A passkey.
    Passkey {
        /// Which.
        id: Vec<u8>,
        /// What verified it: if that has changed meanwhile, it does not count.
        was: String,
        /// What verifies it from now on.
        credential: String,
        /// Whether there is a copy of it.
        backed_up: bool,
    },
}

/// The same session, after its user has proved themselves again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renewal {
    /// Which.
    pub sid: Sid,
    /// Its handle as it was read; if it has another one, nothing is done.
    pub from: Handle,
    /// Its handle from now on (ASVS-7.2.4).
    pub to: Handle,
    /// How strongly they have proved themselves.
    pub acr: Assurance,
    /// By which methods.
    pub amr: Vec<String>,
    /// From where: the session is there from now on, and the account known from there.
    pub seen: Familiar,
}

/// Second factors and passkeys.
#[async_trait]
pub trait FactorStore {
    /// What an account can prove itself with; `None` if there is no such account.
    async fn factors(&self, user: UserId) -> Result<Option<Factors>, StoreError>;
    /// The passkey of this id, with its user.
    async fn passkey(&self, id: &[u8]) -> Result<Option<(Passkey, User)>, StoreError>;
    /// Changes them, with the audit entry; two changes of one account come one after the other.
    async fn change_factors(
        &self,
        user: UserId,
        change: FactorChange,
        by: Changer,
        audit: AuditEntry,
    ) -> Result<Changed, StoreError>;
    /// Makes a checked proof count, and the failures before it forgotten; of any number of callers with the same code one gets
    /// `true` (ATK-28). The audit entry, if there is one, is written if it counts.
    async fn use_factor(
        &self,
        user: UserId,
        used: FactorUse,
        at: Timestamp,
        audit: Option<AuditEntry>,
    ) -> Result<bool, StoreError>;
    /// A wrong code: one failure more, and the audit entry. Returns how many in a row.
    async fn note_wrong_code(&self, user: UserId, audit: AuditEntry) -> Result<u32, StoreError>;
    /// Gives a live session a new handle and what its user has proved; the old handle answers `refresh_superseded` for a while. `false`,
    /// and nothing done, if the session has ended or has been given another handle meanwhile.
    async fn renew_session(&self, renewal: Renewal, audit: AuditEntry) -> Result<bool, StoreError>;
}
