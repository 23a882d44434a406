//! A store that has been put back from a backup (design, section 6): what has been revoked since must not come back.

use super::administer::Administrator;
use super::keys;
use crate::app::App;
use crate::clock::Clock;
use crate::store::{Ends, Store, StoreError};
use counterfoil_core::audit::Event;
use counterfoil_guard::Target;

/// Gives the log another identity, so that every verifier reads all of it, and ends what is named. To be called before anything
/// is made of the store; then [`revoke_keys`].
pub async fn put_back(store: &dyn Store, clock: &dyn Clock, ends: &Ends) -> Result<u64, StoreError> {
    let by = Administrator::system();
    let detail = match ends {
        Ends::Nothing => "sessions kept",
        Ends::These(_) => "revocations replayed",
        Ends::All => "sessions ended",
    };
    let entry = by.caller.audit(Event::Restored, by.actor, clock.now());
    let entry = counterfoil_core::audit::AuditEntry { detail: detail.to_owned(), ..entry };
    store.restored(ends.clone(), entry).await
}

/// Revokes the keys that had been revoked; or all of them where every session has ended, because the log does not name each.
pub async fn revoke_keys(app: &App, ends: &Ends) -> Result<(), StoreError> {
    let by = Administrator::system();
    match ends {
        Ends::Nothing => {}
        Ends::All => {
            keys::revoke_keys(app, &by, None).await?;
        }
        Ends::These(entries) => {
            for replayed in entries {
                if let Target::Key(kid) = &replayed.what {
                    keys::revoke_keys(app, &by, Some(kid)).await?;
                }
            }
        }
    }
    Ok(())
}
