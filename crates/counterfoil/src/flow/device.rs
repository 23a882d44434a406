//! `/api/auth/refresh/device`: a browser registers a key for its session, and shows now and then that it still has it (DBSC).
//!
//! A key that has been registered is not asked for before it has been shown once more. Browsers repeat a registration whose answer they
//! do not get, and then throw the key away, as they do when the answer is not to their liking: whoever took it for granted would sign
//! out an honest person. The cookie of an answer is kept in either case. So a registration gives none, and the first refresh needs a proof.

use super::Caller;
use super::authenticate::session_of_handle;
use crate::app::App;
use crate::config::DeviceBinding;
use crate::limits::Full;
use crate::store::StoreError;
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use counterfoil_core::device::DeviceKey;
use counterfoil_core::device::proof::{BadProof, check, registered_key};
use counterfoil_core::device::stamp::{CHALLENGE_LIFE, REGISTRATION_LIFE, Stamp};
use counterfoil_core::session::{Binding, Session};
use counterfoil_core::{Sid, Timestamp};

/// Where browsers register a key.
pub const REGISTER_PATH: &str = "/api/auth/refresh/device/register";
/// Where they prove that they have it.
pub const PROVE_PATH: &str = "/api/auth/refresh/device";

/// What a browser needs to register a key.
#[derive(Debug)]
pub struct Offer {
    /// It signs this.
    pub challenge: String,
    /// And says this: only the answer to a sign-in holds it.
    pub authorization: String,
}

/// Whether a browser's requests count as coming from the session's own browser.
#[derive(Debug)]
pub enum Proved {
    /// They do.
    Good {
        /// The value of its device cookie.
        cookie: String,
        /// The challenge for its next proof.
        next: String,
    },
    /// Not yet: it has to sign this.
    Challenge(String),
    /// There is nothing to prove any more.
    Over,
}

/// Why no key was registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegisterDeviceError {
    /// It is not a registration, not for this session, too late, or the session has a key.
    #[error("the registration is refused")]
    Refused,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Full> for RegisterDeviceError {
    fn from(_: Full) -> Self {
        Self::Store(StoreError::Overloaded)
    }
}

/// What the answer to a sign-in offers, if the session is one to be bound. Browsers do it over https only.
///
/// Only there: whoever has stolen a refresh token must never be offered to bind the session to a key of theirs.
pub fn offer(app: &App, session: &Session) -> Option<Offer> {
    let wanted = app.config.session.device_binding == DeviceBinding::Offer && app.public.is_https();
    let unbound = session.binding == Binding::None;
    (wanted && unbound && session.profile.refresh_in_cookie()).then(|| {
        let stamp = |what| app.tokens.stamp(what, session.sid, app.clock.now());
        Offer { challenge: stamp(Stamp::Registration), authorization: stamp(Stamp::Authorization) }
    })
}

/// Registers a key for the session that one of these refresh tokens belongs to, and returns the challenge for its first proof. Repeating it before the key has been shown changes
/// nothing; a session gets no second one.
pub async fn register(
    app: &App,
    refresh_tokens: &[&str],
    proof: &str,
    caller: &Caller,
) -> Result<(Sid, String), RegisterDeviceError> {
    let _turn = app.admission.enter().await?;
    let now = app.clock.now();
    let own = sessions_of(app, refresh_tokens).await?;
    let stamped =
        |what, text: &str| app.tokens.read_stamp(what, text, now, REGISTRATION_LIFE).filter(|sid| own.contains(sid));
    let mut named = None;
    let known = |challenge: &str, authorization: &str| {
        named = stamped(Stamp::Registration, challenge);
        named.is_some() && named == stamped(Stamp::Authorization, authorization)
    };
    let key = registered_key(proof, &app.public.absolute(REGISTER_PATH), known).map_err(refused)?;
    let sid = named.ok_or(RegisterDeviceError::Refused)?;
    let session = live(app, sid, now).await?.ok_or(RegisterDeviceError::Refused)?;
    if !session.profile.refresh_in_cookie() || app.config.session.device_binding == DeviceBinding::Off {
        return Err(RegisterDeviceError::Refused);
    }
    let entry = about(&session, caller, Event::DeviceRegistered, now);
    let settled = match session.binding {
        Binding::None if app.store.register_device(sid, key, entry).await? => {
            metrics::counter!("counterfoil_device_keys_total", "step" => "registered").increment(1);
            Some(key)
        }
        // Another request came between: perhaps the same one, sent again.
        Binding::None => live(app, sid, now).await?.and_then(|session| waiting(&session)),
        _ => waiting(&session),
    };
    if settled != Some(key) {
        return Err(refused(BadProof("second key")));
    }
    Ok((sid, app.tokens.stamp(Stamp::Challenge, sid, now)))
}

/// The key that has been registered and not been shown yet.
const fn waiting(session: &Session) -> Option<DeviceKey> {
    match session.binding {
        Binding::Registered(key) => Some(key),
        Binding::None | Binding::Dpop(_) | Binding::Device(_) => None,
    }
}

/// Whether whoever speaks for this session has its key. The same proof counts as often as it comes while its challenge is good: answers
/// get lost, and Chromium does not sign a challenge twice.
pub async fn prove(
    app: &App,
    sid: Sid,
    refresh_tokens: &[&str],
    proof: Option<&str>,
    caller: &Caller,
) -> Result<Proved, StoreError> {
    let _turn = app.admission.enter().await.map_err(|Full| StoreError::Overloaded)?;
    let now = app.clock.now();
    let Some(session) = live(app, sid, now).await? else { return Ok(Proved::Over) };
    let Some(key) = session.binding.device() else { return Ok(Proved::Over) };
    // Somebody has signed in over this session: its cookies are gone, and its device cookie would take the other's place.
    let own = sessions_of(app, refresh_tokens).await?;
    if !own.is_empty() && !own.contains(&sid) {
        return Ok(Proved::Over);
    }
    let known = |challenge: &str| app.tokens.read_stamp(Stamp::Challenge, challenge, now, CHALLENGE_LIFE) == Some(sid);
    let shown = proof.map(|proof| check(proof, &app.public.absolute(PROVE_PATH), key, known));
    if let Some(Ok(())) = shown {
        confirm(app, &session, caller, now).await?;
        let stamp = |what| app.tokens.stamp(what, sid, now);
        return Ok(Proved::Good { cookie: stamp(Stamp::Cookie), next: stamp(Stamp::Challenge) });
    }
    if let Some(Err(bad)) = shown {
        refused(bad);
    }
    Ok(Proved::Challenge(app.tokens.stamp(Stamp::Challenge, sid, now)))
}

/// The browser has shown its key: from now on it is asked for.
async fn confirm(app: &App, session: &Session, caller: &Caller, now: Timestamp) -> Result<(), StoreError> {
    if let Some(key) = waiting(session)
        && app.store.bind_device(session.sid, key, about(session, caller, Event::DeviceBound, now)).await?
    {
        metrics::counter!("counterfoil_device_keys_total", "step" => "bound").increment(1);
    }
    Ok(())
}

/// The sessions for which one of these device cookies is good.
pub(super) fn shown_by(app: &App, device_cookies: &[String], now: Timestamp) -> Vec<Sid> {
    let life = app.config.session.device_proof_life.0;
    device_cookies.iter().filter_map(|cookie| app.tokens.read_stamp(Stamp::Cookie, cookie, now, life)).collect()
}

fn refused(BadProof(reason): BadProof) -> RegisterDeviceError {
    metrics::counter!("counterfoil_device_proofs_refused_total", "reason" => reason).increment(1);
    tracing::info!(reason, "a browser's proof is refused");
    RegisterDeviceError::Refused
}

async fn live(app: &App, sid: Sid, now: Timestamp) -> Result<Option<Session>, StoreError> {
    let found = app.store.by_sid(sid).await?;
    Ok(found.map(|(session, _)| session).filter(|session| session.end_reason(now).is_none()))
}

async fn sessions_of(app: &App, refresh_tokens: &[&str]) -> Result<Vec<Sid>, StoreError> {
    let mut found = Vec::new();
    for token in refresh_tokens {
        if let Ok(presented) = app.tokens.parse_refresh(token) {
            found.extend(session_of_handle(app, presented.handle).await?);
        }
    }
    Ok(found)
}

fn about(session: &Session, caller: &Caller, event: Event, now: Timestamp) -> AuditEntry {
    let entry = caller.audit(event, Actor::User(session.user), now);
    AuditEntry { user: Some(session.user), sid: Some(session.sid), ..entry }
}
