//! `POST /api/auth/password/{forgot,reset}`: another password, by a link in a mail. It signs nobody in, and takes nothing of what else the
//! account asks for (ASVS-6.4.3).

use super::Caller;
use super::access::{self, Ended};
use super::mail_link::{self, MailLinkError, owner};
use super::register::acceptable;
use crate::app::App;
use crate::hashing::HashingError;
use crate::mail::Held;
use counterfoil_core::Secret;
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use counterfoil_core::credential::mail_link::Purpose;
use counterfoil_core::credential::password::Rejected;
use counterfoil_core::revocation::Revocation;
use counterfoil_core::user::Email;

/// Why the password stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResetError {
    /// The link.
    #[error(transparent)]
    Link(#[from] MailLinkError),
    /// The new one is not acceptable.
    #[error("the password is not acceptable")]
    Password(Rejected),
    /// Password hashing.
    #[error(transparent)]
    Hashing(#[from] HashingError),
}

/// Asks for a link. The answer is the same whether there is an account or not (P1).
pub async fn forgot(app: &App, email: &str, caller: &Caller) -> Result<(), MailLinkError> {
    let email = Email::parse(email).ok_or(MailLinkError::BadEmail)?;
    mail_link::ask(app, email, (None, Held::Reset), caller).await
}

/// Uses the link. Every session ends; the link counts only once the new password is good.
pub async fn reset(
    app: &App,
    (token, new): (&Secret<String>, &Secret<String>),
    caller: &Caller,
) -> Result<Ended, ResetError> {
    let user = owner(app, &mail_link::look(app, Purpose::Reset, token).await?).await?;
    let words = [user.email.as_str(), user.name.as_deref().unwrap_or_default()];
    let password = acceptable(app, new, &words).await.map_err(ResetError::Password)?;
    let hash = app.hasher.hash(password).await?;
    mail_link::take(app, Purpose::Reset, token).await?;
    let entry = caller.audit(Event::PasswordReset, Actor::User(user.id), app.clock.now());
    let what = Revocation::Password { user: user.id, hash, keep: None };
    let entry = AuditEntry { user: Some(user.id), ..entry };
    let ended = access::end(app, what, entry).await.map_err(MailLinkError::from)?;
    if ended.found { Ok(ended) } else { Err(MailLinkError::Invalid.into()) }
}
