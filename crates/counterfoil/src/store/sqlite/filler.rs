//! Sessions in bulk for benchmarks: copies of those that are there under other names, each with a place in a status list. As fast as
//! the disk takes them: nothing of the file can be used if this is interrupted.

use super::connect;
use rusqlite::{Connection, OpenFlags, Transaction, params};
use std::path::Path;

/// An odd number: its multiples go round all 128-bit numbers before one comes again, in no order.
const SPREAD: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

/// Adds so many sessions to the store in this file, which nobody has open. Lists of `size` places become three quarters full.
pub fn fill(path: &Path, count: u32, size: u32) -> rusqlite::Result<()> {
    let mut connection = connect(path, OpenFlags::empty())?;
    connection.pragma_update(None, "journal_mode", "off")?;
    connection.pragma_update(None, "synchronous", "off")?;
    connection.pragma_update(None, "cache_size", -256 * 1024)?;
    connection.execute_batch("CREATE TEMP TABLE template AS SELECT * FROM session")?;
    let columns: String = connection.query_row(
        "SELECT group_concat(CASE name WHEN 'handle' THEN '?1' WHEN 'sid' THEN '?2' ELSE name END) \
           FROM pragma_table_info('session')",
        [],
        |row| row.get(0),
    )?;
    // Sorted once, instead of a page here and a page there for every row.
    let indexes = indexes(&connection)?;
    let transaction = connection.transaction()?;
    for (name, _) in &indexes {
        transaction.execute_batch(&format!("DROP INDEX {name}"))?;
    }
    insert(&transaction, (count, size), &columns)?;
    for (_, sql) in &indexes {
        transaction.execute_batch(sql)?;
    }
    transaction.commit()
}

/// In the order of the primary keys.
fn insert(transaction: &Transaction<'_>, (count, size): (u32, u32), columns: &str) -> rusqlite::Result<()> {
    let templates: u32 = transaction.query_row("SELECT count(*) FROM template", [], |row| row.get(0))?;
    let sql = format!("INSERT INTO session SELECT {columns} FROM template WHERE rowid = ?3");
    let mut session = transaction.prepare(&sql)?;
    let mut place =
        transaction.prepare("INSERT OR IGNORE INTO status_place (list, idx, sid, version) VALUES (?1, ?2, ?3, 0)")?;
    let (step, per_list) = (u128::MAX / u128::from(count.max(1)), size / 4 * 3);
    for n in 0..count {
        let handle = (u128::from(n) * step).to_be_bytes();
        let sid = u128::from(n + 1).wrapping_mul(SPREAD).to_be_bytes();
        session.execute(params![handle, sid, 1 + n % templates])?;
        let index = u64::from(n % per_list) * u64::from(size) / u64::from(per_list);
        place.execute(params![1 + n / per_list, index.cast_signed(), sid])?;
    }
    Ok(())
}

/// The indexes of both tables, each with what makes it.
fn indexes(connection: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    let sql = "SELECT name, sql FROM sqlite_schema \
               WHERE type = 'index' AND tbl_name IN ('session', 'status_place') AND sql IS NOT NULL";
    connection.prepare(sql)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}
