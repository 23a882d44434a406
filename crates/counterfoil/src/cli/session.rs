//! `counterfoil session …`.

use super::control::Control;
use super::{Place, table};
use clap::Subcommand;
use serde_json::json;
use std::io::Write as _;

/// What can be done with sessions.
#[derive(Subcommand)]
pub(crate) enum SessionCommand {
    /// List somebody's sessions, and why those that are over ended.
    List {
        /// The address.
        email: String,
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Show what happened to a session, in order, and why it is over.
    Timeline {
        /// Its id.
        #[arg(allow_hyphen_values = true)]
        sid: String,
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// End a session.
    Revoke {
        /// Its id.
        #[arg(allow_hyphen_values = true)]
        sid: String,
        /// Wait until it is in force everywhere, and show each verifier as it confirms.
        #[arg(long)]
        receipt: bool,
        #[command(flatten)]
        place: Place,
    },
}

pub(crate) async fn run(command: SessionCommand) -> anyhow::Result<()> {
    match command {
        SessionCommand::List { email, json, place } => {
            let control = Control::open(&place).await?;
            let user = control.user(&email).await?;
            let id = user["id"].as_str().unwrap_or_default();
            let found = control.get(&format!("/api/admin/users/{id}/sessions")).await?;
            let columns = [
                ("ID", "id"),
                ("APPLICATION", "application"),
                ("DEVICE", "device"),
                ("NETWORK", "network"),
                ("LAST SEEN", "last_seen_at"),
                ("ENDED", "ended_at"),
                ("WHY", "reason"),
            ];
            table::print(found["sessions"].as_array().map_or(&[], Vec::as_slice), &columns, json)
        }
        SessionCommand::Timeline { sid, json, place } => timeline(&Control::open(&place).await?, &sid, json).await,
        SessionCommand::Revoke { sid, receipt, place } => {
            anyhow::ensure!(sid.parse::<counterfoil_core::Sid>().is_ok(), "a session id is 22 characters of base64url");
            Control::open(&place).await?.end(&format!("/api/admin/sessions/{sid}/revoke"), json!({}), receipt).await
        }
    }
}

async fn timeline(control: &Control, sid: &str, json: bool) -> anyhow::Result<()> {
    anyhow::ensure!(sid.parse::<counterfoil_core::Sid>().is_ok(), "a session id is 22 characters of base64url");
    let story = control.get(&format!("/api/admin/sessions/{sid}/timeline")).await?;
    let mut out = std::io::stdout();
    if json {
        return Ok(writeln!(out, "{story:#}")?);
    }
    let columns = [
        ("AT", "at"),
        ("EVENT", "event"),
        ("ACTOR", "actor"),
        ("BY", "by"),
        ("NETWORK", "network"),
        ("DETAIL", "detail"),
    ];
    table::print(story["steps"].as_array().map_or(&[], Vec::as_slice), &columns, false)?;
    Ok(writeln!(out, "\n{}", story["why"].as_str().unwrap_or_default())?)
}
