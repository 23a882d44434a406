//! How far the readers of the audit log have come.

use super::SqliteStore;
use crate::store::{Cursors, StoreError};
use async_trait::async_trait;
use rusqlite::params;

#[async_trait]
impl Cursors for SqliteStore {
    async fn reader(&self, name: &str) -> Result<i64, StoreError> {
        let name = name.to_owned();
        self.writer
            .write(move |connection| {
                let sql = "INSERT INTO reader (name, seq) SELECT ?1, coalesce(max(seq), 0) FROM audit WHERE true \
                           ON CONFLICT (name) DO NOTHING";
                connection.prepare_cached(sql)?.execute([&name])?;
                let sql = "SELECT seq FROM reader WHERE name = ?1";
                Ok(connection.prepare_cached(sql)?.query_row([&name], |row| row.get(0))?)
            })
            .await
    }

    async fn move_reader(&self, name: &str, to: i64) -> Result<(), StoreError> {
        let name = name.to_owned();
        self.writer
            .write_one(move |connection| {
                let sql = "UPDATE reader SET seq = max(seq, ?2) WHERE name = ?1";
                connection.prepare_cached(sql)?.execute(params![name, to])?;
                Ok(())
            })
            .await
    }
}
