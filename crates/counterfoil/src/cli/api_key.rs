//! `counterfoil api-key …`.

use super::control::Control;
use super::{Place, table};
use anyhow::Context as _;
use clap::Subcommand;
use http::Method;
use serde_json::json;
use std::io::Write as _;

/// What can be done with API keys: programs administer with them, over the network.
#[derive(Subcommand)]
pub(crate) enum ApiKeyCommand {
    /// Make an API key and print it, once. One that is made here counts whoever comes and goes; one that an administrator makes on their
    /// page ends with them.
    Add {
        /// A name of your choice.
        name: String,
        /// What it may do: admin, support or auditor.
        #[arg(long, value_name = "ROLE")]
        role: String,
        /// For how long: at most 366 days.
        #[arg(long, value_name = "SPAN", default_value = "90d")]
        valid_for: String,
        #[command(flatten)]
        place: Place,
    },
    /// List API keys, what they may do, until when, and when they were last used.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Take an API key back. It counts no more from the next request on.
    Remove {
        /// Its name.
        name: String,
        #[command(flatten)]
        place: Place,
    },
}

pub(crate) async fn run(command: ApiKeyCommand) -> anyhow::Result<()> {
    match command {
        ApiKeyCommand::Add { name, role, valid_for, place } => {
            let span = humantime::parse_duration(&valid_for).context("--valid-for is a span such as 12h or 90d")?;
            let wanted = json!({ "name": name, "role": role, "valid_for": span.as_secs() });
            let made = Control::open(&place).await?.post("/api/admin/api-keys", wanted).await?;
            Ok(writeln!(std::io::stdout(), "{}", made["api_key"].as_str().unwrap_or_default())?)
        }
        ApiKeyCommand::List { json, place } => {
            let found = Control::open(&place).await?.get("/api/admin/api-keys").await?;
            let columns =
                [("NAME", "name"), ("ROLE", "role"), ("EXPIRES", "expires_at"), ("LAST USED", "used_at"), ("ID", "id")];
            table::print(found["api_keys"].as_array().map_or(&[], Vec::as_slice), &columns, json)
        }
        ApiKeyCommand::Remove { name, place } => {
            let allowed = crate::flow::guards::is_name(&name);
            anyhow::ensure!(allowed, "an API key's name has 1 to 64 letters, digits, dots, dashes and underscores");
            Control::open(&place).await?.ask(Method::DELETE, &format!("/api/admin/api-keys/{name}"), None).await?;
            Ok(())
        }
    }
}
