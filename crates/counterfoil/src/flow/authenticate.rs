//! Who is asking: from an access token or a session token to a session and its user.

use super::{Caller, proof};
use crate::app::{App, Verified};
use crate::store::StoreError;
use counterfoil_core::profile::Profile;
use counterfoil_core::revocation::ENTRY_LIFE;
use counterfoil_core::session::{Handle, Session};
use counterfoil_core::user::User;
use counterfoil_core::{Sid, Timestamp};
use counterfoil_guard::dpop::Proof;
use counterfoil_guard::{Refusal, check_times};
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;

/// `last_seen_at` of a session without refresh token is written at most this often.
const TOUCH_EVERY: Duration = Duration::from_mins(1);

/// A credential that identifies a session on a request.
#[derive(Clone, Copy, Debug)]
pub enum Credential<'a> {
    /// An access token, as whoever bears it has it.
    Access(&'a str),
    /// An access token with a fresh proof that it comes from the holder of the key it is bound to.
    Bound(&'a str, &'a Proof),
    /// A session token.
    Session(&'a str),
}

impl<'a> Credential<'a> {
    /// A token out of an Authorization header; its prefix says which kind it is.
    pub fn bearer(token: &'a str) -> Self {
        if token.starts_with("cfs_") { Self::Session(token) } else { Self::Access(token) }
    }
}

/// Who is asking.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Their session.
    pub session: Session,
    /// Their account.
    pub user: User,
}

/// Why it is not known who is asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthenticateError {
    /// The credential is refused.
    #[error("refused: {}", .0.reason())]
    Refused(Refusal),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Refusal> for AuthenticateError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            // It says nothing of the credential: this replica cannot judge any.
            Refusal::VerifierStale => Self::Store(StoreError::Unavailable),
            refusal => Self::Refused(refusal),
        }
    }
}

/// Believes an access token or refuses it: signature (once per token), times and revocation (every time), and that it
/// belongs to an application of this server. Who may present it is not asked.
pub fn verify_access(app: &App, token: &str, now: Timestamp) -> Result<Arc<Verified>, Refusal> {
    let known = app.verified().lock().get(token);
    let verified = if let Some(verified) = known {
        check_times(&verified.claims, now)?;
        verified
    } else {
        let (claims, kid) = app.keyring().verifier.verify_with_kid(token, now)?;
        check_application(app, &claims)?;
        let verified = Arc::new(Verified { claims, kid, me: Mutex::new(None) });
        app.verified().lock().insert(token, Arc::clone(&verified));
        verified
    };
    app.index()?.check(&verified.claims, &verified.kid)?;
    Ok(verified)
}

/// As [`verify_access`], and that the token may be presented like this (DPOP-7b).
pub fn verify_presented(
    app: &App,
    token: &str,
    proof: Option<&Proof>,
    now: Timestamp,
) -> Result<Arc<Verified>, Refusal> {
    let verified = verify_access(app, token, now)?;
    verified.claims.check_binding(token, proof)?;
    Ok(verified)
}

/// The same for a token that the gate has handed to a server behind it. Good for introspection, and for nothing else here.
pub(super) fn verify_handed_off(app: &App, token: &str, now: Timestamp) -> Result<Arc<Verified>, Refusal> {
    let ring = app.keyring();
    let (claims, kid) = ring.behind.as_ref().ok_or(Refusal::WrongAudience)?.verify_with_kid(token, now)?;
    app.index()?.check(&claims, &kid)?;
    Ok(Arc::new(Verified { claims, kid, me: Mutex::new(None) }))
}

/// `/api/auth/*` takes only tokens whose audience is their own application's.
fn check_application(app: &App, claims: &counterfoil_guard::Claims) -> Result<(), Refusal> {
    match app.applications.get(&claims.client_id) {
        Some(application) if application.mint.audience == claims.aud => Ok(()),
        _ => Err(Refusal::WrongAudience),
    }
}

/// The session a credential identifies, if it is alive.
pub async fn identify(app: &App, credential: Credential<'_>, caller: &Caller) -> Result<Identity, AuthenticateError> {
    let now = app.clock.now();
    let verified = match credential {
        Credential::Access(token) => Some(verify_presented(app, token, None, now)?),
        Credential::Bound(token, proof) => {
            let verified = verify_presented(app, token, Some(proof), now)?;
            use_up(app, proof).await?;
            Some(verified)
        }
        Credential::Session(_) => None,
    };
    identify_verified(app, credential, verified.as_deref(), caller).await
}

/// The same where an access token has been verified, in the way it was presented, a moment ago.
pub(super) async fn identify_verified(
    app: &App,
    credential: Credential<'_>,
    verified: Option<&Verified>,
    caller: &Caller,
) -> Result<Identity, AuthenticateError> {
    let now = app.clock.now();
    // A store that has been replaced without this replica's having noticed yet knows nothing of what has ended since.
    drop(app.index()?);
    let found = match (credential, verified) {
        (Credential::Session(token), _) => {
            let handle = app.tokens.parse_session(token).map_err(|_| Refusal::BadSignature)?;
            app.store.by_handle(handle).await?.filter(|(session, _)| session.profile == Profile::Opaque)
        }
        (_, Some(verified)) => app.store.by_sid(verified.claims.sid).await?,
        (_, None) => None,
    };
    let (session, user) = found.ok_or(Refusal::Revoked)?;
    if session.end_reason(now).is_some() {
        return Err(Refusal::Revoked.into());
    }
    // The row may have been read at a primary that has been replaced; what this replica knows has been confirmed.
    app.index()?.check_session(session.sid, user.claims_version)?;
    let due = now.since(session.last_seen_at) >= TOUCH_EVERY;
    if session.profile == Profile::Opaque && due {
        app.store.touch(session.sid, now, caller.network()).await?;
    }
    Ok(Identity { session, user })
}

/// How much a sign-out ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The session that the credential is of.
    One,
    /// All of its user's.
    Everywhere,
}

/// The session that a credential names, to sign it out: an expired access token will do, as long as it is ours.
pub async fn session_to_end(
    app: &App,
    credential: Credential<'_>,
    ending: Ending,
) -> Result<Option<Sid>, AuthenticateError> {
    match credential {
        // Signing out may be repeated, so the proof is looked at and not used up.
        Credential::Access(token) => session_of_token(app, token, None, ending),
        Credential::Bound(token, proof) => session_of_token(app, token, Some(proof), ending),
        Credential::Session(token) => {
            let Ok(handle) = app.tokens.parse_session(token) else { return Ok(None) };
            Ok(session_of_handle(app, handle).await?)
        }
    }
}

/// The proof counts, and no second time.
pub async fn use_up(app: &App, proof: &Proof) -> Result<(), AuthenticateError> {
    if proof::use_up(app, proof).await? { Ok(()) } else { Err(Refusal::BadProof.into()) }
}

/// The session of a token, if it is ours; then it must be presented as it has to be, or somebody would believe to be signed out. That its
/// key has retired or been revoked is no reason to say that the session has ended, and to leave it alive.
fn session_of_token(
    app: &App,
    token: &str,
    proof: Option<&Proof>,
    ending: Ending,
) -> Result<Option<Sid>, AuthenticateError> {
    let (ring, now) = (app.keyring(), app.clock.now());
    let Ok((claims, kid)) = ring.ours.verify_even_if_expired(token, now) else { return Ok(None) };
    // A token of a revoked key may be made up by whoever has stolen that. It ends the session whose identifier they know, while a
    // true one can be alive; nothing beyond. Whoever is honest gets another token with the next refresh.
    let may_be_true = |since: &Timestamp| ending == Ending::One && now <= since.plus(ENTRY_LIFE);
    if ring.revoked.get(&kid).is_some_and(|since| !may_be_true(since)) {
        return Err(Refusal::KeyRevoked.into());
    }
    claims.check_binding(token, proof)?;
    Ok(Some(claims.sid))
}

/// The session a handle points to, or pointed to a moment ago.
pub(super) async fn session_of_handle(app: &App, handle: Handle) -> Result<Option<Sid>, StoreError> {
    if let Some((session, _)) = app.store.by_handle(handle).await? {
        return Ok(Some(session.sid));
    }
    // The answer with its new handle (a changed password) may still be under way; later it is nobody's any more.
    let grace = app.config.session.rotation_grace.0;
    let superseded = app.store.superseded(handle).await?;
    let under_way = superseded.filter(|(at, _)| app.clock.now() <= at.plus(grace));
    Ok(under_way.and_then(|(_, sid)| sid))
}
