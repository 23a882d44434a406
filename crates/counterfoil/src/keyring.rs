//! The keys of this process: what signs, what verifies, and the key set as it is served. A change of the ring is a new value put
//! in the place of the old one; a request that has begun goes on with the one it has.

use crate::store::{Store, StoreError};
use bytes::Bytes;
use counterfoil_core::keys::ring::{KeyState, StoredKey, ever, jwks, published};
use counterfoil_core::keys::sealing::{MasterKey, Purpose};
use counterfoil_core::keys::signing::SigningKey;
use counterfoil_core::{Kid, Timestamp};
use counterfoil_guard::{Algorithm, KeySet, Subjects, Verifier};
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A key in the store that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the store's signing key is missing or damaged")]
pub struct DamagedKey;

/// The ring as it is now.
#[derive(Debug)]
pub struct Keyring {
    /// What signs, by algorithm.
    signing: BTreeMap<Algorithm, Arc<SigningKey>>,
    /// Since when they have been signing.
    since: BTreeMap<Algorithm, Timestamp>,
    /// The verifier of the access tokens that this server's applications have.
    pub verifier: Verifier,
    /// The same, by every key there has been: to sign out it is enough that a token was ours, whatever has become of its key.
    pub ours: Verifier,
    /// Keys that have been revoked, and when.
    pub revoked: BTreeMap<Kid, Timestamp>,
    /// The verifier of those for other servers: handed over by the gate, asked for by services, exchanged. Taken at introspection,
    /// revocation and exchange only.
    pub behind: Option<Verifier>,
    /// The key set as it is served.
    pub jwks: Bytes,
    /// Its entity tag.
    pub etag: String,
}

impl Keyring {
    /// Opens the private halves of the keys that sign, but for those that `before` has open already: another replica may have
    /// sealed them under a master key that this one gets with its next start.
    fn open(
        keys: &[StoredKey],
        master: &MasterKey,
        parties: &Parties,
        before: Option<&Self>,
    ) -> Result<Self, DamagedKey> {
        let mut signing = BTreeMap::new();
        for key in keys.iter().filter(|key| key.state == KeyState::Active) {
            let known = before.and_then(|before| before.signing.get(&key.algorithm));
            if let Some(open) = known.filter(|open| *open.kid() == key.kid && open.public() == key.public) {
                signing.insert(key.algorithm, Arc::clone(open));
                continue;
            }
            let private = master.open(Purpose::SigningKey, key.kid.as_str(), &key.sealed).map_err(|_| DamagedKey)?;
            let opened = SigningKey::new(key.algorithm, &private).map(|opened| opened.named(key.kid.clone()));
            let opened = opened.filter(|opened| opened.public() == key.public).ok_or(DamagedKey)?;
            signing.insert(key.algorithm, Arc::new(opened));
        }
        if signing.is_empty() {
            return Err(DamagedKey);
        }
        let verifier = parties.verifier(&parties.audiences, published(keys)).ok_or(DamagedKey)?;
        let ours = parties.verifier(&parties.audiences, ever(keys)).ok_or(DamagedKey)?;
        let revoked = keys.iter().filter(|key| key.state == KeyState::Revoked);
        let revoked = revoked.map(|key| (key.kid.clone(), key.since)).collect();
        let behind = parties
            .verifier(&parties.behind, published(keys))
            .map(|verifier| verifier.of(Subjects::Both).opened_elsewhere());
        let jwks = jwks(keys).to_string();
        let etag = crate::app::etag(jwks.as_bytes());
        let active = keys.iter().filter(|key| key.state == KeyState::Active);
        let since = active.map(|key| (key.algorithm, key.since)).collect();
        Ok(Self { signing, since, verifier, ours, revoked, behind, jwks: Bytes::from(jwks), etag })
    }

    /// For how long the keys that sign have been signing.
    pub fn ages(&self, now: Timestamp) -> impl Iterator<Item = (Algorithm, Duration)> {
        self.since.iter().map(move |(algorithm, since)| (*algorithm, now.since(*since)))
    }

    /// The key that signs for this algorithm; while it has none yet, another's.
    pub fn signing(&self, algorithm: Algorithm) -> &SigningKey {
        let own = self.signing.get(&algorithm);
        own.or_else(|| self.signing.values().next()).expect("a ring without a key that signs is not opened")
    }
}

/// Whose tokens are verified here, and for whom.
#[derive(Debug)]
pub struct Parties {
    /// The issuer.
    pub issuer: String,
    /// The audiences of its applications.
    pub audiences: Vec<String>,
    /// The audiences of servers behind the gate, and of resources.
    pub behind: Vec<String>,
}

impl Parties {
    fn verifier(&self, audiences: &[String], keys: KeySet) -> Option<Verifier> {
        let (first, rest) = audiences.split_first()?;
        let verifier = Verifier::new(&self.issuer, first, keys);
        Some(rest.iter().fold(verifier, |verifier, audience| verifier.also_for(audience)))
    }
}

/// The ring, and the master key that new keys are sealed under.
#[derive(Debug)]
pub struct Keys {
    master: RwLock<Arc<MasterKey>>,
    ring: RwLock<Arc<Keyring>>,
    /// One reading at a time, so that none puts back what a later one has brought.
    reloading: tokio::sync::Mutex<()>,
    /// Held from the sealing of a row to its commit.
    sealing: Arc<tokio::sync::Mutex<()>>,
    parties: Parties,
}

impl Keys {
    /// From what the store holds.
    pub fn open(keys: &[StoredKey], master: MasterKey, parties: Parties) -> Result<Self, DamagedKey> {
        let ring = Keyring::open(keys, &master, &parties, None)?;
        Ok(Self {
            master: RwLock::new(Arc::new(master)),
            ring: RwLock::new(Arc::new(ring)),
            reloading: tokio::sync::Mutex::default(),
            sealing: Arc::default(),
            parties,
        })
    }

    /// The ring as it is now.
    pub fn ring(&self) -> Arc<Keyring> {
        Arc::clone(&self.ring.read())
    }

    /// The master key as it is now.
    pub fn master(&self) -> Arc<MasterKey> {
        Arc::clone(&self.master.read())
    }

    /// While this is held nobody else seals: a key made under one master key must not be committed under the next.
    pub async fn seal(&self) -> tokio::sync::OwnedMutexGuard<()> {
        Arc::clone(&self.sealing).lock_owned().await
    }

    /// From now on, secrets are sealed under this one. To be called once the store holds nothing else.
    pub fn set_master(&self, master: MasterKey) {
        *self.master.write() = Arc::new(master);
    }

    /// Takes the ring in as the store has it.
    pub async fn reload(&self, store: &dyn Store) -> Result<(), StoreError> {
        const CORRUPT: StoreError = StoreError::Corrupt { table: "signing_key", column: "sealed" };
        let _one = self.reloading.lock().await;
        let keys = store.signing_keys().await?;
        let before = self.ring();
        let ring = Keyring::open(&keys, &self.master(), &self.parties, Some(&before)).map_err(|DamagedKey| CORRUPT)?;
        *self.ring.write() = Arc::new(ring);
        Ok(())
    }
}
