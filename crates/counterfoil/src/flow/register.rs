//! `POST /api/auth/register`: a new account. Never signs in.

use super::Caller;
use super::counts::{self, Limit};
use super::mail_link::{self, MailLinkError};
use super::ticket::Ticket;
use crate::app::App;
use crate::clock::random;
use crate::config::RegistrationPolicy;
use crate::hashing::HashingError;
use crate::limits::Limited;
use crate::mail::{Asked, Held};
use crate::store::{NewAccount, Registered, StoreError};
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use counterfoil_core::credential::mail_link::Purpose;
use counterfoil_core::credential::password::{Password, Rejected};
use counterfoil_core::user::{Email, Role, User, parse_name};
use counterfoil_core::{Secret, UserId};
use std::time::Duration;

/// An account to be made.
#[derive(Debug)]
pub struct Registration {
    /// The address as typed.
    pub email: String,
    /// The password as typed.
    pub password: Secret<String>,
    /// What the user likes to be called.
    pub name: Option<String>,
    /// An invitation's token.
    pub invite: Option<Secret<String>>,
}

/// Why no account was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// Not an address.
    #[error("that is not an email address")]
    BadEmail,
    /// A name with characters that cannot be shown safely, or too long.
    #[error("that name cannot be used")]
    BadName,
    /// The password is not acceptable.
    #[error("the password is not acceptable")]
    Password(Rejected),
    /// There is an account with this address.
    #[error("there is an account with this address")]
    EmailTaken,
    /// Accounts are not open to everybody.
    #[error("registration is closed")]
    Closed,
    /// There are as many accounts as there may be.
    #[error("there are as many accounts as there may be")]
    Full,
    /// The invitation is unknown, spent or over.
    #[error("the invitation is not valid")]
    InviteInvalid,
    /// The password that was shown is not the one that was chosen.
    #[error("the password is wrong")]
    InvalidCredentials,
    /// The link that confirms the address.
    #[error(transparent)]
    Link(#[from] MailLinkError),
    /// Too many from this network; try again after this.
    #[error("too many attempts")]
    RateLimited(Duration),
    /// Password hashing.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Limit> for RegisterError {
    fn from(limit: Limit) -> Self {
        match limit {
            Limit::Wait(wait) => Self::RateLimited(wait),
            Limit::Store(error) => Self::Store(error),
        }
    }
}

/// What came of a registration.
#[derive(Debug)]
pub enum Registering {
    /// The account is there.
    Done(User),
    /// It is there once a link in a mail has been opened; the client keeps the ticket until then.
    Mail(Ticket),
}

/// Makes an account for whoever may have one; where mail is sent, only once the address is confirmed. The answer is then the same whether
/// the address is free or not (P1).
pub async fn register(app: &App, registration: Registration, caller: &Caller) -> Result<Registering, RegisterError> {
    let open = app.config.registration.policy == RegistrationPolicy::Open;
    if registration.invite.is_none() && !open {
        return Err(RegisterError::Closed);
    }
    let rate = app.config.limits.register_per_network;
    counts::take_from_network(app, Limited::RegisterNetwork, rate, caller).await?;
    has_room(app).await?;
    let Some(office) = app.mail.as_deref() else {
        return create(app, registration, Vec::new(), (Actor::Anonymous, caller)).await.map(Registering::Done);
    };
    let (email, name, password) = read(app, &registration).await?;
    mail_link::count(app, &email, caller).await?;
    let hash = app.hasher.hash(password).await?;
    let (ticket, asked) = mail_link::ticket(app, Purpose::Register);
    let invite = registration.invite.map(|token| invite_hash(token.expose()));
    let held = Held::Register { email: email.as_str().to_owned(), name, hash, invite, asked };
    office.ask(Asked::Link { to: email, by: None, held }).map_err(MailLinkError::from)?;
    Ok(Registering::Mail(ticket))
}

/// Makes the account that a link confirms the address of. In another browser than the one that has asked for it, the password has to be
/// shown: or somebody could choose one, and have the owner of the address confirm the account for them.
pub async fn confirm(
    app: &App,
    (token, password): (&Secret<String>, Option<&Secret<String>>),
    tickets: &[&Ticket],
    caller: &Caller,
) -> Result<User, RegisterError> {
    let opened = mail_link::look(app, Purpose::Register, token).await?;
    let Held::Register { email, name, hash, invite, asked } = opened.held else {
        return Err(MailLinkError::Invalid.into());
    };
    let email = Email::parse(&email).ok_or(RegisterError::BadEmail)?;
    if !mail_link::has_asked(tickets, (Purpose::Register, asked)) {
        let password = password.ok_or(MailLinkError::OtherBrowser)?;
        let rate = app.config.limits.login_per_account.rate();
        counts::take(app, Limited::LoginAccount, &email.key(), rate).await?;
        let password = Password::new(password).map_err(|_| RegisterError::InvalidCredentials)?;
        if !app.hasher.verify(password, Some(hash.clone())).await? {
            return Err(RegisterError::InvalidCredentials);
        }
    }
    mail_link::take(app, Purpose::Register, token).await?;
    let (id, now) = (UserId::from_bytes(random()), app.clock.now());
    let user = User { id, email, name, roles: Vec::new(), claims_version: 0, created_at: now, banned: None };
    let entry = caller.audit(Event::Registered, Actor::Anonymous, now);
    keep(app, NewAccount { user, hash, passkey: None, invite, most: most(app) }, entry).await
}

/// Makes an account on somebody's authority, with roles.
pub async fn create(
    app: &App,
    registration: Registration,
    roles: Vec<Role>,
    (actor, caller): (Actor, &Caller),
) -> Result<User, RegisterError> {
    let now = app.clock.now();
    let (email, name, password) = read(app, &registration).await?;
    let hash = app.hasher.hash(password).await?;
    let id = UserId::from_bytes(random());
    let user = User { id, email, name, roles, claims_version: 0, created_at: now, banned: None };
    let invite = registration.invite.map(|token| invite_hash(token.expose()));
    let new = NewAccount { user, hash, passkey: None, invite, most: most(app) };
    keep(app, new, caller.audit(Event::Registered, actor, now)).await
}

/// How many accounts there may be.
pub(super) fn most(app: &App) -> Option<u32> {
    app.config.registration.max_users
}

/// Whether there is room for one more, said before anything else is done; the store makes sure of it.
pub(super) async fn has_room(app: &App) -> Result<(), RegisterError> {
    match most(app) {
        Some(most) if app.store.count_users(most).await? >= most => Err(RegisterError::Full),
        _ => Ok(()),
    }
}

/// What was typed, checked before any hashing.
async fn read(app: &App, registration: &Registration) -> Result<(Email, Option<String>, Password), RegisterError> {
    let email = Email::parse(&registration.email).ok_or(RegisterError::BadEmail)?;
    let name = match registration.name.as_deref() {
        None | Some("") => None,
        Some(name) => Some(parse_name(name).ok_or(RegisterError::BadName)?),
    };
    let words = [email.as_str(), name.as_deref().unwrap_or_default()];
    let password = acceptable(app, &registration.password, &words).await.map_err(RegisterError::Password)?;
    Ok((email, name, password))
}

async fn keep(app: &App, account: NewAccount, entry: AuditEntry) -> Result<User, RegisterError> {
    let user = account.user.clone();
    match app.store.register(account, AuditEntry { user: Some(user.id), ..entry }).await? {
        Registered::Done => Ok(user),
        Registered::EmailTaken | Registered::PasskeyTaken => Err(RegisterError::EmailTaken),
        Registered::InviteInvalid => Err(RegisterError::InviteInvalid),
        Registered::Full => Err(RegisterError::Full),
    }
}

/// Checks a new password against the rules and the lists of breached ones, before any hashing.
pub(super) async fn acceptable(app: &App, received: &Secret<String>, context: &[&str]) -> Result<Password, Rejected> {
    let password = Password::new(received)?;
    let context = [context, &[app.config.service_name.as_str(), "counterfoil", app.public.host()]].concat();
    password.check(app.config.password.min_length, &context)?;
    if app.risk.is_breached(&password, app.clock.now()).await {
        return Err(Rejected::Breached);
    }
    Ok(password)
}

/// What the store keeps of an invitation's token.
pub fn invite_hash(token: &str) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes());
    digest.as_ref().try_into().expect("SHA-256 is 32 bytes")
}
