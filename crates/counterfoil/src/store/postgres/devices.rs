//! The keys of browsers.

use super::connect::Params;
use super::id::Id;
use super::transact::{Failure, Transaction, again};
use super::{PostgresStore, audit};
use crate::store::columns::thumbprint;
use crate::store::{Devices, StoreError};
use async_trait::async_trait;
use counterfoil_core::Sid;
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::device::DeviceKey;

const REGISTER: &str = "\
    UPDATE session SET device_key = $2 WHERE sid = $1 AND ended_at IS NULL AND device_key IS NULL AND bound_to IS NULL";

const BIND: &str = "\
    UPDATE session SET bound_to = $3 WHERE sid = $1 AND ended_at IS NULL AND device_key = $2 AND bound_to IS NULL";

const REFUSE: &str = "UPDATE session SET copy_refused_at = $2 WHERE sid = $1 AND ended_at IS NULL";

#[async_trait]
impl Devices for PostgresStore {
    async fn register_device(&self, sid: Sid, key: DeviceKey, entry: AuditEntry) -> Result<bool, StoreError> {
        again!(self, async {
            self.written(REGISTER, &[&Id(*sid.as_bytes()), &key.as_bytes().as_slice()], &entry).await
        })
    }

    async fn bind_device(&self, sid: Sid, key: DeviceKey, entry: AuditEntry) -> Result<bool, StoreError> {
        let thumbprint = thumbprint(&key)?;
        let (sid, key, thumbprint) = (Id(*sid.as_bytes()), key.as_bytes().as_slice(), thumbprint.as_slice());
        again!(self, async { self.written(BIND, &[&sid, &key, &thumbprint], &entry).await })
    }

    async fn refuse_copy(&self, sid: Sid, entry: AuditEntry) -> Result<bool, StoreError> {
        again!(self, async { self.written(REFUSE, &[&Id(*sid.as_bytes()), &entry.at.as_millis()], &entry).await })
    }
}

impl PostgresStore {
    /// One change of one session, written down if it was one.
    async fn written(&self, sql: &'static str, params: Params<'_>, entry: &AuditEntry) -> Result<bool, Failure> {
        let transaction = Transaction::begin(&self.pool).await?;
        if transaction.execute(sql, params).await? == 0 {
            return transaction.undo(false).await;
        }
        audit::insert(&transaction, entry).await?;
        transaction.commit().await?;
        Ok(true)
    }
}
