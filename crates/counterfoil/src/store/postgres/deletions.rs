//! Deleting an account: what is personal goes, and what is left says nothing but that there was one.

use super::id::Id;
use super::row::{all, id};
use super::transact::{Failure, Transaction, again, connection};
use super::{PostgresStore, users};
use crate::store::{Deletions, StoreError};
use async_trait::async_trait;
use counterfoil_core::UserId;
use counterfoil_core::user::Role;

/// What an account has in other tables. Every table with a column `account` is among them, but for the audit log, whose networks are
/// erased beside its chain.
const ERASE: [&str; 9] = [
    "DELETE FROM password WHERE account = $1",
    "DELETE FROM passkey WHERE account = $1",
    "DELETE FROM totp WHERE account = $1",
    "DELETE FROM recovery_code WHERE account = $1",
    "DELETE FROM mail_link WHERE account = $1",
    "DELETE FROM invite WHERE issuer = $1",
    "DELETE FROM api_key WHERE issuer = $1",
    "DELETE FROM familiar WHERE account = $1",
    "UPDATE session SET device = '', network = '', device_key = NULL, bound_to = NULL, copy_refused_at = NULL WHERE account = $1",
];

/// A key without `@` is no address: it is nobody's, and cannot be taken.
const FORGET: &str = "\
    UPDATE account SET email = replace(id::text, '-', '') || '@deleted.invalid', email_key = replace(id::text, '-', ''), \
      name = NULL, roles = '', banned_at = NULL, ban_reason = NULL, banned_until = NULL, external_id = NULL, imported_email = NULL, sessions_ended_at = NULL, claims_version = claims_version + 1, deleted_at = $2 \
    WHERE id = $1";

/// Held against sign-ins under way: they come before this, or after.
const HOLDS: &str = "\
    SELECT position(',' || $2::text || ',' IN ',' || roles || ',') > 0 FROM account WHERE id = $1 AND deleted_at IS NULL FOR UPDATE";

/// Who is banned still holds nothing.
const OTHERS_HOLD: &str = "\
    SELECT EXISTS (SELECT 1 FROM account WHERE id <> $1 AND (banned_at IS NULL OR banned_until <= $3) AND roles <> '' \
      AND position(',' || $2::text || ',' IN ',' || roles || ',') > 0)";

const UNERASED: &str = "\
    SELECT id FROM account a WHERE deleted_at IS NOT NULL AND ( \
      EXISTS (SELECT 1 FROM audit WHERE account = a.id AND actor <> 'admin' AND network <> '') \
      OR EXISTS (SELECT 1 FROM audit WHERE by_user = a.id AND actor = 'admin' AND network <> '')) LIMIT $1";

#[async_trait]
impl Deletions for PostgresStore {
    async fn unerased(&self, limit: u32) -> Result<Vec<UserId>, StoreError> {
        again!(self, async {
            let rows = connection(&self.pool).await?.query(UNERASED, &[&i64::from(limit)]).await?;
            all(&rows, |row| Ok(UserId::from_bytes(id(row, 0)?)))
        })
    }
}

/// Whether it may be deleted: it is there, and somebody else holds the role if it does. Of two that hold it, and nobody else does, one may.
pub(super) async fn may_go(
    transaction: &Transaction,
    user: UserId,
    unless_last: &Role,
    at: i64,
) -> Result<bool, Failure> {
    let account = Id(*user.as_bytes());
    transaction.optional(users::ONE_BY_ONE, &[]).await?;
    let Some(row) = transaction.optional(HOLDS, &[&account, &unless_last.as_str()]).await? else { return Ok(false) };
    if !row.try_get::<_, bool>(0)? {
        return Ok(true);
    }
    Ok(transaction.one(OTHERS_HOLD, &[&account, &unless_last.as_str(), &at]).await?.try_get(0)?)
}

/// Erases what is personal.
pub(super) async fn erase(transaction: &Transaction, user: UserId, at: i64) -> Result<(), Failure> {
    let account = Id(*user.as_bytes());
    for sql in ERASE {
        transaction.execute(sql, &[&account]).await?;
    }
    transaction.execute(FORGET, &[&account, &at]).await?;
    Ok(())
}
