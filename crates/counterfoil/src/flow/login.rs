//! `POST /api/auth/login`: a password, and a session for it or the next step.

use super::Caller;
use super::assess;
use super::counts;
use super::rehash::rehash;
use super::sign_in::{LoginError, SignIn, admit, go_on};
use super::ticket::{Ceremony, Progress, remembered};
use crate::app::App;
use crate::config::DEFAULT_APPLICATION;
use crate::limits::Limited;
use crate::store::Credential;
use counterfoil_core::assurance::Method;
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use counterfoil_core::credential::password::Password;
use counterfoil_core::credential::stored::is_imported;
use counterfoil_core::user::{Email, User};
use counterfoil_core::{Secret, Timestamp};
use counterfoil_guard::dpop::Proof;

/// NIST-3.2.2: this many failures in a row lock a password until an administrator unlocks it.
pub(crate) const FAILURES_THAT_LOCK: u32 = 100;

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

/// Signs in with a password. A `native` session is bound to the key of the client's `proof`, if it has brought one.
pub async fn login(app: &App, login: Login, proof: Option<&Proof>, caller: &Caller) -> Result<SignIn, LoginError> {
    let now = app.clock.now();
    let application = login.client_id.as_deref().unwrap_or(DEFAULT_APPLICATION).to_owned();
    admit(app, &application, proof)?;
    let account = login.email.trim().to_ascii_lowercase();
    count_attempt(app, &account, caller).await?;
    let (user, hash) = check_password(app, &login, caller, now).await?;
    let trouble = assess::trouble(app, &login.password).await;
    let progress = |hash: &str| Progress {
        user: user.id,
        application: application.clone(),
        remember: login.remember,
        methods: vec![Method::Password],
        password: Some(remembered(hash)),
        legacy: None,
        trouble,
        noted: Vec::new(),
    };
    let mut outcome = go_on(app, progress(&hash), None, proof, caller).await;
    if matches!(outcome, Err(LoginError::InvalidCredentials)) && is_imported(&hash) {
        // Another sign-in with the same password may have replaced the imported hash meanwhile. Only who has shown the
        // password comes here: that it takes longer tells strangers nothing.
        let (_, hash) = check_password(app, &login, caller, now).await?;
        outcome = go_on(app, progress(&hash), None, proof, caller).await;
    }
    let mut signed_in = outcome?;
    give_attempts_back(app, &account, caller).await;
    if is_imported(&hash)
        && let Some(new) = rehash(app, &user, (&login.password, hash), caller).await
        && let SignIn::More(more) = &mut signed_in
        && let Ceremony::SignIn(progress) = &mut more.ticket.what
    {
        progress.password = Some(remembered(&new));
    }
    Ok(signed_in)
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
            if right && failures < FAILURES_THAT_LOCK && user.ban_at(now).is_none() =>
        {
            if failures > 0 {
                app.store.clear_failures(user.id).await?;
            }
            Ok((user, hash))
        }
        found => {
            let user = found.map(|credential| credential.user.id);
            let entry = caller.audit(Event::SignInFailed, Actor::Anonymous, now);
            app.risk.velocity.note(user, &caller.source(), now);
            app.store.note_failure(user, AuditEntry { user, ..entry }).await?;
            metrics::counter!("counterfoil_sign_in_failures_total").increment(1);
            Err(LoginError::InvalidCredentials)
        }
    }
}
