//! The guard as a resource server uses it: follows the feed in the background, fetches keys, and answers whether a token may
//! be believed now.
//!
//! ```no_run
//! use counterfoil_guard::client::{Client, Config};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let credential = std::env::var("GUARD_CREDENTIAL")?; // from `counterfoil guard add api`
//! let guard = Client::start(Config::new("https://auth.example.com", "web", credential)?);
//! guard.ready().await;
//! # let token = "";
//! match guard.verify(token).await {
//!     Ok(verified) => println!("user {}", verified.claims.sub),
//!     Err(refusal) => println!("refused: {}", refusal.code()),
//! }
//! # Ok(()) }
//! ```

mod clock;
mod config;
mod follow;
mod http;
mod status;

pub use config::{Config, ConfigError, Mode, OnLeaseEnd};

use crate::cursor::Instance;
use crate::dpop::Proof;
use crate::guard::{Guard, Verified};
use crate::jwks::KeySet;
use crate::refusal::Refusal;
use crate::time::{Clocks, Timestamp};
use crate::verify::Verifier;
use http::Http;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;
use tokio::sync::watch;

/// How often a verifier whose lease may end looks whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Follows the feed and verifies. Cheap to clone; the last clone to go stops following.
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
    _following: Arc<Following>,
}

#[derive(Debug)]
struct Shared {
    config: Config,
    guard: Guard,
    http: Http,
    /// Counts answers that were taken in.
    answers: watch::Sender<u64>,
    keys: tokio::sync::Mutex<follow::Keys>,
    /// The key set has changed and has not been fetched yet.
    keys_due: AtomicBool,
    /// When the key set was fetched.
    keys_at: watch::Sender<Option<Clocks>>,
    lists: status::Lists,
}

/// Nobody, where no feed is followed.
#[derive(Debug)]
struct Following(Option<tokio::task::JoinHandle<()>>);

impl Drop for Following {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

impl Client {
    /// Begins to follow, on the tokio runtime this is called in. Until the first answer everything is refused with
    /// [`Refusal::VerifierStale`]; [`Client::ready`] waits for it. Made by [`Config::status_list`] it follows nothing, and fetches what it
    /// needs when it is asked.
    ///
    /// # Panics
    /// Outside a tokio runtime, or when the system has no random numbers.
    pub fn start(config: Config) -> Self {
        let audiences = config.audiences.iter();
        let (first, rest) = (config.audience.as_str(), audiences);
        let verifier = Verifier::new(&config.issuer, first, KeySet::default()).of(config.subjects);
        let verifier = rest.fold(verifier, |verifier, audience| verifier.also_for(audience));
        let verifier = config.decryption_keys.iter().cloned().fold(verifier, Verifier::opening_with);
        let guard = Guard::new(verifier, Instance::from_bytes(http::random()));
        let http = Http::new();
        let (answers, keys) = (watch::Sender::new(0), tokio::sync::Mutex::default());
        let (keys_due, keys_at, lists) = (AtomicBool::new(true), watch::Sender::new(None), status::Lists::new(&config));
        let shared = Arc::new(Shared { config, guard, http, answers, keys, keys_due, keys_at, lists });
        let follows = !shared.config.credential.is_empty();
        let following = follows.then(|| tokio::spawn(follow::follow(Arc::clone(&shared))));
        let following = Arc::new(Following(following));
        Self { shared, _following: following }
    }

    /// Waits until something can be accepted for the first time.
    pub async fn ready(&self) {
        if self.shared.config.credential.is_empty() {
            return self.shared.await_keys().await;
        }
        let mut answers = self.shared.answers.subscribe();
        while self.shared.guard.check_lease(clock::now()).is_err() {
            // The sender lives as long as `self`.
            drop(tokio::time::timeout(LOOK_EVERY, answers.changed()).await);
        }
    }

    /// Believes the token or refuses it, in the configured [`Mode`].
    pub async fn verify(&self, token: &str) -> Result<Arc<Verified>, Refusal> {
        self.verify_in(token, self.shared.config.mode).await
    }

    /// The same in a mode of this call's own: `introspect` for the few routes where seconds are too long.
    pub async fn verify_in(&self, token: &str, mode: Mode) -> Result<Arc<Verified>, Refusal> {
        let verified = self.judge(token, mode).await?;
        verified.claims.check_binding(token, None)?;
        Ok(verified)
    }

    /// The same for a token that comes with a proof (RFC 9449): see [`Guard::verify_bound`].
    pub async fn verify_bound(&self, token: &str, proof: &Proof, mode: Mode) -> Result<Arc<Verified>, Refusal> {
        let verified = self.judge(token, mode).await?;
        self.shared.guard.check_proof(&verified, token, proof, clock::now())?;
        Ok(verified)
    }

    async fn judge(&self, token: &str, mode: Mode) -> Result<Arc<Verified>, Refusal> {
        match mode {
            Mode::Introspect => self.introspect(token).await,
            Mode::StatusList => self.shared.by_status_list(token).await,
            Mode::Pushed => match self.pushed(token).await {
                Err(Refusal::VerifierStale) if self.shared.config.on_lease_end == OnLeaseEnd::Introspect => {
                    self.introspect(token).await
                }
                outcome => outcome,
            },
        }
    }

    async fn pushed(&self, token: &str) -> Result<Arc<Verified>, Refusal> {
        match self.shared.guard.judge(token, clock::now()) {
            // The key may be newer than the set. Whoever asks first fetches, everybody waits for that.
            Err(Refusal::UnknownKey) if self.shared.refetch_keys().await => {
                self.shared.guard.judge(token, clock::now())
            }
            outcome => outcome,
        }
    }

    async fn introspect(&self, token: &str) -> Result<Arc<Verified>, Refusal> {
        let verify = || self.shared.guard.verify_but_for_revocation(token, clock::now());
        let verified = match verify() {
            Err(Refusal::UnknownKey) if self.shared.refetch_keys().await => verify()?,
            outcome => outcome?,
        };
        // The authority cannot open what is encrypted to this audience.
        let opened = self.shared.guard.opened(token)?;
        self.shared.http.introspect(&self.shared.config, &opened).await?;
        Ok(verified)
    }

    /// Resolves when a token that was accepted counts no more: it has been revoked, it has expired, or this guard does not know
    /// any more (its lease has ended). For connections that outlive the request which opened them: close them then.
    pub async fn watch(&self, verified: &Verified) -> Refusal {
        if self.shared.config.credential.is_empty() {
            return self.shared.watch_status(verified).await;
        }
        let mut answers = self.shared.answers.subscribe();
        loop {
            if let Err(refusal) = self.shared.guard.still_good(verified, clock::now()) {
                return refusal;
            }
            // Not a moment longer than the lease: a receipt may say by then that nobody accepts any more.
            let left = self.shared.guard.lease_left(clock::now()) + Duration::from_millis(1);
            drop(tokio::time::timeout(LOOK_EVERY.min(left), answers.changed()).await);
        }
    }

    /// The time by the authority's clock.
    pub fn authority_time(&self) -> Timestamp {
        self.shared.guard.authority_time(clock::now())
    }

    /// How many revocations are in force here.
    pub fn revocations(&self) -> usize {
        self.shared.guard.revocations()
    }

    /// What it was started with.
    pub fn config(&self) -> &Config {
        &self.shared.config
    }
}
