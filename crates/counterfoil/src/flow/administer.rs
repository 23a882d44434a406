//! What administrators do, over the network or from the command line: one implementation for both.

use super::access::Ended;
use super::{Caller, access};
use crate::app::App;
use crate::clock::random;
use crate::flow::register::invite_hash;
use crate::store::StoreError;
use crate::store::invites::Invite;
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use counterfoil_core::duty::Duty;
use counterfoil_core::revocation::Revocation;
use counterfoil_core::session::EndReason;
use counterfoil_core::user::Role;
use counterfoil_core::{Secret, Sid, Timestamp, UserId};
use counterfoil_guard::base64url_encode;
use std::time::Duration;

pub use counterfoil_core::duty::ADMIN;

/// Who administers, and from where.
#[derive(Clone, Debug)]
pub struct Administrator {
    /// Who.
    pub actor: Actor,
    /// What they may do.
    pub duty: Duty,
    /// From where.
    pub caller: Caller,
}

/// Why nothing was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdministerError {
    /// The account stands above whoever asks.
    #[error("this account stands above the one that asks")]
    Above,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Administrator {
    /// The server itself.
    pub fn system() -> Self {
        Self { actor: Actor::System, duty: Duty::Administer, caller: Caller { address: None, device: String::new() } }
    }

    /// Whoever does not administer may act only against accounts that do not stand above them.
    async fn reach(&self, app: &App, user: UserId) -> Result<(), AdministerError> {
        if self.duty == Duty::Administer {
            return Ok(());
        }
        let found = app.store.credential_of(user).await?;
        let theirs = found.and_then(|found| Duty::of(&found.user));
        if self.duty.reaches(theirs) { Ok(()) } else { Err(AdministerError::Above) }
    }

    pub(super) fn entry(&self, app: &App, event: Event, user: Option<UserId>, detail: &str) -> AuditEntry {
        let entry = self.caller.audit(event, self.actor, app.clock.now());
        AuditEntry { user, detail: detail.to_owned(), ..entry }
    }
}

/// Bans an account and ends all its sessions.
pub async fn ban(
    app: &App,
    by: &Administrator,
    user: UserId,
    (reason, until): (String, Option<Timestamp>),
) -> Result<Ended, AdministerError> {
    by.reach(app, user).await?;
    let entry = by.entry(app, Event::Banned, Some(user), &reason);
    Ok(access::end(app, Revocation::Ban { user, reason, until }, entry).await?)
}

/// Lifts a ban; `false` if there is none.
pub async fn unban(app: &App, by: &Administrator, user: UserId) -> Result<bool, AdministerError> {
    by.reach(app, user).await?;
    Ok(app.store.unban(user, by.entry(app, Event::Unbanned, Some(user), "")).await?)
}

/// Unlocks a password that too many failures have locked; `false` if there is no such account.
pub async fn unlock(app: &App, by: &Administrator, user: UserId) -> Result<bool, AdministerError> {
    by.reach(app, user).await?;
    Ok(app.store.unlock(user, by.entry(app, Event::Unlocked, Some(user), "")).await?)
}

/// Ends all sessions of an account.
pub async fn revoke_user(app: &App, by: &Administrator, user: UserId) -> Result<Ended, AdministerError> {
    by.reach(app, user).await?;
    let what = Revocation::UserSessions { user, except: None, reason: EndReason::EndedByAdmin };
    let entry = by.entry(app, Event::SessionsEnded, Some(user), "");
    Ok(access::end(app, what, entry).await?)
}

/// Ends one session.
pub async fn revoke_session(app: &App, by: &Administrator, sid: Sid) -> Result<Ended, AdministerError> {
    let user = app.store.by_sid(sid).await?.map(|(_, user)| user);
    if !by.duty.reaches(user.as_ref().and_then(Duty::of)) {
        return Err(AdministerError::Above);
    }
    let user = user.map(|user| user.id);
    let entry = AuditEntry { sid: Some(sid), ..by.entry(app, Event::SessionEnded, user, "") };
    Ok(access::end(app, Revocation::Session { sid, reason: EndReason::EndedByAdmin }, entry).await?)
}

/// Sets an account's roles; tokens minted before are stale.
pub async fn set_roles(app: &App, by: &Administrator, user: UserId, mut roles: Vec<Role>) -> Result<Ended, StoreError> {
    roles.sort();
    roles.dedup();
    let detail = roles.iter().map(Role::as_str).collect::<Vec<_>>().join(" ");
    let entry = by.entry(app, Event::RolesChanged, Some(user), &detail);
    access::end(app, Revocation::Roles { user, roles }, entry).await
}

/// Makes an invitation and returns its token. Only the hash is kept.
pub async fn invite(
    app: &App,
    by: &Administrator,
    (role, note): (Option<Role>, String),
    life: Duration,
) -> Result<Secret<String>, StoreError> {
    let token = Secret::new(format!("cfi_{}", base64url_encode(&random::<24>())));
    let expires_at = app.clock.now().plus(life);
    let entry = by.entry(app, Event::Invited, None, role.as_ref().map_or("", Role::as_str));
    let bootstrap = by.actor == Actor::System;
    let hash = invite_hash(token.expose());
    let invite = Invite { hash, role, note, issuer: by.actor.id(), bootstrap, expires_at };
    app.store.invite(invite, entry).await?;
    Ok(token)
}

/// Takes an invitation back, by its hash; `false` if there is none.
pub async fn withdraw_invite(app: &App, by: &Administrator, hash: [u8; 32]) -> Result<bool, StoreError> {
    app.store.withdraw_invite(hash, by.entry(app, Event::InviteWithdrawn, None, "")).await
}
