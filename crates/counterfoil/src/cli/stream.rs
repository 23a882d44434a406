//! `counterfoil stream …`.

use super::control::Control;
use super::{Place, table};
use clap::{Subcommand, ValueEnum};
use serde_json::json;

/// What can be done with event streams.
#[derive(Subcommand)]
pub(crate) enum StreamCommand {
    /// List the event streams, and by how many entries of the audit log each is behind.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Enable, pause or disable a stream; its receiver is told so.
    Status {
        /// Its id.
        #[arg(allow_hyphen_values = true)]
        id: String,
        /// What it shall be.
        status: Wanted,
        /// Why; the receiver is told.
        #[arg(long)]
        reason: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Remove a stream. Its service can make another, as long as it has a credential.
    Remove {
        /// Its id.
        #[arg(allow_hyphen_values = true)]
        id: String,
        #[command(flatten)]
        place: Place,
    },
}

/// Whether a stream is told anything.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Wanted {
    /// It is.
    Enabled,
    /// It will be, of all that has happened meanwhile.
    Paused,
    /// It is not, and what happens meanwhile is not kept for it.
    Disabled,
}

impl Wanted {
    const fn word(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Paused => "paused",
            Self::Disabled => "disabled",
        }
    }
}

pub(crate) async fn run(command: StreamCommand) -> anyhow::Result<()> {
    match command {
        StreamCommand::List { json, place } => {
            let found = Control::open(&place).await?.get("/api/admin/streams").await?;
            let columns = [
                ("STREAM", "stream_id"),
                ("CLIENT", "client_id"),
                ("DELIVERY", "delivery"),
                ("STATUS", "status"),
                ("BEHIND", "behind"),
                ("CREATED", "created_at"),
                ("DESCRIPTION", "description"),
            ];
            table::print(found["streams"].as_array().map_or(&[], Vec::as_slice), &columns, json)
        }
        StreamCommand::Status { id, status, reason, place } => {
            let body = json!({ "status": status.word(), "reason": reason });
            Control::open(&place).await?.post(&format!("/api/admin/streams/{id}/status"), body).await?;
            Ok(())
        }
        StreamCommand::Remove { id, place } => {
            Control::open(&place).await?.delete(&format!("/api/admin/streams/{id}"), false).await?;
            Ok(())
        }
    }
}
