//! `POST /api/auth/passkeys/login/{start,finish}`: a sign-in by passkey, or the step of one that asks for it.

use super::Caller;
use super::counts;
use super::sign_in::{LoginError, SignIn, admit, go_on};
use super::ticket::{Ceremony, Progress, Ticket};
use crate::app::App;
use crate::config::DEFAULT_APPLICATION;
use crate::limits::Limited;
use crate::passkeys::{Assertion, RelyingParty, Unproven};
use crate::store::factors::{FactorUse, Passkey};
use counterfoil_core::UserId;
use counterfoil_core::assurance::Method;
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use counterfoil_guard::dpop::Proof;
use serde_json::Value;

/// What the browser is given.
#[derive(Debug)]
pub struct Challenge {
    /// For `navigator.credentials.get()`.
    pub options: Value,
    /// To be brought along with the answer.
    pub ticket: Ticket,
}

/// This server as authenticators know it.
pub(super) fn relying_party(app: &App) -> Result<&RelyingParty, LoginError> {
    app.passkeys.as_ref().ok_or(LoginError::NoPasskeys)
}

/// Begins. Whoever has begun to sign in another way (`after`) is asked for a passkey of their own; nobody else's are named to a stranger
/// (WA-ENUM).
pub async fn begin(app: &App, client_id: Option<String>, after: Option<&Ticket>) -> Result<Challenge, LoginError> {
    let party = relying_party(app)?;
    let after = match after.map(|ticket| &ticket.what) {
        Some(Ceremony::SignIn(progress)) => Some(progress.clone()),
        _ => None,
    };
    let application = match &after {
        Some(progress) => progress.application.clone(),
        None => client_id.unwrap_or_else(|| DEFAULT_APPLICATION.to_owned()),
    };
    if !app.applications.contains_key(&application) {
        return Err(LoginError::UnknownApplication);
    }
    let allowed = match &after {
        Some(progress) => ids_of(app, progress.user).await?,
        None => Vec::new(),
    };
    let begun = party.begin_sign_in(&allowed);
    let what = Ceremony::PasskeySignIn { state: begun.state, application, after };
    Ok(Challenge { options: begun.options, ticket: Ticket::new(app, what) })
}

pub(super) async fn ids_of(app: &App, user: UserId) -> Result<Vec<Vec<u8>>, LoginError> {
    let factors = app.store.factors(user).await?;
    Ok(factors.into_iter().flat_map(|factors| factors.passkeys).map(|passkey| passkey.id).collect())
}

/// Whether this answer is one to what the ticket is of.
pub fn is_answered(ticket: &Ticket, answer: &Assertion) -> bool {
    matches!(&ticket.what, Ceremony::PasskeySignIn { state, .. } if answer.answers(state))
}

/// Finishes.
pub async fn finish(
    app: &App,
    ticket: &Ticket,
    (answer, remember): (&Assertion, bool),
    proof: Option<&Proof>,
    caller: &Caller,
) -> Result<SignIn, LoginError> {
    let Ceremony::PasskeySignIn { state, application, after } = &ticket.what else { return Err(LoginError::Expired) };
    admit(app, application, proof)?;
    let known = check(app, state, answer, caller).await?;
    let fits = after.as_ref().is_none_or(|progress| progress.user == known.user);
    if !fits {
        return Err(LoginError::InvalidPasskey);
    }
    if !ticket.spend(app).await? {
        return Err(LoginError::Expired);
    }
    let method = if known.synced { Method::SyncedPasskey } else { Method::Passkey };
    let progress = match after {
        Some(before) => {
            let methods = [before.methods.as_slice(), &[method]].concat();
            Progress { methods, ..before.clone() }
        }
        None => Progress {
            user: known.user,
            application: application.clone(),
            remember,
            methods: vec![method],
            password: None,
            legacy: None,
            trouble: None,
            noted: Vec::new(),
        },
    };
    go_on(app, progress, Some(known.id), proof, caller).await
}

/// Checks an answer against the passkey that is known, and makes it count. A passkey is found by its id, and the account that the
/// authenticator names must be its own (WA-AUTH).
pub(super) async fn check(
    app: &App,
    state: &Value,
    answer: &Assertion,
    caller: &Caller,
) -> Result<Passkey, LoginError> {
    let party = relying_party(app)?;
    // A challenge may be answered wrongly as often as one likes, and each time something is looked up and written down.
    let rate = app.config.limits.login_per_network;
    counts::take_from_network(app, Limited::PasskeyNetwork, rate, caller).await?;
    let claimed = party.claimed(answer).ok_or(LoginError::InvalidPasskey)?;
    let found = app.store.passkey(&claimed.id).await?;
    let now = app.clock.now();
    let Some((known, owner)) = found.filter(|(known, _)| known.user == claimed.user) else {
        failed(app, None, Event::SignInFailed, caller).await?;
        return Err(LoginError::UnknownPasskey);
    };
    let verified = match party.finish_sign_in(state, answer, &known.credential) {
        Ok(verified) => verified,
        Err(why) => {
            let event = if why == Unproven::Cloned { Event::PasskeyCloned } else { Event::SignInFailed };
            failed(app, Some(owner.id), event, caller).await?;
            return Err(LoginError::InvalidPasskey);
        }
    };
    let counted = FactorUse::Passkey {
        id: known.id.clone(),
        was: known.credential.clone(),
        credential: verified.credential,
        backed_up: verified.backed_up,
    };
    if owner.ban_at(now).is_some() || !app.store.use_factor(owner.id, counted, now, None).await? {
        return Err(LoginError::InvalidPasskey);
    }
    counts::give_back(app, Limited::PasskeyNetwork, &caller.source(), Some(rate.rate())).await;
    Ok(known)
}

async fn failed(app: &App, user: Option<UserId>, event: Event, caller: &Caller) -> Result<(), LoginError> {
    let entry = caller.audit(event, Actor::Anonymous, app.clock.now());
    app.risk.velocity.note(user, &caller.source(), entry.at);
    app.store.append(AuditEntry { user, detail: "passkey".into(), ..entry }).await?;
    metrics::counter!("counterfoil_sign_in_failures_total").increment(1);
    Ok(())
}
