//! The audit log.

use super::SqliteStore;
use super::row::{all, time};
use super::writer::Failure;
use crate::store::{Audit, StoreError};
use async_trait::async_trait;
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use counterfoil_core::{Sid, UserId};
use rusqlite::{Connection, Row, params};

#[async_trait]
impl Audit for SqliteStore {
    async fn append(&self, entry: AuditEntry) -> Result<(), StoreError> {
        self.writer.write(move |connection| insert(connection, &entry)).await
    }

    async fn page(&self, before: Option<i64>, limit: u32) -> Result<Vec<(i64, AuditEntry)>, StoreError> {
        self.readers.read(|connection| {
            let sql = "SELECT seq, at, event, actor, by_user, account, sid, network, detail FROM audit \
                       WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2";
            all(connection.prepare_cached(sql)?.query(params![before.unwrap_or(i64::MAX), limit])?, read)
        })
    }

    async fn following(&self, after: i64, limit: u32) -> Result<Vec<(i64, AuditEntry)>, StoreError> {
        self.readers.read(|connection| {
            let sql = "SELECT seq, at, event, actor, by_user, account, sid, network, detail FROM audit \
                       WHERE seq > ?1 ORDER BY seq LIMIT ?2";
            all(connection.prepare_cached(sql)?.query(params![after, limit])?, read)
        })
    }

    async fn newest(&self) -> Result<i64, StoreError> {
        self.readers.read(|connection| {
            let sql = "SELECT coalesce(max(seq), 0) FROM audit";
            Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
        })
    }
}

pub(super) fn insert(connection: &Connection, entry: &AuditEntry) -> Result<(), Failure> {
    let sql = "INSERT INTO audit (at, event, actor, by_user, account, sid, network, detail) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    connection.prepare_cached(sql)?.execute(params![
        entry.at.as_millis(),
        entry.event.as_str(),
        entry.actor.kind(),
        entry.actor.id().as_ref().map(UserId::as_bytes),
        entry.user.as_ref().map(UserId::as_bytes),
        entry.sid.as_ref().map(Sid::as_bytes),
        entry.network,
        entry.detail,
    ])?;
    Ok(())
}

pub(super) fn read(row: &Row<'_>) -> Result<(i64, AuditEntry), Failure> {
    const fn corrupt(column: &'static str) -> Failure {
        Failure::Store(StoreError::Corrupt { table: "audit", column })
    }
    let id = |index: usize| -> rusqlite::Result<Option<[u8; 16]>> { row.get(index) };
    let event: String = row.get(2)?;
    let kind: String = row.get(3)?;
    let entry = AuditEntry {
        at: time(row.get(1)?),
        event: Event::from_name(&event).ok_or_else(|| corrupt("event"))?,
        actor: Actor::from_parts(&kind, id(4)?.map(UserId::from_bytes)).ok_or_else(|| corrupt("actor"))?,
        user: id(5)?.map(UserId::from_bytes),
        sid: id(6)?.map(Sid::from_bytes),
        network: row.get(7)?,
        detail: row.get(8)?,
    };
    Ok((row.get(0)?, entry))
}
