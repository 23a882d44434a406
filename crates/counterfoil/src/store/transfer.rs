//! Everything out of an embedded store into an empty one in PostgreSQL, as it is: sessions, their refresh tokens and the log go on
//! as if nothing had happened. The one module that knows both engines.

use super::StoreError;
use super::postgres::{Cell, Column, PostgresStore};
use super::sqlite::SqliteStore;

/// How many rows go together.
const BATCH: usize = 1000;

use Column::{Bytes, Flag, Id, Long, Short, Text};

/// A table, its columns, and by which of them it is read in order.
struct Table(&'static str, &'static [(&'static str, Column)], &'static str);

const TABLES: [Table; 26] = [
    Table(
        "account",
        &[
            ("created_at", Long),
            ("banned_at", Long),
            ("banned_until", Long),
            ("deleted_at", Long),
            ("sessions_ended_at", Long),
            ("claims_version", Short),
            ("id", Id),
            ("email", Text),
            ("email_key", Text),
            ("name", Text),
            ("roles", Text),
            ("ban_reason", Text),
            ("external_id", Text),
            ("imported_email", Text),
        ],
        "id",
    ),
    Table("password", &[("failures", Short), ("account", Id), ("hash", Text)], "account"),
    Table(
        "passkey",
        &[
            ("created_at", Long),
            ("last_used_at", Long),
            ("synced", Flag),
            ("backed_up", Flag),
            ("account", Id),
            ("id", Bytes),
            ("name", Text),
            ("credential", Text),
        ],
        "id",
    ),
    Table(
        "totp",
        &[("created_at", Long), ("last_step", Long), ("failures", Short), ("account", Id), ("sealed", Bytes)],
        "account",
    ),
    Table("recovery_code", &[("account", Id), ("hash", Bytes)], "hash"),
    Table("familiar", &[("last_at", Long), ("id", Id), ("account", Id), ("device", Text), ("network", Text)], "id"),
    Table(
        "mail_link",
        &[("expires_at", Long), ("account", Id), ("hash", Bytes), ("purpose", Text), ("sealed", Bytes)],
        "hash",
    ),
    Table(
        "session",
        &[
            ("created_at", Long),
            ("auth_time", Long),
            ("last_seen_at", Long),
            ("idle", Long),
            ("expires_at", Long),
            ("handed_at", Long),
            ("ended_at", Long),
            ("rotated_1", Long),
            ("rotated_2", Long),
            ("rotated_3", Long),
            ("copy_refused_at", Long),
            ("generation", Short),
            ("persistent", Flag),
            ("handed_twice", Flag),
            ("presented", Flag),
            ("handle", Id),
            ("sid", Id),
            ("account", Id),
            ("parent", Bytes),
            ("bound_to", Bytes),
            ("device_key", Bytes),
            ("application", Text),
            ("profile", Text),
            ("acr", Text),
            ("amr", Text),
            ("device", Text),
            ("network", Text),
            ("end_reason", Text),
        ],
        "handle",
    ),
    Table("superseded_handle", &[("at", Long), ("handle", Id), ("sid", Id)], "handle"),
    Table(
        "revocation",
        &[
            ("seq", Long),
            ("at", Long),
            ("until", Long),
            ("version", Short),
            ("kind", Text),
            ("target", Bytes),
            ("reason", Text),
            ("actor", Text),
        ],
        "seq",
    ),
    Table(
        "signing_key",
        &[
            ("created_at", Long),
            ("since", Long),
            ("kid", Text),
            ("algorithm", Text),
            ("state", Text),
            ("public", Bytes),
            ("sealed", Bytes),
        ],
        "kid",
    ),
    Table("sealed_secret", &[("purpose", Text), ("id", Text), ("sealed", Bytes)], "purpose || ' ' || id"),
    Table(
        "invite",
        &[("expires_at", Long), ("issuer", Id), ("bootstrap", Flag), ("hash", Bytes), ("role", Text), ("note", Text)],
        "hash",
    ),
    Table(
        "api_key",
        &[
            ("created_at", Long),
            ("expires_at", Long),
            ("used_at", Long),
            ("id", Id),
            ("issuer", Id),
            ("name", Text),
            ("hash", Bytes),
            ("role", Text),
        ],
        "name",
    ),
    Table(
        "audit",
        &[
            ("at", Long),
            ("seq", Long),
            ("by_user", Id),
            ("account", Id),
            ("sid", Id),
            ("event", Text),
            ("actor", Text),
            ("network", Text),
            ("detail", Text),
        ],
        "seq",
    ),
    Table(
        "audit_seal",
        &[("seq", Long), ("salt", Bytes), ("network_hash", Bytes), ("hash", Bytes), ("mac", Bytes)],
        "seq",
    ),
    Table("audit_head", &[("seq", Long), ("place", Text), ("hash", Bytes), ("mac", Bytes)], "place"),
    Table("guard", &[("created_at", Long), ("name", Text), ("hash", Bytes)], "name"),
    Table(
        "client",
        &[("created_at", Long), ("sid", Id), ("name", Text), ("secret_hash", Bytes), ("jwks", Text)],
        "name",
    ),
    Table("spent", &[("until", Long), ("what", Bytes)], "what"),
    Table("activity", &[("hour", Long), ("count", Long), ("what", Text)], "hour || ' ' || what"),
    Table(
        "status_place",
        &[("list", Short), ("idx", Short), ("version", Short), ("sid", Id)],
        "printf('%010d %010d', list, idx)",
    ),
    Table(
        "stream",
        &[
            ("created_at", Long),
            ("verified_at", Long),
            ("position", Long),
            ("version", Long),
            ("id", Id),
            ("client", Text),
            ("status", Text),
            ("reason", Text),
            ("settings", Text),
            ("sealed", Bytes),
            ("acknowledged", Text),
            ("notes", Text),
        ],
        "id",
    ),
    Table("stream_subject", &[("stream", Id), ("subject", Id)], "hex(stream) || hex(subject)"),
    Table("reader", &[("seq", Long), ("name", Text)], "name"),
    Table("log_head", &[("seq", Long), ("promised", Long), ("restored_at", Long), ("id", Id)], "one"),
];

/// Why nothing was moved.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// There is something already.
    #[error("the database is not empty: it has accounts, keys or sessions already; nothing was moved")]
    NotEmpty,
    /// One of the two stores.
    #[error("{0}")]
    Store(#[from] StoreError),
}

/// Moves all of it, in one transaction; `progress` is told how many rows of how many are done.
pub async fn transfer(
    from: &SqliteStore,
    to: &PostgresStore,
    mut progress: impl FnMut(u64, u64),
) -> Result<u64, TransferError> {
    let mut all = 0;
    for Table(table, ..) in &TABLES {
        all += from.count_rows(table)?;
    }
    let mut filling = to.begin_filling().await?.ok_or(TransferError::NotEmpty)?;
    let mut done = 0;
    for Table(table, columns, key) in &TABLES {
        let mut after = None;
        loop {
            let rows = from.read_rows(table, columns, (*key, after.as_ref()), BATCH)?;
            let Some((last, _)) = rows.last() else { break };
            after = Some(last.clone());
            let cells: Vec<Vec<Cell>> = rows.into_iter().map(|(_, cells)| cells).collect();
            let count = cells.len();
            if *table == "log_head" {
                filling.replace_head(columns, cells).await?;
            } else {
                filling.insert(table, columns, cells).await?;
            }
            done += count as u64;
            progress(done, all);
            if count < BATCH {
                break;
            }
        }
    }
    filling.finish().await?;
    Ok(done)
}
