//! A store with a million sessions: what it takes on disk, how fast a server starts on it, and what it does to
//! refreshes, to memory and to the slowest answers.

use anyhow::{Context, Result};

use super::latency::OpenLoop;
use super::refresh::{self, RefreshClient};
use super::{Bench, FEW};
use crate::http::Request;
use crate::load::{CONNECTIONS, ClosedLoop};
use crate::report::{Reach, Row};
use crate::server::{Authority, Site};
use crate::stats::{Samples, figure, float};
use crate::turns::{Comparison, alternate};

const USERS: u32 = 10_000;
/// Refreshes walk this many of the sessions, so that hardly one meets a page warmed by its own last time.
const WALKED: u32 = 100_000;
const STARTS: u32 = 9;
const MEGABYTE: f64 = 1e6;

/// Everything about the big store, seeded once.
pub(super) async fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let many = bench.options.many;
    let title = figure(float(many.into()));
    let site = bench.site("million")?.without_grace();
    let cookies = site.seed(USERS.min(many), many, WALKED.min(many))?;
    let per_session = float(site.bytes_on_disk()?) / float(many.into());
    let start_up = start_up(&site)?;

    let authority = site.serve()?;
    let sessions = refresh::requests(authority.port, &cookies);
    drop(cookies);
    let (comparison, sessions) = refresh_load(bench, &authority, sessions).await?;
    let resident = float(authority.process.resident_bytes()?) / MEGABYTE;
    let latency = latency(bench, &authority, sessions).await?;
    authority.process.stop()?;

    let refresh_title = format!(
        "POST /api/auth/refresh, 32 clients, {title} sessions ({} walked)",
        figure(float(WALKED.min(many).into()))
    );
    let latency_title = format!("refresh p99 at 2,000/s, {title} sessions against 1,000");
    let memory_title = format!("resident memory with {title} sessions, after the refresh load");
    Ok(vec![
        Row::comparison(refresh_title, "/s", &comparison, Some(Reach::AtLeast(0.15))),
        Row::comparison(latency_title, " ms", &latency, Some(Reach::AtMost(3.0))),
        Row::samples(format!("exec to first 200, {title} live sessions"), " ms", &start_up, Some(Reach::Below(100.0))),
        Row::figure(memory_title, " MB", resident, Some(Reach::Below(100.0))),
        Row::figure("data folder per session", " bytes", per_session, None),
    ])
}

/// From exec to the first 200, with the files in the page cache.
fn start_up(site: &Site) -> Result<Samples> {
    let mut taken = Vec::new();
    for _ in 0..STARTS {
        let authority = site.serve()?;
        taken.push(authority.start_up.as_secs_f64() * 1e3);
        authority.process.stop()?;
    }
    let samples = Samples::new(taken).context("no start was measured")?;
    eprintln!("  start-up: {} ms", figure(samples.median()));
    Ok(samples)
}

async fn refresh_load(
    bench: &Bench<'_>,
    authority: &Authority,
    sessions: Vec<Request>,
) -> Result<(Comparison, Vec<Request>)> {
    let clients = refresh::clients(authority, CONNECTIONS, sessions).await?;
    let mut ours = ClosedLoop::new(&authority.process, clients, bench.timed());
    let comparison = alternate("refresh", bench.options.slices, &mut ours, &mut bench.hello().await?).await?;
    let sessions = ours.into_clients().into_iter().flat_map(RefreshClient::into_sessions).collect();
    Ok((comparison, sessions))
}

/// The big store and a small one take turns under the same open loop.
async fn latency(bench: &Bench<'_>, big: &Authority, sessions: Vec<Request>) -> Result<Comparison> {
    let site = bench.site("few")?.without_grace();
    let cookies = site.seed(FEW, FEW, FEW)?;
    let small = site.serve()?;
    let mut ours = OpenLoop::new(big, sessions).await?;
    let mut theirs = OpenLoop::new(&small, refresh::requests(small.port, &cookies)).await?;
    let comparison = alternate("latency", bench.options.slices, &mut ours, &mut theirs).await?;
    small.process.stop()?;
    Ok(comparison)
}
