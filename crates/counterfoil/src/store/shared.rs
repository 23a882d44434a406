//! What replicas need of a store that they share.

use super::StoreError;
use async_trait::async_trait;
use counterfoil_core::Timestamp;
use counterfoil_core::limit::Rate;
use counterfoil_guard::{Entry, LogId};
use std::time::Duration;
use tokio::sync::watch;

/// A process among those that share a store: random, and new at every start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplicaId(pub [u8; 16]);

/// A sign of life, and what a replica has come to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beat {
    /// Whose.
    pub id: ReplicaId,
    /// What people call it.
    pub name: String,
    /// Whether it grants leases to guards. One that does not is not registered, and only looks.
    pub grants_leases: bool,
    /// The entry that is known to be in force at every verifier that may have a lease of it; not known at first.
    pub floor: Option<u64>,
    /// How long its leases are.
    pub max_staleness: Duration,
    /// How many guards have one.
    pub verifiers: u32,
    /// The newest entry of the log that it knows.
    pub after: u64,
}

/// What there is to know, as it was at a moment after the sign of life was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beaten {
    /// The log's identity.
    pub log: LogId,
    /// The newest entry there is.
    pub head: u64,
    /// The entries from after the one that the replica knows, in their order; perhaps not up to the head.
    pub entries: Vec<Entry>,
    /// How often the key ring has changed.
    pub keys: i64,
    /// How often guards and services have changed.
    pub parties: i64,
    /// The longest `max_staleness` by which leases may be alive.
    pub promised: Duration,
    /// The other replicas whose leases may be alive.
    pub peers: Vec<Peer>,
    /// The store's time.
    pub now: Timestamp,
}

/// Another replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Which.
    pub id: ReplicaId,
    /// What people call it.
    pub name: String,
    /// Counts its signs of life.
    pub beat: i64,
    /// The entry that is known to be in force at every verifier of it.
    pub floor: Option<u64>,
    /// How long its leases are.
    pub max_staleness: Duration,
    /// How many guards have one.
    pub verifiers: u32,
}

/// What replicas need of a store that they share.
#[async_trait]
pub trait Shared: Send + Sync {
    /// Gives a sign of life and looks what has happened, no longer than `within`, in one transaction that an engine which has been replaced cannot
    /// commit. A replica that is not registered is registered, durably, before the log is read.
    async fn beat(&self, beat: Beat, within: Duration) -> Result<Beaten, StoreError>;
    /// Changes when there may be something new.
    fn news(&self) -> watch::Receiver<u64>;
    /// Takes a replica out of the registry, unless it has given a sign of life since `beat`.
    async fn take_out(&self, peer: ReplicaId, beat: i64) -> Result<(), StoreError>;
    /// Whether this replica is the one that does this job until `until`. Asked again before that, it stays the one.
    async fn lead(&self, job: &str, who: ReplicaId, now: Timestamp, until: Timestamp) -> Result<bool, StoreError>;
    /// Counts one at this key; the inner `Err` holds the time to wait.
    async fn take_rate(&self, key: [u8; 32], rate: Rate, now: Timestamp) -> Result<Result<(), Duration>, StoreError>;
    /// Takes one count back, or with `None` all of them.
    async fn give_rate_back(&self, key: [u8; 32], rate: Option<Rate>) -> Result<(), StoreError>;
    /// Now and then, by one replica: what is not done with each change.
    async fn tidy(&self, now: Timestamp) -> Result<(), StoreError>;
}
