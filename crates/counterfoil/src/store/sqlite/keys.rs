//! Signing keys and other sealed secrets.

use super::row::{all, time};
use super::writer::Failure;
use super::{SqliteStore, audit};
use crate::store::{Keys, Sealed, SealedSecret, StoreError};
use async_trait::async_trait;
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::keys::ring::{KeyState, KeyStep, StoredKey};
use counterfoil_guard::Algorithm;
use rusqlite::{Connection, params};

#[async_trait]
impl Keys for SqliteStore {
    async fn signing_keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        self.readers.read(signing_keys)
    }

    async fn secrets(&self) -> Result<Vec<SealedSecret>, StoreError> {
        self.readers.read(secrets)
    }

    async fn initialise(&self, keys: Vec<StoredKey>, secrets: Vec<SealedSecret>) -> Result<bool, StoreError> {
        self.writer
            .write(move |connection| {
                let sql = "SELECT EXISTS (SELECT 1 FROM signing_key) OR EXISTS (SELECT 1 FROM sealed_secret)";
                if connection.query_row(sql, [], |row| row.get(0))? {
                    return Ok(false);
                }
                for key in &keys {
                    insert(connection, key)?;
                }
                for secret in &secrets {
                    insert_secret(connection, secret)?;
                }
                Ok(true)
            })
            .await
    }

    async fn change_keys(
        &self,
        ring: Vec<StoredKey>,
        steps: Vec<KeyStep>,
        audits: Vec<AuditEntry>,
    ) -> Result<bool, StoreError> {
        self.writer
            .write(move |connection| {
                if !take(connection, &ring, &steps)? {
                    return Ok(false);
                }
                for entry in &audits {
                    audit::insert(connection, entry)?;
                }
                Ok(true)
            })
            .await
    }

    async fn reseal(&self, old: Sealed, new: Sealed, entry: AuditEntry) -> Result<bool, StoreError> {
        self.writer
            .write(move |connection| {
                if (signing_keys(connection)?, secrets(connection)?) != old {
                    return Ok(false);
                }
                for key in &new.0 {
                    let sql = "UPDATE signing_key SET sealed = ?2 WHERE kid = ?1";
                    connection.execute(sql, params![key.kid.as_str(), key.sealed])?;
                }
                for secret in &new.1 {
                    let sql = "UPDATE sealed_secret SET sealed = ?3 WHERE purpose = ?1 AND id = ?2";
                    connection.execute(sql, params![secret.purpose, secret.id, secret.sealed])?;
                }
                audit::insert(connection, &entry)?;
                Ok(true)
            })
            .await
    }
}

fn signing_keys(connection: &Connection) -> Result<Vec<StoredKey>, Failure> {
    let sql =
        "SELECT kid, algorithm, state, created_at, since, public, sealed FROM signing_key ORDER BY created_at, kid";
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
            since: time(row.get(4)?),
            public: row.get(5)?,
            sealed: row.get(6)?,
        })
    })
}

pub(super) fn secrets(connection: &Connection) -> Result<Vec<SealedSecret>, Failure> {
    let sql = "SELECT purpose, id, sealed FROM sealed_secret ORDER BY purpose, id";
    all(connection.prepare_cached(sql)?.query([])?, |row| {
        Ok(SealedSecret { purpose: row.get(0)?, id: row.get(1)?, sealed: row.get(2)? })
    })
}

pub(super) fn insert_secret(connection: &Connection, secret: &SealedSecret) -> Result<(), Failure> {
    let sql = "INSERT INTO sealed_secret (purpose, id, sealed) VALUES (?1, ?2, ?3)";
    connection.execute(sql, params![secret.purpose, secret.id, secret.sealed])?;
    Ok(())
}

fn insert(connection: &Connection, key: &StoredKey) -> rusqlite::Result<usize> {
    let sql = "INSERT INTO signing_key (kid, algorithm, state, created_at, since, public, sealed) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    connection.execute(
        sql,
        params![
            key.kid.as_str(),
            key.algorithm.name(),
            key.state.as_str(),
            key.created_at.as_millis(),
            key.since.as_millis(),
            key.public,
            key.sealed
        ],
    )
}

/// Carries the steps out; `false`, and nothing done, when the ring is not what they were made for.
pub(super) fn take(connection: &Connection, ring: &[StoredKey], steps: &[KeyStep]) -> Result<bool, Failure> {
    if signing_keys(connection)? != ring {
        return Ok(false);
    }
    let sql = "UPDATE signing_key SET state = ?2, since = ?3, sealed = iif(?4, sealed, x'') WHERE kid = ?1";
    for step in steps {
        match step {
            KeyStep::Add(key) => insert(connection, key)?,
            KeyStep::Move { kid, to, at, .. } => {
                connection.execute(sql, params![kid.as_str(), to.as_str(), at.as_millis(), to.may_sign()])?
            }
        };
    }
    Ok(true)
}
