//! Findings as text and as JSON.

use super::super::wrapped::write_wrapped;
use super::{Outcome, Unreadable};
use counterfoil_scan::{Finding, Level};
use serde::Serialize;
use std::collections::BTreeSet;
use std::io::{self, Write};

/// For people: each finding on a line, and what each rule is about once, at the end.
pub(super) fn text(outcome: &Outcome, unreadable: bool, out: &mut impl Write) -> io::Result<()> {
    let (mut errors, mut warnings, mut rules) = (0, 0, BTreeSet::new());
    for (path, findings) in &outcome.findings {
        for Finding { line, column, rule } in findings {
            let level = match rule.level() {
                Level::Error => "error  ",
                Level::Warning => "warning",
            };
            writeln!(out, "{path}:{line}:{column}  {level}  {}  {}", rule.id(), rule.title())?;
            match rule.level() {
                Level::Error => errors += 1,
                Level::Warning => warnings += 1,
            }
            rules.insert(*rule);
        }
    }
    for rule in rules {
        writeln!(out, "\n{}", rule.id())?;
        write_wrapped("  why: ", rule.why(), out)?;
        write_wrapped("  fix: ", rule.fix(), out)?;
    }
    if errors + warnings > 0 {
        writeln!(out)?;
    }
    if unreadable {
        for Unreadable { path, why } in &outcome.unreadable {
            writeln!(out, "{path}: not read: {why}")?;
        }
    }
    let Outcome { files, skipped, unreadable, .. } = outcome;
    let lost = unreadable.len();
    writeln!(
        out,
        "files read: {files}, left out (tests, bundles): {skipped}, not readable: {lost}; errors: {errors}, warnings: {warnings}"
    )
}

#[derive(Serialize)]
struct Told<'a> {
    files: u64,
    skipped: u64,
    unreadable: &'a [Unreadable],
    findings: Vec<One<'a>>,
}

#[derive(Serialize)]
struct One<'a> {
    path: &'a str,
    line: u32,
    column: u32,
    rule: &'static str,
    level: &'static str,
    title: &'static str,
    why: &'static str,
    fix: &'static str,
}

/// The word for a level, in JSON and in SARIF.
pub(super) const fn word(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
    }
}

/// For programs.
pub(super) fn json(outcome: &Outcome, out: &mut impl Write) -> io::Result<()> {
    let one = |path, Finding { line, column, rule }: &Finding| One {
        path,
        line: *line,
        column: *column,
        rule: rule.id(),
        level: word(rule.level()),
        title: rule.title(),
        why: rule.why(),
        fix: rule.fix(),
    };
    let findings =
        outcome.findings.iter().flat_map(|(path, all)| all.iter().map(move |finding| one(path.as_str(), finding)));
    let told = Told {
        files: outcome.files,
        skipped: outcome.skipped,
        unreadable: &outcome.unreadable,
        findings: findings.collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &told)?;
    writeln!(out)
}
