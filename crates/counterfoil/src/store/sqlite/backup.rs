//! A copy of the database, made while others go on writing to it.

use rusqlite::{Connection, OpenFlags};
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The database says no, or the disk is full.
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The file cannot be made: it is there already, perhaps.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// Writes the database at `from`, as it is at this moment, into a new file that only its owner can read.
pub fn backup(from: &Path, to: &Path) -> Result<(), BackupError> {
    // Made here, so that it is private from the start; an existing file is not written over.
    OpenOptions::new().create_new(true).write(true).mode(0o600).open(to)?;
    let copied = copy(from, to);
    if copied.is_err() {
        std::fs::remove_file(to)?;
    }
    copied
}

fn copy(from: &Path, to: &Path) -> Result<(), BackupError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(from, flags)?;
    connection.busy_timeout(Duration::from_secs(5))?;
    super::migrate::check(&connection).map_err(|error| std::io::Error::other(error.to_string()))?;
    let name = to.to_str().ok_or_else(|| std::io::Error::other("the file's name must be UTF-8"))?;
    connection.execute("VACUUM INTO ?1", [name])?;
    File::open(to)?.sync_all()?;
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    File::open(folder)?.sync_all()?;
    Ok(())
}
