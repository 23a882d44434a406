//! The authority's side of the revocation feed, as state machines: no input or output, no clock.
//!
//! [`Journal`] is what can be fed: the entries in force, in their order. [`Leases`] knows who may still accept without
//! having heard of an entry, and so when an entry is *effective* (S2): when every guard that may still accept has
//! acknowledged it, or when time alone proves that none can be left that has not. [`Peers`] is what a replica knows of the others.

mod journal;
mod leases;
mod peers;

pub use journal::{Journal, Page};
pub use leases::{How, Lease, Leases, Policy};
pub use peers::{Peer, Peers};
