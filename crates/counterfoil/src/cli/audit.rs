//! `counterfoil audit …`.

use super::control::Control;
use super::{Place, table};
use clap::Subcommand;

/// What can be done with the audit log.
#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// Show the newest entries.
    Tail {
        /// How many, 1000 at the most.
        #[arg(short = 'n', default_value_t = 20)]
        count: u32,
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
}

pub(crate) async fn run(command: AuditCommand) -> anyhow::Result<()> {
    let AuditCommand::Tail { count, json, place } = command;
    let found = Control::open(&place).await?.get(&format!("/api/admin/audit?limit={count}")).await?;
    let mut entries = found["entries"].as_array().cloned().unwrap_or_default();
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
