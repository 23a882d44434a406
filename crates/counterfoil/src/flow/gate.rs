//! Forward-auth: does this credential pass, and what may the server behind know of it? Knows nothing of proxies.

use super::Caller;
use super::authenticate::{AuthenticateError, Credential, Identity, identify_verified, use_up, verify_presented};
use super::deliver::mint_as;
use super::status;
use crate::app::{App, ME_IS_FRESH_FOR};
use crate::gate::{HandOff, Resolved};
use crate::store::StoreError;
use counterfoil_core::assurance::Challenge;
use counterfoil_core::gate::{Demand, Verdict};
use counterfoil_core::issue::{Format, HARD_CAP, MintPolicy, Statement};
use counterfoil_core::refresh::token::SESSION_PREFIX;
use counterfoil_core::session::Assurance;
use counterfoil_core::{Secret, Timestamp};
use counterfoil_guard::Refusal;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

/// The longest life of a token for a server behind. It has the next one from the next request.
const HAND_OFF_LIFETIME: Duration = Duration::from_mins(1);

/// Who passes.
#[derive(Clone, Debug)]
pub struct Admitted {
    /// Their session and account.
    pub who: Arc<Resolved>,
    /// The token for the server behind, if one was asked for.
    pub hand_off: Option<Arc<HandOff>>,
}

/// Why somebody does not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GateError {
    /// The credential is refused.
    #[error("refused: {}", .0.reason())]
    Refused(Refusal),
    /// The role is missing.
    #[error("the role is missing")]
    WrongRole,
    /// The sign-in is too weak or too long ago.
    #[error("the sign-in is too weak or too long ago")]
    Reauthenticate(Challenge),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The token for the server behind does not fit.
    #[error("the token does not fit")]
    TooLarge,
}

impl From<AuthenticateError> for GateError {
    fn from(error: AuthenticateError) -> Self {
        match error {
            AuthenticateError::Refused(refusal) => Self::Refused(refusal),
            AuthenticateError::Store(error) => Self::Store(error),
        }
    }
}

/// Lets a credential pass that meets the demand. The store may be a second behind; revocation and roles are not, they go
/// through the index, which is asked every time.
pub async fn admit(
    app: &App,
    credential: Credential<'_>,
    (demand, audience): (&Demand, Option<&str>),
    caller: &Caller,
) -> Result<Admitted, GateError> {
    let now = app.clock.now();
    let who = resolve(app, credential, caller, now).await?;
    match demand.judge(&who.session, &who.user, now) {
        Verdict::WrongRole => return Err(GateError::WrongRole),
        Verdict::Reauthenticate => return Err(GateError::Reauthenticate(demand.challenge())),
        Verdict::Admit => {}
    }
    let hand_off = match audience {
        Some(audience) => Some(hand_off(app, &who, audience, now).await?),
        None => None,
    };
    Ok(Admitted { who, hand_off })
}

/// The session behind a credential: looked up, or remembered for a second.
async fn resolve(
    app: &App,
    credential: Credential<'_>,
    caller: &Caller,
    now: Timestamp,
) -> Result<Arc<Resolved>, AuthenticateError> {
    let (text, claims) = match credential {
        Credential::Access(token) => (token, Some(verify_presented(app, token, None, now)?)),
        Credential::Bound(token, proof) => (token, Some(verify_presented(app, token, Some(proof), now)?)),
        Credential::Session(token) => (token, None),
    };
    // Every time: what is remembered is the session, not the right to present the token.
    if let Credential::Bound(_, proof) = credential {
        use_up(app, proof).await?;
    }
    let revoked = |who: &Resolved| app.index()?.check_session(who.session.sid, who.user.claims_version);
    // What is remembered is remembered by its text alone: an access token that comes as a session token was never one.
    let of_its_kind = claims.is_some() || text.starts_with(SESSION_PREFIX);
    let known = if of_its_kind { app.gate.resolved.lock().get(text) } else { None };
    // A clock that was set back must not make it fresh for longer.
    let fresh = |who: &Arc<Resolved>| {
        now >= who.at && now.since(who.at) < ME_IS_FRESH_FOR && who.session.end_reason(now).is_none()
    };
    if let Some(who) = known.filter(fresh) {
        match revoked(&who) {
            Ok(()) => return Ok(who),
            // Roles have changed since: the row knows them.
            Err(Refusal::Stale) => {}
            Err(refusal) => return Err(refusal.into()),
        }
    }
    // Its proof has been looked at, and used up, above.
    let Identity { mut session, user } = identify_verified(app, credential, claims.as_deref(), caller).await?;
    if let Some(verified) = claims {
        // A token is as strong as it was when it was made, whatever its session has become since.
        session.acr = Assurance::from_name(&verified.claims.acr).ok_or(Refusal::BadClaim)?;
        session.auth_time = Timestamp::from_seconds(verified.claims.auth_time);
    }
    let who = Arc::new(Resolved { at: now, session, user });
    revoked(&who)?;
    app.gate.resolved.lock().insert(text, Arc::clone(&who));
    Ok(who)
}

/// A short access token for another audience: the one made lately, until half its life is over.
async fn hand_off(app: &App, who: &Resolved, audience: &str, now: Timestamp) -> Result<Arc<HandOff>, GateError> {
    let Resolved { at, session, user } = who;
    let (since, acr) = (session.auth_time.as_millis(), session.acr.as_str());
    let mut key = String::new();
    // A server behind that is described as a resource gets its tokens as that says.
    let resource = app.resources.values().find(|resource| resource.mint.audience == audience);
    let algorithm = resource.map_or(app.config.keys.algorithm.0, |resource| resource.algorithm);
    // A key that has been revoked takes the tokens it signed along.
    let (version, kid) = (user.claims_version, app.keyring().signing(algorithm).kid().clone());
    // The session last: the memory looks at the last bytes to tell one from another.
    write!(key, "{version} {since} {acr} {kid} {audience} {}", session.sid).expect("writing to a string does not fail");
    if let Some(known) = app.gate.handed_off.lock().get(&key).filter(|known| now < known.renew_at) {
        return Ok(known);
    }
    let lifetime = HAND_OFF_LIFETIME.min(app.config.session.access_lifetime.0);
    let policy = match resource {
        Some(resource) => MintPolicy { lifetime, ..resource.mint.clone() },
        None => MintPolicy {
            issuer: app.public.issuer().to_owned(),
            audience: audience.to_owned(),
            format: Format::Jwt,
            lifetime,
            // It never travels to a browser, so the application's own budget says nothing of it.
            budget: HARD_CAP,
            with_roles: true,
            with_status: false,
            confidential: None,
        },
    };
    // The gate has seen the proof of a bound session; whoever is behind gets a token for itself.
    let status = status::place(app, &policy, (session.sid, version)).await?;
    let said = Statement { bound_to: None, status, ..Statement::of_session(session, user) };
    let minted = mint_as(app, (&policy, algorithm), &said, *at).map_err(|error| {
        tracing::error!(%error, "a token for a server behind does not fit; hold fewer roles");
        GateError::TooLarge
    })?;
    let half = Duration::from_secs(minted.expires_in.unsigned_abs()) / 2;
    let made = Arc::new(HandOff { token: Secret::new(minted.token), renew_at: at.plus(half) });
    app.gate.handed_off.lock().insert(&key, Arc::clone(&made));
    Ok(made)
}
