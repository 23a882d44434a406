//! Which sessions an entry of the audit log has ended: what is told, one by one, to those outside who keep sessions of their own.

use super::{Store, StoreError};
use counterfoil_core::audit::{AuditEntry, Event};
use counterfoil_core::session::Session;
use std::time::Duration;

/// How long the row of a session is kept after its end.
pub const KEPT_FOR: Duration = Duration::from_hours(168);

/// The sessions that ended with what this entry says, as far as their rows are still there. An entry that speaks of all of a user's means
/// those that ended at its time: they were ended in its transaction.
pub async fn ended_by(store: &dyn Store, entry: &AuditEntry) -> Result<Vec<Session>, StoreError> {
    match (entry.event, entry.user, entry.sid) {
        (Event::SessionEnded | Event::RefreshReuse, _, Some(sid)) => {
            Ok(store.by_sid(sid).await?.map(|(session, _)| session).into_iter().collect())
        }
        (event, Some(user), _) if ends_sessions(event) => store.ended_at(user, entry.at).await,
        _ => Ok(Vec::new()),
    }
}

/// Whether such an entry may have ended sessions.
pub const fn ends_sessions(event: Event) -> bool {
    matches!(
        event,
        Event::SessionEnded
            | Event::SessionsEnded
            | Event::RefreshReuse
            | Event::PasswordChanged
            | Event::PasswordReset
            | Event::Banned
            | Event::AccountDeleted
    )
}
