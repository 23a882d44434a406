//! `POST /api/auth/totp/enrol/{start,finish}`: an authenticator app. It is set up once it has shown a code.

use super::Caller;
use super::authenticate::Identity;
use super::counts;
use super::factors::{Enrolled, FactorError, changer, enroller, new_codes, same};
use super::sign_in::{LoginError, go_on};
use super::ticket::{Ceremony, Progress, Ticket};
use crate::app::App;
use crate::clock::random;
use crate::limits::Limited;
use crate::store::factors::{Changed, Changer, FactorChange, StoredTotp};
use counterfoil_core::Secret;
use counterfoil_core::assurance::Method;
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use counterfoil_core::credential::factor_key::Use;
use counterfoil_core::credential::totp::{self, Reading};
use counterfoil_guard::dpop::Proof;
use counterfoil_guard::{base64url_decode, base64url_encode};

/// What the app has to be told.
#[derive(Debug)]
pub struct Offer {
    /// The secret, to be typed.
    pub secret: Secret<String>,
    /// The address that holds it, for the picture and for apps on the same device.
    pub address: Secret<String>,
    /// To be brought along with the first code.
    pub ticket: Ticket,
}

/// Begins.
pub async fn begin(app: &App, identity: Option<&Identity>, ticket: Option<&Ticket>) -> Result<Offer, FactorError> {
    let (by, factors) = enroller(app, identity, ticket).await?;
    let secret = Secret::new(random::<{ totp::BYTES }>());
    let email = factors.credential.user.email;
    let what = Ceremony::TotpEnrolment { secret: base64url_encode(secret.expose()), by };
    Ok(Offer {
        address: totp::address(&secret, &app.config.service_name, email.as_str()),
        secret: totp::write(&secret),
        ticket: Ticket::new(app, what),
    })
}

/// Finishes, by a code that the app shows. Recovery codes come along if there are none.
pub async fn finish(
    app: &App,
    (ticket, identity): (&Ticket, Option<&Identity>),
    code: &Secret<String>,
    proof: Option<&Proof>,
    caller: &Caller,
) -> Result<(Enrolled, Vec<Secret<String>>), FactorError> {
    let Ceremony::TotpEnrolment { secret, by } = &ticket.what else { return Err(FactorError::Expired) };
    let progress = same(app, by, identity)?;
    let (user, now) = (by.user(), app.clock.now());
    let rate = app.config.limits.login_per_account.rate();
    counts::take(app, Limited::CodeAccount, &user.to_string(), rate).await.map_err(LoginError::from)?;
    let secret = Secret::new(base64url_decode(secret).unwrap_or_default());
    let secret = secret.expose().as_slice().try_into().map_err(|_| FactorError::Expired)?;
    let secret = Secret::new(secret);
    let step = match totp::read(&secret, code.expose(), now) {
        Reading::Good(step) => step,
        Reading::ClockOff(seconds) => return Err(FactorError::ClockOff(seconds)),
        Reading::Wrong => return Err(FactorError::InvalidCode),
    };
    if !ticket.spend(app).await? {
        return Err(FactorError::Expired);
    }
    counts::give_back(app, Limited::CodeAccount, &user.to_string(), None).await;
    let entry = |event| {
        let entry = caller.audit(event, Actor::User(user), now);
        AuditEntry { user: Some(user), sid: identity.map(|identity| identity.session.sid), ..entry }
    };
    let sealed = app.factors.seal(Use::Totp(user), random(), secret.expose());
    let totp = StoredTotp { sealed, created_at: now, last_step: step, failures: 0 };
    let by = changer(app, by).await?;
    match app.store.change_factors(user, FactorChange::SetTotp(totp), by, entry(Event::TotpAdded)).await? {
        Changed::Done => {}
        other => return Err(other.into()),
    }
    let mut codes = Vec::new();
    if app.store.factors(user).await?.is_some_and(|factors| factors.recovery_codes == 0) {
        let (shown, hashes) = new_codes(app, user);
        let change = FactorChange::SetRecoveryCodes(hashes);
        app.store.change_factors(user, change, Changer::Server, entry(Event::RecoveryCodesMade)).await?;
        codes = shown;
    }
    let Some(progress) = progress else { return Ok((Enrolled::Done, codes)) };
    let methods = [progress.methods.as_slice(), &[Method::Totp]].concat();
    Ok((go_on(app, Progress { methods, ..progress }, None, proof, caller).await?.into(), codes))
}
