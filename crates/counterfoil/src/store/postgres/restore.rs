//! A database that has been put back from a backup.

use super::PostgresStore;
use super::id::Id;
use super::transact::{Failure, Transaction};
use super::{audit, log, revoke};
use crate::clock::random;
use crate::store::{Ends, Replayed};
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::revocation::ENTRY_LIFE;
use counterfoil_guard::Target;

impl PostgresStore {
    /// Gives the log another identity, and ends what is named. Returns how many sessions that were.
    pub(super) async fn restored_once(&self, ends: &Ends, entry: &AuditEntry) -> Result<u64, Failure> {
        let transaction = Transaction::begin(&self.pool).await?;
        let at = entry.at.as_millis();
        transaction.execute("UPDATE log_head SET id = $1, restored_at = $2", &[&Id(random()), &at]).await?;
        // Whoever was there when the backup was made is not.
        transaction.execute("DELETE FROM replica", &[]).await?;
        transaction.execute("DELETE FROM job", &[]).await?;
        audit::insert(&transaction, entry).await?;
        let ended = match ends {
            Ends::Nothing => 0,
            Ends::All => {
                let sql = "UPDATE session SET ended_at = $1, end_reason = 'ended_by_admin' WHERE ended_at IS NULL";
                transaction.execute(sql, &[&at]).await?
            }
            Ends::These(entries) => {
                let mut ended = 0;
                for replayed in entries {
                    ended += replay(&transaction, replayed, entry).await?;
                }
                ended
            }
        };
        transaction.commit_with_news().await?;
        Ok(ended)
    }
}

async fn replay(
    transaction: &Transaction,
    Replayed { at, what, reason }: &Replayed,
    entry: &AuditEntry,
) -> Result<u64, Failure> {
    match what {
        Target::Session(sid) => {
            let ended = revoke::end_sessions(transaction, &[*sid], *reason, entry).await?.len() as u64;
            let sql = "DELETE FROM client WHERE sid = $1";
            let service = transaction.execute(sql, &[&Id(*sid.as_bytes())]).await?;
            // One that began after the backup has no row here, and tokens that verifiers may still be shown.
            if ended == 0 && (service > 0 || at.plus(ENTRY_LIFE) > entry.at) {
                log::append(transaction, vec![what.clone()], reason.as_str(), entry).await?;
            }
            Ok(ended)
        }
        // Its tokens are all dead by now, or it is told to the verifiers once more.
        Target::Token(_) if at.plus(ENTRY_LIFE) > entry.at => {
            log::append(transaction, vec![what.clone()], "token_revoked", entry).await?;
            Ok(0)
        }
        Target::Token(_) | Target::Key(_) | Target::Stale(..) => Ok(0),
    }
}
