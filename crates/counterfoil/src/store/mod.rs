//! The seam between decisions and engines.
//!
//! A method is one transaction and has committed, durably, when it returns. It is named after what must be atomic, takes
//! and gives the core's types, and answers with outcomes: only an engine that fails is an error. No connection, no SQL
//! type and no open transaction gets past this line.

pub mod activity;
pub mod api_keys;
mod chain;
mod columns;
mod deletions;
mod devices;
pub mod ended;
pub mod factors;
mod import;
pub mod invites;
pub mod legacy;
pub mod mail;
pub mod postgres;
pub mod risk;
mod shared;
pub mod sqlite;
pub mod status;
pub mod streams;
pub mod transfer;

use async_trait::async_trait;
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::keys::ring::{KeyStep, StoredKey};
use counterfoil_core::refresh::rotation::Decision;
use counterfoil_core::revocation::{RevocationOrder, Revoked};
use counterfoil_core::session::{EndReason, Handle, Session};
use counterfoil_core::user::{Role, User};
use counterfoil_core::{ClientName, Sid, Timestamp, UserId};
use counterfoil_guard::{Entry, LogId, Target};
use std::time::Duration;

pub use chain::{Chain, Marks, Recorded};
pub use deletions::Deletions;
pub use devices::Devices;
pub(crate) use import::imported_detail;
pub use import::{ImportOutcome, ImportedAccount};
pub use shared::{Beat, Beaten, Peer, ReplicaId, Shared};

/// The engine failed. What was asked for may or may not have happened; nothing was acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Cannot work now: disk full, locked, stopped. Trying again later may help.
    #[error("the store is unavailable")]
    Unavailable,
    /// More work is waiting than can be done in good time.
    #[error("the store is overloaded")]
    Overloaded,
    /// A row says what no version of this program writes.
    #[error("the store holds a value that cannot be: {table}.{column}")]
    Corrupt {
        /// In this table.
        table: &'static str,
        /// In this column.
        column: &'static str,
    },
}

/// An account with its password, as sign-in needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The account.
    pub user: User,
    /// The stored hash.
    pub hash: String,
    /// Failures in a row.
    pub failures: u32,
}

/// What came of an attempt to make an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    /// Done; durable.
    Done,
    /// There is a passkey of that id.
    PasskeyTaken,
    /// There is an account with this address.
    EmailTaken,
    /// The invitation is unknown, spent or over.
    InviteInvalid,
    /// There are as many accounts as there may be.
    Full,
}

/// An account to be made.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// The account; the role an invitation grants is added by the store.
    pub user: User,
    /// Its password hash, or that it has none ([`counterfoil_core::credential::stored`]).
    pub hash: String,
    /// Its first passkey, if it begins with one.
    pub passkey: Option<factors::Passkey>,
    /// SHA-256 of the invitation to spend on it.
    pub invite: Option<[u8; 32]>,
    /// How many accounts there may be with it.
    pub most: Option<u32>,
}

/// A session to be kept.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// The session.
    pub session: Session,
    /// What was checked: all of it must still be the account's.
    pub proved_by: Vec<ProvedBy>,
    /// How many live sessions the user may have.
    pub limit: u32,
}

/// What a session rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProvedBy {
    /// The password behind this hash.
    Password(String),
    /// The passkey of this id.
    Passkey(Vec<u8>),
    /// A token of a system that was there before, made at this time: no sign-out everywhere has come after it.
    Legacy(Timestamp),
}

/// What came of an attempt to open a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// Done; durable.
    Done {
        /// The account as it is in the very transaction that keeps the session: what its tokens must say.
        user: User,
        /// The surplus sessions that ended.
        surplus: Revoked,
    },
    /// The account has been banned, removed or given another password since it was checked, or has lost the passkey.
    Refused,
}

/// What one round of purging did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Purged {
    /// How many rows were removed.
    pub removed: u32,
    /// Whether the round came to the end of the table; the next one begins at its start.
    pub at_end: bool,
}

/// Decides what a session's row means for a presented refresh token; `None` when the token does not belong to it. An engine
/// that cannot hold the row still asks again whenever another refresh came between.
pub type Rule = Box<dyn Fn(&Session) -> Option<Decision> + Send + Sync>;

/// When, and from where, a session is being used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When.
    pub at: Timestamp,
    /// From which network.
    pub network: String,
}

/// What came of showing a session to a [`Rule`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refreshed {
    /// The session as it is now.
    pub session: Session,
    /// Its user, read in the same transaction.
    pub user: User,
    /// What the rule said of the session as it was.
    pub decision: Option<Decision>,
}

/// The revocation log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogState {
    /// Its identity: new after every restore.
    pub id: LogId,
    /// The newest entry ever written.
    pub head: Option<Entry>,
    /// The entries still in force, in order.
    pub in_force: Vec<Entry>,
    /// When the store was last put back from a backup.
    pub restored_at: Option<Timestamp>,
}

/// A revocation that a store which has been put back knows nothing of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// When it was.
    pub at: Timestamp,
    /// What it hit.
    pub what: Target,
    /// Why, for a session.
    pub reason: EndReason,
}

/// What ends when a store has been put back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ends {
    /// Nothing: what had been revoked since the backup lives again.
    Nothing,
    /// What is known to have been revoked.
    These(Vec<Replayed>),
    /// Every session, because nobody knows.
    All,
}

/// What a guard proves itself with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuardCredential {
    /// Its name.
    pub name: String,
    /// SHA-256 of the credential.
    pub hash: [u8; 32],
    /// When it was made.
    pub created_at: Timestamp,
}

/// How a service proves itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientProof {
    /// By a secret: SHA-256 of it.
    Secret([u8; 32]),
    /// By assertions that these keys verify: a JWK Set.
    Keys(String),
}

/// A service that may ask for tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its name.
    pub name: ClientName,
    /// The session on which its tokens hang; ended by [`Log::revoke`], and never anybody else's.
    pub sid: Sid,
    /// How it proves itself.
    pub proof: ClientProof,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A secret at rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedSecret {
    /// What it is for ([`counterfoil_core::keys::sealing::Purpose`]).
    pub purpose: String,
    /// Which of its kind.
    pub id: String,
    /// The sealed bytes.
    pub sealed: Vec<u8>,
}

/// All that is sealed under the master key.
pub type Sealed = (Vec<StoredKey>, Vec<SealedSecret>);

/// Accounts and their credentials.
#[async_trait]
pub trait Users {
    /// Makes the account, spends the invitation and writes the audit entry, all or nothing.
    async fn register(&self, new: NewAccount, audit: AuditEntry) -> Result<Registered, StoreError>;
    /// Makes those of the accounts whose address is free, all or nothing, and says of each what came of it, in their order.
    /// Of two with one address the first is made, and none beyond `most` accounts in all. If any is made, so is the audit entry,
    /// with their number as its detail.
    async fn import(
        &self,
        new: Vec<ImportedAccount>,
        most: Option<u32>,
        audit: AuditEntry,
    ) -> Result<Vec<ImportOutcome>, StoreError>;
    /// How many accounts there are; counting ends at `most`.
    async fn count_users(&self, most: u32) -> Result<u32, StoreError>;
    /// Puts `new` into the place of this account's hash if that is still `old`, with the audit entry; `false`, and nothing
    /// done, if it is not. Sessions and failures in a row stay as they are: it is the same password.
    async fn replace_hash(&self, id: UserId, old: String, new: String, audit: AuditEntry) -> Result<bool, StoreError>;
    /// The account with this address key, and its password.
    async fn credential(&self, email_key: &str) -> Result<Option<Credential>, StoreError>;
    /// The account with this id, and its password.
    async fn credential_of(&self, user: UserId) -> Result<Option<Credential>, StoreError>;
    /// Accounts in order of id, from after the given one.
    async fn users(&self, after: Option<UserId>, limit: u32) -> Result<Vec<User>, StoreError>;
    /// Accounts whose address key begins with `prefix`, in order of the key, from after the given one.
    async fn users_by_address(&self, prefix: &str, after: Option<&str>, limit: u32) -> Result<Vec<User>, StoreError>;
    /// A failed attempt to prove something: one failure more for this account, if there is one, and the audit entry. One
    /// transaction in either case, so that the time it takes does not tell which (P1). Returns how many in a row.
    async fn note_failure(&self, user: Option<UserId>, audit: AuditEntry) -> Result<u32, StoreError>;
    /// Sets the failures in a row to none.
    async fn clear_failures(&self, user: UserId) -> Result<(), StoreError>;
    /// The same on an administrator's word, with an audit entry; `false` if there is no such account.
    async fn unlock(&self, user: UserId, audit: AuditEntry) -> Result<bool, StoreError>;
    /// Lets a banned account sign in again; `false` if it is not banned or does not exist.
    async fn unban(&self, user: UserId, audit: AuditEntry) -> Result<bool, StoreError>;
    /// The same only if it was banned for exactly this reason.
    async fn unban_from(&self, user: UserId, reason: String, audit: AuditEntry) -> Result<bool, StoreError>;
    /// Whether any account holds this role.
    async fn any_with_role(&self, role: &Role) -> Result<bool, StoreError>;
}

/// Sessions.
#[async_trait]
pub trait Sessions {
    /// Keeps a new session, if its account may still sign in by what was checked: a ban or a new password that came between
    /// the check and this wins. If its user then has more than the limit, those longest unused end in the same
    /// transaction, as by [`Log::revoke`].
    async fn open(&self, new: NewSession, audit: AuditEntry) -> Result<Opened, StoreError>;
    /// The session an opaque token points to, with its user.
    async fn by_handle(&self, handle: Handle) -> Result<Option<(Session, User)>, StoreError>;
    /// The session of this name, with its user.
    async fn by_sid(&self, sid: Sid) -> Result<Option<(Session, User)>, StoreError>;
    /// When this handle was replaced by a re-authentication, if it was, and which session's it had been.
    async fn superseded(&self, handle: Handle) -> Result<Option<(Timestamp, Option<Sid>)>, StoreError>;
    /// All live sessions of a user, newest use first, then those that ended, at most 1200 in all.
    async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError>;
    /// The sessions of a user that ended at exactly this time: those that one entry of the audit log speaks of.
    async fn ended_at(&self, user: UserId, at: Timestamp) -> Result<Vec<Session>, StoreError>;
    /// Shows the session an opaque token points to, read from the primary, to `rule`, and commits the state its decision
    /// carries ([`Decision::next`]), with `last_seen_at` and `network`. One transaction: no other change of the session
    /// comes between what the rule saw and what is committed. `None` when there is no such session.
    async fn refresh(&self, handle: Handle, rule: Rule, seen: Seen) -> Result<Option<Refreshed>, StoreError>;
    /// Sets `last_seen_at` and `network` of a live session that has no refresh token.
    async fn touch(&self, sid: Sid, at: Timestamp, network: String) -> Result<(), StoreError>;
    /// Looks at the next `batch` sessions in the order of the table and deletes those that are over since before `before`; at
    /// the end of the table also what else is past use. Each round is short, however large the table.
    async fn purge(&self, before: Timestamp, batch: u32) -> Result<Purged, StoreError>;
}

/// The revocation log.
#[async_trait]
pub trait Log {
    /// Ends access: the session rows, the log entries and the audit entry, all or nothing. The one function through which
    /// every way of ending access goes. Repeating it ends nothing more and writes nothing more.
    async fn revoke(&self, order: RevocationOrder) -> Result<Revoked, StoreError>;
    /// The store has been put back from a backup: the log gets another identity, and what `ends` says ends. With [`Ends::All`]
    /// no entry names the sessions; then all keys have to be revoked. Returns how many sessions ended.
    async fn restored(&self, ends: Ends, audit: AuditEntry) -> Result<u64, StoreError>;
    /// The number of the newest entry there is. What has ended before counts as acknowledged by this, so an engine that has been
    /// replaced must not be able to answer.
    async fn head(&self) -> Result<u64, StoreError>;
    /// The log as it is at `now`.
    async fn log(&self, now: Timestamp) -> Result<LogState, StoreError>;
    /// Notes that guards are granted leases by this `max_staleness` from now on, and returns the longest noted before. With
    /// `forget` the longer ones noted before are forgotten: none of their leases can be alive any more.
    async fn promise(&self, max_staleness: Duration, forget: bool) -> Result<Duration, StoreError>;
}

/// The credentials of guards.
#[async_trait]
pub trait Guards {
    /// All of them, by name.
    async fn guards(&self) -> Result<Vec<GuardCredential>, StoreError>;
    /// Adds one; `false`, and nothing done, if the name is taken.
    async fn add_guard(&self, new: GuardCredential, audit: AuditEntry) -> Result<bool, StoreError>;
    /// Removes one; `false` if there is none of that name.
    async fn remove_guard(&self, name: String, audit: AuditEntry) -> Result<bool, StoreError>;
}

/// Services, and what may be used once.
#[async_trait]
pub trait Clients {
    /// All services, by name.
    async fn clients(&self) -> Result<Vec<Client>, StoreError>;
    /// Adds one; `false`, and nothing done, if the name is taken.
    async fn add_client(&self, new: Client, audit: AuditEntry) -> Result<bool, StoreError>;
    /// Gives a service another proof; its session, and the tokens on it, stay. `false` if there is none of that name.
    async fn renew_client(&self, name: ClientName, proof: ClientProof, audit: AuditEntry) -> Result<bool, StoreError>;
    /// Uses something up that may be used once: of any number of callers with the same digest, at whatever replica, one gets
    /// `true`. Remembered until `until`; what need not be remembered any more `now` makes room.
    async fn spend(&self, what: [u8; 32], now: Timestamp, until: Timestamp) -> Result<bool, StoreError>;
    /// Whether something has been used up, and that is still remembered.
    async fn is_spent(&self, what: [u8; 32], now: Timestamp) -> Result<bool, StoreError>;
}

/// Keys and other secrets, all sealed.
#[async_trait]
pub trait Keys {
    /// All signing keys.
    async fn signing_keys(&self) -> Result<Vec<StoredKey>, StoreError>;
    /// All other sealed secrets.
    async fn secrets(&self) -> Result<Vec<SealedSecret>, StoreError>;
    /// Puts the first keys and secrets into an empty store; `false`, and nothing done, if it has any.
    async fn initialise(&self, keys: Vec<StoredKey>, secrets: Vec<SealedSecret>) -> Result<bool, StoreError>;
    /// Carries steps of the ring out; `false`, and nothing done, when the ring is not the one they were made for. The private
    /// half of a key that will never sign again is erased.
    async fn change_keys(
        &self,
        ring: Vec<StoredKey>,
        steps: Vec<KeyStep>,
        audits: Vec<AuditEntry>,
    ) -> Result<bool, StoreError>;
    /// Replaces every sealed secret by its new sealing; `false`, and nothing done, when what is there is not `old`.
    async fn reseal(&self, old: Sealed, new: Sealed, audit: AuditEntry) -> Result<bool, StoreError>;
}

/// The audit log.
#[async_trait]
pub trait Audit {
    /// Appends an entry that belongs to no other change.
    async fn append(&self, entry: AuditEntry) -> Result<(), StoreError>;
    /// Entries before `before` (or the newest), newest first, with their numbers.
    async fn page(&self, before: Option<i64>, limit: u32) -> Result<Vec<(i64, AuditEntry)>, StoreError>;
    /// Entries after this number, oldest first. Numbers become visible in their order: whoever has seen one has missed none
    /// before it.
    async fn following(&self, after: i64, limit: u32) -> Result<Vec<(i64, AuditEntry)>, StoreError>;
    /// The number of the newest entry; 0 if there is none.
    async fn newest(&self) -> Result<i64, StoreError>;
}

/// How far the readers of the audit log have come.
#[async_trait]
pub trait Cursors {
    /// Where this reader stands. One that is not known yet begins after the newest entry, and stands there from now on.
    async fn reader(&self, name: &str) -> Result<i64, StoreError>;
    /// A known reader is done with everything up to `to`. It never goes back.
    async fn move_reader(&self, name: &str, to: i64) -> Result<(), StoreError>;
}

/// How many connections an engine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    /// In use.
    pub busy: u32,
    /// Ready to be used.
    pub idle: u32,
    /// How many there may be.
    pub most: u32,
}

/// All of it.
#[async_trait]
pub trait Store:
    Users
    + invites::Invites
    + api_keys::ApiKeys
    + activity::Activities
    + status::StatusPlaces
    + streams::Streams
    + factors::FactorStore
    + legacy::LegacyAccounts
    + Sessions
    + Devices
    + Deletions
    + mail::MailLinks
    + risk::Histories
    + Log
    + Guards
    + Clients
    + Keys
    + Audit
    + Chain
    + Cursors
    + Send
    + Sync
{
    /// Whether reading and writing work right now.
    async fn check(&self) -> Result<(), StoreError>;
    /// Finishes what is under way and lets go of the files.
    async fn close(&self);
    /// How many connections there are, where there are any.
    fn connections(&self) -> Option<Connections> {
        None
    }
    /// What replicas need, if this is an engine that several processes can share.
    fn shared(&self) -> Option<&dyn Shared> {
        None
    }
}
