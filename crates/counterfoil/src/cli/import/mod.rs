//! `counterfoil import`: reads a file of accounts from another system, a bounded piece at a time, and hands them on in batches.
//! Whether an account is acceptable is decided where the batch is taken; here it is only read.

mod csv;
mod draft;
mod firebase;
mod input;
mod json_lines;
mod report;
mod seen;

use super::Place;
use super::control::Control;
use crate::flow::import::MAX_BATCH;
use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use counterfoil_core::credential::imported::FirebaseProject;
use counterfoil_core::import::Row;
use counterfoil_core::user::Email;
use draft::Draft;
use input::Input;
use report::Report;
use seen::{Seen, Sighting};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// A batch is handed on when it has so many bytes; with one line more it stays within what is taken.
const BATCH_BYTES: usize = 512 * 1024;

/// What to import, and how.
#[derive(Args)]
pub(crate) struct ImportArgs {
    /// The file. Columns of CSV, and members of JSON lines, are: `email` (required), `name`, `roles` (separated by semicolons; in
    /// JSON an array), `created_at` (RFC 3339), `banned` (true or false), `password_hash`,
    /// `external_id` (what the other system calls it); for hashes of Firebase `password_salt`, and
    /// perhaps `firebase_signer_key`, `firebase_salt_separator`, `firebase_rounds`, `firebase_mem_cost`.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What the file is; told by its name's ending (.csv, .jsonl, .ndjson) if not said.
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Write every refused line to this file, as JSON lines with `line` and `why`.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Only say what would come of it; write nothing.
    #[arg(long)]
    dry_run: bool,
    /// A file with the hash parameters of the Firebase project, as its console shows them.
    #[arg(long, value_name = "FILE")]
    firebase_config: Option<PathBuf>,
    /// The result as JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// A way to write accounts down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A header line that names the columns, and a line for each account.
    Csv,
    /// A JSON object in each line.
    Jsonl,
}

/// What stands at one place of the file: an account, or why it is none.
struct Record {
    line: u64,
    draft: Result<Draft, String>,
}

pub(crate) async fn run(args: ImportArgs) -> anyhow::Result<ExitCode> {
    let format = args.format.or_else(|| by_name(&args.file));
    let format = format.context("say what the file is, with --format csv or --format jsonl")?;
    let firebase = args.firebase_config.as_deref().map(firebase::read).transpose()?;
    // Before anything is asked of anybody: what is wrong with the file as a whole.
    let lines = Input::count_lines(&args.file)?;
    Records::open(&args.file, format)?;
    if let Some(report) = &args.report
        && report.canonicalize().is_ok_and(|report| args.file.canonicalize().is_ok_and(|file| report == file))
    {
        bail!("--report names the file that is imported");
    }
    let control = Control::open(&args.place).await?;
    let report = Report::new(args.report.as_deref(), lines, args.dry_run)?;
    let mut import =
        Import { control, firebase, seen: Seen::new(lines), report, batch: Batch::default(), dry_run: args.dry_run };
    while import.seen.next_slice() {
        let mut records = Records::open(&args.file, format)?;
        while let Some(record) = records.next()? {
            import.take(record).await?;
        }
        import.hand_on().await?;
    }
    import.report.finish(args.json)
}

fn by_name(file: &Path) -> Option<Format> {
    match file.extension()?.to_str()?.to_ascii_lowercase().as_str() {
        "csv" => Some(Format::Csv),
        "jsonl" | "ndjson" => Some(Format::Jsonl),
        _ => None,
    }
}

/// The records of a file, one after the other.
enum Records {
    Csv(Box<csv::CsvRecords>),
    JsonLines(json_lines::JsonLines),
}

impl Records {
    fn open(file: &Path, format: Format) -> anyhow::Result<Self> {
        let input = Input::open(file)?;
        Ok(match format {
            Format::Csv => Self::Csv(Box::new(csv::CsvRecords::new(input)?)),
            Format::Jsonl => Self::JsonLines(json_lines::JsonLines::new(input)),
        })
    }

    fn next(&mut self) -> anyhow::Result<Option<Record>> {
        match self {
            Self::Csv(records) => records.next(),
            Self::JsonLines(records) => records.next(),
        }
    }
}

/// Accounts to be handed on, and where in the file they stand.
#[derive(Default)]
struct Batch {
    accounts: Vec<Value>,
    lines: Vec<u64>,
    bytes: usize,
}

/// An import under way.
struct Import {
    control: Control,
    firebase: Option<FirebaseProject>,
    seen: Seen,
    report: Report,
    batch: Batch,
    dry_run: bool,
}

impl Import {
    async fn take(&mut self, Record { line, draft }: Record) -> anyhow::Result<()> {
        let email = draft.as_ref().ok().and_then(|draft| Email::parse(&draft.email));
        let sighting = self.seen.look(email.as_ref().map(Email::key).as_deref(), line);
        if sighting == Sighting::AnotherTime {
            return Ok(());
        }
        let row = match (draft, sighting) {
            (Ok(_), Sighting::Before(first)) => Err(format!("line {first} has the same address")),
            (draft, _) => draft.and_then(|draft| draft.into_row(self.firebase.as_ref())),
        };
        match row {
            Err(why) => self.report.refuse(line, why)?,
            Ok(row) => {
                let account = account(&row);
                self.batch.bytes += account.to_string().len();
                self.batch.accounts.push(account);
                self.batch.lines.push(line);
            }
        }
        if self.batch.accounts.len() == MAX_BATCH || self.batch.bytes >= BATCH_BYTES {
            self.hand_on().await?;
        }
        Ok(())
    }

    async fn hand_on(&mut self) -> anyhow::Result<()> {
        let Batch { accounts, lines, .. } = std::mem::take(&mut self.batch);
        let Some(last) = lines.last() else { return Ok(()) };
        let body = json!({ "accounts": accounts, "dry_run": self.dry_run });
        let answer = self.control.post("/api/admin/users/import", body).await.with_context(|| {
            format!("the import stopped at line {last} or before; what went in stays, and running it again goes on")
        })?;
        for refused in answer["refused"].as_array().into_iter().flatten() {
            let place = refused["index"].as_u64().and_then(|index| lines.get(usize::try_from(index).ok()?));
            let Some(line) = place else { bail!("the server's answer does not fit the question") };
            self.report.refuse(*line, refused["why"].as_str().unwrap_or_default().to_owned())?;
        }
        self.report.count(&answer)
    }
}

fn account(row: &Row) -> Value {
    json!({
        "email": row.email, "name": row.name, "roles": row.roles, "created_at": row.created_at, "banned": row.banned,
        "password_hash": row.password_hash, "external_id": row.external_id,
    })
}
