//! `POST /oauth/revoke`: a client has no more use for a token. A refresh or session token ends its session, which takes every
//! access token along (REV-2); an access token ends alone.

use super::access::Ended;
use super::authenticate::AuthenticateError;
use super::counts::{self, Limit};
use super::introspect::{Kind, Live, resolve};
use super::{Caller, access};
use crate::app::App;
use crate::limits::Limited;
use crate::store::StoreError;
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use counterfoil_core::revocation::Revocation;
use counterfoil_core::session::EndReason;

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revoker {
    /// The guard of this name: it may revoke any token that it holds.
    Guard(String),
    /// The service of this name, which has proved itself: it may revoke what was issued to it.
    Service(String),
    /// Whoever bears the token, as the application of this name, to which it must have been issued.
    Client(String),
}

/// Why nothing was revoked. A token that is unknown, or of no use any more, is no error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RevokeTokenError {
    /// The token was issued to another application.
    #[error("the token was issued to another application")]
    IssuedToAnother,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Counts an attempt of a client without a credential. To be asked before any work.
pub async fn count_attempt(app: &App, caller: &Caller) -> Result<(), Limit> {
    counts::take_from_network(app, Limited::RevokeNetwork, app.config.limits.revoke_per_network, caller).await
}

/// Revokes a token. Of a refresh token any generation will do, as at sign-out.
pub async fn revoke_token(app: &App, token: &str, by: &Revoker, caller: &Caller) -> Result<Ended, RevokeTokenError> {
    let now = app.clock.now();
    let live = match resolve(app, token, now).await {
        Ok(live) => live,
        Err(AuthenticateError::Refused(_)) => return Ok(access::nothing(app).await?),
        Err(AuthenticateError::Store(error)) => return Err(error.into()),
    };
    let (sid, user) = match &live {
        Live::OfSession { session, .. } => (session.sid, Some(session.user)),
        Live::OfClient(verified) => (verified.claims.sid, None),
    };
    let (actor, detail) = actor(&live, by)?;
    let (what, event) = match &live {
        // Only the client itself holds these: it signs its user out, whichever way it identifies itself.
        Live::OfSession { kind: Kind::Session | Kind::Refresh(_), .. } => {
            (Revocation::Session { sid, reason: EndReason::SignedOut }, Event::SessionEnded)
        }
        Live::OfSession { kind: Kind::Access(verified), .. } | Live::OfClient(verified) => {
            (Revocation::Token { sid, jti: verified.claims.jti }, Event::TokenRevoked)
        }
    };
    let entry = caller.audit(event, actor, now);
    let entry = AuditEntry { user, sid: Some(sid), detail, ..entry };
    Ok(access::end(app, what, entry).await?)
}

/// As whom the revoker acts. The token must have been issued to it, unless it is a guard.
fn actor(live: &Live, by: &Revoker) -> Result<(Actor, String), RevokeTokenError> {
    let issued_to = live.access().map(|verified| verified.claims.client_id.as_str());
    match (by, live) {
        (Revoker::Guard(name), _) => Ok((Actor::Guard, name.clone())),
        (Revoker::Service(name), _) if issued_to == Some(name.as_str()) => Ok((Actor::Client, name.clone())),
        (Revoker::Client(name), Live::OfSession { session, .. })
            if *name == session.application && issued_to.is_none_or(|client| client == name) =>
        {
            Ok((Actor::User(session.user), String::new()))
        }
        _ => Err(RevokeTokenError::IssuedToAnother),
    }
}
