//! Places in status lists.

use super::SqliteStore;
use super::row::{all, first};
use super::writer::Failure;
use crate::store::StoreError;
use crate::store::status::{Given, Occupied, Place, StatusPlaces};
use async_trait::async_trait;
use counterfoil_core::Sid;
use rusqlite::{Connection, params};

/// A session of a user, or of a service.
const LIVES: &str = "\
    SELECT EXISTS (SELECT 1 FROM session s JOIN account a ON a.id = s.account \
        WHERE s.sid = ?1 AND s.ended_at IS NULL AND a.claims_version = ?2) \
      OR (?2 = 0 AND EXISTS (SELECT 1 FROM client WHERE sid = ?1))";

#[async_trait]
impl StatusPlaces for SqliteStore {
    async fn status_place(&self, sid: Sid, version: u32) -> Result<Option<Place>, StoreError> {
        self.readers.read(|connection| find(connection, sid, version))
    }

    async fn give_status_place(&self, sid: Sid, version: u32, proposed: Vec<Place>) -> Result<Given, StoreError> {
        self.writer
            .write(move |connection| {
                let lives: bool =
                    connection.prepare_cached(LIVES)?.query_row(params![sid.as_bytes(), version], |row| row.get(0))?;
                if !lives {
                    return Ok(Given::Over);
                }
                if let Some(place) = find(connection, sid, version)? {
                    return Ok(Given::There(place));
                }
                let sql = "INSERT INTO status_place (list, idx, sid, version) VALUES (?1, ?2, ?3, ?4) \
                           ON CONFLICT (list, idx) DO NOTHING";
                let mut give = connection.prepare_cached(sql)?;
                for place in proposed {
                    if give.execute(params![place.list, place.index, sid.as_bytes(), version])? == 1 {
                        return Ok(Given::There(place));
                    }
                }
                Ok(Given::Taken)
            })
            .await
    }

    async fn status_places_of(&self, sids: Vec<Sid>) -> Result<Vec<Occupied>, StoreError> {
        self.readers.read(|connection| {
            let mut select = connection.prepare_cached("SELECT version, list, idx FROM status_place WHERE sid = ?1")?;
            let mut found = Vec::new();
            for sid in &sids {
                found.extend(all(select.query([sid.as_bytes()])?, |row| {
                    let place = Place { list: row.get(1)?, index: row.get(2)? };
                    Ok(Occupied { sid: *sid, version: row.get(0)?, place })
                })?);
            }
            Ok(found)
        })
    }

    async fn last_status_list(&self) -> Result<u32, StoreError> {
        self.readers.read(|connection| {
            let sql = "SELECT coalesce(max(list), 0) FROM status_place";
            Ok(connection.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
        })
    }
}

fn find(connection: &Connection, sid: Sid, version: u32) -> Result<Option<Place>, Failure> {
    let sql = "SELECT list, idx FROM status_place WHERE sid = ?1 AND version = ?2";
    first(connection.prepare_cached(sql)?.query(params![sid.as_bytes(), version])?, |row| {
        Ok(Place { list: row.get(0)?, index: row.get(1)? })
    })
}
