//! How far the readers of the audit log have come.

use super::PostgresStore;
use super::transact::{again, connection};
use crate::store::{Cursors, StoreError};
use async_trait::async_trait;

#[async_trait]
impl Cursors for PostgresStore {
    async fn reader(&self, name: &str) -> Result<i64, StoreError> {
        self.number_entries().await?;
        again!(async {
            let connection = connection(&self.pool).await?;
            let sql = "INSERT INTO reader (name, seq) SELECT $1, coalesce(max(seq), 0) FROM audit \
                       ON CONFLICT (name) DO NOTHING";
            // Done twice it is done once.
            connection.execute(sql, &[&name]).await?;
            Ok(connection.one("SELECT seq FROM reader WHERE name = $1", &[&name]).await?.try_get(0)?)
        })
    }

    async fn move_reader(&self, name: &str, to: i64) -> Result<(), StoreError> {
        again!(async {
            let sql = "UPDATE reader SET seq = greatest(seq, $2) WHERE name = $1";
            connection(&self.pool).await?.execute(sql, &[&name, &to]).await?;
            Ok(())
        })
    }
}
