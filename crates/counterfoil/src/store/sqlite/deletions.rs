//! Deleting an account: what is personal goes, and what is left says nothing but that there was one.

use super::log::end_all;
use super::row::all;
use super::writer::Failure;
use super::{SqliteStore, audit};
use crate::store::{Deletions, StoreError};
use async_trait::async_trait;
use counterfoil_core::UserId;
use counterfoil_core::revocation::{RevocationOrder, Revoked};
use counterfoil_core::session::EndReason;
use counterfoil_core::user::Role;
use rusqlite::{Connection, OptionalExtension as _, params};

/// What an account has in other tables. Every table with a column `account` is among them, but for the audit log, whose networks are
/// erased beside its chain.
const ERASE: [&str; 9] = [
    "DELETE FROM password WHERE account = ?1",
    "DELETE FROM passkey WHERE account = ?1",
    "DELETE FROM totp WHERE account = ?1",
    "DELETE FROM recovery_code WHERE account = ?1",
    "DELETE FROM mail_link WHERE account = ?1",
    "DELETE FROM invite WHERE issuer = ?1",
    "DELETE FROM api_key WHERE issuer = ?1",
    "DELETE FROM familiar WHERE account = ?1",
    "UPDATE session SET device = '', network = '', device_key = NULL, bound_to = NULL, copy_refused_at = NULL WHERE account = ?1",
];

/// A key without `@` is no address: it is nobody's, and cannot be taken.
const FORGET: &str = "\
    UPDATE account SET email = lower(hex(id)) || '@deleted.invalid', email_key = lower(hex(id)), name = NULL, roles = '', \
      banned_at = NULL, ban_reason = NULL, banned_until = NULL, external_id = NULL, imported_email = NULL, sessions_ended_at = NULL, claims_version = claims_version + 1, deleted_at = ?2 WHERE id = ?1";

const HOLDS: &str =
    "SELECT ',' || roles || ',' LIKE '%,' || ?2 || ',%' FROM account WHERE id = ?1 AND deleted_at IS NULL";

/// Who is banned still holds nothing.
const OTHERS_HOLD: &str = "\
    SELECT EXISTS (SELECT 1 FROM account WHERE id <> ?1 AND (banned_at IS NULL OR banned_until <= ?3) AND ',' || roles || ',' LIKE '%,' || ?2 || ',%')";

const UNERASED: &str = "\
    SELECT id FROM account a WHERE deleted_at IS NOT NULL AND ( \
      EXISTS (SELECT 1 FROM audit WHERE account = a.id AND actor <> 'admin' AND network <> '') \
      OR EXISTS (SELECT 1 FROM audit WHERE by_user = a.id AND actor = 'admin' AND network <> '')) LIMIT ?1";

#[async_trait]
impl Deletions for SqliteStore {
    async fn unerased(&self, limit: u32) -> Result<Vec<UserId>, StoreError> {
        self.readers.read(|connection| {
            all(connection.prepare_cached(UNERASED)?.query([limit])?, |row| Ok(UserId::from_bytes(row.get(0)?)))
        })
    }
}

pub(super) fn delete(
    connection: &Connection,
    user: UserId,
    unless_last: &Role,
    order: &RevocationOrder,
) -> Result<Revoked, Failure> {
    let of_role = params![user.as_bytes(), unless_last.as_str()];
    let holds: Option<bool> = connection.prepare_cached(HOLDS)?.query_row(of_role, |row| row.get(0)).optional()?;
    let Some(holds) = holds else { return Ok(Revoked::default()) };
    let others = params![user.as_bytes(), unless_last.as_str(), order.at.as_millis()];
    if holds && !connection.prepare_cached(OTHERS_HOLD)?.query_row(others, |row| row.get(0))? {
        return Ok(Revoked::default());
    }
    let entries = end_all(connection, user, None, EndReason::Deleted, &order.audit)?;
    for sql in ERASE {
        connection.prepare_cached(sql)?.execute([user.as_bytes()])?;
    }
    connection.prepare_cached(FORGET)?.execute(params![user.as_bytes(), order.at.as_millis()])?;
    audit::insert(connection, &order.audit)?;
    Ok(Revoked { entries, found: true, ..Revoked::default() })
}
