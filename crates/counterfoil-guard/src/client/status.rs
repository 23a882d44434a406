//! Judging by status lists: which are fetched, when, and how often at most. Nothing runs in the background but what a request has
//! asked for; what fails is tried again later and later, and meanwhile the list that is held counts until its end.

use super::Shared;
use super::clock::now;
use super::config::Config;
use super::http::{Failed, Listed};
use crate::claims::Claims;
use crate::guard::Verified;
use crate::refusal::Refusal;
use crate::status_list::{MOST_LISTS, StatusLists, Verdict};
use crate::time::Clocks;
use http::HeaderValue;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// After this the key set is fetched anew, in the background.
const KEYS_DUE: Duration = Duration::from_mins(5);

/// Without a new one nothing is accepted after this: a revoked key is one that the authority publishes no more.
const KEYS_OVER: Duration = Duration::from_mins(10);

/// After a first failure, doubled with each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How often a watched token is looked at again.
const RECHECK_EVERY: Duration = Duration::from_secs(1);

/// Asking for one thing: one request at a time, and after a failure none for a while.
#[derive(Debug, Default)]
struct Asking {
    failures: u32,
    not_before: Option<Instant>,
    /// Of the list that is held.
    tag: Option<HeaderValue>,
}

impl Asking {
    fn is_paused(&self) -> bool {
        self.not_before.is_some_and(|time| Instant::now() < time)
    }

    fn succeeded(&mut self) {
        self.failures = 0;
    }

    fn failed(&mut self) {
        let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(16)).min(LONGEST_PAUSE);
        self.failures = self.failures.saturating_add(1);
        self.not_before = Some(Instant::now() + pause);
    }
}

type Turn = Arc<tokio::sync::Mutex<Asking>>;

/// The lists that are held, and who is asking for which.
#[derive(Debug)]
pub(super) struct Lists {
    held: Mutex<StatusLists>,
    turns: Mutex<HashMap<String, Turn>>,
    keys: Turn,
}

impl Lists {
    pub(super) fn new(config: &Config) -> Self {
        let held = Mutex::new(StatusLists::new(&config.issuer));
        Self { held, turns: Mutex::default(), keys: Turn::default() }
    }

    // A thread that panicked while it held the lock has left a list in its place or not.
    fn held(&self) -> MutexGuard<'_, StatusLists> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self, uri: &str) -> Turn {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if turns.len() >= MOST_LISTS && !turns.contains_key(uri) {
            let held = self.held();
            turns.retain(|uri, turn| Arc::strong_count(turn) > 1 || held.is_usable(uri, now()));
        }
        Arc::clone(turns.entry(uri.to_owned()).or_default())
    }
}

impl Shared {
    /// Believes the token or refuses it: signature and times, and what its list says.
    pub(super) async fn by_status_list(self: &Arc<Self>, token: &str) -> Result<Arc<Verified>, Refusal> {
        self.current_keys().await?;
        let verify = || self.guard.recall_but_for_revocation(token, now());
        let verified = match verify() {
            Err(Refusal::UnknownKey) if self.refetch_keys().await => verify()?,
            outcome => outcome?,
        };
        self.check_status(&verified.claims).await?;
        // Time has passed, if a list was waited for.
        crate::verify::check_times(&verified.claims, self.guard.authority_time(now()))?;
        Ok(verified)
    }

    async fn check_status(self: &Arc<Self>, claims: &Claims) -> Result<(), Refusal> {
        let verdict = self.lists.held().check(claims, now());
        let verdict = match verdict {
            Verdict::Wanted(uri) => {
                self.fetch_list(&uri).await;
                self.lists.held().check(claims, now())
            }
            verdict => {
                self.renew_ahead(claims);
                verdict
            }
        };
        match verdict {
            Verdict::Valid => Ok(()),
            Verdict::Refused(refusal) => Err(refusal),
            Verdict::Wanted(_) => Err(Refusal::VerifierStale),
        }
    }

    /// Fetches a list in the background whose time is nearly over, unless somebody does.
    fn renew_ahead(self: &Arc<Self>, claims: &Claims) {
        let Some(status) = &claims.status else { return };
        if self.lists.held().is_due(&status.uri, now()) {
            let Ok(mut asking) = self.lists.turn(&status.uri).try_lock_owned() else { return };
            if !asking.is_paused() {
                let (shared, uri) = (Arc::clone(self), status.uri.clone());
                tokio::spawn(async move { shared.ask_for_list(&uri, &mut asking).await });
            }
        }
    }

    /// Fetches a list that is needed now. Whoever comes meanwhile waits for the same answer.
    async fn fetch_list(&self, uri: &str) {
        let turn = self.lists.turn(uri);
        let mut asking = turn.lock().await;
        if !asking.is_paused() && !self.lists.held().is_usable(uri, now()) {
            self.ask_for_list(uri, &mut asking).await;
        }
    }

    async fn ask_for_list(&self, uri: &str, asking: &mut Asking) {
        match self.receive_list(uri, asking).await {
            Ok(()) => asking.succeeded(),
            Err(error) => {
                tracing::warn!(%error, uri, "a status list could not be fetched; without one tokens are refused");
                asking.failed();
            }
        }
    }

    async fn receive_list(&self, uri: &str, asking: &mut Asking) -> Result<(), Failed> {
        let asked = now();
        // That a list has not changed means something only as long as it is held.
        let tag = asking.tag.take().filter(|_| self.lists.held().holds(uri));
        match self.http.status_list(&self.config, uri, tag.as_ref()).await? {
            Listed::Unchanged => {
                self.lists.held().confirm(uri, asked);
                asking.tag = tag;
            }
            Listed::List { token, tag } => {
                let read = || self.guard.verify_status_list(&token, uri, now());
                let list = match read() {
                    Err(Refusal::UnknownKey) if self.refetch_keys().await => read(),
                    outcome => outcome,
                };
                let list = list.map_err(|refusal| Failed::Unreadable(refusal.reason().to_owned()))?;
                let older = |_| Failed::Unreadable("it is older than the one before".to_owned());
                self.lists.held().receive(list, asked).map_err(older)?;
                asking.tag = tag;
            }
        }
        // Confirmed or not: a list that is over helps nobody, and is not asked for in a circle.
        if self.lists.held().is_usable(uri, now()) { Ok(()) } else { Err(Failed::Unreadable("it is over".to_owned())) }
    }

    /// Sees to it that the key set is not too old.
    async fn current_keys(self: &Arc<Self>) -> Result<(), Refusal> {
        let age = || self.keys_at.borrow().map_or(Duration::MAX, |fetched: Clocks| age(fetched, now()));
        if age() < KEYS_DUE {
            return Ok(());
        }
        if age() < KEYS_OVER {
            let Ok(mut asking) = Arc::clone(&self.lists.keys).try_lock_owned() else { return Ok(()) };
            if !asking.is_paused() {
                let shared = Arc::clone(self);
                tokio::spawn(async move { shared.ask_for_keys(&mut asking).await });
            }
            return Ok(());
        }
        let mut asking = self.lists.keys.lock().await;
        if age() >= KEYS_OVER && !asking.is_paused() {
            self.ask_for_keys(&mut asking).await;
        }
        if age() < KEYS_OVER { Ok(()) } else { Err(Refusal::VerifierStale) }
    }

    async fn ask_for_keys(&self, asking: &mut Asking) {
        match self.fetch_keys().await {
            Ok(()) => asking.succeeded(),
            Err(error) => {
                tracing::warn!(%error, "the key set could not be fetched");
                asking.failed();
            }
        }
    }

    /// Waits until there are keys.
    pub(super) async fn await_keys(self: &Arc<Self>) {
        while self.current_keys().await.is_err() {
            tokio::time::sleep(FIRST_PAUSE).await;
        }
    }

    /// Resolves when a token counts no more, by its list or by its end.
    pub(super) async fn watch_status(self: &Arc<Self>, verified: &Verified) -> Refusal {
        loop {
            let judged = match self.current_keys().await {
                Ok(()) => self.check_status(&verified.claims).await,
                stale => stale,
            };
            let time = self.guard.authority_time(now());
            if let Err(refusal) = judged.and_then(|()| crate::verify::check_times(&verified.claims, time)) {
                return refusal;
            }
            tokio::time::sleep(RECHECK_EVERY).await;
        }
    }
}

/// By whichever clock went further.
fn age(since: Clocks, now: Clocks) -> Duration {
    now.boot.since(since.boot).max(now.wall.since(since.wall))
}
