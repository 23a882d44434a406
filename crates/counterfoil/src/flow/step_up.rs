//! `POST /api/auth/step-up/…`: somebody signed in proves once more that it is them. The session goes on under a new handle
//! (ASVS-7.2.4), with what has been shown now added to what had been shown before.

use super::Caller;
use super::assess;
use super::authenticate::Identity;
use super::counts;
use super::deliver::{Delivery, LongLived, deliver};
use super::login::FAILURES_THAT_LOCK;
use super::passkey_sign_in::{Challenge, check, ids_of, relying_party};
use super::proof::use_up;
use super::second_step::{Typed, check_code};
use super::sign_in::{LoginError, asked_of};
use super::ticket::{Ceremony, Ticket};
use crate::app::App;
use crate::clock::random;
use crate::limits::Limited;
use crate::passkeys::Assertion;
use crate::store::factors::{Factors, Renewal};
use counterfoil_core::Secret;
use counterfoil_core::assurance::{self, Method, Requirement};
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use counterfoil_core::credential::password::Password;
use counterfoil_core::credential::stored::NO_PASSWORD;
use counterfoil_core::refresh::rotation::Rotation;
use counterfoil_core::session::{Binding, Handle};
use counterfoil_core::ssf::signal::step_up_detail;
use counterfoil_guard::dpop::Proof;

/// How somebody signed in can prove it once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By a passkey.
    Passkey,
    /// By the authenticator app.
    Totp,
    /// By the password.
    Password,
}

impl Way {
    /// The stable word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passkey => "passkey",
            Self::Totp => "totp",
            Self::Password => "password",
        }
    }
}

/// The ways of an account, the best first. None is weaker than what a sign-in asks of it (ASVS-6.3.4): the password alone counts
/// only where it would open a session, too.
pub fn ways(factors: &Factors, asked: Requirement) -> Vec<Way> {
    let password = factors.credential.hash != NO_PASSWORD && factors.totp.is_none() && asked == Requirement::OneFactor;
    let totp = factors.totp.is_some() && asked < Requirement::PhishingResistant;
    let ways = [(!factors.passkeys.is_empty(), Way::Passkey), (totp, Way::Totp), (password, Way::Password)];
    ways.into_iter().filter(|(has, _)| *has).map(|(_, way)| way).collect()
}

/// Whose session a ticket is of: one that a refresh has given in the place of an access token, or of a step-up that has begun with one. Good
/// until the proof has been given.
pub async fn by_ticket(app: &App, ticket: &Ticket, proof: Option<&Proof>) -> Result<Identity, LoginError> {
    let (Ceremony::Prove { sid, handle } | Ceremony::StepUp { sid, handle, .. }) = &ticket.what else {
        return Err(LoginError::Expired);
    };
    let (session, user) = app.store.by_sid(*sid).await?.ok_or(LoginError::Expired)?;
    if session.end_reason(app.clock.now()).is_some() || assess::handle_of(&session) != *handle {
        return Err(LoginError::Expired);
    }
    match (session.binding, proof) {
        (Binding::Dpop(bound_to), Some(proof)) if proof.key == bound_to => {
            if !use_up(app, proof).await? {
                return Err(LoginError::BadProof);
            }
        }
        (Binding::Dpop(_), _) => return Err(LoginError::Unproven),
        (Binding::None | Binding::Registered(_) | Binding::Device(_), _) => {}
    }
    Ok(Identity { session, user })
}

/// Begins to prove it by a passkey.
pub async fn begin(app: &App, identity: &Identity) -> Result<Challenge, LoginError> {
    let party = relying_party(app)?;
    let allowed = ids_of(app, identity.user.id).await?;
    if allowed.is_empty() {
        return Err(LoginError::InvalidPasskey);
    }
    let begun = party.begin_sign_in(&allowed);
    let (sid, handle) = (identity.session.sid, assess::handle_of(&identity.session));
    let what = Ceremony::StepUp { state: begun.state, sid, handle };
    Ok(Challenge { options: begun.options, ticket: Ticket::new(app, what) })
}

/// Proves it by a passkey.
pub async fn by_passkey(
    app: &App,
    identity: Identity,
    (ticket, answer): (&Ticket, &Assertion),
    caller: &Caller,
) -> Result<Delivery, LoginError> {
    let Ceremony::StepUp { state, sid, .. } = &ticket.what else { return Err(LoginError::Expired) };
    if *sid != identity.session.sid {
        return Err(LoginError::Expired);
    }
    let known = check(app, state, answer, caller).await?;
    if known.user != identity.user.id {
        return Err(LoginError::InvalidPasskey);
    }
    if !ticket.spend(app).await? {
        return Err(LoginError::Expired);
    }
    let method = if known.synced { Method::SyncedPasskey } else { Method::Passkey };
    renew(app, identity, method, caller).await
}

/// Proves it by a code of the authenticator app.
pub async fn by_totp(
    app: &App,
    identity: Identity,
    code: Secret<String>,
    caller: &Caller,
) -> Result<Delivery, LoginError> {
    require(app, &identity, Way::Totp).await?;
    check_code(app, identity.user.id, &Typed::Totp(code), caller).await?;
    renew(app, identity, Method::Totp, caller).await
}

/// Proves it by the password, where that is as good as what a sign-in asks for.
pub async fn by_password(
    app: &App,
    identity: Identity,
    password: &Secret<String>,
    caller: &Caller,
) -> Result<Delivery, LoginError> {
    let key = identity.user.email.key();
    counts::take(app, Limited::LoginAccount, &key, app.config.limits.login_per_account.rate()).await?;
    require(app, &identity, Way::Password).await?;
    let password = Password::new(password).map_err(|_| LoginError::InvalidCredentials)?;
    let credential = app.store.credential_of(identity.user.id).await?;
    let locked = credential.as_ref().is_none_or(|credential| credential.failures >= FAILURES_THAT_LOCK);
    if !app.hasher.verify(password, credential.map(|credential| credential.hash)).await? || locked {
        let entry = caller.audit(Event::SignInFailed, Actor::User(identity.user.id), app.clock.now());
        let entry = AuditEntry { user: Some(identity.user.id), sid: Some(identity.session.sid), ..entry };
        app.store.note_failure(Some(identity.user.id), entry).await?;
        return Err(LoginError::InvalidCredentials);
    }
    counts::give_back(app, Limited::LoginAccount, &key, None).await;
    renew(app, identity, Method::Password, caller).await
}

async fn require(app: &App, identity: &Identity, way: Way) -> Result<(), LoginError> {
    let factors = app.store.factors(identity.user.id).await?;
    let asked = asked_of(app, &identity.user, &identity.session.application);
    let open = factors.is_some_and(|factors| ways(&factors, asked).contains(&way));
    match way {
        _ if open => Ok(()),
        Way::Password => Err(LoginError::InvalidCredentials),
        Way::Totp | Way::Passkey => Err(LoginError::InvalidCode),
    }
}

async fn renew(app: &App, identity: Identity, method: Method, caller: &Caller) -> Result<Delivery, LoginError> {
    let Identity { mut session, user } = identity;
    let way = match method {
        // Mail and legacy tokens are worth what a password is worth; nobody steps up by them.
        Method::Password | Method::MailLink | Method::MailCode | Method::Legacy => Way::Password,
        Method::Totp | Method::RecoveryCode => Way::Totp,
        Method::Passkey | Method::SyncedPasskey => Way::Passkey,
    };
    assess::step_up(app, (&session, &user), way, caller).await?;
    let now = app.clock.now();
    let to = Handle::from_bytes(random());
    let (acr, amr) = assurance::with(&session, method);
    let seen = assess::seen(app, caller);
    let renewal = Renewal { sid: session.sid, from: session.handle, to, acr, amr: amr.clone(), seen };
    let entry = caller.audit(Event::SteppedUp, Actor::User(user.id), now);
    let entry = AuditEntry {
        user: Some(user.id),
        sid: Some(session.sid),
        detail: step_up_detail(&amr, session.acr, acr),
        ..entry
    };
    if !app.store.renew_session(renewal, entry).await? {
        return Err(LoginError::Expired);
    }
    session.handle = to;
    session.rotation = Rotation::first(now);
    (session.acr, session.amr) = (acr, amr);
    (session.auth_time, session.last_seen_at) = (now, now);
    deliver(app, &session, &user, now, LongLived::New).await.map_err(LoginError::from)
}
