//! `POST /api/admin/users/{id}/reset`: somebody has lost everything that opens their account beside the password. An administrator who has made
//! sure who it is takes those ways away; what comes in their place only the owner of the mail address chooses (ASVS-6.4.6).

use super::access::{self, Ended};
use super::administer::Administrator;
use crate::app::App;
use crate::mail::{Asked, Held};
use crate::store::StoreError;
use crate::store::factors::{Changed, Changer, FactorChange};
use counterfoil_core::UserId;
use counterfoil_core::audit::Event;
use counterfoil_core::credential::stored::NO_PASSWORD;
use counterfoil_core::revocation::Revocation;
use counterfoil_core::session::EndReason;

/// Why everything stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResetFactorsError {
    /// There is no such account.
    #[error("there is no such account")]
    Unknown,
    /// It has no password, and none can be chosen without mail: nobody could sign in any more.
    #[error("without mail the account could not be opened any more")]
    NoWayIn,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Takes passkeys, authenticator app and recovery codes away, ends every session, and sends a link to choose a password to an account that has
/// none.
pub async fn reset_factors(app: &App, by: &Administrator, user: UserId) -> Result<Ended, ResetFactorsError> {
    let credential = app.store.credential_of(user).await?.ok_or(ResetFactorsError::Unknown)?;
    let without_password = credential.hash == NO_PASSWORD;
    if without_password && app.mail.is_none() {
        return Err(ResetFactorsError::NoWayIn);
    }
    // First the sessions: in one that lives, another passkey could be added after the reset.
    let what = Revocation::UserSessions { user, except: None, reason: EndReason::EndedByAdmin };
    let ended = access::end(app, what, by.entry(app, Event::SessionsEnded, Some(user), "")).await?;
    let entry = by.entry(app, Event::FactorsReset, Some(user), "");
    if app.store.change_factors(user, FactorChange::Reset, Changer::Server, entry).await? != Changed::Done {
        return Err(ResetFactorsError::Unknown);
    }
    if let Some(mail) = app.mail.as_ref().filter(|_| without_password)
        && mail.ask(Asked::Link { to: credential.user.email, by: None, held: Held::Reset }).is_err()
    {
        tracing::warn!(
            "the link to choose a password was not sent: too much mail waits; it can be asked for at /forgot"
        );
    }
    Ok(ended)
}
