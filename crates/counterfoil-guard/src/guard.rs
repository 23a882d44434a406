//! The guard: verifier, index and lease together, asked from any number of threads. It does no input or output; whoever
//! feeds it hands answers in and brings the time along.

use crate::cache::VerifiedTokens;
use crate::claims::Claims;
use crate::cursor::Instance;
use crate::dpop::{PROOF_LIFE, Proof};
use crate::feed::{Follower, Ignored, Poll, Taken};
use crate::id::Kid;
use crate::jwks::KeySet;
use crate::refusal::Refusal;
#[cfg(feature = "status-list")]
use crate::status_list::StatusList;
use crate::time::{Clocks, Timestamp};
use crate::verify::{Verifier, check_times};
use crate::wire::Answer;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

/// How many verified tokens are remembered, twice this at the most.
const VERIFIED_TOKENS: usize = 8192;

/// Never taken to be a state of the index.
const NEVER: u64 = 0;

/// A token whose signature has been checked.
#[derive(Debug)]
pub struct Verified {
    /// What it says.
    pub claims: Claims,
    kid: Kid,
    /// The state of the index in which it was last found not to be revoked: while that has not changed, nobody need look again.
    clean_at: AtomicU64,
}

/// What the feed changes.
#[derive(Debug)]
struct State {
    follower: Follower,
    verifier: Verifier,
    /// Counts the answers that brought entries.
    version: u64,
}

/// Verifies access tokens offline and still refuses a revoked one.
#[derive(Debug)]
pub struct Guard {
    state: RwLock<State>,
    verified: Mutex<VerifiedTokens<Arc<Verified>>>,
    proofs: Mutex<UsedProofs>,
}

impl Guard {
    /// A guard that has heard nothing yet: it refuses everything with [`Refusal::VerifierStale`] until the first answer.
    /// `instance` must be random for each process.
    pub fn new(verifier: Verifier, instance: Instance) -> Self {
        Self {
            state: RwLock::new(State { follower: Follower::new(instance), verifier, version: NEVER + 1 }),
            verified: Mutex::new(VerifiedTokens::new(VERIFIED_TOKENS)),
            proofs: Mutex::default(),
        }
    }

    /// Believes the token or refuses it: lease, signature (once per token), times and revocation (every time). One that is bound to a
    /// key is refused here: see [`Guard::verify_bound`].
    pub fn verify(&self, token: &str, now: Clocks) -> Result<Arc<Verified>, Refusal> {
        let verified = self.judge(token, now)?;
        verified.claims.check_binding(token, None)?;
        Ok(verified)
    }

    /// As [`Guard::verify`], for a token that comes with a proof (RFC 9449), which must be fresh, for this token, and new to this
    /// process.
    pub fn verify_bound(&self, token: &str, proof: &Proof, now: Clocks) -> Result<Arc<Verified>, Refusal> {
        let verified = self.judge(token, now)?;
        self.check_proof(&verified, token, proof, now)?;
        Ok(verified)
    }

    /// Whether a proof lets a verified token pass, once.
    pub fn check_proof(&self, verified: &Verified, token: &str, proof: &Proof, now: Clocks) -> Result<(), Refusal> {
        verified.claims.check_binding(token, Some(proof))?;
        let time = self.authority_time(now);
        let new = proof.is_fresh(time) && self.lock_proofs().insert(proof, time);
        if new { Ok(()) } else { Err(Refusal::BadProof) }
    }

    /// All but who presents it.
    pub(crate) fn judge(&self, token: &str, now: Clocks) -> Result<Arc<Verified>, Refusal> {
        let state = self.read();
        state.follower.check_lease(now)?;
        let time = state.follower.authority_time(now);
        let known = self.lock_verified().get(token);
        let verified = if let Some(verified) = known {
            check_times(&verified.claims, time)?;
            verified
        } else {
            let (claims, kid) = state.verifier.verify_with_kid(token, time)?;
            let verified = Arc::new(Verified { claims, kid, clean_at: AtomicU64::new(NEVER) });
            // A token that is revoked already is not worth a place.
            check(&state, &verified)?;
            self.lock_verified().insert(token, Arc::clone(&verified));
            return Ok(verified);
        };
        check(&state, &verified)?;
        Ok(verified)
    }

    /// The signed token: this one, or the one that is encrypted within it.
    pub fn opened<'a>(&self, token: &'a str) -> Result<std::borrow::Cow<'a, str>, Refusal> {
        self.read().verifier.opened(token)
    }

    /// All of [`Guard::verify`] but lease and revocation: for whoever asks the authority about those.
    pub fn verify_but_for_revocation(&self, token: &str, now: Clocks) -> Result<Arc<Verified>, Refusal> {
        let state = self.read();
        let (claims, kid) = state.verifier.verify_with_kid(token, state.follower.authority_time(now))?;
        Ok(Arc::new(Verified { claims, kid, clean_at: AtomicU64::new(NEVER) }))
    }

    /// The same, with the signature checked once per token: for whoever asks status lists.
    #[cfg(feature = "client")]
    pub(crate) fn recall_but_for_revocation(&self, token: &str, now: Clocks) -> Result<Arc<Verified>, Refusal> {
        let state = self.read();
        let time = state.follower.authority_time(now);
        if let Some(verified) = self.lock_verified().get(token) {
            check_times(&verified.claims, time)?;
            return Ok(verified);
        }
        let (claims, kid) = state.verifier.verify_with_kid(token, time)?;
        let verified = Arc::new(Verified { claims, kid, clean_at: AtomicU64::new(NEVER) });
        self.lock_verified().insert(token, Arc::clone(&verified));
        Ok(verified)
    }

    /// Believes a status list that was fetched from `uri`, or refuses it; see [`Verifier::verify_status_list`].
    #[cfg(feature = "status-list")]
    pub fn verify_status_list(&self, token: &str, uri: &str, now: Clocks) -> Result<StatusList, Refusal> {
        let state = self.read();
        state.verifier.verify_status_list(token, uri, state.follower.authority_time(now))
    }

    /// Whether a token verified earlier still counts: for connections that outlive the request which opened them.
    pub fn still_good(&self, verified: &Verified, now: Clocks) -> Result<(), Refusal> {
        let state = self.read();
        state.follower.check_lease(now)?;
        check_times(&verified.claims, state.follower.authority_time(now))?;
        check(&state, verified)
    }

    /// Whether anything may be accepted now.
    pub fn check_lease(&self, now: Clocks) -> Result<(), Refusal> {
        self.read().follower.check_lease(now)
    }

    /// How long the lease has to go.
    pub fn lease_left(&self, now: Clocks) -> std::time::Duration {
        self.read().follower.lease_left(now)
    }

    /// The next poll to be sent; see [`Follower::poll`].
    pub fn poll(&self, nonce: String, now: Clocks) -> Poll {
        self.write().follower.poll(nonce, now)
    }

    /// Takes an answer in; see [`Follower::receive`].
    pub fn receive(&self, answer: &Answer, now: Clocks) -> Result<Taken, Ignored> {
        let mut state = self.write();
        let taken = state.follower.receive(answer, now)?;
        if taken.news {
            state.version += 1;
        }
        state.follower.forget(now);
        Ok(taken)
    }

    /// Takes a new key set in. Tokens of keys that are not in it are refused from now on.
    pub fn set_keys(&self, keys: KeySet) {
        self.write().verifier.set_keys(keys);
        self.lock_verified().clear();
    }

    /// The time by the authority's clock.
    pub fn authority_time(&self, now: Clocks) -> Timestamp {
        self.read().follower.authority_time(now)
    }

    /// How long a poll may take before it is given up.
    pub fn time_out(&self) -> std::time::Duration {
        self.read().follower.time_out()
    }

    /// How many revocations are in force here.
    pub fn revocations(&self) -> usize {
        self.read().follower.index().len()
    }

    // A thread that panicked while it held a lock left nothing half done that could let a token through: entries are only
    // added, and the lease is set last.
    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_proofs(&self) -> MutexGuard<'_, UsedProofs> {
        self.proofs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_verified(&self) -> MutexGuard<'_, VerifiedTokens<Arc<Verified>>> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many proofs are remembered. When all of them may still be used, no further one is taken: a flood must not make room for a
/// replay.
const MOST_PROOFS: usize = 200_000;

/// Proofs that have been used, until they would be too old anyway.
#[derive(Debug, Default)]
struct UsedProofs {
    proofs: HashMap<[u8; 32], Timestamp>,
    swept_at: Timestamp,
}

/// How often a full memory is looked through.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

impl UsedProofs {
    /// Takes one in; `false` if it has been used, or if there is no room.
    fn insert(&mut self, proof: &Proof, now: Timestamp) -> bool {
        if self.proofs.len() >= MOST_PROOFS && now >= self.swept_at.plus(SWEEP_EVERY) {
            self.proofs.retain(|_, until| *until > now);
            self.swept_at = now;
        }
        // As long as it would be fresh.
        let until = Timestamp::from_seconds(proof.issued_at.saturating_add(1)).plus(PROOF_LIFE);
        let room = self.proofs.len() < MOST_PROOFS;
        room && self.proofs.insert(proof.once(), until).is_none_or(|before| before <= now)
    }
}

fn check(state: &State, verified: &Verified) -> Result<(), Refusal> {
    if verified.clean_at.load(Ordering::Relaxed) == state.version {
        return Ok(());
    }
    let index = state.follower.index();
    index.check(&verified.claims, &verified.kid)?;
    verified.clean_at.store(state.version, Ordering::Relaxed);
    Ok(())
}
