//! The table: what was measured, on what, and whether it is what was promised.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::cpu::Cores;
use crate::options::Options;
use crate::stats::{Samples, figure};
use crate::turns::{Comparison, Series};

/// With more than this share of a core used by anyone else the figures deserve no trust.
const DISTURBED: f64 = 0.1;

const PREAMBLE: &str = "\
Written by `make bench`; do not edit. *against* is the median of the other side, a bare axum hello unless the subject
names another, and *ratio* the ratio of the medians. Notes: how much of its core the server of either side used; a hello
well below 100 % would mean that the load was the bottleneck.

";

/// What a figure must reach.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reach {
    /// The ratio must be at least this.
    AtLeast(f64),
    /// The ratio must be at most this.
    AtMost(f64),
    /// The figure itself must stay below this.
    Below(f64),
}

/// One line of the table.
#[derive(Debug)]
pub(crate) struct Row {
    subject: String,
    median: String,
    baseline: String,
    ratio: String,
    spread: String,
    reach: String,
    met: Option<bool>,
    notes: String,
    failed: bool,
}

impl Row {
    /// A ratio of medians. With refused answers among the measured ones, nothing is met.
    pub(crate) fn comparison(
        subject: impl Into<String>,
        unit: &str,
        comparison: &Comparison,
        reach: Option<Reach>,
    ) -> Self {
        let (ours, theirs, ratio) = (&comparison.subject, &comparison.baseline, comparison.ratio());
        let clean = ours.refused + theirs.refused == 0;
        Self {
            median: quantity(ours.values.median(), unit),
            baseline: quantity(theirs.values.median(), unit),
            ratio: format!("{ratio:.3}"),
            spread: format!("{} – {}", figure(ours.values.min()), figure(ours.values.max())),
            met: reach.map(|reach| clean && reach.is_met(ratio)),
            notes: notes(ours, theirs),
            ..Self::blank(subject, reach, unit)
        }
    }

    /// A figure measured several times.
    pub(crate) fn samples(subject: impl Into<String>, unit: &str, samples: &Samples, reach: Option<Reach>) -> Self {
        Self {
            median: quantity(samples.median(), unit),
            spread: format!("{} – {}", figure(samples.min()), figure(samples.max())),
            met: reach.map(|reach| reach.is_met(samples.median())),
            ..Self::blank(subject, reach, unit)
        }
    }

    /// A figure that stands for itself.
    pub(crate) fn figure(subject: impl Into<String>, unit: &str, value: f64, reach: Option<Reach>) -> Self {
        let met = reach.map(|reach| reach.is_met(value));
        Self { median: quantity(value, unit), met, ..Self::blank(subject, reach, unit) }
    }

    /// With a remark.
    pub(crate) fn noting(self, notes: String) -> Self {
        Self { notes, ..self }
    }

    /// A subject that could not be measured.
    pub(crate) fn failed(subject: &str, error: &anyhow::Error) -> Self {
        let notes = format!("not measured: {error:#}").replace('|', "/").replace('\n', " ");
        Self { notes, failed: true, ..Self::blank(subject, None, "") }
    }

    fn blank(subject: impl Into<String>, reach: Option<Reach>, unit: &str) -> Self {
        Self {
            subject: subject.into(),
            median: String::new(),
            baseline: String::new(),
            ratio: String::new(),
            spread: String::new(),
            reach: reach.map(|reach| reach.describe(unit)).unwrap_or_default(),
            met: None,
            notes: String::new(),
            failed: false,
        }
    }

    fn line(&self) -> String {
        let met = self.met.map_or("", |met| if met { "yes" } else { "**no**" });
        let cells =
            [&self.subject, &self.median, &self.baseline, &self.ratio, &self.spread, &self.reach, met, &self.notes];
        format!("| {} |", cells.join(" | "))
    }
}

impl Reach {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
            Self::Below(bound) => value < bound,
        }
    }

    fn describe(self, unit: &str) -> String {
        match self {
            Self::AtLeast(least) => format!("≥ {}", (least * 1e3).round() / 1e3),
            Self::AtMost(most) => format!("≤ {most}"),
            Self::Below(bound) => format!("< {}", quantity(bound, unit)),
        }
    }
}

fn quantity(value: f64, unit: &str) -> String {
    format!("{}{unit}", figure(value))
}

fn notes(ours: &Series, theirs: &Series) -> String {
    let (ours_used, theirs_used) = (ours.usage, theirs.usage);
    let pair = |ours: f64, theirs: f64| format!("{:.0} % / {:.0} %", ours * 100.0, theirs * 100.0);
    let mut notes = format!("server {}", pair(ours_used.server, theirs_used.server));
    if ours_used.others.max(theirs_used.others) > DISTURBED {
        let _ = write!(notes, ", **disturbed by others {}**", pair(ours_used.others, theirs_used.others));
    }
    for series in [ours, theirs] {
        if series.refused > 0 {
            let complaint = series.complaint.as_deref().unwrap_or_default().replace('|', "/");
            let _ = write!(notes, "; {} refused, first: `{complaint}`", series.refused);
        }
    }
    notes
}

/// Where and when.
#[derive(Debug)]
pub(crate) struct Facts(Vec<(&'static str, String)>);

impl Facts {
    /// Looks around before anything is measured.
    pub(crate) fn gather(options: &Options, cores: Cores) -> Result<Self> {
        let load = std::fs::read_to_string("/proc/loadavg")?;
        let one_minute = load.split(' ').next().unwrap_or_default().to_owned();
        let method = format!(
            "{} slices of {} ms per side, in turns; server on core {}, load on core {}",
            options.slices,
            options.slice.as_millis(),
            cores.server,
            cores.load
        );
        Ok(Self(vec![
            ("date", output_of("date", &["-u", "+%Y-%m-%d %H:%M UTC"])),
            (
                "commit",
                output_of("git", &["-C", env!("CARGO_MANIFEST_DIR"), "describe", "--always", "--dirty", "--abbrev=12"]),
            ),
            ("cpu", cpu_model()?),
            ("kernel", std::fs::read_to_string("/proc/sys/kernel/osrelease")?.trim().to_owned()),
            ("rustc", output_of("rustc", &["--version"])),
            ("method", method),
            ("load average before", one_minute),
        ]))
    }
}

fn cpu_model() -> Result<String> {
    let info = std::fs::read_to_string("/proc/cpuinfo")?;
    let model = info.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or(": unknown");
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let count = info.lines().filter(|line| line.starts_with("processor")).count().max(cores);
    Ok(format!("{}, {count} cores", model.trim_start_matches([' ', '\t', ':'])))
}

fn output_of(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.ok().filter(|output| output.status.success()).map(|output| output.stdout);
    let text = String::from_utf8_lossy(text.as_deref().unwrap_or_default()).trim().to_owned();
    if text.is_empty() { "unknown".to_owned() } else { text }
}

/// The whole report.
#[derive(Debug)]
pub(crate) struct Report {
    facts: Facts,
    /// The lines of the table.
    pub(crate) rows: Vec<Row>,
}

impl Report {
    /// An empty report.
    pub(crate) fn new(facts: Facts) -> Self {
        Self { facts, rows: Vec::new() }
    }

    /// Prints the table, writes it where the options say, and fails if a subject could not be measured. A figure that
    /// is not met is no failure: the table says it, and a machine's bad day must not break a build.
    pub(crate) fn publish(&self, options: &Options) -> Result<()> {
        let text = self.render(options);
        std::io::stdout().write_all(text.as_bytes())?;
        if let Some(out) = &options.out {
            if let Some(folder) = out.parent() {
                std::fs::create_dir_all(folder)?;
            }
            std::fs::write(out, text).with_context(|| format!("cannot write {}", out.display()))?;
            eprintln!("written to {}", out.display());
        }
        match self.rows.iter().filter(|row| row.failed).count() {
            0 => Ok(()),
            failed => bail!("{failed} of the subjects could not be measured"),
        }
    }

    fn render(&self, options: &Options) -> String {
        let mut text = String::from("# Measurements\n\n");
        if options.quick {
            text += "A quick look (`--quick`), not a result.\n\n";
        }
        text += PREAMBLE;
        for (name, value) in &self.facts.0 {
            let _ = writeln!(text, "- {name}: {value}");
        }
        text += "\n| subject | median | against | ratio | min – max | reach | met | notes |\n";
        text += "|---|---:|---:|---:|---|---|---|---|\n";
        for row in &self.rows {
            text += &row.line();
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::{Reach, Row};
    use crate::cpu::Usage;
    use crate::stats::Samples;
    use crate::turns::{Comparison, Series};

    fn series(values: &[f64], refused: u64, others: f64) -> Series {
        let values = Samples::new(values.to_vec()).expect("not empty");
        Series { values, usage: Usage { server: 1.0, load: 0.5, others }, refused, complaint: None }
    }

    fn row(refused: u64, others: f64, reach: Reach) -> Row {
        let subject = series(&[60.0, 80.0, 70.0], refused, others);
        let comparison = Comparison { subject, baseline: series(&[100.0, 90.0, 110.0], 0, 0.0) };
        Row::comparison("subject", "/s", &comparison, Some(reach))
    }

    #[test]
    fn the_ratio_of_medians_decides() {
        assert_eq!(row(0, 0.0, Reach::AtLeast(0.7)).met, Some(true));
        assert_eq!(row(0, 0.0, Reach::AtLeast(0.71)).met, Some(false));
        assert_eq!(row(0, 0.0, Reach::AtMost(0.7)).met, Some(true));
        assert_eq!(Row::figure("size", " MB", 30.0, Some(Reach::Below(30.0))).met, Some(false));
    }

    #[test]
    fn nothing_is_met_with_refused_answers() {
        let row = row(1, 0.0, Reach::AtLeast(0.7));
        assert_eq!(row.met, Some(false));
        assert!(row.notes.contains("1 refused"));
    }

    #[test]
    fn a_disturbed_row_says_so() {
        assert!(!row(0, 0.05, Reach::AtLeast(0.7)).notes.contains("disturbed"));
        assert!(row(0, 0.5, Reach::AtLeast(0.7)).notes.contains("disturbed by others 50 % / 0 %"));
    }
}
