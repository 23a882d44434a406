//! `POST /api/auth/email/change` and `…/finish`: another address for an account. The new one is confirmed, the old one is told, and both
//! steps are taken by whoever is signed in, with a fresh proof at the first (ASVS-7.5.1).

use super::Caller;
use super::authenticate::Identity;
use super::factors::{FactorError, require_fresh};
use super::mail_link::{self, MailLinkError};
use crate::app::App;
use crate::mail::{Asked, Held, Letter, Seen, What};
use crate::store::mail::EmailChanged;
use counterfoil_core::Secret;
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use counterfoil_core::credential::mail_link::Purpose;
use counterfoil_core::user::Email;

/// Why the address stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeEmailError {
    /// The proof.
    #[error(transparent)]
    Factor(#[from] FactorError),
    /// The link.
    #[error(transparent)]
    Link(#[from] MailLinkError),
    /// Somebody has got the address meanwhile.
    #[error("there is an account with this address")]
    Taken,
    /// It is another account's link than the one that is signed in here.
    #[error("somebody else is signed in here")]
    OtherAccount,
}

/// Asks the new address. Whether it is somebody's is said there and not here (P1).
pub async fn ask(app: &App, identity: &Identity, to: &str, caller: &Caller) -> Result<(), ChangeEmailError> {
    require_fresh(app, identity)?;
    let to = Email::parse(to).ok_or(MailLinkError::BadEmail)?;
    let user = &identity.user;
    let held = Held::ChangeEmail { from: user.email.as_str().to_owned(), to: to.as_str().to_owned() };
    Ok(mail_link::ask(app, to, (Some(user.id), held), caller).await?)
}

/// Uses the link, in a browser that is signed in to the account.
pub async fn finish(
    app: &App,
    identity: &Identity,
    token: &Secret<String>,
    caller: &Caller,
) -> Result<Email, ChangeEmailError> {
    let opened = mail_link::look(app, Purpose::ChangeEmail, token).await?;
    if opened.user != Some(identity.user.id) {
        return Err(ChangeEmailError::OtherAccount);
    }
    let Held::ChangeEmail { from, to } = &opened.held else { return Err(MailLinkError::Invalid.into()) };
    let parse = |text: &str| Email::parse(text).ok_or(MailLinkError::Invalid);
    let (from, to) = (parse(from)?, parse(to)?);
    mail_link::take(app, Purpose::ChangeEmail, token).await?;
    let (id, now) = (identity.user.id, app.clock.now());
    let entry = caller.audit(Event::EmailChanged, Actor::User(id), now);
    let entry = AuditEntry { user: Some(id), sid: Some(identity.session.sid), ..entry };
    match app.store.change_email(id, (from.clone(), to.clone()), entry).await.map_err(MailLinkError::from)? {
        EmailChanged::Done => {}
        EmailChanged::Taken => return Err(ChangeEmailError::Taken),
        EmailChanged::Unknown => return Err(MailLinkError::Invalid.into()),
    }
    let seen = Seen { at: now, network: caller.network(), device: caller.device.clone() };
    let letter = Letter { seen: Some(seen), ..Letter::plain(What::EmailChanged) };
    // The address has changed, whatever becomes of the letter.
    if mail_link::office(app)?.ask(Asked::Letter { to: from, letter }).is_err() {
        tracing::warn!("the old address could not be told that it is not the account's any more: the queue is full");
    }
    Ok(to)
}
