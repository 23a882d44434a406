//! From where accounts have been seen.

use super::connect::Connection;
use super::id::Id;
use super::row::{all, optional_time, time};
use super::transact::{Failure, Transaction, again, connection};
use super::{PostgresStore, audit};
use crate::store::StoreError;
use crate::store::risk::{Familiar, Histories, History, MOST_FAMILIAR};
use async_trait::async_trait;
use counterfoil_core::UserId;
use counterfoil_core::audit::AuditEntry;

const NOTE: &str = "\
    INSERT INTO familiar (id, account, device, network, last_at) VALUES ($1, $2, $3, $4, $5) \
    ON CONFLICT (id) DO UPDATE SET last_at = greatest(familiar.last_at, excluded.last_at)";

/// Nothing is learnt any more of an account that has been deleted; a deletion under way is waited for.
const IS_THERE: &str = "SELECT 1 FROM account WHERE id = $1 AND deleted_at IS NULL FOR KEY SHARE";

const TRIM: &str = "\
    DELETE FROM familiar WHERE id IN (SELECT id FROM familiar WHERE account = $1 ORDER BY last_at DESC, id OFFSET $2)";

#[async_trait]
impl Histories for PostgresStore {
    async fn history(&self, user: UserId) -> Result<History, StoreError> {
        let account = Id(*user.as_bytes());
        again!(self, async {
            let connection = connection(&self.pool).await?;
            let sql = "SELECT last_at, device, network FROM familiar WHERE account = $1 ORDER BY last_at DESC";
            let familiar = all(&connection.query(sql, &[&account]).await?, |row| {
                Ok(Familiar { last_at: time(row, 0)?, device: row.try_get(1)?, network: row.try_get(2)? })
            })?;
            let sql = "SELECT max(ended_at) FROM session WHERE account = $1 AND end_reason = 'suspected_theft'";
            let reuse_at = optional_time(&connection.one(sql, &[&account]).await?, 0)?;
            Ok(History { familiar, reuse_at })
        })
    }

    async fn note_familiar(&self, user: UserId, seen: Familiar, entry: Option<AuditEntry>) -> Result<(), StoreError> {
        again!(self, async {
            let transaction = Transaction::begin(&self.pool).await?;
            if transaction.optional(IS_THERE, &[&Id(*user.as_bytes())]).await?.is_some() {
                note(&transaction, user, &seen).await?;
            }
            if let Some(entry) = &entry {
                audit::insert(&transaction, entry).await?;
            }
            transaction.commit().await
        })
    }

    async fn forget_familiar(&self, user: UserId) -> Result<(), StoreError> {
        again!(self, async {
            let sql = "DELETE FROM familiar WHERE account = $1";
            connection(&self.pool).await?.execute(sql, &[&Id(*user.as_bytes())]).await?;
            Ok(())
        })
    }
}

/// Notes one, and lets go of what is too many.
pub(super) async fn note(connection: &Connection, user: UserId, seen: &Familiar) -> Result<(), Failure> {
    let (id, account, at) = (Id(seen.id(user)), Id(*user.as_bytes()), seen.last_at.as_millis());
    connection.execute(NOTE, &[&id, &account, &seen.device, &seen.network, &at]).await?;
    connection.execute(TRIM, &[&account, &i64::from(MOST_FAMILIAR)]).await?;
    Ok(())
}
