//! How fast a revocation gets to guards that follow the feed, and what the feed costs when nothing happens. The guards are the
//! real ones, all in this process.

use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use counterfoil_guard::client::{Client, Config};
use tokio::task::JoinSet;

use super::Bench;
use crate::http::{Connection, Request};
use crate::report::{Reach, Row};
use crate::server::{Authority, Cookies, Site};
use crate::stats::Samples;

const COOKIE: &str = "__Host-cf_access";
/// After a start, receipts by acknowledgement are given from here on.
const SETTLED: Duration = Duration::from_millis(5_200);
/// How long the idle feed is watched.
const IDLE: Duration = Duration::from_secs(4);
/// How often a guard is cut off.
const CUT: u32 = 3;
/// At most so many guards poll for the first time at once.
const AT_ONCE: usize = 50;

/// 1, 100 and 1,000 guards.
pub(super) async fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let revocations = if bench.options.quick { 40 } else { 200 };
    let mut rows = Vec::new();
    for guards in [1_usize, 100, 1000] {
        let site = bench.site("feed")?;
        let count = 2 * revocations + CUT;
        let sessions = site.seed(1, count, count)?;
        let credential = credential(&site)?;
        let authority = site.serve()?;
        let (cut, sessions) = sessions.split_at(CUT as usize);
        let (refused, confirmed) = sessions.split_at(revocations as usize);
        let guards = followers(&authority, &site, &credential, guards).await?;
        tokio::time::sleep(SETTLED).await;
        rows.extend(propagation(&authority, &guards, refused, confirmed).await?);
        if guards.len() == 1 {
            rows.push(cut_off(&authority, &credential, cut).await?);
        }
        if guards.len() == 1000 {
            rows.push(idle(&authority).await?);
        }
        drop(guards);
        authority.process.stop()?;
    }
    Ok(rows)
}

fn credential(site: &Site) -> Result<String> {
    let output = site.command("guard").args(["add", "bench"]).stdin(Stdio::null()).output()?;
    ensure!(output.status.success(), "guard add: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

async fn followers(authority: &Authority, site: &Site, credential: &str, count: usize) -> Result<Vec<Client>> {
    let mut guards: Vec<Client> = Vec::with_capacity(count);
    for n in 0..count {
        let mut config = Config::new(&format!("http://{}", authority.address()), "web", credential)?;
        config.issuer = site.issuer();
        guards.push(Client::start(config));
        if (n + 1) % AT_ONCE == 0 {
            for guard in &guards {
                guard.ready().await;
            }
        }
    }
    for guard in &guards {
        guard.ready().await;
    }
    Ok(guards)
}

async fn propagation(
    authority: &Authority,
    guards: &[Client],
    refused: &[Cookies],
    confirmed: &[Cookies],
) -> Result<Vec<Row>> {
    let mut connection = Connection::open(authority.address()).await?;
    let (mut delays, mut receipts) = (Vec::new(), Vec::new());
    for session in refused {
        let mut watching = JoinSet::new();
        for guard in guards {
            let verified = guard.verify(&session.access).await.map_err(|refusal| anyhow::anyhow!("{refusal:?}"))?;
            let guard = guard.clone();
            watching.spawn(async move {
                let refusal = guard.watch(&verified).await;
                (refusal, Instant::now())
            });
        }
        tokio::task::yield_now().await;
        let request = Request::post(authority.port, "/api/auth/logout", Some((COOKIE, &session.access)), None);
        let status = connection.call(request.bytes()).await?.status;
        ensure!(status == 204, "sign-out answered {status}");
        let acknowledged = Instant::now();
        for (refusal, at) in watching.join_all().await {
            ensure!(refusal.code() == "session_revoked", "refused as {}", refusal.code());
            delays.push(at.saturating_duration_since(acknowledged).as_secs_f64() * 1e3);
        }
    }
    for session in confirmed {
        let path = "/api/auth/logout?receipt=effective";
        let request = Request::post(authority.port, path, Some((COOKIE, &session.access)), None);
        let start = Instant::now();
        let status = connection.call(request.bytes()).await?.status;
        ensure!(status == 200, "the receipt answered {status}");
        receipts.push(start.elapsed().as_secs_f64() * 1e3);
    }
    let count = guards.len();
    let plural = if count == 1 { "guard" } else { "guards" };
    let reach = |most| (count == 100).then_some(Reach::Below(most));
    let p99 = |values, what| Ok::<_, anyhow::Error>(Samples::new(values).context(what)?.percentile(99));
    let delay = p99(delays, "no guard refused")?;
    let receipt = p99(receipts, "no receipt came")?;
    Ok(vec![
        Row::figure(format!("from acknowledgement to refusal, {count} {plural}, p99"), " ms", delay, reach(10.0)),
        Row::figure(format!("receipt, {count} {plural}, p99"), " ms", receipt, reach(25.0)),
    ])
}

/// A guard polls once and is never heard of again: the receipt comes when its lease can no longer be alive.
async fn cut_off(authority: &Authority, credential: &str, sessions: &[Cookies]) -> Result<Row> {
    let mut connection = Connection::open(authority.address()).await?;
    let mut longest: f64 = 0.0;
    for (n, session) in sessions.iter().enumerate() {
        let path = format!("/api/revocations?instance=AAAAAAAAAAAAAAAAAAAA{n}A&nonce=n&wait=0");
        let poll = Request::get(authority.port, &path, None).with(&format!("Authorization: Bearer {credential}\r\n"));
        let status = connection.call(poll.bytes()).await?.status;
        ensure!(status == 200, "the poll answered {status}");
        let path = "/api/auth/logout?receipt=effective";
        let request = Request::post(authority.port, path, Some((COOKIE, &session.access)), None);
        let start = Instant::now();
        let status = connection.call(request.bytes()).await?.status;
        ensure!(status == 200, "the receipt answered {status}");
        longest = longest.max(start.elapsed().as_secs_f64() * 1e3);
    }
    let title = "receipt with a guard cut off (max_staleness 5 s), the longest of 3";
    Ok(Row::figure(title, " ms", longest, Some(Reach::Below(5_100.0))))
}

async fn idle(authority: &Authority) -> Result<Row> {
    let watch = authority.process.watch()?;
    tokio::time::sleep(IDLE).await;
    let share = watch.usage()?.server * 100.0;
    Ok(Row::figure("idle feed, 1,000 guards: share of the server's core", " %", share, Some(Reach::Below(5.0))))
}
