//! The keys of browsers.

use super::writer::Failure;
use super::{SqliteStore, audit};
use crate::store::columns::thumbprint;
use crate::store::{Devices, StoreError};
use async_trait::async_trait;
use counterfoil_core::Sid;
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::device::DeviceKey;
use rusqlite::{Connection, Params, params};

#[async_trait]
impl Devices for SqliteStore {
    async fn register_device(&self, sid: Sid, key: DeviceKey, entry: AuditEntry) -> Result<bool, StoreError> {
        let sql = "UPDATE session SET device_key = ?2 \
                   WHERE sid = ?1 AND ended_at IS NULL AND device_key IS NULL AND bound_to IS NULL";
        let change = move |connection: &Connection| {
            written(connection, sql, params![sid.as_bytes(), key.as_bytes().as_slice()], &entry)
        };
        self.writer.write(change).await
    }

    async fn bind_device(&self, sid: Sid, key: DeviceKey, entry: AuditEntry) -> Result<bool, StoreError> {
        let sql = "UPDATE session SET bound_to = ?3 \
                   WHERE sid = ?1 AND ended_at IS NULL AND device_key = ?2 AND bound_to IS NULL";
        let thumbprint = thumbprint(&key)?;
        let change = move |connection: &Connection| {
            written(connection, sql, params![sid.as_bytes(), key.as_bytes().as_slice(), thumbprint], &entry)
        };
        self.writer.write(change).await
    }

    async fn refuse_copy(&self, sid: Sid, entry: AuditEntry) -> Result<bool, StoreError> {
        let sql = "UPDATE session SET copy_refused_at = ?2 WHERE sid = ?1 AND ended_at IS NULL";
        let change = move |connection: &Connection| {
            written(connection, sql, params![sid.as_bytes(), entry.at.as_millis()], &entry)
        };
        self.writer.write(change).await
    }
}

/// One change of one session, written down if it was one.
fn written(connection: &Connection, sql: &str, params: impl Params, entry: &AuditEntry) -> Result<bool, Failure> {
    let changed = connection.prepare_cached(sql)?.execute(params)? == 1;
    if changed {
        audit::insert(connection, entry)?;
    }
    Ok(changed)
}
