//! Versioned migrations, embedded in the binary, each in one transaction.

use rusqlite::Connection;

/// Marks the file as ours (`PRAGMA application_id`): "cfol".
const APPLICATION_ID: i32 = 0x6366_6f6c;

const MIGRATIONS: [&str; 21] = [
    include_str!("../../../migrations/sqlite/0001_first.sql"),
    include_str!("../../../migrations/sqlite/0002_feed.sql"),
    include_str!("../../../migrations/sqlite/0003_token_revocation.sql"),
    include_str!("../../../migrations/sqlite/0004_readers.sql"),
    include_str!("../../../migrations/sqlite/0005_keys.sql"),
    include_str!("../../../migrations/sqlite/0006_superseded.sql"),
    include_str!("../../../migrations/sqlite/0007_purge.sql"),
    include_str!("../../../migrations/sqlite/0008_clients.sql"),
    include_str!("../../../migrations/sqlite/0009_restored.sql"),
    include_str!("../../../migrations/sqlite/0010_factors.sql"),
    include_str!("../../../migrations/sqlite/0011_audit_chain.sql"),
    include_str!("../../../migrations/sqlite/0012_device_key.sql"),
    include_str!("../../../migrations/sqlite/0013_deleted.sql"),
    include_str!("../../../migrations/sqlite/0014_ban_end.sql"),
    include_str!("../../../migrations/sqlite/0015_risk.sql"),
    include_str!("../../../migrations/sqlite/0016_mail.sql"),
    include_str!("../../../migrations/sqlite/0017_invites_api_keys.sql"),
    include_str!("../../../migrations/sqlite/0018_activity.sql"),
    include_str!("../../../migrations/sqlite/0019_status.sql"),
    include_str!("../../../migrations/sqlite/0020_streams.sql"),
    include_str!("../../../migrations/sqlite/0021_legacy.sql"),
];

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

#[cfg(test)]
mod tests {
    use super::{APPLICATION_ID, MIGRATIONS};
    use crate::store::Log as _;
    use crate::store::sqlite::{SqliteStore, Synchronous};
    use counterfoil_core::Timestamp;
    use rusqlite::Connection;

    /// The first version purged the newest entry of the log too. Whoever follows the log must find where it goes on.
    #[tokio::test]
    async fn a_log_whose_entries_are_all_purged_goes_on_where_it_stood() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("counterfoil.db");
        let old = Connection::open(&path).expect("a database");
        old.execute_batch(MIGRATIONS[0]).expect("the first schema");
        old.pragma_update(None, "user_version", 1).expect("its version");
        old.pragma_update(None, "application_id", APPLICATION_ID).expect("its mark");
        old.execute("UPDATE log_head SET seq = 5", []).expect("five entries");
        drop(old);
        let store = SqliteStore::open(&path, Synchronous::Full).expect("the store");
        let log = store.log(Timestamp::from_seconds(1)).await.expect("the log");
        assert_eq!((log.head.map(|entry| entry.seq), log.in_force.len()), (Some(5), 0));
    }
}
