//! The outbox: in place of a server, for development and tests.

use counterfoil_core::{Secret, Timestamp};
use parking_lot::Mutex;
use std::collections::VecDeque;
use tokio::sync::watch;

/// How many are kept.
const MOST: usize = 50;

/// A mail as it would have been sent.
#[derive(Clone, Debug)]
pub struct Shown {
    /// To whom.
    pub to: String,
    /// When.
    pub at: Timestamp,
    /// What about.
    pub subject: String,
    /// Its text.
    pub plain: Secret<String>,
    /// The same as HTML.
    pub html: Secret<String>,
}

/// The newest mails.
#[derive(Debug)]
pub struct Outbox {
    kept: Mutex<VecDeque<Shown>>,
    count: watch::Sender<usize>,
}

impl Outbox {
    pub(super) fn new() -> Self {
        Self { kept: Mutex::default(), count: watch::Sender::new(0) }
    }

    pub(super) fn put(&self, mail: Shown) {
        let mut kept = self.kept.lock();
        kept.push_front(mail);
        kept.truncate(MOST);
        drop(kept);
        self.count.send_modify(|count| *count += 1);
    }

    /// What is there, the newest first.
    pub fn all(&self) -> Vec<Shown> {
        self.kept.lock().iter().cloned().collect()
    }

    /// How many there have been, to be waited for.
    pub fn count(&self) -> watch::Receiver<usize> {
        self.count.subscribe()
    }
}
