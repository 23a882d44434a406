//! Links by mail, and addresses.

use super::id::Id;
use super::row::{optional_id, time};
use super::transact::{Failure, Transaction, again, connection};
use super::{PostgresStore, audit};
use crate::store::StoreError;
use crate::store::mail::{EmailChanged, MailLink, MailLinks};
use async_trait::async_trait;
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::credential::mail_link::Purpose;
use counterfoil_core::user::Email;
use counterfoil_core::{Timestamp, UserId};
use tokio_postgres::Row;
use tokio_postgres::error::SqlState;

const KEEP: &str = "INSERT INTO mail_link (hash, purpose, account, sealed, expires_at) VALUES ($1, $2, $3, $4, $5)";

const FIND: &str =
    "SELECT account, sealed, expires_at FROM mail_link WHERE hash = $1 AND purpose = $2 AND expires_at > $3";

const TAKE: &str = "\
    DELETE FROM mail_link WHERE hash = $1 AND purpose = $2 AND expires_at > $3 RETURNING account, sealed, expires_at";

const MOVE: &str =
    "UPDATE account SET email = $3, email_key = $4 WHERE id = $1 AND email_key = $2 AND deleted_at IS NULL";

const FORGET_OTHERS: &str = "DELETE FROM mail_link WHERE account = $1 AND purpose = $2";

#[async_trait]
impl MailLinks for PostgresStore {
    async fn keep_mail_link(&self, link: MailLink) -> Result<(), StoreError> {
        let account = link.user.map(|user| Id(*user.as_bytes()));
        let (hash, purpose, until) = (link.hash.as_slice(), link.purpose.as_str(), link.expires_at.as_millis());
        again!(self, async {
            let transaction = Transaction::begin(&self.pool).await?;
            transaction.execute(KEEP, &[&hash, &purpose, &account, &link.sealed, &until]).await?;
            transaction.commit().await
        })
    }

    async fn mail_link(
        &self,
        hash: [u8; 32],
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<Option<MailLink>, StoreError> {
        again!(self, async {
            let values: super::connect::Params<'_> = &[&hash.as_slice(), &purpose.as_str(), &now.as_millis()];
            let row = connection(&self.pool).await?.optional(FIND, values).await?;
            row.map(|row| read(&row, hash, purpose)).transpose()
        })
    }

    async fn take_mail_link(
        &self,
        hash: [u8; 32],
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<Option<MailLink>, StoreError> {
        again!(self, async {
            let transaction = Transaction::begin(&self.pool).await?;
            let values: super::connect::Params<'_> = &[&hash.as_slice(), &purpose.as_str(), &now.as_millis()];
            let Some(row) = transaction.optional(TAKE, values).await? else { return transaction.undo(None).await };
            let link = read(&row, hash, purpose)?;
            if let Some(user) = link.user {
                let account = Id(*user.as_bytes());
                transaction.execute(FORGET_OTHERS, &[&account, &purpose.as_str()]).await?;
            }
            transaction.commit().await?;
            Ok(Some(link))
        })
    }

    async fn change_email(
        &self,
        id: UserId,
        (from, to): (Email, Email),
        entry: AuditEntry,
    ) -> Result<EmailChanged, StoreError> {
        again!(self, self.change_email_once(Id(*id.as_bytes()), (&from, &to), &entry))
    }
}

impl PostgresStore {
    async fn change_email_once(
        &self,
        account: Id,
        (from, to): (&Email, &Email),
        entry: &AuditEntry,
    ) -> Result<EmailChanged, Failure> {
        let transaction = Transaction::begin(&self.pool).await?;
        match transaction.execute(MOVE, &[&account, &from.key(), &to.as_str(), &to.key()]).await {
            // Of two accounts that want it at once, one is told so here.
            Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
                return transaction.undo(EmailChanged::Taken).await;
            }
            Ok(0) => {
                let sql = "SELECT 1 FROM account WHERE email_key = $1 AND id <> $2";
                let taken = transaction.optional(sql, &[&to.key(), &account]).await?.is_some();
                return transaction.undo(if taken { EmailChanged::Taken } else { EmailChanged::Unknown }).await;
            }
            changed => changed?,
        };
        transaction.execute("DELETE FROM mail_link WHERE account = $1", &[&account]).await?;
        audit::insert(&transaction, entry).await?;
        transaction.commit().await?;
        Ok(EmailChanged::Done)
    }
}

fn read(row: &Row, hash: [u8; 32], purpose: Purpose) -> Result<MailLink, Failure> {
    let user = optional_id(row, 0)?.map(UserId::from_bytes);
    Ok(MailLink { hash, purpose, user, sealed: row.try_get(1)?, expires_at: time(row, 2)? })
}
