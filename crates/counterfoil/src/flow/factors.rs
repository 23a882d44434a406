//! What people do with their ways of signing in, and whether they may: each change needs a fresh proof (ASVS-7.5.1).

use super::authenticate::Identity;
use super::sign_in::{LoginError, More, SignIn, asked_of, enrolled, is_used, rests_on};
use super::step_up::ways;
use super::ticket::{Ceremony, Enroller, Progress, Ticket};
use super::{Caller, sign_in};
use crate::app::App;
use crate::clock::random;
use crate::store::StoreError;
use crate::store::factors::{Changed, Changer, FactorChange, Factors};
use counterfoil_core::assurance::{self, Challenge, Method, Next};
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use counterfoil_core::credential::recovery_code::{self, HOW_MANY};
use counterfoil_core::credential::stored::NO_PASSWORD;
use counterfoil_core::user::parse_name;
use counterfoil_core::{Secret, Timestamp};

/// The longest name of a passkey.
const MOST_NAME: usize = 100;

/// Why nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FactorError {
    /// The last proof is too long ago.
    #[error("prove that it is you first")]
    Reauthenticate(Challenge),
    /// The ceremony is over, or another's.
    #[error("the ceremony is over")]
    Expired,
    /// The authenticator's answer is not good.
    #[error("the passkey's answer is not good")]
    InvalidPasskey,
    /// The passkey is known already.
    #[error("the passkey is known already")]
    Taken,
    /// The account has as many as it may have.
    #[error("the account has as many passkeys as it may have")]
    Full,
    /// It is the last way in.
    #[error("it is the last way to sign in")]
    LastOne,
    /// The code is wrong.
    #[error("the code is wrong")]
    InvalidCode,
    /// The code is of another time: the clock that made it is off by so many seconds.
    #[error("the clock is off")]
    ClockOff(i64),
    /// The name cannot be shown safely, or is too long.
    #[error("that name cannot be used")]
    BadName,
    /// There is no such thing.
    #[error("there is no such thing")]
    Unknown,
    /// The sign-in that this was a step of cannot go on.
    #[error(transparent)]
    SignIn(#[from] sign_in::LoginError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Changed> for FactorError {
    fn from(changed: Changed) -> Self {
        match changed {
            Changed::Taken => Self::Taken,
            Changed::Full => Self::Full,
            Changed::LastOne => Self::LastOne,
            Changed::Refused => Self::Expired,
            Changed::Done | Changed::Unknown => Self::Unknown,
        }
    }
}

/// Everything an account page says of them.
#[derive(Debug)]
pub struct Overview {
    /// What there is.
    pub factors: Factors,
    /// Whether there is a password.
    pub has_password: bool,
    /// Until when changes need no further proof.
    pub fresh_until: Timestamp,
    /// How a further proof can be given.
    pub ways: Vec<super::step_up::Way>,
}

/// What an account can prove itself with.
pub async fn overview(app: &App, identity: &Identity) -> Result<Overview, FactorError> {
    let factors = app.store.factors(identity.user.id).await?.ok_or(FactorError::Unknown)?;
    let asked = asked_of(app, &identity.user, &identity.session.application);
    Ok(Overview {
        has_password: factors.credential.hash != NO_PASSWORD,
        fresh_until: identity.session.auth_time.plus(app.config.session.fresh.0),
        ways: ways(&factors, asked),
        factors,
    })
}

/// Whether the session's last proof is recent enough for what must not be done by whoever finds an open screen.
pub fn require_fresh(app: &App, identity: &Identity) -> Result<(), FactorError> {
    let (age, fresh) = (app.clock.now().since(identity.session.auth_time), app.config.session.fresh.0);
    if age > fresh { Err(FactorError::Reauthenticate(challenge(app))) } else { Ok(()) }
}

/// The proof that is asked for then.
pub(super) fn challenge(app: &App) -> Challenge {
    Challenge { acr: None, max_age: Some(app.config.session.fresh.0) }
}

/// Who sets a factor up: somebody signed in, with a fresh proof; or somebody signing in who has to, and has shown everything there
/// is to show.
pub(super) async fn enroller(
    app: &App,
    identity: Option<&Identity>,
    ticket: Option<&Ticket>,
) -> Result<(Enroller, Factors), FactorError> {
    if let Some(identity) = identity {
        require_fresh(app, identity)?;
        let factors = app.store.factors(identity.user.id).await?.ok_or(FactorError::Unknown)?;
        let by = Enroller::Session { user: identity.user.id, sid: identity.session.sid };
        return Ok((by, factors));
    }
    let Some(Ceremony::SignIn(progress)) = ticket.map(|ticket| &ticket.what) else {
        return Err(FactorError::Expired);
    };
    let factors = app.store.factors(progress.user).await?.ok_or(FactorError::Unknown)?;
    let asked = asked_of(app, &factors.credential.user, &progress.application);
    match assurance::next(&progress.methods, enrolled(app, &factors, &progress.application), asked) {
        Next::Enrol(_) => Ok((Enroller::Newcomer(progress.clone()), factors)),
        Next::Nothing | Next::Prove(_) | Next::Never => Err(FactorError::Expired),
    }
}

/// Whether whoever finishes is who began: the same session, alive and still fresh.
pub(super) fn same(app: &App, by: &Enroller, identity: Option<&Identity>) -> Result<Option<Progress>, FactorError> {
    match (by, identity) {
        (Enroller::Session { sid, .. }, Some(identity)) if *sid == identity.session.sid => {
            require_fresh(app, identity)?;
            Ok(None)
        }
        (Enroller::Session { .. }, _) => Err(FactorError::Expired),
        (Enroller::Newcomer(progress), _) => Ok(Some(progress.clone())),
    }
}

/// On what the change rests that finishes it.
pub(super) async fn changer(app: &App, by: &Enroller) -> Result<Changer, FactorError> {
    let progress = match by {
        Enroller::Session { sid, .. } => return Ok(Changer::SignedIn(*sid)),
        Enroller::Newcomer(progress) => progress,
    };
    if is_used(app, progress).await? {
        return Err(FactorError::Expired);
    }
    let factors = app.store.factors(progress.user).await?.ok_or(FactorError::Expired)?;
    let proved_by = rests_on(progress, &factors).ok_or(LoginError::InvalidCredentials)?;
    let by_code = progress.methods.iter().any(|method| matches!(method, Method::Totp | Method::RecoveryCode));
    Ok(Changer::SigningIn { proved_by, by_code, at: app.clock.now() })
}

/// What came of setting a factor up.
#[derive(Debug)]
pub enum Enrolled {
    /// It is there.
    Done,
    /// It is there, and whoever had to has signed in.
    SignedIn(Box<sign_in::SignedIn>),
    /// It is there, and another step is needed.
    More(Box<More>),
}

impl From<SignIn> for Enrolled {
    fn from(outcome: SignIn) -> Self {
        match outcome {
            SignIn::Done(signed_in) => Self::SignedIn(signed_in),
            SignIn::More(more) => Self::More(more),
        }
    }
}

/// The name of a passkey, fit to show.
pub(super) fn name(text: &str) -> Result<String, FactorError> {
    parse_name(text).filter(|name| name.len() <= MOST_NAME).ok_or(FactorError::BadName)
}

/// Gives a passkey another name.
pub async fn rename_passkey(
    app: &App,
    identity: &Identity,
    (id, new): (Vec<u8>, &str),
    caller: &Caller,
) -> Result<(), FactorError> {
    let change = FactorChange::RenamePasskey { id, name: name(new)? };
    change_own(app, identity, change, (Event::PasskeyRenamed, caller)).await
}

/// Removes a passkey, if it is not the last way in.
pub async fn remove_passkey(app: &App, identity: &Identity, id: Vec<u8>, caller: &Caller) -> Result<(), FactorError> {
    require_fresh(app, identity)?;
    change_own(app, identity, FactorChange::RemovePasskey { id }, (Event::PasskeyRemoved, caller)).await
}

/// Removes the authenticator app.
pub async fn remove_totp(app: &App, identity: &Identity, caller: &Caller) -> Result<(), FactorError> {
    require_fresh(app, identity)?;
    change_own(app, identity, FactorChange::RemoveTotp, (Event::TotpRemoved, caller)).await
}

/// Makes recovery codes, in place of the old ones. This is the only time they are shown.
pub async fn make_recovery_codes(
    app: &App,
    identity: &Identity,
    caller: &Caller,
) -> Result<Vec<Secret<String>>, FactorError> {
    require_fresh(app, identity)?;
    let (codes, hashes) = new_codes(app, identity.user.id);
    let change = FactorChange::SetRecoveryCodes(hashes);
    change_own(app, identity, change, (Event::RecoveryCodesMade, caller)).await?;
    Ok(codes)
}

/// Codes to be shown, and what is kept of them.
pub(super) fn new_codes(app: &App, user: counterfoil_core::UserId) -> (Vec<Secret<String>>, Vec<[u8; 32]>) {
    let fresh = (0..HOW_MANY).map(|_| Secret::new(random()));
    fresh.map(|code| (recovery_code::write(&code), app.factors.code_hash(user, &code))).unzip()
}

async fn change_own(
    app: &App,
    identity: &Identity,
    change: FactorChange,
    (event, caller): (Event, &Caller),
) -> Result<(), FactorError> {
    let user = identity.user.id;
    let entry = caller.audit(event, Actor::User(user), app.clock.now());
    let entry = AuditEntry { user: Some(user), sid: Some(identity.session.sid), ..entry };
    match app.store.change_factors(user, change, Changer::SignedIn(identity.session.sid), entry).await? {
        Changed::Done => Ok(()),
        other => Err(other.into()),
    }
}
