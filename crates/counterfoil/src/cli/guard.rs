//! `counterfoil guard …`.

use super::control::Control;
use super::{Place, table};
use clap::Subcommand;
use http::Method;
use serde_json::json;
use std::io::Write as _;

/// What can be done with guards: verifiers in other processes that follow the revocation feed.
#[derive(Subcommand)]
pub(crate) enum GuardCommand {
    /// Make a credential and print it, once. One will do for all processes of a service.
    Add {
        /// A name of your choice; receipts show it.
        name: String,
        #[command(flatten)]
        place: Place,
    },
    /// List guards, how many processes of each may accept tokens now, and how many entries they are behind.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Take a credential back. Its guards refuse everything when their lease ends.
    Remove {
        /// Its name.
        name: String,
        #[command(flatten)]
        place: Place,
    },
}

pub(crate) async fn run(command: GuardCommand) -> anyhow::Result<()> {
    match command {
        GuardCommand::Add { name, place } => {
            let made = Control::open(&place).await?.post("/api/admin/guards", json!({ "name": name })).await?;
            Ok(writeln!(std::io::stdout(), "{}", made["credential"].as_str().unwrap_or_default())?)
        }
        GuardCommand::List { json, place } => {
            let found = Control::open(&place).await?.get("/api/admin/guards").await?;
            let columns =
                [("NAME", "name"), ("CREATED", "created_at"), ("INSTANCES", "instances"), ("BEHIND", "behind")];
            table::print(found["guards"].as_array().map_or(&[], Vec::as_slice), &columns, json)
        }
        GuardCommand::Remove { name, place } => {
            let allowed = crate::flow::guards::is_name(&name);
            anyhow::ensure!(allowed, "a guard's name has 1 to 64 letters, digits, dots, dashes and underscores");
            Control::open(&place).await?.ask(Method::DELETE, &format!("/api/admin/guards/{name}"), None).await?;
            Ok(())
        }
    }
}
