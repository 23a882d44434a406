//! The keyring's life: what is planned is carried out, by the clock or on an operator's word.

use super::access::{self, Ended, carried_through};
use super::administer::Administrator;
use super::start;
use crate::app::App;
use crate::store::StoreError;
use counterfoil_core::audit::{AuditEntry, Event};
use counterfoil_core::keys::ring::{KeyState, KeyStep, StoredKey};
use counterfoil_core::keys::rotation::{KeyChange, TooEarly, plan, revoke, revoke_all, rotate_now};
use counterfoil_core::keys::sealing::MasterKey;
use counterfoil_core::revocation::Revocation;
use counterfoil_core::{Kid, Timestamp};
use counterfoil_guard::Algorithm;
use std::sync::Arc;
use tokio::sync::OwnedMutexGuard;

/// How often a ring that another process changes meanwhile is looked at again.
const ATTEMPTS: u32 = 8;

/// Why a key was not rotated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RotateError {
    /// Verifiers do not all know the next key yet.
    #[error("too early")]
    TooEarly(TooEarly),
    /// The configuration uses no such algorithm.
    #[error("no such algorithm in use")]
    NotInUse,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Does what the ring needs now. Returns whether it has changed.
pub async fn tend(app: &App) -> Result<bool, StoreError> {
    let by = Administrator::system();
    for _ in 0..ATTEMPTS {
        let ring = app.store.signing_keys().await?;
        let changes = plan(&ring, &app.algorithms(), app.clock.now(), app.config.keys.policy());
        if changes.is_empty() {
            return Ok(false);
        }
        if carry_out(app, &by, ring, &changes).await? {
            return Ok(true);
        }
    }
    Err(StoreError::Overloaded)
}

/// Changes an algorithm's key now, if that locks nobody out.
pub async fn rotate(app: &App, by: &Administrator, algorithm: Option<Algorithm>) -> Result<(), RotateError> {
    let algorithm = algorithm.unwrap_or(app.config.keys.algorithm.0);
    if !app.algorithms().contains(&algorithm) {
        return Err(RotateError::NotInUse);
    }
    for _ in 0..ATTEMPTS {
        let ring = app.store.signing_keys().await?;
        let changes = rotate_now(&ring, algorithm, app.clock.now(), app.config.keys.policy());
        if carry_out(app, by, ring, &changes.map_err(RotateError::TooEarly)?).await? {
            return Ok(());
        }
    }
    Err(StoreError::Overloaded.into())
}

/// Revokes one key, or with `None` all that are published: out of the key set, into the log, and others in their place, in one
/// transaction. Whatever it signed is refused from then on.
pub async fn revoke_keys(app: &App, by: &Administrator, which: Option<&Kid>) -> Result<Ended, StoreError> {
    for _ in 0..ATTEMPTS {
        let ring = app.store.signing_keys().await?;
        let changes = match which {
            Some(kid) => match revoke(&ring, kid) {
                None => return access::nothing(app).await,
                // Before, and in force since.
                Some(changes) if changes.is_empty() => return Ok(Ended { found: true, ..access::nothing(app).await? }),
                Some(changes) => changes,
            },
            None => revoke_all(&ring, &app.algorithms()),
        };
        let (sealing, now) = (sealing(app).await?, app.clock.now());
        let steps = steps(app, &changes, now);
        let detail = which.map_or("all", Kid::as_str);
        let what = Revocation::Keys { ring, steps, audits: audits(app, by, &changes) };
        let entry = by.entry(app, Event::KeyRevoked, None, detail);
        let ended = access::end_holding(app, what, entry, sealing).await?;
        if ended.found {
            return Ok(ended);
        }
    }
    Err(StoreError::Overloaded)
}

/// Seals every secret anew under another master key, in one transaction. Nothing else changes, and nobody notices.
pub async fn reseal(app: &App, by: &Administrator, fresh: MasterKey) -> Result<(), StoreError> {
    let entry = by.entry(app, Event::MasterKeyChanged, None, "");
    let (store, keys, sealing) = (Arc::clone(&app.store), Arc::clone(&app.keys), app.keys.seal().await);
    carried_through(async move {
        let _sealing = sealing;
        for _ in 0..ATTEMPTS {
            let sealed = (store.signing_keys().await?, store.secrets().await?);
            let anew = start::reseal(&sealed, &keys.master(), &fresh)?;
            if store.reseal(sealed, anew, entry.clone()).await? {
                keys.set_master(fresh);
                return Ok(());
            }
        }
        Err(StoreError::Overloaded)
    })
    .await
}

/// Commits changes of the ring and takes them in; `false`, and nothing done, when the ring is not what they were made for.
async fn carry_out(
    app: &App,
    by: &Administrator,
    ring: Vec<StoredKey>,
    changes: &[KeyChange],
) -> Result<bool, StoreError> {
    let sealing = sealing(app).await?;
    let (steps, audits) = (steps(app, changes, app.clock.now()), audits(app, by, changes));
    let (store, keys, feed) = (Arc::clone(&app.store), Arc::clone(&app.keys), Arc::clone(&app.feed));
    carried_through(async move {
        let _sealing = sealing;
        if !store.change_keys(ring, steps, audits).await? {
            return Ok(false);
        }
        keys.reload(store.as_ref()).await?;
        feed.wake();
        Ok(true)
    })
    .await
}

/// Leave to seal new keys. The ring has been read before: if another replica changes the master key from here on, the ring is
/// another one, and nothing is committed that was made for this one.
async fn sealing(app: &App) -> Result<OwnedMutexGuard<()>, StoreError> {
    let sealing = app.keys.seal().await;
    let fits = start::fits(&app.store.secrets().await?, &app.keys.master());
    if fits.is_ok_and(|fits| fits) {
        return Ok(sealing);
    }
    tracing::error!("the master key has been changed elsewhere; give this server the new one and restart it");
    Err(StoreError::Unavailable)
}

fn steps(app: &App, changes: &[KeyChange], now: Timestamp) -> Vec<KeyStep> {
    let master = app.keys.master();
    let step = |change: &KeyChange| match change {
        KeyChange::Create { algorithm, state, .. } => KeyStep::Add(start::fresh_key(&master, *algorithm, *state, now)),
        KeyChange::Move { kid, from, to, .. } => KeyStep::Move { kid: kid.clone(), from: *from, to: *to, at: now },
    };
    changes.iter().map(step).collect()
}

/// A line for each change but those by which a key is revoked, which the revocation's own line tells.
fn audits(app: &App, by: &Administrator, changes: &[KeyChange]) -> Vec<AuditEntry> {
    let entry = |change: &KeyChange| {
        let (event, what, reason) = match change {
            KeyChange::Create { algorithm, reason, .. } => (Event::KeyCreated, algorithm.name(), *reason),
            KeyChange::Move { to: KeyState::Revoked, .. } => return None,
            KeyChange::Move { kid, to, reason, .. } => {
                let event = if *to == KeyState::Active { Event::KeyActivated } else { Event::KeyRetired };
                (event, kid.as_str(), *reason)
            }
        };
        Some(by.entry(app, event, None, &format!("{what} {}", reason.as_str())))
    };
    changes.iter().filter_map(entry).collect()
}
