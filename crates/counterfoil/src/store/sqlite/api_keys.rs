//! API keys of the administration.

use super::row::{USER, all, first, time, user};
use super::writer::Failure;
use super::{SqliteStore, audit};
use crate::store::StoreError;
use crate::store::api_keys::{ApiKey, ApiKeys};
use async_trait::async_trait;
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::duty::Duty;
use counterfoil_core::user::User;
use counterfoil_core::{Timestamp, UserId};
use rusqlite::{OptionalExtension as _, Row, params};

/// The columns in the order [`api_key`] reads them.
const API_KEY: &str = "k.name, k.id, k.hash, k.role, k.issuer, k.created_at, k.expires_at, k.used_at";

/// How many those are: the account's begin there.
const API_KEY_COLUMNS: usize = 8;

#[async_trait]
impl ApiKeys for SqliteStore {
    async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        self.readers.read(|connection| {
            let sql = format!("SELECT {API_KEY} FROM api_key k ORDER BY k.name");
            all(connection.prepare_cached(&sql)?.query([])?, api_key)
        })
    }

    async fn api_key(&self, hash: [u8; 32]) -> Result<Option<(ApiKey, Option<User>)>, StoreError> {
        self.readers.read(|connection| {
            let sql = format!(
                "SELECT {API_KEY}, {USER} FROM api_key k LEFT JOIN account a ON a.id = k.issuer AND a.deleted_at IS NULL \
                 WHERE k.hash = ?1"
            );
            first(connection.prepare_cached(&sql)?.query([hash])?, |row| {
                let there = row.get::<_, Option<[u8; 16]>>(API_KEY_COLUMNS)?.is_some();
                let issuer = there.then(|| user(row, API_KEY_COLUMNS)).transpose()?;
                Ok((api_key(row)?, issuer))
            })
        })
    }

    async fn add_api_key(&self, new: ApiKey, entry: AuditEntry) -> Result<bool, StoreError> {
        self.writer
            .write(move |connection| {
                let sql = "INSERT INTO api_key (name, id, hash, role, issuer, created_at, expires_at) \
                           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (name) DO NOTHING";
                let added = connection.prepare_cached(sql)?.execute(params![
                    new.name,
                    new.id.as_bytes(),
                    new.hash,
                    new.duty.role(),
                    new.issuer.as_ref().map(UserId::as_bytes),
                    new.created_at.as_millis(),
                    new.expires_at.as_millis(),
                ])?;
                if added == 1 {
                    audit::insert(connection, &entry)?;
                }
                Ok(added == 1)
            })
            .await
    }

    async fn remove_api_key(&self, name: String, entry: AuditEntry) -> Result<bool, StoreError> {
        self.writer
            .write(move |connection| {
                let sql = "DELETE FROM api_key WHERE name = ?1 RETURNING id";
                let removed: Option<[u8; 16]> =
                    connection.prepare_cached(sql)?.query_row([name], |row| row.get(0)).optional()?;
                let Some(id) = removed else { return Ok(false) };
                connection.prepare_cached("DELETE FROM invite WHERE issuer = ?1")?.execute([id])?;
                audit::insert(connection, &entry)?;
                Ok(true)
            })
            .await
    }

    async fn note_api_key(&self, id: UserId, at: Timestamp) -> Result<(), StoreError> {
        let sql = "UPDATE api_key SET used_at = max(coalesce(used_at, 0), ?2) WHERE id = ?1";
        let note = move |connection: &rusqlite::Connection| {
            Ok(connection.prepare_cached(sql)?.execute(params![id.as_bytes(), at.as_millis()])?)
        };
        self.writer.write_one(note).await.map(|_| ())
    }
}

fn api_key(row: &Row<'_>) -> Result<ApiKey, Failure> {
    let role: String = row.get(3)?;
    Ok(ApiKey {
        name: row.get(0)?,
        id: UserId::from_bytes(row.get(1)?),
        hash: row.get(2)?,
        duty: Duty::of_role(&role).ok_or(Failure::Store(StoreError::Corrupt { table: "api_key", column: "role" }))?,
        issuer: row.get::<_, Option<[u8; 16]>>(4)?.map(UserId::from_bytes),
        created_at: time(row.get(5)?),
        expires_at: time(row.get(6)?),
        used_at: row.get::<_, Option<i64>>(7)?.map(time),
    })
}
