//! What the audit log says, in the words of Shared Signals: for whoever sends it and whoever is asked for it.

use crate::store::ended::{KEPT_FOR, ended_by, ends_sessions};
use crate::store::{Store, StoreError};
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::ssf::signal::{Ended, Signal, signals};
use counterfoil_core::ssf::stream::{Numbered, Stream, Subjects};
use counterfoil_core::{Sid, Timestamp, UserId};
use std::collections::BTreeSet;

/// The entries after this number, oldest first, with what they say.
pub(crate) async fn following(
    store: &dyn Store,
    now: Timestamp,
    after: i64,
    limit: u32,
) -> Result<Vec<Numbered>, StoreError> {
    let mut numbered = Vec::new();
    for (seq, entry) in store.following(after, limit).await? {
        numbered.push(Numbered { seq, signals: said_by(store, now, &entry).await? });
    }
    Ok(numbered)
}

async fn said_by(store: &dyn Store, now: Timestamp, entry: &AuditEntry) -> Result<Vec<Signal>, StoreError> {
    if !ends_sessions(entry.event) {
        return Ok(signals(entry, Ended::These(&[])));
    }
    if now.since(entry.at) >= KEPT_FOR {
        return Ok(signals(entry, Ended::Forgotten));
    }
    let sids: Vec<Sid> = ended_by(store, entry).await?.iter().map(|session| session.sid).collect();
    Ok(signals(entry, Ended::These(&sids)))
}

/// Of all that, what a stream is told.
pub(crate) async fn told_to(
    store: &dyn Store,
    stream: &Stream,
    mut entries: Vec<Numbered>,
) -> Result<Vec<Numbered>, StoreError> {
    for entry in &mut entries {
        entry.signals.retain(|signal| stream.wants(signal));
    }
    let users: BTreeSet<UserId> = entries.iter().flat_map(|entry| &entry.signals).map(|signal| signal.user).collect();
    if users.is_empty() {
        return Ok(entries);
    }
    let excepted: BTreeSet<UserId> =
        store.excepted_subjects(stream.id, users.into_iter().collect()).await?.into_iter().collect();
    let about_exceptions = stream.settings.subjects == Subjects::None;
    for entry in &mut entries {
        entry.signals.retain(|signal| excepted.contains(&signal.user) == about_exceptions);
    }
    Ok(entries)
}
