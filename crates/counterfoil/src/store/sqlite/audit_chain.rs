//! The audit log as a chain.

use super::audit::read;
use super::row::all;
use super::writer::Failure;
use super::{SqliteStore, keys};
use crate::store::{Chain, Marks, Recorded, SealedSecret, StoreError};
use async_trait::async_trait;
use counterfoil_core::UserId;
use counterfoil_core::audit_chain::{Batch, Mark, Row, Seal};
use counterfoil_core::audit_search::{Along, Direction, Stretch};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, params};

#[async_trait]
impl Chain for SqliteStore {
    async fn marks(&self) -> Result<Marks, StoreError> {
        self.readers.read(|connection| {
            // One snapshot for all of them.
            let read = connection.unchecked_transaction()?;
            let sql = "SELECT (SELECT coalesce(max(seq), 0) FROM audit_seal), (SELECT coalesce(min(seq), 0) FROM audit), \
                         (SELECT coalesce(max(seq), 0) FROM audit)";
            let numbers = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
            let (sealed_to, oldest, newest) = read.prepare_cached(sql)?.query_row([], numbers)?;
            let (anchor, head) = (mark(&read, "anchor")?, mark(&read, "head")?);
            Ok(Marks { anchor, head, sealed_to, oldest, newest })
        })
    }

    async fn begin_chain(
        &self,
        known: Vec<SealedSecret>,
        key: SealedSecret,
        (anchor, head): (Mark, Mark),
    ) -> Result<bool, StoreError> {
        self.writer
            .write(move |connection| {
                if keys::secrets(connection)? != known {
                    return Ok(false);
                }
                keys::insert_secret(connection, &key)?;
                set(connection, "anchor", &anchor)?;
                set(connection, "head", &head)?;
                Ok(true)
            })
            .await
    }

    async fn links(&self, after: i64, limit: u32) -> Result<Vec<Row>, StoreError> {
        self.readers.read(|connection| links(connection, after, limit))
    }

    async fn seal(&self, from: Mark, batch: Batch) -> Result<bool, StoreError> {
        self.writer
            .write(move |connection| {
                if mark(connection, "head")?.as_ref() != Some(&from) || !is_as_read(connection, &batch)? {
                    return Ok(false);
                }
                let sql = "INSERT INTO audit_seal (seq, salt, network_hash, hash, mac) VALUES (?1, ?2, ?3, ?4, ?5)";
                let mut insert = connection.prepare_cached(sql)?;
                for row in &batch.rows {
                    if let Some(Seal { salt, commitment, hash, mac }) = &row.seal {
                        insert.execute(params![row.seq, salt, commitment, hash, mac])?;
                    }
                }
                set(connection, "head", &batch.head)?;
                Ok(true)
            })
            .await
    }

    async fn forget(&self, from: Mark, to: Mark) -> Result<bool, StoreError> {
        self.writer
            .write(move |connection| {
                if mark(connection, "anchor")?.as_ref() != Some(&from) {
                    return Ok(false);
                }
                for sql in ["DELETE FROM audit WHERE seq <= ?1", "DELETE FROM audit_seal WHERE seq <= ?1"] {
                    connection.prepare_cached(sql)?.execute([to.seq])?;
                }
                set(connection, "anchor", &to)?;
                Ok(true)
            })
            .await
    }

    async fn slowest(&self, readers: Vec<String>) -> Result<Option<i64>, StoreError> {
        self.readers.read(|connection| {
            let mut slowest = None;
            for name in &readers {
                let sql = "SELECT seq FROM reader WHERE name = ?1";
                let at: Option<i64> = connection.prepare_cached(sql)?.query_row([name], |row| row.get(0)).optional()?;
                slowest = slowest.into_iter().chain(at).min();
            }
            Ok(slowest)
        })
    }

    async fn erase_networks(&self, user: UserId, limit: u32) -> Result<u32, StoreError> {
        self.writer
            .write(move |connection| {
                let sql = "SELECT seq FROM (SELECT seq FROM audit WHERE account = ?1 AND actor <> 'admin' AND network <> '' LIMIT ?2) \
                           UNION ALL \
                           SELECT seq FROM (SELECT seq FROM audit WHERE by_user = ?1 AND actor = 'admin' AND network <> '' LIMIT ?2) \
                           LIMIT ?2";
                let mut statement = connection.prepare_cached(sql)?;
                let seqs: Vec<i64> = all(statement.query(params![user.as_bytes(), limit])?, |row| Ok(row.get(0)?))?;
                for seq in &seqs {
                    for sql in ["UPDATE audit SET network = '' WHERE seq = ?1", "UPDATE audit_seal SET salt = NULL WHERE seq = ?1"]
                    {
                        connection.prepare_cached(sql)?.execute([seq])?;
                    }
                }
                Ok(u32::try_from(seqs.len()).unwrap_or(u32::MAX))
            })
            .await
    }

    async fn find(&self, stretch: Stretch, limit: u32) -> Result<Vec<Recorded>, StoreError> {
        self.readers.read(|connection| find(connection, &stretch, limit))
    }
}

fn mark(connection: &Connection, place: &str) -> Result<Option<Mark>, Failure> {
    let sql = "SELECT seq, hash, mac FROM audit_head WHERE place = ?1";
    let read = |row: &rusqlite::Row<'_>| Ok(Mark { seq: row.get(0)?, hash: row.get(1)?, mac: row.get(2)? });
    Ok(connection.prepare_cached(sql)?.query_row([place], read).optional()?)
}

fn set(connection: &Connection, place: &str, mark: &Mark) -> Result<(), Failure> {
    let sql = "INSERT INTO audit_head (place, seq, hash, mac) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT (place) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, mac = excluded.mac";
    connection.prepare_cached(sql)?.execute(params![place, mark.seq, mark.hash, mark.mac])?;
    Ok(())
}

fn links(connection: &Connection, after: i64, limit: u32) -> Result<Vec<Row>, Failure> {
    let sql = "SELECT a.seq, a.at, a.event, a.actor, a.by_user, a.account, a.sid, a.network, a.detail, \
                 s.salt, s.network_hash, s.hash, s.mac \
               FROM audit a LEFT JOIN audit_seal s ON s.seq = a.seq WHERE a.seq > ?1 ORDER BY a.seq LIMIT ?2";
    all(connection.prepare_cached(sql)?.query(params![after, limit])?, link)
}

/// As it is: a row that has been tampered with must be readable too.
fn link(row: &rusqlite::Row<'_>) -> Result<Row, Failure> {
    let bytes = |index: usize| -> Result<Option<Vec<u8>>, Failure> {
        let value = row.get_ref(index)?;
        Ok(value.as_bytes_or_null().map_err(rusqlite::Error::from)?.map(<[u8]>::to_vec))
    };
    let text = |index: usize| Ok::<_, Failure>(bytes(index)?.unwrap_or_default());
    let seal = match (bytes(10)?, bytes(11)?) {
        (Some(commitment), Some(hash)) => Some(Seal { salt: bytes(9)?, commitment, hash, mac: bytes(12)? }),
        _ => None,
    };
    let (seq, at, event, actor) = (row.get(0)?, row.get(1)?, text(2)?, text(3)?);
    let (by, user, sid) = (bytes(4)?, bytes(5)?, bytes(6)?);
    Ok(Row { seq, at, event, actor, by, user, sid, network: text(7)?, detail: text(8)?, seal })
}

/// Whether the entries of a batch are all there, and their networks are still those that were read.
fn is_as_read(connection: &Connection, batch: &Batch) -> Result<bool, Failure> {
    let (Some(first), Some(last)) = (batch.rows.first(), batch.rows.last()) else { return Ok(false) };
    let sql = "SELECT seq, network FROM audit WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq";
    let mut statement = connection.prepare_cached(sql)?;
    let now: Vec<(i64, String)> = all(statement.query([first.seq, last.seq])?, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let read = batch.rows.iter().map(|row| (row.seq, row.network.as_slice()));
    Ok(now.iter().map(|(seq, network)| (*seq, network.as_bytes())).eq(read))
}

fn find(connection: &Connection, stretch: &Stretch, limit: u32) -> Result<Vec<Recorded>, Failure> {
    let (along, value) = match stretch.along {
        Along::Everything => ("?5 IS NULL", Value::Null),
        Along::User(user) => ("a.account = ?5", Value::Blob(user.as_bytes().to_vec())),
        Along::Session(sid) => ("a.sid = ?5", Value::Blob(sid.as_bytes().to_vec())),
        Along::Event(event) => ("a.event = ?5", Value::Text(event.as_str().to_owned())),
        Along::Kind(kind) => ("a.actor = ?5", Value::Text(kind.to_owned())),
        Along::Admin(user) => ("a.actor = 'admin' AND a.by_user = ?5", Value::Blob(user.as_bytes().to_vec())),
    };
    let (since, until) = (stretch.since.as_millis(), stretch.until.as_millis());
    let after = stretch.after.map(|place| (place.at.as_millis(), place.seq));
    let (low, high, seq) = match stretch.direction {
        Direction::Back => {
            let (at, seq) = after.unwrap_or((until, i64::MIN));
            (since, at, seq)
        }
        Direction::Forward => {
            let (at, seq) = after.unwrap_or((since, i64::MIN));
            (at, until, seq)
        }
    };
    let sql = sql(along, stretch.direction);
    let mut statement = connection.prepare_cached(&sql)?;
    all(statement.query(params![low, high, seq, limit, value])?, |row| {
        let (seq, entry) = read(row)?;
        let (hash, network): (Option<Vec<u8>>, Option<Vec<u8>>) = (row.get(9)?, row.get(10)?);
        Ok(Recorded { seq, entry, sealed: hash.zip(network) })
    })
}

fn sql(along: &str, direction: Direction) -> String {
    let (between, order) = match direction {
        Direction::Back => ("a.at >= ?1 AND a.at <= ?2 AND (a.at < ?2 OR a.seq < ?3)", "a.at DESC, a.seq DESC"),
        Direction::Forward => ("a.at >= ?1 AND a.at < ?2 AND (a.at > ?1 OR a.seq > ?3)", "a.at, a.seq"),
    };
    format!(
        "SELECT a.seq, a.at, a.event, a.actor, a.by_user, a.account, a.sid, a.network, a.detail, s.hash, s.network_hash \
         FROM audit a LEFT JOIN audit_seal s ON s.seq = a.seq WHERE {along} AND {between} ORDER BY {order} LIMIT ?4"
    )
}

#[cfg(test)]
mod tests {
    use super::super::{SqliteStore, Synchronous};
    use super::sql;
    use counterfoil_core::audit_search::Direction;
    use rusqlite::Connection;

    /// However long the log is, a page of it is found in one descent and read in its order.
    #[test]
    fn every_look_up_goes_along_an_index_and_sorts_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("counterfoil.db");
        drop(SqliteStore::open(&path, Synchronous::Full).expect("the store"));
        let connection = Connection::open(&path).expect("the database");
        for (along, index) in [
            ("?5 IS NULL", "audit_at"),
            ("a.account = ?5", "audit_account"),
            ("a.sid = ?5", "audit_sid"),
            ("a.event = ?5", "audit_event"),
            ("a.actor = ?5", "audit_actor"),
            ("a.actor = 'admin' AND a.by_user = ?5", "audit_admin"),
        ] {
            for direction in [Direction::Back, Direction::Forward] {
                let sql = format!("EXPLAIN QUERY PLAN {}", sql(along, direction));
                let mut statement = connection.prepare(&sql).expect("a statement");
                let rows = statement.query_map([1; 5], |row| row.get::<_, String>(3)).expect("a plan");
                let plan = rows.map(|row| row.expect("a row")).collect::<Vec<_>>().join("; ");
                let searched = plan.contains(&format!("SEARCH a USING INDEX {index} ("));
                assert!(searched && !plan.contains("TEMP B-TREE"), "{along}: {plan}");
            }
        }
    }
}
