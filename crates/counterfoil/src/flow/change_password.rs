//! `POST /api/auth/password/change`: a new password, a new handle for this session, and the end of all the others.

use super::access::Ended;
use super::authenticate::Identity;
use super::counts::{self, Limit};
use super::deliver::{DeliverError, Delivery, LongLived, deliver};
use super::factors::challenge;
use super::login::FAILURES_THAT_LOCK;
use super::register::acceptable;
use super::{Caller, access};
use crate::app::App;
use crate::clock::random;
use crate::hashing::HashingError;
use crate::limits::Limited;
use crate::store::StoreError;
use counterfoil_core::Secret;
use counterfoil_core::assurance::Challenge;
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use counterfoil_core::credential::password::{Password, Rejected};
use counterfoil_core::credential::stored::NO_PASSWORD;
use counterfoil_core::refresh::rotation::Rotation;
use counterfoil_core::revocation::Revocation;
use counterfoil_core::session::Handle;
use std::time::Duration;

/// Why the password was not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangePasswordError {
    /// The current password is wrong.
    #[error("the current password is wrong")]
    InvalidCredentials,
    /// The last proof is too long ago.
    #[error("prove that it is you first")]
    Reauthenticate(Challenge),
    /// The new one is not acceptable.
    #[error("the password is not acceptable")]
    Password(Rejected),
    /// The session ended while the password was being hashed; nothing was changed.
    #[error("the session has ended")]
    SessionEnded,
    /// Too many wrong attempts.
    #[error("too many attempts")]
    RateLimited(Duration),
    /// Password hashing.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The access token does not fit its budget.
    #[error("the access token does not fit its budget")]
    TooLarge,
}

impl From<DeliverError> for ChangePasswordError {
    fn from(error: DeliverError) -> Self {
        match error {
            DeliverError::TooLarge(_) => Self::TooLarge,
            DeliverError::Store(error) => Self::Store(error),
        }
    }
}

impl From<Limit> for ChangePasswordError {
    fn from(limit: Limit) -> Self {
        match limit {
            Limit::Wait(wait) => Self::RateLimited(wait),
            Limit::Store(error) => Self::Store(error),
        }
    }
}

/// Changes the password of whoever is signed in, or gives one to who has only passkeys. The answer carries new tokens for this session (ASVS-7.2.4).
pub async fn change_password(
    app: &App,
    identity: Identity,
    (current, new): (Option<&Secret<String>>, &Secret<String>),
    caller: &Caller,
) -> Result<(Delivery, Ended), ChangePasswordError> {
    let now = app.clock.now();
    let Identity { mut session, user } = identity;
    let key = user.email.key();
    counts::take(app, Limited::LoginAccount, &key, app.config.limits.login_per_account.rate()).await?;
    let name = user.name.as_deref().unwrap_or_default();
    let acceptable = acceptable(app, new, &[user.email.as_str(), name]).await.map_err(ChangePasswordError::Password)?;
    let factors = app.store.factors(user.id).await?.ok_or(ChangePasswordError::SessionEnded)?;
    // Where there is something stronger than a password, the password alone must not be enough to change it.
    let stronger = factors.totp.is_some() || !factors.passkeys.is_empty();
    if stronger && now.since(session.auth_time) > app.config.session.fresh.0 {
        return Err(ChangePasswordError::Reauthenticate(challenge(app)));
    }
    if factors.credential.hash != NO_PASSWORD {
        let known = Password::new(current.ok_or(ChangePasswordError::InvalidCredentials)?);
        let known = known.map_err(|_| ChangePasswordError::InvalidCredentials)?;
        let locked = factors.credential.failures >= FAILURES_THAT_LOCK;
        if !app.hasher.verify(known, Some(factors.credential.hash)).await? || locked {
            let entry = caller.audit(Event::SignInFailed, Actor::User(user.id), now);
            let entry = AuditEntry { user: Some(user.id), sid: Some(session.sid), ..entry };
            app.store.note_failure(Some(user.id), entry).await?;
            return Err(ChangePasswordError::InvalidCredentials);
        }
    } else if !stronger {
        // Imported without a password: whoever is signed in has not come by one, and has nothing to prove it with.
        return Err(ChangePasswordError::InvalidCredentials);
    }
    counts::give_back(app, Limited::LoginAccount, &key, None).await;
    let hash = app.hasher.hash(acceptable).await?;
    let now = app.clock.now();
    let handle = Handle::from_bytes(random());
    let what = Revocation::Password { user: user.id, hash, keep: Some((session.sid, handle)) };
    let entry = caller.audit(Event::PasswordChanged, Actor::User(user.id), now);
    let changed = access::end(app, what, AuditEntry { user: Some(user.id), sid: Some(session.sid), ..entry }).await?;
    if !changed.found {
        return Err(ChangePasswordError::SessionEnded);
    }
    session.handle = handle;
    session.rotation = Rotation::first(now);
    session.auth_time = now;
    session.last_seen_at = now;
    let delivery = deliver(app, &session, &user, now, LongLived::New).await?;
    Ok((delivery, changed))
}
