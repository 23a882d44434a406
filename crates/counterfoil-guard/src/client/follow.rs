//! Following the feed: one poll after the other, for as long as the client lives.

use super::Shared;
use super::clock::now;
use super::http::{Failed, Patience, nonce};
use crate::jwks::KeySet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;

/// Between polls after the second failure in a row: four a second at the most.
const PAUSE: Duration = Duration::from_millis(250);

/// An unknown key makes the set be fetched at most this often, for all callers together.
const KEYS_EVERY: Duration = Duration::from_secs(2);

/// The first answer may be long, and nothing is accepted before it anyway.
const FIRST_WITHIN: Duration = Duration::from_secs(10);

/// Without a lease there is none to lose: time for a new connection, and for an authority that has much to tell.
const WITHOUT_LEASE_WITHIN: Duration = Duration::from_secs(3);

/// When the key set was last asked for because of an unknown key.
#[derive(Debug, Default)]
pub(super) struct Keys {
    asked: Option<Instant>,
}

/// Never ends.
pub(super) async fn follow(shared: Arc<Shared>) {
    let mut failures = 0_u32;
    let mut heard = false;
    loop {
        let poll = shared.guard.poll(nonce(), now());
        let has_lease = shared.guard.check_lease(now()).is_ok();
        let within = match (heard, has_lease) {
            (false, _) => FIRST_WITHIN,
            (true, false) => shared.guard.time_out().max(WITHOUT_LEASE_WITHIN),
            (true, true) => shared.guard.time_out(),
        };
        let patience = if has_lease { Patience::all(within) } else { Patience::step(within) };
        match shared.poll_once(&poll, patience).await {
            Ok(()) => {
                if failures > 1 {
                    tracing::info!("the revocation feed is back");
                }
                (failures, heard) = (0, true);
            }
            Err(error) => {
                failures += 1;
                // Said when it begins and not at every attempt.
                if failures == 2 {
                    tracing::warn!(%error, "the revocation feed is cut off; when the lease ends, everything is refused");
                }
                if failures > 1 {
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

impl Shared {
    async fn poll_once(&self, poll: &crate::feed::Poll, patience: Patience) -> Result<(), Failed> {
        let answer = self.http.poll(&self.config, poll, patience).await?;
        match self.guard.receive(&answer, now()) {
            Ok(taken) => {
                if taken.keys_changed {
                    self.keys_due.store(true, Ordering::Relaxed);
                }
                if self.keys_due.load(Ordering::Relaxed) {
                    self.fetch_keys().await?;
                    self.keys_due.store(false, Ordering::Relaxed);
                }
                self.answers.send_modify(|count| *count += 1);
                Ok(())
            }
            Err(ignored) => Err(Failed::Unreadable(format!("{ignored:?}"))),
        }
    }

    pub(super) async fn fetch_keys(&self) -> Result<(), Failed> {
        let keys = self.http.keys(&self.config).await?;
        let keys = KeySet::from_jwks(&keys).map_err(|error| Failed::Unreadable(format!("{error:?}")))?;
        self.guard.set_keys(keys);
        self.keys_at.send_replace(Some(now()));
        Ok(())
    }

    /// Fetches the key set because a token names a key that is not in it. `true` when it is worth looking again: it has been
    /// fetched, now or by somebody else a moment ago.
    pub(super) async fn refetch_keys(&self) -> bool {
        let mut keys = self.keys.lock().await;
        if keys.asked.is_some_and(|asked| asked.elapsed() < KEYS_EVERY) {
            return true;
        }
        let fetched = self.fetch_keys().await;
        // Counted from the end: whoever waited for this must not ask again, one after the other.
        keys.asked = Some(Instant::now());
        if let Err(error) = &fetched {
            tracing::warn!(%error, "the key set could not be fetched");
        }
        fetched.is_ok()
    }
}
