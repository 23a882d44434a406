//! The revocation log: reading it, and appending to it.

use super::PostgresStore;
use super::id::Id;
use super::row::{corrupt, id, optional_time, time};
use super::transact::{Failure, Transaction, again, connection, told};
use crate::store::columns::millis;
use crate::store::columns::target_columns;
use crate::store::{Ends, Log, LogState, StoreError};
use async_trait::async_trait;
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::revocation::{ENTRY_LIFE, RevocationOrder, Revoked};
use counterfoil_core::{Jti, Sid, Timestamp};
use counterfoil_guard::{Entry, LogId, Target};
use std::time::Duration;
use tokio_postgres::Row;

/// One statement, so one snapshot; three ways into the table, each by an index.
const WHOLE: &str = "\
    WITH head AS (SELECT id, seq, restored_at FROM log_head), \
      kept AS (SELECT seq, until, kind, target, version FROM revocation WHERE until > $1 AND kind <> 'key' \
        UNION ALL SELECT seq, until, kind, target, version FROM revocation WHERE kind = 'key' \
        UNION ALL SELECT r.seq, until, kind, target, version FROM revocation r, head \
          WHERE r.seq = head.seq AND until <= $1 AND kind <> 'key') \
    SELECT kept.seq, until, kind, target, version, head.id, head.seq, head.restored_at FROM head LEFT JOIN kept ON true ORDER BY kept.seq";

/// The numbers come from the head row, which only one transaction at a time can hold, so they become visible in their order.
const APPEND: &str = "\
    WITH head AS (UPDATE log_head SET seq = seq + cardinality($1::text[]) RETURNING seq - cardinality($1::text[]) AS before), \
      new AS (SELECT * FROM unnest($1::text[], $2::bytea[], $3::integer[]) WITH ORDINALITY u(kind, target, version, nth)), \
      added AS (INSERT INTO revocation (seq, at, until, kind, target, version, reason, actor) \
        SELECT head.before + new.nth, $4, $5, new.kind, new.target, new.version, $6, $7 FROM head, new) \
    SELECT before FROM head";

const PROMISE: &str = "\
    UPDATE log_head SET promised = CASE WHEN $2 \
        THEN greatest($1, (SELECT coalesce(max(max_staleness), 0) FROM replica)) ELSE greatest(old.promised, $1) END \
    FROM (SELECT promised FROM log_head FOR UPDATE) old RETURNING old.promised";

#[async_trait]
impl Log for PostgresStore {
    async fn revoke(&self, order: RevocationOrder) -> Result<Revoked, StoreError> {
        again!(self, self.revoke_once(&order))
    }

    async fn restored(&self, ends: Ends, audit: AuditEntry) -> Result<u64, StoreError> {
        // As long as it takes: every session there is may end.
        told(self.restored_once(&ends, &audit)).await
    }

    async fn head(&self) -> Result<u64, StoreError> {
        again!(self, async {
            let transaction = Transaction::begin(&self.pool).await?;
            let head = confirmed_head(&transaction).await?;
            transaction.commit().await?;
            Ok(head)
        })
    }

    async fn log(&self, now: Timestamp) -> Result<LogState, StoreError> {
        again!(self, async {
            let rows = connection(&self.pool).await?.query(WHOLE, &[&now.as_millis()]).await?;
            whole(&rows, now)
        })
    }

    async fn promise(&self, max_staleness: Duration, forget: bool) -> Result<Duration, StoreError> {
        let new = millis(max_staleness);
        again!(self, async {
            let transaction = Transaction::begin(&self.pool).await?;
            let before = transaction.one(PROMISE, &[&new, &forget]).await?.try_get::<_, i64>(0)?;
            transaction.commit().await?;
            Ok(Duration::from_millis(before.unsigned_abs()))
        })
    }
}

fn whole(rows: &[Row], now: Timestamp) -> Result<LogState, Failure> {
    let first = rows.first().ok_or_else(|| corrupt("log_head", "seq"))?;
    let log = LogId::from_bytes(id(first, 5)?);
    let newest: i64 = first.try_get(6)?;
    let mut state = LogState { id: log, head: None, in_force: Vec::new(), restored_at: optional_time(first, 7)? };
    for row in rows {
        if row.try_get::<_, Option<i64>>(0)?.is_none() {
            continue;
        }
        let entry = entry(row)?;
        if entry.seq == newest.cast_unsigned() {
            state.head = Some(entry.clone());
        }
        if entry.until > now || matches!(entry.what, Target::Key(_)) {
            state.in_force.push(entry);
        }
    }
    Ok(state)
}

/// An entry out of `seq, until, kind, target, version`.
pub(super) fn entry(row: &Row) -> Result<Entry, Failure> {
    const TARGET: Failure = corrupt("revocation", "target");
    let target: &[u8] = row.try_get(3)?;
    let id = || -> Result<[u8; 16], Failure> { target.try_into().map_err(|_| TARGET) };
    let what = match row.try_get(2)? {
        "session" => Target::Session(Sid::from_bytes(id()?)),
        "token" => Target::Token(Jti::from_bytes(id()?)),
        "stale" => Target::Stale(Sid::from_bytes(id()?), row.try_get::<_, i32>(4)?.cast_unsigned()),
        "key" => {
            let name = std::str::from_utf8(target).ok().and_then(|text| text.parse().ok());
            Target::Key(name.ok_or(TARGET)?)
        }
        _ => return Err(TARGET),
    };
    Ok(Entry { seq: row.try_get::<_, i64>(0)?.cast_unsigned(), until: time(row, 1)?, what })
}

/// The newest entry, locked: that makes a commit of the transaction, which only the primary can do, with its standby where one
/// has to confirm. Whoever is told that there was nothing left to end is told so by the one that counts.
pub(super) async fn confirmed_head(transaction: &Transaction) -> Result<u64, Failure> {
    let row = transaction.one("SELECT seq FROM log_head FOR KEY SHARE", &[]).await?;
    Ok(row.try_get::<_, i64>(0)?.cast_unsigned())
}

/// Appends to the log: the last thing a transaction does, because nobody else can until it has committed.
pub(super) async fn append(
    transaction: &Transaction,
    targets: Vec<Target>,
    reason: &str,
    audit: &AuditEntry,
) -> Result<Vec<Entry>, Failure> {
    if targets.is_empty() {
        return Ok(Vec::new());
    }
    let until = audit.at.plus(ENTRY_LIFE);
    let (mut kinds, mut ids, mut versions) = (Vec::new(), Vec::new(), Vec::new());
    for target in &targets {
        let (kind, id, version) = target_columns(target);
        kinds.push(kind);
        ids.push(id);
        versions.push(version.cast_signed());
    }
    let (at, actor) = (audit.at.as_millis(), audit.actor.kind());
    let row = transaction.one(APPEND, &[&kinds, &ids, &versions, &at, &until.as_millis(), &reason, &actor]).await?;
    let before: i64 = row.try_get(0)?;
    let numbered = (before.cast_unsigned() + 1..).zip(targets);
    Ok(numbered.map(|(seq, what)| Entry { seq, until, what }).collect())
}

/// For those who compare log ids.
pub(super) const fn log_id(id: Id) -> LogId {
    LogId::from_bytes(id.0)
}
