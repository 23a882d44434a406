//! Invitations.

use super::id::Id;
use super::row::{all, corrupt, optional_id, time};
use super::transact::{Failure, Transaction, again, connection};
use super::{PostgresStore, audit};
use crate::store::StoreError;
use crate::store::invites::{Invite, Invites};
use async_trait::async_trait;
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::user::Role;
use counterfoil_core::{Timestamp, UserId};
use tokio_postgres::Row;

#[async_trait]
impl Invites for PostgresStore {
    async fn invite(&self, invite: Invite, entry: AuditEntry) -> Result<(), StoreError> {
        again!(self, async {
            let transaction = Transaction::begin(&self.pool).await?;
            let sql =
                "INSERT INTO invite (hash, role, note, issuer, bootstrap, expires_at) VALUES ($1, $2, $3, $4, $5, $6)";
            let issuer = invite.issuer.map(|issuer| Id(*issuer.as_bytes()));
            let role = invite.role.as_ref().map(Role::as_str);
            let (hash, until) = (invite.hash.as_slice(), invite.expires_at.as_millis());
            transaction.execute(sql, &[&hash, &role, &invite.note, &issuer, &invite.bootstrap, &until]).await?;
            audit::insert(&transaction, &entry).await?;
            transaction.commit().await
        })
    }

    async fn invites(&self, now: Timestamp) -> Result<Vec<Invite>, StoreError> {
        again!(self, async {
            let sql = "SELECT hash, role, note, issuer, bootstrap, expires_at FROM invite WHERE expires_at > $1 AND NOT bootstrap \
                       ORDER BY expires_at, hash";
            all(&connection(&self.pool).await?.query(sql, &[&now.as_millis()]).await?, invite)
        })
    }

    async fn withdraw_invite(&self, hash: [u8; 32], entry: AuditEntry) -> Result<bool, StoreError> {
        again!(self, async {
            let transaction = Transaction::begin(&self.pool).await?;
            if transaction.execute("DELETE FROM invite WHERE hash = $1", &[&hash.as_slice()]).await? == 0 {
                return transaction.undo(false).await;
            }
            audit::insert(&transaction, &entry).await?;
            transaction.commit().await?;
            Ok(true)
        })
    }
}

fn invite(row: &Row) -> Result<Invite, Failure> {
    let role = row.try_get::<_, Option<&str>>(1)?;
    Ok(Invite {
        hash: row.try_get::<_, &[u8]>(0)?.try_into().map_err(|_| corrupt("invite", "hash"))?,
        role: role.map(|role| Role::parse(role).ok_or_else(|| corrupt("invite", "role"))).transpose()?,
        note: row.try_get(2)?,
        issuer: optional_id(row, 3)?.map(UserId::from_bytes),
        bootstrap: row.try_get(4)?,
        expires_at: time(row, 5)?,
    })
}
