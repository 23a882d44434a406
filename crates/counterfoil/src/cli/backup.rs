//! `counterfoil backup` and `counterfoil restore`.

use super::Place;
use super::init::open_app_after;
use crate::data::{Data, STORE_NAME};
use crate::public_url::PublicUrl;
use crate::store::Ends;
use crate::store::sqlite::Synchronous;
use anyhow::{Context as _, bail};
use clap::Args;
use std::io::Write as _;
use std::path::PathBuf;

/// What `backup` takes.
#[derive(Args)]
pub(crate) struct BackupArgs {
    /// The file to write; it must not be there yet.
    file: PathBuf,
    #[command(flatten)]
    place: Place,
}

/// What `restore` takes.
#[derive(Args)]
pub(crate) struct RestoreArgs {
    /// The file that `backup` wrote. Without it: the database in PostgreSQL has been put back by its own tools, with every server
    /// stopped.
    file: Option<PathBuf>,
    /// Keep the sessions although nobody knows which of them have been revoked since the backup. Whoever was signed out, banned
    /// or robbed in between is signed in again.
    #[arg(long)]
    keep_sessions: bool,
    #[command(flatten)]
    place: Place,
}

/// Copies the embedded database, with the server running or not.
pub(crate) fn backup(args: &BackupArgs) -> anyhow::Result<()> {
    if args.place.config()?.store.url.is_some() {
        bail!(
            "the store is PostgreSQL: back it up with its own tools (pg_basebackup with WAL archiving, or pg_dump), and after \
             putting it back run `counterfoil restore`, with every server stopped"
        );
    }
    let from = args.place.data.join(STORE_NAME);
    if !from.exists() {
        bail!("there is no database {}", from.display());
    }
    crate::store::sqlite::backup(&from, &args.file).with_context(|| format!("cannot write {}", args.file.display()))?;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "The database is in {}. The master key is not: without it nothing in the backup can be used.",
        args.file.display()
    )?;
    Ok(())
}

/// Puts a backup in the place of the database.
pub(crate) async fn restore(args: RestoreArgs) -> anyhow::Result<()> {
    let config = args.place.config()?;
    let public = PublicUrl::settle(config.public_url.as_deref(), config.listen, config.tls.is_some())?;
    match (&args.file, config.store.url.is_some()) {
        (Some(_), true) => bail!(
            "the store is PostgreSQL: put it back with its own tools, then run `counterfoil restore` without a file"
        ),
        (None, false) => bail!("name the file that `counterfoil backup` wrote"),
        _ => {}
    }
    let data = Data::hold(&args.place.data)?;
    let known = match &args.file {
        Some(file) => data.after_restore(file)?,
        None => Ends::All,
    };
    let ends = match (known, args.keep_sessions) {
        (Ends::These(_), true) => bail!(
            "revoked.log says what has been revoked since this backup, so nothing has to be kept on trust: leave --keep-sessions out"
        ),
        (_, true) => Ends::Nothing,
        (known, false) => known,
    };
    // Before anything is moved, and without it nothing can be finished: the key must fit.
    data.note_restore(&ends)?;
    if let Some(file) = &args.file {
        data.replace_store(file)?;
    }
    let (app, ended) = Box::pin(open_app_after(&data, (config, public), Synchronous::Full, Some(&ends))).await?;
    let mut out = std::io::stdout().lock();
    match &ends {
        Ends::These(entries) => writeln!(
            out,
            "Restored. {} revocations from revoked.log have been replayed; {ended} sessions ended with that.",
            entries.len()
        )?,
        Ends::All => writeln!(
            out,
            "Restored. Nobody knows what has been revoked since the backup, so all sessions have ended ({ended}) and all signing \
             keys are revoked."
        )?,
        Ends::Nothing => writeln!(
            out,
            "Restored, with all sessions. What has been revoked since the backup lives again: sign-outs, bans, stolen sessions."
        )?,
    }
    drop(out);
    app.store.close().await;
    Ok(())
}
