//! The status lists as they are served, and what is known of the places that are invalid in them.

use crate::store::status::Place;
use bytes::Bytes;
use counterfoil_core::status_list::Bits;
use counterfoil_core::{Kid, Timestamp};
use counterfoil_guard::Cursor;
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::{Mutex, Notify};

/// The lists of this process.
#[derive(Debug, Default)]
pub struct StatusLists {
    /// As they were signed last, by number.
    pub published: RwLock<BTreeMap<u32, Arc<Published>>>,
    /// Up to which entry of the revocation log they say what there is.
    pub head: AtomicU64,
    /// One publishes at a time.
    pub known: Mutex<Known>,
    /// Somebody has been given a place in a list that is not published yet.
    pub wanted: Notify,
}

/// A list as it is served.
#[derive(Debug)]
pub struct Published {
    /// The signed list.
    pub body: Bytes,
    /// The same, compressed.
    pub gzip: Bytes,
    /// Its entity tag.
    pub etag: String,
    /// What it says.
    pub bits: Bits,
    /// When it was signed.
    pub at: Timestamp,
    /// By which key.
    pub kid: Kid,
}

/// What the lists are made of.
#[derive(Debug, Default)]
pub struct Known {
    /// Up to where the revocation log is in here.
    pub cursor: Option<Cursor>,
    /// Which places each entry in force makes invalid, and until when.
    pub invalid: BTreeMap<u64, (Timestamp, Vec<Place>)>,
    /// When the lists were looked after last.
    pub at: Option<Timestamp>,
}

impl StatusLists {
    /// Whether they say everything up to this entry.
    pub fn are_up_to(&self, seq: u64) -> bool {
        self.head.load(Ordering::Acquire) >= seq
    }

    /// A list, if it is published.
    pub fn list(&self, number: u32) -> Option<Arc<Published>> {
        self.published.read().get(&number).cloned()
    }
}
