//! Three times as much as the server can do: it goes on doing what it can, and tells the rest to come again when they have waited for a
//! while.
//!
//! What it can do is measured between, by a few clients that wait for their answers. The crowd is of many: each refresh begins when
//! it is due, at whichever of them has no answer to wait for. None takes a 503 for a reason to wait.

use std::time::Duration;

use anyhow::{Context, Result};

use super::latency::{OpenLoop, Tally, Timetable};
use super::refresh::{self, RefreshClient};
use super::{Bench, FEW};
use crate::load::{ClosedLoop, Until};
use crate::postgres::Postgres;
use crate::report::{Reach, Row};
use crate::server::{Authority, Process, Site};
use crate::stats::{Samples, float};
use crate::turns::{Side, Turn, alternate};

/// Enough that groups are as large as they get.
pub(super) const WAITING: usize = 256;

/// The crowd, with a connection each: as many as the server takes, nearly.
const CONNECTIONS: usize = 8_000;
const SESSIONS: u32 = 20_000;
const TIMES: u32 = 3;
const SLICE: Duration = Duration::from_secs(5);

/// Below this whoever waits for an answer has not given up.
const BOUND_MS: f64 = 1_000.0;

/// Both engines.
pub(super) async fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let mut rows = overload("the embedded store", bench, &bench.site("overload")?.without_grace()).await?;
    let server = Postgres::start(bench.cores.server, bench.scratch)?;
    let site = bench.site("overload-postgres")?.without_grace();
    let site = site.with("COUNTERFOIL__STORE__URL", &server.url("counterfoil"));
    rows.extend(overload("PostgreSQL", bench, &site).await?);
    server.process.stop()?;
    Ok(rows)
}

/// How many refreshes a second clients get that wait for their answers.
pub(super) async fn capacity(authority: &Authority, clients: Vec<RefreshClient>) -> Result<(f64, Vec<RefreshClient>)> {
    let mut closed = ClosedLoop::new(&authority.process, clients, Until::Elapsed(Duration::from_secs(1)));
    let mut rates = Vec::new();
    for _ in 0..6 {
        rates.push(closed.take_turn().await?.value);
    }
    // The first one warms up.
    let rates = Samples::new(rates.split_off(1)).context("no slice")?;
    Ok((rates.median(), closed.into_clients()))
}

async fn overload(engine: &str, bench: &Bench<'_>, site: &Site) -> Result<Vec<Row>> {
    let mut cookies = site.seed(FEW, SESSIONS, SESSIONS)?;
    let waiting = cookies.split_off(cookies.len() - cookies.len() / 4);
    let authority = site.serve()?;
    let clients = refresh::clients(&authority, WAITING, refresh::requests(authority.port, &waiting)).await?;
    let (capacity, clients) = capacity(&authority, clients).await?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some ten thousand a second")]
    let per_second = capacity as u32 * TIMES;
    eprintln!("  {engine}: {capacity:.0} refreshes a second, and now {per_second}");
    let timetable = Timetable { per_second, length: SLICE, connections: CONNECTIONS, exact: true, queues: false };
    let requests = refresh::requests(authority.port, &cookies);
    let open = OpenLoop::at(timetable, &authority, requests).await?;
    let mut ours = Crowd { process: &authority.process, open, served: Vec::new(), busy: 0, held: 0, seconds: 0.0 };
    let mut theirs = ClosedLoop::new(&authority.process, clients, Until::Elapsed(SLICE / 4));
    // The first one opens all connections.
    ours.take_turn().await?;
    ours.forget();
    let slices = bench.options.slices.min(3);
    let comparison = alternate("overload", slices, &mut ours, &mut theirs).await?;
    let Crowd { served, busy, held, seconds, .. } = ours;
    let all = float(served.len() as u64) + float(busy) + float(held);
    let told = format!(
        "asked for {:.0} a second; {:.0} % told to come again (503, Retry-After), {:.0} % not sent: all clients waited for an answer",
        all / seconds,
        float(busy) / all * 100.0,
        float(held) / all * 100.0
    );
    let served = Samples::new(served).context("nothing was served")?;
    authority.process.stop()?;
    let title = |what: &str| format!("{TIMES} × what refresh on {engine} can do: {what}");
    Ok(vec![
        Row::comparison(title("served, against that"), "/s", &comparison, Some(Reach::AtLeast(0.8))),
        Row::figure(title("p99 of what is served"), " ms", served.percentile(99), Some(Reach::Below(BOUND_MS)))
            .noting(told),
    ])
}

/// Those who do not wait.
struct Crowd<'a> {
    process: &'a Process,
    open: OpenLoop<'a>,
    served: Vec<f64>,
    busy: u64,
    held: u64,
    seconds: f64,
}

impl Crowd<'_> {
    fn forget(&mut self) {
        (self.busy, self.held, self.seconds) = (0, 0, 0.0);
        self.served.clear();
    }
}

impl Side for Crowd<'_> {
    async fn take_turn(&mut self) -> Result<Turn> {
        let watch = self.process.watch()?;
        let Tally { served, busy, refused, held, complaint, elapsed } = self.open.follow().await?;
        let value = float(served.len() as u64) / elapsed.as_secs_f64();
        self.served.extend(served);
        self.busy += busy;
        self.held += held;
        self.seconds += elapsed.as_secs_f64();
        Ok(Turn { value, usage: watch.usage()?, refused, complaint })
    }
}
