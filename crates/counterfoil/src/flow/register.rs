//! `POST /api/auth/register`: a new account. Never signs in.

use super::Caller;
use super::counts::{self, Limit};
use crate::app::App;
use crate::clock::random;
use crate::config::RegistrationPolicy;
use crate::hashing::HashingError;
use crate::limits::Limited;
use crate::store::{NewAccount, Registered, StoreError};
use counterfoil_core::audit::{Actor, AuditEntry, Event};
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
    /// The invitation is unknown, spent or over.
    #[error("the invitation is not valid")]
    InviteInvalid,
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

/// Makes an account for whoever may have one.
pub async fn register(app: &App, registration: Registration, caller: &Caller) -> Result<User, RegisterError> {
    let open = app.config.registration.policy == RegistrationPolicy::Open;
    if registration.invite.is_none() && !open {
        return Err(RegisterError::Closed);
    }
    let rate = app.config.limits.register_per_network;
    counts::take_from_network(app, Limited::RegisterNetwork, rate, caller).await?;
    create(app, registration, Vec::new(), (Actor::Anonymous, caller)).await
}

/// Makes an account on somebody's authority, with roles.
pub async fn create(
    app: &App,
    registration: Registration,
    roles: Vec<Role>,
    (actor, caller): (Actor, &Caller),
) -> Result<User, RegisterError> {
    let now = app.clock.now();
    let email = Email::parse(&registration.email).ok_or(RegisterError::BadEmail)?;
    let name = match registration.name.as_deref() {
        None | Some("") => None,
        Some(name) => Some(parse_name(name).ok_or(RegisterError::BadName)?),
    };
    let words = [email.as_str(), name.as_deref().unwrap_or_default()];
    let password = acceptable(app, &registration.password, &words).await.map_err(RegisterError::Password)?;
    let hash = app.hasher.hash(password).await?;
    let id = UserId::from_bytes(random());
    let user = User { id, email, name, roles, claims_version: 0, created_at: now, banned: None };
    let invite = registration.invite.map(|token| invite_hash(token.expose()));
    let entry = AuditEntry { user: Some(id), ..caller.audit(Event::Registered, actor, now) };
    match app.store.register(NewAccount { user: user.clone(), hash, passkey: None, invite }, entry).await? {
        Registered::Done => Ok(user),
        Registered::EmailTaken | Registered::PasskeyTaken => Err(RegisterError::EmailTaken),
        Registered::InviteInvalid => Err(RegisterError::InviteInvalid),
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
