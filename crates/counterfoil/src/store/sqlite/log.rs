//! The revocation log, and the one function through which every way of ending access goes.

use super::row::{all, first, time};
use super::writer::Failure;
use super::{SqliteStore, audit, clients, deletions, keys, restore};
use crate::store::columns::target_columns;
use crate::store::columns::{millis, roles_column};
use crate::store::{Ends, Log, LogState, StoreError};
use async_trait::async_trait;
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::keys::ring::{KeyState, KeyStep, StoredKey};
use counterfoil_core::revocation::{ENTRY_LIFE, Revocation, RevocationOrder, Revoked};
use counterfoil_core::session::{EndReason, Handle};
use counterfoil_core::user::Role;
use counterfoil_core::{Jti, Sid, Timestamp, UserId};
use counterfoil_guard::{Entry, LogId, Target};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use std::time::Duration;

/// A ban that goes on keeps its beginning.
const BAN: &str = "\
    UPDATE account SET banned_at = CASE WHEN banned_until <= ?2 THEN ?2 ELSE coalesce(banned_at, ?2) END, \
      ban_reason = ?3, banned_until = ?4 WHERE id = ?1 AND deleted_at IS NULL";

#[async_trait]
impl Log for SqliteStore {
    async fn revoke(&self, order: RevocationOrder) -> Result<Revoked, StoreError> {
        let revoke = move |connection: &Connection| {
            let revoked = revoke(connection, &order)?;
            Ok(Revoked { head: head(connection)?, ..revoked })
        };
        self.writer.write(revoke).await
    }

    async fn restored(&self, ends: Ends, audit: AuditEntry) -> Result<u64, StoreError> {
        self.writer.write(move |connection| restore::restored(connection, &ends, &audit)).await
    }

    async fn head(&self) -> Result<u64, StoreError> {
        self.readers.read(head)
    }

    async fn log(&self, now: Timestamp) -> Result<LogState, StoreError> {
        self.readers.read(|connection| {
            // One snapshot for all three questions.
            let read = connection.unchecked_transaction()?;
            let sql = "SELECT seq, until, kind, target, version FROM revocation WHERE until > ?1 OR kind = 'key' ORDER BY seq";
            let in_force = all(read.prepare_cached(sql)?.query([now.as_millis()])?, entry)?;
            let sql = "SELECT id, restored_at FROM log_head";
            let (id, restored_at) = read.query_row(sql, [], |row| Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?)))?;
            let sql = "SELECT seq, until, kind, target, version FROM revocation WHERE seq = (SELECT seq FROM log_head)";
            let head = first(read.prepare_cached(sql)?.query([])?, entry)?;
            Ok(LogState { id: LogId::from_bytes(id), head, in_force, restored_at: restored_at.map(time) })
        })
    }

    async fn promise(&self, max_staleness: Duration, forget: bool) -> Result<Duration, StoreError> {
        let promise = move |connection: &Connection| {
            let before: i64 = connection.query_row("SELECT promised FROM log_head", [], |row| row.get(0))?;
            let now = if forget { millis(max_staleness) } else { before.max(millis(max_staleness)) };
            connection.prepare_cached("UPDATE log_head SET promised = ?1")?.execute([now])?;
            Ok(Duration::from_millis(before.unsigned_abs()))
        };
        self.writer.write(promise).await
    }
}

fn head(connection: &Connection) -> Result<u64, Failure> {
    let seq: i64 = connection.prepare_cached("SELECT seq FROM log_head")?.query_row([], |row| row.get(0))?;
    Ok(seq.cast_unsigned())
}

fn entry(row: &Row<'_>) -> Result<Entry, Failure> {
    const CORRUPT: Failure = Failure::Store(StoreError::Corrupt { table: "revocation", column: "target" });
    let kind: String = row.get(2)?;
    let target: Vec<u8> = row.get(3)?;
    let id = || -> Result<[u8; 16], Failure> { target.as_slice().try_into().map_err(|_| CORRUPT) };
    let what = match kind.as_str() {
        "session" => Target::Session(Sid::from_bytes(id()?)),
        "token" => Target::Token(Jti::from_bytes(id()?)),
        "stale" => Target::Stale(Sid::from_bytes(id()?), row.get(4)?),
        "key" => {
            let name = std::str::from_utf8(&target).ok().and_then(|text| text.parse().ok());
            Target::Key(name.ok_or(CORRUPT)?)
        }
        _ => return Err(CORRUPT),
    };
    Ok(Entry { seq: row.get::<_, i64>(0)?.cast_unsigned(), until: time(row.get(1)?), what })
}

fn revoke(connection: &Connection, order: &RevocationOrder) -> Result<Revoked, Failure> {
    let audit_entry = &order.audit;
    match &order.what {
        Revocation::Session { sid, reason } => {
            let found = exists(connection, "SELECT 1 FROM session WHERE sid = ?1", sid.as_bytes())?;
            let entries = end_sessions(connection, &[*sid], *reason, audit_entry)?;
            if !entries.is_empty() {
                audit::insert(connection, audit_entry)?;
            }
            Ok(Revoked { entries, found, ..Revoked::default() })
        }
        Revocation::Token { sid, jti } => revoke_token(connection, *sid, *jti, audit_entry),
        Revocation::UserSessions { user, except, reason } => {
            let found =
                exists(connection, "SELECT 1 FROM account WHERE id = ?1 AND deleted_at IS NULL", user.as_bytes())?;
            let entries = end_all(connection, *user, *except, *reason, audit_entry)?;
            if !entries.is_empty() {
                audit::insert(connection, audit_entry)?;
            }
            Ok(Revoked { entries, found, ..Revoked::default() })
        }
        Revocation::Ban { user, reason, until } => ban(connection, *user, (reason, *until), order),
        Revocation::Deletion { user, unless_last } => deletions::delete(connection, *user, unless_last, order),
        Revocation::Password { user, hash, keep } => {
            // The session it is changed in has ended meanwhile: nothing is changed.
            if let Some((sid, handle)) = keep
                && !replace_handle(connection, *sid, *handle, order.at)?
            {
                return Ok(Revoked::default());
            }
            let sql = "UPDATE password SET hash = ?2, failures = 0 WHERE account = ?1";
            if connection.prepare_cached(sql)?.execute(params![user.as_bytes(), hash])? == 0 {
                return Ok(Revoked::default());
            }
            let kept = keep.map(|(sid, _)| sid);
            let entries = end_all(connection, *user, kept, EndReason::PasswordChanged, audit_entry)?;
            audit::insert(connection, audit_entry)?;
            Ok(Revoked { entries, found: true, ..Revoked::default() })
        }
        Revocation::Keys { ring, steps, audits } => revoke_keys(connection, (ring, steps), audits, audit_entry),
        Revocation::Client { name } => {
            let Some(sid) = clients::remove(connection, name)? else { return Ok(Revoked::default()) };
            let entries = append(connection, vec![Target::Session(sid)], "client_removed", audit_entry)?;
            audit::insert(connection, audit_entry)?;
            Ok(Revoked { entries, found: true, ..Revoked::default() })
        }
        Revocation::Roles { user, roles } => set_roles(connection, *user, roles, audit_entry),
    }
}

fn exists(connection: &Connection, sql: &str, key: &[u8; 16]) -> Result<bool, Failure> {
    Ok(connection.prepare_cached(sql)?.query_row([key], |_| Ok(())).optional()?.is_some())
}

/// One access token. The session row says nothing of single tokens, so it is the log that makes this idempotent.
fn revoke_token(connection: &Connection, sid: Sid, jti: Jti, audit_entry: &AuditEntry) -> Result<Revoked, Failure> {
    let service = exists(connection, "SELECT 1 FROM client WHERE sid = ?1", sid.as_bytes())?;
    let found = service || exists(connection, "SELECT 1 FROM session WHERE sid = ?1", sid.as_bytes())?;
    let of_user = "SELECT 1 FROM session WHERE sid = ?1 AND ended_at IS NULL";
    let live = service || exists(connection, of_user, sid.as_bytes())?;
    let known = "SELECT 1 FROM revocation WHERE kind = 'token' AND target = ?1";
    if !live || exists(connection, known, jti.as_bytes())? {
        return Ok(Revoked { found, ..Revoked::default() });
    }
    let entries = append(connection, vec![Target::Token(jti)], "token_revoked", audit_entry)?;
    audit::insert(connection, audit_entry)?;
    Ok(Revoked { entries, found, ..Revoked::default() })
}

fn revoke_keys(
    connection: &Connection,
    (ring, steps): (&[StoredKey], &[KeyStep]),
    audits: &[AuditEntry],
    audit_entry: &AuditEntry,
) -> Result<Revoked, Failure> {
    if !keys::take(connection, ring, steps)? {
        return Ok(Revoked::default());
    }
    let revoked = |step: &KeyStep| match step {
        KeyStep::Move { kid, to: KeyState::Revoked, .. } => Some(Target::Key(kid.clone())),
        _ => None,
    };
    let entries = append(connection, steps.iter().filter_map(revoked).collect(), "key_revoked", audit_entry)?;
    for entry in [audit_entry].into_iter().chain(audits) {
        audit::insert(connection, entry)?;
    }
    Ok(Revoked { entries, found: true, ..Revoked::default() })
}

/// ASVS-7.2.4: re-authentication gives the session a new handle; the old one says `refresh_superseded` for a while.
/// `false` if the session has ended.
pub(super) fn replace_handle(
    connection: &Connection,
    sid: Sid,
    handle: Handle,
    at: Timestamp,
) -> Result<bool, Failure> {
    let sql = "INSERT INTO superseded_handle (handle, at, sid) \
               SELECT handle, ?2, sid FROM session WHERE sid = ?1 AND ended_at IS NULL";
    if connection.prepare_cached(sql)?.execute(params![sid.as_bytes(), at.as_millis()])? == 0 {
        return Ok(false);
    }
    // The row starts over: the first token under the new handle is of generation 0.
    connection
        .prepare_cached(
            "UPDATE session SET handle = ?2, generation = 0, parent = NULL, handed_at = ?3, handed_twice = 0, presented = 0, \
             rotated_1 = NULL, rotated_2 = NULL, rotated_3 = NULL, auth_time = ?3, last_seen_at = ?3 \
             WHERE sid = ?1 AND ended_at IS NULL",
        )?
        .execute(params![sid.as_bytes(), handle.as_bytes(), at.as_millis()])?;
    Ok(true)
}

fn ban(
    connection: &Connection,
    user: UserId,
    (reason, until): (&str, Option<Timestamp>),
    order: &RevocationOrder,
) -> Result<Revoked, Failure> {
    let values = params![user.as_bytes(), order.at.as_millis(), reason, until.map(Timestamp::as_millis)];
    if connection.prepare_cached(BAN)?.execute(values)? == 0 {
        return Ok(Revoked::default());
    }
    take_invitations_back(connection, user)?;
    let entries = end_all(connection, user, None, EndReason::EndedByAdmin, &order.audit)?;
    audit::insert(connection, &order.audit)?;
    Ok(Revoked { entries, found: true, ..Revoked::default() })
}

pub(super) fn end_all(
    connection: &Connection,
    user: UserId,
    except: Option<Sid>,
    reason: EndReason,
    audit_entry: &AuditEntry,
) -> Result<Vec<Entry>, Failure> {
    // What was signed elsewhere before this opens none any more, whether there is one now or not.
    connection
        .prepare_cached(
            "UPDATE account SET sessions_ended_at = max(?2, coalesce(sessions_ended_at, ?2)) WHERE id = ?1",
        )?
        .execute(params![user.as_bytes(), audit_entry.at.as_millis()])?;
    let live = live_sessions(connection, user)?;
    let ending: Vec<Sid> = live.into_iter().filter(|sid| Some(*sid) != except).collect();
    end_sessions(connection, &ending, reason, audit_entry)
}

fn live_sessions(connection: &Connection, user: UserId) -> Result<Vec<Sid>, Failure> {
    let mut statement = connection.prepare_cached("SELECT sid FROM session WHERE account = ?1 AND ended_at IS NULL")?;
    all(statement.query([user.as_bytes()])?, |row| Ok(Sid::from_bytes(row.get(0)?)))
}

/// Ends those of the sessions that are not ended yet, and writes a log entry for each.
pub(super) fn end_sessions(
    connection: &Connection,
    sids: &[Sid],
    reason: EndReason,
    audit_entry: &AuditEntry,
) -> Result<Vec<Entry>, Failure> {
    let sql = "UPDATE session SET ended_at = ?2, end_reason = ?3 WHERE sid = ?1 AND ended_at IS NULL";
    let mut end = connection.prepare_cached(sql)?;
    let mut targets = Vec::new();
    for sid in sids {
        if end.execute(params![sid.as_bytes(), audit_entry.at.as_millis(), reason.as_str()])? == 1 {
            targets.push(Target::Session(*sid));
        }
    }
    append(connection, targets, reason.as_str(), audit_entry)
}

/// Who may not invite any more has not invited anybody who has not come yet.
fn take_invitations_back(connection: &Connection, issuer: UserId) -> Result<(), Failure> {
    connection.prepare_cached("DELETE FROM invite WHERE issuer = ?1")?.execute([issuer.as_bytes()])?;
    Ok(())
}

/// New roles: every live session's tokens minted before are stale.
fn set_roles(
    connection: &Connection,
    user: UserId,
    roles: &[Role],
    audit_entry: &AuditEntry,
) -> Result<Revoked, Failure> {
    let sql = "UPDATE account SET roles = ?2, claims_version = claims_version + (roles <> ?2) \
               WHERE id = ?1 AND deleted_at IS NULL \
               RETURNING claims_version";
    let version: Option<u32> = connection
        .prepare_cached(sql)?
        .query_row(params![user.as_bytes(), roles_column(roles)], |row| row.get(0))
        .optional()?;
    let Some(version) = version else { return Ok(Revoked::default()) };
    take_invitations_back(connection, user)?;
    let live = live_sessions(connection, user)?;
    let targets = live.into_iter().map(|sid| Target::Stale(sid, version)).collect();
    let entries = append(connection, targets, "roles_changed", audit_entry)?;
    audit::insert(connection, audit_entry)?;
    Ok(Revoked { entries, found: true, ..Revoked::default() })
}

/// Appends to the log. The numbers come from the head row, which only one transaction at a time can hold, so they become
/// visible in their order.
pub(super) fn append(
    connection: &Connection,
    targets: Vec<Target>,
    reason: &str,
    audit_entry: &AuditEntry,
) -> Result<Vec<Entry>, Failure> {
    if targets.is_empty() {
        return Ok(Vec::new());
    }
    let count = i64::try_from(targets.len()).unwrap_or(i64::MAX);
    let last: i64 = connection
        .prepare_cached("UPDATE log_head SET seq = seq + ?1 RETURNING seq")?
        .query_row([count], |row| row.get(0))?;
    let until = audit_entry.at.plus(ENTRY_LIFE);
    let sql = "INSERT INTO revocation (seq, at, until, kind, target, version, reason, actor) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let mut insert = connection.prepare_cached(sql)?;
    let mut entries = Vec::with_capacity(targets.len());
    for (seq, what) in (last - count + 1..).zip(targets) {
        let (kind, target, version) = target_columns(&what);
        let (at, actor) = (audit_entry.at.as_millis(), audit_entry.actor.kind());
        insert.execute(params![seq, at, until.as_millis(), kind, target, version, reason, actor])?;
        entries.push(Entry { seq: seq.cast_unsigned(), until, what });
    }
    Ok(entries)
}
