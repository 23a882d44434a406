//! Every way of ending access, as one type, so that all of them go through one function of the store.

use crate::audit::AuditEntry;
use crate::keys::ring::{KeyStep, StoredKey};
use crate::session::{EndReason, Handle};
use crate::user::Role;
use counterfoil_guard::{ClientName, Entry, Jti, Sid, Timestamp, UserId};
use std::time::Duration;

/// How long an entry stays in a verifier's index: the longest token life plus leeway.
pub const ENTRY_LIFE: Duration = Duration::from_mins(16);

/// What to end. Executed by `Store::revoke` in one transaction: the session rows, the log entries and the audit entry.
#[derive(Clone, Debug)]
pub enum Revocation {
    /// One session.
    Session {
        /// Which.
        sid: Sid,
        /// Why.
        reason: EndReason,
    },
    /// One access token; its session goes on.
    Token {
        /// The session it hangs on. If that has ended there is nothing left to end.
        sid: Sid,
        /// Which.
        jti: Jti,
    },
    /// All sessions of a user, but for the one kept.
    UserSessions {
        /// Whose.
        user: UserId,
        /// The one to spare.
        except: Option<Sid>,
        /// Why.
        reason: EndReason,
    },
    /// The account may not sign in any more, and all its sessions end.
    Ban {
        /// Whose.
        user: UserId,
        /// Why, for support.
        reason: String,
        /// When it ends by itself.
        until: Option<Timestamp>,
    },
    /// The account is no more: its sessions end, what is personal is erased, and its address is free. Nothing is done, and nothing
    /// found, when no other account that may sign in holds the role.
    Deletion {
        /// Whose.
        user: UserId,
        /// The role that may not be left without anybody.
        unless_last: Role,
    },
    /// A new password; every session but the one kept ends, and that one gets a new handle (ASVS-7.2.4).
    Password {
        /// Whose.
        user: UserId,
        /// The new hash.
        hash: String,
        /// The session it was changed in, and its new handle.
        keep: Option<(Sid, Handle)>,
    },
    /// Signing keys. Those that become [revoked](crate::keys::ring::KeyState::Revoked) get a log entry each; nothing is done, and
    /// nothing found, when the ring is not the one that the steps were made for.
    Keys {
        /// The ring as it was read.
        ring: Vec<StoredKey>,
        /// What happens to the ring.
        steps: Vec<KeyStep>,
        /// What else is written down of it.
        audits: Vec<AuditEntry>,
    },
    /// A service's credential: it proves nothing any more, and the session on which its tokens hang ends.
    Client {
        /// Whose.
        name: ClientName,
    },
    /// New roles: no session ends, but tokens minted before are stale.
    Roles {
        /// Whose.
        user: UserId,
        /// The roles from now on.
        roles: Vec<Role>,
    },
}

/// A revocation with its time and its line in the audit log.
#[derive(Clone, Debug)]
pub struct RevocationOrder {
    /// What.
    pub what: Revocation,
    /// When; also the log entries' time.
    pub at: Timestamp,
    /// The audit entry, written in the same transaction when anything changed.
    pub audit: AuditEntry,
}

/// What a revocation did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revoked {
    /// The log entries written, in order; empty when there was nothing left to end.
    pub entries: Vec<Entry>,
    /// Whether the thing named exists at all.
    pub found: bool,
    /// The number of the newest entry when this was committed. What was found to have been ended already has its entry at or
    /// before it: once this one is effective, so is that.
    pub head: u64,
}
