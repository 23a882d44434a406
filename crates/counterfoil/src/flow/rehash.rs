//! After a sign-in with an imported password hash: one of ours takes its place, with Argon2id and the pepper.

use super::Caller;
use crate::app::App;
use counterfoil_core::Secret;
use counterfoil_core::audit::{Actor, AuditEntry, Event};
use counterfoil_core::credential::password::Password;
use counterfoil_core::user::User;

/// Replaces the hash that has just been checked, if it is still there, and returns the new one. The old one has counted by then; so
/// nothing that goes wrong here undoes the sign-in, and the next one tries again.
pub(super) async fn rehash(
    app: &App,
    user: &User,
    (password, old): (&Secret<String>, String),
    caller: &Caller,
) -> Option<String> {
    let password = Password::new(password).ok()?;
    let new = match app.hasher.hash(password).await {
        Ok(new) => new,
        Err(error) => {
            tracing::warn!(%error, "an imported password hash stays until the next sign-in");
            return None;
        }
    };
    let entry = caller.audit(Event::PasswordRehashed, Actor::User(user.id), app.clock.now());
    let entry = AuditEntry { user: Some(user.id), ..entry };
    // `false`: another sign-in has done it, or the password has been changed.
    match app.store.replace_hash(user.id, old, new.clone(), entry).await {
        Ok(replaced) => replaced.then_some(new),
        Err(error) => {
            tracing::warn!(%error, "an imported password hash stays until the next sign-in");
            None
        }
    }
}
