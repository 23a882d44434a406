//! The credentials of guards: who may follow the feed and introspect tokens.

use super::access::carried_through;
use super::administer::Administrator;
use crate::app::App;
use crate::clock::random;
use crate::store::{GuardCredential, StoreError};
use aws_lc_rs::digest::{SHA256, digest};
use counterfoil_core::Secret;
use counterfoil_core::audit::Event;
use counterfoil_guard::base64url_encode;
use std::sync::Arc;

/// What every guard credential begins with.
pub const PREFIX: &str = "cfg_";

/// Makes a credential and returns it, the only time it is seen: just its hash is kept. `None` if the name is taken.
pub async fn add(app: &App, by: &Administrator, name: &str) -> Result<Option<Secret<String>>, StoreError> {
    let credential = Secret::new(format!("{PREFIX}{}", base64url_encode(&random::<32>())));
    let new = GuardCredential { name: name.to_owned(), hash: hash(credential.expose()), created_at: app.clock.now() };
    let entry = by.entry(app, Event::GuardAdded, None, name);
    let (store, parties) = (Arc::clone(&app.store), Arc::clone(&app.parties));
    let kept = carried_through(async move {
        let kept = store.add_guard(new, entry).await?;
        if kept {
            parties.reload(store.as_ref()).await?;
        }
        Ok(kept)
    });
    Ok(kept.await?.then_some(credential))
}

/// Takes a credential back: its guards get no further lease. `false` if there is none of that name.
pub async fn remove(app: &App, by: &Administrator, name: &str) -> Result<bool, StoreError> {
    let entry = by.entry(app, Event::GuardRemoved, None, name);
    let (store, parties, name) = (Arc::clone(&app.store), Arc::clone(&app.parties), name.to_owned());
    carried_through(async move {
        let removed = store.remove_guard(name.clone(), entry).await?;
        parties.forget_guard(&name);
        parties.reload(store.as_ref()).await?;
        Ok(removed)
    })
    .await
}

/// Whose credential this is. It has 256 random bits, and what is compared is its hash, so the time a look-up takes tells nothing.
pub fn authenticate(app: &App, credential: &str) -> Option<String> {
    credential.strip_prefix(PREFIX)?;
    app.parties.guard(&hash(credential))
}

/// 1 to 64 letters, digits, dots, dashes and underscores.
pub fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    (1..=64).contains(&name.len()) && name.chars().all(allowed)
}

/// What is kept of a credential of 256 random bits.
pub(super) fn hash(credential: &str) -> [u8; 32] {
    digest(&SHA256, credential.as_bytes()).as_ref().try_into().expect("SHA-256 has 32 bytes")
}
