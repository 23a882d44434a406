//! What is counted for charts.

use super::SqliteStore;
use super::row::all;
use super::writer::Failure;
use crate::store::StoreError;
use crate::store::activity::{Activities, Count, KEPT_HOURS, PLACE};
use async_trait::async_trait;
use counterfoil_core::activity::Activity;
use rusqlite::{Row, params};

#[async_trait]
impl Activities for SqliteStore {
    async fn counted_to(&self) -> Result<i64, StoreError> {
        self.writer
            .write(move |connection| {
                let sql = "INSERT INTO reader (name, seq) VALUES (?1, 0) ON CONFLICT (name) DO NOTHING";
                connection.prepare_cached(sql)?.execute([PLACE])?;
                let sql = "SELECT seq FROM reader WHERE name = ?1";
                Ok(connection.prepare_cached(sql)?.query_row([PLACE], |row| row.get(0))?)
            })
            .await
    }

    async fn count(&self, counts: Vec<Count>, read: Option<(i64, i64)>) -> Result<bool, StoreError> {
        self.writer
            .write(move |connection| {
                if let Some((from, to)) = read {
                    let sql = "UPDATE reader SET seq = ?3 WHERE name = ?1 AND seq = ?2";
                    if connection.prepare_cached(sql)?.execute(params![PLACE, from, to])? == 0 {
                        return Ok(false);
                    }
                }
                let sql = "INSERT INTO activity (hour, what, count) VALUES (?1, ?2, ?3) \
                           ON CONFLICT (hour, what) DO UPDATE SET count = count + excluded.count";
                let mut add = connection.prepare_cached(sql)?;
                for Count { hour, what, count } in &counts {
                    add.execute(params![hour, what.as_str(), count])?;
                }
                if let Some(newest) = counts.iter().map(|count| count.hour).max() {
                    connection
                        .prepare_cached("DELETE FROM activity WHERE hour < ?1")?
                        .execute([newest - KEPT_HOURS])?;
                }
                Ok(true)
            })
            .await
    }

    async fn counts(&self, from: i64, until: i64) -> Result<Vec<Count>, StoreError> {
        self.readers.read(|connection| {
            let sql = "SELECT hour, what, count FROM activity WHERE hour >= ?1 AND hour < ?2 ORDER BY hour, what";
            all(connection.prepare_cached(sql)?.query([from, until])?, count)
        })
    }
}

fn count(row: &Row<'_>) -> Result<Count, Failure> {
    let what: String = row.get(1)?;
    let corrupt = Failure::Store(StoreError::Corrupt { table: "activity", column: "what" });
    Ok(Count { hour: row.get(0)?, what: Activity::from_name(&what).ok_or(corrupt)?, count: row.get(2)? })
}
