//! Password hashing with a bound: as many at once as there are processors, a limited number waiting, the rest refused.
//! One hash is 19 MiB and tens of milliseconds; without a bound a few hundred sign-ins stop the machine.

use crate::telemetry::span;
use counterfoil_core::Secret;
use counterfoil_core::credential::argon2id::{self, Memory, UnknownHash};
use counterfoil_core::credential::password::Password;
use counterfoil_core::credential::stored::{self, Stored};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use tokio::sync::Semaphore;
use tracing::Instrument as _;

use crate::clock::random;

/// A well-formed hash that no password has; checked when there is no account, so that the answer takes as long (P1).
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Why a hash was not made or checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashingError {
    /// Too many are waiting.
    #[error("too many passwords are waiting to be checked")]
    Overloaded,
    /// The stored hash is not one this version can check.
    #[error(transparent)]
    Unknown(#[from] UnknownHash),
}

/// Makes and checks password hashes, a bounded number at a time.
pub struct Hasher {
    pepper: Arc<Secret<Vec<u8>>>,
    slots: Arc<Semaphore>,
    queue: u32,
    waiting: Arc<AtomicU32>,
    memories: Arc<Mutex<Vec<Memory>>>,
}

impl Hasher {
    /// With the secret that enters every hash, and the number that may wait.
    pub fn new(pepper: Secret<Vec<u8>>, queue: u32) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            pepper: Arc::new(pepper),
            slots: Arc::new(Semaphore::new(processors)),
            queue,
            waiting: Arc::default(),
            memories: Arc::default(),
        }
    }

    /// Hashes a new password.
    pub async fn hash(&self, password: Password) -> Result<String, HashingError> {
        self.run(move |pepper, memory| argon2id::hash(&password, &random(), pepper, memory)).await
    }

    /// Whether this is the password behind `stored`, by whichever algorithm that is of. With `None`, or where the account has no
    /// password, one of our own is checked, and the answer is no.
    pub async fn verify(&self, password: Password, stored: Option<String>) -> Result<bool, HashingError> {
        let outcome = self.run(move |pepper, memory| {
            let ours = |text: &str, memory: &mut Memory| argon2id::verify(&password, text, pepper, memory);
            match stored.as_deref().map(stored::read).transpose()? {
                Some(Stored::Ours(text)) => ours(text, memory),
                Some(Stored::Imported(hash)) => Ok(hash.verify(&password)),
                Some(Stored::NoPassword) | None => ours(NOBODY, memory).map(|_| false),
            }
        });
        Ok(outcome.await??)
    }

    /// Gives working memory back to the system; called now and then.
    pub fn release(&self) {
        if self.waiting.load(Ordering::Relaxed) == 0 {
            self.memories.lock().clear();
        }
    }

    /// How many pieces of working memory there are: the most hashes that were ever under way at once.
    pub fn memories(&self) -> usize {
        self.memories.lock().len()
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Secret<Vec<u8>>, &mut Memory) -> T + Send + 'static,
    ) -> Result<T, HashingError> {
        let waiting = Waiting::enter(Arc::clone(&self.waiting), self.queue)?;
        let turn = Arc::clone(&self.slots).acquire_owned().instrument(span!("wait for a processor"));
        let slot = turn.await.map_err(|_| HashingError::Overloaded)?;
        let (pepper, memories) = (Arc::clone(&self.pepper), Arc::clone(&self.memories));
        let done = tokio::task::spawn_blocking(move || {
            // They go with the work, not with the request: a client that hangs up does not make room for another hash.
            let (_waiting, _slot) = (waiting, slot);
            let mut memory = memories.lock().pop().unwrap_or_default();
            let outcome = work(&pepper, &mut memory);
            memories.lock().push(memory);
            outcome
        });
        done.instrument(span!("hash a password")).await.map_err(|_| HashingError::Overloaded)
    }
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hasher(…)")
    }
}

/// Counted for as long as it exists, also when the request is dropped half-way.
struct Waiting(Arc<AtomicU32>);

impl Waiting {
    fn enter(count: Arc<AtomicU32>, limit: u32) -> Result<Self, HashingError> {
        if count.fetch_add(1, Ordering::AcqRel) >= limit {
            count.fetch_sub(1, Ordering::AcqRel);
            return Err(HashingError::Overloaded);
        }
        Ok(Self(count))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
