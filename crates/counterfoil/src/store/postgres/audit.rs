//! The audit log. Entries are numbered after they have been committed, by whoever reads them next or by a job, one at a time: so
//! numbers become visible in their order, and no sign-in waits for another.

use super::PostgresStore;
use super::id::Id;
use super::row::{all, corrupt, optional_id, time};
use super::transact::{Failure, Transaction, again, committing, connection};
use crate::store::{Audit, StoreError};
use async_trait::async_trait;
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use counterfoil_core::{Sid, UserId};
use tokio_postgres::Row;

const INSERT: &str = "\
    INSERT INTO audit (at, event, actor, by_user, account, sid, network, detail) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";

const UNNUMBERED: &str = "SELECT EXISTS (SELECT 1 FROM audit WHERE seq IS NULL)";

/// Held to the end of the transaction. Whoever gets it sees what the one before has numbered.
pub(super) const ONE_AT_A_TIME: &str =
    "SELECT pg_advisory_xact_lock(hashtext(current_schema() || '.counterfoil.audit'))";

/// The limit in [`NUMBER`].
const AT_A_TIME: u64 = 5000;

/// So many at a time, that nobody waits for all of them.
const NUMBER: &str = "\
    WITH batch AS (SELECT id, row_number() OVER (ORDER BY id) AS nth FROM (SELECT id FROM audit WHERE seq IS NULL \
        ORDER BY id LIMIT 5000) oldest), \
      newest AS (SELECT coalesce(max(seq), 0) AS seq FROM audit) \
    UPDATE audit SET seq = newest.seq + batch.nth FROM batch, newest WHERE audit.id = batch.id";

#[async_trait]
impl Audit for PostgresStore {
    async fn append(&self, entry: AuditEntry) -> Result<(), StoreError> {
        again!(self, async {
            let connection = connection(&self.pool).await?;
            insert_by(&connection, &entry).await.map_err(committing)?;
            if connection.is_doubtful() { Err(Failure::Doubtful) } else { Ok(()) }
        })
    }

    async fn page(&self, before: Option<i64>, limit: u32) -> Result<Vec<(i64, AuditEntry)>, StoreError> {
        self.number_entries().await?;
        let (before, limit) = (before.unwrap_or(i64::MAX), i64::from(limit));
        again!(self, async {
            let sql = "SELECT seq, at, event, actor, by_user, account, sid, network, detail FROM audit \
                       WHERE seq < $1 ORDER BY seq DESC LIMIT $2";
            all(&connection(&self.pool).await?.query(sql, &[&before, &limit]).await?, read)
        })
    }

    async fn following(&self, after: i64, limit: u32) -> Result<Vec<(i64, AuditEntry)>, StoreError> {
        self.number_entries().await?;
        let limit = i64::from(limit);
        again!(self, async {
            let sql = "SELECT seq, at, event, actor, by_user, account, sid, network, detail FROM audit \
                       WHERE seq > $1 ORDER BY seq LIMIT $2";
            all(&connection(&self.pool).await?.query(sql, &[&after, &limit]).await?, read)
        })
    }

    async fn newest(&self) -> Result<i64, StoreError> {
        self.number_entries().await?;
        again!(self, async {
            let row = connection(&self.pool).await?.one("SELECT coalesce(max(seq), 0) FROM audit", &[]).await?;
            Ok(row.try_get(0)?)
        })
    }
}

impl PostgresStore {
    /// Gives the entries committed so far their numbers.
    pub(super) async fn number_entries(&self) -> Result<(), StoreError> {
        again!(self, async {
            if !connection(&self.pool).await?.one(UNNUMBERED, &[]).await?.try_get(0)? {
                return Ok(());
            }
            loop {
                let transaction = Transaction::begin(&self.pool).await?;
                transaction.query(ONE_AT_A_TIME, &[]).await?;
                let numbered = transaction.execute(NUMBER, &[]).await?;
                transaction.commit().await?;
                // What comes while this is done is for the next time.
                if numbered < AT_A_TIME {
                    return Ok(());
                }
            }
        })
    }
}

/// As part of another change.
pub(super) async fn insert(transaction: &Transaction, entry: &AuditEntry) -> Result<(), Failure> {
    Ok(insert_by(transaction, entry).await?)
}

async fn insert_by(connection: &super::connect::Connection, entry: &AuditEntry) -> Result<(), tokio_postgres::Error> {
    let id = |user: Option<UserId>| user.map(|user| Id(*user.as_bytes()));
    connection
        .execute(
            INSERT,
            &[
                &entry.at.as_millis(),
                &entry.event.as_str(),
                &entry.actor.kind(),
                &id(entry.actor.id()),
                &id(entry.user),
                &entry.sid.map(|sid| Id(*sid.as_bytes())),
                &entry.network,
                &entry.detail,
            ],
        )
        .await
        .map(|_| ())
}

pub(super) fn read(row: &Row) -> Result<(i64, AuditEntry), Failure> {
    let by = optional_id(row, 4)?.map(UserId::from_bytes);
    let entry = AuditEntry {
        at: time(row, 1)?,
        event: Event::from_name(row.try_get(2)?).ok_or_else(|| corrupt("audit", "event"))?,
        actor: Actor::from_parts(row.try_get(3)?, by).ok_or_else(|| corrupt("audit", "actor"))?,
        user: optional_id(row, 5)?.map(UserId::from_bytes),
        sid: optional_id(row, 6)?.map(Sid::from_bytes),
        network: row.try_get(7)?,
        detail: row.try_get(8)?,
    };
    Ok((row.try_get(0)?, entry))
}
