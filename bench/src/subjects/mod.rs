//! What is measured: a file per subject, and here their order and what they share.

mod control;
mod feed;
mod footprint;
mod gate;
mod guard;
mod latency;
mod login;
mod me;
mod million;
mod mint;
mod overload;
mod postgres;
mod refresh;
mod scan;
mod soak;
mod status_lists;
mod streams;

use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::cpu::Cores;
use crate::http::Request;
use crate::load::{CONNECTIONS, ClosedLoop, Rounds, Until, Walker, walkers};
use crate::options::Options;
use crate::report::{Facts, Report, Row};
use crate::server::{Authority, Scratch, Site};

/// Sessions in the small store.
const FEW: u32 = 1_000;
/// The password of every user that `bench-seed` makes.
const PASSWORD: &str = "correct horse battery staple 42";

/// Something to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// Hello against hello: what the method itself is worth.
    Control,
    /// `GET /api/auth/me`, every token seen before.
    Me,
    /// `GET /api/auth/me`, every token seen for the first time.
    MeCold,
    /// `POST /api/auth/refresh` with a thousand sessions.
    Refresh,
    /// `POST /api/auth/login` against the raw hash.
    Login,
    /// Making access tokens, against the signature primitive.
    Mint,
    /// The guard against the signature primitive.
    Guard,
    /// Guards that follow the feed.
    Feed,
    /// `GET /gate`.
    Gate,
    /// Sizes: binary, idle memory, token.
    Footprint,
    /// A million sessions: disk, start-up, refresh, memory, latency.
    Million,
    /// PostgreSQL: refresh against pgbench, growth, revocation across replicas.
    Postgres,
    /// Status lists of many sessions: size, delay, work, requests.
    StatusLists,
    /// Events pushed to a hundred receivers, one of them dead.
    Streams,
    /// `counterfoil scan`: against parsing alone, and of a million lines.
    Scan,
    /// Three times as much as it can do.
    Overload,
    /// An hour at seven tenths of what it can do: only when asked for.
    Soak,
}

impl Subject {
    /// All of them, in the order of a full run.
    pub(crate) const ALL: [Self; 16] = [
        Self::Control,
        Self::Footprint,
        Self::Me,
        Self::MeCold,
        Self::Refresh,
        Self::Login,
        Self::Mint,
        Self::Guard,
        Self::Feed,
        Self::Gate,
        Self::Million,
        Self::StatusLists,
        Self::Streams,
        Self::Scan,
        Self::Postgres,
        Self::Overload,
    ];

    /// Reads a subject's name.
    pub(crate) fn parse(name: &str) -> Result<Self> {
        let mut all = Self::ALL.into_iter().chain([Self::Soak]);
        match all.find(|subject| subject.name() == name) {
            Some(subject) => Ok(subject),
            None => bail!("unknown subject {name}; there are {}, soak", Self::ALL.map(Self::name).join(", ")),
        }
    }

    /// Its name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Me => "me",
            Self::MeCold => "me-cold",
            Self::Refresh => "refresh",
            Self::Login => "login",
            Self::Mint => "mint",
            Self::Guard => "guard",
            Self::Feed => "feed",
            Self::Gate => "gate",
            Self::Footprint => "footprint",
            Self::Million => "million",
            Self::Postgres => "postgres",
            Self::StatusLists => "status_lists",
            Self::Streams => "streams",
            Self::Scan => "scan",
            Self::Overload => "overload",
            Self::Soak => "soak",
        }
    }

    async fn measure(self, bench: &Bench<'_>) -> Result<Vec<Row>> {
        if self != Self::Control && !bench.options.server.is_file() {
            bail!("{} does not exist: build counterfoil first", bench.options.server.display());
        }
        match self {
            Self::Control => control::measure(bench).await,
            Self::Me => me::measure_warm(bench).await,
            Self::MeCold => me::measure_cold(bench).await,
            Self::Refresh => refresh::measure(bench).await,
            Self::Login => login::measure(bench).await,
            Self::Mint => mint::measure(bench).await,
            Self::Guard => guard::measure(bench).await,
            Self::Feed => feed::measure(bench).await,
            Self::Gate => gate::measure(bench).await,
            Self::Footprint => footprint::measure(bench).await,
            Self::Million => million::measure(bench).await,
            Self::Postgres => postgres::measure(bench).await,
            Self::StatusLists => status_lists::measure(bench).await,
            Self::Streams => streams::measure(bench).await,
            Self::Scan => scan::measure(bench).await,
            Self::Overload => overload::measure(bench).await,
            Self::Soak => soak::measure(bench).await,
        }
    }
}

/// What every subject works with.
#[derive(Debug)]
struct Bench<'a> {
    options: &'a Options,
    cores: Cores,
    scratch: &'a Path,
    hello: &'a Authority,
}

impl Bench<'_> {
    /// A fresh site of the binary under test.
    fn site(&self, name: &str) -> Result<Site> {
        Site::new(&self.options.server, self.cores.server, self.scratch, name)
    }

    fn timed(&self) -> Until {
        Until::Elapsed(self.options.slice)
    }

    /// The yardstick: hello under the same number of connections.
    async fn hello(&self) -> Result<ClosedLoop<'_, Walker>> {
        self.load_hello(self.hello).await
    }

    async fn load_hello<'h>(&self, hello: &'h Authority) -> Result<ClosedLoop<'h, Walker>> {
        self.load_hello_at(hello, "/").await
    }

    async fn load_hello_at<'h>(&self, hello: &'h Authority, path: &str) -> Result<ClosedLoop<'h, Walker>> {
        let request = Request::get(hello.port, path, None);
        let walkers =
            walkers(hello, CONNECTIONS, vec![request], Rounds::Endless, |answer| answer.status == 200).await?;
        Ok(ClosedLoop::new(&hello.process, walkers, self.timed()))
    }
}

/// Measures all subjects asked for. One that fails leaves a row that says so, and the others go on.
pub(crate) async fn measure(options: &Options, cores: Cores) -> Result<Report> {
    let facts = Facts::gather(options, cores)?;
    let scratch = Scratch::new()?;
    let hello = Authority::hello(cores.server, &scratch.path().join("hello.log")).context("hello did not start")?;
    let bench = Bench { options, cores, scratch: scratch.path(), hello: &hello };
    let mut report = Report::new(facts);
    for &subject in &options.subjects {
        eprintln!("{}", subject.name());
        match subject.measure(&bench).await {
            Ok(rows) => report.rows.extend(rows),
            Err(error) => {
                eprintln!("  failed: {error:#}");
                report.rows.push(Row::failed(subject.name(), &error));
            }
        }
    }
    Ok(report)
}
