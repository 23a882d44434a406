//! PostgreSQL: what a refresh costs against the cheapest durable thing the same server does, how both grow, and how soon a
//! revocation counts at other replicas.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::latency::{OpenLoop, Timetable};
use super::refresh;
use super::{Bench, FEW};
use crate::http::{Connection, Request};
use crate::load::{CONNECTIONS, ClosedLoop, Until};
use crate::postgres::Postgres;
use crate::report::{Reach, Row};
use crate::server::{Authority, Cookies, Site};
use crate::stats::{Samples, figure, float};
use crate::turns::{Side, Turn, alternate};

/// A durable update of one row, as small as it can be.
const UPDATE: &str = "\\set id random(1, 1000)\nUPDATE t SET v = v + 1 WHERE id = :id;\n";
const TABLE: &str = "CREATE TABLE t (id int PRIMARY KEY, v bigint NOT NULL, pad text) WITH (fillfactor = 90); \
                     INSERT INTO t SELECT n, 0, repeat('x', 150) FROM generate_series(1, 1000) n; VACUUM ANALYZE t";

/// Slices are whole seconds here: pgbench knows no shorter ones.
const SLICE: Duration = Duration::from_secs(2);

/// Refreshes at a fixed rate when stores of two sizes are compared.
const PER_SECOND: u32 = 500;
const GROWN_FROM: u32 = 10_000;
/// Sessions that the generator makes at a time.
const CHUNK: u32 = 100_000;

const REVOCATIONS: usize = 200;

/// pgbench, as the yardstick.
struct PgBench<'a> {
    server: &'a Postgres,
    command: Box<dyn Fn() -> Command + 'a>,
}

impl Side for PgBench<'_> {
    async fn take_turn(&mut self) -> Result<Turn> {
        let watch = self.server.process.watch()?;
        let output = (self.command)().output().context("pgbench")?;
        let usage = watch.usage()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = text.lines().find(|line| line.starts_with("tps = "));
        let Some(line) = line.filter(|_| output.status.success()) else {
            bail!("pgbench: {text} {}", String::from_utf8_lossy(&output.stderr));
        };
        let value = line.split(' ').nth(2).context("a figure")?.parse()?;
        Ok(Turn { value, usage, refused: 0, complaint: None })
    }
}

/// All of it.
pub(super) async fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let server = Postgres::start(bench.cores.server, bench.scratch)?;
    let mut rows = vec![refresh_against_update(bench, &server).await?];
    rows.extend(growth(bench, &server).await?);
    rows.push(revocation(bench, &server).await?);
    server.process.stop()?;
    Ok(rows)
}

fn site(bench: &Bench<'_>, server: &Postgres, database: &str) -> Result<Site> {
    if database != "counterfoil" {
        server.sql("postgres", &format!("CREATE DATABASE {database}"))?;
    }
    Ok(bench.site(database)?.without_grace().with("COUNTERFOIL__STORE__URL", &server.url(database)))
}

/// Ours and pgbench take turns on the same server, with the same number of clients. Ours also has to speak HTTP, check and make
/// tokens, on the core that PostgreSQL has for itself when it is pgbench's turn.
async fn refresh_against_update(bench: &Bench<'_>, server: &Postgres) -> Result<Row> {
    server.sql("postgres", "CREATE DATABASE yardstick")?;
    for statement in TABLE.split("; ") {
        server.sql("yardstick", statement)?;
    }
    let script = server.file("update.sql", UPDATE)?;
    let command = || {
        let mut command = server.client("pgbench");
        let (clients, seconds) = (CONNECTIONS.to_string(), SLICE.as_secs().to_string());
        command.args(["-n", "-M", "prepared", "-j", "2", "-c", &clients, "-T", &seconds, "-f"]).arg(&script);
        command.arg("yardstick");
        command
    };
    let mut theirs = PgBench { server, command: Box::new(command) };
    let site = site(bench, server, "counterfoil")?;
    let cookies = site.seed(FEW, FEW, FEW)?;
    let authority = site.serve()?;
    let clients = refresh::clients(&authority, CONNECTIONS, refresh::requests(authority.port, &cookies)).await?;
    let mut ours = ClosedLoop::new(&authority.process, clients, Until::Elapsed(SLICE));
    let slices = bench.options.slices.min(8);
    let comparison = alternate("refresh on PostgreSQL", slices, &mut ours, &mut theirs).await?;
    authority.process.stop()?;
    let title = "POST /api/auth/refresh on PostgreSQL, 32 clients, against a durable one-row UPDATE by pgbench";
    Ok(Row::comparison(title, "/s", &comparison, Some(Reach::AtLeast(0.5))))
}

/// The same load on a store of many sessions and on one of few.
async fn growth(bench: &Bench<'_>, server: &Postgres) -> Result<Vec<Row>> {
    let many = bench.options.many;
    let title = figure(float(many.into()));
    let (big, cookies) = grown(bench, server, ("big", many))?;
    let per_session = server.sql("big", "SELECT pg_total_relation_size('session')::float8 / count(*) FROM session")?;
    let (small, few) = grown(bench, server, ("small", GROWN_FROM.min(many)))?;
    let (big, small) = (big.serve()?, small.serve()?);
    let mut ours = OpenLoop::at(Timetable::slice(PER_SECOND), &big, refresh::requests(big.port, &cookies)).await?;
    let mut theirs = OpenLoop::at(Timetable::slice(PER_SECOND), &small, refresh::requests(small.port, &few)).await?;
    let comparison = alternate("growth", bench.options.slices, &mut ours, &mut theirs).await?;
    big.process.stop()?;
    small.process.stop()?;
    let p99 = format!(
        "refresh p99 on PostgreSQL at {PER_SECOND}/s, {title} sessions against {}",
        figure(float(GROWN_FROM.into()))
    );
    Ok(vec![
        Row::comparison(p99, " ms", &comparison, Some(Reach::AtMost(2.0))),
        Row::figure(
            format!("PostgreSQL, bytes per session with indexes, {title} sessions"),
            " bytes",
            per_session.parse()?,
            Some(Reach::AtMost(400.0)),
        ),
    ])
}

/// A store with so many sessions, and the cookies of some of them. Most are made by the database itself: a row is a row.
fn grown(bench: &Bench<'_>, server: &Postgres, (database, sessions): (&str, u32)) -> Result<(Site, Vec<Cookies>)> {
    let site = site(bench, server, database)?;
    let walked = GROWN_FROM.min(sessions);
    let cookies = site.seed(FEW.min(walked), walked, walked)?;
    let begun = Instant::now();
    let mut made = walked;
    while made < sessions {
        let next = CHUNK.min(sessions - made);
        server.sql(database, &filler(next))?;
        made += next;
        eprint!("\r  {database}: {made} of {sessions} sessions, {:.0} s", begun.elapsed().as_secs_f64());
    }
    if sessions > walked {
        eprintln!();
        server.sql(database, "VACUUM ANALYZE session")?;
        server.sql(database, "CHECKPOINT")?;
    }
    Ok((site, cookies))
}

/// Sessions like those there are, of the same accounts, under other names.
fn filler(count: u32) -> String {
    format!(
        "INSERT INTO session (created_at, auth_time, last_seen_at, idle, expires_at, handed_at, generation, persistent, \
           handed_twice, presented, handle, sid, account, parent, application, profile, acr, amr, device, network) \
         SELECT s.created_at, s.auth_time, s.last_seen_at, s.idle, s.expires_at, s.handed_at, s.generation, s.persistent, \
           s.handed_twice, s.presented, gen_random_uuid(), gen_random_uuid(), s.account, '\\x0102030405060708', s.application, \
           s.profile, s.acr, s.amr, s.device, s.network \
         FROM generate_series(1, {count}) n JOIN (SELECT *, row_number() OVER () AS nth FROM (SELECT * FROM session LIMIT 1000) few) s \
           ON s.nth = n % 1000 + 1"
    )
}

/// From the acknowledgement of a sign-out at one replica to the first refusal at each of two others, which are asked all the time.
async fn revocation(bench: &Bench<'_>, server: &Postgres) -> Result<Row> {
    let first = site(bench, server, "replicas")?;
    let key = bench.scratch.join("replicas/master.key");
    let mut cookies = first.seed(FEW, FEW, FEW)?;
    let mut sites = vec![first];
    for name in ["second", "third"] {
        let site = bench.site(name)?.without_grace();
        let issuer = sites[0].issuer();
        std::fs::copy(&key, bench.scratch.join(name).join("master.key"))?;
        let url = server.url("replicas");
        sites.push(site.with("COUNTERFOIL__STORE__URL", &url).with("COUNTERFOIL__PUBLIC_URL", &issuer));
    }
    let replicas = sites.iter().map(Site::serve).collect::<Result<Vec<_>>>()?;
    let mut millis = Vec::new();
    for _ in 0..REVOCATIONS {
        let Cookies { access, .. } = cookies.pop().context("a session left")?;
        millis.push(refused_after(&replicas, &access).await?);
    }
    for replica in replicas {
        replica.process.stop()?;
    }
    let samples = Samples::new(millis).context("revocations")?;
    let title = "three replicas: a sign-out's acknowledgement to the refusal at the last of them, p99";
    Ok(Row::figure(title, " ms", samples.percentile(99), Some(Reach::Below(50.0))))
}

async fn refused_after(replicas: &[Authority], access: &str) -> Result<f64> {
    let (first, others) = replicas.split_first().context("a replica")?;
    let cookie = Some(("__Host-cf_access", access));
    let mut connections = Vec::new();
    for other in others {
        let (mut connection, request) =
            (Connection::open(other.address()).await?, Request::get(other.port, "/api/auth/me", cookie));
        if connection.call(request.bytes()).await?.status != 200 {
            bail!("a session that lives is refused");
        }
        connections.push((connection, request));
    }
    let mut ending = Connection::open(first.address()).await?;
    let sign_out = Request::post(first.port, "/api/auth/logout", cookie, None);
    let answer = ending.call(sign_out.bytes()).await?;
    if answer.status != 204 {
        bail!("signing out: {}", answer.describe());
    }
    let acknowledged = Instant::now();
    for (connection, request) in &mut connections {
        while connection.call(request.bytes()).await?.status == 200 {}
    }
    Ok(acknowledged.elapsed().as_secs_f64() * 1e3)
}
