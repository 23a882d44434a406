//! `counterfoil audit …`.

use super::control::{Control, percent_encode};
use super::progress::Progress;
use super::{Place, table};
use crate::clock::{Clock as _, SystemClock, on_the_system};
use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use serde_json::Value;
use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;

/// What can be done with the audit log.
#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// Show the newest entries.
    Tail {
        /// How many, 1000 at the most.
        #[arg(short = 'n', default_value_t = 20)]
        count: u32,
        #[command(flatten)]
        which: Which,
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Write the log to standard output, an entry a line, oldest first, as JSON.
    Export {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        place: Place,
    },
    /// Check that no entry has been changed or taken away since it was sealed. Exits with 1 if one has.
    Verify {
        /// What `audit head` said earlier: everything up to there must still be as it was then.
        #[arg(long, value_name = "SEQ:HASH")]
        head: Option<String>,
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Print the newest seal. Kept where nobody who can write the database can, it shows later that nothing before it has been
    /// changed or cut off.
    Head {
        #[command(flatten)]
        place: Place,
    },
}

/// Which entries.
#[derive(Args)]
pub(crate) struct Which {
    /// Not before this: a time such as 2026-01-31T09:30:00Z, a day, or how long ago, such as 7d.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Before this.
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// About the account with this address or id.
    #[arg(long, value_name = "EMAIL")]
    user: Option<String>,
    /// Of this kind.
    #[arg(long, value_name = "WORD")]
    event: Option<String>,
    /// By this kind of actor, or by the administrator with this id.
    #[arg(long, value_name = "KIND")]
    actor: Option<String>,
    /// About this session.
    #[arg(long, value_name = "SID", allow_hyphen_values = true)]
    session: Option<String>,
}

pub(crate) async fn run(command: AuditCommand) -> anyhow::Result<ExitCode> {
    match command {
        AuditCommand::Tail { count, which, json, place } => {
            let control = Control::open(&place).await?;
            tail(&control, count, &which, json).await.map(|()| ExitCode::SUCCESS)
        }
        AuditCommand::Export { which, place } => {
            let control = Control::open(&place).await?;
            export(&control, &which).await.map(|()| ExitCode::SUCCESS)
        }
        AuditCommand::Verify { head, json, place } => {
            verify(&Control::open(&place).await?, head.as_deref(), json).await
        }
        AuditCommand::Head { place } => head(&Control::open(&place).await?).await,
    }
}

impl Which {
    /// As the parameters of an address.
    async fn query(&self, control: &Control) -> anyhow::Result<String> {
        let user = match self.user.as_deref() {
            Some(email) if email.contains('@') => control.user(email).await?["id"].as_str().map(str::to_owned),
            id => id.map(str::to_owned),
        };
        let parameters = [
            ("user", user),
            ("sid", self.session.clone()),
            ("event", self.event.clone()),
            ("actor", self.actor.clone()),
            ("since", self.since.as_deref().map(moment)),
            ("until", self.until.as_deref().map(moment)),
        ];
        let given = parameters.iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
        let pairs: Vec<String> = given.map(|(name, value)| format!("&{name}={}", percent_encode(value))).collect();
        Ok(pairs.concat())
    }
}

/// How long ago becomes when; what is no span is taken as it is.
fn moment(text: &str) -> String {
    let Ok(span) = humantime::parse_duration(text) else { return text.to_owned() };
    let then = SystemClock::default().now().minus(span);
    humantime::format_rfc3339_seconds(on_the_system(then)).to_string()
}

async fn tail(control: &Control, count: u32, which: &Which, json: bool) -> anyhow::Result<()> {
    let query = which.query(control).await?;
    let count = count.clamp(1, 1000);
    let (mut entries, mut before): (Vec<Value>, _) = (Vec::new(), String::new());
    // A page is short where few of many entries are wanted.
    while entries.len() < count as usize {
        let left = count as usize - entries.len();
        let found = control.get(&format!("/api/admin/audit?limit={left}{query}{before}")).await?;
        entries.extend(found["entries"].as_array().cloned().unwrap_or_default());
        let Some(next) = found["next"].as_str() else { break };
        before = format!("&before={next}");
    }
    entries.reverse();
    let columns = [
        ("AT", "at"),
        ("EVENT", "event"),
        ("ACTOR", "actor"),
        ("USER", "user"),
        ("SESSION", "session"),
        ("NETWORK", "network"),
        ("DETAIL", "detail"),
    ];
    table::print(&entries, &columns, json)
}

async fn export(control: &Control, which: &Which) -> anyhow::Result<()> {
    let query = which.query(control).await?;
    let (mut progress, mut count) = (Progress::new("exporting"), 0);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let path = format!("/api/admin/audit/export?{}", query.trim_start_matches('&'));
    let lines = control.lines(&path, |line| {
        count += 1;
        progress.count(count);
        out.write_all(line)?;
        Ok(())
    });
    let outcome = lines.await;
    progress.end();
    let closed = |error: &anyhow::Error| {
        error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
    };
    match outcome {
        Ok(()) => Ok(out.flush()?),
        // `| head`, say.
        Err(error) if closed(&error) => Ok(()),
        Err(error) => Err(error.context("the export is not complete")),
    }
}

async fn head(control: &Control) -> anyhow::Result<ExitCode> {
    let found = control.get("/api/admin/audit/head").await?;
    let Some(head) = found["head"].as_str().filter(|_| found["sealed"] == Value::Bool(true)) else {
        bail!(
            "the newest seal of the audit log is missing or is not this installation's: run `counterfoil audit verify`"
        );
    };
    writeln!(std::io::stdout(), "{head}")?;
    Ok(ExitCode::SUCCESS)
}

async fn verify(control: &Control, kept: Option<&str>, json: bool) -> anyhow::Result<ExitCode> {
    let query = kept.map(|head| format!("?head={}", percent_encode(head.trim()))).unwrap_or_default();
    let (mut progress, mut last) = (Progress::new("verifying"), Value::Null);
    let path = format!("/api/admin/audit/verify{query}");
    let lines = control.lines(&path, |line| {
        last = serde_json::from_slice(line)?;
        if let (Some(checked), Some(of)) = (last["checked"].as_u64(), last["of"].as_u64()) {
            progress.show(checked, of);
        }
        Ok(())
    });
    let outcome = lines.await;
    progress.end();
    outcome?;
    let whole = last["whole"].as_bool().with_context(|| {
        let why = last["error"].as_str().unwrap_or("the answer ended early");
        format!("the audit log could not be read to its end: {why}")
    })?;
    let mut out = std::io::stdout().lock();
    match (json, whole) {
        (true, _) => writeln!(out, "{last}")?,
        (false, true) => write!(out, "{}", is_whole(&last))?,
        (false, false) => write!(out, "{}", is_broken(&last))?,
    }
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn number(found: &Value, name: &str) -> u64 {
    found[name].as_u64().unwrap_or_default()
}

fn is_whole(found: &Value) -> String {
    let of = |name| number(found, name);
    let (entries, from, to) = (of("entries"), of("purged_to") + 1, of("sealed_to"));
    let some = |name: &str, text: &str| {
        let count = number(found, name);
        (count > 0).then(|| format!("{count} {text}"))
    };
    let met = |met| {
        let word = if met {
            "The head that you have kept is part of it."
        } else {
            "The head that you have kept is older than the log now reaches back: it could not be compared."
        };
        word.to_owned()
    };
    let lines = [
        Some(format!("The audit log is whole: {entries} entries, from {from} to {to}, are as they were sealed.")),
        some("unsealed", "newer ones are not sealed yet; a running server seals them within a second."),
        some("erased", "of them have had their network erased."),
        some("gaps", "numbers had no entry when the next one was sealed."),
        found["head_met"].as_bool().map(met),
    ];
    lines.into_iter().flatten().map(|line| line + "\n").collect()
}

fn is_broken(found: &Value) -> String {
    let seq = number(found, "seq").max(1);
    let how = match found["how"].as_str().unwrap_or_default() {
        "changed" => "says something else than when it was sealed",
        "missing" => "is gone",
        "out_of_order" => "and the next one have changed places",
        "unsealed" => "has lost its seal",
        "remade" => {
            "or one soon after it has been replaced, and the chain was made anew from there without this installation's key"
        }
        "cut_off" => "and all after it are gone",
        "head_older" => "and those after it are newer than the log's head, which has been put back",
        "no_head" => "and all after it cannot be judged: the log's head is missing or is not this installation's",
        "no_anchor" => {
            "and all after it cannot be judged: the log's beginning is missing or is not this installation's; entries before may have \
             been taken away"
        }
        _ => "or one before it is not what it was when you kept the head",
    };
    format!(
        "The audit log is broken: entry {seq} {how}.\n\
         Entries before {seq} are as they were sealed. Somebody, or a fault, has changed the database itself. Keep a copy of it as it is \
         now, compare it with a backup or an export from before, and find out who could write to it.\n"
    )
}
