//! What every way of signing in ends in: either the next step is asked for, or a session is opened.

use super::Caller;
use super::access;
use super::assess;
use super::counts::Limit;
use super::deliver::{DeliverError, Delivery, LongLived, deliver};
use super::legacy;
use super::proof::use_up;
use super::ticket::{Ceremony, Progress, Ticket, remembered};
use crate::app::App;
use crate::clock::random;
use crate::hashing::HashingError;
use crate::store::factors::Factors;
use crate::store::{NewSession, Opened, ProvedBy, StoreError};
use counterfoil_core::assurance::{self, Challenge, Enrolled, Method, Next, Requirement, Step};
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use counterfoil_core::profile::Profile;
use counterfoil_core::refresh::rotation::Rotation;
use counterfoil_core::session::{Binding, Handle, Session};
use counterfoil_core::user::User;
use counterfoil_core::{Sid, Timestamp};
use counterfoil_guard::dpop::Proof;
use std::time::Duration;

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

/// Another step is needed.
#[derive(Debug)]
pub struct More {
    /// What may come next; the first is the best.
    pub steps: Vec<Step>,
    /// Whether it has to be set up first.
    pub enrol: bool,
    /// What the client brings along with it.
    pub ticket: Ticket,
    /// How the client gets its tokens, and so also the ticket.
    pub profile: Profile,
}

/// What came of a step.
#[derive(Debug)]
pub enum SignIn {
    /// A session.
    Done(Box<SignedIn>),
    /// Another step.
    More(Box<More>),
}

/// Why nobody was signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// Wrong address or password, banned, or locked: not told apart (P1).
    #[error("the email or the password is wrong")]
    InvalidCredentials,
    /// The code is wrong, has been used, or counts no more.
    #[error("the code is wrong")]
    InvalidCode,
    /// The passkey's answer is not good, or not an answer to what was asked.
    #[error("the passkey's answer is not good")]
    InvalidPasskey,
    /// There is no such passkey.
    #[error("the passkey is not known here")]
    UnknownPasskey,
    /// There is no such ceremony under way, or it is over.
    #[error("the sign-in has taken too long, or was finished elsewhere")]
    Expired,
    /// No application of that name.
    #[error("there is no such application")]
    UnknownApplication,
    /// Passkeys do not work at this server's address.
    #[error("passkeys do not work at this address")]
    NoPasskeys,
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
    /// A rule of risk forbids it.
    #[error("a rule of this server forbids it")]
    Denied,
    /// A rule of risk asks for a stronger proof than the one that was given.
    #[error("prove it by something stronger")]
    Stronger(Challenge),
}

impl From<DeliverError> for LoginError {
    fn from(error: DeliverError) -> Self {
        match error {
            DeliverError::TooLarge(_) => Self::TooLarge,
            DeliverError::Store(error) => Self::Store(error),
        }
    }
}

impl From<Limit> for LoginError {
    fn from(limit: Limit) -> Self {
        match limit {
            Limit::Wait(wait) => Self::RateLimited(wait),
            Limit::Store(error) => Self::Store(error),
        }
    }
}

/// Whether people sign in to an application of this name with what the client has brought.
pub(super) fn admit(app: &App, application: &str, proof: Option<&Proof>) -> Result<(), LoginError> {
    match app.applications.get(application) {
        None => Err(LoginError::UnknownApplication),
        Some(known) if known.require_dpop && proof.is_none() => Err(LoginError::Unproven),
        Some(_) => Ok(()),
    }
}

/// What this user must show to sign in to this application.
pub(super) fn asked_of(app: &App, user: &User, application: &str) -> Requirement {
    let of_role = |role: &counterfoil_core::user::Role| app.config.roles.get(role.as_str()).map(|role| role.require);
    let of_roles = user.roles.iter().filter_map(of_role).max().unwrap_or_default();
    app.applications.get(application).map_or(of_roles, |known| known.require.max(of_roles))
}

/// What an account has, as the decision sees it.
pub(super) fn enrolled(app: &App, factors: &Factors, application: &str) -> Enrolled {
    Enrolled {
        passkey: !factors.passkeys.is_empty(),
        totp: factors.totp.is_some(),
        recovery_code: factors.recovery_codes > 0,
        mail_code: app.mail.is_some() && app.applications.get(application).is_some_and(|known| known.mail_code),
    }
}

/// Goes on after a step that has succeeded: asks for the next one, or opens the session. `passkey` is the one that was used, if one was.
pub(super) async fn go_on(
    app: &App,
    mut progress: Progress,
    passkey: Option<Vec<u8>>,
    proof: Option<&Proof>,
    caller: &Caller,
) -> Result<SignIn, LoginError> {
    admit(app, &progress.application, proof)?;
    let factors = app.store.factors(progress.user).await?.ok_or(LoginError::InvalidCredentials)?;
    let user = &factors.credential.user;
    let mut proved_by = rests_on(&progress, &factors).ok_or(LoginError::InvalidCredentials)?;
    if user.ban_at(app.clock.now()).is_some() {
        return Err(LoginError::InvalidCredentials);
    }
    if is_used(app, &progress).await? {
        return Err(LoginError::Expired);
    }
    let unusual = assess::sign_in(app, &progress, &factors, caller).await?;
    let asked = asked_of(app, user, &progress.application).max(unusual.asks());
    let (steps, enrol) = match assurance::next(&progress.methods, enrolled(app, &factors, &progress.application), asked)
    {
        Next::Nothing => {
            proved_by.extend(passkey.map(ProvedBy::Passkey));
            let opened = open(app, &factors, (progress, proved_by), proof, caller).await?;
            if let SignIn::Done(done) = &opened {
                unusual.tell(app, Some(done.session.sid)).await?;
            }
            return Ok(opened);
        }
        Next::Prove(steps) => (steps, false),
        Next::Enrol(steps) => (steps, true),
        Next::Never => return Err(LoginError::InvalidCredentials),
    };
    progress.noted = unusual.tell_of_step(app, progress.noted).await?;
    let profile = app.applications[&progress.application].profile;
    let ticket = Ticket::new(app, Ceremony::SignIn(progress));
    Ok(SignIn::More(Box::new(More { steps, enrol, ticket, profile })))
}

/// What all that has been shown so far rests on: it must hold in the transaction in which it counts. `None`: the password has been changed since.
pub(super) fn rests_on(progress: &Progress, factors: &Factors) -> Option<Vec<ProvedBy>> {
    let hash = &factors.credential.hash;
    if progress.password.is_some_and(|checked| checked != remembered(hash)) {
        return None;
    }
    let password = progress.password.map(|_| ProvedBy::Password(hash.clone()));
    let legacy = progress.legacy.map(|proof| ProvedBy::Legacy(proof.made_at()));
    Some(password.into_iter().chain(legacy).collect())
}

/// Whether it rests on a legacy token that has counted elsewhere since.
pub(super) async fn is_used(app: &App, progress: &Progress) -> Result<bool, StoreError> {
    match &progress.legacy {
        Some(proof) => legacy::is_used(app, proof).await,
        None => Ok(false),
    }
}

async fn open(
    app: &App,
    factors: &Factors,
    (progress, proved_by): (Progress, Vec<ProvedBy>),
    proof: Option<&Proof>,
    caller: &Caller,
) -> Result<SignIn, LoginError> {
    let now = app.clock.now();
    let user = &factors.credential.user;
    let proof = proof.filter(|_| app.applications[&progress.application].profile == Profile::Native);
    if let Some(proof) = proof
        && !use_up(app, proof).await?
    {
        // Written down like a failure: nobody shall try passwords with a proof that opens no session.
        let entry = caller.audit(Event::SignInFailed, Actor::Anonymous, now);
        app.store.note_failure(Some(user.id), AuditEntry { user: Some(user.id), ..entry }).await?;
        return Err(LoginError::BadProof);
    }
    let mut session = new_session(app, user, &progress, (caller, now));
    session.binding = proof.map_or(Binding::None, |proof| Binding::Dpop(proof.key));
    let entry = caller.audit(Event::SignedIn, Actor::User(user.id), now);
    let detail = session.amr.join(" ");
    let entry = AuditEntry { user: Some(user.id), sid: Some(session.sid), detail, ..entry };
    let limit = app.config.session.max_per_user;
    // What the account may do, and what its tokens say, is settled in the same transaction.
    let new = NewSession { session: session.clone(), proved_by, limit };
    let Opened::Done { user, .. } = access::open(app, new, entry).await? else {
        return Err(LoginError::InvalidCredentials);
    };
    if let Some(proof) = progress.legacy {
        legacy::use_up(app, &proof).await?;
    }
    metrics::counter!("counterfoil_sign_ins_total").increment(1);
    let delivery = deliver(app, &session, &user, now, LongLived::New).await?;
    Ok(SignIn::Done(Box::new(SignedIn { session, user, delivery })))
}

fn new_session(app: &App, user: &User, progress: &Progress, (caller, now): (&Caller, Timestamp)) -> Session {
    let config = &app.config.session;
    let persistent = progress.remember;
    let (idle, absolute) =
        if persistent { (config.idle, config.absolute) } else { (config.browser_idle, config.browser_absolute) };
    Session {
        sid: Sid::from_bytes(random()),
        handle: Handle::from_bytes(random()),
        user: user.id,
        profile: app.applications[&progress.application].profile,
        application: progress.application.clone(),
        persistent,
        created_at: now,
        // Whoever has shown nothing but an old token has proved nothing now, and nobody knows when they did: other systems renew theirs silently.
        // So it is never recent enough for what asks for a fresh proof.
        auth_time: match progress.legacy {
            Some(proof) if progress.methods == [Method::Legacy] => {
                Timestamp::from_millis(proof.issued_at).min(now.minus(config.fresh.0).minus(Duration::from_secs(1)))
            }
            _ => now,
        },
        last_seen_at: now,
        idle: idle.0,
        expires_at: now.plus(absolute.0),
        acr: assurance::acr(&progress.methods),
        amr: assurance::amr(&progress.methods),
        device: caller.device.clone(),
        network: caller.network(),
        ended: None,
        binding: Binding::None,
        copy_refused_at: None,
        rotation: Rotation::first(now),
    }
}
