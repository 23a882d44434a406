//! `counterfoil migrate` and `counterfoil move`.

use super::Place;
use super::init::settings;
use super::progress::Progress;
use crate::data::{Data, STORE_NAME};
use crate::public_url::PublicUrl;
use crate::store::postgres::PostgresStore;
use crate::store::sqlite::Synchronous;
use crate::store::transfer::{TransferError, transfer};
use crate::store::{Log as _, Store as _};
use anyhow::bail;
use clap::Args;
use counterfoil_core::Timestamp;
use std::io::Write as _;

/// What `migrate` takes.
#[derive(Args)]
pub(crate) struct MigrateArgs {
    /// The service has moved to this `public_url`: the database is its from now on. Access tokens of the old one end.
    #[arg(long, value_name = "URL")]
    issuer: Option<String>,
    #[command(flatten)]
    place: Place,
}

/// Brings the schema up to date, as every start does by itself.
pub(crate) async fn migrate(args: MigrateArgs) -> anyhow::Result<()> {
    let config = args.place.config()?;
    let public = PublicUrl::settle(config.public_url.as_deref(), config.listen, config.tls.is_some())?;
    let mut out = std::io::stdout();
    let Some(settings) = settings(&config, &public)? else {
        if args.issuer.is_some() {
            bail!("the embedded store takes its issuer from `public_url`; there is nothing to change in it");
        }
        let data = Data::hold(&args.place.data)?;
        if !data.path(STORE_NAME).exists() {
            bail!("there is no database in {}", args.place.data.display());
        }
        data.store(Synchronous::Full)?.close().await;
        return Ok(writeln!(out, "The schema is up to date.")?);
    };
    let migrated = PostgresStore::migrate(&settings, args.issuer.as_deref()).await?;
    if migrated.from == migrated.to {
        writeln!(out, "The schema is up to date (version {}).", migrated.to)?;
    } else {
        writeln!(out, "The schema has gone from version {} to {}.", migrated.from, migrated.to)?;
    }
    if let Some(issuer) = args.issuer {
        writeln!(out, "The database is that of {issuer} from now on.")?;
    }
    Ok(())
}

/// Moves everything from the embedded store to the PostgreSQL that the configuration names. Nobody is signed out.
pub(crate) async fn transfer_all(place: &Place) -> anyhow::Result<()> {
    let config = place.config()?;
    let public = PublicUrl::settle(config.public_url.as_deref(), config.listen, config.tls.is_some())?;
    let Some(settings) = settings(&config, &public)? else {
        bail!("name the database to move to in `store.url` (or COUNTERFOIL__STORE__URL)");
    };
    // Nobody writes to it meanwhile.
    let data = Data::hold(&place.data)?;
    if !data.path(STORE_NAME).exists() {
        bail!("there is no database in {}", place.data.display());
    }
    let from = data.store(Synchronous::Full)?;
    if from.put_back().is_some() || data.pending_restore()?.is_some() {
        bail!(
            "the database has been put back from a backup and has not been started since: start the server on it once, first"
        );
    }
    let to = PostgresStore::open(&settings).await?;
    let mut progress = Progress::new("moving rows");
    let moved = Box::pin(transfer(&from, &to, |done, all| progress.show(done, all))).await;
    progress.end();
    let now = Timestamp::from_millis(0);
    let same = from.log(now).await.ok().map(|log| log.id) == to.log(now).await.ok().map(|log| log.id);
    from.close().await;
    to.close().await;
    let moved = match moved {
        // The last step of an earlier attempt.
        Err(TransferError::NotEmpty) if same => 0,
        moved => moved?,
    };
    // A server that is started on the folder by mistake must not go on from the old state.
    let aside = data.put_store_aside("moved")?;
    let rows = if moved == 0 { "All".to_owned() } else { moved.to_string() };
    let mut out = std::io::stdout();
    writeln!(
        out,
        "{rows} rows are in the database now. Start the server with the same `store.url` and the same master key."
    )?;
    writeln!(out, "The old database is {}.", aside.display())?;
    Ok(())
}
