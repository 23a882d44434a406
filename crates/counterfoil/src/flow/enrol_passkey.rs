//! `POST /api/auth/passkeys/register/{start,finish}`: one more passkey for an account.

use super::Caller;
use super::authenticate::Identity;
use super::factors::{Enrolled, FactorError, changer, enroller, name, same};
use super::passkey_sign_in::{Challenge, relying_party};
use super::sign_in::go_on;
use super::ticket::{Ceremony, Progress, Ticket};
use crate::app::App;
use crate::passkeys::{Attestation, Made};
use crate::store::factors::{Changed, FactorChange, Passkey};
use counterfoil_core::assurance::Method;
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use counterfoil_core::{Timestamp, UserId};
use counterfoil_guard::dpop::Proof;

/// Begins.
pub async fn begin(app: &App, identity: Option<&Identity>, ticket: Option<&Ticket>) -> Result<Challenge, FactorError> {
    let party = relying_party(app)?;
    let (by, factors) = enroller(app, identity, ticket).await?;
    let user = &factors.credential.user;
    let email = user.email.as_str();
    let others: Vec<Vec<u8>> = factors.passkeys.into_iter().map(|passkey| passkey.id).collect();
    let begun = party.begin_registration(user.id, (email, user.name.as_deref().unwrap_or(email)), &others);
    let ticket = Ticket::new(app, Ceremony::PasskeyEnrolment { state: begun.state, by });
    Ok(Challenge { options: begun.options, ticket })
}

/// Finishes: the passkey is kept, and who had to set one up is signed in.
pub async fn finish(
    app: &App,
    (ticket, identity): (&Ticket, Option<&Identity>),
    (answer, label): (&Attestation, Option<&str>),
    proof: Option<&Proof>,
    caller: &Caller,
) -> Result<Enrolled, FactorError> {
    let Ceremony::PasskeyEnrolment { state, by } = &ticket.what else { return Err(FactorError::Expired) };
    let progress = same(app, by, identity)?;
    let label = label.map(name).transpose()?.unwrap_or_else(|| caller.device.clone());
    let made = relying_party(app)?.finish_registration(state, answer).map_err(|_| FactorError::InvalidPasskey)?;
    if !ticket.spend(app).await? {
        return Err(FactorError::Expired);
    }
    let now = app.clock.now();
    let user = by.user();
    let method = if made.synced { Method::SyncedPasskey } else { Method::Passkey };
    let passkey = kept(made, user, label, now);
    let id = passkey.id.clone();
    let entry = caller.audit(Event::PasskeyAdded, Actor::User(user), now);
    let sid = identity.map(|identity| identity.session.sid);
    let entry = AuditEntry { user: Some(user), sid, ..entry };
    let by = changer(app, by).await?;
    match app.store.change_factors(user, FactorChange::AddPasskey(passkey), by, entry).await? {
        Changed::Done => {}
        other => return Err(other.into()),
    }
    let Some(progress) = progress else { return Ok(Enrolled::Done) };
    let methods = [progress.methods.as_slice(), &[method]].concat();
    Ok(go_on(app, Progress { methods, ..progress }, Some(id), proof, caller).await?.into())
}

pub(super) fn kept(made: Made, user: UserId, name: String, now: Timestamp) -> Passkey {
    Passkey {
        id: made.id,
        user,
        name,
        credential: made.credential,
        synced: made.synced,
        backed_up: made.backed_up,
        created_at: now,
        last_used_at: None,
    }
}
