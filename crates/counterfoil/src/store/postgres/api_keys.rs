//! API keys of the administration.

use super::id::Id;
use super::row::{all, corrupt, id, optional_id, optional_time, time, user, user_columns};
use super::transact::{Failure, Transaction, again, connection};
use super::{PostgresStore, audit};
use crate::store::StoreError;
use crate::store::api_keys::{ApiKey, ApiKeys};
use async_trait::async_trait;
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::duty::Duty;
use counterfoil_core::user::User;
use counterfoil_core::{Timestamp, UserId};
use tokio_postgres::Row;

/// The columns in the order [`api_key`] reads them.
macro_rules! api_key_columns {
    () => {
        "k.name, k.id, k.hash, k.role, k.issuer, k.created_at, k.expires_at, k.used_at"
    };
}

/// How many those are: the account's begin there.
const API_KEY_COLUMNS: usize = 8;

const ALL: &str = concat!("SELECT ", api_key_columns!(), " FROM api_key k ORDER BY k.name");

const BY_HASH: &str = concat!(
    "SELECT ",
    api_key_columns!(),
    ", ",
    user_columns!(),
    " FROM api_key k LEFT JOIN account a ON a.id = k.issuer AND a.deleted_at IS NULL WHERE k.hash = $1"
);

const ADD: &str = "\
    INSERT INTO api_key (name, id, hash, role, issuer, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7) \
    ON CONFLICT (name) DO NOTHING";

#[async_trait]
impl ApiKeys for PostgresStore {
    async fn api_keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        again!(self, async { all(&connection(&self.pool).await?.query(ALL, &[]).await?, api_key) })
    }

    async fn api_key(&self, hash: [u8; 32]) -> Result<Option<(ApiKey, Option<User>)>, StoreError> {
        again!(self, async {
            let row = connection(&self.pool).await?.optional(BY_HASH, &[&hash.as_slice()]).await?;
            let Some(row) = row else { return Ok(None) };
            let there = optional_id(&row, API_KEY_COLUMNS)?.is_some();
            let issuer = there.then(|| user(&row, API_KEY_COLUMNS)).transpose()?;
            Ok(Some((api_key(&row)?, issuer)))
        })
    }

    async fn add_api_key(&self, new: ApiKey, entry: AuditEntry) -> Result<bool, StoreError> {
        again!(self, async {
            let transaction = Transaction::begin(&self.pool).await?;
            let (id, issuer) = (Id(*new.id.as_bytes()), new.issuer.map(|issuer| Id(*issuer.as_bytes())));
            let (hash, role) = (new.hash.as_slice(), new.duty.role());
            let (from, until) = (new.created_at.as_millis(), new.expires_at.as_millis());
            if transaction.execute(ADD, &[&new.name, &id, &hash, &role, &issuer, &from, &until]).await? == 0 {
                return transaction.undo(false).await;
            }
            audit::insert(&transaction, &entry).await?;
            transaction.commit().await?;
            Ok(true)
        })
    }

    async fn remove_api_key(&self, name: String, entry: AuditEntry) -> Result<bool, StoreError> {
        again!(self, async {
            let transaction = Transaction::begin(&self.pool).await?;
            let sql = "DELETE FROM api_key WHERE name = $1 RETURNING id";
            let Some(row) = transaction.optional(sql, &[&name]).await? else {
                return transaction.undo(false).await;
            };
            transaction.execute("DELETE FROM invite WHERE issuer = $1", &[&Id(id(&row, 0)?)]).await?;
            audit::insert(&transaction, &entry).await?;
            transaction.commit().await?;
            Ok(true)
        })
    }

    async fn note_api_key(&self, key: UserId, at: Timestamp) -> Result<(), StoreError> {
        again!(self, async {
            let sql = "UPDATE api_key SET used_at = greatest(used_at, $2) WHERE id = $1";
            connection(&self.pool).await?.execute(sql, &[&Id(*key.as_bytes()), &at.as_millis()]).await?;
            Ok(())
        })
    }
}

fn api_key(row: &Row) -> Result<ApiKey, Failure> {
    Ok(ApiKey {
        name: row.try_get(0)?,
        id: UserId::from_bytes(id(row, 1)?),
        hash: row.try_get::<_, &[u8]>(2)?.try_into().map_err(|_| corrupt("api_key", "hash"))?,
        duty: Duty::of_role(row.try_get(3)?).ok_or_else(|| corrupt("api_key", "role"))?,
        issuer: optional_id(row, 4)?.map(UserId::from_bytes),
        created_at: time(row, 5)?,
        expires_at: time(row, 6)?,
        used_at: optional_time(row, 7)?,
    })
}
