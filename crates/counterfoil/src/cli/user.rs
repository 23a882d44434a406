//! `counterfoil user …`.

use super::control::{Control, percent_encode};
use super::{Place, table};
use anyhow::Context as _;
use clap::Subcommand;
use http::Method;
use serde_json::{Value, json};
use std::io::Write as _;

/// What can be done with accounts.
#[derive(Subcommand)]
pub(crate) enum UserCommand {
    /// Make an account with the password on standard input, or print a link with which its owner makes it.
    Add {
        /// The address.
        email: String,
        /// Read the password from standard input.
        #[arg(long)]
        password_stdin: bool,
        /// A role; may be given several times.
        #[arg(long = "role", value_name = "ROLE")]
        roles: Vec<String>,
        #[command(flatten)]
        place: Place,
    },
    /// List accounts.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Keep somebody out and end all their sessions.
    Ban {
        /// The address.
        email: String,
        /// Why, for support.
        #[arg(long, default_value = "")]
        reason: String,
        /// When it ends by itself: a time such as 2026-01-31T09:30:00Z, or a day; without it, it stays until it is lifted.
        #[arg(long, value_name = "TIME")]
        until: Option<String>,
        /// Wait until it is in force everywhere, and show each verifier as it confirms.
        #[arg(long)]
        receipt: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Let somebody in again.
    Unban {
        /// The address.
        email: String,
        #[command(flatten)]
        place: Place,
    },
    /// Unlock a password or an authenticator app that too many failures have locked.
    Unlock {
        /// The address.
        email: String,
        #[command(flatten)]
        place: Place,
    },
    /// Remove all passkeys, the authenticator app and the recovery codes of somebody who has lost them, and end their sessions. Make sure who it
    /// is first.
    Reset {
        /// The address.
        email: String,
        /// Wait until it is in force everywhere, and show each verifier as it confirms.
        #[arg(long)]
        receipt: bool,
        #[command(flatten)]
        place: Place,
    },
    /// End all of somebody's sessions.
    Revoke {
        /// The address.
        email: String,
        /// Wait until it is in force everywhere, and show each verifier as it confirms.
        #[arg(long)]
        receipt: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Delete somebody's account: end its sessions, erase what is personal, free its address.
    Delete {
        /// The address or the id.
        #[arg(allow_hyphen_values = true)]
        account: String,
        /// Wait until it is in force everywhere, and show each verifier as it confirms.
        #[arg(long)]
        receipt: bool,
        #[command(flatten)]
        place: Place,
    },
    /// Roles.
    #[command(subcommand)]
    Role(RoleCommand),
}

/// What can be done with roles.
#[derive(Subcommand)]
pub(crate) enum RoleCommand {
    /// Give a role.
    Add(RoleArgs),
    /// Take a role away.
    Remove(RoleArgs),
}

/// Whose role, and which.
#[derive(clap::Args)]
pub(crate) struct RoleArgs {
    /// The address.
    email: String,
    /// The role.
    role: String,
    #[command(flatten)]
    place: Place,
}

pub(crate) async fn run(command: UserCommand) -> anyhow::Result<()> {
    match command {
        UserCommand::Add { email, password_stdin: true, roles, place } => add(&place, &email, &roles).await,
        UserCommand::Add { email, roles, place, .. } => link(&place, &email, &roles).await,
        UserCommand::List { json, place } => list(&place, json).await,
        UserCommand::Ban { email, reason, until, receipt, place } => {
            end(&place, &email, ("ban", json!({ "reason": reason, "until": until })), receipt).await
        }
        UserCommand::Unban { email, place } => act(&place, &email, "unban", json!({})).await,
        UserCommand::Unlock { email, place } => act(&place, &email, "unlock", json!({})).await,
        UserCommand::Reset { email, receipt, place } => end(&place, &email, ("reset", json!({})), receipt).await,
        UserCommand::Revoke { email, receipt, place } => end(&place, &email, ("revoke", json!({})), receipt).await,
        UserCommand::Delete { account, receipt, place } => delete(&place, &account, receipt).await,
        UserCommand::Role(RoleCommand::Add(args)) => set_role(&args, true).await,
        UserCommand::Role(RoleCommand::Remove(args)) => set_role(&args, false).await,
    }
}

async fn add(place: &Place, email: &str, roles: &[String]) -> anyhow::Result<()> {
    let password = std::io::read_to_string(std::io::stdin()).context("cannot read the password")?;
    let password = password.trim_end_matches(['\r', '\n']);
    let control = Control::open(place).await?;
    let body = json!({ "email": email, "password": password, "roles": roles });
    let made = control.post("/api/admin/users", body).await?;
    say(made["user"]["id"].as_str().unwrap_or_default())
}

async fn link(place: &Place, email: &str, roles: &[String]) -> anyhow::Result<()> {
    anyhow::ensure!(roles.len() <= 1, "a link grants one role; give the others with `user role add` afterwards");
    let control = Control::open(place).await?;
    let invite = control.post("/api/admin/invites", json!({ "role": roles.first() })).await?;
    say(&format!("For {email}, within a day, once: {}", invite["link"].as_str().unwrap_or_default()))
}

async fn list(place: &Place, json: bool) -> anyhow::Result<()> {
    let control = Control::open(place).await?;
    let mut users: Vec<Value> = Vec::new();
    loop {
        let after =
            users.last().and_then(|user| user["id"].as_str()).map(|id| format!("&after={id}")).unwrap_or_default();
        let page = control.get(&format!("/api/admin/users?limit=1000{after}")).await?;
        let page = page["users"].as_array().cloned().unwrap_or_default();
        if page.is_empty() {
            break;
        }
        users.extend(page);
    }
    let columns = [
        ("ID", "id"),
        ("EMAIL", "email"),
        ("NAME", "name"),
        ("ROLES", "roles"),
        ("CREATED", "created_at"),
        ("BANNED", "banned/at"),
        ("UNTIL", "banned/until"),
        ("REASON", "banned/reason"),
    ];
    table::print(&users, &columns, json)
}

async fn act(place: &Place, email: &str, verb: &str, body: Value) -> anyhow::Result<()> {
    let control = Control::open(place).await?;
    let user = control.user(email).await?;
    control.post(&format!("/api/admin/users/{}/{verb}", id(&user)), body).await?;
    Ok(())
}

async fn end(place: &Place, email: &str, (verb, body): (&str, Value), receipt: bool) -> anyhow::Result<()> {
    let control = Control::open(place).await?;
    let user = control.user(email).await?;
    control.end(&format!("/api/admin/users/{}/{verb}", id(&user)), body, receipt).await
}

async fn delete(place: &Place, account: &str, receipt: bool) -> anyhow::Result<()> {
    let control = Control::open(place).await?;
    // An address has what an id has not.
    let id = if account.contains('@') { id(&control.user(account).await?).to_owned() } else { account.to_owned() };
    control.delete(&format!("/api/admin/users/{}", percent_encode(&id)), receipt).await
}

async fn set_role(args: &RoleArgs, present: bool) -> anyhow::Result<()> {
    let control = Control::open(&args.place).await?;
    let user = control.user(&args.email).await?;
    let held = user["roles"].as_array().cloned().unwrap_or_default();
    let mut roles: Vec<Value> = held.into_iter().filter(|held| held.as_str() != Some(&args.role)).collect();
    if present {
        roles.push(Value::from(args.role.as_str()));
    }
    let path = format!("/api/admin/users/{}/roles", id(&user));
    control.ask(Method::PUT, &path, Some(json!({ "roles": roles }))).await?;
    Ok(())
}

fn id(user: &Value) -> &str {
    user["id"].as_str().unwrap_or_default()
}

fn say(line: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
