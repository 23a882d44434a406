//! An identity provider elsewhere tells that somebody's sessions are over, or their account (RFC 8935): then they are over here too.
//! What it says is done before it is told so; the same event again does nothing more.

use super::access::{self, carried_through};
use super::{Caller, clients, counts};
use crate::app::App;
use crate::config::OnDisabled;
use crate::issuer_keys::NoKeys;
use crate::limits::{Full, Limited};
use crate::store::StoreError;
use crate::upstreams::Upstream;
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use counterfoil_core::revocation::Revocation;
use counterfoil_core::session::EndReason;
use counterfoil_core::ssf::event::EventType;
use counterfoil_core::ssf::received::{OLDEST, Received, Refused, read, verify};
use counterfoil_core::ssf::subject::Subject;
use counterfoil_core::user::{Ban, Email, User};
use std::sync::Arc;
use std::time::Duration;

/// What the reason of a ban begins with that an upstream has asked for.
const DISABLED: &str = "disabled at the upstream ";

/// What stands in it before an earlier reason.
const BEFORE: &str = "; before that: ";

/// Why an event does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiveError {
    /// Nobody of this name tells anything here.
    #[error("there is no such upstream")]
    Unknown,
    /// It has not proved to be who it says.
    #[error("the header Authorization is missing, or is not the one that was agreed on")]
    Unauthorized,
    /// The event is not believed.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Too many of them.
    #[error("too many events")]
    Wait(Duration),
    /// The keys cannot be had now.
    #[error("the issuer's keys cannot be fetched now")]
    NoKeys,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<counts::Limit> for ReceiveError {
    fn from(limit: counts::Limit) -> Self {
        match limit {
            counts::Limit::Wait(wait) => Self::Wait(wait),
            counts::Limit::Store(error) => Self::Store(error),
        }
    }
}

/// Takes an event in. When this returns, what it says is done, and durable.
pub async fn receive(
    app: &Arc<App>,
    name: &str,
    (set, authorization): (&str, Option<&[u8]>),
    caller: &Caller,
) -> Result<(), ReceiveError> {
    let rate = app.config.limits.token_per_network;
    counts::take_from_network(app, Limited::UpstreamNetwork, rate, caller).await?;
    let upstream = app.upstreams.get(name).ok_or(ReceiveError::Unknown)?;
    if !upstream.is_authorized(authorization) {
        count("refused");
        return Err(ReceiveError::Unauthorized);
    }
    let received = believe(app, upstream, set).await.inspect_err(|error| {
        count("refused");
        tracing::warn!(upstream = name, %error, "an event from elsewhere is refused");
    })?;
    // Who is believed may tell as much as there is to tell: only what is refused counts.
    counts::give_back(app, Limited::UpstreamNetwork, &caller.source(), Some(rate.rate())).await;
    let _turn = app.admission.enter().await.map_err(|Full| StoreError::Overloaded)?;
    let once = clients::once("upstream_event", name, &received.jti);
    if app.store.is_spent(once, app.clock.now()).await? {
        count("repeated");
        return Ok(());
    }
    // Whoever hangs up has told it all the same.
    let (app, name, caller) = (Arc::clone(app), name.to_owned(), caller.clone());
    Ok(carried_through(async move {
        let outcome = act(&app, &name, &received, &caller).await?;
        count(outcome);
        // Only what is done counts as having been told. Until its age alone is a reason to refuse it.
        let until = received.at.plus(OLDEST).plus(Duration::from_mins(5));
        app.store.spend(once, app.clock.now(), until).await.map(|_| ())
    })
    .await?)
}

async fn believe(app: &App, upstream: &Upstream, set: &str) -> Result<Received, ReceiveError> {
    let set = read(set)?;
    let keys = upstream.keys.of(set.kid(), app.clock.as_ref()).await.map_err(|NoKeys| ReceiveError::NoKeys)?;
    Ok(verify(&set, &keys, (&upstream.config.issuer, &upstream.audience), app.clock.now())?)
}

/// Does what an event says; what came of it, in a word.
async fn act(app: &App, name: &str, received: &Received, caller: &Caller) -> Result<&'static str, StoreError> {
    let upstream = &app.upstreams[name];
    let Some(kind) = received.kind.filter(|kind| counts_here(*kind)) else {
        tracing::info!(
            upstream = name,
            kind = received.kind.map(EventType::name),
            "an event from elsewhere that means nothing here"
        );
        return Ok("ignored");
    };
    let Some(user) = find(app, upstream, &received.subject).await? else {
        tracing::info!(upstream = name, kind = kind.name(), "an event from elsewhere is about nobody here");
        return Ok("nobody");
    };
    let note = format!("upstream {name}: {}", kind.name());
    let entry = |event| AuditEntry {
        user: Some(user.id),
        detail: note.clone(),
        ..caller.audit(event, Actor::System, app.clock.now())
    };
    match (kind, upstream.config.on_disabled) {
        (EventType::AccountDisabled | EventType::AccountPurged, OnDisabled::Ban) => {
            if let Some(reason) = reason_beside(name, user.ban_at(app.clock.now())) {
                let what = Revocation::Ban { user: user.id, reason, until: None };
                access::end(app, what, entry(Event::Banned)).await?;
            }
        }
        // One that somebody else has asked for too is lifted by a person.
        (EventType::AccountEnabled, _) => {
            app.store.unban_from(user.id, reason_of(name), entry(Event::Unbanned)).await?;
        }
        _ => {
            let what = Revocation::UserSessions { user: user.id, except: None, reason: EndReason::EndedByAdmin };
            access::end(app, what, entry(Event::SessionsEnded)).await?;
        }
    }
    Ok("acted")
}

const fn counts_here(kind: EventType) -> bool {
    use EventType::{
        AccountDisabled, AccountEnabled, AccountPurged, CredentialCompromise, SessionRevoked, SessionsRevoked,
    };
    matches!(
        kind,
        SessionRevoked | SessionsRevoked | CredentialCompromise | AccountDisabled | AccountPurged | AccountEnabled
    )
}

/// The reason of a ban that an upstream has asked for, and may lift.
fn reason_of(name: &str) -> String {
    format!("{DISABLED}{name}")
}

/// The reason of a ban beside one that there is already; nothing where that will do. With another reason it is not ours to lift: what
/// others have asked for stays.
fn reason_beside(name: &str, ban: Option<&Ban>) -> Option<String> {
    let own = reason_of(name);
    match ban {
        None => Some(own),
        Some(ban) if ban.reason.split(BEFORE).any(|part| part == own) => None,
        // It has no end, and no upstream could lift it.
        Some(ban) if ban.until.is_none() && !ban.reason.starts_with(DISABLED) => None,
        Some(ban) => Some(format!("{own}{BEFORE}{}", ban.reason)),
    }
}

/// The account that a subject means: by its address, or by the name that our own tokens have for it. The upstream must speak for it.
async fn find(app: &App, upstream: &Upstream, subject: &Subject) -> Result<Option<User>, StoreError> {
    let found = match (subject.user(), subject.of_issuer(app.public.issuer())) {
        (_, Some(user)) => app.store.credential_of(user).await?,
        (Subject::Email(address), None) => match Email::parse(address) {
            Some(email) => app.store.credential(&email.key()).await?,
            None => None,
        },
        _ => None,
    };
    Ok(found.map(|found| found.user).filter(|user| upstream.config.speaks_for(user.email.as_str())))
}

fn count(outcome: &'static str) {
    metrics::counter!("counterfoil_upstream_events_total", "outcome" => outcome).increment(1);
}

#[cfg(test)]
mod tests {
    use super::reason_beside;
    use counterfoil_core::Timestamp;
    use counterfoil_core::user::Ban;

    #[test]
    fn a_ban_that_somebody_else_has_asked_for_is_lifted_by_nobody_but_a_person() {
        let ban = |reason: &str, until: Option<i64>| Ban {
            at: Timestamp::from_seconds(1),
            until: until.map(Timestamp::from_seconds),
            reason: reason.to_owned(),
        };
        let beside = |ban: Option<Ban>| reason_beside("idp", ban.as_ref());
        let own = "disabled at the upstream idp";
        assert_eq!(beside(None).as_deref(), Some(own));
        assert_eq!(beside(Some(ban(own, None))), None, "once");
        assert_eq!(beside(Some(ban("spam", None))), None, "it has no end");
        let both = |before: &str| Some(format!("{own}; before that: {before}"));
        assert_eq!(beside(Some(ban("spam", Some(9)))), both("spam"), "it has one");
        let other = "disabled at the upstream idp2";
        assert_eq!(beside(Some(ban(other, None))), both(other), "which the other could lift");
        assert_eq!(beside(Some(ban(&both(other).expect("one"), None))), None);
    }
}
