//! Lists for people: columns as wide as what is in them.

use serde_json::Value;
use std::io::Write as _;

/// Prints rows of JSON objects, one column per member (`banned/until` for one within another), or the JSON itself.
pub(super) fn print(rows: &[Value], columns: &[(&str, &str)], json: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut out, rows)?;
        writeln!(out)?;
        return Ok(());
    }
    let cells: Vec<Vec<String>> =
        rows.iter().map(|row| columns.iter().map(|(_, member)| cell(within(row, member))).collect()).collect();
    let width = |index: usize, title: &str| {
        let widest = cells.iter().map(|row| row[index].chars().count()).max().unwrap_or(0);
        widest.max(title.chars().count())
    };
    let widths: Vec<usize> = columns.iter().enumerate().map(|(index, (title, _))| width(index, title)).collect();
    let titles: Vec<String> = columns.iter().map(|(title, _)| (*title).to_owned()).collect();
    for row in std::iter::once(&titles).chain(&cells) {
        let line: Vec<String> = row.iter().zip(&widths).map(|(text, width)| format!("{text:<width$}")).collect();
        writeln!(out, "{}", line.join("  ").trim_end())?;
    }
    Ok(())
}

fn within<'a>(row: &'a Value, member: &str) -> &'a Value {
    member.split('/').fold(row, |value, name| &value[name])
}

/// A value in one line. Control characters cannot reach the terminal from here.
fn cell(value: &Value) -> String {
    let text = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(cell).collect::<Vec<_>>().join(" "),
        Value::Object(members) => members.values().map(cell).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    };
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
