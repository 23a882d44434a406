//! How values stand in columns, whatever the engine.

use super::StoreError;
use counterfoil_core::device::DeviceKey;
use counterfoil_core::refresh::rotation::Parent;
use counterfoil_core::session::Binding;
use counterfoil_core::user::Role;
use counterfoil_guard::Target;
use counterfoil_guard::dpop::Thumbprint;
use std::time::Duration;

/// Roles as they are stored.
pub(super) fn roles_column(roles: &[Role]) -> String {
    roles.iter().map(Role::as_str).collect::<Vec<_>>().join(",")
}

/// Roles out of their column; `None` where no version of this program writes such a text.
pub(super) fn parse_roles(text: &str) -> Option<Vec<Role>> {
    text.split(',').filter(|role| !role.is_empty()).map(Role::parse).collect()
}

/// The parent as it is stored.
pub(super) fn parent_column(parent: Parent) -> Option<Vec<u8>> {
    match parent {
        Parent::None => None,
        Parent::Any => Some(Vec::new()),
        Parent::Nonce(nonce) => Some(nonce.as_bytes().to_vec()),
    }
}

/// The thumbprint of a browser's key.
pub(super) fn thumbprint(key: &DeviceKey) -> Result<Thumbprint, StoreError> {
    key.thumbprint().ok_or(StoreError::Corrupt { table: "session", column: "device_key" })
}

/// A binding as it is stored: `bound_to`, `device_key`.
pub(super) fn binding_columns(binding: &Binding) -> Result<(Option<Thumbprint>, Option<&[u8]>), StoreError> {
    Ok(match binding {
        Binding::None => (None, None),
        Binding::Dpop(key) => (Some(*key), None),
        Binding::Registered(key) => (None, Some(key.as_bytes())),
        Binding::Device(key) => (Some(thumbprint(key)?), Some(key.as_bytes())),
    })
}

/// A binding out of its columns; `None` where no version of this program writes such values.
pub(super) fn parse_binding(bound_to: Option<&[u8]>, device_key: Option<&[u8]>) -> Option<Binding> {
    let bound_to: Option<Thumbprint> = bound_to.map(TryInto::try_into).transpose().ok()?;
    let Some(key) = device_key else { return Some(bound_to.map_or(Binding::None, Binding::Dpop)) };
    let key = DeviceKey::from_bytes(key)?;
    Some(if bound_to.is_some() { Binding::Device(key) } else { Binding::Registered(key) })
}

/// A span as it is stored.
pub(super) fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// What an entry of the log hits: `kind`, `target`, `version`.
pub(super) fn target_columns(what: &Target) -> (&'static str, &[u8], u32) {
    match what {
        Target::Session(sid) => ("session", sid.as_bytes(), 0),
        Target::Token(jti) => ("token", jti.as_bytes(), 0),
        Target::Key(kid) => ("key", kid.as_str().as_bytes(), 0),
        Target::Stale(sid, version) => ("stale", sid.as_bytes(), *version),
    }
}
