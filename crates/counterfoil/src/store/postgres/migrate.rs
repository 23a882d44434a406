//! Versioned migrations, embedded in the binary, each in one transaction; one process at a time, however many start together.

use super::connect::Connection;
use tokio_postgres::Error;

const MIGRATIONS: [&str; 13] = [
    include_str!("../../../migrations/postgres/0001_first.sql"),
    include_str!("../../../migrations/postgres/0002_factors.sql"),
    include_str!("../../../migrations/postgres/0003_audit_chain.sql"),
    include_str!("../../../migrations/postgres/0004_device_key.sql"),
    include_str!("../../../migrations/postgres/0005_deleted.sql"),
    include_str!("../../../migrations/postgres/0006_ban_end.sql"),
    include_str!("../../../migrations/postgres/0007_risk.sql"),
    include_str!("../../../migrations/postgres/0008_mail.sql"),
    include_str!("../../../migrations/postgres/0009_invites_api_keys.sql"),
    include_str!("../../../migrations/postgres/0010_activity.sql"),
    include_str!("../../../migrations/postgres/0011_status.sql"),
    include_str!("../../../migrations/postgres/0012_streams.sql"),
    include_str!("../../../migrations/postgres/0013_legacy.sql"),
];

/// What the schema consists of once it is up to date.
const TABLES: [&str; 30] = [
    "installation",
    "account",
    "password",
    "session",
    "superseded_handle",
    "log_head",
    "revocation",
    "signing_key",
    "sealed_secret",
    "invite",
    "api_key",
    "audit",
    "audit_seal",
    "audit_head",
    "guard",
    "client",
    "spent",
    "reader",
    "replica",
    "job",
    "rate",
    "passkey",
    "totp",
    "recovery_code",
    "familiar",
    "mail_link",
    "activity",
    "status_place",
    "stream",
    "stream_subject",
];

/// What was done to the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// The version that was found; 0 for an empty database.
    pub from: usize,
    /// The version it has now.
    pub to: usize,
}

/// Why the schema cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// Another program's database.
    #[error(
        "the database has a table `{table}` that is not counterfoil's; nothing was changed. Give counterfoil a database of its \
         own, or a schema: `store.url` with `?options=-csearch_path%3Dcounterfoil`"
    )]
    NotOurs {
        /// A table that stands in the way.
        table: String,
    },
    /// Made by a newer version.
    #[error("the database has schema version {found}, this program knows up to {known}; use a newer counterfoil")]
    TooNew {
        /// The version found.
        found: usize,
        /// The newest one known.
        known: usize,
    },
    /// Something is missing that its version must have.
    #[error(
        "the database says that it has schema version {version}, but there is no table `{table}`: a migration or a restore was \
         left half done. Restore a backup; nothing was changed"
    )]
    HalfDone {
        /// The version it says.
        version: usize,
        /// What is missing.
        table: String,
    },
    /// The engine refuses.
    #[error("the schema cannot be brought up to date: {0}")]
    Engine(String),
}

impl From<Error> for MigrateError {
    fn from(error: Error) -> Self {
        let said = error.as_db_error().map(|said| said.message().to_owned());
        Self::Engine(said.unwrap_or_else(|| error.to_string()))
    }
}

/// Brings the schema up to date.
pub(super) async fn migrate(connection: &Connection) -> Result<Migrated, MigrateError> {
    // Others may be at it, for as long as it takes.
    connection.run("SET lock_timeout = 0").await?;
    let sql = "SELECT pg_advisory_lock(hashtext(current_schema() || '.counterfoil.migrate'))";
    connection.query(sql, &[]).await?;
    let migrated = alone(connection).await;
    // A failed migration is over when its connection is.
    let sql = "SELECT pg_advisory_unlock(hashtext(current_schema() || '.counterfoil.migrate'))";
    let migrated = migrated?;
    connection.query(sql, &[]).await?;
    Ok(migrated)
}

async fn alone(connection: &Connection) -> Result<Migrated, MigrateError> {
    let from = version(connection).await?;
    if from > MIGRATIONS.len() {
        return Err(MigrateError::TooNew { found: from, known: MIGRATIONS.len() });
    }
    for (index, migration) in MIGRATIONS.iter().enumerate().skip(from) {
        let (before, version) = (index, index + 1);
        let noted = if before == 0 {
            format!(
                "CREATE TABLE counterfoil_schema (version integer NOT NULL); INSERT INTO counterfoil_schema VALUES ({version})"
            )
        } else {
            format!("UPDATE counterfoil_schema SET version = {version}")
        };
        connection.run(&format!("BEGIN; {migration}; {noted}; COMMIT")).await?;
    }
    let to = MIGRATIONS.len();
    for table in TABLES {
        if !has(connection, table).await? {
            return Err(MigrateError::HalfDone { version: to, table: table.to_owned() });
        }
    }
    Ok(Migrated { from, to })
}

async fn version(connection: &Connection) -> Result<usize, MigrateError> {
    if has(connection, "counterfoil_schema").await? {
        let row = connection.one("SELECT max(version) FROM counterfoil_schema", &[]).await?;
        let version = row.try_get::<_, Option<i32>>(0)?.unwrap_or_default();
        return Ok(usize::try_from(version).unwrap_or_default());
    }
    for table in TABLES {
        if has(connection, table).await? {
            return Err(MigrateError::NotOurs { table: table.to_owned() });
        }
    }
    Ok(0)
}

/// Whether there is such a table where ours are, whatever else is on the search path.
async fn has(connection: &Connection, table: &str) -> Result<bool, MigrateError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1)";
    Ok(connection.one(sql, &[&table]).await?.try_get(0)?)
}

/// Whose tokens the database's sessions stand behind: whoever came first, and nobody else.
pub(super) async fn settle_issuer(connection: &Connection, issuer: &str) -> Result<(), super::OpenError> {
    let settled: Result<String, Error> = async {
        let sql = "UPDATE installation SET issuer = $1 WHERE issuer IS NULL";
        connection.execute(sql, &[&issuer]).await?;
        connection.one("SELECT issuer FROM installation", &[]).await?.try_get(0)
    }
    .await;
    let theirs = settled.map_err(MigrateError::from)?;
    if theirs != issuer {
        return Err(super::OpenError::AnothersIssuer { theirs, ours: issuer.to_owned() });
    }
    Ok(())
}

/// The service has moved.
pub(super) async fn change_issuer(connection: &Connection, issuer: &str) -> Result<(), MigrateError> {
    connection.execute("UPDATE installation SET issuer = $1", &[&issuer]).await?;
    Ok(())
}
