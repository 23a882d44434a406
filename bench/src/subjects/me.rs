//! `GET /api/auth/me` with the access cookie: the request that an application makes all day.

use anyhow::Result;

use super::{Bench, FEW};
use crate::http::{Answer, Request};
use crate::load::{CONNECTIONS, ClosedLoop, Rounds, Until, walkers};
use crate::report::{Reach, Row};
use crate::server::Cookies;
use crate::turns::alternate;

/// Tokens per cold slice; each is used once, so they are counted out instead of timed.
const COLD_SLICE: u32 = 5_000;

/// A thousand sessions in turn, every token verified before.
pub(super) async fn measure_warm(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let site = bench.site("me")?;
    let cookies = site.seed(FEW, FEW, FEW)?;
    let authority = site.serve()?;
    let requests = requests(authority.port, &cookies);
    let clients = walkers(&authority, CONNECTIONS, requests, Rounds::Endless, is_me).await?;
    let mut ours = ClosedLoop::new(&authority.process, clients, bench.timed());
    let comparison = alternate("me", bench.options.slices, &mut ours, &mut bench.hello().await?).await?;
    authority.process.stop()?;
    let title = "GET /api/auth/me, 1,000 sessions in turn, tokens seen before";
    Ok(vec![Row::comparison(title, "/s", &comparison, Some(Reach::AtLeast(0.7)))])
}

/// Every token for the first time, so each request pays for a signature verification.
pub(super) async fn measure_cold(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let site = bench.site("me-cold")?;
    let tokens = COLD_SLICE * (bench.options.slices + 1);
    let cookies = site.seed(FEW, tokens, tokens)?;
    let authority = site.serve()?;
    let requests = requests(authority.port, &cookies);
    let clients = walkers(&authority, CONNECTIONS, requests, Rounds::Once, is_me).await?;
    let mut ours = ClosedLoop::new(&authority.process, clients, Until::Count(COLD_SLICE.into()));
    let comparison = alternate("me-cold", bench.options.slices, &mut ours, &mut bench.hello().await?).await?;
    authority.process.stop()?;
    Ok(vec![Row::comparison("GET /api/auth/me, every token for the first time", "/s", &comparison, None)])
}

fn requests(port: u16, cookies: &[Cookies]) -> Vec<Request> {
    let request = |cookies: &Cookies| Request::get(port, "/api/auth/me", Some(("__Host-cf_access", &cookies.access)));
    cookies.iter().map(request).collect()
}

fn is_me(answer: &Answer<'_>) -> bool {
    answer.status == 200
}
