//! Sessions: the refresh path's look-up and compare-and-swap, and what ends and removes them.

use super::row::{SESSION, SESSION_COLUMNS, USER, all, first, millis, parent_column, session, user};
use super::writer::Failure;
use super::{SqliteStore, audit, log};
use crate::store::{Sessions, StoreError, Swap};
use async_trait::async_trait;
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::refresh::rotation::Rotation;
use counterfoil_core::revocation::Revoked;
use counterfoil_core::session::{EndReason, Handle, Session};
use counterfoil_core::user::User;
use counterfoil_core::{Sid, Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension as _, ToSql, params};

#[async_trait]
impl Sessions for SqliteStore {
    async fn open(&self, new: Session, limit: u32, entry: AuditEntry) -> Result<Revoked, StoreError> {
        self.writer
            .write(move |connection| {
                insert(connection, &new)?;
                audit::insert(connection, &entry)?;
                end_surplus(connection, new.user, limit, &entry)
            })
            .await
    }

    async fn by_handle(&self, handle: Handle) -> Result<Option<(Session, User)>, StoreError> {
        self.find("s.handle", handle.as_bytes())
    }

    async fn by_sid(&self, sid: Sid) -> Result<Option<(Session, User)>, StoreError> {
        self.find("s.sid", sid.as_bytes())
    }

    async fn superseded_at(&self, handle: Handle) -> Result<Option<Timestamp>, StoreError> {
        self.readers.read(|connection| {
            let sql = "SELECT at FROM superseded_handle WHERE handle = ?1";
            let at: Option<i64> =
                connection.prepare_cached(sql)?.query_row([handle.as_bytes()], |row| row.get(0)).optional()?;
            Ok(at.map(Timestamp::from_millis))
        })
    }

    async fn sessions_of(&self, id: UserId) -> Result<Vec<Session>, StoreError> {
        self.readers.read(|connection| {
            let sql =
                format!("SELECT {SESSION} FROM session s WHERE s.account = ?1 ORDER BY s.last_seen_at DESC LIMIT 200");
            all(connection.prepare_cached(&sql)?.query([id.as_bytes()])?, session)
        })
    }

    async fn advance(
        &self,
        from: &Session,
        to: Rotation,
        seen: Timestamp,
        network: Option<String>,
    ) -> Result<Swap, StoreError> {
        let step = Step { handle: from.handle, from: from.rotation, to, seen, network };
        let changed = self.writer.write_one(move |connection| advance(connection, &step));
        Ok(if changed.await? == 1 { Swap::Done } else { Swap::Lost })
    }

    async fn touch(&self, sid: Sid, at: Timestamp, network: String) -> Result<(), StoreError> {
        let sql = "UPDATE session SET last_seen_at = max(last_seen_at, ?2), network = ?3 \
                   WHERE sid = ?1 AND ended_at IS NULL";
        let update = move |connection: &Connection| {
            connection.prepare_cached(sql)?.execute(params![sid.as_bytes(), at.as_millis(), network])
        };
        self.writer.write_one(update).await.map(|_| ())
    }

    async fn purge(&self, before: Timestamp, batch: u32) -> Result<u32, StoreError> {
        self.writer.write(move |connection| purge(connection, before.as_millis(), batch)).await
    }
}

impl SqliteStore {
    fn find(&self, column: &str, key: &dyn ToSql) -> Result<Option<(Session, User)>, StoreError> {
        self.readers.read(|connection| {
            let sql = format!(
                "SELECT {SESSION}, {USER} FROM session s JOIN account a ON a.id = s.account WHERE {column} = ?1"
            );
            let mut statement = connection.prepare_cached(&sql)?;
            first(statement.query([key])?, |row| Ok((session(row)?, user(row, SESSION_COLUMNS)?)))
        })
    }
}

pub(super) fn insert(connection: &Connection, new: &Session) -> Result<(), Failure> {
    let columns = SESSION.replace("s.", "");
    let sql = format!(
        "INSERT INTO session ({columns}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, \
                       ?15, NULL, NULL, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24)"
    );
    let rotation = &new.rotation;
    connection.prepare_cached(&sql)?.execute(params![
        new.handle.as_bytes(),
        new.sid.as_bytes(),
        new.user.as_bytes(),
        new.application,
        new.profile.as_str(),
        new.persistent,
        new.created_at.as_millis(),
        new.auth_time.as_millis(),
        new.last_seen_at.as_millis(),
        millis(new.idle),
        new.expires_at.as_millis(),
        new.acr.as_str(),
        new.amr.join(" "),
        new.device,
        new.network,
        new.bound_to,
        rotation.generation,
        parent_column(rotation.parent),
        rotation.handed_at.as_millis(),
        rotation.handed_twice,
        rotation.presented,
        rotation.rotated_at[0].map(Timestamp::as_millis),
        rotation.rotated_at[1].map(Timestamp::as_millis),
        rotation.rotated_at[2].map(Timestamp::as_millis),
    ])?;
    Ok(())
}

/// A compare-and-swap to be done.
struct Step {
    handle: Handle,
    from: Rotation,
    to: Rotation,
    seen: Timestamp,
    network: Option<String>,
}

fn advance(connection: &Connection, step: &Step) -> rusqlite::Result<usize> {
    let Step { handle, from, to, seen, network } = step;
    let sql = "UPDATE session SET generation = ?2, parent = ?3, handed_at = ?4, handed_twice = ?5, presented = ?6, \
                 rotated_1 = ?7, rotated_2 = ?8, rotated_3 = ?9, last_seen_at = ?10, network = coalesce(?11, network) \
               WHERE handle = ?1 AND ended_at IS NULL \
                 AND generation = ?12 AND handed_at = ?13 AND handed_twice = ?14 AND presented = ?15";
    connection.prepare_cached(sql)?.execute(params![
        handle.as_bytes(),
        to.generation,
        parent_column(to.parent),
        to.handed_at.as_millis(),
        to.handed_twice,
        to.presented,
        to.rotated_at[0].map(Timestamp::as_millis),
        to.rotated_at[1].map(Timestamp::as_millis),
        to.rotated_at[2].map(Timestamp::as_millis),
        seen.as_millis(),
        network,
        from.generation,
        from.handed_at.as_millis(),
        from.handed_twice,
        from.presented,
    ])
}

/// Ends the sessions by which a user exceeds the limit: those longest unused.
fn end_surplus(connection: &Connection, id: UserId, limit: u32, entry: &AuditEntry) -> Result<Revoked, Failure> {
    let sql = "SELECT sid FROM session WHERE account = ?1 AND ended_at IS NULL AND expires_at > ?2 \
                 AND last_seen_at + idle > ?2 ORDER BY last_seen_at DESC, created_at DESC LIMIT -1 OFFSET ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query(params![id.as_bytes(), entry.at.as_millis(), limit])?;
    let surplus = all(rows, |row| Ok(Sid::from_bytes(row.get(0)?)))?;
    let entries = log::end_sessions(connection, &surplus, EndReason::SessionLimit, entry)?;
    Ok(Revoked { entries, found: true })
}

/// Removes what is past use. The handle order is random, so each call looks at its own bounded stretch of rows.
fn purge(connection: &Connection, before: i64, batch: u32) -> Result<u32, Failure> {
    let delete = |sql: &str| -> Result<u32, Failure> {
        let removed = connection.prepare_cached(sql)?.execute(params![before, batch])?;
        Ok(u32::try_from(removed).unwrap_or(u32::MAX))
    };
    Ok(delete(
        "DELETE FROM session WHERE handle IN (SELECT handle FROM session WHERE expires_at <= ?1 \
         OR last_seen_at + idle <= ?1 OR ended_at <= ?1 LIMIT ?2)",
    )? + delete(
        "DELETE FROM superseded_handle WHERE handle IN (SELECT handle FROM superseded_handle WHERE at <= ?1 LIMIT ?2)",
    )? + delete("DELETE FROM invite WHERE hash IN (SELECT hash FROM invite WHERE expires_at <= ?1 LIMIT ?2)")?
        + delete(
            "DELETE FROM revocation WHERE seq IN (SELECT seq FROM revocation WHERE until <= ?1 AND kind <> 'key' LIMIT ?2)",
        )?)
}
