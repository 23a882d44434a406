//! `counterfoil client …`.

use super::control::Control;
use super::{Place, table};
use anyhow::{Context as _, bail};
use clap::Subcommand;
use counterfoil_core::ClientName;
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// What can be done with services: programs that call APIs in their own name, or in that of a user whose token they hold.
#[derive(Subcommand)]
pub(crate) enum ClientCommand {
    /// Make a credential. What the service may have stands in the configuration, as [clients.NAME].
    Add {
        /// A name of your choice; its `client_id`.
        name: ClientName,
        /// A file with its public keys (a JWK or a JWK Set): it proves itself by `private_key_jwt`. Without it a secret is made, and
        /// printed once.
        #[arg(long, value_name = "FILE")]
        jwks: Option<PathBuf>,
        #[command(flatten)]
        place: Place,
    },
    /// Give a service another credential: a new secret, printed once, or other keys. The one before counts no more; tokens live on.
    Renew {
        /// Its name.
        name: ClientName,
        /// A file with its public keys (a JWK or a JWK Set).
        #[arg(long, value_name = "FILE")]
        jwks: Option<PathBuf>,
        #[command(flatten)]
        place: Place,
    },
    /// List services, how each proves itself, and what it may call.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Take a credential back, and with it every token made by it or for it.
    Remove {
        /// Its name.
        name: ClientName,
        /// Wait until it is in force everywhere, and show each verifier as it confirms.
        #[arg(long)]
        receipt: bool,
        #[command(flatten)]
        place: Place,
    },
}

pub(crate) async fn run(command: ClientCommand) -> anyhow::Result<()> {
    match command {
        ClientCommand::Add { name, jwks, place } => add(&name, jwks.as_deref(), &place).await,
        ClientCommand::Renew { name, jwks, place } => {
            let jwks = jwks.as_deref().map(read).transpose()?;
            let path = format!("/api/admin/clients/{name}/renew");
            let made = Control::open(&place).await?.post(&path, json!({ "jwks": jwks })).await?;
            match made["client_secret"].as_str() {
                Some(secret) => Ok(writeln!(std::io::stdout(), "{secret}")?),
                None => Ok(()),
            }
        }
        ClientCommand::List { json, place } => {
            let mut found = Control::open(&place).await?.get("/api/admin/clients").await?;
            let clients = found["clients"].as_array_mut().map(std::mem::take).unwrap_or_default();
            let columns =
                [("CLIENT", "client_id"), ("CREATED", "created_at"), ("METHOD", "method"), ("RESOURCES", "resources")];
            table::print(&clients, &columns, json)
        }
        ClientCommand::Remove { name, receipt, place } => {
            Control::open(&place).await?.end(&format!("/api/admin/clients/{name}/revoke"), json!({}), receipt).await
        }
    }
}

async fn add(name: &ClientName, jwks: Option<&Path>, place: &Place) -> anyhow::Result<()> {
    let jwks = jwks.map(read).transpose()?;
    let body = json!({ "name": name.as_str(), "jwks": jwks });
    let made = Control::open(place).await?.post("/api/admin/clients", body).await?;
    if let Some(secret) = made["client_secret"].as_str() {
        writeln!(std::io::stdout(), "{secret}")?;
    }
    if made["configured"] != true {
        let mut err = std::io::stderr();
        writeln!(err, "It may have nothing yet: say what in the configuration, under [clients.{name}], and restart.")?;
    }
    Ok(())
}

/// A JWK Set, or one key of which one is made.
fn read(file: &Path) -> anyhow::Result<Value> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let value: Value = serde_json::from_str(&text).with_context(|| format!("{} is not JSON", file.display()))?;
    match value {
        Value::Object(members) if members.contains_key("keys") => Ok(Value::Object(members)),
        Value::Object(members) => Ok(json!({ "keys": [members] })),
        _ => bail!("{} is neither a JWK nor a JWK Set", file.display()),
    }
}
