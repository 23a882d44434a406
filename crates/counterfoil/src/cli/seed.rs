//! `counterfoil bench-seed`: users and sessions straight into an empty store, so that a benchmark need not sign in a
//! million times. Prints access and refresh cookies of some of the sessions.

use super::Place;
use super::init::local_app;
use crate::app::App;
use crate::clock::random;
use crate::config::DEFAULT_APPLICATION;
use crate::data::{Data, STORE_NAME};
use crate::flow::Caller;
use crate::flow::deliver::{LongLived, deliver};
use crate::store::sqlite::fill;
use crate::store::{NewAccount, NewSession};
use anyhow::Context as _;
use clap::Args;
use counterfoil_core::audit::{Actor, Event};
use counterfoil_core::credential::password::Password;
use counterfoil_core::refresh::rotation::Rotation;
use counterfoil_core::session::{Assurance, Binding, Handle, Session};
use counterfoil_core::user::{Email, User};
use counterfoil_core::{Secret, Sid, UserId};
use std::io::Write as _;
use std::sync::Arc;
use tokio::task::JoinSet;

/// How many rows wait for one commit.
const AT_ONCE: usize = 256;

/// How much to put in.
#[derive(Args)]
pub(crate) struct SeedArgs {
    #[command(flatten)]
    place: Place,
    /// Accounts: user0@bench.example and so on.
    #[arg(long)]
    users: u32,
    /// Sessions, spread over the accounts.
    #[arg(long)]
    sessions: u32,
    /// For how many of them to print `access<TAB>refresh`.
    #[arg(long)]
    cookies: u32,
    /// More sessions, which nobody has a cookie of, each with a place in a status list: in bulk, and in the embedded store only.
    #[arg(long, default_value_t = 0)]
    filler: u32,
}

pub(crate) async fn run(args: SeedArgs) -> anyhow::Result<()> {
    anyhow::ensure!(args.users > 0 && args.sessions > 0, "at least one user and one session");
    let embedded = args.place.config()?.store.url.is_none();
    anyhow::ensure!(args.filler == 0 || embedded, "--filler is for the embedded store");
    let data = Data::hold(&args.place.data)?;
    let app = Arc::new(local_app(&args.place, &data).await?);
    let users = accounts(&app, args.users).await?;
    let sessions: Vec<u32> = (0..args.sessions).collect();
    let every = (args.sessions / args.cookies.max(1)).max(1);
    let (printer, mut chosen) = tokio::sync::mpsc::unbounded_channel();
    let users = Arc::new(users);
    in_groups(sessions, |n| {
        let (app, users, printer) = (Arc::clone(&app), Arc::clone(&users), printer.clone());
        async move {
            let user = &users[n as usize % users.len()];
            let session = session(&app, user);
            let entry = nobody().audit(Event::SignedIn, Actor::System, app.clock.now());
            let new = NewSession { session: session.clone(), proved_by: Vec::new(), limit: u32::MAX };
            app.store.open(new, entry).await?;
            if n % every == 0 {
                drop(printer.send((session, user.clone())));
            }
            Ok(())
        }
    })
    .await?;
    drop(printer);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut left = args.cookies;
    while let Some((session, user)) = chosen.recv().await
        && left > 0
    {
        left -= 1;
        let delivery = deliver(&app, &session, &user, app.clock.now(), LongLived::New).await?;
        let access = delivery.access.context("the default application has access tokens")?.token;
        let refresh = delivery.refresh.context("and refresh tokens")?;
        writeln!(out, "{access}\t{}", refresh.expose())?;
    }
    out.flush()?;
    app.store.close().await;
    if args.filler > 0 {
        fill(&args.place.data.join(STORE_NAME), args.filler, app.config.status_lists.size)?;
    }
    Ok(())
}

async fn accounts(app: &Arc<App>, count: u32) -> anyhow::Result<Vec<User>> {
    let password = Password::new(&Secret::new("correct horse battery staple 42".to_owned())).expect("short");
    let hash = app.hasher.hash(password).await?;
    let mut users = Vec::new();
    for n in 0..count {
        users.push(user(app, n)?);
    }
    in_groups(users.clone(), |user| {
        let (app, hash) = (Arc::clone(app), hash.clone());
        async move {
            let entry = nobody().audit(Event::Registered, Actor::System, app.clock.now());
            app.store
                .register(NewAccount { user, hash, passkey: None, invite: None, most: None }, entry)
                .await
                .map(|_| ())
        }
    })
    .await?;
    Ok(users)
}

async fn in_groups<T, F>(items: Vec<T>, work: impl Fn(T) -> F) -> anyhow::Result<()>
where
    F: Future<Output = Result<(), crate::store::StoreError>> + Send + 'static,
{
    let mut running = JoinSet::new();
    for item in items {
        if running.len() >= AT_ONCE
            && let Some(done) = running.join_next().await
        {
            done??;
        }
        running.spawn(work(item));
    }
    while let Some(done) = running.join_next().await {
        done??;
    }
    Ok(())
}

fn nobody() -> Caller {
    Caller { address: None, device: String::new() }
}

fn user(app: &App, n: u32) -> anyhow::Result<User> {
    let email = Email::parse(&format!("user{n}@bench.example")).context("an address")?;
    let id = UserId::from_bytes(random());
    Ok(User { id, email, name: None, roles: Vec::new(), claims_version: 0, created_at: app.clock.now(), banned: None })
}

fn session(app: &App, user: &User) -> Session {
    let (now, config) = (app.clock.now(), &app.config.session);
    Session {
        sid: Sid::from_bytes(random()),
        handle: Handle::from_bytes(random()),
        user: user.id,
        application: DEFAULT_APPLICATION.into(),
        profile: app.applications[DEFAULT_APPLICATION].profile,
        persistent: true,
        created_at: now,
        auth_time: now,
        last_seen_at: now,
        idle: config.idle.0,
        expires_at: now.plus(config.absolute.0),
        acr: Assurance::Aal1,
        amr: vec!["pwd".into()],
        device: "Firefox on Linux".into(),
        network: "203.0.113.0/24".into(),
        ended: None,
        binding: Binding::None,
        copy_refused_at: None,
        rotation: Rotation::first(now),
    }
}
