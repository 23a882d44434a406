//! The seam's part for the audit log as a chain: what has been sealed, what is still to be, and looking things up in it.

use super::{SealedSecret, StoreError};
use async_trait::async_trait;
use counterfoil_core::UserId;
use counterfoil_core::audit::AuditEntry;
use counterfoil_core::audit_chain::{Batch, Mark, Row};
use counterfoil_core::audit_search::Stretch;

/// Where the chain stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Where it begins.
    pub anchor: Option<Mark>,
    /// Where it ends.
    pub head: Option<Mark>,
    /// The highest number that has a seal.
    pub sealed_to: i64,
    /// The lowest number there is; 0 if there is none.
    pub oldest: i64,
    /// The highest.
    pub newest: i64,
}

/// An entry, and what the chain says of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its number.
    pub seq: i64,
    /// The entry.
    pub entry: AuditEntry,
    /// Its hash, and the hash of its network with the salt, once it has been sealed.
    pub sealed: Option<(Vec<u8>, Vec<u8>)>,
}

/// The audit log as a chain.
#[async_trait]
pub trait Chain {
    /// Where it stands, all of one moment.
    async fn marks(&self) -> Result<Marks, StoreError>;
    /// Begins it: keeps its key, its anchor and its head; `false`, and nothing done, unless the secrets there are are `known`.
    async fn begin_chain(
        &self,
        known: Vec<SealedSecret>,
        key: SealedSecret,
        (anchor, head): (Mark, Mark),
    ) -> Result<bool, StoreError>;
    /// Entries after this number as their rows say, with their seals, oldest first. Those committed last have numbers too.
    async fn links(&self, after: i64, limit: u32) -> Result<Vec<Row>, StoreError>;
    /// Keeps a batch's seals and moves the head from `from`; `false`, and nothing done, if the head is another one, or the network of
    /// an entry has been erased since it was read.
    async fn seal(&self, from: Mark, batch: Batch) -> Result<bool, StoreError>;
    /// Removes the entries up to `to`, which becomes the anchor; `false`, and nothing done, if the anchor is not `from`.
    async fn forget(&self, from: Mark, to: Mark) -> Result<bool, StoreError>;
    /// Where those of these readers stand that are known; the lowest place of all.
    async fn slowest(&self, readers: Vec<String>) -> Result<Option<i64>, StoreError>;
    /// Erases the networks, with their salts, of up to `limit` entries that the account made or that others but administrators made
    /// about it. Returns how many; fewer than `limit` says that there are no more.
    async fn erase_networks(&self, user: UserId, limit: u32) -> Result<u32, StoreError>;
    /// Entries of a stretch, in its direction.
    async fn find(&self, stretch: Stretch, limit: u32) -> Result<Vec<Recorded>, StoreError>;
}
