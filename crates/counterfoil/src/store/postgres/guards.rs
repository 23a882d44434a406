//! The credentials of guards.

use super::row::{all, corrupt, time};
use super::transact::{Transaction, again, connection};
use super::{PostgresStore, audit};
use crate::store::{GuardCredential, Guards, StoreError};
use async_trait::async_trait;
use counterfoil_core::audit::AuditEntry;

/// Replicas compare it with what they have read.
pub(super) const CHANGED: &str = "UPDATE log_head SET parties = parties + 1";

#[async_trait]
impl Guards for PostgresStore {
    async fn guards(&self) -> Result<Vec<GuardCredential>, StoreError> {
        again!(async {
            let sql = "SELECT name, hash, created_at FROM guard ORDER BY name";
            all(&connection(&self.pool).await?.query(sql, &[]).await?, |row| {
                let hash = row.try_get::<_, &[u8]>(1)?.try_into().map_err(|_| corrupt("guard", "hash"))?;
                Ok(GuardCredential { name: row.try_get(0)?, hash, created_at: time(row, 2)? })
            })
        })
    }

    async fn add_guard(&self, new: GuardCredential, entry: AuditEntry) -> Result<bool, StoreError> {
        again!(async {
            let transaction = Transaction::begin(&self.pool).await?;
            let sql = "INSERT INTO guard (name, hash, created_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING";
            let (hash, at) = (new.hash.as_slice(), new.created_at.as_millis());
            if transaction.execute(sql, &[&new.name, &hash, &at]).await? == 0 {
                return transaction.undo(false).await;
            }
            audit::insert(&transaction, &entry).await?;
            transaction.execute(CHANGED, &[]).await?;
            transaction.commit_with_news().await?;
            Ok(true)
        })
    }

    async fn remove_guard(&self, name: String, entry: AuditEntry) -> Result<bool, StoreError> {
        again!(async {
            let transaction = Transaction::begin(&self.pool).await?;
            if transaction.execute("DELETE FROM guard WHERE name = $1", &[&name]).await? == 0 {
                return transaction.undo(false).await;
            }
            audit::insert(&transaction, &entry).await?;
            transaction.execute(CHANGED, &[]).await?;
            transaction.commit_with_news().await?;
            Ok(true)
        })
    }
}
