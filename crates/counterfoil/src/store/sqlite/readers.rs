//! Connections that only read. A read is microseconds out of the page cache and is done where it is asked for: handing it
//! to another thread would cost more than the read.

use super::writer::{Failure, unavailable};
use crate::store::StoreError;
use crate::telemetry::{function_of, span};
use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How many idle connections are kept.
const KEPT: usize = 4;

/// A small pool.
#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), idle: Mutex::new(Vec::new()) }
    }

    /// Reads from a snapshot that holds everything committed so far.
    pub(super) fn read<T>(&self, body: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, StoreError> {
        let name = || function_of(std::any::type_name_of_val(&body));
        let _span = span!("sqlite", otel.name = name(), db.system.name = "sqlite").entered();
        let taken = self.idle.lock().pop();
        let connection = match taken {
            Some(connection) => connection,
            None => self.connect().map_err(|error| unavailable(&error))?,
        };
        let outcome = body(&connection).map_err(StoreError::from);
        let mut idle = self.idle.lock();
        if idle.len() < KEPT {
            idle.push(connection);
        }
        outcome
    }

    fn connect(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.pragma_update(None, "cache_size", -2 * 1024)?;
        connection.set_prepared_statement_cache_capacity(32);
        super::keep_plans(&connection)?;
        Ok(connection)
    }

    pub(super) fn close(&self) {
        self.idle.lock().clear();
    }
}
