//! Services, and what has been used up.

use super::guards::CHANGED;
use super::id::Id;
use super::row::{all, corrupt, id, time};
use super::transact::{Failure, Transaction, again, committing, connection};
use super::{PostgresStore, audit};
use crate::store::{Client, ClientProof, Clients, StoreError};
use async_trait::async_trait;
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::{ClientName, Sid, Timestamp};
use tokio_postgres::Row;

/// Two go for one that comes: the table holds minutes, whatever the load.
const SPEND: &str = "\
    WITH past AS (DELETE FROM spent WHERE what IN (SELECT what FROM spent WHERE until <= $2 AND what <> $1 ORDER BY until LIMIT 2 \
        FOR UPDATE SKIP LOCKED)) \
    INSERT INTO spent AS old (what, until) VALUES ($1, $3) \
      ON CONFLICT (what) DO UPDATE SET until = excluded.until WHERE old.until <= $2";

#[async_trait]
impl Clients for PostgresStore {
    async fn clients(&self) -> Result<Vec<Client>, StoreError> {
        again!(self, async {
            let sql = "SELECT name, sid, secret_hash, jwks, created_at FROM client ORDER BY name";
            all(&connection(&self.pool).await?.query(sql, &[]).await?, client)
        })
    }

    async fn add_client(&self, new: Client, entry: AuditEntry) -> Result<bool, StoreError> {
        again!(self, async {
            let transaction = Transaction::begin(&self.pool).await?;
            let (hash, jwks) = columns(&new.proof);
            let sql = "INSERT INTO client (name, sid, secret_hash, jwks, created_at) VALUES ($1, $2, $3, $4, $5) \
                       ON CONFLICT (name) DO NOTHING";
            let (sid, at) = (Id(*new.sid.as_bytes()), new.created_at.as_millis());
            if transaction.execute(sql, &[&new.name.as_str(), &sid, &hash, &jwks, &at]).await? == 0 {
                return transaction.undo(false).await;
            }
            audit::insert(&transaction, &entry).await?;
            transaction.execute(CHANGED, &[]).await?;
            transaction.commit_with_news().await?;
            Ok(true)
        })
    }

    async fn renew_client(&self, name: ClientName, proof: ClientProof, entry: AuditEntry) -> Result<bool, StoreError> {
        again!(self, async {
            let transaction = Transaction::begin(&self.pool).await?;
            let (hash, jwks) = columns(&proof);
            let sql = "UPDATE client SET secret_hash = $2, jwks = $3 WHERE name = $1";
            if transaction.execute(sql, &[&name.as_str(), &hash, &jwks]).await? == 0 {
                return transaction.undo(false).await;
            }
            audit::insert(&transaction, &entry).await?;
            transaction.execute(CHANGED, &[]).await?;
            transaction.commit_with_news().await?;
            Ok(true)
        })
    }

    async fn spend(&self, what: [u8; 32], now: Timestamp, until: Timestamp) -> Result<bool, StoreError> {
        again!(self, async {
            let connection = connection(&self.pool).await?;
            let what = what.as_slice();
            let spent = connection.execute(SPEND, &[&what, &now.as_millis(), &until.as_millis()]).await;
            let spent = spent.map_err(committing)?;
            if connection.is_doubtful() { Err(Failure::Doubtful) } else { Ok(spent == 1) }
        })
    }

    async fn is_spent(&self, what: [u8; 32], now: Timestamp) -> Result<bool, StoreError> {
        again!(self, async {
            let sql = "SELECT EXISTS (SELECT 1 FROM spent WHERE what = $1 AND until > $2)";
            let row = connection(&self.pool).await?.one(sql, &[&what.as_slice(), &now.as_millis()]).await?;
            Ok(row.try_get(0)?)
        })
    }
}

fn columns(proof: &ClientProof) -> (Option<&[u8]>, Option<&str>) {
    match proof {
        ClientProof::Secret(hash) => (Some(hash.as_slice()), None),
        ClientProof::Keys(jwks) => (None, Some(jwks.as_str())),
    }
}

/// Takes a service out, with its event streams, and returns the session on which its tokens hang.
pub(super) async fn remove(transaction: &Transaction, name: &ClientName) -> Result<Option<Sid>, Failure> {
    let row = transaction.optional("DELETE FROM client WHERE name = $1 RETURNING sid", &[&name.as_str()]).await?;
    let Some(row) = row else { return Ok(None) };
    let streams = "WITH gone AS (DELETE FROM stream WHERE client = $1 RETURNING id) \
                   DELETE FROM stream_subject s USING gone WHERE s.stream = gone.id";
    transaction.execute(streams, &[&name.as_str()]).await?;
    transaction.execute(CHANGED, &[]).await?;
    Ok(Some(Sid::from_bytes(id(&row, 0)?)))
}

fn client(row: &Row) -> Result<Client, Failure> {
    let name = row.try_get::<_, &str>(0)?.parse().map_err(|_| corrupt("client", "name"))?;
    let proof = match (row.try_get::<_, Option<&[u8]>>(2)?, row.try_get(3)?) {
        (Some(hash), None) => ClientProof::Secret(hash.try_into().map_err(|_| corrupt("client", "secret_hash"))?),
        (None, Some(jwks)) => ClientProof::Keys(jwks),
        _ => return Err(corrupt("client", "secret_hash")),
    };
    Ok(Client { name, sid: Sid::from_bytes(id(row, 1)?), proof, created_at: time(row, 4)? })
}
