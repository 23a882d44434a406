//! `counterfoil scan`: what its rules cost beside parsing alone, in turns in this process; and what the command takes for a tree of a million lines.

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use counterfoil_scan::scan;
use oxc_allocator::Allocator;
use oxc_parser::Parser;
use oxc_span::SourceType;

use super::Bench;
use super::guard::Loop;
use crate::report::{Reach, Row};
use crate::server::Process;
use crate::stats::float;
use crate::turns::alternate;

/// Files as people write them: the labelled corpus, its open half.
const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/scan/tuning");
const LINES: usize = 1_000_000;
const LOOK_EVERY: Duration = Duration::from_millis(5);
const MEGABYTE: f64 = 1e6;

/// Both.
pub(super) async fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let corpus = corpus()?;
    let mut rows = vec![rules(bench, &corpus).await?];
    rows.extend(tree(bench, &corpus)?);
    Ok(rows)
}

/// Name and text of each file.
fn corpus() -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(CORPUS).context(CORPUS)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if SourceType::from_path(&name).is_ok() {
            files.push((name, fs::read_to_string(&path)?));
        }
    }
    ensure!(!files.is_empty(), "{CORPUS} has no sources");
    files.sort();
    Ok(files)
}

async fn rules(bench: &Bench<'_>, corpus: &[(String, String)]) -> Result<Row> {
    let (slice, slices) = (bench.options.slice, bench.options.slices);
    let (mut ours, mut theirs) = (corpus.iter().cycle(), corpus.iter().cycle());
    let scanned = || {
        if let Some((name, text)) = ours.next() {
            black_box(scan(name, text));
        }
    };
    let parsed = || {
        if let Some((name, text)) = theirs.next() {
            let (allocator, kind) = (Allocator::default(), SourceType::from_path(name).unwrap_or_default());
            black_box(Parser::new(&allocator, text, kind).parse().panicked);
        }
    };
    let turns =
        alternate("scan", slices, &mut Loop { slice, work: scanned }, &mut Loop { slice, work: parsed }).await?;
    Ok(Row::comparison("files scanned, against parsing them alone", "/s", &turns, Some(Reach::AtLeast(0.15))))
}

fn tree(bench: &Bench<'_>, corpus: &[(String, String)]) -> Result<[Row; 2]> {
    let folder = bench.scratch.join("source");
    let lines = plant(&folder, corpus)?;
    let mut command = Command::new(&bench.options.server);
    command.args(["scan", "--json"]).arg(&folder).stdin(Stdio::null()).stdout(Stdio::null());
    let (begun, mut peak) = (Instant::now(), 0);
    let mut process = Process::spawn(bench.cores.server, &mut command, None)?;
    let status = loop {
        if let Some(status) = process.ended()? {
            break status;
        }
        // It may have ended since.
        peak = process.peak_bytes().map_or(peak, |bytes| peak.max(bytes));
        std::thread::sleep(LOOK_EVERY);
    };
    let taken = begun.elapsed();
    ensure!(status.code() == Some(1), "{status}: it has found nothing, or could not look");
    fs::remove_dir_all(&folder)?;
    let speed = float(u64::try_from(lines)?) / taken.as_secs_f64();
    Ok([
        Row::figure("lines scanned by the command in a tree of a million, one core", "/s", speed, None),
        Row::figure("memory that it takes at the most", " MB", float(peak) / MEGABYTE, Some(Reach::Below(100.0))),
    ])
}

/// The corpus in one folder after the other, until there are so many lines. Gives how many.
fn plant(folder: &Path, corpus: &[(String, String)]) -> Result<usize> {
    let each: usize = corpus.iter().map(|(_, text)| text.lines().count()).sum();
    let copies = LINES.div_ceil(each);
    for copy in 0..copies {
        let place: PathBuf = folder.join(format!("part-{copy}"));
        fs::create_dir_all(&place)?;
        for (name, text) in corpus {
            fs::write(place.join(name), text)?;
        }
    }
    Ok(copies * each)
}
