//! How values stand in columns, whatever the engine.

use counterfoil_core::refresh::rotation::Parent;
use counterfoil_core::user::Role;
use counterfoil_guard::Target;
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
