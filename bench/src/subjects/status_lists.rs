//! One status list with a bit for each session of a big store: how large it is as it is served, how soon it says what has been
//! revoked, what publishing costs, and how many verifiers can ask for it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use counterfoil_guard::{Statuses, base64url_decode};
use serde_json::Value;

use super::Bench;
use crate::http::{Answer, Connection, Request};
use crate::load::{CONNECTIONS, ClosedLoop, Judge, Rounds, walkers};
use crate::report::{Reach, Row};
use crate::server::{Authority, Cookies, Site};
use crate::stats::{Samples, figure, float};
use crate::turns::alternate;

const COOKIE: &str = "__Host-cf_access";
const STATUS_LIST: &str = "COUNTERFOIL__APPLICATIONS__WEB__STATUS_LIST";
const USERS: u32 = 1_000;
/// Ended before anything is measured, all of them within a token's life.
const REVOKED: usize = 1_000;
/// Sign-outs after which the list is looked at until it says so.
const AWAITED: usize = 40;
/// Sign-outs at even distances, while it is looked at what they cost.
const STEADY: usize = 100;
const EVERY: Duration = Duration::from_millis(50);
/// How often somebody asks who waits for a bit.
const ASK_EVERY: Duration = Duration::from_millis(2);
const PATIENCE: Duration = Duration::from_secs(20);
/// The largest list there may be, and what is kept free in it.
const LARGEST: u32 = 1 << 24;
const GZIP: &str = "Accept-Encoding: gzip\r\n";
const KILOBYTE: f64 = 1e3;
const MEGABYTE: f64 = 1e6;

/// Everything about the list of a big store, seeded once.
pub(super) async fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let many = bench.options.many;
    let title = figure(float(many.into()));
    let site = site(bench, many)?;
    let few = u32::try_from(REVOKED + AWAITED + 2 * STEADY)?;
    let sessions = site.seed_among(many.saturating_sub(few), (USERS, few, few))?;
    ensure!(sessions.len() == few as usize, "{} of {few} cookies", sessions.len());
    let authority = site.serve()?;
    let (revoked, others) = sessions.split_at(REVOKED);
    let (awaited, steady) = others.split_at(AWAITED);
    let (steady, without) = steady.split_at(STEADY);
    let mut verifier = Verifier::of(&authority).await?;
    for session in revoked {
        verifier.end(session).await?;
    }
    verifier.delay(revoked.last().context("none")?).await?;
    let mut rows = sizes(&mut verifier, &title).await?;
    rows.extend(delays(&mut verifier, awaited, &title).await?);
    let with_lists = share(&authority, &mut verifier, steady).await?;
    rows.extend(requests(bench, &authority, &mut verifier).await?);
    let resident = float(authority.process.resident_bytes()?) / MEGABYTE;
    let memory = format!("resident memory with a status list of {title} sessions");
    rows.push(Row::figure(memory, " MB", resident, Some(Reach::Below(100.0))));
    authority.process.stop()?;
    rows.push(work(site, without, &title, with_lists).await?);
    Ok(rows)
}

/// One list for all of them. A long `ttl`, so that what is asked for again and again stays the same while it is measured.
fn site(bench: &Bench<'_>, many: u32) -> Result<Site> {
    let size = many.saturating_mul(3).div_ceil(2).max(1 << 10).next_power_of_two().min(LARGEST);
    ensure!(many <= size / 4 * 3, "a list takes no more than {}", LARGEST / 4 * 3);
    Ok(bench
        .site("status-lists")?
        .with(STATUS_LIST, "true")
        .with("COUNTERFOIL__STATUS_LISTS__SIZE", &size.to_string())
        .with("COUNTERFOIL__STATUS_LISTS__TTL", "1h"))
}

/// Somebody who ends sessions and asks for the list.
struct Verifier {
    port: u16,
    connection: Connection,
}

impl Verifier {
    async fn of(authority: &Authority) -> Result<Self> {
        Ok(Self { port: authority.port, connection: Connection::open(authority.address()).await? })
    }

    fn ask(&self, lines: &str) -> Request {
        Request::get(self.port, "/status-lists/1", None).with(lines)
    }

    /// Signs out; returns when it was answered.
    async fn end(&mut self, session: &Cookies) -> Result<Instant> {
        let request = Request::post(self.port, "/api/auth/logout", Some((COOKIE, &session.access)), None);
        let answer = self.connection.call(request.bytes()).await?;
        ensure!(answer.status == 204, "sign-out: {}", answer.describe());
        Ok(Instant::now())
    }

    /// The list's entity tag, its bytes on the way, and its bits if it is not compressed.
    async fn list(&mut self, lines: &str) -> Result<(String, usize, Vec<u8>)> {
        let request = self.ask(lines);
        let answer = self.connection.call(request.bytes()).await?;
        ensure!(answer.status == 200, "the list: {}", answer.describe());
        let tag = String::from_utf8(answer.header("etag").context("an entity tag")?.to_vec())?;
        Ok((tag, answer.body.len(), answer.body.to_vec()))
    }

    /// Signs out if that has not been done, and asks until the list says that this session has ended: how long after the answer.
    async fn delay(&mut self, session: &Cookies) -> Result<Duration> {
        let index = place(&session.access)?;
        let (mut tag, _, list) = self.list("").await?;
        if status(&list, index)? != 0 {
            return Ok(Duration::ZERO);
        }
        let ended = self.end(session).await?;
        while ended.elapsed() < PATIENCE {
            let request = self.ask(&format!("If-None-Match: {tag}\r\n"));
            let answer = self.connection.call(request.bytes()).await?;
            let at = Instant::now();
            match answer.status {
                304 => {}
                200 if status(answer.body, index)? != 0 => return Ok(at - ended),
                200 => tag = String::from_utf8(answer.header("etag").context("an entity tag")?.to_vec())?,
                _ => bail!("the list: {}", answer.describe()),
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
        bail!("the list does not say it after {PATIENCE:?}")
    }
}

/// What a token or a list says; who has signed it is others' business.
fn said(token: &[u8]) -> Result<Value> {
    let payload = token.split(|byte| *byte == b'.').nth(1).context("a payload")?;
    let payload = base64url_decode(str::from_utf8(payload)?).context("base64url")?;
    Ok(serde_json::from_slice(&payload)?)
}

fn place(access: &str) -> Result<u32> {
    let index = said(access.as_bytes())?["status"]["status_list"]["idx"].as_u64();
    Ok(u32::try_from(index.context("the token has no place in a list")?)?)
}

fn status(list: &[u8], index: u32) -> Result<u8> {
    let said = said(list)?;
    let encoded = said["status_list"]["lst"].as_str().context("lst")?;
    let statuses = Statuses::decode(1, encoded).map_err(|refusal| anyhow::anyhow!("the list: {}", refusal.code()))?;
    statuses.status(index).context("an index beyond the list")
}

async fn sizes(verifier: &mut Verifier, title: &str) -> Result<Vec<Row>> {
    let plain = verifier.list("").await?.1;
    let gzip = verifier.list(GZIP).await?.1;
    let size = |bytes: usize| float(bytes as u64) / KILOBYTE;
    let title = format!("a status list of {title} sessions, {} of them revoked", figure(float(REVOKED as u64)));
    Ok(vec![
        Row::figure(format!("{title}: as it is signed"), " KB", size(plain), None),
        Row::figure(format!("{title}: with gzip"), " KB", size(gzip), None),
    ])
}

/// At all times of the second: at most once in one is a list made.
async fn delays(verifier: &mut Verifier, sessions: &[Cookies], title: &str) -> Result<Vec<Row>> {
    let mut taken = Vec::new();
    for (n, session) in (0_u64..).zip(sessions) {
        tokio::time::sleep(Duration::from_millis(n * 377 % 1000)).await;
        taken.push(verifier.delay(session).await?.as_secs_f64() * 1e3);
    }
    let taken = Samples::new(taken).context("no sign-out")?;
    let title = format!("from a sign-out's answer to the status list of {title} that says so");
    Ok(vec![
        Row::figure(format!("{title}, p50"), " ms", taken.median(), None),
        Row::figure(format!("{title}, p99"), " ms", taken.percentile(99), Some(Reach::Below(1_200.0))),
    ])
}

/// Revocations come all the time, so that every second has its list: the share of the server's core that this takes, in percent.
async fn share(authority: &Authority, verifier: &mut Verifier, sessions: &[Cookies]) -> Result<f64> {
    let watch = authority.process.watch()?;
    let start = Instant::now();
    for (n, session) in (1..).zip(sessions) {
        verifier.end(session).await?;
        tokio::time::sleep((EVERY * n).saturating_sub(start.elapsed())).await;
    }
    Ok(watch.usage()?.server * 100.0)
}

/// What publishing adds to the sign-outs themselves, which take the same without lists.
async fn work(site: Site, sessions: &[Cookies], title: &str, with_lists: f64) -> Result<Row> {
    let authority = site.with(STATUS_LIST, "false").serve()?;
    let mut verifier = Verifier::of(&authority).await?;
    let without = share(&authority, &mut verifier, sessions).await?;
    authority.process.stop()?;
    let title =
        format!("a status list of {title} made anew every second: what it adds to the share of the server's core");
    let notes =
        format!("20 sign-outs a second take {} % with lists and {} % without", figure(with_lists), figure(without));
    Ok(Row::figure(title, " %", with_lists - without, Some(Reach::Below(2.0))).noting(notes))
}

/// The same list again and again: unchanged, and whole.
async fn requests(bench: &Bench<'_>, authority: &Authority, verifier: &mut Verifier) -> Result<Vec<Row>> {
    // Until all that has been revoked is in it.
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    let (tag, ..) = verifier.list("").await?;
    let is_unchanged: Judge = |answer: &Answer<'_>| answer.status == 304;
    let is_gzip: Judge =
        |answer: &Answer<'_>| answer.status == 200 && answer.header("content-encoding") == Some(b"gzip");
    let mut rows = Vec::new();
    for (title, lines, wanted, least) in [
        ("GET of a status list that has not changed (304)", format!("If-None-Match: {tag}\r\n"), is_unchanged, 0.6),
        ("GET of a whole status list, gzip", GZIP.to_owned(), is_gzip, 0.5),
    ] {
        let clients = walkers(authority, CONNECTIONS, vec![verifier.ask(&lines)], Rounds::Endless, wanted).await?;
        let mut ours = ClosedLoop::new(&authority.process, clients, bench.timed());
        let comparison = alternate("status list", bench.options.slices, &mut ours, &mut bench.hello().await?).await?;
        rows.push(Row::comparison(title, "/s", &comparison, Some(Reach::AtLeast(least))));
    }
    Ok(rows)
}
