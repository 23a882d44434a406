//! Accounts and their credentials.

use super::row::{USER, all, first, user};
use super::writer::Failure;
use super::{SqliteStore, audit, factors};
use crate::store::columns::roles_column;
use crate::store::legacy::{AccountName, LegacyAccount, LegacyAccounts};
use crate::store::{
    Credential, ImportOutcome, ImportedAccount, NewAccount, Registered, StoreError, Users, imported_detail,
};
use async_trait::async_trait;
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::user::{Email, Role, User};
use counterfoil_core::{Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension as _, params};

#[async_trait]
impl LegacyAccounts for SqliteStore {
    async fn legacy_account(&self, name: AccountName<'_>) -> Result<Option<LegacyAccount>, StoreError> {
        let (column, key): (_, &dyn rusqlite::ToSql) = match &name {
            AccountName::Address(key) => ("imported_email", key),
            AccountName::ExternalId(id) => ("external_id", id),
            AccountName::Own(id) => ("id", id.as_bytes()),
        };
        self.readers.read(|connection| {
            let sql = format!(
                "SELECT {USER}, a.external_id, a.imported_email, a.sessions_ended_at FROM account a \
                 WHERE a.{column} = ?1 AND a.deleted_at IS NULL"
            );
            first(connection.prepare_cached(&sql)?.query([key])?, |row| {
                Ok(LegacyAccount {
                    user: user(row, 0)?,
                    external_id: row.get(9)?,
                    imported_email: row.get(10)?,
                    sessions_ended_at: row.get::<_, Option<i64>>(11)?.map(Timestamp::from_millis),
                })
            })
        })
    }
}

#[async_trait]
impl Users for SqliteStore {
    async fn register(&self, new: NewAccount, audit: AuditEntry) -> Result<Registered, StoreError> {
        self.writer.write(move |connection| register(connection, new, &audit)).await
    }

    async fn import(
        &self,
        accounts: Vec<ImportedAccount>,
        most: Option<u32>,
        entry: AuditEntry,
    ) -> Result<Vec<ImportOutcome>, StoreError> {
        self.writer.write(move |connection| import(connection, &accounts, most, entry)).await
    }

    async fn count_users(&self, most: u32) -> Result<u32, StoreError> {
        self.readers.read(|connection| count(connection, most))
    }

    async fn replace_hash(&self, id: UserId, old: String, new: String, entry: AuditEntry) -> Result<bool, StoreError> {
        self.writer
            .write(move |connection| {
                let sql = "UPDATE password SET hash = ?3 WHERE account = ?1 AND hash = ?2";
                let replaced = connection.prepare_cached(sql)?.execute(params![id.as_bytes(), old, new])? == 1;
                if replaced {
                    audit::insert(connection, &entry)?;
                }
                Ok(replaced)
            })
            .await
    }

    async fn credential(&self, email_key: &str) -> Result<Option<Credential>, StoreError> {
        self.readers.read(|connection| {
            let sql = format!(
                "SELECT {USER}, p.hash, p.failures FROM account a JOIN password p ON p.account = a.id \
                               WHERE a.email_key = ?1"
            );
            first(connection.prepare_cached(&sql)?.query([email_key])?, credential)
        })
    }

    async fn credential_of(&self, id: UserId) -> Result<Option<Credential>, StoreError> {
        self.readers.read(|connection| credential_of(connection, id))
    }

    async fn users(&self, after: Option<UserId>, limit: u32) -> Result<Vec<User>, StoreError> {
        self.readers.read(|connection| {
            let sql =
                format!("SELECT {USER} FROM account a WHERE a.id > ?1 AND a.deleted_at IS NULL ORDER BY a.id LIMIT ?2");
            let after = after.map_or_else(Vec::new, |id| id.as_bytes().to_vec());
            all(connection.prepare_cached(&sql)?.query(params![after, limit])?, |row| user(row, 0))
        })
    }

    async fn users_by_address(&self, prefix: &str, after: Option<&str>, limit: u32) -> Result<Vec<User>, StoreError> {
        let high = format!("{prefix}{}", char::MAX);
        self.readers.read(|connection| {
            // Bytes are compared: the index is enough.
            let sql = format!(
                "SELECT {USER} FROM account a WHERE a.email_key >= ?1 AND a.email_key < ?2 AND a.email_key > ?3 AND a.deleted_at IS NULL \
                 ORDER BY a.email_key LIMIT ?4"
            );
            let bounds = params![prefix, high, after.unwrap_or_default(), limit];
            all(connection.prepare_cached(&sql)?.query(bounds)?, |row| user(row, 0))
        })
    }

    async fn note_failure(&self, id: Option<UserId>, entry: AuditEntry) -> Result<u32, StoreError> {
        self.writer
            .write(move |connection| {
                // Nobody's id is looked for as well: the same work.
                let id = id.unwrap_or(UserId::from_bytes([0; 16]));
                let sql =
                    "UPDATE password SET failures = min(failures + 1, 1000) WHERE account = ?1 RETURNING failures";
                let failures =
                    connection.prepare_cached(sql)?.query_row([id.as_bytes()], |row| row.get(0)).optional()?;
                audit::insert(connection, &entry)?;
                Ok(failures.unwrap_or_default())
            })
            .await
    }

    async fn clear_failures(&self, id: UserId) -> Result<(), StoreError> {
        let sql = "UPDATE password SET failures = 0 WHERE account = ?1";
        self.writer
            .write_one(move |connection| Ok(connection.prepare_cached(sql)?.execute([id.as_bytes()])?))
            .await
            .map(|_| ())
    }

    async fn unlock(&self, id: UserId, entry: AuditEntry) -> Result<bool, StoreError> {
        self.writer
            .write(move |connection| {
                let sql = "UPDATE password SET failures = 0 WHERE account = ?1";
                let found = connection.prepare_cached(sql)?.execute([id.as_bytes()])? == 1;
                let sql = "UPDATE totp SET failures = 0 WHERE account = ?1";
                connection.prepare_cached(sql)?.execute([id.as_bytes()])?;
                if found {
                    audit::insert(connection, &entry)?;
                }
                Ok(found)
            })
            .await
    }

    async fn unban(&self, id: UserId, entry: AuditEntry) -> Result<bool, StoreError> {
        self.writer
            .write(move |connection| {
                let sql = "UPDATE account SET banned_at = NULL, ban_reason = NULL, banned_until = NULL \
                           WHERE id = ?1 AND banned_at NOT NULL";
                let changed = connection.prepare_cached(sql)?.execute([id.as_bytes()])?;
                if changed == 1 {
                    audit::insert(connection, &entry)?;
                }
                Ok(changed == 1)
            })
            .await
    }

    async fn unban_from(&self, id: UserId, reason: String, entry: AuditEntry) -> Result<bool, StoreError> {
        self.writer
            .write(move |connection| {
                let sql = "UPDATE account SET banned_at = NULL, ban_reason = NULL, banned_until = NULL \
                           WHERE id = ?1 AND banned_at NOT NULL AND ban_reason = ?2";
                let changed = connection.prepare_cached(sql)?.execute(params![id.as_bytes(), reason])?;
                if changed == 1 {
                    audit::insert(connection, &entry)?;
                }
                Ok(changed == 1)
            })
            .await
    }

    async fn any_with_role(&self, role: &Role) -> Result<bool, StoreError> {
        self.readers.read(|connection| {
            let sql = "SELECT EXISTS (SELECT 1 FROM account WHERE ',' || roles || ',' LIKE '%,' || ?1 || ',%')";
            Ok(connection.prepare_cached(sql)?.query_row([role.as_str()], |row| row.get(0))?)
        })
    }
}

pub(super) fn credential_of(connection: &Connection, id: UserId) -> Result<Option<Credential>, Failure> {
    let sql =
        format!("SELECT {USER}, p.hash, p.failures FROM account a JOIN password p ON p.account = a.id WHERE a.id = ?1");
    first(connection.prepare_cached(&sql)?.query([id.as_bytes()])?, credential)
}

fn credential(row: &rusqlite::Row<'_>) -> Result<Credential, Failure> {
    Ok(Credential { user: user(row, 0)?, hash: row.get(9)?, failures: row.get(10)? })
}

fn register(connection: &Connection, mut new: NewAccount, entry: &AuditEntry) -> Result<Registered, Failure> {
    let account = &mut new.user;
    // The invitation first: whoever has none learns nothing about who has an account.
    let granted = match new.invite {
        None => None,
        Some(hash) => match good_invite(connection, hash, entry)? {
            Some(role) => role,
            None => return Ok(Registered::InviteInvalid),
        },
    };
    // Before the address: whether it is free is nobody's business where nobody gets in.
    if room(connection, new.most)? == Some(0) {
        return Ok(Registered::Full);
    }
    if exists_address(connection, &account.email)? {
        return Ok(Registered::EmailTaken);
    }
    if let Some(passkey) = &new.passkey
        && exists_passkey(connection, &passkey.id)?
    {
        return Ok(Registered::PasskeyTaken);
    }
    if let Some(hash) = new.invite {
        connection.prepare_cached("DELETE FROM invite WHERE hash = ?1")?.execute([hash])?;
    }
    account.roles.extend(granted.as_deref().and_then(Role::parse));
    let sql = "INSERT INTO account (id, email, email_key, name, roles, claims_version, created_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    connection.prepare_cached(sql)?.execute(params![
        account.id.as_bytes(),
        account.email.as_str(),
        account.email.key(),
        account.name,
        roles_column(&account.roles),
        account.claims_version,
        account.created_at.as_millis(),
    ])?;
    let sql = "INSERT INTO password (account, hash, failures) VALUES (?1, ?2, 0)";
    connection.prepare_cached(sql)?.execute(params![account.id.as_bytes(), new.hash])?;
    if let Some(passkey) = &new.passkey {
        factors::add_passkey(connection, passkey)?;
    }
    audit::insert(connection, entry)?;
    Ok(Registered::Done)
}

/// Counts accounts, and no further than is asked.
fn count(connection: &Connection, most: u32) -> Result<u32, Failure> {
    let sql = "SELECT count(*) FROM (SELECT 1 FROM account WHERE deleted_at IS NULL LIMIT ?1)";
    Ok(connection.prepare_cached(sql)?.query_row([most], |row| row.get(0))?)
}

/// For how many more accounts there is room, if there is an end to it.
fn room(connection: &Connection, most: Option<u32>) -> Result<Option<u32>, Failure> {
    most.map(|most| Ok(most - count(connection, most)?)).transpose()
}

fn exists_address(connection: &Connection, address: &Email) -> Result<bool, Failure> {
    let sql = "SELECT EXISTS (SELECT 1 FROM account WHERE email_key = ?1)";
    Ok(connection.prepare_cached(sql)?.query_row([address.key()], |row| row.get(0))?)
}

fn exists_passkey(connection: &Connection, id: &[u8]) -> Result<bool, Failure> {
    let sql = "SELECT EXISTS (SELECT 1 FROM passkey WHERE id = ?1)";
    Ok(connection.prepare_cached(sql)?.query_row([id], |row| row.get(0))?)
}

fn import(
    connection: &Connection,
    accounts: &[ImportedAccount],
    most: Option<u32>,
    mut entry: AuditEntry,
) -> Result<Vec<ImportOutcome>, Failure> {
    // A ban has ended what was there before it, also once it is lifted.
    let sql = "INSERT INTO account (id, email, email_key, name, roles, claims_version, created_at, banned_at, ban_reason, external_id, \
               imported_email, sessions_ended_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?3, ?8) \
               ON CONFLICT (email_key) DO NOTHING \
               ON CONFLICT (external_id) WHERE external_id IS NOT NULL DO NOTHING \
               ON CONFLICT (imported_email) WHERE imported_email IS NOT NULL DO NOTHING";
    let mut insert = connection.prepare_cached(sql)?;
    let mut set_password =
        connection.prepare_cached("INSERT INTO password (account, hash, failures) VALUES (?1, ?2, 0)")?;
    let mut outcomes = Vec::with_capacity(accounts.len());
    let mut room = room(connection, most)?;
    for ImportedAccount { user, hash, external_id } in accounts {
        if room == Some(0) {
            let taken = exists_address(connection, &user.email)?;
            outcomes.push(if taken { ImportOutcome::AlreadyThere } else { ImportOutcome::Full });
            continue;
        }
        let made = insert.execute(params![
            user.id.as_bytes(),
            user.email.as_str(),
            user.email.key(),
            user.name,
            roles_column(&user.roles),
            user.claims_version,
            user.created_at.as_millis(),
            user.banned.as_ref().map(|ban| ban.at.as_millis()),
            user.banned.as_ref().map(|ban| &ban.reason),
            external_id,
        ])?;
        if made == 1 {
            set_password.execute(params![user.id.as_bytes(), hash])?;
            room = room.map(|room| room - 1);
        }
        outcomes.push(if made == 1 { ImportOutcome::Done } else { ImportOutcome::AlreadyThere });
    }
    if outcomes.contains(&ImportOutcome::Done) {
        let pairs = accounts.iter().zip(&outcomes).filter(|(_, outcome)| **outcome == ImportOutcome::Done);
        entry.detail = imported_detail(pairs.map(|(account, _)| &account.user));
        audit::insert(connection, &entry)?;
    }
    Ok(outcomes)
}

/// The role an invitation grants (`Some(None)`: none), if it is good.
#[expect(clippy::option_option, reason = "whether it is good, and what it grants, are two questions")]
fn good_invite(connection: &Connection, hash: [u8; 32], entry: &AuditEntry) -> Result<Option<Option<String>>, Failure> {
    let sql = "SELECT role FROM invite WHERE hash = ?1 AND expires_at > ?2 AND NOT (bootstrap AND EXISTS \
               (SELECT 1 FROM account WHERE ',' || roles || ',' LIKE '%,' || invite.role || ',%'))";
    let found = connection.prepare_cached(sql)?.query_row(params![hash, entry.at.as_millis()], |row| row.get(0));
    Ok(found.optional()?)
}
