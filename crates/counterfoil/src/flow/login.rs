//! `POST /api/auth/login`: a password, and a session for it.

use super::counts::{self, Limit};
use super::deliver::{Delivery, LongLived, deliver};
use super::proof::use_up;
use super::rehash::rehash;
use super::{Caller, access};
use crate::app::App;
use crate::clock::random;
use crate::config::DEFAULT_APPLICATION;
use crate::hashing::HashingError;
use crate::limits::Limited;
use crate::store::{Credential, NewSession, Opened, StoreError};
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use counterfoil_core::credential::password::Password;
use counterfoil_core::credential::stored::is_imported;
use counterfoil_core::profile::Profile;
use counterfoil_core::refresh::rotation::Rotation;
use counterfoil_core::session::{Assurance, Binding, Handle, Session};
use counterfoil_core::user::{Email, User};
use counterfoil_core::{Secret, Sid, Timestamp};
use counterfoil_guard::dpop::Proof;
use std::time::Duration;

/// NIST-3.2.2: this many failures in a row lock a password until an administrator unlocks it.
pub(super) const FAILURES_THAT_LOCK: u32 = 100;

/// A sign-in with a password.
#[derive(Debug)]
pub struct Login {
    /// The address as typed.
    pub email: String,
    /// The password as typed.
    pub password: Secret<String>,
    /// The application; the default one if not named.
    pub client_id: Option<String>,
    /// Whether the session outlives the browser.
    pub remember: bool,
}

/// A session was made.
#[derive(Debug)]
pub struct SignedIn {
    /// The session.
    pub session: Session,
    /// Its user.
    pub user: User,
    /// Its tokens.
    pub delivery: Delivery,
}

/// Why nobody was signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// Wrong address or password, banned, or locked: not told apart (P1).
    #[error("the email or the password is wrong")]
    InvalidCredentials,
    /// No application of that name.
    #[error("there is no such application")]
    UnknownApplication,
    /// Too many attempts; try again after this.
    #[error("too many attempts")]
    RateLimited(Duration),
    /// Password hashing.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The proof has been used already.
    #[error("the proof of possession has been used")]
    BadProof,
    /// The application takes only clients that prove to hold a key (DPOP-5b).
    #[error("a proof of possession is missing")]
    Unproven,
    /// The access token does not fit its budget.
    #[error("the access token does not fit its budget")]
    TooLarge,
}

impl From<Limit> for LoginError {
    fn from(limit: Limit) -> Self {
        match limit {
            Limit::Wait(wait) => Self::RateLimited(wait),
            Limit::Store(error) => Self::Store(error),
        }
    }
}

/// Signs in with a password. A `native` session is bound to the key of the client's `proof`, if it has brought one.
pub async fn login(app: &App, login: Login, proof: Option<&Proof>, caller: &Caller) -> Result<SignedIn, LoginError> {
    let now = app.clock.now();
    let application = login.client_id.as_deref().unwrap_or(DEFAULT_APPLICATION).to_owned();
    match app.applications.get(&application) {
        None => return Err(LoginError::UnknownApplication),
        Some(known) if known.require_dpop && proof.is_none() => return Err(LoginError::Unproven),
        Some(_) => {}
    }
    let account = login.email.trim().to_ascii_lowercase();
    count_attempt(app, &account, caller).await?;
    let (user, mut hash) = check_password(app, &login, caller, now).await?;
    let proof = proof.filter(|_| app.applications[&application].profile == Profile::Native);
    if let Some(proof) = proof
        && !use_up(app, proof).await?
    {
        // Written down like a failure: nobody shall try passwords with a proof that opens no session.
        let entry = caller.audit(Event::SignInFailed, Actor::Anonymous, now);
        app.store.note_failure(Some(user.id), AuditEntry { user: Some(user.id), ..entry }).await?;
        return Err(LoginError::BadProof);
    }
    give_attempts_back(app, &account, caller).await;
    let mut session = new_session(app, &user, application, login.remember, (caller, now));
    session.binding = proof.map_or(Binding::None, |proof| Binding::Dpop(proof.key));
    let entry = caller.audit(Event::SignedIn, Actor::User(user.id), now);
    let entry = AuditEntry { user: Some(user.id), sid: Some(session.sid), ..entry };
    let limit = app.config.session.max_per_user;
    let new = |hash: &str| NewSession { session: session.clone(), proved_by: Some(hash.to_owned()), limit };
    // Hashing took a while: what the account may do, and what its tokens say, is settled in the same transaction.
    let mut opened = access::open(app, new(&hash), entry.clone()).await?;
    if opened == Opened::Refused && is_imported(&hash) {
        // Another sign-in with the same password may have replaced the imported hash meanwhile. Only who has shown the
        // password comes here: that it takes longer tells strangers nothing.
        (_, hash) = check_password(app, &login, caller, now).await?;
        opened = access::open(app, new(&hash), entry).await?;
    }
    let Opened::Done { user, .. } = opened else { return Err(LoginError::InvalidCredentials) };
    metrics::counter!("counterfoil_sign_ins_total").increment(1);
    if is_imported(&hash) {
        rehash(app, &user, (&login.password, hash), caller).await;
    }
    let delivery = deliver(app, &session, &user, now, LongLived::New).map_err(|_| LoginError::TooLarge)?;
    Ok(SignedIn { session, user, delivery })
}

async fn count_attempt(app: &App, account: &str, caller: &Caller) -> Result<(), LoginError> {
    let limits = &app.config.limits;
    let network = (Limited::LoginNetwork, caller.source(), limits.login_per_network.rate());
    let account = (Limited::LoginAccount, account.to_owned(), limits.login_per_account.rate());
    for (what, key, rate) in [network, account] {
        counts::take(app, what, &key, rate).await?;
    }
    Ok(())
}

/// Only failures shall count: a household or an office signs in as often as it likes.
async fn give_attempts_back(app: &App, account: &str, caller: &Caller) {
    counts::give_back(app, Limited::LoginAccount, account, None).await;
    let rate = app.config.limits.login_per_network.rate();
    counts::give_back(app, Limited::LoginNetwork, &caller.source(), Some(rate)).await;
}

/// The same work whether the account exists or not, and one answer for every way to fail (P1, ATK-39).
async fn check_password(
    app: &App,
    login: &Login,
    caller: &Caller,
    now: Timestamp,
) -> Result<(User, String), LoginError> {
    let password = Password::new(&login.password).map_err(|_| LoginError::InvalidCredentials)?;
    let found = match Email::parse(&login.email) {
        Some(email) => app.store.credential(&email.key()).await?,
        None => None,
    };
    let stored = found.as_ref().map(|credential| credential.hash.clone());
    let right = app.hasher.verify(password, stored).await?;
    match found {
        Some(Credential { user, hash, failures })
            if right && failures < FAILURES_THAT_LOCK && user.banned.is_none() =>
        {
            if failures > 0 {
                app.store.clear_failures(user.id).await?;
            }
            Ok((user, hash))
        }
        found => {
            let user = found.map(|credential| credential.user.id);
            let entry = caller.audit(Event::SignInFailed, Actor::Anonymous, now);
            app.store.note_failure(user, AuditEntry { user, ..entry }).await?;
            metrics::counter!("counterfoil_sign_in_failures_total").increment(1);
            Err(LoginError::InvalidCredentials)
        }
    }
}

fn new_session(
    app: &App,
    user: &User,
    application: String,
    persistent: bool,
    (caller, now): (&Caller, Timestamp),
) -> Session {
    let config = &app.config.session;
    let (idle, absolute) =
        if persistent { (config.idle, config.absolute) } else { (config.browser_idle, config.browser_absolute) };
    Session {
        sid: Sid::from_bytes(random()),
        handle: Handle::from_bytes(random()),
        user: user.id,
        profile: app.applications[&application].profile,
        application,
        persistent,
        created_at: now,
        auth_time: now,
        last_seen_at: now,
        idle: idle.0,
        expires_at: now.plus(absolute.0),
        acr: Assurance::Aal1,
        amr: vec!["pwd".into()],
        device: caller.device.clone(),
        network: caller.network(),
        ended: None,
        binding: Binding::None,
        copy_refused_at: None,
        rotation: Rotation::first(now),
    }
}
