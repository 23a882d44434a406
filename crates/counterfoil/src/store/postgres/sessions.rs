//! Sessions: opening, finding, and removing what is over.

use super::id::Id;
use super::row::{SESSION_COLUMNS, all, id, optional_id, session, session_columns, time, user, user_columns};
use super::transact::{Failure, Transaction, again, committing, connection};
use super::{PostgresStore, audit, revoke, risk};
use crate::store::columns::{binding_columns, millis, parent_column};
use crate::store::risk::{FAMILIAR_FOR, Familiar};
use crate::store::{NewSession, Opened, ProvedBy, Purged, Refreshed, Rule, Seen, Sessions, StoreError};
use crate::telemetry::span;
use async_trait::async_trait;
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use counterfoil_core::revocation::Revoked;
use counterfoil_core::session::{EndReason, Handle, Session};
use counterfoil_core::user::User;
use counterfoil_core::{Sid, Timestamp, UserId};
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use tracing::Instrument as _;

const BY_HANDLE: &str = concat!(
    "SELECT ",
    session_columns!(),
    ", ",
    user_columns!(),
    " FROM session s JOIN account a ON a.id = s.account WHERE s.handle = $1"
);

const BY_SID: &str = concat!(
    "SELECT ",
    session_columns!(),
    ", ",
    user_columns!(),
    " FROM session s JOIN account a ON a.id = s.account WHERE s.sid = $1"
);

const OF_USER: &str = concat!(
    "SELECT ",
    session_columns!(),
    " FROM session s WHERE s.account = $1 ORDER BY s.ended_at IS NOT NULL, s.last_seen_at DESC LIMIT 1200"
);

const ENDED_AT: &str =
    concat!("SELECT ", session_columns!(), " FROM session s WHERE s.account = $1 AND s.ended_at = $2 ORDER BY s.sid");

const MAY_SIGN_IN: &str =
    concat!("SELECT ", user_columns!(), " FROM account a WHERE a.id = $1 AND a.deleted_at IS NULL FOR SHARE");

const SAME_PASSWORD: &str = "SELECT 1 FROM password WHERE account = $1 AND hash = $2 FOR SHARE";

const SAME_PASSKEY: &str = "SELECT 1 FROM passkey WHERE account = $1 AND id = $2 FOR SHARE";

const NOT_ENDED_SINCE: &str =
    "SELECT 1 FROM account WHERE id = $1 AND (sessions_ended_at IS NULL OR sessions_ended_at < $2)";

const INSERT: &str = "\
    INSERT INTO session (handle, sid, account, application, profile, persistent, created_at, auth_time, last_seen_at, idle, \
      expires_at, acr, amr, device, network, bound_to, generation, parent, handed_at, handed_twice, presented, rotated_1, \
      rotated_2, rotated_3, device_key, copy_refused_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, \
      $25, $26)";

/// One bounded stretch of the table. An index on the times would make every refresh dearer, so the table is walked instead, a
/// little at a time.
const PURGE: &str = "\
    WITH seen AS (SELECT handle, (expires_at <= $2 OR last_seen_at + idle <= $2 OR coalesce(ended_at <= $2, false)) AS dead \
        FROM session WHERE handle > $1 ORDER BY handle LIMIT $3), \
      gone AS (DELETE FROM session s USING seen WHERE s.handle = seen.handle AND seen.dead RETURNING s.sid), \
      places AS (DELETE FROM status_place p USING gone WHERE p.sid = gone.sid) \
    SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM seen), (SELECT handle FROM seen ORDER BY handle DESC LIMIT 1)";

/// Small tables that hold minutes or days, not a history; and the log, which can be long after a bad day, a batch at a time. The
/// newest entry stays: verifiers name it to say where they stand.
const PURGE_THE_REST: &str = "\
    WITH handles AS (DELETE FROM superseded_handle WHERE at <= $1 RETURNING 1), \
      invites AS (DELETE FROM invite WHERE expires_at <= $1 RETURNING 1), \
      links AS (DELETE FROM mail_link WHERE expires_at <= $1 RETURNING 1), \
      once AS (DELETE FROM spent WHERE until <= $1 RETURNING 1), \
      deleted AS (DELETE FROM account a WHERE a.deleted_at <= $1 AND NOT EXISTS (SELECT 1 FROM session s WHERE s.account = a.id) \
        RETURNING a.id), \
      subjects AS (DELETE FROM stream_subject s USING deleted WHERE s.subject = deleted.id), \
      unfamiliar AS (DELETE FROM familiar WHERE last_at <= $3 RETURNING 1), \
      entries AS (DELETE FROM revocation WHERE seq IN (SELECT seq FROM revocation WHERE until <= $1 AND kind <> 'key' \
        AND seq < (SELECT seq FROM log_head) LIMIT $2) RETURNING 1) \
    SELECT (SELECT count(*) FROM handles) + (SELECT count(*) FROM invites) + (SELECT count(*) FROM once) \
        + (SELECT count(*) FROM links) + (SELECT count(*) FROM deleted) + (SELECT count(*) FROM unfamiliar), \
      (SELECT count(*) FROM entries)";

#[async_trait]
impl Sessions for PostgresStore {
    async fn open(&self, new: NewSession, entry: AuditEntry) -> Result<Opened, StoreError> {
        again!(self, self.open_once(&new, &entry))
    }

    async fn by_handle(&self, handle: Handle) -> Result<Option<(Session, User)>, StoreError> {
        again!(self, self.find(BY_HANDLE, handle.as_bytes()))
    }

    async fn by_sid(&self, sid: Sid) -> Result<Option<(Session, User)>, StoreError> {
        again!(self, self.find(BY_SID, sid.as_bytes()))
    }

    async fn superseded(&self, handle: Handle) -> Result<Option<(Timestamp, Option<Sid>)>, StoreError> {
        again!(self, async {
            let sql = "SELECT at, sid FROM superseded_handle WHERE handle = $1";
            let row = connection(&self.pool).await?.optional(sql, &[&Id(*handle.as_bytes())]).await?;
            let read = |row: Row| Ok((time(&row, 0)?, optional_id(&row, 1)?.map(Sid::from_bytes)));
            row.map(read).transpose()
        })
    }

    async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        again!(self, async {
            let rows = connection(&self.pool).await?.query(OF_USER, &[&Id(*user.as_bytes())]).await?;
            all(&rows, session)
        })
    }

    async fn ended_at(&self, user: UserId, at: Timestamp) -> Result<Vec<Session>, StoreError> {
        again!(self, async {
            let params: [&(dyn ToSql + Sync); 2] = [&Id(*user.as_bytes()), &at.as_millis()];
            all(&connection(&self.pool).await?.query(ENDED_AT, &params).await?, session)
        })
    }

    async fn refresh(&self, handle: Handle, rule: Rule, seen: Seen) -> Result<Option<Refreshed>, StoreError> {
        let span = span!("refresh", otel.kind = "client", db.system.name = "postgresql");
        self.lanes.refresh(handle, rule, seen).instrument(span).await
    }

    async fn touch(&self, sid: Sid, at: Timestamp, network: String) -> Result<(), StoreError> {
        again!(self, async {
            let sql = "UPDATE session SET last_seen_at = greatest(last_seen_at, $2), network = $3 \
                       WHERE sid = $1 AND ended_at IS NULL";
            // Done twice it is done once.
            connection(&self.pool).await?.execute(sql, &[&Id(*sid.as_bytes()), &at.as_millis(), &network]).await?;
            Ok(())
        })
    }

    async fn purge(&self, before: Timestamp, batch: u32) -> Result<Purged, StoreError> {
        let from = *self.purged_to.lock();
        let (purged, to) = again!(self, self.purge_once(before, batch, from))?;
        *self.purged_to.lock() = to;
        Ok(purged)
    }
}

/// The account, unless it has been banned, or something that was checked of it does not hold any more; none of that can come about before the end
/// of the transaction.
pub(super) async fn may_sign_in(
    transaction: &Transaction,
    id: UserId,
    proved_by: &[ProvedBy],
    at: Timestamp,
) -> Result<Option<User>, Failure> {
    let account = Id(*id.as_bytes());
    let Some(row) = transaction.optional(MAY_SIGN_IN, &[&account]).await? else { return Ok(None) };
    for proof in proved_by {
        let holds = match proof {
            ProvedBy::Password(hash) => transaction.optional(SAME_PASSWORD, &[&account, hash]).await?,
            ProvedBy::Passkey(id) => transaction.optional(SAME_PASSKEY, &[&account, id]).await?,
            ProvedBy::Legacy(made) => transaction.optional(NOT_ENDED_SINCE, &[&account, &made.as_millis()]).await?,
        };
        if holds.is_none() {
            return Ok(None);
        }
    }
    Ok(Some(user(&row, 0)?).filter(|user| user.ban_at(at).is_none()))
}

impl PostgresStore {
    async fn find(&self, sql: &'static str, key: &[u8; 16]) -> Result<Option<(Session, User)>, Failure> {
        let row = connection(&self.pool).await?.optional(sql, &[&Id(*key)]).await?;
        row.map(|row| Ok((session(&row)?, user(&row, SESSION_COLUMNS)?))).transpose()
    }

    async fn open_once(&self, new: &NewSession, entry: &AuditEntry) -> Result<Opened, Failure> {
        let transaction = Transaction::begin(&self.pool).await?;
        let (id, at) = (new.session.user, new.session.created_at);
        let Some(user) = may_sign_in(&transaction, id, &new.proved_by, at).await? else {
            return transaction.undo(Opened::Refused).await;
        };
        insert(&transaction, &new.session).await?;
        risk::note(&transaction, user.id, &Familiar::of(&new.session)).await?;
        audit::insert(&transaction, entry).await?;
        let surplus = end_surplus(&transaction, user.id, new.limit, entry).await?;
        if surplus.entries.is_empty() {
            transaction.commit().await?;
        } else {
            transaction.commit_with_news().await?;
        }
        Ok(Opened::Done { user, surplus })
    }

    async fn purge_once(&self, before: Timestamp, batch: u32, from: [u8; 16]) -> Result<(Purged, [u8; 16]), Failure> {
        let (before, most) = (before.as_millis(), i64::from(batch));
        let connection = connection(&self.pool).await?;
        // What is dead stays dead: done twice it is done once.
        let row = connection.one(PURGE, &[&Id(from), &before, &most]).await?;
        let mut removed: i64 = row.try_get(0)?;
        let last = if row.try_get::<_, i64>(1)? == most { optional_id(&row, 2)? } else { None };
        let mut at_end = last.is_none();
        if at_end {
            let old = Timestamp::from_millis(before).minus(FAMILIAR_FOR).as_millis();
            let row = connection.one(PURGE_THE_REST, &[&before, &most, &old]).await.map_err(committing)?;
            let of_log: i64 = row.try_get(1)?;
            removed += row.try_get::<_, i64>(0)? + of_log;
            at_end = of_log < most;
        }
        Ok((Purged { removed: u32::try_from(removed).unwrap_or(u32::MAX), at_end }, last.unwrap_or_default()))
    }
}

pub(super) async fn insert(transaction: &Transaction, new: &Session) -> Result<(), Failure> {
    let rotation = &new.rotation;
    let (bound_to, device_key) = binding_columns(&new.binding)?;
    let at = |time: Option<Timestamp>| time.map(Timestamp::as_millis);
    transaction
        .execute(
            INSERT,
            &[
                &Id(*new.handle.as_bytes()),
                &Id(*new.sid.as_bytes()),
                &Id(*new.user.as_bytes()),
                &new.application,
                &new.profile.as_str(),
                &new.persistent,
                &new.created_at.as_millis(),
                &new.auth_time.as_millis(),
                &new.last_seen_at.as_millis(),
                &millis(new.idle),
                &new.expires_at.as_millis(),
                &new.acr.as_str(),
                &new.amr.join(" "),
                &new.device,
                &new.network,
                &bound_to.as_ref().map(<[u8; 32]>::as_slice),
                &rotation.generation.cast_signed(),
                &parent_column(rotation.parent),
                &rotation.handed_at.as_millis(),
                &rotation.handed_twice,
                &rotation.presented,
                &at(rotation.rotated_at[0]),
                &at(rotation.rotated_at[1]),
                &at(rotation.rotated_at[2]),
                &device_key,
                &at(new.copy_refused_at),
            ],
        )
        .await?;
    Ok(())
}

/// Ends the sessions by which a user exceeds the limit: those longest unused.
async fn end_surplus(
    transaction: &Transaction,
    user: UserId,
    limit: u32,
    entry: &AuditEntry,
) -> Result<Revoked, Failure> {
    let account = Id(*user.as_bytes());
    // Counted in the index alone, ended ones included: hardly anybody has too many, and the rows lie all over the table.
    let row = transaction.one("SELECT count(*) FROM session WHERE account = $1", &[&account]).await?;
    if row.try_get::<_, i64>(0)? <= i64::from(limit) {
        return Ok(Revoked { found: true, ..Revoked::default() });
    }
    let sql = "SELECT sid FROM session WHERE account = $1 AND ended_at IS NULL AND expires_at > $2 \
                 AND last_seen_at + idle > $2 ORDER BY last_seen_at DESC, created_at DESC OFFSET $3";
    let rows = transaction.query(sql, &[&account, &entry.at.as_millis(), &i64::from(limit)]).await?;
    let surplus = all(&rows, |row| Ok(Sid::from_bytes(id(row, 0)?)))?;
    // Nobody asked for it, but whoever reads the audit log of a session must see its end.
    for sid in &surplus {
        let ended = AuditEntry { event: Event::SessionEnded, actor: Actor::System, sid: Some(*sid), ..entry.clone() };
        let detail = EndReason::SessionLimit.as_str().to_owned();
        audit::insert(transaction, &AuditEntry { detail, ..ended }).await?;
    }
    let entries = revoke::end_sessions(transaction, &surplus, EndReason::SessionLimit, entry).await?;
    Ok(Revoked { entries, found: true, ..Revoked::default() })
}
