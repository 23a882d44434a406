//! `POST /api/auth/passkeys/sign-up/{start,finish}`: a new account that never has a password.

use super::Caller;
use super::counts;
use super::enrol_passkey::kept;
use super::factors::FactorError;
use super::mail_link::{self, MailLinkError};
use super::passkey_sign_in::{Challenge, relying_party};
use super::register::{RegisterError, has_room, invite_hash, most};
use super::sign_in::{SignIn, admit, go_on};
use super::ticket::{Ceremony, Progress, Ticket};
use crate::app::App;
use crate::clock::random;
use crate::config::DEFAULT_APPLICATION;
use crate::limits::Limited;
use crate::mail::Held;
use crate::passkeys::{Attestation, RelyingParty};
use crate::store::{NewAccount, Registered};
use counterfoil_core::assurance::Method;
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use counterfoil_core::credential::mail_link::{Purpose, hash as hash_of_link};
use counterfoil_core::credential::stored::NO_PASSWORD;
use counterfoil_core::user::{Email, User, parse_name};
use counterfoil_core::{Secret, UserId};
use counterfoil_guard::dpop::Proof;

/// An account to be made.
#[derive(Debug)]
pub struct SignUp {
    /// The address as typed.
    pub email: String,
    /// What the user likes to be called.
    pub name: Option<String>,
    /// An invitation's token.
    pub invite: Option<Secret<String>>,
    /// The application to sign in to.
    pub client_id: Option<String>,
}

/// Why no account was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignUpError {
    /// As for any account.
    #[error(transparent)]
    Register(#[from] RegisterError),
    /// The passkey.
    #[error(transparent)]
    Factor(#[from] FactorError),
}

/// What came of beginning.
#[derive(Debug)]
pub enum Begun {
    /// The device makes a passkey now.
    Challenge(Box<Challenge>),
    /// It goes on with a link in a mail.
    Mail,
}

/// Begins. Whether the address is free is settled at the end; where mail is sent, by a link that only its owner gets (P1).
pub async fn begin(app: &App, sign_up: SignUp, caller: &Caller) -> Result<Begun, SignUpError> {
    let party = relying_party(app).map_err(FactorError::from)?;
    if sign_up.invite.is_none() && !app.registration_is_open() {
        return Err(RegisterError::Closed.into());
    }
    let rate = app.config.limits.register_per_network;
    counts::take_from_network(app, Limited::RegisterNetwork, rate, caller).await.map_err(RegisterError::from)?;
    has_room(app).await?;
    let email = Email::parse(&sign_up.email).ok_or(RegisterError::BadEmail)?;
    let name = match sign_up.name.as_deref() {
        None | Some("") => None,
        Some(name) => Some(parse_name(name).ok_or(RegisterError::BadName)?),
    };
    let application = sign_up.client_id.unwrap_or_else(|| DEFAULT_APPLICATION.to_owned());
    if !app.applications.contains_key(&application) {
        return Err(FactorError::from(super::sign_in::LoginError::UnknownApplication).into());
    }
    let invite = sign_up.invite.map(|token| invite_hash(token.expose()));
    let account = Account { email, name, invite, application };
    if app.mail.is_some() {
        let Account { email, name, invite, application } = account;
        let held = Held::SignUp { email: email.as_str().to_owned(), name, invite, application };
        mail_link::ask(app, email, (None, held), caller).await.map_err(RegisterError::from)?;
        return Ok(Begun::Mail);
    }
    Ok(Begun::Challenge(Box::new(challenge(app, party, account, None))))
}

/// Goes on with the link. It goes on to count until the passkey is there: a device may need a second try.
pub async fn begin_with_link(app: &App, token: &Secret<String>) -> Result<Challenge, SignUpError> {
    let party = relying_party(app).map_err(FactorError::from)?;
    let invalid = || RegisterError::from(MailLinkError::Invalid);
    let opened = mail_link::look(app, Purpose::SignUp, token).await.map_err(RegisterError::from)?;
    let Held::SignUp { email, name, invite, application } = opened.held else { return Err(invalid().into()) };
    let email = Email::parse(&email).ok_or_else(invalid)?;
    let hash = hash_of_link(token).ok_or_else(invalid)?;
    Ok(challenge(app, party, Account { email, name, invite, application }, Some(hash)))
}

/// What is to be made.
struct Account {
    email: Email,
    name: Option<String>,
    invite: Option<[u8; 32]>,
    application: String,
}

fn challenge(app: &App, party: &RelyingParty, account: Account, link: Option<[u8; 32]>) -> Challenge {
    let Account { email, name, invite, application } = account;
    let user = UserId::from_bytes(random());
    let begun = party.begin_registration(user, (email.as_str(), name.as_deref().unwrap_or(email.as_str())), &[]);
    let what = Ceremony::SignUp {
        state: begun.state,
        user,
        email: email.as_str().to_owned(),
        name,
        invite,
        application,
        link,
    };
    Challenge { options: begun.options, ticket: Ticket::new(app, what) }
}

/// Finishes: the account is there, and its owner is signed in, having just been verified by the passkey.
pub async fn finish(
    app: &App,
    ticket: &Ticket,
    (answer, remember): (&Attestation, bool),
    proof: Option<&Proof>,
    caller: &Caller,
) -> Result<SignIn, SignUpError> {
    let Ceremony::SignUp { state, user, email, name, invite, application, link } = &ticket.what else {
        return Err(FactorError::Expired.into());
    };
    admit(app, application, proof).map_err(FactorError::from)?;
    let party = relying_party(app).map_err(FactorError::from)?;
    let made = party.finish_registration(state, answer).map_err(|_| FactorError::InvalidPasskey)?;
    if !ticket.spend(app).await.map_err(FactorError::from)? {
        return Err(FactorError::Expired.into());
    }
    let (id, now) = (*user, app.clock.now());
    if let Some(hash) = link {
        let taken = app.store.take_mail_link(*hash, Purpose::SignUp, now).await.map_err(FactorError::from)?;
        taken.ok_or(RegisterError::Link(MailLinkError::Invalid))?;
    }
    let method = if made.synced { Method::SyncedPasskey } else { Method::Passkey };
    let passkey = kept(made, id, caller.device.clone(), now);
    let shown = passkey.id.clone();
    let email = Email::parse(email).ok_or(RegisterError::BadEmail)?;
    let user =
        User { id, email, name: name.clone(), roles: Vec::new(), claims_version: 0, created_at: now, banned: None };
    let entry = AuditEntry { user: Some(id), ..caller.audit(Event::Registered, Actor::Anonymous, now) };
    let (hash, passkey) = (NO_PASSWORD.to_owned(), Some(passkey));
    let new = NewAccount { user, hash, passkey, invite: *invite, most: most(app) };
    match app.store.register(new, entry).await.map_err(FactorError::from)? {
        Registered::Done => {}
        Registered::EmailTaken => return Err(RegisterError::EmailTaken.into()),
        Registered::InviteInvalid => return Err(RegisterError::InviteInvalid.into()),
        Registered::Full => return Err(RegisterError::Full.into()),
        Registered::PasskeyTaken => return Err(FactorError::Taken.into()),
    }
    let application = application.clone();
    let methods = vec![method];
    let progress = Progress {
        user: id,
        application,
        remember,
        methods,
        password: None,
        legacy: None,
        trouble: None,
        noted: Vec::new(),
    };
    Ok(go_on(app, progress, Some(shown), proof, caller).await.map_err(FactorError::from)?)
}
