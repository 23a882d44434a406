//! The closed loop: a fixed number of connections, each sending its next request when it has its answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use crate::http::{Answer, Connection, Request};
use crate::server::{Authority, Process};
use crate::stats::float;
use crate::turns::{Side, Turn};

/// Connections of every closed loop over HTTP, at both sides of a comparison.
pub(crate) const CONNECTIONS: usize = 32;

/// How one request ended.
#[derive(Debug)]
pub(crate) enum Step {
    /// As wanted; it counts.
    Done,
    /// Answered with 503 and a time after which to try again: a server that has too much to do says so.
    Busy,
    /// Answered, but not as wanted: counted apart, and the first one is shown.
    Refused(String),
    /// This client has nothing left to send.
    Exhausted,
}

/// One connection and what it sends.
pub(crate) trait Client: Send + 'static {
    /// Sends the next request and reads its answer. An error is a broken connection and ends the run.
    fn step(&mut self) -> impl Future<Output = Result<Step>> + Send;
}

/// When a slice is over.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    /// After this time: for requests so short that thousands fit in.
    Elapsed(Duration),
    /// After this many requests: for requests so long, or so precious, that counting them in a fixed time is too coarse.
    Count(u64),
}

/// A server under a closed loop, as one side of a comparison.
#[derive(Debug)]
pub(crate) struct ClosedLoop<'a, C> {
    process: &'a Process,
    clients: Vec<C>,
    until: Until,
}

impl<'a, C: Client> ClosedLoop<'a, C> {
    /// Loads `process` through `clients`.
    pub(crate) fn new(process: &'a Process, clients: Vec<C>, until: Until) -> Self {
        Self { process, clients, until }
    }

    /// Hands the clients back.
    pub(crate) fn into_clients(self) -> Vec<C> {
        self.clients
    }

    async fn run_clients(&mut self) -> Result<Tally> {
        let _awake = StayAwake::begin();
        let slice = Arc::new(Slice::starting_now(self.until));
        let tasks: Vec<_> = self
            .clients
            .drain(..)
            .map(|mut client| {
                let slice = Arc::clone(&slice);
                tokio::spawn(async move {
                    let tally = slice.drive(&mut client).await?;
                    anyhow::Ok((client, tally))
                })
            })
            .collect();
        let mut total = Tally::default();
        for task in tasks {
            let (client, tally) = task.await??;
            self.clients.push(client);
            total.add(tally);
        }
        total.elapsed = match self.until {
            Until::Elapsed(length) => length,
            Until::Count(_) => slice.start.elapsed(),
        };
        Ok(total)
    }
}

impl<C: Client> Side for ClosedLoop<'_, C> {
    async fn take_turn(&mut self) -> Result<Turn> {
        let watch = self.process.watch()?;
        let tally = self.run_clients().await?;
        let usage = watch.usage()?;
        if tally.done == 0 {
            bail!("not one request succeeded: {}", tally.complaint.as_deref().unwrap_or("no answer in the slice"));
        }
        let value = float(tally.done) / tally.elapsed.as_secs_f64();
        Ok(Turn { value, usage, refused: tally.refused, complaint: tally.complaint })
    }
}

/// Keeps the load's core from falling asleep between answers. Waking a sleeping core is the sender's work: without this the
/// server pays for an interrupt at nearly every answer (some 4 µs where the machine is virtual), and the faster server,
/// whose load never gets to sleep, does not. Clients on other machines cost no server that.
#[derive(Debug)]
pub(crate) struct StayAwake(tokio::task::JoinHandle<()>);

impl StayAwake {
    /// From now until this is dropped.
    pub(crate) fn begin() -> Self {
        Self(tokio::spawn(async {
            loop {
                tokio::task::yield_now().await;
            }
        }))
    }
}

impl Drop for StayAwake {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What the clients of one slice share.
#[derive(Debug)]
struct Slice {
    start: Instant,
    until: Until,
    begun: AtomicU64,
}

impl Slice {
    fn starting_now(until: Until) -> Self {
        Self { start: Instant::now(), until, begun: AtomicU64::new(0) }
    }

    /// Whether another request may begin.
    fn goes_on(&self) -> bool {
        match self.until {
            Until::Elapsed(length) => self.start.elapsed() < length,
            Until::Count(count) => self.begun.fetch_add(1, Ordering::Relaxed) < count,
        }
    }

    /// Requests in flight at the end of a timed slice are completed, because a session's next cookie hangs on the
    /// answer, but they do not count.
    async fn drive(&self, client: &mut impl Client) -> Result<Tally> {
        let mut tally = Tally::default();
        while self.goes_on() {
            match client.step().await? {
                Step::Done => match self.until {
                    Until::Elapsed(length) if self.start.elapsed() >= length => break,
                    _ => tally.done += 1,
                },
                Step::Busy => {
                    tally.refused += 1;
                    tally.complaint.get_or_insert_with(|| "503, busy".to_owned());
                }
                Step::Refused(complaint) => {
                    tally.refused += 1;
                    tally.complaint.get_or_insert(complaint);
                }
                Step::Exhausted => break,
            }
        }
        Ok(tally)
    }
}

#[derive(Debug, Default)]
struct Tally {
    done: u64,
    refused: u64,
    complaint: Option<String>,
    elapsed: Duration,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.done += other.done;
        self.refused += other.refused;
        self.complaint = self.complaint.take().or(other.complaint);
    }
}

/// What makes an answer the wanted one.
pub(crate) type Judge = fn(&Answer<'_>) -> bool;

/// Walks a list of requests, once or round and round.
#[derive(Debug)]
pub(crate) struct Walker {
    connection: Connection,
    requests: Vec<Request>,
    next: usize,
    once: bool,
    wanted: Judge,
}

impl Client for Walker {
    async fn step(&mut self) -> Result<Step> {
        if self.next == self.requests.len() {
            if self.once {
                return Ok(Step::Exhausted);
            }
            self.next = 0;
        }
        let request = &self.requests[self.next];
        self.next += 1;
        let answer = self.connection.call(request.bytes()).await?;
        Ok(if (self.wanted)(&answer) { Step::Done } else { Step::Refused(answer.describe()) })
    }
}

/// How often a walker goes through its share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rounds {
    /// Once, and then it is exhausted.
    Once,
    /// As long as the slice lasts.
    Endless,
}

/// Deals `requests` out to `connections` walkers; with fewer requests than connections, each walks all of them.
pub(crate) async fn walkers(
    authority: &Authority,
    connections: usize,
    requests: Vec<Request>,
    rounds: Rounds,
    wanted: Judge,
) -> Result<Vec<Walker>> {
    let shares = if requests.len() < connections { vec![requests; connections] } else { deal(requests, connections) };
    let mut walkers = Vec::with_capacity(connections);
    for requests in shares {
        let connection = Connection::open(authority.address()).await?;
        walkers.push(Walker { connection, requests, next: 0, once: rounds == Rounds::Once, wanted });
    }
    Ok(walkers)
}

/// Deals `items` out in turn, as cards are.
pub(crate) fn deal<T>(items: Vec<T>, hands: usize) -> Vec<Vec<T>> {
    let mut dealt: Vec<Vec<T>> = (0..hands).map(|_| Vec::with_capacity(items.len() / hands + 1)).collect();
    for (at, item) in items.into_iter().enumerate() {
        dealt[at % hands].push(item);
    }
    dealt
}
