//! Signing keys and other sealed secrets.

use super::SqliteStore;
use super::row::{all, time};
use super::writer::Failure;
use crate::store::{Keys, SealedSecret, StoreError};
use async_trait::async_trait;
use counterfoil_core::keys::ring::{KeyState, StoredKey};
use counterfoil_guard::Algorithm;
use rusqlite::params;

#[async_trait]
impl Keys for SqliteStore {
    async fn signing_keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        self.readers.read(|connection| {
            let sql =
                "SELECT kid, algorithm, state, created_at, public, sealed FROM signing_key ORDER BY created_at, kid";
            all(connection.prepare_cached(sql)?.query([])?, |row| {
                const fn corrupt(column: &'static str) -> Failure {
                    Failure::Store(StoreError::Corrupt { table: "signing_key", column })
                }
                let text = |index: usize| row.get::<_, String>(index);
                Ok(StoredKey {
                    kid: text(0)?.parse().map_err(|_| corrupt("kid"))?,
                    algorithm: Algorithm::from_name(&text(1)?).ok_or_else(|| corrupt("algorithm"))?,
                    state: KeyState::from_name(&text(2)?).ok_or_else(|| corrupt("state"))?,
                    created_at: time(row.get(3)?),
                    public: row.get(4)?,
                    sealed: row.get(5)?,
                })
            })
        })
    }

    async fn secrets(&self) -> Result<Vec<SealedSecret>, StoreError> {
        self.readers.read(|connection| {
            all(connection.prepare_cached("SELECT purpose, id, sealed FROM sealed_secret")?.query([])?, |row| {
                Ok(SealedSecret { purpose: row.get(0)?, id: row.get(1)?, sealed: row.get(2)? })
            })
        })
    }

    async fn initialise(&self, keys: Vec<StoredKey>, secrets: Vec<SealedSecret>) -> Result<bool, StoreError> {
        self.writer
            .write(move |connection| {
                let sql = "SELECT EXISTS (SELECT 1 FROM signing_key) OR EXISTS (SELECT 1 FROM sealed_secret)";
                if connection.query_row(sql, [], |row| row.get(0))? {
                    return Ok(false);
                }
                for key in &keys {
                    let sql = "INSERT INTO signing_key (kid, algorithm, state, created_at, public, sealed) \
                               VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
                    connection.execute(
                        sql,
                        params![
                            key.kid.as_str(),
                            key.algorithm.name(),
                            key.state.as_str(),
                            key.created_at.as_millis(),
                            key.public,
                            key.sealed
                        ],
                    )?;
                }
                for secret in &secrets {
                    let sql = "INSERT INTO sealed_secret (purpose, id, sealed) VALUES (?1, ?2, ?3)";
                    connection.execute(sql, params![secret.purpose, secret.id, secret.sealed])?;
                }
                Ok(true)
            })
            .await
    }
}
