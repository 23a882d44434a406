//! `POST /oauth/introspect`: whether a token may be believed, exactly now. Unlike a guard's answer this one reads the store;
//! and it changes nothing, not even when the session was last seen.

use super::authenticate::{AuthenticateError, verify_access, verify_handed_off};
use super::clients;
use crate::app::{App, Verified};
use crate::store::StoreError;
use counterfoil_core::Timestamp;
use counterfoil_core::profile::Profile;
use counterfoil_core::refresh::token::Presented;
use counterfoil_core::session::Session;
use counterfoil_core::user::User;
use counterfoil_guard::{MAX_TOKEN_BYTES, Refusal};
use std::sync::Arc;

/// What a token is.
#[derive(Clone, Debug)]
pub enum Kind {
    /// An access token, and what it says.
    Access(Arc<Verified>),
    /// A session token.
    Session,
    /// A refresh token.
    Refresh(Presented),
}

/// A token that is ours and whose session lives.
#[derive(Clone, Debug)]
pub enum Live {
    /// One that hangs on a session.
    OfSession {
        /// What it is.
        kind: Kind,
        /// Its session.
        session: Box<Session>,
        /// Whose that is.
        user: Box<User>,
    },
    /// An access token of a service, in its own name.
    OfClient(Arc<Verified>),
}

impl Live {
    /// The access token, if it is one.
    pub const fn access(&self) -> Option<&Arc<Verified>> {
        match self {
            Self::OfSession { kind: Kind::Access(verified), .. } | Self::OfClient(verified) => Some(verified),
            Self::OfSession { .. } => None,
        }
    }
}

/// What introspection says of a token.
#[derive(Clone, Debug)]
pub enum Introspection {
    /// Good.
    Active(Live),
    /// Refused; some of the reasons are for the caller.
    Refused(Refusal),
    /// A refresh token that has been spent. It may still be repeated within the grace; that is for a refresh to decide.
    Spent,
}

/// Says what a token is worth.
pub async fn introspect(app: &App, token: &str) -> Result<Introspection, StoreError> {
    let live = match resolve(app, token, app.clock.now()).await {
        Ok(live) => live,
        Err(AuthenticateError::Refused(refusal)) => return Ok(Introspection::Refused(refusal)),
        Err(AuthenticateError::Store(error)) => return Err(error),
    };
    match &live {
        // An application that has left the configuration has no audience any more.
        Live::OfSession { session, .. } if !app.applications.contains_key(&session.application) => {
            Ok(Introspection::Refused(Refusal::WrongAudience))
        }
        // One newer than its row (an older store put back) is not current either, until its refresh has put the row right.
        Live::OfSession { kind: Kind::Refresh(presented), session, .. }
            if presented.generation != session.rotation.generation =>
        {
            Ok(Introspection::Spent)
        }
        _ => Ok(Introspection::Active(live)),
    }
}

/// Finds a token's live session. The prefix says what the token is, so a wrong hint cannot stop the search (REV-1). `now` is
/// the time that was read before the row is.
pub(super) async fn resolve(app: &App, token: &str, now: Timestamp) -> Result<Live, AuthenticateError> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(Refusal::TooLarge.into());
    }
    drop(app.index()?);
    let tokens = &app.tokens;
    let (kind, found) = if token.starts_with("cfr_") {
        let presented = tokens.parse_refresh(token).map_err(|_| Refusal::BadSignature)?;
        let found = app.store.by_handle(presented.handle).await?;
        (Kind::Refresh(presented), found.filter(|(session, _)| session.profile.has_refresh_token()))
    } else if token.starts_with("cfs_") {
        let handle = tokens.parse_session(token).map_err(|_| Refusal::BadSignature)?;
        let found = app.store.by_handle(handle).await?;
        (Kind::Session, found.filter(|(session, _)| session.profile == Profile::Opaque))
    } else {
        let verified = match verify_access(app, token, now) {
            // For somebody else; with what is private in it, it is a bad one for us.
            Err(Refusal::WrongAudience | Refusal::BadClaim) => verify_handed_off(app, token, now)?,
            outcome => outcome?,
        };
        if let Some(name) = verified.claims.sub.client() {
            let lives = clients::lives(app, name, verified.claims.sid);
            return if lives { Ok(Live::OfClient(verified)) } else { Err(Refusal::Revoked.into()) };
        }
        let found = app.store.by_sid(verified.claims.sid).await?;
        (Kind::Access(verified), found)
    };
    let (session, user) = found.ok_or(Refusal::Revoked)?;
    if session.end_reason(now).is_some() {
        return Err(Refusal::Revoked.into());
    }
    // The row may have been read at a primary that has been replaced; what this replica knows has been confirmed.
    app.index()?.check_session(session.sid, user.claims_version)?;
    match &kind {
        // What the index says too; the row cannot be behind.
        Kind::Access(verified) if verified.claims.claims_version < user.claims_version => Err(Refusal::Stale.into()),
        _ => Ok(Live::OfSession { kind, session: Box::new(session), user: Box::new(user) }),
    }
}
