//! `DELETE /api/auth/account`: an account goes for good, by its user's hand or by an administrator's. Its sessions end and what is personal
//! is erased in one transaction; the networks in the audit log follow, beside its chain.

use super::access::Ended;
use super::administer::{ADMIN, Administrator};
use super::authenticate::Identity;
use super::factors::{FactorError, require_fresh};
use super::{Caller, access, seal};
use crate::app::App;
use crate::mail::{Asked, Letter, Seen, What};
use crate::store::StoreError;
use counterfoil_core::UserId;
use counterfoil_core::assurance::Challenge;
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use counterfoil_core::revocation::Revocation;
use counterfoil_core::user::{Email, Role};

/// How many deleted accounts one round of housekeeping looks after.
const AT_ONCE: u32 = 100;

/// Why nothing was deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeleteError {
    /// The last proof is too long ago.
    #[error("prove that it is you first")]
    Reauthenticate(Challenge),
    /// Nobody else who may sign in is an administrator.
    #[error("nobody else is an administrator")]
    LastAdministrator,
    /// There is no such account.
    #[error("there is no such account")]
    Unknown,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Deletes the account of whoever is signed in.
pub async fn delete_own(app: &App, identity: &Identity, caller: &Caller) -> Result<Ended, DeleteError> {
    match require_fresh(app, identity) {
        Err(FactorError::Reauthenticate(challenge)) => return Err(DeleteError::Reauthenticate(challenge)),
        Err(_) => return Err(DeleteError::Unknown),
        Ok(()) => {}
    }
    let user = identity.user.id;
    let entry = caller.audit(Event::AccountDeleted, Actor::User(user), app.clock.now());
    let at = entry.at;
    let ended = delete(app, user, AuditEntry { user: Some(user), ..entry }).await?;
    tell(app, identity.user.email.clone(), Seen { at, network: caller.network(), device: caller.device.clone() });
    Ok(ended)
}

/// The last mail. It is not in the audit log's notices: the address is gone from the store by now.
fn tell(app: &App, to: Email, seen: Seen) {
    let letter = Letter { seen: Some(seen), ..Letter::plain(What::AccountDeleted) };
    if let Some(mail) = &app.mail
        && mail.ask(Asked::Letter { to, letter }).is_err()
    {
        tracing::warn!("the owner of a deleted account could not be told: too much mail waits");
    }
}

/// Deletes somebody's account.
pub async fn delete_as(app: &App, by: &Administrator, user: UserId) -> Result<Ended, DeleteError> {
    delete(app, user, by.entry(app, Event::AccountDeleted, Some(user), "")).await
}

async fn delete(app: &App, user: UserId, entry: AuditEntry) -> Result<Ended, DeleteError> {
    let unless_last = Role::parse(ADMIN).expect("the word is a role's name");
    let ended = access::end(app, Revocation::Deletion { user, unless_last }, entry).await?;
    if !ended.found {
        let is_there = app.store.credential_of(user).await?.is_some();
        return Err(if is_there { DeleteError::LastAdministrator } else { DeleteError::Unknown });
    }
    // Deleted it is. What this cannot erase now, the housekeeping does.
    if let Err(error) = seal::erase_networks(app, user).await {
        tracing::warn!(%error, "the networks in the audit entries of a deleted account are erased later");
    }
    Ok(ended)
}

/// Erases the networks of accounts that have been deleted: those that a crash has left, and those of attempts with their tokens since.
pub async fn finish(app: &App) -> Result<(), StoreError> {
    for user in app.store.unerased(AT_ONCE).await? {
        seal::erase_networks(app, user).await?;
    }
    Ok(())
}
