//! Versioned migrations, embedded in the binary, each in one transaction.

use rusqlite::Connection;

/// Marks the file as ours (`PRAGMA application_id`): "cfol".
const APPLICATION_ID: i32 = 0x6366_6f6c;

const MIGRATIONS: [&str; 1] = [include_str!("../../../migrations/sqlite/0001_first.sql")];

/// Why the schema cannot be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// Another program's database.
    #[error("the file is a database of another program; nothing was changed")]
    NotOurs,
    /// Made by a newer version.
    #[error("the database has schema version {found}, this program knows up to {known}; use a newer counterfoil")]
    TooNew {
        /// The version found.
        found: usize,
        /// The newest one known.
        known: usize,
    },
    /// SQLite failed.
    #[error("{0}")]
    Sqlite(#[from] rusqlite::Error),
}

/// Whether the database is ours, or empty, and of a version known here; returns that version.
pub(super) fn check(connection: &Connection) -> Result<usize, MigrateError> {
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let found: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let found = found as usize;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let empty = application == 0 && tables == 0 && found == 0;
    if application != APPLICATION_ID && !empty {
        return Err(MigrateError::NotOurs);
    }
    if found > MIGRATIONS.len() {
        return Err(MigrateError::TooNew { found, known: MIGRATIONS.len() });
    }
    Ok(found)
}

pub(super) fn migrate(connection: &mut Connection) -> Result<(), MigrateError> {
    if check(connection)? == MIGRATIONS.len() {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let found = check(&transaction)?;
    for (index, migration) in MIGRATIONS.iter().enumerate().skip(found) {
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", u32::try_from(index + 1).unwrap_or(u32::MAX))?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.commit()?;
    Ok(())
}
