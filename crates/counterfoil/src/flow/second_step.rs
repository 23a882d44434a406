//! `POST /api/auth/totp/verify` and `/api/auth/recovery-codes/verify`: a code, as the next step of a sign-in.

use super::Caller;
use super::counts;
use super::sign_in::{LoginError, SignIn, asked_of, enrolled, go_on};
use super::ticket::{Ceremony, Progress, Ticket};
use crate::app::App;
use crate::limits::Limited;
use crate::store::StoreError;
use crate::store::factors::{FactorUse, Factors};
use counterfoil_core::assurance::{self, Method, Next, Step};
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use counterfoil_core::credential::factor_key::Use;
use counterfoil_core::credential::recovery_code;
use counterfoil_core::credential::totp::{self, Reading};
use counterfoil_core::{Secret, Timestamp, UserId};
use counterfoil_guard::dpop::Proof;

/// A code as typed.
#[derive(Debug)]
pub enum Typed {
    /// Of the authenticator app.
    Totp(Secret<String>),
    /// A recovery code.
    RecoveryCode(Secret<String>),
}

impl Typed {
    const fn method(&self) -> Method {
        match self {
            Self::Totp(_) => Method::Totp,
            Self::RecoveryCode(_) => Method::RecoveryCode,
        }
    }
}

/// Goes on with the sign-in that the ticket is of.
pub async fn second_step(
    app: &App,
    ticket: &Ticket,
    typed: &Typed,
    proof: Option<&Proof>,
    caller: &Caller,
) -> Result<SignIn, LoginError> {
    let Ceremony::SignIn(progress) = &ticket.what else { return Err(LoginError::Expired) };
    check_code(app, progress.user, typed, caller).await?;
    if !ticket.spend(app).await? {
        return Err(LoginError::Expired);
    }
    let methods = [progress.methods.as_slice(), &[typed.method()]].concat();
    go_on(app, Progress { methods, ..progress.clone() }, None, proof, caller).await
}

/// Checks a code and makes it count. One answer for every way to fail.
pub(super) async fn check_code(app: &App, user: UserId, typed: &Typed, caller: &Caller) -> Result<(), LoginError> {
    let key = user.to_string();
    counts::take(app, Limited::CodeAccount, &key, app.config.limits.login_per_account.rate()).await?;
    let now = app.clock.now();
    let factors = app.store.factors(user).await?;
    let entry = |event| {
        let entry = caller.audit(event, Actor::User(user), now);
        AuditEntry { user: Some(user), ..entry }
    };
    let found = factors.and_then(|factors| read_code(app, &factors, typed, now));
    let counts = match found {
        None => false,
        Some(proof) => {
            let written = matches!(proof, FactorUse::RecoveryCode { .. }).then(|| entry(Event::RecoveryCodeUsed));
            app.store.use_factor(user, proof, now, written).await?
        }
    };
    if !counts {
        note_wrong(app, user, caller).await?;
        return Err(LoginError::InvalidCode);
    }
    counts::give_back(app, Limited::CodeAccount, &key, None).await;
    Ok(())
}

/// Whether a code by mail is what this sign-in needs next.
pub(super) fn may_use_mail(app: &App, factors: &Factors, progress: &Progress) -> bool {
    let asked = asked_of(app, &factors.credential.user, &progress.application);
    let next = assurance::next(&progress.methods, enrolled(app, factors, &progress.application), asked);
    matches!(next, Next::Prove(steps) if steps.contains(&Step::Mail))
}

/// Writes down that a code was wrong.
pub(super) async fn note_wrong(app: &App, user: UserId, caller: &Caller) -> Result<(), StoreError> {
    let entry = caller.audit(Event::WrongCode, Actor::User(user), app.clock.now());
    note_wrong_code(app, user, (AuditEntry { user: Some(user), ..entry }, caller)).await
}

async fn note_wrong_code(app: &App, user: UserId, (entry, caller): (AuditEntry, &Caller)) -> Result<(), StoreError> {
    app.risk.velocity.note(Some(user), &caller.source(), entry.at);
    app.store.note_wrong_code(user, entry).await?;
    metrics::counter!("counterfoil_sign_in_failures_total").increment(1);
    Ok(())
}

fn read_code(app: &App, factors: &Factors, typed: &Typed, now: Timestamp) -> Option<FactorUse> {
    let user = factors.credential.user.id;
    match typed {
        Typed::Totp(typed) => {
            let secret = app.factors.open(Use::Totp(user), &factors.totp.as_ref()?.sealed).ok()?;
            let secret = Secret::new(secret.expose().as_slice().try_into().ok()?);
            match totp::read(&secret, typed.expose(), now) {
                Reading::Good(step) => Some(FactorUse::Totp { step }),
                Reading::ClockOff(_) | Reading::Wrong => None,
            }
        }
        Typed::RecoveryCode(typed) => {
            let code = recovery_code::read(typed)?;
            Some(FactorUse::RecoveryCode { hash: app.factors.code_hash(user, &code) })
        }
    }
}
