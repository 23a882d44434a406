//! What is counted for charts.

use super::PostgresStore;
use super::row::{all, corrupt};
use super::transact::{Failure, Transaction, again, connection};
use crate::store::StoreError;
use crate::store::activity::{Activities, Count, KEPT_HOURS, PLACE};
use async_trait::async_trait;
use counterfoil_core::activity::Activity;
use tokio_postgres::Row;

/// In one order, so that two that add at once do not wait for each other.
const ADD: &str = "\
    INSERT INTO activity (hour, what, count) SELECT hour, what, count FROM unnest($1::bigint[], $2::text[], $3::bigint[]) \
      AS new (hour, what, count) ORDER BY hour, what \
    ON CONFLICT (hour, what) DO UPDATE SET count = activity.count + excluded.count";

#[async_trait]
impl Activities for PostgresStore {
    async fn counted_to(&self) -> Result<i64, StoreError> {
        again!(self, async {
            let connection = connection(&self.pool).await?;
            // Done twice it is done once.
            let sql = "INSERT INTO reader (name, seq) VALUES ($1, 0) ON CONFLICT (name) DO NOTHING";
            connection.execute(sql, &[&PLACE]).await?;
            Ok(connection.one("SELECT seq FROM reader WHERE name = $1", &[&PLACE]).await?.try_get(0)?)
        })
    }

    async fn count(&self, counts: Vec<Count>, read: Option<(i64, i64)>) -> Result<bool, StoreError> {
        let hours: Vec<i64> = counts.iter().map(|count| count.hour).collect();
        let what: Vec<&str> = counts.iter().map(|count| count.what.as_str()).collect();
        let numbers: Vec<i64> = counts.iter().map(|count| i64::from(count.count)).collect();
        again!(self, async {
            let transaction = Transaction::begin(&self.pool).await?;
            if let Some((from, to)) = read {
                let sql = "UPDATE reader SET seq = $3 WHERE name = $1 AND seq = $2";
                if transaction.execute(sql, &[&PLACE, &from, &to]).await? == 0 {
                    return transaction.undo(false).await;
                }
            }
            transaction.execute(ADD, &[&hours, &what, &numbers]).await?;
            if let Some(newest) = hours.iter().max() {
                transaction.execute("DELETE FROM activity WHERE hour < $1", &[&(newest - KEPT_HOURS)]).await?;
            }
            transaction.commit().await?;
            Ok(true)
        })
    }

    async fn counts(&self, from: i64, until: i64) -> Result<Vec<Count>, StoreError> {
        again!(self, async {
            let sql = "SELECT hour, what, count FROM activity WHERE hour >= $1 AND hour < $2 ORDER BY hour, what";
            all(&connection(&self.pool).await?.query(sql, &[&from, &until]).await?, count)
        })
    }
}

fn count(row: &Row) -> Result<Count, Failure> {
    let what = Activity::from_name(row.try_get(1)?).ok_or_else(|| corrupt("activity", "what"))?;
    Ok(Count { hour: row.try_get(0)?, what, count: u32::try_from(row.try_get::<_, i64>(2)?).unwrap_or(u32::MAX) })
}
