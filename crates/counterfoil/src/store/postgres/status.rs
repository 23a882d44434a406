//! Places in status lists.

use super::PostgresStore;
use super::connect::Connection;
use super::id::Id;
use super::row::{all, id};
use super::transact::{Failure, Transaction, again, connection};
use crate::store::StoreError;
use crate::store::status::{Given, Occupied, Place, StatusPlaces};
use async_trait::async_trait;
use counterfoil_core::Sid;
use tokio_postgres::Row;

const FIND: &str = "SELECT list, idx FROM status_place WHERE sid = $1 AND version = $2";

/// A session of a user, which no end gets past until this is committed; or of a service.
const LIVES: &str = "\
    SELECT 1 FROM account a JOIN session s ON s.account = a.id \
      WHERE s.sid = $1 AND s.ended_at IS NULL AND a.claims_version = $2 FOR SHARE";
const SERVICE_LIVES: &str = "SELECT 1 FROM client WHERE sid = $1 FOR SHARE";

/// The first that is free; of two who want the same at once, the later finds it taken.
const GIVE: &str = "\
    INSERT INTO status_place (list, idx, sid, version) \
      SELECT p.list, p.idx, $3, $4 FROM unnest($1::integer[], $2::integer[]) AS p (list, idx) \
        WHERE NOT EXISTS (SELECT 1 FROM status_place o WHERE o.list = p.list AND o.idx = p.idx) LIMIT 1 \
    ON CONFLICT DO NOTHING RETURNING list, idx";

/// How often another is looked for when somebody else was quicker.
const TRIES: usize = 4;

#[async_trait]
impl StatusPlaces for PostgresStore {
    async fn status_place(&self, sid: Sid, version: u32) -> Result<Option<Place>, StoreError> {
        again!(self, async { find(&*connection(&self.pool).await?, sid, version).await })
    }

    async fn give_status_place(&self, sid: Sid, version: u32, proposed: Vec<Place>) -> Result<Given, StoreError> {
        let lists: Vec<i32> = proposed.iter().map(|place| place.list.cast_signed()).collect();
        let indexes: Vec<i32> = proposed.iter().map(|place| place.index.cast_signed()).collect();
        let (key, of) = (Id(*sid.as_bytes()), version.cast_signed());
        again!(self, async {
            let transaction = Transaction::begin(&self.pool).await?;
            let user = transaction.optional(LIVES, &[&key, &of]).await?.is_some();
            if !user && (version > 0 || transaction.optional(SERVICE_LIVES, &[&key]).await?.is_none()) {
                return transaction.undo(Given::Over).await;
            }
            for _ in 0..TRIES {
                if let Some(place) = find(&transaction, sid, version).await? {
                    return transaction.undo(Given::There(place)).await;
                }
                if let Some(row) = transaction.optional(GIVE, &[&lists, &indexes, &key, &of]).await? {
                    let given = Given::There(place(&row, 0)?);
                    transaction.commit().await?;
                    return Ok(given);
                }
            }
            transaction.undo(Given::Taken).await
        })
    }

    async fn status_places_of(&self, sids: Vec<Sid>) -> Result<Vec<Occupied>, StoreError> {
        let keys: Vec<Id> = sids.iter().map(|sid| Id(*sid.as_bytes())).collect();
        again!(self, async {
            let sql = "SELECT list, idx, version, sid FROM status_place WHERE sid = ANY ($1)";
            all(&connection(&self.pool).await?.query(sql, &[&keys]).await?, |row| {
                let version = row.try_get::<_, i32>(2)?.cast_unsigned();
                Ok(Occupied { sid: Sid::from_bytes(id(row, 3)?), version, place: place(row, 0)? })
            })
        })
    }

    async fn last_status_list(&self) -> Result<u32, StoreError> {
        again!(self, async {
            let sql = "SELECT coalesce(max(list), 0) FROM status_place";
            Ok(connection(&self.pool).await?.one(sql, &[]).await?.try_get::<_, i32>(0)?.cast_unsigned())
        })
    }
}

async fn find(connection: &Connection, sid: Sid, version: u32) -> Result<Option<Place>, Failure> {
    let row = connection.optional(FIND, &[&Id(*sid.as_bytes()), &version.cast_signed()]).await?;
    row.as_ref().map(|row| place(row, 0)).transpose()
}

fn place(row: &Row, from: usize) -> Result<Place, Failure> {
    let number = |index: usize| row.try_get::<_, i32>(index).map(i32::cast_unsigned);
    Ok(Place { list: number(from)?, index: number(from + 1)? })
}
