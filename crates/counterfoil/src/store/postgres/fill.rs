//! An empty database is filled with another store's rows, all or nothing.

use super::PostgresStore;
use super::connect::Params;
use super::id::Id;
use super::transact::{Transaction, told};
use crate::store::StoreError;
use tokio_postgres::types::ToSql;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// 16 bytes.
    Id,
    /// Any bytes.
    Bytes,
    /// Text.
    Text,
    /// A number of 64 bits.
    Long,
    /// A number of 32 bits.
    Short,
    /// Yes or no.
    Flag,
}

/// What stands in a cell; `None` is NULL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// 16 bytes.
    Id(Option<[u8; 16]>),
    /// Any bytes.
    Bytes(Option<Vec<u8>>),
    /// Text.
    Text(Option<String>),
    /// A number of 64 bits.
    Long(Option<i64>),
    /// A number of 32 bits.
    Short(Option<i32>),
    /// Yes or no.
    Flag(Option<bool>),
}

/// A database being filled. Dropped before its end it is empty again.
#[derive(Debug)]
pub struct Filling(Transaction);

impl PostgresStore {
    /// Begins; `None` if the database is not empty.
    pub(in crate::store) async fn begin_filling(&self) -> Result<Option<Filling>, StoreError> {
        told(async {
            let transaction = Transaction::begin(&self.pool).await?;
            // A server that starts on it now waits, and then finds it filled.
            transaction.run("LOCK TABLE account, session, sealed_secret, log_head IN SHARE ROW EXCLUSIVE MODE").await?;
            transaction.run("SET LOCAL idle_in_transaction_session_timeout = 0").await?;
            let sql = "SELECT EXISTS (SELECT 1 FROM account) OR EXISTS (SELECT 1 FROM session) \
                         OR EXISTS (SELECT 1 FROM sealed_secret) OR (SELECT seq > 0 FROM log_head)";
            if transaction.one(sql, &[]).await?.try_get(0)? {
                return transaction.undo(None).await;
            }
            Ok(Some(Filling(transaction)))
        })
        .await
    }
}

impl Filling {
    /// Puts rows into a table.
    pub(in crate::store) async fn insert(
        &mut self,
        table: &str,
        columns: &[(&str, Column)],
        rows: Vec<Vec<Cell>>,
    ) -> Result<(), StoreError> {
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let arrays: Vec<String> = columns
            .iter()
            .enumerate()
            .map(|(index, (_, column))| format!("${}::{}[]", index + 1, type_name(*column)))
            .collect();
        let (names, arrays) = (names.join(", "), arrays.join(", "));
        let sql = format!("INSERT INTO {table} ({names}) SELECT * FROM unnest({arrays})");
        let values = transpose(columns, rows);
        let params: Vec<&(dyn ToSql + Sync)> = values.iter().map(|column| &**column as &(dyn ToSql + Sync)).collect();
        told(async { Ok(self.0.execute_once(&sql, &params).await?) }).await.map(|_| ())
    }

    /// The log goes on as the same log.
    pub(in crate::store) async fn replace_head(
        &mut self,
        columns: &[(&str, Column)],
        rows: Vec<Vec<Cell>>,
    ) -> Result<(), StoreError> {
        let sets: Vec<String> = columns
            .iter()
            .enumerate()
            .map(|(index, (name, column))| format!("{name} = (${}::{}[])[1]", index + 1, type_name(*column)))
            .collect();
        let sql = format!("UPDATE log_head SET {}, keys = keys + 1, parties = parties + 1", sets.join(", "));
        let values = transpose(columns, rows);
        let params: Vec<&(dyn ToSql + Sync)> = values.iter().map(|column| &**column as &(dyn ToSql + Sync)).collect();
        told(async { Ok(self.0.execute_once(&sql, &params).await?) }).await.map(|_| ())
    }

    /// Makes it last.
    pub(in crate::store) async fn finish(self) -> Result<(), StoreError> {
        told(self.0.commit_with_news()).await
    }
}

const fn type_name(column: Column) -> &'static str {
    match column {
        Column::Id => "uuid",
        Column::Bytes => "bytea",
        Column::Text => "text",
        Column::Long => "bigint",
        Column::Short => "integer",
        Column::Flag => "boolean",
    }
}

/// Columns out of rows. A cell of another type than its column's is NULL, which no column that matters takes.
fn transpose(columns: &[(&str, Column)], rows: Vec<Vec<Cell>>) -> Vec<Box<dyn ToSql + Sync + Send>> {
    let mut cells: Vec<Vec<Cell>> = columns.iter().map(|_| Vec::with_capacity(rows.len())).collect();
    for row in rows {
        for (column, cell) in cells.iter_mut().zip(row) {
            column.push(cell);
        }
    }
    macro_rules! column {
        ($cells:ident, $kind:ident, $with:expr) => {
            Box::new(
                $cells
                    .into_iter()
                    .map(|cell| match cell {
                        Cell::$kind(value) => value.map($with),
                        _ => None,
                    })
                    .collect::<Vec<_>>(),
            )
        };
    }
    let of = |((_, column), cells): (&(&str, Column), Vec<Cell>)| -> Box<dyn ToSql + Sync + Send> {
        match column {
            Column::Id => column!(cells, Id, Id),
            Column::Bytes => column!(cells, Bytes, |value| value),
            Column::Text => column!(cells, Text, |value| value),
            Column::Long => column!(cells, Long, |value| value),
            Column::Short => column!(cells, Short, |value| value),
            Column::Flag => column!(cells, Flag, |value| value),
        }
    };
    columns.iter().zip(cells).map(of).collect()
}

/// For the statements above, which are made at run time.
impl Transaction {
    async fn execute_once(&self, sql: &str, params: Params<'_>) -> Result<u64, tokio_postgres::Error> {
        self.client().execute(sql, params).await
    }
}
