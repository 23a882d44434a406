//! Rows as they are, for whoever takes everything out.

use super::SqliteStore;
use crate::store::StoreError;
use crate::store::postgres::{Cell, Column};
use rusqlite::Row;
use rusqlite::types::Value;

/// A row's key, by which the next ones are found, and its cells.
type KeyedRow = (Value, Vec<Cell>);

impl SqliteStore {
    /// How many rows a table has.
    pub(in crate::store) fn count_rows(&self, table: &str) -> Result<u64, StoreError> {
        self.readers.read(|connection| {
            let count: i64 = connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?;
            Ok(count.unsigned_abs())
        })
    }

    /// The next rows of a table, in the order of `key`.
    pub(in crate::store) fn read_rows(
        &self,
        table: &str,
        columns: &[(&str, Column)],
        (key, after): (&str, Option<&Value>),
        most: usize,
    ) -> Result<Vec<KeyedRow>, StoreError> {
        let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
        let beyond = if after.is_some() { format!("WHERE {key} > ?1") } else { String::new() };
        let sql = format!("SELECT {key}, {} FROM {table} {beyond} ORDER BY {key} LIMIT {most}", names.join(", "));
        self.readers.read(|connection| {
            let mut statement = connection.prepare(&sql)?;
            let mut rows = match after {
                Some(after) => statement.query([after])?,
                None => statement.query([])?,
            };
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let cells = columns.iter().enumerate().map(|(index, (_, column))| cell(row, index + 1, *column));
                found.push((row.get(0)?, cells.collect::<rusqlite::Result<_>>()?));
            }
            Ok(found)
        })
    }
}

fn cell(row: &Row<'_>, index: usize, column: Column) -> rusqlite::Result<Cell> {
    Ok(match column {
        Column::Id => Cell::Id(row.get(index)?),
        Column::Bytes => Cell::Bytes(row.get(index)?),
        Column::Text => Cell::Text(row.get(index)?),
        Column::Long => Cell::Long(row.get(index)?),
        Column::Short => Cell::Short(row.get::<_, Option<u32>>(index)?.map(u32::cast_signed)),
        Column::Flag => Cell::Flag(row.get(index)?),
    })
}
