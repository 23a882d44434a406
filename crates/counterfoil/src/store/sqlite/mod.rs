//! The embedded engine: SQLite in WAL mode with `synchronous=FULL`. One writer with group commit, readers beside it.

mod activity;
mod api_keys;
mod audit;
mod audit_chain;
mod backup;
mod checkpoint;
mod clients;
mod cursors;
mod deletions;
mod devices;
mod factors;
mod filler;
mod guards;
mod invites;
mod keys;
mod log;
mod mail;
mod migrate;
mod readers;
mod restore;
mod revoked;
mod risk;
mod row;
mod rows;
mod sessions;
mod status;
mod streams;
mod users;
mod writer;

use super::{Ends, Replayed, Store, StoreError};
use async_trait::async_trait;
use checkpoint::Checkpointer;
use counterfoil_guard::LogId;
use parking_lot::Mutex;
use readers::Readers;
use revoked::RevokedLog;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;
use writer::Writer;

pub use backup::{BackupError, backup};
#[doc(hidden)]
pub use filler::fill;
pub use migrate::MigrateError;

/// How often SQLite waits for the disk. Anything but `Full` breaks D1; the other exists so that a test can show that the
/// test for D1 notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Synchronous {
    /// At every commit.
    Full,
    /// At checkpoints only.
    #[doc(hidden)]
    Normal,
}

/// Bytes in a page of a new database.
const PAGE_SIZE: u32 = 1024;

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// SQLite says no: a read-only folder, a full disk, a file that is not a database.
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The schema is not one this program can bring up to date.
    #[error("{0}")]
    Migrate(#[from] MigrateError),
    /// The writer's thread could not be started, or what has been revoked cannot be noted beside the database.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// The embedded store.
#[derive(Debug)]
pub struct SqliteStore {
    writer: Writer,
    checkpointer: Checkpointer,
    readers: Readers,
    /// How far purging has come; lost at a restart, which then begins at the start.
    purged_to: Mutex<Vec<u8>>,
    /// What has to end, if the database has been put back from a backup.
    put_back: Mutex<Option<Ends>>,
}

impl SqliteStore {
    /// Opens the database file, makes it if it is not there, and brings its schema up to date.
    pub fn open(path: &Path, synchronous: Synchronous) -> Result<Self, OpenError> {
        let mut connection = connect(path, OpenFlags::SQLITE_OPEN_CREATE)?;
        // Before anything is written: another program's database must be left as it is.
        migrate::check(&connection)?;
        // Small pages: a refresh changes one row, and the whole page around it goes to the log. Counts for a new file only.
        connection.pragma_update(None, "page_size", PAGE_SIZE)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        let level = match synchronous {
            Synchronous::Full => "full",
            Synchronous::Normal => "normal",
        };
        connection.pragma_update(None, "synchronous", level)?;
        connection.pragma_update(None, "foreign_keys", "on")?;
        connection.pragma_update(None, "cache_size", -16 * 1024)?;
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
        connection.set_prepared_statement_cache_capacity(64);
        keep_plans(&connection)?;
        migrate::migrate(&mut connection)?;
        let (checkpointer, bell) = Checkpointer::start(connect(path, OpenFlags::empty())?)?;
        let head = connection.query_row("SELECT id, seq FROM log_head", [], |row| {
            Ok((LogId::from_bytes(row.get(0)?), row.get::<_, i64>(1)?.cast_unsigned()))
        })?;
        let log = path.with_file_name(revoked::NAME);
        let (revoked, covered) = RevokedLog::open(&log)?;
        let put_back = match (covered.is_ahead_of(&head), covered.reaches_back_to(&head)) {
            (false, _) => None,
            (true, true) => Some(Ends::These(revoked::entries(&log)?)),
            // What lies between the two nobody has written down.
            (true, false) => Some(Ends::All),
        };
        let writer = Writer::start(connection, bell, revoked)?;
        let (readers, purged_to) = (Readers::new(path), Mutex::default());
        Ok(Self { writer, checkpointer, readers, purged_to, put_back: Mutex::new(put_back) })
    }

    /// What has to end when this backup is put in the place of the database, by the `revoked.log` in `folder`: what that says, if it
    /// has everything since the backup; otherwise all. An error where the file is no database of ours.
    pub fn after_restore(backup: &Path, folder: &Path) -> Result<Ends, OpenError> {
        let connection = Connection::open_with_flags(backup, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        if migrate::check(&connection)? == 0 {
            return Err(MigrateError::NotOurs.into());
        }
        let sound: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if sound != "ok" {
            return Err(std::io::Error::other(format!("the backup is damaged: {sound}")).into());
        }
        let log = folder.join(revoked::NAME);
        if !log.exists() {
            return Ok(Ends::All);
        }
        // Before the log had an identity there was no such file either.
        let head = connection.query_row("SELECT id, seq FROM log_head", [], |row| {
            Ok((LogId::from_bytes(row.get(0)?), row.get::<_, i64>(1)?.cast_unsigned()))
        });
        let (_, covered) = RevokedLog::open(&log)?;
        Ok(if head.is_ok_and(|head| covered.reaches_back_to(&head)) {
            Ends::These(revoked::entries(&log)?)
        } else {
            Ends::All
        })
    }

    /// What the `revoked.log` in this folder says has been revoked; `None` if there is none.
    pub fn revoked(folder: &Path) -> std::io::Result<Option<Vec<Replayed>>> {
        let path = folder.join(revoked::NAME);
        if path.exists() { revoked::entries(&path).map(Some) } else { Ok(None) }
    }

    /// Folds what is in the companion files of a database into it, so that it is whole by itself.
    pub fn fold(path: &Path) -> Result<(), OpenError> {
        let connection = connect(path, OpenFlags::empty())?;
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }

    /// What has to end, once, if the database is older than `revoked.log`: it has been put back from a backup.
    pub fn put_back(&self) -> Option<Ends> {
        self.put_back.lock().take()
    }
}

fn connect(path: &Path, extra: OpenFlags) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | extra;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    Ok(connection)
}

/// Plans a statement once, whatever values are bound to it later. Without this the plan is made anew at every look-up.
fn keep_plans(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(|_| ())
}

#[async_trait]
impl Store for SqliteStore {
    async fn check(&self) -> Result<(), StoreError> {
        self.readers.read(|connection| Ok(connection.query_row("SELECT seq FROM log_head", [], |_| Ok(()))?))?;
        self.writer.write(|connection| Ok(connection.query_row("SELECT 1", [], |_| Ok(()))?)).await
    }

    async fn close(&self) {
        // The last connection to close folds the write-ahead log into the database; that must be the writer's.
        self.readers.close();
        self.checkpointer.stop();
        self.writer.stop().await;
    }
}
