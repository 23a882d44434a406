//! `counterfoil key …`.

use super::control::Control;
use super::{Place, table};
use clap::Subcommand;

/// What can be done with signing keys.
#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// List the signing keys and where they are in their life.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
}

pub(crate) async fn run(command: KeyCommand) -> anyhow::Result<()> {
    let KeyCommand::List { json, place } = command;
    let found = Control::open(&place).await?.get("/api/admin/keys").await?;
    let columns = [("KID", "kid"), ("ALG", "alg"), ("STATE", "state"), ("CREATED", "created_at")];
    table::print(found["keys"].as_array().map_or(&[], Vec::as_slice), &columns, json)
}
