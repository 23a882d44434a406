//! Rate limits, wherever they are kept: in this process where it is alone, in the store where replicas count together, in a Redis
//! where there is one. A Redis that does not answer is replaced by the store, at half the rate: slower and stricter, never open.

use super::Caller;
use crate::app::App;
use crate::config::LimitConfig;
use crate::limits::Limited;
use crate::store::StoreError;
use aws_lc_rs::digest::{SHA256, digest};
use counterfoil_core::limit::Rate;
use counterfoil_guard::base64url_encode;
use std::time::Duration;

/// Why somebody may not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Limit {
    /// They have to wait for so long.
    #[error("too many attempts")]
    Wait(Duration),
    /// Nobody can count now.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Counts one. To be asked before any work.
pub async fn take(app: &App, what: Limited, key: &str, rate: Rate) -> Result<(), Limit> {
    if !app.config.limits.enabled {
        return Ok(());
    }
    let now = app.clock.now();
    let name = name(what, key);
    let mut rate = rate;
    if let Some(redis) = &app.redis {
        match redis.take(&base64url_encode(&name), rate, now).await {
            Ok(taken) => return taken.map_err(Limit::Wait),
            // Another replica may reach it all the same and count there.
            Err(_) => rate.interval *= 2,
        }
    }
    match app.store.shared() {
        Some(shared) => shared.take_rate(name, rate, now).await?.map_err(Limit::Wait),
        None => app.limiter.take(what, key, rate, now).map_err(Limit::Wait),
    }
}

/// Counts something done from the caller's network.
pub async fn take_from_network(app: &App, what: Limited, rate: LimitConfig, caller: &Caller) -> Result<(), Limit> {
    take(app, what, &caller.source(), rate.rate()).await
}

/// Takes one count back, or with `None` all of them. What cannot be taken back now is counted: nobody is let in by that.
pub async fn give_back(app: &App, what: Limited, key: &str, rate: Option<Rate>) {
    if !app.config.limits.enabled {
        return;
    }
    let name = name(what, key);
    let given = match (&app.redis, app.store.shared()) {
        (Some(redis), _) => redis.give_back(&base64url_encode(&name), rate).await.map_err(|_| StoreError::Unavailable),
        (None, Some(shared)) => shared.give_rate_back(name, rate).await,
        (None, None) => {
            match rate {
                Some(rate) => app.limiter.give_back(what, key, rate),
                None => app.limiter.forget(what, key),
            }
            Ok(())
        }
    };
    if let Err(error) = given {
        tracing::debug!(%error, "an attempt could not be taken back");
    }
}

/// Addresses of people and of machines are not kept: their digests do.
fn name(what: Limited, key: &str) -> [u8; 32] {
    let digest = digest(&SHA256, format!("{}\n{key}", what.name()).as_bytes());
    digest.as_ref().try_into().expect("SHA-256 has 32 bytes")
}
