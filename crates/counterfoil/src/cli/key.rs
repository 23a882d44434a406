//! `counterfoil key …`.

use super::control::Control;
use super::{Place, table};
use crate::data;
use anyhow::{Context as _, bail};
use clap::Subcommand;
use counterfoil_core::Kid;
use serde_json::json;
use std::io::Write as _;
use std::path::PathBuf;

/// What can be done with signing keys, and with the master key.
#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// List the signing keys: where they are in their life, and what each still carries.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Change the signing key now. It changes by itself as often as `keys.rotate_every` says.
    Rotate {
        /// The key of this algorithm, where applications use several.
        #[arg(long, value_name = "NAME")]
        alg: Option<String>,
        #[command(flatten)]
        place: Place,
    },
    /// Revoke a signing key that may have leaked: whatever it signed is refused at once and for ever. Nobody is signed out;
    /// clients get tokens of another key when they refresh.
    #[command(group(clap::ArgGroup::new("which").required(true)))]
    Revoke {
        /// Its name.
        #[arg(group = "which")]
        kid: Option<Kid>,
        /// All that are published, the next one too.
        #[arg(long, group = "which")]
        all: bool,
        /// Wait until it is in force everywhere, and show each verifier as it confirms.
        #[arg(long)]
        receipt: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Change the master key, under which every secret in the database is sealed. Nobody notices; a copy of the database made
    /// before opens only under the old one.
    RotateMaster {
        /// A file with the new key (43 characters of base64url), for a key that is not kept in the data folder. Give it to the
        /// server at its next start.
        #[arg(long, value_name = "FILE")]
        to: Option<PathBuf>,
        #[command(flatten)]
        place: Place,
    },
}

pub(crate) async fn run(command: KeyCommand) -> anyhow::Result<()> {
    match command {
        KeyCommand::List { json, place } => {
            let found = Control::open(&place).await?.get("/api/admin/keys").await?;
            let columns = [
                ("KID", "kid"),
                ("ALG", "alg"),
                ("STATE", "state"),
                ("SINCE", "since"),
                ("UNTIL", "until"),
                ("CARRIES", "carries"),
            ];
            table::print(found["keys"].as_array().map_or(&[], Vec::as_slice), &columns, json)
        }
        KeyCommand::Rotate { alg, place } => {
            Control::open(&place).await?.post("/api/admin/keys/rotate", json!({ "alg": alg })).await?;
            Ok(())
        }
        KeyCommand::Revoke { kid, receipt, place, .. } => {
            let path = kid.map_or("/api/admin/keys/revoke-all".into(), |kid| format!("/api/admin/keys/{kid}/revoke"));
            Control::open(&place).await?.end(&path, json!({}), receipt).await
        }
        KeyCommand::RotateMaster { to, place } => rotate_master(to, &place).await,
    }
}

/// In three steps, each of which may be the last one that happens: the new key lies beside the old one; the database is sealed
/// under it; it takes the old one's place. A start after any of them finds which of the two fits.
async fn rotate_master(to: Option<PathBuf>, place: &Place) -> anyhow::Result<()> {
    let control = Control::open(place).await?;
    let own = place.data.join(data::MASTER_KEY_NAME);
    if let Some(file) = to {
        let key = data::read_key_text(&file)?;
        control.post("/api/admin/master-key", json!({ "key": key.expose().trim() })).await?;
        let mut out = std::io::stdout();
        return Ok(writeln!(
            out,
            "Everything is sealed under the key in {}: start with it from now on.",
            file.display()
        )?);
    }
    let elsewhere = [data::MASTER_KEY, data::MASTER_KEY_FILE].into_iter().find(|name| std::env::var_os(name).is_some());
    if elsewhere.is_some() || !own.exists() {
        bail!(
            "the master key is not kept in {}: make a new one where it is kept, and say --to FILE",
            place.data.display()
        );
    }
    let key = data::fresh_key();
    data::write_private(&place.data, data::NEXT_MASTER_KEY, key.expose())?;
    control.post("/api/admin/master-key", json!({ "key": key.expose() })).await?;
    data::finish_master_key(&place.data)
        .context("the database is sealed under master.key.next; the next start finishes this")
}
