//! Ending access: the one way through which every sign-out, revocation and ban goes.
//!
//! Committing and putting into force are one piece of work that nobody can interrupt: a client that hangs up after the commit
//! must not leave a session that is over in the store and alive in this process.

use crate::app::App;
use crate::feed::Look;
use crate::store::{LogState, NewSession, Opened, StoreError};
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::revocation::{Revocation, RevocationOrder, Revoked};
use std::sync::Arc;
use tracing::Instrument as _;

/// What ending access did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Whether the thing named exists at all.
    pub found: bool,
    /// When this entry of the log is effective, so is all that was asked for.
    pub seq: u64,
}

/// Commits the revocation and puts it into force here. When this returns, it is durable and no verifier in this process
/// accepts what it hit (S1). Once begun it is carried through, whether or not anybody waits for it.
pub async fn end(app: &App, what: Revocation, audit: AuditEntry) -> Result<Ended, StoreError> {
    end_holding(app, what, audit, ()).await
}

/// As [`end`], and lets go of `held` when it is done.
pub(super) async fn end_holding(
    app: &App,
    what: Revocation,
    audit: AuditEntry,
    held: impl Send + 'static,
) -> Result<Ended, StoreError> {
    let parties = Arc::clone(&app.parties);
    let removed = match &what {
        Revocation::Client { name } => Some(name.clone()),
        _ => None,
    };
    let changes_keys = matches!(what, Revocation::Keys { .. });
    let (shared, within) = (app.replica.is_some(), app.config.revocation.max_staleness.0);
    let order = RevocationOrder { what, at: audit.at, audit };
    let (store, force, keys) = (Arc::clone(&app.store), app.in_force(), Arc::clone(&app.keys));
    carried_through(async move {
        let revoked = store.revoke(order).await?;
        // The ring first: guards are told of a revoked key together with the key set that has others.
        if changes_keys && let Err(error) = keys.reload(store.as_ref()).await {
            tracing::error!(%error, "keys have been revoked, and the new ones cannot be read yet");
        }
        force.absorb(&revoked);
        // Somebody has ended it at another replica, and is told here that it has ended: then it must have, here too.
        if revoked.entries.is_empty() && shared && !force.feed.caught_up(revoked.head, within).await {
            return Err(StoreError::Unavailable);
        }
        if let Some(name) = removed {
            parties.forget_client(&name);
            if let Err(error) = parties.reload(store.as_ref()).await {
                tracing::error!(%error, "a service has been removed, and the others cannot be read yet");
            }
        }
        drop(held);
        Ok(Ended { found: revoked.found, seq: revoked.head })
    })
    .await
}

/// As if something had been ended: what to wait for when there was nothing left to end. The store is asked, because somebody
/// else may just have ended it and not have put it into force here yet.
pub async fn nothing(app: &App) -> Result<Ended, StoreError> {
    let seq = app.store.head().await?;
    if app.replica.is_some() && !app.feed.caught_up(seq, app.config.revocation.max_staleness.0).await {
        return Err(StoreError::Unavailable);
    }
    Ok(Ended { found: false, seq })
}

/// Keeps a new session; the surplus sessions that end for it are put out of force in the same breath.
pub(super) async fn open(app: &App, new: NewSession, audit: AuditEntry) -> Result<Opened, StoreError> {
    let (store, force) = (Arc::clone(&app.store), app.in_force());
    carried_through(async move {
        let opened = store.open(new, audit).await?;
        if let Opened::Done { surplus, .. } = &opened {
            force.absorb(surplus);
        }
        Ok(opened)
    })
    .await
}

/// An entry that was committed but did not come by, because what carried it through has died, is read from the store: when those
/// after it wait for it, or when the store has been ahead since the last look. `seen` is the head at that look.
pub async fn mend(app: &App, seen: &mut u64) -> Result<(), StoreError> {
    let here = app.feed.head();
    let behind = app.store.head().await? > here && std::mem::replace(seen, here) == here;
    if !behind && !app.feed.has_gap() {
        return Ok(());
    }
    tracing::warn!("a revocation has not come by; reading the log anew");
    let log = app.store.log(app.clock.now()).await?;
    app.in_force().replace(log);
    Ok(())
}

pub(super) async fn carried_through<T: Send + 'static>(
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::spawn(work.in_current_span()).await.map_err(|_| StoreError::Unavailable)?
}

/// Where revocations are in force in this process: its own verifier, and the feed.
#[derive(Clone)]
pub struct InForce {
    pub(crate) index: Arc<parking_lot::RwLock<counterfoil_guard::RevocationIndex>>,
    pub(crate) feed: Arc<crate::feed::Feed>,
}

impl InForce {
    /// Makes the whole log count here.
    pub(crate) fn replace(&self, log: LogState) {
        let mut index = self.index.write();
        for entry in &log.in_force {
            index.add(entry);
        }
        drop(index);
        self.feed.reload(log);
    }

    /// Makes what a look at the log has shown count here: the index first, because the feed says what is in force.
    pub fn follow(&self, look: &Look<'_>) {
        if !look.entries.is_empty() {
            let mut index = self.index.write();
            for entry in look.entries {
                index.add(entry);
            }
        }
        self.feed.follow(look);
    }

    /// Makes what has been committed to the log count here.
    fn absorb(&self, revoked: &Revoked) {
        if revoked.entries.is_empty() {
            return;
        }
        let mut index = self.index.write();
        for entry in &revoked.entries {
            index.add(entry);
        }
        drop(index);
        self.feed.append(&revoked.entries);
        metrics::counter!("counterfoil_revocations_total").increment(revoked.entries.len() as u64);
    }
}
