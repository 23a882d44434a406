//! The command line. Data goes to standard output, everything else to standard error; `--json` wherever a list is printed.

mod api_key;
mod audit;
mod backup;
mod client;
mod control;
mod doctor;
mod guard;
mod import;
mod init;
mod key;
mod messages;
mod migrate;
mod progress;
mod reference;
mod scan;
mod seed;
mod serve;
mod session;
mod stream;
mod table;
mod token;
mod user;
mod wrapped;

pub use reference::documents as reference_documents;

use crate::clock::{Clock as _, SystemClock};
use crate::config::{Config, ConfigError};
use clap::{Args, Parser, Subcommand};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

/// Signs people in, keeps their sessions, hands out short-lived access tokens, and takes them back at once.
#[derive(Parser)]
#[command(name = "counterfoil", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start the server.
    Serve(serve::ServeArgs),
    /// Make a data folder, its keys and the first administrator's link, and stop.
    Init(Place),
    /// Accounts.
    #[command(subcommand)]
    User(user::UserCommand),
    /// Take over accounts, with the hashes of their passwords, from another system.
    ///
    /// A line that is wrong is listed with its number, and the others go in. An account whose address is there already is left
    /// alone, so an import that was interrupted goes on when it is run again. Exits with 1 if any line was refused.
    Import(import::ImportArgs),
    /// Sessions.
    #[command(subcommand)]
    Session(session::SessionCommand),
    /// Verifiers in other processes, which follow the revocation feed.
    #[command(subcommand)]
    Guard(guard::GuardCommand),
    /// Services, which call APIs in their own name or in that of a user.
    #[command(subcommand)]
    Client(client::ClientCommand),
    /// Event streams of receivers elsewhere (OpenID Shared Signals).
    #[command(subcommand)]
    Stream(stream::StreamCommand),
    /// API keys, with which programs administer over the network.
    #[command(subcommand)]
    ApiKey(api_key::ApiKeyCommand),
    /// Signing keys.
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// Look into tokens, offline.
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Copy the embedded database into a file, with the server running or not.
    Backup(backup::BackupArgs),
    /// Put a backup in the place of the database; what has been revoked since does not come back.
    Restore(backup::RestoreArgs),
    /// Bring the database's schema up to date; every start does so by itself.
    Migrate(migrate::MigrateArgs),
    /// Move everything from the embedded store to PostgreSQL. Nobody is signed out.
    Move(Place),
    /// Print what the pages say, as a file to translate.
    Messages(messages::MessagesArgs),
    /// The audit log.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Examine a running sign-in from outside, this one's or any site's, and say what is wrong with it.
    ///
    /// Exits with 0 if nothing is wrong, 1 if something is, 2 if the site could not be examined.
    #[command(after_help = doctor::bounds())]
    Doctor(Box<doctor::DoctorArgs>),
    /// Find mistakes in JavaScript and TypeScript source that handles tokens, sessions and cookies.
    ///
    /// Exits with 0 if there are none, 1 if there are some, 2 if the folder could not be scanned. What `.gitignore` names is left out, and so
    /// are tests, bundles and what others have written (`node_modules`).
    Scan(scan::ScanArgs),
    /// Fill an empty data folder for a benchmark.
    #[command(hide = true)]
    BenchSeed(seed::SeedArgs),
    /// Write the generated part of the reference documentation.
    #[command(hide = true)]
    Reference(reference::ReferenceArgs),
}

/// Which installation is meant.
#[derive(Args, Clone)]
pub(crate) struct Place {
    /// The data folder.
    #[arg(
        long,
        value_name = "DIR",
        default_value = "counterfoil-data",
        env = "COUNTERFOIL_DATA",
        hide_env_values = true
    )]
    data: PathBuf,
    /// The configuration file.
    #[arg(long, value_name = "FILE", env = "COUNTERFOIL_CONFIG", hide_env_values = true)]
    config: Option<PathBuf>,
}

impl Place {
    fn config(&self) -> Result<Config, ConfigError> {
        Config::load(self.config.as_deref(), std::env::vars())
    }
}

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    match execute(cli.command) {
        Ok(code) => code,
        Err(error) => {
            // Nobody is left to tell when standard error is gone.
            drop(writeln!(std::io::stderr(), "error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn execute(command: Command) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    if let Command::Token(command) = command {
        return token::run(command, &mut out, SystemClock::default().now());
    }
    if let Command::Messages(args) = &command {
        messages::run(args, &mut out)?;
        return Ok(ExitCode::SUCCESS);
    }
    drop(out);
    if let Command::Reference(args) = &command {
        reference::run(args)?;
        return Ok(ExitCode::SUCCESS);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match command {
            Command::Serve(args) => serve::run(args).await,
            Command::Init(place) => Box::pin(init::run(&place)).await,
            Command::User(command) => user::run(command).await,
            Command::Import(args) => return Box::pin(import::run(args)).await,
            Command::Session(command) => session::run(command).await,
            Command::Guard(command) => guard::run(command).await,
            Command::Client(command) => client::run(command).await,
            Command::Stream(command) => stream::run(command).await,
            Command::ApiKey(command) => api_key::run(command).await,
            Command::Key(command) => key::run(command).await,
            Command::Restore(args) => backup::restore(args).await,
            Command::Migrate(args) => migrate::migrate(args).await,
            Command::Move(place) => migrate::transfer_all(&place).await,
            Command::Backup(args) => backup::backup(&args),
            Command::Audit(command) => return Box::pin(audit::run(command)).await,
            Command::Scan(args) => return Ok(scan::run(&args)),
            Command::Doctor(args) => return Ok(Box::pin(doctor::run(*args)).await),
            Command::BenchSeed(args) => seed::run(args).await,
            Command::Token(_) | Command::Reference(_) | Command::Messages(_) => Ok(()),
        }
        .map(|()| ExitCode::SUCCESS)
    })
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::Parser as _;

    #[test]
    fn an_id_may_begin_with_a_hyphen_and_options_stand_where_they_like() {
        let id = "-AAAAAAAAAAAAAAAAAAAAA";
        for line in [
            format!("session revoke {id} --receipt"),
            format!("session revoke --receipt {id}"),
            format!("session timeline {id}"),
            format!("user delete {id}"),
            format!("audit tail --session {id}"),
        ] {
            let parsed = Cli::try_parse_from(["counterfoil"].into_iter().chain(line.split(' ')));
            assert!(parsed.is_ok(), "{line}: {}", parsed.err().map(|error| error.to_string()).unwrap_or_default());
        }
    }
}
