//! The one function through which every way of ending access goes.

use super::id::Id;
use super::log::{append, confirmed_head};
use super::row::{all, id};
use super::transact::{Failure, Transaction};
use super::{PostgresStore, audit, clients, deletions, keys};
use crate::store::columns::roles_column;
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::keys::ring::{KeyState, KeyStep};
use counterfoil_core::revocation::{Revocation, RevocationOrder, Revoked};
use counterfoil_core::session::{EndReason, Handle};
use counterfoil_core::user::Role;
use counterfoil_core::{Jti, Sid, Timestamp, UserId};
use counterfoil_guard::{Entry, Target};
use tokio_postgres::Row;

/// A ban that goes on keeps its beginning.
const BAN: &str = "\
    UPDATE account SET banned_at = CASE WHEN banned_until <= $2 THEN $2 ELSE coalesce(banned_at, $2) END, \
      ban_reason = $3, banned_until = $4 WHERE id = $1 AND deleted_at IS NULL";

const END: &str = "\
    UPDATE session SET ended_at = $2, end_reason = $3 WHERE sid = ANY ($1::uuid[]) AND ended_at IS NULL RETURNING sid";

const END_ALL: &str = "\
    UPDATE session SET ended_at = $2, end_reason = $3 \
    WHERE account = $1 AND ended_at IS NULL AND sid IS DISTINCT FROM $4 RETURNING sid";

/// The row starts over: the first token under the new handle is of generation 0.
const REPLACE_HANDLE: &str = "\
    WITH old AS (INSERT INTO superseded_handle (handle, at, sid) \
        SELECT handle, $3, sid FROM session WHERE sid = $1 AND ended_at IS NULL) \
    UPDATE session SET handle = $2, generation = 0, parent = NULL, handed_at = $3, handed_twice = false, presented = false, \
      rotated_1 = NULL, rotated_2 = NULL, rotated_3 = NULL, auth_time = $3, last_seen_at = $3 \
    WHERE sid = $1 AND ended_at IS NULL";

impl PostgresStore {
    pub(super) async fn revoke_once(&self, order: &RevocationOrder) -> Result<Revoked, Failure> {
        let transaction = Transaction::begin(&self.pool).await?;
        let revoked = revoke(&transaction, order).await?;
        if !revoked.found {
            transaction.undo(()).await?;
            let transaction = Transaction::begin(&self.pool).await?;
            let head = confirmed_head(&transaction).await?;
            transaction.commit().await?;
            return Ok(Revoked { head, ..revoked });
        }
        let head = match revoked.entries.last() {
            Some(entry) => entry.seq,
            None => confirmed_head(&transaction).await?,
        };
        let revoked = Revoked { head, ..revoked };
        if revoked.entries.is_empty() {
            transaction.commit().await?;
        } else {
            transaction.commit_with_news().await?;
        }
        Ok(revoked)
    }
}

async fn revoke(transaction: &Transaction, order: &RevocationOrder) -> Result<Revoked, Failure> {
    let entry = &order.audit;
    match &order.what {
        Revocation::Session { sid, reason } => {
            let found = transaction.exists("SELECT 1 FROM session WHERE sid = $1", sid.as_bytes()).await?;
            let targets = end(transaction, &[*sid], *reason, order.at).await?;
            ended(transaction, (found, targets), reason.as_str(), entry).await
        }
        Revocation::Token { sid, jti } => revoke_token(transaction, *sid, *jti, entry).await,
        Revocation::UserSessions { user, except, reason } => {
            // Held against sign-ins under way: they come before this, or after.
            let sql = "SELECT 1 FROM account WHERE id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE";
            let found = transaction.exists(sql, user.as_bytes()).await?;
            let targets = end_all(transaction, *user, *except, (*reason, order.at)).await?;
            ended(transaction, (found, targets), reason.as_str(), entry).await
        }
        Revocation::Ban { user, reason, until } => ban(transaction, *user, (reason, *until), order).await,
        Revocation::Deletion { user, unless_last } => {
            if !deletions::may_go(transaction, *user, unless_last, order.at.as_millis()).await? {
                return Ok(Revoked::default());
            }
            let why = EndReason::Deleted;
            let targets = end_all(transaction, *user, None, (why, order.at)).await?;
            deletions::erase(transaction, *user, order.at.as_millis()).await?;
            done(transaction, targets, why.as_str(), entry).await
        }
        Revocation::Password { user, hash, keep } => {
            set_password(transaction, (*user, hash), keep.as_ref(), order).await
        }
        Revocation::Keys { ring, steps, audits } => {
            if !keys::take(transaction, ring, steps).await? {
                return Ok(Revoked::default());
            }
            for entry in audits {
                audit::insert(transaction, entry).await?;
            }
            done(transaction, steps.iter().filter_map(revoked_key).collect(), "key_revoked", entry).await
        }
        Revocation::Client { name } => {
            let Some(sid) = clients::remove(transaction, name).await? else { return Ok(Revoked::default()) };
            done(transaction, vec![Target::Session(sid)], "client_removed", entry).await
        }
        Revocation::Roles { user, roles } => set_roles(transaction, *user, roles, entry).await,
    }
}

async fn ban(
    transaction: &Transaction,
    user: UserId,
    (reason, until): (&str, Option<Timestamp>),
    order: &RevocationOrder,
) -> Result<Revoked, Failure> {
    let until = until.map(Timestamp::as_millis);
    if transaction.execute(BAN, &[&Id(*user.as_bytes()), &order.at.as_millis(), &reason, &until]).await? == 0 {
        return Ok(Revoked::default());
    }
    take_invitations_back(transaction, user).await?;
    let why = EndReason::EndedByAdmin;
    let targets = end_all(transaction, user, None, (why, order.at)).await?;
    done(transaction, targets, why.as_str(), &order.audit).await
}

async fn set_password(
    transaction: &Transaction,
    (user, hash): (UserId, &str),
    keep: Option<&(Sid, Handle)>,
    order: &RevocationOrder,
) -> Result<Revoked, Failure> {
    // Before the password, as where a session is opened: else the two could wait for each other.
    let sql = "SELECT 1 FROM account WHERE id = $1 FOR NO KEY UPDATE";
    transaction.optional(sql, &[&Id(*user.as_bytes())]).await?;
    // The session it is changed in has ended meanwhile: nothing is changed.
    if let Some((sid, handle)) = keep
        && !replace_handle(transaction, *sid, *handle, order.at).await?
    {
        return Ok(Revoked::default());
    }
    let sql = "UPDATE password SET hash = $2, failures = 0 WHERE account = $1";
    if transaction.execute(sql, &[&Id(*user.as_bytes()), &hash]).await? == 0 {
        return Ok(Revoked::default());
    }
    let why = EndReason::PasswordChanged;
    let targets = end_all(transaction, user, keep.map(|(sid, _)| *sid), (why, order.at)).await?;
    done(transaction, targets, why.as_str(), &order.audit).await
}

fn revoked_key(step: &KeyStep) -> Option<Target> {
    match step {
        KeyStep::Move { kid, to: KeyState::Revoked, .. } => Some(Target::Key(kid.clone())),
        _ => None,
    }
}

/// What has been done is written down, and goes into the log.
async fn done(
    transaction: &Transaction,
    targets: Vec<Target>,
    reason: &str,
    entry: &AuditEntry,
) -> Result<Revoked, Failure> {
    audit::insert(transaction, entry).await?;
    let entries = append(transaction, targets, reason, entry).await?;
    Ok(Revoked { entries, found: true, ..Revoked::default() })
}

/// The same, unless there was nothing left to end.
async fn ended(
    transaction: &Transaction,
    (found, targets): (bool, Vec<Target>),
    reason: &str,
    entry: &AuditEntry,
) -> Result<Revoked, Failure> {
    if targets.is_empty() {
        return Ok(Revoked { found, ..Revoked::default() });
    }
    done(transaction, targets, reason, entry).await
}

/// One access token. The session row says nothing of single tokens, so it is the log that makes this idempotent.
async fn revoke_token(transaction: &Transaction, sid: Sid, jti: Jti, entry: &AuditEntry) -> Result<Revoked, Failure> {
    let sql = "SELECT ended_at IS NULL FROM session WHERE sid = $1 UNION ALL SELECT true FROM client WHERE sid = $1 \
               ORDER BY 1 DESC LIMIT 1";
    let Some(row) = transaction.optional(sql, &[&Id(*sid.as_bytes())]).await? else { return Ok(Revoked::default()) };
    let live: bool = row.try_get(0)?;
    // Of two at once the second must see what the first has written. Nothing else is locked after the head of the log.
    transaction.one("SELECT seq FROM log_head FOR NO KEY UPDATE", &[]).await?;
    let known = "SELECT 1 FROM revocation WHERE kind = 'token' AND target = $1 LIMIT 1";
    let target: &[u8] = jti.as_bytes();
    if !live || transaction.optional(known, &[&target]).await?.is_some() {
        return Ok(Revoked { found: true, ..Revoked::default() });
    }
    done(transaction, vec![Target::Token(jti)], "token_revoked", entry).await
}

/// ASVS-7.2.4: re-authentication gives the session a new handle; the old one says `refresh_superseded` for a while.
/// `false` if the session has ended.
pub(super) async fn replace_handle(
    transaction: &Transaction,
    sid: Sid,
    handle: Handle,
    at: Timestamp,
) -> Result<bool, Failure> {
    let params: super::connect::Params<'_> = &[&Id(*sid.as_bytes()), &Id(*handle.as_bytes()), &at.as_millis()];
    Ok(transaction.execute(REPLACE_HANDLE, params).await? == 1)
}

fn target(row: &Row) -> Result<Target, Failure> {
    Ok(Target::Session(Sid::from_bytes(id(row, 0)?)))
}

/// Ends those of the sessions that are not ended yet.
async fn end(
    transaction: &Transaction,
    sids: &[Sid],
    reason: EndReason,
    at: Timestamp,
) -> Result<Vec<Target>, Failure> {
    let sids: Vec<Id> = sids.iter().map(|sid| Id(*sid.as_bytes())).collect();
    all(&transaction.query(END, &[&sids, &at.as_millis(), &reason.as_str()]).await?, target)
}

/// Ends all of a user's but one.
async fn end_all(
    transaction: &Transaction,
    user: UserId,
    except: Option<Sid>,
    (reason, at): (EndReason, Timestamp),
) -> Result<Vec<Target>, Failure> {
    let (account, kept) = (Id(*user.as_bytes()), except.map(|sid| Id(*sid.as_bytes())));
    // What was signed elsewhere before this opens none any more, whether there is one now or not.
    let sql = "UPDATE account SET sessions_ended_at = greatest($2, sessions_ended_at) WHERE id = $1";
    transaction.execute(sql, &[&account, &at.as_millis()]).await?;
    all(&transaction.query(END_ALL, &[&account, &at.as_millis(), &reason.as_str(), &kept]).await?, target)
}

/// Ends those of the sessions that are not ended yet, and writes a log entry for each.
pub(super) async fn end_sessions(
    transaction: &Transaction,
    sids: &[Sid],
    reason: EndReason,
    entry: &AuditEntry,
) -> Result<Vec<Entry>, Failure> {
    let targets = end(transaction, sids, reason, entry.at).await?;
    append(transaction, targets, reason.as_str(), entry).await
}

/// Who may not invite any more has not invited anybody who has not come yet.
async fn take_invitations_back(transaction: &Transaction, issuer: UserId) -> Result<(), Failure> {
    transaction.execute("DELETE FROM invite WHERE issuer = $1", &[&Id(*issuer.as_bytes())]).await?;
    Ok(())
}

/// New roles: every live session's tokens minted before are stale.
async fn set_roles(
    transaction: &Transaction,
    user: UserId,
    roles: &[Role],
    entry: &AuditEntry,
) -> Result<Revoked, Failure> {
    let sql = "UPDATE account SET roles = $2, claims_version = claims_version + (roles <> $2)::integer \
               WHERE id = $1 AND deleted_at IS NULL \
               RETURNING claims_version";
    let account = Id(*user.as_bytes());
    let Some(row) = transaction.optional(sql, &[&account, &roles_column(roles)]).await? else {
        return Ok(Revoked::default());
    };
    let version = row.try_get::<_, i32>(0)?.cast_unsigned();
    take_invitations_back(transaction, user).await?;
    let sql = "SELECT sid FROM session WHERE account = $1 AND ended_at IS NULL";
    let live = transaction.query(sql, &[&account]).await?;
    let targets = all(&live, |row| Ok(Target::Stale(Sid::from_bytes(id(row, 0)?), version)))?;
    done(transaction, targets, "roles_changed", entry).await
}
