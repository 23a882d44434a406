//! `POST /api/auth/legacy`: a token of the system that was there before, and a session for it, so that the move signs nobody out.
//!
//! A token counts once, and for the length of the grace again: tabs race, and answers get lost. What is spent is remembered by what was
//! signed, when its session is there; a token that has ended in nothing can be brought again.

use super::Caller;
use super::clients::once;
use super::counts;
use super::sign_in::{LoginError, SignIn, admit, go_on};
use super::ticket::{LegacyProof, Progress};
use crate::app::App;
use crate::config::{DEFAULT_APPLICATION, Names};
use crate::legacy::LegacyIssuer;
use crate::limits::Limited;
use crate::store::StoreError;
use crate::store::legacy::{AccountName, LegacyAccount};
use aws_lc_rs::digest::{SHA256, digest};
use counterfoil_core::assurance::Method;
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use counterfoil_core::foreign::Compact;
use counterfoil_core::legacy::{Believed, MAX_TOKEN_BYTES, Refused, verify};
use counterfoil_core::user::Email;
use counterfoil_core::{Secret, Timestamp};
use counterfoil_guard::base64url_encode;
use counterfoil_guard::dpop::Proof;

/// A legacy token, and what a session for it is to be.
#[derive(Debug)]
pub struct Exchange {
    /// The token.
    pub token: Secret<String>,
    /// The application; the default one if not named.
    pub client_id: Option<String>,
    /// Whether the session outlives the browser.
    pub remember: bool,
}

/// Why there is no session for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// No legacy tokens are taken, or not any more.
    #[error("no tokens of another system are taken here")]
    Closed,
    /// It is not believed, or means nobody who may sign in: not told apart (P1).
    #[error("the token is not believed")]
    Invalid,
    /// It has been exchanged before, longer ago than the grace.
    #[error("the token has been exchanged before")]
    Used,
    /// As with every sign-in.
    #[error(transparent)]
    SignIn(#[from] LoginError),
}

impl From<StoreError> for ExchangeError {
    fn from(error: StoreError) -> Self {
        Self::SignIn(LoginError::Store(error))
    }
}

/// Opens a session for a legacy token, or asks for the next step.
pub async fn exchange(
    app: &App,
    wanted: Exchange,
    proof: Option<&Proof>,
    caller: &Caller,
) -> Result<SignIn, ExchangeError> {
    if !app.legacy.iter().any(|issuer| issuer.is_open(app.clock.now())) {
        return Err(ExchangeError::Closed);
    }
    let application = wanted.client_id.unwrap_or_else(|| DEFAULT_APPLICATION.to_owned());
    admit(app, &application, proof)?;
    let rate = app.config.limits.login_per_network;
    counts::take_from_network(app, Limited::LegacyNetwork, rate, caller).await.map_err(LoginError::from)?;
    let outcome = sign_in(app, &wanted.token, (application, wanted.remember), proof, caller).await;
    count(match &outcome {
        Ok(SignIn::Done(_)) => "done",
        Ok(SignIn::More(_)) => "step",
        Err(ExchangeError::Used) => "used",
        Err(_) => "refused",
    });
    // Only what is refused shall count: a household or an office moves as one.
    if outcome.is_ok() {
        counts::give_back(app, Limited::LegacyNetwork, &caller.source(), Some(rate.rate())).await;
    }
    outcome
}

async fn sign_in(
    app: &App,
    token: &Secret<String>,
    (application, remember): (String, bool),
    proof: Option<&Proof>,
    caller: &Caller,
) -> Result<SignIn, ExchangeError> {
    let token = Compact::read(token.expose(), MAX_TOKEN_BYTES).ok_or(ExchangeError::Invalid)?;
    let (issuer, believed) = believe(app, &token).await?;
    let account = find(app, issuer, &believed).await?;
    let account = account.filter(|account| account.user.ban_at(app.clock.now()).is_none());
    let Some(LegacyAccount { user, sessions_ended_at, .. }) = account else {
        tracing::info!(legacy = issuer.name, "a legacy token names nobody who may sign in here");
        return Err(ExchangeError::Invalid);
    };
    let legacy = LegacyProof {
        token: digest(&SHA256, token.signed().as_bytes()).as_ref().try_into().expect("SHA-256 has 32 bytes"),
        issued_at: believed.issued_at.as_millis(),
        ends_at: believed.ends_at.as_millis(),
    };
    // No step shall be asked for either. What ends them from now on is seen when a session is opened.
    if sessions_ended_at.is_some_and(|ended| ended >= legacy.made_at()) {
        tracing::info!(
            legacy = issuer.name,
            "all sessions of the user of a legacy token have been ended since it was made"
        );
        return Err(ExchangeError::Invalid);
    }
    if is_used(app, &legacy).await? {
        let entry = caller.audit(Event::SignInFailed, Actor::Anonymous, app.clock.now());
        let detail = format!("a token of {} that has been exchanged before", issuer.name);
        app.store.append(AuditEntry { user: Some(user.id), detail, ..entry }).await?;
        return Err(ExchangeError::Used);
    }
    let progress = Progress {
        user: user.id,
        application,
        remember,
        methods: vec![Method::Legacy],
        password: None,
        legacy: Some(legacy),
        trouble: None,
        noted: Vec::new(),
    };
    match go_on(app, progress, None, proof, caller).await {
        // Everything of this user's has been ended meanwhile, or nothing that goes with a token alone would satisfy.
        Err(LoginError::InvalidCredentials) => Err(ExchangeError::Invalid),
        // Another tab was quicker, by more than the grace.
        Err(LoginError::Expired) => Err(ExchangeError::Used),
        outcome => Ok(outcome?),
    }
}

/// The first issuer that is still listened to and whose key and rules the token meets.
async fn believe<'a>(app: &'a App, token: &Compact<'_>) -> Result<(&'a LegacyIssuer, Believed), ExchangeError> {
    let now = app.clock.now();
    let (mut unknown, mut theirs) = (false, false);
    let by_mac = token.is_mac();
    for issuer in app.legacy.iter().filter(|issuer| issuer.is_open(now) && issuer.has_secret() == by_mac) {
        let Ok(keys) = issuer.keys(token.kid(), app.clock.as_ref()).await else {
            unknown = true;
            continue;
        };
        match verify(token, &keys, &issuer.rules, now) {
            Ok(believed) => return Ok((issuer, believed)),
            // Another's, as far as one can see.
            Err(Refused::Key) => tracing::debug!(legacy = issuer.name, "a legacy token is of another key"),
            Err(reason) => {
                theirs = true;
                tracing::info!(legacy = issuer.name, %reason, "a legacy token is refused");
            }
        }
    }
    // It may be good: it is to come again.
    Err(if unknown && !theirs { StoreError::Unavailable.into() } else { ExchangeError::Invalid })
}

async fn find(app: &App, issuer: &LegacyIssuer, believed: &Believed) -> Result<Option<LegacyAccount>, StoreError> {
    let subject = &believed.subject;
    match issuer.names {
        Names::ExternalId => {
            let name = format!("{}{subject}", issuer.prefix);
            app.store.legacy_account(AccountName::ExternalId(&name)).await
        }
        Names::Email => match Email::parse(subject) {
            Some(email) => app.store.legacy_account(AccountName::Address(&email.key())).await,
            None => Ok(None),
        },
    }
}

/// Whether a token has been exchanged, longer ago than the grace.
pub(super) async fn is_used(app: &App, proof: &LegacyProof) -> Result<bool, StoreError> {
    let now = app.clock.now();
    Ok(app.store.is_spent(mark("used", proof), now).await? && !app.store.is_spent(mark("grace", proof), now).await?)
}

/// Its session is there: from now on it is used. The grace is counted from the first time and never restarted.
pub(super) async fn use_up(app: &App, proof: &LegacyProof) -> Result<(), StoreError> {
    let now = app.clock.now();
    let used = mark("used", proof);
    if app.store.is_spent(used, now).await? {
        return Ok(());
    }
    let grace = app.config.session.rotation_grace.0;
    // The grace first: between the two, the other tab finds nothing amiss.
    app.store.spend(mark("grace", proof), now, now.plus(grace)).await?;
    app.store.spend(used, now, Timestamp::from_millis(proof.ends_at)).await?;
    Ok(())
}

fn mark(what: &str, proof: &LegacyProof) -> [u8; 32] {
    once("legacy", what, &base64url_encode(&proof.token))
}

fn count(outcome: &'static str) {
    metrics::counter!("counterfoil_legacy_exchanges_total", "outcome" => outcome).increment(1);
}
