//! What came of an import: counted as it goes, shown on a terminal, said at the end. Of refused lines a bounded number is
//! remembered; a file for all of them is written as they come.

use anyhow::Context as _;
use serde_json::{Value, json};
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, IsTerminal as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::ExitCode;

/// How many refused lines are shown at the end.
const SHOWN: usize = 1000;

/// The result so far.
pub(super) struct Report {
    file: Option<BufWriter<File>>,
    lines: u64,
    dry_run: bool,
    imported: u64,
    without_password: u64,
    already_there: u64,
    refused: u64,
    shown: Vec<(u64, String)>,
    terminal: bool,
}

impl Report {
    /// For a file of so many lines.
    pub(super) fn new(file: Option<&Path>, lines: u64, dry_run: bool) -> anyhow::Result<Self> {
        let create = |path: &Path| {
            let made = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(path);
            made.with_context(|| format!("cannot write {}", path.display()))
        };
        let file = file.map(create).transpose()?.map(BufWriter::new);
        Ok(Self {
            file,
            lines,
            dry_run,
            imported: 0,
            without_password: 0,
            already_there: 0,
            refused: 0,
            shown: Vec::new(),
            terminal: std::io::stderr().is_terminal(),
        })
    }

    /// A line was not taken.
    pub(super) fn refuse(&mut self, line: u64, why: String) -> anyhow::Result<()> {
        self.refused += 1;
        if let Some(file) = &mut self.file {
            writeln!(file, "{}", json!({ "line": line, "why": why })).context("cannot write the report")?;
        }
        if self.shown.len() < SHOWN {
            self.shown.push((line, why));
        }
        Ok(())
    }

    /// A batch is done.
    pub(super) fn count(&mut self, answer: &Value) -> anyhow::Result<()> {
        let number = |name: &str| answer[name].as_u64().unwrap_or_default();
        self.imported += number("imported");
        self.without_password += number("without_password");
        self.already_there += number("already_there");
        if let Some(file) = &mut self.file {
            file.flush().context("cannot write the report")?;
        }
        if self.terminal {
            let done = self.imported + self.already_there + self.refused;
            let share = (done * 100 / self.lines.max(1)).min(100);
            let mut err = std::io::stderr();
            write!(err, "\r{share:3} %  {done} accounts, {} refused ", self.refused)?;
            err.flush()?;
        }
        Ok(())
    }

    /// Says what came of it.
    pub(super) fn finish(mut self, json: bool) -> anyhow::Result<ExitCode> {
        if let Some(file) = &mut self.file {
            file.flush().context("cannot write the report")?;
        }
        if self.terminal {
            write!(std::io::stderr(), "\r\u{1b}[K")?;
        }
        self.shown.sort_by_key(|(line, _)| *line);
        if json {
            self.as_json()?;
        } else {
            self.as_text()?;
        }
        Ok(if self.refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }

    fn as_json(&self) -> anyhow::Result<()> {
        let lines: Vec<Value> = self.shown.iter().map(|(line, why)| json!({ "line": line, "why": why })).collect();
        let report = json!({
            "dry_run": self.dry_run, "imported": self.imported, "without_password": self.without_password,
            "already_there": self.already_there, "refused": self.refused, "refused_lines": lines,
        });
        let mut out = std::io::stdout().lock();
        serde_json::to_writer_pretty(&mut out, &report)?;
        Ok(writeln!(out)?)
    }

    fn as_text(&self) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        for (line, why) in &self.shown {
            let why: String = why.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
            writeln!(out, "line {line}: {why}")?;
        }
        let left_out = self.refused - self.shown.len() as u64;
        if left_out > 0 {
            writeln!(out, "and {left_out} lines more; --report FILE has them all")?;
        }
        let (would, refused) = if self.dry_run { (" would be", " would be") } else { ("", "") };
        writeln!(
            out,
            "{}{would} imported ({} without a password), {} already there, {}{refused} refused",
            self.imported, self.without_password, self.already_there, self.refused
        )?;
        Ok(())
    }
}
