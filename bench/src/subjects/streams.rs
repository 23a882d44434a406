//! Events pushed to a hundred receivers, one of which takes a request and never answers: how many a second, how soon, and whether the
//! others notice that one. The receivers are all in this process, each at a port of its own.

use std::net::TcpListener as Listener;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::{Bench, FEW};
use crate::http::{Connection, Request};
use crate::load::{StayAwake, deal};
use crate::report::{Reach, Row};
use crate::server::{Authority, Cookies, Site};
use crate::stats::{Samples, float};
use crate::turns::{Side, Turn, alternate};

const COOKIE: &str = "__Host-cf_access";
/// Services, and streams of each; that is as many as one may have.
const SERVICES: usize = 10;
const STREAMS: usize = 10;
const RECEIVERS: usize = SERVICES * STREAMS;
/// Sessions ended in a slice.
const AT_ONCE: usize = 40;
/// Sessions ended one by one.
const ALONE: usize = 40;
/// Sessions ended as fast as that goes.
const MANY: usize = 1_000;
/// Connections over which they are ended.
const HANDS: usize = 8;
const PATIENCE: Duration = Duration::from_mins(1);
const ACCEPTED: &[u8] = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";
const PUSH: &str = "urn:ietf:rfc:8935";

/// With one dead against hello, and against the same with none dead.
pub(super) async fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let slices = bench.options.slices;
    let per_side = AT_ONCE * (slices as usize + 1);
    let mut ours = Told::start(bench, "streams", 1, 2 * per_side + ALONE + MANY).await?;
    let hello = alternate("events", slices, &mut ours, &mut bench.hello().await?).await?;
    let mut theirs = Told::start(bench, "streams-all", 0, per_side).await?;
    let all = alternate("one of them dead", slices, &mut ours, &mut theirs).await?;
    theirs.authority.process.stop()?;
    let mut alone = Vec::new();
    for _ in 0..ALONE {
        alone.push(ours.end(1).await?.as_secs_f64() * 1e3);
    }
    let alone = Samples::new(alone).context("no session was ended alone")?;
    let many = ours.end(MANY).await?.as_secs_f64();
    ours.authority.process.stop()?;
    let title = "events pushed to 100 receivers, one of them dead";
    Ok(vec![
        Row::comparison(format!("{title}: those the others take"), "/s", &hello, Some(Reach::AtLeast(0.1))),
        Row::comparison(format!("{title}, against 100 that live"), "/s", &all, Some(Reach::AtLeast(0.9))),
        Row::figure(
            format!("{title}: a sign-out until the last of the others has it, p50"),
            " ms",
            alone.median(),
            None,
        ),
        Row::figure(
            format!("{title}: a sign-out until the last of the others has it, p99"),
            " ms",
            alone.percentile(99),
            Some(Reach::Below(100.0)),
        ),
        Row::figure(format!("{title}: 1,000 sign-outs at once until the last of the others has all"), " s", many, None),
    ])
}

/// A server and those whom it tells.
struct Told {
    authority: Authority,
    // Its data goes with it.
    _site: Site,
    receivers: Receivers,
    connections: Vec<Connection>,
    sessions: Vec<Request>,
    ended: u64,
}

impl Told {
    async fn start(bench: &Bench<'_>, name: &str, dead: usize, sessions: usize) -> Result<Self> {
        let receivers = Receivers::start(dead)?;
        let origins: Vec<_> = receivers.ports.iter().map(|port| format!("http://127.0.0.1:{port}")).collect();
        let mut site = bench
            .site(name)?
            .with("COUNTERFOIL__SSF__ENABLED", "true")
            .with("COUNTERFOIL__SSF__PUSH_ORIGINS", &serde_json::to_string(&origins)?);
        for service in 0..SERVICES {
            let setting = format!("COUNTERFOIL__CLIENTS__HUB{service}__RESOURCES__SSF");
            site = site.with(&setting, r#"["ssf.manage", "ssf.read"]"#);
        }
        let count = u32::try_from(sessions)?;
        let cookies = site.seed(FEW, count, count)?;
        ensure!(cookies.len() == sessions, "{} of {count} cookies", cookies.len());
        let secrets = (0..SERVICES).map(|service| secret(&site, service)).collect::<Result<Vec<_>>>()?;
        let authority = site.serve()?;
        let mut connections = Vec::new();
        for _ in 0..HANDS {
            connections.push(Connection::open(authority.address()).await?);
        }
        for (service, (secret, origins)) in secrets.iter().zip(origins.chunks(STREAMS)).enumerate() {
            streams(&mut connections[0], (authority.port, service), secret, origins).await?;
        }
        let sign_out = |cookies: &Cookies| {
            Request::post(authority.port, "/api/auth/logout", Some((COOKIE, &cookies.access)), None)
        };
        let sessions = cookies.iter().map(sign_out).collect();
        Ok(Self { authority, _site: site, receivers, connections, sessions, ended: 0 })
    }

    /// Ends so many sessions as fast as that goes: how long until each of those that answer has been told of all of them.
    async fn end(&mut self, count: usize) -> Result<Duration> {
        let _awake = StayAwake::begin();
        ensure!(self.sessions.len() >= count, "too few sessions");
        let sessions = self.sessions.split_off(self.sessions.len() - count);
        let start = Instant::now();
        let mut running = JoinSet::new();
        for (mut connection, sessions) in self.connections.drain(..).zip(deal(sessions, HANDS)) {
            running.spawn(async move {
                for session in sessions {
                    let answer = connection.call(session.bytes()).await?;
                    ensure!(answer.status == 204, "sign-out: {}", answer.describe());
                }
                anyhow::Ok(connection)
            });
        }
        self.connections = running.join_all().await.into_iter().collect::<Result<_>>()?;
        self.ended += count as u64;
        self.receivers.await_all(self.ended).await?;
        Ok(start.elapsed())
    }
}

impl Side for Told {
    async fn take_turn(&mut self) -> Result<Turn> {
        let watch = self.authority.process.watch()?;
        let elapsed = self.end(AT_ONCE).await?;
        let usage = watch.usage()?;
        let twice = self.receivers.beyond(self.ended);
        // As many on either side, whoever of them lives.
        let value = float((AT_ONCE * (RECEIVERS - 1)) as u64) / elapsed.as_secs_f64();
        Ok(Turn { value, usage, refused: twice, complaint: (twice > 0).then(|| "an event came twice".to_owned()) })
    }
}

/// Makes a credential.
fn secret(site: &Site, service: usize) -> Result<String> {
    let output = site.command("client").args(["add", &format!("hub{service}")]).stdin(Stdio::null()).output()?;
    ensure!(output.status.success(), "client add: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// A stream of the service to each of these.
async fn streams(
    connection: &mut Connection,
    (port, service): (u16, usize),
    secret: &str,
    origins: &[String],
) -> Result<()> {
    let form = format!("grant_type=client_credentials&client_id=hub{service}&client_secret={secret}&scope=ssf.manage");
    let answer = connection.call(Request::form(port, "/oauth/token", &form).bytes()).await?;
    ensure!(answer.status == 200, "the token: {}", answer.describe());
    let answer: Value = serde_json::from_slice(answer.body)?;
    let token = answer["access_token"].as_str().context("no access token")?.to_owned();
    for origin in origins {
        let wanted = json!({ "delivery": { "method": PUSH, "endpoint_url": format!("{origin}/events") } });
        let request = Request::post(port, "/ssf/streams", None, Some(&wanted.to_string()))
            .with(&format!("Authorization: Bearer {token}\r\n"));
        let answer = connection.call(request.bytes()).await?;
        ensure!(answer.status == 201, "a stream: {}", answer.describe());
    }
    Ok(())
}

/// Those who are told; they end when this is dropped.
struct Receivers {
    ports: Vec<u16>,
    /// How many events those who answer have had, each for itself.
    taken: Arc<Vec<AtomicU64>>,
    news: Arc<Notify>,
    _tasks: JoinSet<()>,
}

impl Receivers {
    /// The first `dead` of them never answer.
    fn start(dead: usize) -> Result<Self> {
        let taken = Arc::new((dead..RECEIVERS).map(|_| AtomicU64::new(0)).collect::<Vec<_>>());
        let news = Arc::new(Notify::new());
        let (mut tasks, mut ports) = (JoinSet::new(), Vec::new());
        for n in 0..RECEIVERS {
            let listener = Listener::bind("127.0.0.1:0")?;
            listener.set_nonblocking(true)?;
            ports.push(listener.local_addr()?.port());
            let listener = TcpListener::from_std(listener)?;
            let (taken, news) = (Arc::clone(&taken), Arc::clone(&news));
            tasks.spawn(async move {
                let mut connections = JoinSet::new();
                while let Ok((stream, _)) = listener.accept().await {
                    let (taken, news) = (Arc::clone(&taken), Arc::clone(&news));
                    connections.spawn(async move {
                        let Some(own) = n.checked_sub(dead) else { return hold(stream).await };
                        take(stream, || {
                            taken[own].fetch_add(1, Ordering::Relaxed);
                            news.notify_one();
                        })
                        .await;
                    });
                }
            });
        }
        Ok(Self { ports, taken, news, _tasks: tasks })
    }

    /// Until each has had so many.
    async fn await_all(&self, count: u64) -> Result<()> {
        let all = async {
            for taken in self.taken.iter() {
                while taken.load(Ordering::Relaxed) < count {
                    self.news.notified().await;
                }
            }
        };
        if tokio::time::timeout(PATIENCE, all).await.is_err() {
            let least = self.taken.iter().map(|taken| taken.load(Ordering::Relaxed)).min();
            bail!("{count} events were not with everybody within {PATIENCE:?}; somebody has had {least:?}");
        }
        Ok(())
    }

    /// How many they have had more than that.
    fn beyond(&self, count: u64) -> u64 {
        self.taken.iter().map(|taken| taken.load(Ordering::Relaxed).saturating_sub(count)).sum()
    }
}

/// Answers each request of a connection until it is closed.
async fn take(mut stream: TcpStream, taken: impl Fn()) {
    let mut buffer = Vec::with_capacity(4096);
    loop {
        let length = loop {
            if let Some(length) = request_length(&buffer).filter(|length| *length <= buffer.len()) {
                break length;
            }
            if !matches!(stream.read_buf(&mut buffer).await, Ok(1..)) {
                return;
            }
        };
        buffer.drain(..length);
        taken();
        if stream.write_all(ACCEPTED).await.is_err() {
            return;
        }
    }
}

/// Head and body, once the head is there.
fn request_length(buffer: &[u8]) -> Option<usize> {
    let head = buffer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let lines = str::from_utf8(&buffer[..head]).ok()?.lines();
    let length =
        lines.filter_map(|line| line.split_once(':')).find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    Some(head + length.map_or(Some(0), |(_, value)| value.trim().parse().ok())?)
}

/// Reads what comes and says nothing.
async fn hold(mut stream: TcpStream) {
    let mut buffer = [0; 4096];
    while matches!(stream.read(&mut buffer).await, Ok(1..)) {}
}
