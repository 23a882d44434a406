//! Event streams of receivers elsewhere.

use super::row::{all, first};
use super::writer::Failure;
use super::{SqliteStore, audit};
use crate::store::StoreError;
use crate::store::streams::{Columns, Streams};
use async_trait::async_trait;
use counterfoil_core::UserId;
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::ssf::stream::{Stream, StreamId};
use rusqlite::{Row, params};

const SELECT: &str = "SELECT id, client, created_at, status, reason, settings, sealed, verified_at, position, acknowledged, notes, \
                      version FROM stream";

#[async_trait]
impl Streams for SqliteStore {
    async fn streams(&self) -> Result<Vec<Stream>, StoreError> {
        self.readers
            .read(|connection| all(connection.prepare_cached(&format!("{SELECT} ORDER BY id"))?.query([])?, stream))
    }

    async fn stream(&self, id: StreamId) -> Result<Option<Stream>, StoreError> {
        self.readers.read(|connection| {
            first(connection.prepare_cached(&format!("{SELECT} WHERE id = ?1"))?.query([id.as_bytes()])?, stream)
        })
    }

    async fn add_stream(&self, new: Stream, most: u32, entry: AuditEntry) -> Result<bool, StoreError> {
        self.writer
            .write(move |connection| {
                let new = Columns::of(&new);
                let sql = "INSERT INTO stream (id, client, created_at, status, reason, settings, sealed, verified_at, position, \
                             acknowledged, notes, version) \
                           SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12 \
                           WHERE (SELECT count(*) FROM stream WHERE client = ?2) < ?13 \
                             AND EXISTS (SELECT 1 FROM client WHERE name = ?2)";
                let added = connection.prepare_cached(sql)?.execute(params![
                    new.id,
                    new.client,
                    new.created_at,
                    new.status,
                    new.reason,
                    new.settings,
                    new.sealed,
                    new.verified_at,
                    new.position,
                    new.acknowledged,
                    new.notes,
                    new.version,
                    most
                ])?;
                if added == 1 {
                    audit::insert(connection, &entry)?;
                }
                Ok(added == 1)
            })
            .await
    }

    async fn replace_stream(&self, stream: Stream, entry: Option<AuditEntry>) -> Result<bool, StoreError> {
        self.writer
            .write(move |connection| {
                let new = Columns::of(&stream);
                let sql = "UPDATE stream SET status = ?3, reason = ?4, settings = ?5, sealed = ?6, verified_at = ?7, \
                             position = max(position, ?8), acknowledged = ?9, notes = ?10, version = version + 1 \
                           WHERE id = ?1 AND version = ?2";
                let replaced = connection.prepare_cached(sql)?.execute(params![
                    new.id,
                    new.version,
                    new.status,
                    new.reason,
                    new.settings,
                    new.sealed,
                    new.verified_at,
                    new.position,
                    new.acknowledged,
                    new.notes
                ])?;
                if let (1, Some(entry)) = (replaced, &entry) {
                    audit::insert(connection, entry)?;
                }
                Ok(replaced == 1)
            })
            .await
    }

    async fn move_stream(&self, id: StreamId, to: i64) -> Result<(), StoreError> {
        let sql = "UPDATE stream SET position = max(position, ?2) WHERE id = ?1";
        self.writer
            .write_one(move |connection| {
                connection.prepare_cached(sql)?.execute(params![id.as_bytes(), to])?;
                Ok(())
            })
            .await
    }

    async fn remove_stream(&self, id: StreamId, entry: AuditEntry) -> Result<bool, StoreError> {
        self.writer
            .write(move |connection| {
                connection.prepare_cached("DELETE FROM stream_subject WHERE stream = ?1")?.execute([id.as_bytes()])?;
                let removed =
                    connection.prepare_cached("DELETE FROM stream WHERE id = ?1")?.execute([id.as_bytes()])?;
                if removed == 1 {
                    audit::insert(connection, &entry)?;
                }
                Ok(removed == 1)
            })
            .await
    }

    async fn except_subject(&self, id: StreamId, user: UserId) -> Result<(), StoreError> {
        let sql = "INSERT INTO stream_subject (stream, subject) SELECT id, ?2 FROM stream WHERE id = ?1 \
                   ON CONFLICT DO NOTHING";
        self.write_subject(sql, id, user).await
    }

    async fn include_subject(&self, id: StreamId, user: UserId) -> Result<(), StoreError> {
        self.write_subject("DELETE FROM stream_subject WHERE stream = ?1 AND subject = ?2", id, user).await
    }

    async fn excepted_subjects(&self, id: StreamId, among: Vec<UserId>) -> Result<Vec<UserId>, StoreError> {
        self.readers.read(|connection| {
            let sql = "SELECT 1 FROM stream_subject WHERE stream = ?1 AND subject = ?2";
            let mut find = connection.prepare_cached(sql)?;
            let mut found = Vec::new();
            for user in &among {
                if find.exists(params![id.as_bytes(), user.as_bytes()])? {
                    found.push(*user);
                }
            }
            Ok(found)
        })
    }
}

impl SqliteStore {
    async fn write_subject(&self, sql: &'static str, id: StreamId, user: UserId) -> Result<(), StoreError> {
        self.writer
            .write_one(move |connection| {
                connection.prepare_cached(sql)?.execute(params![id.as_bytes(), user.as_bytes()])?;
                Ok(())
            })
            .await
    }
}

fn stream(row: &Row<'_>) -> Result<Stream, Failure> {
    let columns = Columns {
        id: row.get(0)?,
        client: row.get(1)?,
        created_at: row.get(2)?,
        status: row.get(3)?,
        reason: row.get(4)?,
        settings: row.get(5)?,
        sealed: row.get(6)?,
        verified_at: row.get(7)?,
        position: row.get(8)?,
        acknowledged: row.get(9)?,
        notes: row.get(10)?,
        version: row.get(11)?,
    };
    Ok(columns.stream()?)
}
