//! Signing out: here, on one other device, on all others, everywhere.

use super::access::Ended;
use super::authenticate::{Identity, session_of_handle};
use super::{Caller, access};
use crate::app::App;
use crate::store::StoreError;
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use counterfoil_core::revocation::Revocation;
use counterfoil_core::session::{EndReason, Session};
use counterfoil_core::{Sid, UserId};

/// Ends the session a sign-out names, whoever holds its token. Repeating it changes nothing.
pub async fn sign_out(app: &App, sid: Sid, caller: &Caller) -> Result<Ended, StoreError> {
    let Some((session, _)) = app.store.by_sid(sid).await? else { return access::nothing(app).await };
    let entry = entry(app, caller, Event::SessionEnded, session.user, Some(sid));
    access::end(app, Revocation::Session { sid, reason: EndReason::SignedOut }, entry).await
}

/// The session that a refresh token belongs to, to sign it out: any generation will do, as long as it is ours.
pub async fn session_of_refresh_token(app: &App, token: &str) -> Result<Option<Sid>, StoreError> {
    let Ok(presented) = app.tokens.parse_refresh(token) else { return Ok(None) };
    session_of_handle(app, presented.handle).await
}

/// Ends every session of the user that this one belongs to, this one included.
pub async fn sign_out_everywhere(app: &App, sid: Sid, caller: &Caller) -> Result<Ended, StoreError> {
    let Some((session, _)) = app.store.by_sid(sid).await? else { return access::nothing(app).await };
    // A token of a session that has ended must not end sessions that came after it.
    if session.end_reason(app.clock.now()).is_some() {
        return access::nothing(app).await;
    }
    let user = session.user;
    let what = Revocation::UserSessions { user, except: None, reason: EndReason::EndedByYou };
    access::end(app, what, entry(app, caller, Event::SessionsEnded, user, None)).await
}

/// Ends all the user's other sessions.
pub async fn end_others(app: &App, identity: &Identity, caller: &Caller) -> Result<Ended, StoreError> {
    let (user, sid) = (identity.user.id, identity.session.sid);
    let what = Revocation::UserSessions { user, except: Some(sid), reason: EndReason::EndedByYou };
    access::end(app, what, entry(app, caller, Event::SessionsEnded, user, None)).await
}

/// Ends one of the user's sessions; not found when there is no such session of theirs.
pub async fn end_one(app: &App, identity: &Identity, sid: Sid, caller: &Caller) -> Result<Ended, StoreError> {
    let found = app.store.by_sid(sid).await?;
    let Some((session, user)) = found.filter(|(_, user)| user.id == identity.user.id) else {
        return access::nothing(app).await;
    };
    let reason = if session.sid == identity.session.sid { EndReason::SignedOut } else { EndReason::EndedByYou };
    let entry = entry(app, caller, Event::SessionEnded, user.id, Some(sid));
    access::end(app, Revocation::Session { sid, reason }, entry).await
}

/// The user's sessions: those alive, and those that ended lately and why.
pub async fn devices(app: &App, identity: &Identity) -> Result<(Vec<Session>, Vec<Session>), StoreError> {
    let now = app.clock.now();
    let all = app.store.sessions_of(identity.user.id).await?;
    Ok(all.into_iter().partition(|session| session.end_reason(now).is_none()))
}

fn entry(app: &App, caller: &Caller, event: Event, user: UserId, sid: Option<Sid>) -> AuditEntry {
    let entry = caller.audit(event, Actor::User(user), app.clock.now());
    AuditEntry { user: Some(user), sid, ..entry }
}
