//! The credentials of guards.

use super::row::{all, time};
use super::{SqliteStore, audit};
use crate::store::{GuardCredential, Guards, StoreError};
use async_trait::async_trait;
use counterfoil_core::audit::AuditEntry;
use rusqlite::params;

#[async_trait]
impl Guards for SqliteStore {
    async fn guards(&self) -> Result<Vec<GuardCredential>, StoreError> {
        self.readers.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT name, hash, created_at FROM guard ORDER BY name")?;
            all(statement.query([])?, |row| {
                Ok(GuardCredential { name: row.get(0)?, hash: row.get(1)?, created_at: time(row.get(2)?) })
            })
        })
    }

    async fn add_guard(&self, new: GuardCredential, entry: AuditEntry) -> Result<bool, StoreError> {
        self.writer
            .write(move |connection| {
                let sql =
                    "INSERT INTO guard (name, hash, created_at) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO NOTHING";
                let added =
                    connection.prepare_cached(sql)?.execute(params![new.name, new.hash, new.created_at.as_millis()])?;
                if added == 1 {
                    audit::insert(connection, &entry)?;
                }
                Ok(added == 1)
            })
            .await
    }

    async fn remove_guard(&self, name: String, entry: AuditEntry) -> Result<bool, StoreError> {
        self.writer
            .write(move |connection| {
                let removed = connection.prepare_cached("DELETE FROM guard WHERE name = ?1")?.execute([name])?;
                if removed == 1 {
                    audit::insert(connection, &entry)?;
                }
                Ok(removed == 1)
            })
            .await
    }
}
