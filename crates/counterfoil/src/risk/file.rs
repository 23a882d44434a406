//! Files that others replace while the server runs: read at the start, and again when they have changed.

use crate::config::ConfigError;
use arc_swap::ArcSwap;
use parking_lot::Mutex;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// By what a file is known to be another.
type Stamp = (SystemTime, u64);

/// What a file says.
pub(super) struct Watched<T> {
    key: &'static str,
    path: PathBuf,
    read: fn(&Path) -> Result<T, String>,
    seen: Mutex<Option<Stamp>>,
    value: ArcSwap<T>,
}

impl<T> Watched<T> {
    /// Reads it; `key` is that of the configuration.
    pub(super) fn open(
        key: &'static str,
        path: &Path,
        read: fn(&Path) -> Result<T, String>,
    ) -> Result<Self, ConfigError> {
        let seen = Mutex::new(stamp(path));
        let value =
            read(path).map_err(|reason| ConfigError::key(key, format!("found {}: {reason}", path.display())))?;
        Ok(Self { key, path: path.to_owned(), read, seen, value: ArcSwap::from_pointee(value) })
    }

    /// What it said when it was read last.
    pub(super) fn value(&self) -> Arc<T> {
        self.value.load_full()
    }

    /// Reads it again if it is another. What cannot be read, or is being written, leaves what there is.
    pub(super) fn reread(&self) {
        let now = stamp(&self.path);
        if now.is_none() || *self.seen.lock() == now {
            return;
        }
        match (self.read)(&self.path) {
            Ok(value) => {
                self.value.store(Arc::new(value));
                tracing::info!(key = self.key, path = %self.path.display(), "the file has changed and was read again");
            }
            Err(reason) => {
                tracing::warn!(key = self.key, path = %self.path.display(), reason, "the file has changed and cannot be read; the old one counts");
            }
        }
        *self.seen.lock() = now;
    }
}

fn stamp(path: &Path) -> Option<Stamp> {
    let about = std::fs::metadata(path).ok()?;
    Some((about.modified().ok()?, about.len()))
}
