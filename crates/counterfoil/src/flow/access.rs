//! Ending access: the one way through which every sign-out, revocation and ban goes.
//!
//! Committing and putting into force are one piece of work that nobody can interrupt: a client that hangs up after the commit
//! must not leave a session that is over in the store and alive in this process.

use crate::app::App;
use crate::store::{NewSession, Opened, StoreError};
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::revocation::{Revocation, RevocationOrder, Revoked};
use counterfoil_guard::RevocationIndex;
use parking_lot::RwLock;
use std::sync::Arc;

/// Commits the revocation and puts it into force here. When this returns, it is durable and no verifier in this process
/// accepts what it hit (S1). Once begun it is carried through, whether or not anybody waits for it.
pub async fn end(app: &App, what: Revocation, audit: AuditEntry) -> Result<Revoked, StoreError> {
    let order = RevocationOrder { what, at: audit.at, audit };
    let (store, index) = (Arc::clone(&app.store), Arc::clone(app.revocations()));
    carried_through(async move {
        let revoked = store.revoke(order).await?;
        absorb(&index, &revoked);
        Ok(revoked)
    })
    .await
}

/// Keeps a new session; the surplus sessions that end for it are put out of force in the same breath.
pub(super) async fn open(app: &App, new: NewSession, audit: AuditEntry) -> Result<Opened, StoreError> {
    let (store, index) = (Arc::clone(&app.store), Arc::clone(app.revocations()));
    carried_through(async move {
        let opened = store.open(new, audit).await?;
        if let Opened::Done { surplus, .. } = &opened {
            absorb(&index, surplus);
        }
        Ok(opened)
    })
    .await
}

async fn carried_through<T: Send + 'static>(
    work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
) -> Result<T, StoreError> {
    tokio::spawn(work).await.map_err(|_| StoreError::Unavailable)?
}

/// Makes what has been committed to the log count here.
fn absorb(index: &RwLock<RevocationIndex>, revoked: &Revoked) {
    if revoked.entries.is_empty() {
        return;
    }
    let mut index = index.write();
    for entry in &revoked.entries {
        index.add(entry);
    }
    metrics::counter!("counterfoil_revocations_total").increment(revoked.entries.len() as u64);
}
