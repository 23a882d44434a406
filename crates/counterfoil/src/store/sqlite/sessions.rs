//! Sessions: the refresh path, and what ends and removes them.

use super::row::{SESSION, SESSION_COLUMNS, USER, all, first, session, time, user};
use super::writer::Failure;
use super::{SqliteStore, audit, log, risk};
use crate::store::columns::{binding_columns, millis, parent_column};
use crate::store::risk::{FAMILIAR_FOR, Familiar};
use crate::store::{NewSession, Opened, ProvedBy, Purged, Refreshed, Rule, Seen, Sessions, StoreError};
use async_trait::async_trait;
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use counterfoil_core::refresh::rotation::Decision;
use counterfoil_core::revocation::Revoked;
use counterfoil_core::session::{EndReason, Handle, Session};
use counterfoil_core::user::User;
use counterfoil_core::{Sid, Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension as _, params};
use std::sync::LazyLock;

#[async_trait]
impl Sessions for SqliteStore {
    async fn open(&self, new: NewSession, entry: AuditEntry) -> Result<Opened, StoreError> {
        self.writer
            .write(move |connection| {
                let (id, at) = (new.session.user, new.session.created_at);
                let Some(user) = may_sign_in(connection, id, &new.proved_by, at)? else { return Ok(Opened::Refused) };
                insert(connection, &new.session)?;
                risk::note(connection, user.id, &Familiar::of(&new.session))?;
                audit::insert(connection, &entry)?;
                let surplus = end_surplus(connection, user.id, new.limit, &entry)?;
                Ok(Opened::Done { user, surplus })
            })
            .await
    }

    async fn by_handle(&self, handle: Handle) -> Result<Option<(Session, User)>, StoreError> {
        self.readers.read(|connection| find(connection, &BY_HANDLE, handle.as_bytes()))
    }

    async fn by_sid(&self, sid: Sid) -> Result<Option<(Session, User)>, StoreError> {
        self.readers.read(|connection| find(connection, &BY_SID, sid.as_bytes()))
    }

    async fn superseded(&self, handle: Handle) -> Result<Option<(Timestamp, Option<Sid>)>, StoreError> {
        self.readers.read(|connection| {
            let sql = "SELECT at, sid FROM superseded_handle WHERE handle = ?1";
            first(connection.prepare_cached(sql)?.query([handle.as_bytes()])?, |row| {
                Ok((time(row.get(0)?), row.get::<_, Option<_>>(1)?.map(Sid::from_bytes)))
            })
        })
    }

    async fn sessions_of(&self, id: UserId) -> Result<Vec<Session>, StoreError> {
        self.readers.read(|connection| {
            let sql =
                format!("SELECT {SESSION} FROM session s WHERE s.account = ?1 ORDER BY s.ended_at IS NOT NULL, s.last_seen_at DESC LIMIT 1200");
            all(connection.prepare_cached(&sql)?.query([id.as_bytes()])?, session)
        })
    }

    async fn ended_at(&self, user: UserId, at: Timestamp) -> Result<Vec<Session>, StoreError> {
        self.readers.read(|connection| {
            let sql =
                format!("SELECT {SESSION} FROM session s WHERE s.account = ?1 AND s.ended_at = ?2 ORDER BY s.sid");
            all(connection.prepare_cached(&sql)?.query(params![user.as_bytes(), at.as_millis()])?, session)
        })
    }

    async fn refresh(&self, handle: Handle, rule: Rule, seen: Seen) -> Result<Option<Refreshed>, StoreError> {
        self.writer.write_one(move |connection| refresh(connection, handle, &rule, seen)).await
    }

    async fn touch(&self, sid: Sid, at: Timestamp, network: String) -> Result<(), StoreError> {
        let sql = "UPDATE session SET last_seen_at = max(last_seen_at, ?2), network = ?3 \
                   WHERE sid = ?1 AND ended_at IS NULL";
        let update = move |connection: &Connection| {
            connection.prepare_cached(sql)?.execute(params![sid.as_bytes(), at.as_millis(), network])?;
            Ok(())
        };
        self.writer.write_one(update).await
    }

    async fn purge(&self, before: Timestamp, batch: u32) -> Result<Purged, StoreError> {
        let from = self.purged_to.lock().clone();
        let (purged, to) =
            self.writer.write(move |connection| purge(connection, before.as_millis(), batch, &from)).await?;
        *self.purged_to.lock() = to;
        Ok(purged)
    }
}

static BY_HANDLE: LazyLock<String> = LazyLock::new(|| with_user("s.handle"));
static BY_SID: LazyLock<String> = LazyLock::new(|| with_user("s.sid"));

fn with_user(column: &str) -> String {
    format!("SELECT {SESSION}, {USER} FROM session s JOIN account a ON a.id = s.account WHERE {column} = ?1")
}

fn find(connection: &Connection, sql: &str, key: &[u8; 16]) -> Result<Option<(Session, User)>, Failure> {
    first(connection.prepare_cached(sql)?.query([key])?, |row| Ok((session(row)?, user(row, SESSION_COLUMNS)?)))
}

const NOT_ENDED_SINCE: &str =
    "SELECT 1 FROM account WHERE id = ?1 AND (sessions_ended_at IS NULL OR sessions_ended_at < ?2)";

/// The account, unless it has been banned, or something that was checked of it does not hold any more.
pub(super) fn may_sign_in(
    connection: &Connection,
    id: UserId,
    proved_by: &[ProvedBy],
    at: Timestamp,
) -> Result<Option<User>, Failure> {
    let account = id.as_bytes();
    let exists = |sql: &str, what: &dyn rusqlite::ToSql| {
        connection.prepare_cached(sql)?.query_row(params![account, what], |_| Ok(())).optional()
    };
    for proof in proved_by {
        let holds = match proof {
            ProvedBy::Password(hash) => exists("SELECT 1 FROM password WHERE account = ?1 AND hash = ?2", hash)?,
            ProvedBy::Passkey(id) => exists("SELECT 1 FROM passkey WHERE account = ?1 AND id = ?2", id)?,
            ProvedBy::Legacy(made) => exists(NOT_ENDED_SINCE, &made.as_millis())?,
        };
        if holds.is_none() {
            return Ok(None);
        }
    }
    let sql = format!("SELECT {USER} FROM account a WHERE a.id = ?1 AND a.deleted_at IS NULL");
    let user = first(connection.prepare_cached(&sql)?.query([account])?, |row| user(row, 0))?;
    Ok(user.filter(|user| user.ban_at(at).is_none()))
}

pub(super) fn insert(connection: &Connection, new: &Session) -> Result<(), Failure> {
    let columns = SESSION.replace("s.", "");
    let sql = format!(
        "INSERT INTO session ({columns}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, \
                       ?15, NULL, NULL, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26)"
    );
    let rotation = &new.rotation;
    let (bound_to, device_key) = binding_columns(&new.binding)?;
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
        bound_to,
        rotation.generation,
        parent_column(rotation.parent),
        rotation.handed_at.as_millis(),
        rotation.handed_twice,
        rotation.presented,
        rotation.rotated_at[0].map(Timestamp::as_millis),
        rotation.rotated_at[1].map(Timestamp::as_millis),
        rotation.rotated_at[2].map(Timestamp::as_millis),
        device_key,
        new.copy_refused_at.map(Timestamp::as_millis),
    ])?;
    Ok(())
}

/// Reads, decides and writes within one transaction of the only writer, so nothing can come between.
fn refresh(connection: &Connection, handle: Handle, rule: &Rule, seen: Seen) -> Result<Option<Refreshed>, Failure> {
    let Some((mut session, user)) = find(connection, &BY_HANDLE, handle.as_bytes())? else { return Ok(None) };
    let decision = rule(&session);
    if let Some(to) = decision.as_ref().and_then(Decision::next) {
        session.rotation = to;
        session.last_seen_at = session.last_seen_at.max(seen.at);
        session.network = seen.network;
        advance(connection, &session)?;
    }
    Ok(Some(Refreshed { session, user, decision }))
}

fn advance(connection: &Connection, session: &Session) -> Result<(), Failure> {
    let sql = "UPDATE session SET generation = ?2, parent = ?3, handed_at = ?4, handed_twice = ?5, presented = ?6, \
                 rotated_1 = ?7, rotated_2 = ?8, rotated_3 = ?9, last_seen_at = ?10, network = ?11 \
               WHERE handle = ?1 AND ended_at IS NULL";
    let to = &session.rotation;
    let changed = connection.prepare_cached(sql)?.execute(params![
        session.handle.as_bytes(),
        to.generation,
        parent_column(to.parent),
        to.handed_at.as_millis(),
        to.handed_twice,
        to.presented,
        to.rotated_at[0].map(Timestamp::as_millis),
        to.rotated_at[1].map(Timestamp::as_millis),
        to.rotated_at[2].map(Timestamp::as_millis),
        session.last_seen_at.as_millis(),
        session.network,
    ])?;
    // A rule that rotates an ended session is a mistake of ours, and must not bring the session back.
    if changed == 1 { Ok(()) } else { Err(StoreError::Corrupt { table: "session", column: "ended_at" }.into()) }
}

/// Ends the sessions by which a user exceeds the limit: those longest unused.
fn end_surplus(connection: &Connection, id: UserId, limit: u32, entry: &AuditEntry) -> Result<Revoked, Failure> {
    // Counted in the index alone, ended ones included: hardly anybody has too many, and the rows lie all over the table.
    let sql = "SELECT count(*) FROM session WHERE account = ?1";
    let rows: u32 = connection.prepare_cached(sql)?.query_row([id.as_bytes()], |row| row.get(0))?;
    if rows <= limit {
        return Ok(Revoked { found: true, ..Revoked::default() });
    }
    let sql = "SELECT sid FROM session WHERE account = ?1 AND ended_at IS NULL AND expires_at > ?2 \
                 AND last_seen_at + idle > ?2 ORDER BY last_seen_at DESC, created_at DESC LIMIT -1 OFFSET ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query(params![id.as_bytes(), entry.at.as_millis(), limit])?;
    let surplus = all(rows, |row| Ok(Sid::from_bytes(row.get(0)?)))?;
    let entries = log::end_sessions(connection, &surplus, EndReason::SessionLimit, entry)?;
    // Nobody asked for it, but whoever reads the audit log of a session must see its end.
    for sid in surplus {
        let ended = AuditEntry { event: Event::SessionEnded, actor: Actor::System, sid: Some(sid), ..entry.clone() };
        let detail = EndReason::SessionLimit.as_str().to_owned();
        audit::insert(connection, &AuditEntry { detail, ..ended })?;
    }
    Ok(Revoked { entries, found: true, ..Revoked::default() })
}

/// One bounded stretch of the table, from after the handle `from`; returns the handle to go on from. An index on the times
/// would make every refresh dearer, so the table is walked instead, a little at a time.
fn purge(connection: &Connection, before: i64, batch: u32, from: &[u8]) -> Result<(Purged, Vec<u8>), Failure> {
    let sql = "SELECT handle, expires_at <= ?2 OR last_seen_at + idle <= ?2 OR coalesce(ended_at <= ?2, 0) FROM session \
               WHERE handle > ?1 ORDER BY handle LIMIT ?3";
    let seen: Vec<(Vec<u8>, bool)> =
        all(connection.prepare_cached(sql)?.query(params![from, before, batch])?, |row| {
            Ok((row.get(0)?, row.get(1)?))
        })?;
    let sql = "DELETE FROM status_place WHERE sid = (SELECT sid FROM session WHERE handle = ?1)";
    let mut leave = connection.prepare_cached(sql)?;
    let mut delete = connection.prepare_cached("DELETE FROM session WHERE handle = ?1")?;
    let mut removed = 0;
    for (handle, _) in seen.iter().filter(|(_, dead)| *dead) {
        leave.execute([handle])?;
        removed += delete.execute([handle])?;
    }
    let last = seen.last().map(|(handle, _)| handle.clone()).filter(|_| seen.len() == batch as usize);
    let mut at_end = last.is_none();
    if at_end {
        let (rest, all) = purge_the_rest(connection, before, batch)?;
        removed += rest;
        at_end = all;
    }
    let removed = u32::try_from(removed).unwrap_or(u32::MAX);
    Ok((Purged { removed, at_end }, last.unwrap_or_default()))
}

/// Small tables that hold minutes or days, not a history; and the log, which can be long after a bad day, a batch at a time.
/// Returns how many rows went, and whether that was all.
fn purge_the_rest(connection: &Connection, before: i64, batch: u32) -> Result<(usize, bool), Failure> {
    let mut removed = 0;
    for sql in [
        "DELETE FROM superseded_handle WHERE at <= ?1",
        "DELETE FROM invite WHERE expires_at <= ?1",
        "DELETE FROM spent WHERE until <= ?1",
        "DELETE FROM stream_subject WHERE subject IN (SELECT id FROM account WHERE deleted_at <= ?1 \
           AND NOT EXISTS (SELECT 1 FROM session WHERE account = account.id))",
        "DELETE FROM account WHERE deleted_at <= ?1 AND NOT EXISTS (SELECT 1 FROM session WHERE account = account.id)",
        "DELETE FROM mail_link WHERE expires_at <= ?1",
    ] {
        removed += connection.prepare_cached(sql)?.execute([before])?;
    }
    let sql = "DELETE FROM familiar WHERE last_at <= ?1";
    removed +=
        connection.prepare_cached(sql)?.execute([Timestamp::from_millis(before).minus(FAMILIAR_FOR).as_millis()])?;
    // The newest stays: verifiers name it to say where they stand.
    let sql = "DELETE FROM revocation WHERE seq IN (SELECT seq FROM revocation WHERE until <= ?1 AND kind <> 'key' \
                 AND seq < (SELECT seq FROM log_head) LIMIT ?2)";
    let of_log = connection.prepare_cached(sql)?.execute(params![before, batch])?;
    Ok((removed + of_log, of_log < batch as usize))
}
