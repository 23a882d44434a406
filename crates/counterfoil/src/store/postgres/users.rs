//! Accounts and their credentials.

use super::connect::Connection;
use super::id::Id;
use super::row::{USER_COLUMNS, all, user, user_columns};
use super::transact::{Failure, Transaction, again, connection};
use super::{PostgresStore, audit, factors};
use crate::store::columns::roles_column;
use crate::store::factors::Changed;
use crate::store::legacy::{AccountName, LegacyAccount, LegacyAccounts};
use crate::store::{
    Credential, ImportOutcome, ImportedAccount, NewAccount, Registered, StoreError, Users, imported_detail,
};
use async_trait::async_trait;
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::user::{Role, User};
use counterfoil_core::{Timestamp, UserId};
use std::collections::HashSet;
use tokio_postgres::Row;

const BY_EMAIL: &str = concat!(
    "SELECT ",
    user_columns!(),
    ", p.hash, p.failures FROM account a JOIN password p ON p.account = a.id WHERE a.email_key = $1"
);

pub(super) const BY_ID: &str = concat!(
    "SELECT ",
    user_columns!(),
    ", p.hash, p.failures FROM account a JOIN password p ON p.account = a.id WHERE a.id = $1"
);

const PAGE: &str = concat!(
    "SELECT ",
    user_columns!(),
    " FROM account a WHERE a.id > $1 AND a.deleted_at IS NULL ORDER BY a.id LIMIT $2"
);

const FIRST_PAGE: &str =
    concat!("SELECT ", user_columns!(), " FROM account a WHERE a.deleted_at IS NULL ORDER BY a.id LIMIT $1");

/// The column compares bytes: its index is enough.
const BY_ADDRESS: &str = concat!(
    "SELECT ",
    user_columns!(),
    " FROM account a WHERE a.email_key >= $1 AND a.email_key < $2 AND a.email_key > $3 AND a.deleted_at IS NULL ORDER BY a.email_key LIMIT $4"
);

const ANY_WITH_ROLE: &str = "\
    SELECT EXISTS (SELECT 1 FROM account WHERE roles <> '' AND position(',' || $1::text || ',' IN ',' || roles || ',') > 0)";

/// Locked, so that of two who bring the same invitation one finds it gone.
const GOOD_INVITE: &str = "\
    SELECT role FROM invite WHERE hash = $1 AND expires_at > $2 AND NOT (bootstrap AND EXISTS (SELECT 1 FROM account \
      WHERE account.roles <> '' AND position(',' || invite.role || ',' IN ',' || account.roles || ',') > 0)) FOR UPDATE";

/// Invitations are taken one after another: whether there is a first administrator has to be seen after the one before has become it.
pub(super) const ONE_BY_ONE: &str = "SELECT FROM installation FOR UPDATE";

/// In the order of the addresses, so that two imports at once do not wait for each other; of two with one address the first. A ban has ended
/// what was there before it, also once it is lifted.
const IMPORT: &str = "\
    INSERT INTO account (id, email, email_key, name, roles, claims_version, created_at, banned_at, ban_reason, external_id, \
      imported_email, sessions_ended_at) \
    SELECT id, email, email_key, name, roles, claims_version, created_at, banned_at, ban_reason, external_id, email_key, banned_at \
      FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::integer[], $7::bigint[], $8::bigint[], \
        $9::text[], $10::text[]) WITH ORDINALITY \
      AS new (id, email, email_key, name, roles, claims_version, created_at, banned_at, ban_reason, external_id, place) \
      ORDER BY email_key COLLATE \"C\", place \
    ON CONFLICT DO NOTHING RETURNING id";

macro_rules! legacy_account {
    ($column:literal) => {
        concat!(
            "SELECT ",
            user_columns!(),
            ", a.external_id, a.imported_email, a.sessions_ended_at FROM account a WHERE a.",
            $column,
            " = $1 AND a.deleted_at IS NULL"
        )
    };
}

#[async_trait]
impl LegacyAccounts for PostgresStore {
    async fn legacy_account(&self, name: AccountName<'_>) -> Result<Option<LegacyAccount>, StoreError> {
        again!(self, async {
            let connection = connection(&self.pool).await?;
            let row = match name {
                AccountName::Address(key) => connection.optional(legacy_account!("imported_email"), &[&key]).await?,
                AccountName::ExternalId(id) => connection.optional(legacy_account!("external_id"), &[&id]).await?,
                AccountName::Own(id) => connection.optional(legacy_account!("id"), &[&Id(*id.as_bytes())]).await?,
            };
            row.map(|row| {
                Ok(LegacyAccount {
                    user: user(&row, 0)?,
                    external_id: row.try_get(USER_COLUMNS)?,
                    imported_email: row.try_get(USER_COLUMNS + 1)?,
                    sessions_ended_at: row.try_get::<_, Option<i64>>(USER_COLUMNS + 2)?.map(Timestamp::from_millis),
                })
            })
            .transpose()
        })
    }
}

#[async_trait]
impl Users for PostgresStore {
    async fn register(&self, new: NewAccount, entry: AuditEntry) -> Result<Registered, StoreError> {
        again!(self, self.register_once(&new, &entry))
    }

    async fn import(
        &self,
        accounts: Vec<ImportedAccount>,
        most: Option<u32>,
        entry: AuditEntry,
    ) -> Result<Vec<ImportOutcome>, StoreError> {
        again!(self, self.import_once(&accounts, most, &entry))
    }

    async fn count_users(&self, most: u32) -> Result<u32, StoreError> {
        again!(self, async { count(&*connection(&self.pool).await?, most).await })
    }

    async fn replace_hash(&self, id: UserId, old: String, new: String, entry: AuditEntry) -> Result<bool, StoreError> {
        again!(self, async {
            let transaction = Transaction::begin(&self.pool).await?;
            let sql = "UPDATE password SET hash = $3 WHERE account = $1 AND hash = $2";
            if transaction.execute(sql, &[&Id(*id.as_bytes()), &old, &new]).await? == 0 {
                return transaction.undo(false).await;
            }
            audit::insert(&transaction, &entry).await?;
            transaction.commit().await?;
            Ok(true)
        })
    }

    async fn credential(&self, email_key: &str) -> Result<Option<Credential>, StoreError> {
        again!(self, async {
            let row = connection(&self.pool).await?.optional(BY_EMAIL, &[&email_key]).await?;
            row.as_ref().map(credential).transpose()
        })
    }

    async fn credential_of(&self, id: UserId) -> Result<Option<Credential>, StoreError> {
        again!(self, async {
            let row = connection(&self.pool).await?.optional(BY_ID, &[&Id(*id.as_bytes())]).await?;
            row.as_ref().map(credential).transpose()
        })
    }

    async fn users(&self, after: Option<UserId>, limit: u32) -> Result<Vec<User>, StoreError> {
        let limit = i64::from(limit);
        again!(self, async {
            let connection = connection(&self.pool).await?;
            let rows = match after {
                Some(after) => connection.query(PAGE, &[&Id(*after.as_bytes()), &limit]).await?,
                None => connection.query(FIRST_PAGE, &[&limit]).await?,
            };
            all(&rows, |row| user(row, 0))
        })
    }

    async fn users_by_address(&self, prefix: &str, after: Option<&str>, limit: u32) -> Result<Vec<User>, StoreError> {
        let high = format!("{prefix}{}", char::MAX);
        again!(self, async {
            let bounds: [&(dyn tokio_postgres::types::ToSql + Sync); 4] =
                [&prefix, &high, &after.unwrap_or_default(), &i64::from(limit)];
            all(&connection(&self.pool).await?.query(BY_ADDRESS, &bounds).await?, |row| user(row, 0))
        })
    }

    async fn note_failure(&self, id: Option<UserId>, entry: AuditEntry) -> Result<u32, StoreError> {
        // Nobody's id is looked for as well: the same work.
        let account = Id(id.map_or([0; 16], |id| *id.as_bytes()));
        again!(self, async {
            let transaction = Transaction::begin(&self.pool).await?;
            let sql = "UPDATE password SET failures = least(failures + 1, 1000) WHERE account = $1 RETURNING failures";
            let row = transaction.optional(sql, &[&account]).await?;
            audit::insert(&transaction, &entry).await?;
            transaction.commit().await?;
            let failures = row.map(|row| row.try_get::<_, i32>(0)).transpose()?;
            Ok(failures.unwrap_or_default().unsigned_abs())
        })
    }

    async fn clear_failures(&self, id: UserId) -> Result<(), StoreError> {
        again!(self, async {
            let sql = "UPDATE password SET failures = 0 WHERE account = $1";
            // Done twice it is done once.
            connection(&self.pool).await?.execute(sql, &[&Id(*id.as_bytes())]).await?;
            Ok(())
        })
    }

    async fn unlock(&self, id: UserId, entry: AuditEntry) -> Result<bool, StoreError> {
        let sql = "WITH codes AS (UPDATE totp SET failures = 0 WHERE account = $1) \
                   UPDATE password SET failures = 0 WHERE account = $1";
        self.changed(sql, id, &entry).await
    }

    async fn unban(&self, id: UserId, entry: AuditEntry) -> Result<bool, StoreError> {
        let sql = "UPDATE account SET banned_at = NULL, ban_reason = NULL, banned_until = NULL \
                   WHERE id = $1 AND banned_at IS NOT NULL";
        self.changed(sql, id, &entry).await
    }

    async fn unban_from(&self, id: UserId, reason: String, entry: AuditEntry) -> Result<bool, StoreError> {
        again!(self, async {
            let transaction = Transaction::begin(&self.pool).await?;
            let sql = "UPDATE account SET banned_at = NULL, ban_reason = NULL, banned_until = NULL \
                       WHERE id = $1 AND banned_at IS NOT NULL AND ban_reason = $2";
            if transaction.execute(sql, &[&Id(*id.as_bytes()), &reason]).await? == 0 {
                return transaction.undo(false).await;
            }
            audit::insert(&transaction, &entry).await?;
            transaction.commit().await?;
            Ok(true)
        })
    }

    async fn any_with_role(&self, role: &Role) -> Result<bool, StoreError> {
        again!(self, async {
            let row = connection(&self.pool).await?.one(ANY_WITH_ROLE, &[&role.as_str()]).await?;
            Ok(row.try_get(0)?)
        })
    }
}

impl PostgresStore {
    /// One change of one account, written down if it was one.
    async fn changed(&self, sql: &'static str, user: UserId, entry: &AuditEntry) -> Result<bool, StoreError> {
        again!(self, async {
            let transaction = Transaction::begin(&self.pool).await?;
            if transaction.execute(sql, &[&Id(*user.as_bytes())]).await? == 0 {
                return transaction.undo(false).await;
            }
            audit::insert(&transaction, entry).await?;
            transaction.commit().await?;
            Ok(true)
        })
    }

    async fn import_once(
        &self,
        accounts: &[ImportedAccount],
        most: Option<u32>,
        entry: &AuditEntry,
    ) -> Result<Vec<ImportOutcome>, Failure> {
        let transaction = Transaction::begin(&self.pool).await?;
        let full = beyond(&transaction, accounts, most).await?;
        let fit: Vec<&ImportedAccount> =
            accounts.iter().filter(|account| !full.contains(account.user.id.as_bytes())).collect();
        let made = insert_accounts(&transaction, &fit).await?;
        let outcome = |account: &ImportedAccount| match account.user.id.as_bytes() {
            id if made.contains(id) => ImportOutcome::Done,
            id if full.contains(id) => ImportOutcome::Full,
            _ => ImportOutcome::AlreadyThere,
        };
        let outcomes = accounts.iter().map(outcome).collect();
        if made.is_empty() {
            return transaction.undo(outcomes).await;
        }
        let is_made = |account: &&ImportedAccount| made.contains(account.user.id.as_bytes());
        let (ids, hashes): (Vec<Id>, Vec<&str>) = accounts
            .iter()
            .filter(is_made)
            .map(|account| (Id(*account.user.id.as_bytes()), account.hash.as_str()))
            .unzip();
        let sql = "INSERT INTO password (account, hash, failures) \
                   SELECT account, hash, 0 FROM unnest($1::uuid[], $2::text[]) AS new (account, hash)";
        transaction.execute(sql, &[&ids, &hashes]).await?;
        let detail = imported_detail(accounts.iter().filter(is_made).map(|account| &account.user));
        audit::insert(&transaction, &AuditEntry { detail, ..entry.clone() }).await?;
        transaction.commit().await?;
        Ok(outcomes)
    }

    async fn register_once(&self, new: &NewAccount, entry: &AuditEntry) -> Result<Registered, Failure> {
        let transaction = Transaction::begin(&self.pool).await?;
        let account = &new.user;
        let mut roles = account.roles.clone();
        // The invitation first: whoever has none learns nothing about who has an account.
        if let Some(hash) = &new.invite {
            let hash = hash.as_slice();
            transaction.optional(ONE_BY_ONE, &[]).await?;
            let Some(row) = transaction.optional(GOOD_INVITE, &[&hash, &entry.at.as_millis()]).await? else {
                return transaction.undo(Registered::InviteInvalid).await;
            };
            roles.extend(row.try_get::<_, Option<&str>>(0)?.and_then(Role::parse));
            transaction.execute("DELETE FROM invite WHERE hash = $1", &[&hash]).await?;
        }
        // Before the address: whether it is free is nobody's business where nobody gets in.
        if room(&transaction, new.most).await? == Some(0) {
            return transaction.undo(Registered::Full).await;
        }
        let key = Id(*account.id.as_bytes());
        let sql = "INSERT INTO account (id, email, email_key, name, roles, claims_version, created_at) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (email_key) DO NOTHING";
        let made = transaction
            .execute(
                sql,
                &[
                    &key,
                    &account.email.as_str(),
                    &account.email.key(),
                    &account.name,
                    &roles_column(&roles),
                    &account.claims_version.cast_signed(),
                    &account.created_at.as_millis(),
                ],
            )
            .await?;
        if made == 0 {
            return transaction.undo(Registered::EmailTaken).await;
        }
        let sql = "INSERT INTO password (account, hash, failures) VALUES ($1, $2, 0)";
        transaction.execute(sql, &[&key, &new.hash]).await?;
        if let Some(passkey) = &new.passkey
            && factors::add_passkey(&transaction, passkey).await? != Changed::Done
        {
            return transaction.undo(Registered::PasskeyTaken).await;
        }
        audit::insert(&transaction, entry).await?;
        transaction.commit().await?;
        Ok(Registered::Done)
    }
}

/// Counts accounts, and no further than is asked.
async fn count(connection: &Connection, most: u32) -> Result<u32, Failure> {
    let sql = "SELECT count(*) FROM (SELECT 1 FROM account WHERE deleted_at IS NULL LIMIT $1) AS counted";
    let counted: i64 = connection.one(sql, &[&i64::from(most)]).await?.try_get(0)?;
    Ok(u32::try_from(counted).unwrap_or(most))
}

/// For how many more accounts there is room, if there is an end to it. From here on nobody else makes any before this transaction is over.
async fn room(transaction: &Transaction, most: Option<u32>) -> Result<Option<u32>, Failure> {
    let Some(most) = most else { return Ok(None) };
    transaction.optional(ONE_BY_ONE, &[]).await?;
    Ok(Some(most - count(transaction, most).await?))
}

/// Those of the accounts that are too many.
async fn beyond(
    transaction: &Transaction,
    accounts: &[ImportedAccount],
    most: Option<u32>,
) -> Result<HashSet<[u8; 16]>, Failure> {
    let Some(mut room) = room(transaction, most).await? else { return Ok(HashSet::new()) };
    let keys: Vec<String> = accounts.iter().map(|account| account.user.email.key()).collect();
    let rows = transaction.query("SELECT email_key FROM account WHERE email_key = ANY($1)", &[&keys]).await?;
    let mut taken: HashSet<String> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
    let mut full = HashSet::new();
    for (account, key) in accounts.iter().zip(keys) {
        if taken.contains(&key) {
            continue;
        }
        if room == 0 {
            full.insert(*account.user.id.as_bytes());
        } else {
            room -= 1;
            taken.insert(key);
        }
    }
    Ok(full)
}

/// Inserts those whose address is free, and says which.
async fn insert_accounts(
    transaction: &Transaction,
    accounts: &[&ImportedAccount],
) -> Result<HashSet<[u8; 16]>, Failure> {
    let users = || accounts.iter().map(|account| &account.user);
    let bans = || users().map(|user| user.banned.as_ref());
    let ids: Vec<Id> = users().map(|user| Id(*user.id.as_bytes())).collect();
    let emails: Vec<&str> = users().map(|user| user.email.as_str()).collect();
    let keys: Vec<String> = users().map(|user| user.email.key()).collect();
    let names: Vec<Option<&str>> = users().map(|user| user.name.as_deref()).collect();
    let roles: Vec<String> = users().map(|user| roles_column(&user.roles)).collect();
    let versions: Vec<i32> = users().map(|user| user.claims_version.cast_signed()).collect();
    let created: Vec<i64> = users().map(|user| user.created_at.as_millis()).collect();
    let banned: Vec<Option<i64>> = bans().map(|ban| ban.map(|ban| ban.at.as_millis())).collect();
    let reasons: Vec<Option<&str>> = bans().map(|ban| ban.map(|ban| ban.reason.as_str())).collect();
    let elsewhere: Vec<Option<&str>> = accounts.iter().map(|account| account.external_id.as_deref()).collect();
    let rows = transaction
        .query(IMPORT, &[&ids, &emails, &keys, &names, &roles, &versions, &created, &banned, &reasons, &elsewhere])
        .await?;
    rows.iter().map(|row| Ok(row.try_get::<_, Id>(0)?.0)).collect()
}

pub(super) fn credential(row: &Row) -> Result<Credential, Failure> {
    Ok(Credential {
        user: user(row, 0)?,
        hash: row.try_get(USER_COLUMNS)?,
        failures: row.try_get::<_, i32>(USER_COLUMNS + 1)?.unsigned_abs(),
    })
}
