//! The keys of browsers, as the seam sees them.

use super::StoreError;
use async_trait::async_trait;
use counterfoil_core::Sid;
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::device::DeviceKey;

/// The keys of browsers.
#[async_trait]
pub trait Devices {
    /// Notes the key that a browser has registered for a live session; `false`, and nothing done, if the session has one already.
    async fn register_device(&self, sid: Sid, key: DeviceKey, audit: AuditEntry) -> Result<bool, StoreError>;
    /// From now on this key, which must be the one registered, is asked for; `false`, and nothing done, if it has been or is not.
    async fn bind_device(&self, sid: Sid, key: DeviceKey, audit: AuditEntry) -> Result<bool, StoreError>;
    /// Notes that somebody came with a live session's refresh token and without its key.
    async fn refuse_copy(&self, sid: Sid, audit: AuditEntry) -> Result<bool, StoreError>;
}
