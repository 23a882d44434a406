//! Event streams of receivers elsewhere.

use super::id::Id;
use super::row::{all, id as id_of};
use super::transact::{Failure, Transaction, again, connection};
use super::{PostgresStore, audit};
use crate::store::StoreError;
use crate::store::streams::{Columns, Streams};
use async_trait::async_trait;
use counterfoil_core::UserId;
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::ssf::stream::{Stream, StreamId};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

/// In the order in which [`stream`] reads them.
macro_rules! columns {
    () => {
        "id, client, created_at, status, reason, settings, sealed, verified_at, position, acknowledged, notes, version"
    };
}

const ALL: &str = concat!("SELECT ", columns!(), " FROM stream ORDER BY id");
const ONE: &str = concat!("SELECT ", columns!(), " FROM stream WHERE id = $1");

/// One client's are counted by one at a time.
const LOCK: &str = "SELECT pg_advisory_xact_lock(hashtext(current_schema() || '.counterfoil.stream.' || $1))";

const ADD: &str = concat!(
    "INSERT INTO stream (",
    columns!(),
    ") SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12 WHERE (SELECT count(*) FROM stream WHERE client = $2) < $13"
);

const REPLACE: &str = "\
    UPDATE stream SET status = $3, reason = $4, settings = $5, sealed = $6, verified_at = $7, position = greatest(position, $8), \
      acknowledged = $9, notes = $10, version = version + 1 WHERE id = $1 AND version = $2";

#[async_trait]
impl Streams for PostgresStore {
    async fn streams(&self) -> Result<Vec<Stream>, StoreError> {
        again!(self, async { all(&connection(&self.pool).await?.query(ALL, &[]).await?, stream) })
    }

    async fn stream(&self, id: StreamId) -> Result<Option<Stream>, StoreError> {
        again!(self, async {
            let row = connection(&self.pool).await?.optional(ONE, &[&Id(*id.as_bytes())]).await?;
            row.as_ref().map(stream).transpose()
        })
    }

    async fn add_stream(&self, new: Stream, most: u32, entry: AuditEntry) -> Result<bool, StoreError> {
        let (new, most) = (Columns::of(&new), i64::from(most));
        let id = Id(new.id);
        again!(self, async {
            let transaction = Transaction::begin(&self.pool).await?;
            transaction.query(LOCK, &[&new.client]).await?;
            // Its service cannot be removed before this is done, or it would leave a stream behind.
            let lives = "SELECT 1 FROM client WHERE name = $1 FOR SHARE";
            if transaction.optional(lives, &[&new.client]).await?.is_none() {
                return transaction.undo(false).await;
            }
            let params: [&(dyn ToSql + Sync); 13] = [
                &id,
                &new.client,
                &new.created_at,
                &new.status,
                &new.reason,
                &new.settings,
                &new.sealed,
                &new.verified_at,
                &new.position,
                &new.acknowledged,
                &new.notes,
                &new.version,
                &most,
            ];
            if transaction.execute(ADD, &params).await? == 0 {
                return transaction.undo(false).await;
            }
            audit::insert(&transaction, &entry).await?;
            transaction.commit().await?;
            Ok(true)
        })
    }

    async fn replace_stream(&self, stream: Stream, entry: Option<AuditEntry>) -> Result<bool, StoreError> {
        let new = Columns::of(&stream);
        let id = Id(new.id);
        again!(self, async {
            let transaction = Transaction::begin(&self.pool).await?;
            let params: [&(dyn ToSql + Sync); 10] = [
                &id,
                &new.version,
                &new.status,
                &new.reason,
                &new.settings,
                &new.sealed,
                &new.verified_at,
                &new.position,
                &new.acknowledged,
                &new.notes,
            ];
            if transaction.execute(REPLACE, &params).await? == 0 {
                return transaction.undo(false).await;
            }
            if let Some(entry) = &entry {
                audit::insert(&transaction, entry).await?;
            }
            transaction.commit().await?;
            Ok(true)
        })
    }

    async fn move_stream(&self, id: StreamId, to: i64) -> Result<(), StoreError> {
        again!(self, async {
            let sql = "UPDATE stream SET position = greatest(position, $2) WHERE id = $1";
            connection(&self.pool).await?.execute(sql, &[&Id(*id.as_bytes()), &to]).await?;
            Ok(())
        })
    }

    async fn remove_stream(&self, id: StreamId, entry: AuditEntry) -> Result<bool, StoreError> {
        let id = Id(*id.as_bytes());
        again!(self, async {
            let transaction = Transaction::begin(&self.pool).await?;
            if transaction.execute("DELETE FROM stream WHERE id = $1", &[&id]).await? == 0 {
                return transaction.undo(false).await;
            }
            transaction.execute("DELETE FROM stream_subject WHERE stream = $1", &[&id]).await?;
            audit::insert(&transaction, &entry).await?;
            transaction.commit().await?;
            Ok(true)
        })
    }

    async fn except_subject(&self, id: StreamId, user: UserId) -> Result<(), StoreError> {
        // The stream's row is held, or one that is being removed would leave somebody behind.
        let sql = "WITH held AS (SELECT id FROM stream WHERE id = $1 FOR SHARE) \
                   INSERT INTO stream_subject (stream, subject) SELECT id, $2 FROM held ON CONFLICT DO NOTHING";
        self.write_subject(sql, id, user).await
    }

    async fn include_subject(&self, id: StreamId, user: UserId) -> Result<(), StoreError> {
        self.write_subject("DELETE FROM stream_subject WHERE stream = $1 AND subject = $2", id, user).await
    }

    async fn excepted_subjects(&self, id: StreamId, among: Vec<UserId>) -> Result<Vec<UserId>, StoreError> {
        let users: Vec<Id> = among.iter().map(|user| Id(*user.as_bytes())).collect();
        again!(self, async {
            let sql = "SELECT subject FROM stream_subject WHERE stream = $1 AND subject = ANY($2)";
            let rows = connection(&self.pool).await?.query(sql, &[&Id(*id.as_bytes()), &users]).await?;
            all(&rows, |row| Ok(UserId::from_bytes(id_of(row, 0)?)))
        })
    }
}

impl PostgresStore {
    async fn write_subject(&self, sql: &'static str, id: StreamId, user: UserId) -> Result<(), StoreError> {
        again!(self, async {
            connection(&self.pool).await?.execute(sql, &[&Id(*id.as_bytes()), &Id(*user.as_bytes())]).await?;
            Ok(())
        })
    }
}

fn stream(row: &Row) -> Result<Stream, Failure> {
    let columns = Columns {
        id: id_of(row, 0)?,
        client: row.try_get(1)?,
        created_at: row.try_get(2)?,
        status: row.try_get(3)?,
        reason: row.try_get(4)?,
        settings: row.try_get(5)?,
        sealed: row.try_get(6)?,
        verified_at: row.try_get(7)?,
        position: row.try_get(8)?,
        acknowledged: row.try_get(9)?,
        notes: row.try_get(10)?,
        version: row.try_get(11)?,
    };
    Ok(columns.stream()?)
}
