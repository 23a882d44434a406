//! Services, and what has been used up.

use super::row::{all, time};
use super::writer::Failure;
use super::{SqliteStore, audit};
use crate::store::{Client, ClientProof, Clients, StoreError};
use async_trait::async_trait;
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::{ClientName, Sid, Timestamp};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

#[async_trait]
impl Clients for SqliteStore {
    async fn clients(&self) -> Result<Vec<Client>, StoreError> {
        self.readers.read(|connection| {
            let sql = "SELECT name, sid, secret_hash, jwks, created_at FROM client ORDER BY name";
            all(connection.prepare_cached(sql)?.query([])?, client)
        })
    }

    async fn add_client(&self, new: Client, entry: AuditEntry) -> Result<bool, StoreError> {
        self.writer
            .write(move |connection| {
                let (hash, jwks) = columns(&new.proof);
                let sql = "INSERT INTO client (name, sid, secret_hash, jwks, created_at) VALUES (?1, ?2, ?3, ?4, ?5) \
                           ON CONFLICT (name) DO NOTHING";
                let row = params![new.name.as_str(), new.sid.as_bytes(), hash, jwks, new.created_at.as_millis()];
                let added = connection.prepare_cached(sql)?.execute(row)?;
                if added == 1 {
                    audit::insert(connection, &entry)?;
                }
                Ok(added == 1)
            })
            .await
    }

    async fn renew_client(&self, name: ClientName, proof: ClientProof, entry: AuditEntry) -> Result<bool, StoreError> {
        self.writer
            .write(move |connection| {
                let (hash, jwks) = columns(&proof);
                let sql = "UPDATE client SET secret_hash = ?2, jwks = ?3 WHERE name = ?1";
                let renewed = connection.prepare_cached(sql)?.execute(params![name.as_str(), hash, jwks])?;
                if renewed == 1 {
                    audit::insert(connection, &entry)?;
                }
                Ok(renewed == 1)
            })
            .await
    }

    async fn spend(&self, what: [u8; 32], now: Timestamp, until: Timestamp) -> Result<bool, StoreError> {
        self.writer
            .write(move |connection| {
                // Two go for one that comes: the table holds minutes, whatever the load.
                let sql =
                    "DELETE FROM spent WHERE what IN (SELECT what FROM spent WHERE until <= ?1 ORDER BY until LIMIT 2)";
                connection.prepare_cached(sql)?.execute([now.as_millis()])?;
                let sql = "INSERT INTO spent (what, until) VALUES (?1, ?2) \
                           ON CONFLICT (what) DO UPDATE SET until = excluded.until WHERE until <= ?3";
                Ok(connection.prepare_cached(sql)?.execute(params![what, until.as_millis(), now.as_millis()])? == 1)
            })
            .await
    }

    async fn is_spent(&self, what: [u8; 32], now: Timestamp) -> Result<bool, StoreError> {
        self.readers.read(|connection| {
            let sql = "SELECT EXISTS (SELECT 1 FROM spent WHERE what = ?1 AND until > ?2)";
            Ok(connection.prepare_cached(sql)?.query_row(params![what, now.as_millis()], |row| row.get(0))?)
        })
    }
}

fn columns(proof: &ClientProof) -> (Option<&[u8]>, Option<&str>) {
    match proof {
        ClientProof::Secret(hash) => (Some(hash.as_slice()), None),
        ClientProof::Keys(jwks) => (None, Some(jwks.as_str())),
    }
}

/// Takes a service out and returns the session on which its tokens hang.
pub(super) fn remove(connection: &Connection, name: &ClientName) -> Result<Option<Sid>, Failure> {
    let sql = "DELETE FROM stream_subject WHERE stream IN (SELECT id FROM stream WHERE client = ?1)";
    connection.prepare_cached(sql)?.execute([name.as_str()])?;
    connection.prepare_cached("DELETE FROM stream WHERE client = ?1")?.execute([name.as_str()])?;
    let mut delete = connection.prepare_cached("DELETE FROM client WHERE name = ?1 RETURNING sid")?;
    Ok(delete.query_row([name.as_str()], |row| row.get(0)).optional()?.map(Sid::from_bytes))
}

fn client(row: &Row<'_>) -> Result<Client, Failure> {
    const CORRUPT: Failure = Failure::Store(StoreError::Corrupt { table: "client", column: "name" });
    let name = row.get::<_, String>(0)?.parse().map_err(|_| CORRUPT)?;
    let proof = match (row.get::<_, Option<[u8; 32]>>(2)?, row.get(3)?) {
        (Some(hash), None) => ClientProof::Secret(hash),
        (None, Some(jwks)) => ClientProof::Keys(jwks),
        _ => return Err(CORRUPT),
    };
    Ok(Client { name, sid: Sid::from_bytes(row.get(1)?), proof, created_at: time(row.get(4)?) })
}
