//! Rate limits that replicas share, where no Redis holds them: one row a key, decided in the statement that changes it.

use super::PostgresStore;
use super::transact::{Failure, again, committing, connection};
use crate::store::StoreError;
use crate::store::columns::millis;
use counterfoil_core::Timestamp;
use counterfoil_core::limit::{Rate, Verdict};
use std::time::Duration;

/// [`Rate::decide`] as a statement: `$2` now, `$3` the interval, `$4` how far ahead of now the state may be.
const TAKE: &str = "\
    INSERT INTO rate AS old (key, state) VALUES ($1, $2::bigint + $3::bigint) ON CONFLICT (key) DO UPDATE \
      SET state = greatest(old.state, $2) + $3 WHERE greatest(old.state, $2) - $2 <= $4";

impl PostgresStore {
    pub(super) async fn take_rate_once(
        &self,
        key: &[u8; 32],
        rate: Rate,
        now: Timestamp,
    ) -> Result<Result<(), Duration>, Failure> {
        let (key, interval) = (key.as_slice(), millis(rate.interval));
        let room = interval.saturating_mul(i64::from(rate.burst.saturating_sub(1)));
        let connection = connection(&self.pool).await?;
        let taken = connection.execute(TAKE, &[&key, &now.as_millis(), &interval, &room]).await.map_err(committing)?;
        if taken == 1 {
            return Ok(Ok(()));
        }
        let state = connection.optional("SELECT state FROM rate WHERE key = $1", &[&key]).await?;
        let state = state.map(|row| row.try_get(0)).transpose()?.map(Timestamp::from_millis);
        Ok(match rate.decide(state, now) {
            Verdict::Wait(wait) => Err(wait),
            // Somebody has given one back between the two statements.
            Verdict::Pass(_) => Err(Duration::ZERO),
        })
    }

    /// One count back, or with `None` all of them.
    pub(super) async fn give_rate_back_once(&self, key: &[u8; 32], rate: Option<Rate>) -> Result<(), StoreError> {
        let key = key.as_slice();
        again!(self, async {
            let connection = connection(&self.pool).await?;
            match rate {
                // If it is not known whether it was done, it is left: stricter, and never open.
                Some(rate) => connection
                    .execute("UPDATE rate SET state = state - $2 WHERE key = $1", &[&key, &millis(rate.interval)])
                    .await
                    .map_err(committing)?,
                None => connection.execute("DELETE FROM rate WHERE key = $1", &[&key]).await?,
            };
            Ok(())
        })
    }

    /// Forgets all keys that are as good as never seen.
    pub(super) async fn forget_rates(&self, now: Timestamp) -> Result<(), StoreError> {
        again!(self, async {
            connection(&self.pool).await?.execute("DELETE FROM rate WHERE state <= $1", &[&now.as_millis()]).await?;
            Ok(())
        })
    }
}
