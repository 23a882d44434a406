//! A database that has been put back from a backup.

use super::writer::Failure;
use super::{audit, log};
use crate::clock::random;
use crate::store::{Ends, Replayed};
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::revocation::ENTRY_LIFE;
use counterfoil_guard::Target;
use rusqlite::{Connection, params};

/// Gives the log another identity, and ends what is named. Returns how many sessions that were.
pub(super) fn restored(connection: &Connection, ends: &Ends, entry: &AuditEntry) -> Result<u64, Failure> {
    let at = entry.at.as_millis();
    connection.execute("UPDATE log_head SET id = ?1, restored_at = ?2", params![random::<16>(), at])?;
    audit::insert(connection, entry)?;
    match ends {
        Ends::Nothing => Ok(0),
        Ends::All => {
            let sql = "UPDATE session SET ended_at = ?1, end_reason = 'ended_by_admin' WHERE ended_at IS NULL";
            Ok(connection.execute(sql, [at])? as u64)
        }
        Ends::These(entries) => {
            let mut ended = 0;
            for replayed in entries {
                ended += replay(connection, replayed, entry)?;
            }
            Ok(ended)
        }
    }
}

fn replay(
    connection: &Connection,
    Replayed { at, what, reason }: &Replayed,
    entry: &AuditEntry,
) -> Result<u64, Failure> {
    match what {
        Target::Session(sid) => {
            let ended = log::end_sessions(connection, &[*sid], *reason, entry)?.len() as u64;
            let service = connection.execute("DELETE FROM client WHERE sid = ?1", [sid.as_bytes()])?;
            // One that began after the backup has no row here, and tokens that verifiers may still be shown.
            if ended == 0 && (service > 0 || at.plus(ENTRY_LIFE) > entry.at) {
                log::append(connection, vec![what.clone()], reason.as_str(), entry)?;
            }
            Ok(ended)
        }
        // Its tokens are all dead by now, or it is told to the verifiers once more.
        Target::Token(_) if at.plus(ENTRY_LIFE) > entry.at => {
            log::append(connection, vec![what.clone()], "token_revoked", entry)?;
            Ok(0)
        }
        Target::Token(_) | Target::Key(_) | Target::Stale(..) => Ok(0),
    }
}
