//! `POST /api/auth/refresh`: load, decide and commit in one transaction → answer. What is decided, and why, is in
//! `counterfoil_core::refresh::rotation`.

use super::assess::Asks;
use super::deliver::{DeliverError, Delivery, LongLived, deliver};
use super::proof::use_up;
use super::{Caller, access, assess, device};
use crate::app::App;
use crate::limits::{Full, Limited};
use crate::store::{Refreshed, Rule, Seen, StoreError};
use counterfoil_core::Timestamp;
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use counterfoil_core::limit::Rate;
use counterfoil_core::profile::Profile;
use counterfoil_core::refresh::rotation::{Decision, Proof as Possession, decide};
use counterfoil_core::refresh::token::Presented;
use counterfoil_core::revocation::Revocation;
use counterfoil_core::risk::place::may_be_same_device;
use counterfoil_core::session::{Binding, EndReason, Session};
use counterfoil_guard::dpop::Proof;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tracing::Instrument as _;

/// How often a refresh without the proof it needs is written down, for each session.
const UNPROVEN: Rate = Rate { burst: 3, interval: Duration::from_mins(1) };

/// How the token came, which must be the way its profile uses; and what came beside it to prove that a key is held.
#[derive(Clone, Debug)]
pub enum Via {
    /// In the cookie, with these device cookies.
    Cookie(Vec<String>),
    /// In the body, with this proof.
    Body(Option<Arc<Proof>>),
}

/// Why no token is handed out.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RefreshError {
    /// Not ours, unknown, or the session is over (then with the reason).
    #[error("the refresh token is not valid")]
    Invalid(Option<EndReason>),
    /// It had been spent; the session has been ended.
    #[error("a spent refresh token was used again")]
    Reuse,
    /// The proof has been used already.
    #[error("the proof of possession has been used")]
    BadProof,
    /// The session is bound to a key, and the proof is missing.
    #[error("the session is bound to a key")]
    Unproven,
    /// It comes from where the session has not been, and a rule asks for a proof; nothing is spent, and the session lives.
    #[error("prove that it is you first")]
    Reauthenticate(Box<Asks>),
    /// The session goes on under a new handle; the client has, or is about to get, the newer cookie.
    #[error("the refresh token was replaced by a re-authentication")]
    Superseded,
    /// The store failed or is busy; nothing is lost, try again.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The access token does not fit its budget.
    #[error("the access token does not fit its budget")]
    TooLarge,
}

impl From<DeliverError> for RefreshError {
    fn from(error: DeliverError) -> Self {
        match error {
            DeliverError::TooLarge(_) => Self::TooLarge,
            DeliverError::Store(error) => Self::Store(error),
        }
    }
}

/// Takes a refresh token, and the proof that the client has brought, and hands out what the decision says. Once begun it is carried through, whether or not anybody waits
/// for it: a thief who hangs up at once must not escape what follows from reuse.
pub async fn refresh(app: &Arc<App>, token: &str, via: Via, caller: Caller) -> Result<Delivery, RefreshError> {
    let presented = app.tokens.parse_refresh(token).map_err(|_| RefreshError::Invalid(None))?;
    let turn = app.admission.enter().await.map_err(|Full| RefreshError::Store(StoreError::Overloaded))?;
    let app = Arc::clone(app);
    let work = async move {
        let _turn = turn;
        decided(&app, presented, &via, &caller).await
    };
    let work = tokio::spawn(work.in_current_span());
    work.await.unwrap_or(Err(RefreshError::Store(StoreError::Unavailable)))
}

async fn decided(app: &App, presented: Presented, via: &Via, caller: &Caller) -> Result<Delivery, RefreshError> {
    // Before the row is read, so that a token minted from it cannot outlive what the row says; and once, because an honest
    // repeat that is decided again at the very end of the grace must not be decided as if it had come later.
    let now = app.clock.now();
    // A store that confirms nothing, or has been replaced: what is begun on it now may count much later, or never.
    if !app.feed.is_current() {
        return Err(RefreshError::Store(StoreError::Unavailable));
    }
    // What an honest client has been given since the backup is on its way: let it come first.
    if app.refresh_closed_until.is_some_and(|until| now < until) {
        return Err(RefreshError::Store(StoreError::Overloaded));
    }
    // The token is ours; whether its session is this key's, the decision says.
    if let Via::Body(Some(proof)) = via
        && !use_up(app, proof).await?
    {
        return Err(RefreshError::BadProof);
    }
    let (in_body, key, devices) = match via {
        Via::Body(proof) => (true, proof.as_ref().map(|proof| proof.key), Vec::new()),
        Via::Cookie(cookies) => (false, None, device::shown_by(app, cookies, now)),
    };
    let policy = app.config.session.rotation_policy();
    let applications = Arc::clone(&app.applications);
    let decide = Arc::new(move |session: &Session| {
        let ours = in_body == (session.profile == Profile::Native) && applications.contains_key(&session.application);
        let proved = match session.binding {
            Binding::None | Binding::Registered(_) => false,
            Binding::Dpop(bound_to) => key == Some(bound_to),
            Binding::Device(_) => devices.contains(&session.sid),
        };
        let proof = if proved { Possession::Valid } else { Possession::Absent };
        ours.then(|| decide(session, &presented, now, proof, policy))
    });
    let seen = Seen { at: now, network: caller.network() };
    let held = Arc::new(AtomicBool::new(false));
    let rule = unless_elsewhere(app, Arc::clone(&decide), (caller, Arc::clone(&held)));
    let mut refreshed = app.store.refresh(presented.handle, rule, seen.clone()).await?;
    if let Some(Refreshed { session, user, decision: None }) = &refreshed
        && held.load(Ordering::Acquire)
    {
        if let Some(asks) = assess::refresh(app, (session, user), caller).await? {
            return Err(RefreshError::Reauthenticate(Box::new(asks)));
        }
        // It goes on, and is decided anew: nothing has been spent by looking.
        refreshed = app.store.refresh(presented.handle, Box::new(move |session| decide(session)), seen).await?;
    }
    match refreshed {
        None => Err(unknown_handle(app, &presented, now).await?),
        Some(refreshed) => carry_out(app, refreshed, now, caller).await,
    }
}

/// The same rule, but where it would hand out tokens to another network or another browser than the session's: then it decides nothing, and
/// `held` says so. What stays where it was, which is nearly all, costs nothing by it.
fn unless_elsewhere(
    app: &App,
    decide: Arc<impl Fn(&Session) -> Option<Decision> + Send + Sync + 'static>,
    (caller, held): (&Caller, Arc<AtomicBool>),
) -> Rule {
    let (on, device, network) = (app.risk.is_on(), caller.device.clone(), caller.network());
    Box::new(move |session| {
        let decision = decide(session);
        let hands_out = match decision {
            None | Some(Decision::Ended(_) | Decision::Unproven | Decision::Reuse) => false,
            Some(
                Decision::Late
                | Decision::Hold(_)
                | Decision::Rotate(_)
                | Decision::Repeat(_)
                | Decision::FastForward(_),
            ) => true,
        };
        let elsewhere = session.network != network || !may_be_same_device(&session.device, &device);
        let waits = on && hands_out && elsewhere;
        held.store(waits, Ordering::Release);
        decision.filter(|_| !waits)
    })
}

/// Answers with what was decided, which has been committed.
async fn carry_out(
    app: &App,
    Refreshed { session, user, decision }: Refreshed,
    now: Timestamp,
    caller: &Caller,
) -> Result<Delivery, RefreshError> {
    let decision = decision.ok_or(RefreshError::Invalid(None))?;
    metrics::counter!("counterfoil_refresh_total", "decision" => word(&decision)).increment(1);
    let long_lived = match decision {
        Decision::Ended(reason) => return Err(RefreshError::Invalid(Some(reason))),
        Decision::Unproven => {
            note_unproven(app, &session, now, caller).await?;
            return Err(RefreshError::Unproven);
        }
        Decision::Reuse => return Err(end_stolen(app, &session, now, caller).await?),
        Decision::FastForward(_) => {
            tracing::warn!(sid = %session.sid, "a refresh token is newer than the store: was it restored from a backup?");
            app.store.append(about(&session, caller, Event::RefreshFastForward, now)).await?;
            LongLived::Unchanged
        }
        Decision::Late | Decision::Hold(_) => LongLived::Unchanged,
        Decision::Rotate(_) | Decision::Repeat(_) => LongLived::New,
    };
    deliver(app, &session, &user, now, long_lived).await.map_err(RefreshError::from)
}

/// Nothing ends by it, so it can be done without end: written down a few times, and then once a minute.
async fn note_unproven(app: &App, session: &Session, now: Timestamp, caller: &Caller) -> Result<(), StoreError> {
    if app.limiter.take(Limited::Unproven, &session.sid.to_string(), UNPROVEN, now).is_err() {
        return Ok(());
    }
    if session.binding.device().is_some() {
        tracing::warn!(sid = %session.sid, network = caller.network(), "a refresh token came without its browser's key");
        app.store.refuse_copy(session.sid, about(session, caller, Event::DeviceProofMissing, now)).await?;
        return Ok(());
    }
    app.store.append(about(session, caller, Event::RefreshUnproven, now)).await
}

/// The theft is punished in its own committed transaction, and only then reported.
async fn end_stolen(app: &App, session: &Session, now: Timestamp, caller: &Caller) -> Result<RefreshError, StoreError> {
    let what = Revocation::Session { sid: session.sid, reason: EndReason::SuspectedTheft };
    access::end(app, what, about(session, caller, Event::RefreshReuse, now)).await?;
    tracing::warn!(sid = %session.sid, network = caller.network(), "a spent refresh token was used again; session ended");
    Ok(RefreshError::Reuse)
}

async fn unknown_handle(app: &App, presented: &Presented, now: Timestamp) -> Result<RefreshError, StoreError> {
    let grace = app.config.session.rotation_grace.0;
    let superseded = app.store.superseded(presented.handle).await?;
    Ok(match superseded {
        Some((at, _)) if now <= at.plus(grace) => RefreshError::Superseded,
        _ => RefreshError::Invalid(None),
    })
}

fn about(session: &Session, caller: &Caller, event: Event, now: Timestamp) -> AuditEntry {
    let entry = caller.audit(event, Actor::Anonymous, now);
    AuditEntry { user: Some(session.user), sid: Some(session.sid), ..entry }
}

const fn word(decision: &Decision) -> &'static str {
    match decision {
        Decision::Ended(_) => "ended",
        Decision::Unproven => "unproven",
        Decision::Hold(_) => "hold",
        Decision::Rotate(_) => "rotate",
        Decision::Repeat(_) => "repeat",
        Decision::Late => "late",
        Decision::Reuse => "reuse",
        Decision::FastForward(_) => "fast_forward",
    }
}
