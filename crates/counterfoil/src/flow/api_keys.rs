//! API keys: what programs administer with, in place of somebody's fresh session.

use super::administer::Administrator;
use super::guards::hash;
use crate::app::App;
use crate::clock::random;
use crate::store::StoreError;
use crate::store::api_keys::ApiKey;
use counterfoil_core::audit::{Actor, Event};
use counterfoil_core::duty::Duty;
use counterfoil_core::{Secret, UserId};
use counterfoil_guard::base64url_encode;
use std::time::Duration;

/// What every API key begins with.
pub const PREFIX: &str = "cfa_";

/// How long one counts if nothing is said, and at the most.
pub const LIFE: Duration = Duration::from_hours(90 * 24);
/// See [`LIFE`].
pub const LONGEST_LIFE: Duration = Duration::from_hours(366 * 24);

/// How exactly it is kept when a key was last used.
const USED_WITHIN: Duration = Duration::from_hours(1);

/// Why a key was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddKeyError {
    /// There is one of that name.
    #[error("there is one of that name")]
    NameTaken,
    /// A key makes no keys: it would outlive itself.
    #[error("an API key cannot make API keys")]
    ByKey,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a key does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Unknown, or taken back.
    #[error("the API key is not known here")]
    Unknown,
    /// Its time is over.
    #[error("the API key has expired; have another one made")]
    Over,
    /// The account that made it is gone, banned, or does not administer any more.
    #[error("whoever made the API key may not administer any more; have another one made")]
    Orphaned,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes a key and returns it, the only time it is seen: just its hash is kept.
pub async fn add(
    app: &App,
    by: &Administrator,
    (name, duty): (&str, Duty),
    life: Duration,
) -> Result<Secret<String>, AddKeyError> {
    if matches!(by.actor, Actor::ApiKey(_)) {
        return Err(AddKeyError::ByKey);
    }
    let key = Secret::new(format!("{PREFIX}{}", base64url_encode(&random::<32>())));
    let now = app.clock.now();
    let new = ApiKey {
        name: name.to_owned(),
        id: UserId::from_bytes(random()),
        hash: hash(key.expose()),
        duty,
        issuer: by.actor.id(),
        created_at: now,
        expires_at: now.plus(life),
        used_at: None,
    };
    let entry = by.entry(app, Event::ApiKeyAdded, None, &format!("{name} {}", duty.role()));
    if app.store.add_api_key(new, entry).await? { Ok(key) } else { Err(AddKeyError::NameTaken) }
}

/// Takes a key back, from the next request on; `false` if there is none of that name.
pub async fn remove(app: &App, by: &Administrator, name: &str) -> Result<bool, StoreError> {
    app.store.remove_api_key(name.to_owned(), by.entry(app, Event::ApiKeyRemoved, None, name)).await
}

/// Whose key this is, read from the store each time, so that one that has been taken back counts nowhere. It has 256 random bits, and
/// what is compared is its hash, so the time a look-up takes tells nothing.
pub async fn authenticate(app: &App, key: &str) -> Result<ApiKey, KeyError> {
    let now = app.clock.now();
    let (found, issuer) = app.store.api_key(hash(key)).await?.ok_or(KeyError::Unknown)?;
    if found.expires_at <= now {
        return Err(KeyError::Over);
    }
    let administers =
        issuer.is_some_and(|user| user.ban_at(now).is_none() && Duty::of(&user) == Some(Duty::Administer));
    if found.issuer.is_some() && !administers {
        return Err(KeyError::Orphaned);
    }
    if found.used_at.is_none_or(|used| now.since(used) >= USED_WITHIN) {
        app.store.note_api_key(found.id, now).await?;
    }
    Ok(found)
}
