//! The audit log as a chain. What changes it is alone with it, as is what numbers entries.

use super::PostgresStore;
use super::audit::{ONE_AT_A_TIME, read};
use super::connect::{Connection, Params};
use super::id::Id;
use super::keys::{insert_secret, secrets_alone};
use super::row::{all, optional_id};
use super::transact::{Failure, Transaction, again, connection};
use crate::store::{Chain, Marks, Recorded, SealedSecret, StoreError};
use async_trait::async_trait;
use counterfoil_core::UserId;
use counterfoil_core::audit_chain::{Batch, Mark, Row, Seal};
use counterfoil_core::audit_search::{Along, Direction, Stretch};

/// All of one moment.
const MARKS: &str = "\
    SELECT (SELECT coalesce(max(seq), 0) FROM audit_seal), (SELECT coalesce(min(seq), 0) FROM audit), \
      (SELECT coalesce(max(seq), 0) FROM audit), a.seq, a.hash, a.mac, h.seq, h.hash, h.mac \
    FROM log_head LEFT JOIN audit_head a ON a.place = 'anchor' LEFT JOIN audit_head h ON h.place = 'head'";

const MARK: &str = "SELECT seq, hash, mac FROM audit_head WHERE place = $1";

const SET: &str = "\
    INSERT INTO audit_head (place, seq, hash, mac) VALUES ($1, $2, $3, $4) \
      ON CONFLICT (place) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, mac = excluded.mac";

const LINKS: &str = "\
    SELECT a.seq, a.at, a.event, a.actor, a.by_user, a.account, a.sid, a.network, a.detail, \
      s.salt, s.network_hash, s.hash, s.mac \
    FROM audit a LEFT JOIN audit_seal s ON s.seq = a.seq WHERE a.seq > $1 ORDER BY a.seq LIMIT $2";

/// Those whose network is still the one that was read.
const SEAL: &str = "\
    INSERT INTO audit_seal (seq, salt, network_hash, hash, mac) \
      SELECT b.seq, b.salt, b.network_hash, b.hash, b.mac \
      FROM unnest($1::bigint[], $2::text[], $3::bytea[], $4::bytea[], $5::bytea[], $6::bytea[]) \
        AS b (seq, network, salt, network_hash, hash, mac) \
      JOIN audit a ON a.seq = b.seq AND a.network = b.network";

const ERASE: &str = "\
    WITH own AS (SELECT id FROM audit WHERE account = $1 AND actor <> 'admin' AND network <> '' LIMIT $2), \
      done AS (SELECT id FROM audit WHERE by_user = $1 AND actor = 'admin' AND network <> '' LIMIT $2), \
      both_of_them AS (SELECT id FROM own UNION ALL SELECT id FROM done LIMIT $2), \
      erased AS (UPDATE audit a SET network = '' FROM both_of_them b WHERE a.id = b.id RETURNING a.seq), \
      salts AS (UPDATE audit_seal s SET salt = NULL FROM erased e WHERE s.seq = e.seq RETURNING 1) \
    SELECT (SELECT count(*) FROM erased), (SELECT count(*) FROM salts)";

/// Along one of the orders, back and forward. What the entries have in common stands in the bounds and in the order: so one index fits,
/// however many entries the planner believes to have it in common.
macro_rules! find {
    ($key:literal, $also:literal) => {
        [
            find!(@ $also, " AND (", $key, ", a.at, a.seq) < ($5, $2, $3) AND (", $key, ", a.at, a.seq) >= ($5, $1, 0::bigint) \
                ORDER BY ", $key, " DESC, a.at DESC, a.seq DESC"),
            find!(@ $also, " AND (", $key, ", a.at, a.seq) > ($5, $1, $3) AND (", $key, ", a.at, a.seq) < ($5, $2, 0::bigint) \
                ORDER BY ", $key, ", a.at, a.seq"),
        ]
    };
    (@ $($rest:literal),*) => {
        concat!(
            "SELECT a.seq, a.at, a.event, a.actor, a.by_user, a.account, a.sid, a.network, a.detail, s.hash, s.network_hash \
             FROM audit a LEFT JOIN audit_seal s ON s.seq = a.seq WHERE a.seq IS NOT NULL",
            $($rest,)* " LIMIT $4"
        )
    };
}

const EVERYTHING: [&str; 2] = [
    find!(@ " AND (a.at, a.seq) < ($2, $3) AND a.at >= $1 ORDER BY a.at DESC, a.seq DESC"),
    find!(@ " AND (a.at, a.seq) > ($1, $3) AND a.at < $2 ORDER BY a.at, a.seq"),
];
const OF_USER: [&str; 2] = find!("a.account", "");
const OF_SESSION: [&str; 2] = find!("a.sid", " AND a.sid IS NOT NULL");
const OF_EVENT: [&str; 2] = find!("a.event", "");
const OF_KIND: [&str; 2] = find!("a.actor", "");
const OF_ADMIN: [&str; 2] = find!("a.by_user", " AND a.actor = 'admin'");

#[async_trait]
impl Chain for PostgresStore {
    async fn marks(&self) -> Result<Marks, StoreError> {
        self.number_entries().await?;
        again!(self, async {
            let row = connection(&self.pool).await?.one(MARKS, &[]).await?;
            let mark = |from: usize| -> Result<Option<Mark>, Failure> {
                let Some(seq) = row.try_get(from)? else { return Ok(None) };
                Ok(Some(Mark { seq, hash: row.try_get(from + 1)?, mac: row.try_get(from + 2)? }))
            };
            let (sealed_to, oldest, newest) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            Ok(Marks { anchor: mark(3)?, head: mark(6)?, sealed_to, oldest, newest })
        })
    }

    async fn begin_chain(
        &self,
        known: Vec<SealedSecret>,
        key: SealedSecret,
        (anchor, head): (Mark, Mark),
    ) -> Result<bool, StoreError> {
        again!(self, async {
            let transaction = Transaction::begin(&self.pool).await?;
            if secrets_alone(&transaction).await? != known {
                return transaction.undo(false).await;
            }
            insert_secret(&transaction, &key).await?;
            set(&transaction, "anchor", &anchor).await?;
            set(&transaction, "head", &head).await?;
            transaction.commit().await?;
            Ok(true)
        })
    }

    async fn links(&self, after: i64, limit: u32) -> Result<Vec<Row>, StoreError> {
        let limit = i64::from(limit);
        again!(self, async { all(&connection(&self.pool).await?.query(LINKS, &[&after, &limit]).await?, link) })
    }

    async fn seal(&self, from: Mark, batch: Batch) -> Result<bool, StoreError> {
        again!(self, async {
            let transaction = Transaction::begin(&self.pool).await?;
            transaction.query(ONE_AT_A_TIME, &[]).await?;
            if mark(&transaction, "head").await?.as_ref() != Some(&from) {
                return transaction.undo(false).await;
            }
            if insert(&transaction, &batch).await? != batch.rows.len() as u64 {
                return transaction.undo(false).await;
            }
            set(&transaction, "head", &batch.head).await?;
            transaction.commit().await?;
            Ok(true)
        })
    }

    async fn forget(&self, from: Mark, to: Mark) -> Result<bool, StoreError> {
        again!(self, async {
            let transaction = Transaction::begin(&self.pool).await?;
            transaction.query(ONE_AT_A_TIME, &[]).await?;
            if mark(&transaction, "anchor").await?.as_ref() != Some(&from) {
                return transaction.undo(false).await;
            }
            transaction.execute("DELETE FROM audit WHERE seq <= $1", &[&to.seq]).await?;
            transaction.execute("DELETE FROM audit_seal WHERE seq <= $1", &[&to.seq]).await?;
            set(&transaction, "anchor", &to).await?;
            transaction.commit().await?;
            Ok(true)
        })
    }

    async fn slowest(&self, readers: Vec<String>) -> Result<Option<i64>, StoreError> {
        again!(self, async {
            let sql = "SELECT min(seq) FROM reader WHERE name = ANY ($1)";
            Ok(connection(&self.pool).await?.one(sql, &[&readers]).await?.try_get(0)?)
        })
    }

    async fn erase_networks(&self, user: UserId, limit: u32) -> Result<u32, StoreError> {
        again!(self, async {
            let transaction = Transaction::begin(&self.pool).await?;
            transaction.query(ONE_AT_A_TIME, &[]).await?;
            let params: Params<'_> = &[&Id(*user.as_bytes()), &i64::from(limit)];
            let erased: i64 = transaction.one(ERASE, params).await?.try_get(0)?;
            transaction.commit().await?;
            Ok(u32::try_from(erased).unwrap_or(u32::MAX))
        })
    }

    async fn find(&self, stretch: Stretch, limit: u32) -> Result<Vec<Recorded>, StoreError> {
        self.number_entries().await?;
        again!(self, async { find(&*connection(&self.pool).await?, &stretch, limit).await })
    }
}

async fn mark(connection: &Connection, place: &str) -> Result<Option<Mark>, Failure> {
    let Some(row) = connection.optional(MARK, &[&place]).await? else { return Ok(None) };
    Ok(Some(Mark { seq: row.try_get(0)?, hash: row.try_get(1)?, mac: row.try_get(2)? }))
}

async fn set(connection: &Connection, place: &str, mark: &Mark) -> Result<(), Failure> {
    connection.execute(SET, &[&place, &mark.seq, &mark.hash, &mark.mac]).await?;
    Ok(())
}

async fn insert(connection: &Connection, batch: &Batch) -> Result<u64, Failure> {
    let seqs: Vec<i64> = batch.rows.iter().map(|row| row.seq).collect();
    let networks: Vec<&str> = batch.rows.iter().map(|row| str::from_utf8(&row.network).unwrap_or_default()).collect();
    let seals = || batch.rows.iter().filter_map(|row| row.seal.as_ref());
    let salts: Vec<Option<&[u8]>> = seals().map(|seal| seal.salt.as_deref()).collect();
    let commitments: Vec<&[u8]> = seals().map(|seal| seal.commitment.as_slice()).collect();
    let hashes: Vec<&[u8]> = seals().map(|seal| seal.hash.as_slice()).collect();
    let macs: Vec<Option<&[u8]>> = seals().map(|seal| seal.mac.as_deref()).collect();
    Ok(connection.execute(SEAL, &[&seqs, &networks, &salts, &commitments, &hashes, &macs]).await?)
}

fn link(row: &tokio_postgres::Row) -> Result<Row, Failure> {
    let text = |index: usize| row.try_get::<_, &str>(index).map(|text| text.as_bytes().to_vec());
    let id = |index: usize| optional_id(row, index).map(|id| id.map(|id| id.to_vec()));
    let seal = match (row.try_get(10)?, row.try_get(11)?) {
        (Some(commitment), Some(hash)) => Some(Seal { salt: row.try_get(9)?, commitment, hash, mac: row.try_get(12)? }),
        _ => None,
    };
    let (seq, at, event, actor) = (row.try_get(0)?, row.try_get(1)?, text(2)?, text(3)?);
    let (by, user, sid) = (id(4)?, id(5)?, id(6)?);
    Ok(Row { seq, at, event, actor, by, user, sid, network: text(7)?, detail: text(8)?, seal })
}

async fn find(connection: &Connection, stretch: &Stretch, limit: u32) -> Result<Vec<Recorded>, Failure> {
    let (since, until) = (stretch.since.as_millis(), stretch.until.as_millis());
    let after = stretch.after.map(|place| (place.at.as_millis(), place.seq));
    let (which, (low, high, seq)) = match stretch.direction {
        Direction::Back => {
            let (at, seq) = after.unwrap_or((until, i64::MIN));
            (0, (since, at, seq))
        }
        Direction::Forward => {
            let (at, seq) = after.unwrap_or((since, i64::MIN));
            (1, (at, until, seq))
        }
    };
    let limit = i64::from(limit);
    let rows = match stretch.along {
        Along::Everything => connection.query(EVERYTHING[which], &[&low, &high, &seq, &limit]).await?,
        Along::User(user) => {
            connection.query(OF_USER[which], &[&low, &high, &seq, &limit, &Id(*user.as_bytes())]).await?
        }
        Along::Session(sid) => {
            connection.query(OF_SESSION[which], &[&low, &high, &seq, &limit, &Id(*sid.as_bytes())]).await?
        }
        Along::Event(event) => connection.query(OF_EVENT[which], &[&low, &high, &seq, &limit, &event.as_str()]).await?,
        Along::Kind(kind) => connection.query(OF_KIND[which], &[&low, &high, &seq, &limit, &kind]).await?,
        Along::Admin(user) => {
            connection.query(OF_ADMIN[which], &[&low, &high, &seq, &limit, &Id(*user.as_bytes())]).await?
        }
    };
    all(&rows, |row| {
        let (seq, entry) = read(row)?;
        let (hash, network): (Option<Vec<u8>>, Option<Vec<u8>>) = (row.try_get(9)?, row.try_get(10)?);
        Ok(Recorded { seq, entry, sealed: hash.zip(network) })
    })
}
