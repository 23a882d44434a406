//! From where accounts have been seen.

use super::row::{all, time};
use super::writer::Failure;
use super::{SqliteStore, audit};
use crate::store::StoreError;
use crate::store::risk::{Familiar, Histories, History, MOST_FAMILIAR};
use async_trait::async_trait;
use counterfoil_core::UserId;
use counterfoil_core::audit::AuditEntry;
use rusqlite::{Connection, params};

/// Nothing is learnt any more of an account that has been deleted.
const IS_THERE: &str = "SELECT 1 FROM account WHERE id = ?1 AND deleted_at IS NULL";

#[async_trait]
impl Histories for SqliteStore {
    async fn history(&self, user: UserId) -> Result<History, StoreError> {
        self.readers.read(|connection| {
            let sql = "SELECT device, network, last_at FROM familiar WHERE account = ?1 ORDER BY last_at DESC";
            let familiar = all(connection.prepare_cached(sql)?.query([user.as_bytes()])?, |row| {
                Ok(Familiar { device: row.get(0)?, network: row.get(1)?, last_at: time(row.get(2)?) })
            })?;
            let sql = "SELECT max(ended_at) FROM session WHERE account = ?1 AND end_reason = 'suspected_theft'";
            let at: Option<i64> = connection.prepare_cached(sql)?.query_row([user.as_bytes()], |row| row.get(0))?;
            Ok(History { familiar, reuse_at: at.map(time) })
        })
    }

    async fn note_familiar(&self, user: UserId, seen: Familiar, entry: Option<AuditEntry>) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                if connection.prepare_cached(IS_THERE)?.exists([user.as_bytes()])? {
                    note(connection, user, &seen)?;
                }
                entry.as_ref().map_or(Ok(()), |entry| audit::insert(connection, entry))
            })
            .await
    }

    async fn forget_familiar(&self, user: UserId) -> Result<(), StoreError> {
        let delete = move |connection: &Connection| {
            connection.prepare_cached("DELETE FROM familiar WHERE account = ?1")?.execute([user.as_bytes()])?;
            Ok(())
        };
        self.writer.write(delete).await
    }
}

/// Notes one, and lets go of what is too many.
pub(super) fn note(connection: &Connection, user: UserId, seen: &Familiar) -> Result<(), Failure> {
    let sql = "INSERT INTO familiar (id, account, device, network, last_at) VALUES (?1, ?2, ?3, ?4, ?5) \
               ON CONFLICT (id) DO UPDATE SET last_at = max(last_at, excluded.last_at)";
    let (id, at) = (seen.id(user), seen.last_at.as_millis());
    connection.prepare_cached(sql)?.execute(params![id, user.as_bytes(), seen.device, seen.network, at])?;
    let sql = "DELETE FROM familiar WHERE id IN \
               (SELECT id FROM familiar WHERE account = ?1 ORDER BY last_at DESC, id LIMIT -1 OFFSET ?2)";
    connection.prepare_cached(sql)?.execute(params![user.as_bytes(), MOST_FAMILIAR])?;
    Ok(())
}
