//! Invitations.

use super::row::{all, time};
use super::writer::Failure;
use super::{SqliteStore, audit};
use crate::store::StoreError;
use crate::store::invites::{Invite, Invites};
use async_trait::async_trait;
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::user::Role;
use counterfoil_core::{Timestamp, UserId};
use rusqlite::{Row, params};

#[async_trait]
impl Invites for SqliteStore {
    async fn invite(&self, invite: Invite, entry: AuditEntry) -> Result<(), StoreError> {
        self.writer
            .write(move |connection| {
                let sql = "INSERT INTO invite (hash, role, note, issuer, bootstrap, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
                connection.prepare_cached(sql)?.execute(params![
                    invite.hash,
                    invite.role.as_ref().map(Role::as_str),
                    invite.note,
                    invite.issuer.as_ref().map(UserId::as_bytes),
                    invite.bootstrap,
                    invite.expires_at.as_millis()
                ])?;
                audit::insert(connection, &entry)
            })
            .await
    }

    async fn invites(&self, now: Timestamp) -> Result<Vec<Invite>, StoreError> {
        self.readers.read(|connection| {
            let sql = "SELECT hash, role, note, issuer, bootstrap, expires_at FROM invite WHERE expires_at > ?1 AND NOT bootstrap \
                       ORDER BY expires_at, hash";
            all(connection.prepare_cached(sql)?.query([now.as_millis()])?, invite)
        })
    }

    async fn withdraw_invite(&self, hash: [u8; 32], entry: AuditEntry) -> Result<bool, StoreError> {
        self.writer
            .write(move |connection| {
                let removed = connection.prepare_cached("DELETE FROM invite WHERE hash = ?1")?.execute([hash])?;
                if removed == 1 {
                    audit::insert(connection, &entry)?;
                }
                Ok(removed == 1)
            })
            .await
    }
}

fn invite(row: &Row<'_>) -> Result<Invite, Failure> {
    let corrupt = Failure::Store(StoreError::Corrupt { table: "invite", column: "role" });
    let role: Option<String> = row.get(1)?;
    let role = role.map(|role| Role::parse(&role).ok_or(corrupt)).transpose()?;
    Ok(Invite {
        hash: row.get(0)?,
        role,
        note: row.get(2)?,
        issuer: row.get::<_, Option<[u8; 16]>>(3)?.map(UserId::from_bytes),
        bootstrap: row.get(4)?,
        expires_at: time(row.get(5)?),
    })
}
