//! `counterfoil scan`: goes through a folder and says where its source handles tokens, sessions and cookies wrongly. What is wrong is decided
//! in `counterfoil-scan`; here files are read and findings told.

mod sarif;
mod tell;
mod walk;

use anyhow::ensure;
use clap::Args;
use counterfoil_scan::{Finding, Rule};
use serde::Serialize;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// How it could not be scanned at all.
const NOT_SCANNED: u8 = 2;

/// What to look through.
#[derive(Args)]
pub(crate) struct ScanArgs {
    /// The folder, or one file.
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Only this rule; several times for several.
    #[arg(long, value_name = "RULE")]
    rule: Vec<String>,
    /// As JSON.
    #[arg(long, conflicts_with = "sarif")]
    json: bool,
    /// As SARIF 2.1.0, for code hosts and editors.
    #[arg(long)]
    sarif: bool,
    /// List the files too that could not be read.
    #[arg(long)]
    unreadable: bool,
}

/// What came of all files.
#[derive(Debug, Default)]
struct Outcome {
    /// How many were read.
    files: u64,
    /// Those with mistakes, by path.
    findings: Vec<(String, Vec<Finding>)>,
    /// Those that could not be read, and why.
    unreadable: Vec<Unreadable>,
    /// How many were left out: tests, bundles, what nobody has written.
    skipped: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Unreadable {
    path: String,
    why: String,
}

pub(crate) fn run(args: &ScanArgs) -> ExitCode {
    match scanned(args) {
        Ok(code) => code,
        Err(error) => {
            // Nobody is left to tell when standard error is gone.
            drop(writeln!(std::io::stderr(), "not scanned: {error:#}"));
            ExitCode::from(NOT_SCANNED)
        }
    }
}

fn scanned(args: &ScanArgs) -> anyhow::Result<ExitCode> {
    for name in &args.rule {
        let known: Vec<&str> = Rule::ALL.iter().map(|rule| rule.id()).collect();
        ensure!(known.contains(&name.as_str()), "there is no rule {name}; there are {}", known.join(", "));
    }
    ensure!(args.folder.exists(), "{} is not there", args.folder.display());
    let mut outcome = walk::scan(&args.folder)?;
    if !args.rule.is_empty() {
        for (_, findings) in &mut outcome.findings {
            findings.retain(|finding| args.rule.iter().any(|name| name == finding.rule.id()));
        }
        outcome.findings.retain(|(_, findings)| !findings.is_empty());
    }
    let mut out = std::io::stdout().lock();
    match (args.json, args.sarif) {
        (true, _) => tell::json(&outcome, &mut out)?,
        (_, true) => sarif::write(&outcome, &mut out)?,
        _ => tell::text(&outcome, args.unreadable, &mut out)?,
    }
    Ok(if outcome.findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
