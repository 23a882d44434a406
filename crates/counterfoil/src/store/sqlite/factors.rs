//! Passkeys, authenticator apps and recovery codes.

use super::row::{USER, all, first, time, user};
use super::writer::Failure;
use super::{SqliteStore, audit, log, risk, sessions, users};
use crate::store::StoreError;
use crate::store::factors::{
    Changed, Changer, FAILURES_THAT_LOCK, FactorChange, FactorStore, FactorUse, Factors, MOST_PASSKEYS, Passkey,
    Renewal, StoredTotp,
};
use async_trait::async_trait;
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::credential::stored::NO_PASSWORD;
use counterfoil_core::user::User;
use counterfoil_core::{Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

/// The columns in the order [`passkey`] reads them.
const PASSKEY: &str = "k.id, k.account, k.name, k.credential, k.synced, k.backed_up, k.created_at, k.last_used_at";

/// How many [`PASSKEY`] has.
const PASSKEY_COLUMNS: usize = 8;

#[async_trait]
impl FactorStore for SqliteStore {
    async fn factors(&self, id: UserId) -> Result<Option<Factors>, StoreError> {
        self.readers.read(|connection| factors(connection, id))
    }

    async fn passkey(&self, id: &[u8]) -> Result<Option<(Passkey, User)>, StoreError> {
        self.readers.read(|connection| {
            let sql =
                format!("SELECT {PASSKEY}, {USER} FROM passkey k JOIN account a ON a.id = k.account WHERE k.id = ?1");
            first(connection.prepare_cached(&sql)?.query([id])?, |row| Ok((passkey(row)?, user(row, PASSKEY_COLUMNS)?)))
        })
    }

    async fn change_factors(
        &self,
        id: UserId,
        change: FactorChange,
        by: Changer,
        entry: AuditEntry,
    ) -> Result<Changed, StoreError> {
        self.writer
            .write(move |connection| {
                if !may_change(connection, id, &change, &by)? {
                    return Ok(Changed::Refused);
                }
                let changed = change_factors(connection, id, change)?;
                if changed == Changed::Done {
                    audit::insert(connection, &entry)?;
                }
                Ok(changed)
            })
            .await
    }

    async fn use_factor(
        &self,
        id: UserId,
        used: FactorUse,
        at: Timestamp,
        entry: Option<AuditEntry>,
    ) -> Result<bool, StoreError> {
        self.writer
            .write(move |connection| {
                let counts = use_factor(connection, id, &used, at)?;
                if counts && let Some(entry) = &entry {
                    audit::insert(connection, entry)?;
                }
                Ok(counts)
            })
            .await
    }

    async fn note_wrong_code(&self, id: UserId, entry: AuditEntry) -> Result<u32, StoreError> {
        self.writer
            .write(move |connection| {
                let sql = "UPDATE totp SET failures = min(failures + 1, 1000) WHERE account = ?1 RETURNING failures";
                let failures =
                    connection.prepare_cached(sql)?.query_row([id.as_bytes()], |row| row.get(0)).optional()?;
                audit::insert(connection, &entry)?;
                Ok(failures.unwrap_or_default())
            })
            .await
    }

    async fn renew_session(&self, renewal: Renewal, entry: AuditEntry) -> Result<bool, StoreError> {
        self.writer
            .write(move |connection| {
                let sql = "SELECT account FROM session WHERE sid = ?1 AND handle = ?2";
                let (sid, from) = (renewal.sid.as_bytes(), renewal.from.as_bytes());
                let same = connection.prepare_cached(sql)?.query_row([sid, from], |row| row.get(0)).optional()?;
                let Some(account) = same else { return Ok(false) };
                if !log::replace_handle(connection, renewal.sid, renewal.to, entry.at)? {
                    return Ok(false);
                }
                let sql = "UPDATE session SET acr = ?2, amr = ?3, device = ?4, network = ?5 WHERE sid = ?1";
                let Renewal { acr, amr, seen, .. } = &renewal;
                let values = params![sid, acr.as_str(), amr.join(" "), seen.device, seen.network];
                connection.prepare_cached(sql)?.execute(values)?;
                risk::note(connection, UserId::from_bytes(account), seen)?;
                audit::insert(connection, &entry)?;
                Ok(true)
            })
            .await
    }
}

fn factors(connection: &Connection, id: UserId) -> Result<Option<Factors>, Failure> {
    let Some(credential) = users::credential_of(connection, id)? else { return Ok(None) };
    let sql = format!("SELECT {PASSKEY} FROM passkey k WHERE k.account = ?1 ORDER BY k.created_at, k.id");
    let passkeys = all(connection.prepare_cached(&sql)?.query([id.as_bytes()])?, passkey)?;
    let sql = "SELECT sealed, created_at, last_step, failures FROM totp WHERE account = ?1";
    let totp = first(connection.prepare_cached(sql)?.query([id.as_bytes()])?, |row| {
        let (sealed, last_step, failures) = (row.get(0)?, row.get(2)?, row.get(3)?);
        Ok(StoredTotp { sealed, created_at: time(row.get(1)?), last_step, failures })
    })?;
    let sql = "SELECT count(*) FROM recovery_code WHERE account = ?1";
    let recovery_codes = connection.prepare_cached(sql)?.query_row([id.as_bytes()], |row| row.get(0))?;
    Ok(Some(Factors { credential, passkeys, totp, recovery_codes }))
}

fn passkey(row: &Row<'_>) -> Result<Passkey, Failure> {
    Ok(Passkey {
        id: row.get(0)?,
        user: UserId::from_bytes(row.get(1)?),
        name: row.get(2)?,
        credential: row.get(3)?,
        synced: row.get(4)?,
        backed_up: row.get(5)?,
        created_at: time(row.get(6)?),
        last_used_at: row.get::<_, Option<i64>>(7)?.map(time),
    })
}

/// Whether whoever makes the change may.
fn may_change(connection: &Connection, id: UserId, change: &FactorChange, by: &Changer) -> Result<bool, Failure> {
    let (proved_by, by_code, at) = match by {
        Changer::Server => return Ok(true),
        Changer::SignedIn(sid) => {
            let sql = "SELECT EXISTS (SELECT 1 FROM session WHERE sid = ?1 AND account = ?2 AND ended_at IS NULL)";
            let ids = params![sid.as_bytes(), id.as_bytes()];
            return Ok(connection.prepare_cached(sql)?.query_row(ids, |row| row.get(0))?);
        }
        Changer::SigningIn { proved_by, by_code, at } => (proved_by, by_code, at),
    };
    let sql =
        "SELECT EXISTS (SELECT 1 FROM passkey WHERE account = ?1), EXISTS (SELECT 1 FROM totp WHERE account = ?1)";
    let has = connection.prepare_cached(sql)?.query_row([id.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(change.is_first(has, *by_code) && sessions::may_sign_in(connection, id, proved_by, *at)?.is_some())
}

fn change_factors(connection: &Connection, id: UserId, change: FactorChange) -> Result<Changed, Failure> {
    let account = id.as_bytes();
    let run = |sql: &str, values: &[&dyn rusqlite::ToSql]| connection.prepare_cached(sql)?.execute(values);
    let exists: bool = connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM account WHERE id = ?1 AND deleted_at IS NULL)")?
        .query_row([account], |row| row.get(0))?;
    if !exists {
        return Ok(Changed::Unknown);
    }
    let changed = match change {
        FactorChange::AddPasskey(passkey) => return add_passkey(connection, &passkey),
        FactorChange::RemovePasskey { id } => return remove_passkey(connection, account, &id),
        FactorChange::RenamePasskey { id, name } => {
            run("UPDATE passkey SET name = ?3 WHERE id = ?2 AND account = ?1", params![account, id, name])?
        }
        FactorChange::SetTotp(totp) => {
            let sql = "INSERT OR REPLACE INTO totp (account, sealed, created_at, last_step, failures) \
                       VALUES (?1, ?2, ?3, ?4, ?5)";
            let at = totp.created_at.as_millis();
            run(sql, params![account, totp.sealed, at, totp.last_step, totp.failures])?
        }
        FactorChange::RemoveTotp => {
            let removed = run("DELETE FROM totp WHERE account = ?1", params![account])?;
            drop_idle_codes(connection, account)?;
            removed
        }
        FactorChange::SetRecoveryCodes(hashes) => {
            run("DELETE FROM recovery_code WHERE account = ?1", params![account])?;
            for hash in hashes {
                run("INSERT INTO recovery_code (account, hash) VALUES (?1, ?2)", params![account, hash])?;
            }
            1
        }
        FactorChange::Reset => {
            for sql in [
                "DELETE FROM passkey WHERE account = ?1",
                "DELETE FROM totp WHERE account = ?1",
                "DELETE FROM recovery_code WHERE account = ?1",
            ] {
                run(sql, params![account])?;
            }
            1
        }
    };
    Ok(if changed == 0 { Changed::Unknown } else { Changed::Done })
}

/// Codes that stand in for nothing are removed.
fn drop_idle_codes(connection: &Connection, account: &[u8; 16]) -> Result<(), Failure> {
    let sql = "DELETE FROM recovery_code WHERE account = ?1 AND NOT EXISTS (SELECT 1 FROM passkey WHERE account = ?1) \
               AND NOT EXISTS (SELECT 1 FROM totp WHERE account = ?1)";
    connection.prepare_cached(sql)?.execute([account])?;
    Ok(())
}

pub(super) fn add_passkey(connection: &Connection, new: &Passkey) -> Result<Changed, Failure> {
    let sql = "SELECT count(*) FROM passkey WHERE account = ?1";
    let count: u32 = connection.prepare_cached(sql)?.query_row([new.user.as_bytes()], |row| row.get(0))?;
    if count >= MOST_PASSKEYS {
        return Ok(Changed::Full);
    }
    let sql = "INSERT INTO passkey (id, account, name, credential, synced, backed_up, created_at, last_used_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (id) DO NOTHING";
    let added = connection.prepare_cached(sql)?.execute(params![
        new.id,
        new.user.as_bytes(),
        new.name,
        new.credential,
        new.synced,
        new.backed_up,
        new.created_at.as_millis(),
        new.last_used_at.map(Timestamp::as_millis),
    ])?;
    Ok(if added == 1 { Changed::Done } else { Changed::Taken })
}

fn remove_passkey(connection: &Connection, account: &[u8; 16], id: &[u8]) -> Result<Changed, Failure> {
    let sql = "SELECT EXISTS (SELECT 1 FROM passkey WHERE id = ?2 AND account = ?1), \
                 EXISTS (SELECT 1 FROM passkey WHERE id <> ?2 AND account = ?1) \
                 OR EXISTS (SELECT 1 FROM password WHERE account = ?1 AND hash <> ?3)";
    let (is_theirs, another_way): (bool, bool) = connection
        .prepare_cached(sql)?
        .query_row(params![account, id, NO_PASSWORD], |row| Ok((row.get(0)?, row.get(1)?)))?;
    match (is_theirs, another_way) {
        (false, _) => Ok(Changed::Unknown),
        (true, false) => Ok(Changed::LastOne),
        (true, true) => {
            connection.prepare_cached("DELETE FROM passkey WHERE id = ?1")?.execute([id])?;
            drop_idle_codes(connection, account)?;
            Ok(Changed::Done)
        }
    }
}

fn use_factor(connection: &Connection, id: UserId, used: &FactorUse, at: Timestamp) -> Result<bool, Failure> {
    let account = id.as_bytes();
    let changed = match used {
        FactorUse::Totp { step } => {
            let sql = "UPDATE totp SET last_step = ?2, failures = 0 \
                       WHERE account = ?1 AND last_step < ?2 AND failures < ?3";
            connection.prepare_cached(sql)?.execute(params![account, step, FAILURES_THAT_LOCK])?
        }
        FactorUse::RecoveryCode { hash } => connection
            .prepare_cached("DELETE FROM recovery_code WHERE account = ?1 AND hash = ?2")?
            .execute(params![account, hash])?,
        FactorUse::Passkey { id, was, credential, backed_up } => {
            let sql = "UPDATE passkey SET credential = ?4, backed_up = ?5, last_used_at = ?6 \
                       WHERE account = ?1 AND id = ?2 AND credential = ?3";
            let at = at.as_millis();
            connection.prepare_cached(sql)?.execute(params![account, id, was, credential, backed_up, at])?
        }
    };
    Ok(changed == 1)
}
