//! The command line, read by hand: three modes and a few flags are not worth a parser.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::subjects::Subject;

const USAGE: &str = "\
counterfoil-bench [--only a,b] [--quick] [--many N] [--minutes N] [--server PATH] [--out FILE]
counterfoil-bench hello --listen ADDR
counterfoil-bench argon2

  --only    subjects to run: control, me, me-cold, refresh, login, mint, guard, feed, gate, footprint, million,
            status_lists, streams, postgres, overload (default: all of these), soak
  --quick   fewer and shorter slices; a look, not a result
  --many    sessions in the big store (default 1000000)
  --minutes how long the soak takes (default 60)
  --server  the counterfoil binary (default: beside this one)
  --out     where the table goes (default: bench/results/latest.md for a full run, else nowhere)
";

/// What this process is to do.
#[derive(Debug)]
pub(crate) enum Command {
    /// Be the server that everything is compared with.
    Hello {
        /// Where to listen.
        listen: SocketAddr,
    },
    /// Be the raw Argon2id loop: hash as many times as each line of standard input says.
    Argon2,
    /// Run the subjects and report.
    Measure(Options),
}

/// How to measure.
#[derive(Debug)]
pub(crate) struct Options {
    /// What to measure, in this order.
    pub(crate) subjects: Vec<Subject>,
    /// Slices per side of a comparison.
    pub(crate) slices: u32,
    /// Length of a timed slice.
    pub(crate) slice: Duration,
    /// Sessions in the big store.
    pub(crate) many: u32,
    /// How long the soak takes.
    pub(crate) minutes: u32,
    /// The counterfoil binary.
    pub(crate) server: PathBuf,
    /// Where the table is written, if anywhere.
    pub(crate) out: Option<PathBuf>,
    /// A quick look: the report says so.
    pub(crate) quick: bool,
}

impl Command {
    /// Reads the arguments after the program's name.
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let first = arguments.next();
        match first.as_deref() {
            Some("hello") => {
                let flag = arguments.next();
                if flag.as_deref() != Some("--listen") {
                    bail!("hello needs --listen ADDR\n\n{USAGE}");
                }
                let listen = arguments.next().context("--listen needs an address")?;
                Ok(Self::Hello { listen: listen.parse().context("--listen needs an address like 127.0.0.1:8080")? })
            }
            Some("argon2") => Ok(Self::Argon2),
            _ => Options::parse(first.into_iter().chain(arguments)).map(Self::Measure),
        }
    }
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self {
            subjects: Subject::ALL.to_vec(),
            slices: 24,
            slice: Duration::from_millis(500),
            many: 1_000_000,
            minutes: 60,
            server: std::env::current_exe()?.with_file_name("counterfoil"),
            out: None,
            quick: false,
        };
        while let Some(flag) = arguments.next() {
            let mut value = || arguments.next().with_context(|| format!("{flag} needs a value\n\n{USAGE}"));
            match flag.as_str() {
                "--only" => {
                    options.subjects = value()?.split(',').map(Subject::parse).collect::<Result<_>>()?;
                }
                "--quick" => {
                    options.quick = true;
                    options.slices = 6;
                    options.slice = Duration::from_millis(300);
                }
                "--many" => options.many = value()?.parse().context("--many needs a number")?,
                "--minutes" => options.minutes = value()?.parse().context("--minutes needs a number")?,
                "--server" => options.server = PathBuf::from(value()?),
                "--out" => options.out = Some(PathBuf::from(value()?)),
                _ => bail!("unknown argument {flag}\n\n{USAGE}"),
            }
        }
        if options.out.is_none() && !options.quick && options.subjects.len() == Subject::ALL.len() {
            options.out = Some(PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/results/latest.md")));
        }
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::{Command, Subject};

    fn parse(line: &str) -> anyhow::Result<Command> {
        Command::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn only_a_full_run_writes_the_result() {
        let Command::Measure(full) = parse("").expect("it parses") else { panic!("a run") };
        assert!(full.out.is_some());
        for partial in ["--quick", "--only me,login"] {
            let Command::Measure(partial) = parse(partial).expect("it parses") else { panic!("a run") };
            assert!(partial.out.is_none());
        }
    }

    #[test]
    fn only_picks_subjects_by_name() {
        let Command::Measure(options) = parse("--only me,refresh").expect("it parses") else { panic!("a run") };
        assert_eq!(options.subjects, [Subject::Me, Subject::Refresh]);
        assert!(parse("--only nonsense").is_err());
    }

    #[test]
    fn hello_needs_an_address() {
        assert!(parse("hello").is_err());
        assert!(matches!(parse("hello --listen 127.0.0.1:1").expect("it parses"), Command::Hello { .. }));
    }
}
