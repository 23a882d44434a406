//! Signing keys and other sealed secrets.

use super::row::{all, corrupt, time};
use super::transact::{Failure, Transaction, again, connection};
use super::{PostgresStore, audit};
use crate::store::{Keys, Sealed, SealedSecret, StoreError};
use async_trait::async_trait;
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::keys::ring::{KeyState, KeyStep, StoredKey};
use counterfoil_guard::Algorithm;
use tokio_postgres::Row;

const RING: &str =
    "SELECT kid, algorithm, state, created_at, since, public, sealed FROM signing_key ORDER BY created_at, kid";

const SECRETS: &str = "SELECT purpose, id, sealed FROM sealed_secret ORDER BY purpose, id";

const INSERT: &str = "\
    INSERT INTO signing_key (kid, algorithm, state, created_at, since, public, sealed) VALUES ($1, $2, $3, $4, $5, $6, $7)";

/// Who changes the ring is alone with it until its transaction ends.
const ALONE: &str = "SELECT pg_advisory_xact_lock(hashtext(current_schema() || '.counterfoil.keys'))";

/// Replicas compare it with what they have read.
const CHANGED: &str = "UPDATE log_head SET keys = keys + 1";

#[async_trait]
impl Keys for PostgresStore {
    async fn signing_keys(&self) -> Result<Vec<StoredKey>, StoreError> {
        again!(self, async { all(&connection(&self.pool).await?.query(RING, &[]).await?, key) })
    }

    async fn secrets(&self) -> Result<Vec<SealedSecret>, StoreError> {
        again!(self, async { all(&connection(&self.pool).await?.query(SECRETS, &[]).await?, secret) })
    }

    async fn initialise(&self, keys: Vec<StoredKey>, secrets: Vec<SealedSecret>) -> Result<bool, StoreError> {
        again!(self, async {
            let transaction = Transaction::begin(&self.pool).await?;
            transaction.query(ALONE, &[]).await?;
            let sql = "SELECT EXISTS (SELECT 1 FROM signing_key) OR EXISTS (SELECT 1 FROM sealed_secret)";
            if transaction.one(sql, &[]).await?.try_get(0)? {
                return transaction.undo(false).await;
            }
            for key in &keys {
                insert(&transaction, key).await?;
            }
            for secret in &secrets {
                insert_secret(&transaction, secret).await?;
            }
            transaction.execute(CHANGED, &[]).await?;
            transaction.commit_with_news().await?;
            Ok(true)
        })
    }

    async fn change_keys(
        &self,
        ring: Vec<StoredKey>,
        steps: Vec<KeyStep>,
        audits: Vec<AuditEntry>,
    ) -> Result<bool, StoreError> {
        again!(self, async {
            let transaction = Transaction::begin(&self.pool).await?;
            if !take(&transaction, &ring, &steps).await? {
                return transaction.undo(false).await;
            }
            for entry in &audits {
                audit::insert(&transaction, entry).await?;
            }
            transaction.commit_with_news().await?;
            Ok(true)
        })
    }

    async fn reseal(&self, old: Sealed, new: Sealed, entry: AuditEntry) -> Result<bool, StoreError> {
        again!(self, async {
            let transaction = Transaction::begin(&self.pool).await?;
            transaction.query(ALONE, &[]).await?;
            let ring = all(&transaction.query(RING, &[]).await?, key)?;
            let secrets = all(&transaction.query(SECRETS, &[]).await?, secret)?;
            if (ring, secrets) != old {
                return transaction.undo(false).await;
            }
            for key in &new.0 {
                let sql = "UPDATE signing_key SET sealed = $2 WHERE kid = $1";
                transaction.execute(sql, &[&key.kid.as_str(), &key.sealed]).await?;
            }
            for secret in &new.1 {
                let sql = "UPDATE sealed_secret SET sealed = $3 WHERE purpose = $1 AND id = $2";
                transaction.execute(sql, &[&secret.purpose, &secret.id, &secret.sealed]).await?;
            }
            audit::insert(&transaction, &entry).await?;
            transaction.execute(CHANGED, &[]).await?;
            transaction.commit_with_news().await?;
            Ok(true)
        })
    }
}

fn key(row: &Row) -> Result<StoredKey, Failure> {
    let text = |index: usize| row.try_get::<_, &str>(index);
    Ok(StoredKey {
        kid: text(0)?.parse().map_err(|_| corrupt("signing_key", "kid"))?,
        algorithm: Algorithm::from_name(text(1)?).ok_or_else(|| corrupt("signing_key", "algorithm"))?,
        state: KeyState::from_name(text(2)?).ok_or_else(|| corrupt("signing_key", "state"))?,
        created_at: time(row, 3)?,
        since: time(row, 4)?,
        public: row.try_get(5)?,
        sealed: row.try_get(6)?,
    })
}

fn secret(row: &Row) -> Result<SealedSecret, Failure> {
    Ok(SealedSecret { purpose: row.try_get(0)?, id: row.try_get(1)?, sealed: row.try_get(2)? })
}

pub(super) async fn insert_secret(transaction: &Transaction, secret: &SealedSecret) -> Result<(), Failure> {
    let sql = "INSERT INTO sealed_secret (purpose, id, sealed) VALUES ($1, $2, $3)";
    transaction.execute(sql, &[&secret.purpose, &secret.id, &secret.sealed]).await?;
    Ok(())
}

/// All secrets but the signing keys; whoever changes them waits until the transaction ends.
pub(super) async fn secrets_alone(transaction: &Transaction) -> Result<Vec<SealedSecret>, Failure> {
    transaction.query(ALONE, &[]).await?;
    all(&transaction.query(SECRETS, &[]).await?, secret)
}

async fn insert(transaction: &Transaction, key: &StoredKey) -> Result<(), Failure> {
    let params: super::connect::Params<'_> = &[
        &key.kid.as_str(),
        &key.algorithm.name(),
        &key.state.as_str(),
        &key.created_at.as_millis(),
        &key.since.as_millis(),
        &key.public,
        &key.sealed,
    ];
    transaction.execute(INSERT, params).await?;
    Ok(())
}

/// Carries the steps out; `false`, and nothing done, when the ring is not what they were made for.
pub(super) async fn take(transaction: &Transaction, ring: &[StoredKey], steps: &[KeyStep]) -> Result<bool, Failure> {
    transaction.query(ALONE, &[]).await?;
    if all(&transaction.query(RING, &[]).await?, key)? != ring {
        return Ok(false);
    }
    for step in steps {
        match step {
            KeyStep::Add(key) => insert(transaction, key).await?,
            KeyStep::Move { kid, to, at, .. } => {
                let sql = "UPDATE signing_key SET state = $2, since = $3, \
                             sealed = CASE WHEN $4 THEN sealed ELSE ''::bytea END WHERE kid = $1";
                let params: super::connect::Params<'_> =
                    &[&kid.as_str(), &to.as_str(), &at.as_millis(), &to.may_sign()];
                transaction.execute(sql, params).await?;
            }
        }
    }
    transaction.execute(CHANGED, &[]).await?;
    Ok(true)
}
