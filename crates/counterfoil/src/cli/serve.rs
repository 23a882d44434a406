//! `counterfoil serve`.

use super::Place;
use super::init::{first_admin, open_app};
use crate::app::App;
use crate::data::Data;
use crate::flow::{mail_link, publish_status};
use crate::http::serve::Server;
use crate::http::{control_router, router, tls};
use crate::public_url::PublicUrl;
use crate::readers::{Readers, Source};
use crate::store::sqlite::Synchronous;
use crate::{jobs, replica, telemetry};
use anyhow::Context as _;
use clap::Args;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::Arc;
use tokio::net::{TcpListener, TcpSocket, UnixListener};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// How many connections may wait to be accepted, if the system's own limit (`net.core.somaxconn`) allows it.
const WAITING_TO_CONNECT: u32 = 4096;

/// The control socket's name in the data folder.
pub(super) const CONTROL_SOCKET: &str = "control.sock";

/// What `serve` takes.
#[derive(Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    place: Place,
    /// Where to listen, instead of the configured address.
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Speak TLS with a certificate made up for localhost; for development.
    #[arg(long)]
    tls_self_signed: bool,
    /// Let SQLite skip the wait for the disk. Breaks durability; exists so that a test can show that it is noticed.
    #[arg(long, hide = true)]
    unsafe_synchronous_normal: bool,
}

/// Starts the server and runs it until it is told to stop.
pub(crate) async fn run(args: ServeArgs) -> anyhow::Result<()> {
    let traces = telemetry::start()?;
    raise_file_limit();
    let mut config = args.place.config()?;
    config.listen = args.listen.unwrap_or(config.listen);
    let tls = acceptor(config.tls.as_ref(), args.tls_self_signed)?;
    let listener = listen(config.listen).with_context(|| format!("cannot listen on {}", config.listen))?;
    let address = listener.local_addr()?;
    let public = PublicUrl::settle(config.public_url.as_deref(), address, tls.is_some())?;
    let readers = Readers::prepare(&config)?;

    let data = Data::hold(&args.place.data)?;
    let synchronous = if args.unsafe_synchronous_normal { Synchronous::Normal } else { Synchronous::Full };
    let most = config.limits.connections;
    let app = Arc::new(open_app(&data, config, public, synchronous).await?);
    // Registered, and up to date, before anybody is served.
    while !replica::beat(&app, true).await? {}
    let link = first_admin(&data, &app).await?;
    readers.settle(app.store.as_ref()).await?;
    let control = control_socket(&data)?;
    // Before anybody can know that the server runs, and so ask it to stop.
    let (terminate, interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    announce(&app, address, link.as_deref());

    let (stop, stopped) = watch::channel(false);
    let (end, ended) = watch::channel(false);
    let waiting = |mut stopped: watch::Receiver<bool>| async move { drop(stopped.wait_for(|stop| *stop).await) };
    let jobs = tokio::spawn(jobs::run(Arc::clone(&app), waiting(stopped.clone())));
    let mail = tokio::spawn(mail_link::run(Arc::clone(&app), waiting(stopped.clone())));
    let sealed = tokio::spawn(jobs::keep_sealed(Arc::clone(&app), waiting(stopped.clone())));
    let lags = tokio::spawn(jobs::count_lags(Arc::clone(&app), waiting(stopped.clone())));
    let status = tokio::spawn(publish_status::run(Arc::clone(&app), waiting(stopped.clone())));
    let followed = tokio::spawn(replica::run(Arc::clone(&app), true, waiting(ended)));
    let control =
        tokio::spawn(Server::new(control_router(Arc::clone(&app))).control(control, waiting(stopped.clone())));
    let redis = follow_redis(&app, waiting(stopped.clone()));
    let readers = readers.start(&source_of(&app), || waiting(stopped.clone()));
    let http = tokio::spawn(Server::new(router(Arc::clone(&app))).tcp(listener, tls, most, waiting(stopped)));

    told_to_stop(terminate, interrupt).await;
    tracing::info!("stopping: letting what is under way finish");
    app.feed.close();
    stop.send_replace(true);
    for task in [jobs, sealed, lags, status, control, http, mail].into_iter().chain(readers).chain(redis) {
        task.await.context("a part of the server failed")?;
    }
    // Others wait for this one's guards until they have heard what they have taken in.
    end.send_replace(true);
    followed.await.context("a part of the server failed")?;
    data.remove(CONTROL_SOCKET)?;
    jobs::seal_the_rest(&app).await;
    app.store.close().await;
    if let Some(traces) = traces {
        traces.finish().await;
    }
    Ok(())
}

/// What readers read.
fn source_of(app: &App) -> Source {
    Source {
        store: Arc::clone(&app.store),
        feed: Arc::clone(&app.feed),
        clock: Arc::clone(&app.clock),
        keys: Arc::clone(&app.keys),
        public: app.public.clone(),
        algorithm: app.config.keys.algorithm.0,
        factors: Arc::clone(&app.factors),
        mail: app.mail.clone(),
        replica: app.replica.as_ref().map(|replica| replica.id),
    }
}

/// Looks after the Redis that replicas count in together, if there is one.
fn follow_redis(app: &App, stopped: impl Future<Output = ()> + Send + 'static) -> Option<JoinHandle<()>> {
    let (redis, clock) = (app.redis.clone()?, Arc::clone(&app.clock));
    Some(tokio::spawn(async move {
        tokio::select! {
            () = redis.run(|| clock.now()) => {}
            () = stopped => {}
        }
    }))
}

/// With room for a crowd that comes at once: whoever finds none is heard again after a second only, and then after three.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // As every server's: a restart must not wait until the connections of the one before are forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(WAITING_TO_CONNECT)
}

/// Every guard holds a connection: the soft limit of 1,024 open files would not do for a thousand of them.
fn raise_file_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}

fn acceptor(files: Option<&crate::config::TlsConfig>, self_signed: bool) -> anyhow::Result<Option<TlsAcceptor>> {
    Ok(match (files, self_signed) {
        (Some(files), _) => Some(tls::from_files(&files.cert, &files.key)?),
        (None, true) => Some(tls::self_signed()?),
        (None, false) => None,
    })
}

/// Whoever holds the folder's lock may replace a socket that a killed process left.
fn control_socket(data: &Data) -> anyhow::Result<UnixListener> {
    data.remove(CONTROL_SOCKET)?;
    let path = data.path(CONTROL_SOCKET);
    // The folder is 0700, so nobody else can reach the socket in the moment before its own mode is set.
    let listener =
        UnixListener::bind(&path).with_context(|| format!("cannot make the control socket {}", path.display()))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

fn announce(app: &App, address: SocketAddr, first_admin: Option<&str>) {
    use std::io::IsTerminal as _;
    app.languages.tell_missing();
    let mut out = std::io::stdout().lock();
    let mut text = format!("Counterfoil is listening on {} ({address})\n", app.public.issuer());
    match first_admin {
        Some(link) if out.is_terminal() => {
            for part in ["First administrator, within 15 minutes, once: ", link, "\n"] {
                text.push_str(part);
            }
        }
        Some(_) => text.push_str("The first administrator's link is in the file first-admin in the data folder.\n"),
        None => {}
    }
    // In one piece, so that whoever reads one line and closes the pipe does not stop the server.
    if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        tracing::warn!(%error, "nobody reads standard output");
    }
}

async fn told_to_stop(mut terminate: Signal, mut interrupt: Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
