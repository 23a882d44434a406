//! `POST /api/auth/refresh` in the cookie profile: every answer is a rotation, durable before it is given.
//!
//! The server runs without a grace. With one, a session rotated more than three times within it is put on `hold` and
//! answered without a new cookie, which is cheaper and not what is claimed; such an answer counts as refused.

use anyhow::Result;

use super::{Bench, FEW};
use crate::http::{Connection, Request};
use crate::load::{CONNECTIONS, Client, ClosedLoop, Step, deal};
use crate::report::{Reach, Row};
use crate::server::{Authority, Cookies};
use crate::turns::alternate;

const COOKIE: &str = "__Secure-cf_refresh";

/// Walks its share of the sessions, with the newest cookie of each.
#[derive(Debug)]
pub(super) struct RefreshClient {
    connection: Connection,
    sessions: Vec<Request>,
    next: usize,
}

impl RefreshClient {
    /// Hands the sessions back, each with its newest cookie.
    pub(super) fn into_sessions(self) -> Vec<Request> {
        self.sessions
    }
}

impl Client for RefreshClient {
    async fn step(&mut self) -> Result<Step> {
        let at = self.next;
        self.next = (at + 1) % self.sessions.len();
        let session = &mut self.sessions[at];
        rotate(&mut self.connection, session).await
    }
}

/// Refreshes `session` once and keeps the new cookie in it.
pub(super) async fn rotate(connection: &mut Connection, session: &mut Request) -> Result<Step> {
    let answer = connection.call(session.bytes()).await?;
    match answer.cookie(COOKIE) {
        Some(cookie) if answer.status == 200 => {
            session.exchange_cookie(cookie);
            Ok(Step::Done)
        }
        _ if answer.is_busy() => Ok(Step::Busy),
        _ => Ok(Step::Refused(format!("{} (no new {COOKIE})", answer.describe()))),
    }
}

/// The first request of each seeded session.
pub(super) fn requests(port: u16, cookies: &[Cookies]) -> Vec<Request> {
    let request = |cookies: &Cookies| Request::post(port, "/api/auth/refresh", Some((COOKIE, &cookies.refresh)), None);
    cookies.iter().map(request).collect()
}

/// A client per connection, each with its own share of `sessions`.
pub(super) async fn clients(
    authority: &Authority,
    connections: usize,
    sessions: Vec<Request>,
) -> Result<Vec<RefreshClient>> {
    let mut clients = Vec::with_capacity(connections);
    for sessions in deal(sessions, connections).into_iter().filter(|share| !share.is_empty()) {
        clients.push(RefreshClient { connection: Connection::open(authority.address()).await?, sessions, next: 0 });
    }
    Ok(clients)
}

/// A thousand sessions, 32 clients.
pub(super) async fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let site = bench.site("refresh")?.without_grace();
    let cookies = site.seed(FEW, FEW, FEW)?;
    let authority = site.serve()?;
    let clients = clients(&authority, CONNECTIONS, requests(authority.port, &cookies)).await?;
    let mut ours = ClosedLoop::new(&authority.process, clients, bench.timed());
    let comparison = alternate("refresh", bench.options.slices, &mut ours, &mut bench.hello().await?).await?;
    authority.process.stop()?;
    let title = "POST /api/auth/refresh, 32 clients, 1,000 sessions";
    Ok(vec![Row::comparison(title, "/s", &comparison, Some(Reach::AtLeast(0.3)))])
}
