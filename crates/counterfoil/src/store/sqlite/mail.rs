//! Links by mail, and addresses.

use super::SqliteStore;
use super::audit;
use super::writer::Failure;
use crate::store::StoreError;
use crate::store::mail::{EmailChanged, MailLink, MailLinks};
use async_trait::async_trait;
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::credential::mail_link::Purpose;
use counterfoil_core::user::Email;
use counterfoil_core::{Timestamp, UserId};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

#[async_trait]
impl MailLinks for SqliteStore {
    async fn keep_mail_link(&self, link: MailLink) -> Result<(), StoreError> {
        self.writer
            .write_one(move |connection| {
                let sql =
                    "INSERT INTO mail_link (hash, purpose, account, sealed, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)";
                let account = link.user.as_ref().map(UserId::as_bytes);
                let (purpose, until) = (link.purpose.as_str(), link.expires_at.as_millis());
                Ok(connection.prepare_cached(sql)?.execute(params![link.hash, purpose, account, link.sealed, until])?)
            })
            .await
            .map(|_| ())
    }

    async fn mail_link(
        &self,
        hash: [u8; 32],
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<Option<MailLink>, StoreError> {
        self.readers.read(|connection| {
            let sql = "SELECT account, sealed, expires_at FROM mail_link \
                       WHERE hash = ?1 AND purpose = ?2 AND expires_at > ?3";
            find(connection, sql, (hash, purpose, now))
        })
    }

    async fn take_mail_link(
        &self,
        hash: [u8; 32],
        purpose: Purpose,
        now: Timestamp,
    ) -> Result<Option<MailLink>, StoreError> {
        self.writer
            .write(move |connection| {
                let sql = "DELETE FROM mail_link WHERE hash = ?1 AND purpose = ?2 AND expires_at > ?3 \
                           RETURNING account, sealed, expires_at";
                let taken = find(connection, sql, (hash, purpose, now))?;
                if let Some(user) = taken.as_ref().and_then(|link| link.user) {
                    let sql = "DELETE FROM mail_link WHERE account = ?1 AND purpose = ?2";
                    connection.prepare_cached(sql)?.execute(params![user.as_bytes(), purpose.as_str()])?;
                }
                Ok(taken)
            })
            .await
    }

    async fn change_email(
        &self,
        id: UserId,
        (from, to): (Email, Email),
        entry: AuditEntry,
    ) -> Result<EmailChanged, StoreError> {
        self.writer
            .write(move |connection| {
                let taken = "SELECT EXISTS (SELECT 1 FROM account WHERE email_key = ?1 AND id <> ?2)";
                let taken: bool =
                    connection.prepare_cached(taken)?.query_row(params![to.key(), id.as_bytes()], |row| row.get(0))?;
                if taken {
                    return Ok(EmailChanged::Taken);
                }
                let sql = "UPDATE account SET email = ?3, email_key = ?4 WHERE id = ?1 AND email_key = ?2 AND deleted_at IS NULL";
                let values = params![id.as_bytes(), from.key(), to.as_str(), to.key()];
                if connection.prepare_cached(sql)?.execute(values)? == 0 {
                    return Ok(EmailChanged::Unknown);
                }
                connection.prepare_cached("DELETE FROM mail_link WHERE account = ?1")?.execute([id.as_bytes()])?;
                audit::insert(connection, &entry)?;
                Ok(EmailChanged::Done)
            })
            .await
    }
}

fn find(
    connection: &Connection,
    sql: &str,
    (hash, purpose, now): ([u8; 32], Purpose, Timestamp),
) -> Result<Option<MailLink>, Failure> {
    let read = |row: &Row<'_>| {
        let user = row.get::<_, Option<[u8; 16]>>(0)?.map(UserId::from_bytes);
        let expires_at = Timestamp::from_millis(row.get(2)?);
        Ok(MailLink { hash, purpose, user, sealed: row.get(1)?, expires_at })
    };
    let values = params![hash, purpose.as_str(), now.as_millis()];
    Ok(connection.prepare_cached(sql)?.query_row(values, read).optional()?)
}
