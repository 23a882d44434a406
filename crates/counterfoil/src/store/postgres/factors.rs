//! Passkeys, authenticator apps and recovery codes.

use super::id::Id;
use super::row::{USER_COLUMNS, all, id, optional_time, time, user, user_columns};
use super::transact::{Failure, Transaction, again, connection};
use super::{PostgresStore, audit, revoke, risk, sessions, users};
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
use tokio_postgres::Row;

/// The columns in the order [`passkey`] reads them.
macro_rules! passkey_columns {
    () => {
        "k.id, k.account, k.name, k.credential, k.synced, k.backed_up, k.created_at, k.last_used_at"
    };
}

const OF_USER: &str =
    concat!("SELECT ", passkey_columns!(), " FROM passkey k WHERE k.account = $1 ORDER BY k.created_at, k.id");

const BY_ID: &str = concat!(
    "SELECT ",
    user_columns!(),
    ", ",
    passkey_columns!(),
    " FROM passkey k JOIN account a ON a.id = k.account WHERE k.id = $1"
);

/// Two changes of one account come one after the other.
const HOLD: &str = "SELECT 1 FROM account WHERE id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE";

const HAS: &str =
    "SELECT EXISTS (SELECT 1 FROM passkey WHERE account = $1), EXISTS (SELECT 1 FROM totp WHERE account = $1)";

const ADD: &str = "\
    INSERT INTO passkey (id, account, name, credential, synced, backed_up, created_at, last_used_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING";

const SET_TOTP: &str = "\
    INSERT INTO totp (account, sealed, created_at, last_step, failures) VALUES ($1, $2, $3, $4, $5) \
    ON CONFLICT (account) DO UPDATE SET sealed = excluded.sealed, created_at = excluded.created_at, \
      last_step = excluded.last_step, failures = excluded.failures";

/// Codes that stand in for nothing are removed.
const DROP_IDLE_CODES: &str = "\
    DELETE FROM recovery_code WHERE account = $1 AND NOT EXISTS (SELECT 1 FROM passkey WHERE account = $1) \
      AND NOT EXISTS (SELECT 1 FROM totp WHERE account = $1)";

const ANOTHER_WAY: &str = "\
    SELECT EXISTS (SELECT 1 FROM passkey WHERE id = $2 AND account = $1), \
      EXISTS (SELECT 1 FROM passkey WHERE id <> $2 AND account = $1) \
      OR EXISTS (SELECT 1 FROM password WHERE account = $1 AND hash <> $3)";

#[async_trait]
impl FactorStore for PostgresStore {
    async fn factors(&self, id: UserId) -> Result<Option<Factors>, StoreError> {
        again!(self, self.factors_once(Id(*id.as_bytes())))
    }

    async fn passkey(&self, id: &[u8]) -> Result<Option<(Passkey, User)>, StoreError> {
        again!(self, async {
            let row = connection(&self.pool).await?.optional(BY_ID, &[&id]).await?;
            row.map(|row| Ok((passkey(&row, USER_COLUMNS)?, user(&row, 0)?))).transpose()
        })
    }

    async fn change_factors(
        &self,
        id: UserId,
        change: FactorChange,
        by: Changer,
        entry: AuditEntry,
    ) -> Result<Changed, StoreError> {
        again!(self, async {
            let transaction = Transaction::begin(&self.pool).await?;
            if !transaction.exists(HOLD, id.as_bytes()).await? {
                return transaction.undo(Changed::Unknown).await;
            }
            if !may_change(&transaction, id, &change, &by).await? {
                return transaction.undo(Changed::Refused).await;
            }
            match change_factors(&transaction, Id(*id.as_bytes()), &change).await? {
                Changed::Done => {}
                other => return transaction.undo(other).await,
            }
            audit::insert(&transaction, &entry).await?;
            transaction.commit().await?;
            Ok(Changed::Done)
        })
    }

    async fn use_factor(
        &self,
        id: UserId,
        used: FactorUse,
        at: Timestamp,
        entry: Option<AuditEntry>,
    ) -> Result<bool, StoreError> {
        again!(self, async {
            let transaction = Transaction::begin(&self.pool).await?;
            if use_factor(&transaction, Id(*id.as_bytes()), &used, at).await? == 0 {
                return transaction.undo(false).await;
            }
            if let Some(entry) = &entry {
                audit::insert(&transaction, entry).await?;
            }
            transaction.commit().await?;
            Ok(true)
        })
    }

    async fn note_wrong_code(&self, id: UserId, entry: AuditEntry) -> Result<u32, StoreError> {
        again!(self, async {
            let transaction = Transaction::begin(&self.pool).await?;
            let sql = "UPDATE totp SET failures = least(failures + 1, 1000) WHERE account = $1 RETURNING failures";
            let row = transaction.optional(sql, &[&Id(*id.as_bytes())]).await?;
            audit::insert(&transaction, &entry).await?;
            transaction.commit().await?;
            let failures = row.map(|row| row.try_get::<_, i32>(0)).transpose()?;
            Ok(failures.unwrap_or_default().unsigned_abs())
        })
    }

    async fn renew_session(&self, renewal: Renewal, entry: AuditEntry) -> Result<bool, StoreError> {
        again!(self, async {
            let transaction = Transaction::begin(&self.pool).await?;
            let (sid, from) = (Id(*renewal.sid.as_bytes()), Id(*renewal.from.as_bytes()));
            let sql = "SELECT account FROM session WHERE sid = $1 AND handle = $2 FOR UPDATE";
            let Some(row) = transaction.optional(sql, &[&sid, &from]).await? else {
                return transaction.undo(false).await;
            };
            if !revoke::replace_handle(&transaction, renewal.sid, renewal.to, entry.at).await? {
                return transaction.undo(false).await;
            }
            let sql = "UPDATE session SET acr = $2, amr = $3, device = $4, network = $5 WHERE sid = $1";
            let Renewal { acr, amr, seen, .. } = &renewal;
            transaction.execute(sql, &[&sid, &acr.as_str(), &amr.join(" "), &seen.device, &seen.network]).await?;
            risk::note(&transaction, UserId::from_bytes(id(&row, 0)?), seen).await?;
            audit::insert(&transaction, &entry).await?;
            transaction.commit().await?;
            Ok(true)
        })
    }
}

impl PostgresStore {
    async fn factors_once(&self, account: Id) -> Result<Option<Factors>, Failure> {
        let connection = connection(&self.pool).await?;
        let Some(row) = connection.optional(users::BY_ID, &[&account]).await? else { return Ok(None) };
        let credential = users::credential(&row)?;
        let passkeys = all(&connection.query(OF_USER, &[&account]).await?, |row| passkey(row, 0))?;
        let sql = "SELECT created_at, sealed, last_step, failures FROM totp WHERE account = $1";
        let totp = connection.optional(sql, &[&account]).await?.as_ref().map(totp).transpose()?;
        let sql = "SELECT count(*) FROM recovery_code WHERE account = $1";
        let codes: i64 = connection.one(sql, &[&account]).await?.try_get(0)?;
        Ok(Some(Factors { credential, passkeys, totp, recovery_codes: u32::try_from(codes).unwrap_or(u32::MAX) }))
    }
}

fn totp(row: &Row) -> Result<StoredTotp, Failure> {
    let (sealed, last_step) = (row.try_get(1)?, row.try_get(2)?);
    let failures = row.try_get::<_, i32>(3)?.unsigned_abs();
    Ok(StoredTotp { sealed, created_at: time(row, 0)?, last_step, failures })
}

/// Reads a passkey whose columns begin at `from`.
fn passkey(row: &Row, from: usize) -> Result<Passkey, Failure> {
    Ok(Passkey {
        id: row.try_get(from)?,
        user: UserId::from_bytes(id(row, from + 1)?),
        name: row.try_get(from + 2)?,
        credential: row.try_get(from + 3)?,
        synced: row.try_get(from + 4)?,
        backed_up: row.try_get(from + 5)?,
        created_at: time(row, from + 6)?,
        last_used_at: optional_time(row, from + 7)?,
    })
}

/// Whether whoever makes the change may.
async fn may_change(
    transaction: &Transaction,
    id: UserId,
    change: &FactorChange,
    by: &Changer,
) -> Result<bool, Failure> {
    let (proved_by, by_code, at) = match by {
        Changer::Server => return Ok(true),
        Changer::SignedIn(sid) => {
            let sql = "SELECT 1 FROM session WHERE sid = $1 AND account = $2 AND ended_at IS NULL FOR SHARE";
            let ids: super::connect::Params<'_> = &[&Id(*sid.as_bytes()), &Id(*id.as_bytes())];
            return Ok(transaction.optional(sql, ids).await?.is_some());
        }
        Changer::SigningIn { proved_by, by_code, at } => (proved_by, by_code, at),
    };
    let row = transaction.one(HAS, &[&Id(*id.as_bytes())]).await?;
    let has = (row.try_get(0)?, row.try_get(1)?);
    Ok(change.is_first(has, *by_code) && sessions::may_sign_in(transaction, id, proved_by, *at).await?.is_some())
}

async fn change_factors(transaction: &Transaction, account: Id, change: &FactorChange) -> Result<Changed, Failure> {
    let changed = match change {
        FactorChange::AddPasskey(passkey) => return add_passkey(transaction, passkey).await,
        FactorChange::RemovePasskey { id } => return remove_passkey(transaction, account, id).await,
        FactorChange::RenamePasskey { id, name } => {
            let sql = "UPDATE passkey SET name = $3 WHERE id = $2 AND account = $1";
            transaction.execute(sql, &[&account, id, name]).await?
        }
        FactorChange::SetTotp(totp) => {
            let (at, failures) = (totp.created_at.as_millis(), totp.failures.cast_signed());
            transaction.execute(SET_TOTP, &[&account, &totp.sealed, &at, &totp.last_step, &failures]).await?
        }
        FactorChange::RemoveTotp => {
            let removed = transaction.execute("DELETE FROM totp WHERE account = $1", &[&account]).await?;
            transaction.execute(DROP_IDLE_CODES, &[&account]).await?;
            removed
        }
        FactorChange::SetRecoveryCodes(hashes) => {
            transaction.execute("DELETE FROM recovery_code WHERE account = $1", &[&account]).await?;
            let hashes: Vec<&[u8]> = hashes.iter().map(<[u8; 32]>::as_slice).collect();
            let sql = "INSERT INTO recovery_code (account, hash) SELECT $1, unnest($2::bytea[])";
            transaction.execute(sql, &[&account, &hashes]).await?;
            1
        }
        FactorChange::Reset => {
            transaction.execute("DELETE FROM passkey WHERE account = $1", &[&account]).await?;
            transaction.execute("DELETE FROM totp WHERE account = $1", &[&account]).await?;
            transaction.execute("DELETE FROM recovery_code WHERE account = $1", &[&account]).await?;
            1
        }
    };
    Ok(if changed == 0 { Changed::Unknown } else { Changed::Done })
}

pub(super) async fn add_passkey(transaction: &Transaction, new: &Passkey) -> Result<Changed, Failure> {
    let account = Id(*new.user.as_bytes());
    let row = transaction.one("SELECT count(*) FROM passkey WHERE account = $1", &[&account]).await?;
    if row.try_get::<_, i64>(0)? >= i64::from(MOST_PASSKEYS) {
        return Ok(Changed::Full);
    }
    let (made, used) = (new.created_at.as_millis(), new.last_used_at.map(Timestamp::as_millis));
    let params: super::connect::Params<'_> =
        &[&new.id, &account, &new.name, &new.credential, &new.synced, &new.backed_up, &made, &used];
    Ok(if transaction.execute(ADD, params).await? == 1 { Changed::Done } else { Changed::Taken })
}

async fn remove_passkey(transaction: &Transaction, account: Id, id: &[u8]) -> Result<Changed, Failure> {
    let row = transaction.one(ANOTHER_WAY, &[&account, &id, &NO_PASSWORD]).await?;
    match (row.try_get(0)?, row.try_get(1)?) {
        (false, _) => Ok(Changed::Unknown),
        (true, false) => Ok(Changed::LastOne),
        (true, true) => {
            transaction.execute("DELETE FROM passkey WHERE id = $1", &[&id]).await?;
            transaction.execute(DROP_IDLE_CODES, &[&account]).await?;
            Ok(Changed::Done)
        }
    }
}

async fn use_factor(transaction: &Transaction, account: Id, used: &FactorUse, at: Timestamp) -> Result<u64, Failure> {
    Ok(match used {
        FactorUse::Totp { step } => {
            let sql =
                "UPDATE totp SET last_step = $2, failures = 0 WHERE account = $1 AND last_step < $2 AND failures < $3";
            transaction.execute(sql, &[&account, step, &FAILURES_THAT_LOCK.cast_signed()]).await?
        }
        FactorUse::RecoveryCode { hash } => {
            let sql = "DELETE FROM recovery_code WHERE account = $1 AND hash = $2";
            transaction.execute(sql, &[&account, &hash.as_slice()]).await?
        }
        FactorUse::Passkey { id, was, credential, backed_up } => {
            let sql = "UPDATE passkey SET credential = $4, backed_up = $5, last_used_at = $6 \
                       WHERE account = $1 AND id = $2 AND credential = $3";
            transaction.execute(sql, &[&account, id, was, credential, backed_up, &at.as_millis()]).await?
        }
    })
}
