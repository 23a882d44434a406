//! Replicas: who there is, how far each has come, and what has happened since one has looked last.

use super::PostgresStore;
use super::connect::{CHANNEL, Connection, Connector, Params};
use super::id::Id;
use super::log::{entry, log_id};
use super::row::{all, id};
use super::transact::{Failure, Retries, again, committing, connection, within};
use crate::store::columns::millis;
use crate::store::{Beat, Beaten, Peer, ReplicaId, Shared, StoreError};
use async_trait::async_trait;
use counterfoil_core::Timestamp;
use counterfoil_core::limit::Rate;
use std::time::Duration;
use tokio::sync::{Mutex, watch};
use tokio_postgres::Row;

/// The database's time, in milliseconds.
pub(super) const NOW: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";

const REGISTER: &str = "\
    INSERT INTO replica (id, name, beat, floor, max_staleness, verifiers) VALUES ($1, $2, 0, NULL, $3, 0) ON CONFLICT (id) DO NOTHING";

/// An old primary that has been cut off cannot commit it where its standby has to confirm: so what is read in the same
/// transaction is what there is.
const BEAT: &str = "\
    UPDATE replica new SET beat = new.beat + 1, floor = $2, max_staleness = $3, verifiers = $4 FROM replica old \
    WHERE new.id = $1 AND old.id = $1 RETURNING old.floor IS DISTINCT FROM $2";

/// For a process that only looks, and grants no leases. As good as a beat.
const LOOK: &str = "SELECT false FROM log_head FOR KEY SHARE";

const HEAD: &str = "\
    SELECT id, seq, keys, parties, promised, (extract(epoch FROM clock_timestamp()) * 1000)::bigint FROM log_head";

const ENTRIES: &str = "\
    SELECT seq, until, kind, target, version FROM revocation WHERE seq > $1 ORDER BY seq LIMIT 4096";

const PEERS: &str = "SELECT id, name, beat, floor, max_staleness, verifiers FROM replica WHERE id <> $1";

const LEAD: &str = "\
    INSERT INTO job AS old (name, holder, until) VALUES ($1, $2, $4) \
      ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until \
      WHERE old.holder = excluded.holder OR old.until <= $3";

/// The connection that is listened on, and on which signs of life are given.
#[derive(Debug)]
pub(super) struct Follower {
    connector: Connector,
    connection: Mutex<Option<Connection>>,
    news: watch::Sender<u64>,
}

impl Follower {
    pub(super) fn new(connector: Connector) -> Self {
        Self { connector, connection: Mutex::new(None), news: watch::Sender::new(0) }
    }

    pub(super) fn close(&self) {
        if let Ok(mut connection) = self.connection.try_lock() {
            *connection = None;
        }
    }

    /// The connection is put back only when all has gone well: dropped half way, it is closed.
    async fn beat(&self, beat: &Beat) -> Result<Beaten, Failure> {
        let mut kept = self.connection.lock().await;
        let connection = match kept.take().filter(Connection::is_usable) {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let beaten = if let Some(beaten) = commit(&connection, beat).await? {
            beaten
        } else {
            // Not registered, or taken out by somebody who thought that this replica was gone. Its row must be there before
            // the log is read: whoever looks for those who may not know of an entry has to find it.
            let (id, most) = (Id(beat.id.0), millis(beat.max_staleness));
            connection.execute(REGISTER, &[&id, &beat.name, &most]).await?;
            commit(&connection, beat).await?.ok_or(StoreError::Unavailable)?
        };
        *kept = Some(connection);
        Ok(beaten)
    }

    async fn connect(&self) -> Result<Connection, Failure> {
        let connection = self.connector.connect(Some(self.news.clone())).await?;
        connection.prepare_all(&[BEAT, LOOK, HEAD, ENTRIES, PEERS]).await?;
        connection.run(&format!("LISTEN {CHANNEL}")).await?;
        Ok(connection)
    }
}

/// One transaction, one round trip. `None` when the replica is not registered.
async fn commit(connection: &Connection, beat: &Beat) -> Result<Option<Beaten>, Failure> {
    let (own, floor) = (Id(beat.id.0), beat.floor.map(u64::cast_signed));
    let (most, after, verifiers) = (millis(beat.max_staleness), beat.after.cast_signed(), beat.verifiers.cast_signed());
    let (for_entries, for_peers): (Params<'_>, Params<'_>) = (&[&after], &[&own]);
    let registered = beat.grants_leases;
    let sign = async {
        let params: Params<'_> = &[&own, &floor, &most, &verifiers];
        if registered { connection.optional(BEAT, params).await } else { connection.optional(LOOK, &[]).await }
    };
    // In this order: the head comes before the entries, so that all up to it are there.
    let (begun, sign, head, entries, peers, ended) = tokio::join!(
        biased;
        connection.run("BEGIN"),
        sign,
        connection.one(HEAD, &[]),
        connection.query(ENTRIES, for_entries),
        connection.query(PEERS, for_peers),
        connection.run("COMMIT"),
    );
    begun?;
    let (sign, head, entries, peers) = (sign?, head?, entries?, peers?);
    ended.map_err(committing)?;
    if connection.is_doubtful() {
        return Err(Failure::Doubtful);
    }
    let Some(sign) = sign else { return Ok(None) };
    if sign.try_get(0)? {
        // The others wait for the floor of this one.
        connection.run(&format!("NOTIFY {CHANNEL}")).await?;
    }
    Ok(Some(Beaten {
        log: log_id(head.try_get(0)?),
        head: head.try_get::<_, i64>(1)?.cast_unsigned(),
        keys: head.try_get(2)?,
        parties: head.try_get(3)?,
        promised: Duration::from_millis(head.try_get::<_, i64>(4)?.unsigned_abs()),
        now: Timestamp::from_millis(head.try_get(5)?),
        entries: all(&entries, entry)?,
        peers: all(&peers, peer)?,
    }))
}

fn peer(row: &Row) -> Result<Peer, Failure> {
    Ok(Peer {
        id: ReplicaId(id(row, 0)?),
        name: row.try_get(1)?,
        beat: row.try_get(2)?,
        floor: row.try_get::<_, Option<i64>>(3)?.map(i64::cast_unsigned),
        max_staleness: Duration::from_millis(row.try_get::<_, i64>(4)?.unsigned_abs()),
        verifiers: row.try_get::<_, i32>(5)?.cast_unsigned(),
    })
}

#[async_trait]
impl Shared for PostgresStore {
    async fn beat(&self, beat: Beat, span: Duration) -> Result<Beaten, StoreError> {
        match within(span, &self.hosts, Box::pin(self.follower.beat(&beat))).await {
            Ok(beaten) => Ok(beaten),
            // Whoever beats does so again in a moment.
            Err(failure) => match Retries::spent().after(failure).await {
                Ok(()) => Err(StoreError::Unavailable),
                Err(error) => Err(error),
            },
        }
    }

    fn news(&self) -> watch::Receiver<u64> {
        self.follower.news.subscribe()
    }

    async fn take_out(&self, peer: ReplicaId, beat: i64) -> Result<(), StoreError> {
        again!(self, async {
            // A row that somebody holds is a sign of life, or will be free another time.
            let sql = "DELETE FROM replica WHERE id = (SELECT id FROM replica WHERE id = $1 AND beat = $2 FOR UPDATE SKIP LOCKED)";
            // Done twice it is done once.
            connection(&self.pool).await?.execute(sql, &[&Id(peer.0), &beat]).await?;
            Ok(())
        })
    }

    async fn lead(&self, job: &str, who: ReplicaId, now: Timestamp, until: Timestamp) -> Result<bool, StoreError> {
        again!(self, async {
            let params: Params<'_> = &[&job, &Id(who.0), &now.as_millis(), &until.as_millis()];
            // Done twice it is done once.
            Ok(connection(&self.pool).await?.execute(LEAD, params).await? == 1)
        })
    }

    async fn take_rate(&self, key: [u8; 32], rate: Rate, now: Timestamp) -> Result<Result<(), Duration>, StoreError> {
        again!(self, self.take_rate_once(&key, rate, now))
    }

    async fn give_rate_back(&self, key: [u8; 32], rate: Option<Rate>) -> Result<(), StoreError> {
        self.give_rate_back_once(&key, rate).await
    }

    async fn tidy(&self, now: Timestamp) -> Result<(), StoreError> {
        let numbered = self.number_entries().await;
        self.forget_rates(now).await?;
        numbered
    }
}
