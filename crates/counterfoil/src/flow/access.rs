//! Ending access: the one way through which every sign-out, revocation and ban goes.

use crate::app::App;
use crate::store::StoreError;
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::revocation::{Revocation, RevocationOrder, Revoked};

/// Commits the revocation and puts it into force here. When this returns, it is durable and no verifier in this process
/// accepts what it hit (S1).
pub async fn end(app: &App, what: Revocation, audit: AuditEntry) -> Result<Revoked, StoreError> {
    let order = RevocationOrder { what, at: audit.at, audit };
    let revoked = app.store.revoke(order).await?;
    app.absorb(&revoked);
    if !revoked.entries.is_empty() {
        metrics::counter!("counterfoil_revocations_total").increment(revoked.entries.len() as u64);
    }
    Ok(revoked)
}
