//! The open loop: refreshes begin on a timetable, whether or not earlier ones have been answered, and their time counts
//! from the timetable. A server that stalls is thus charged for everything that queued up meanwhile, which a closed loop
//! would quietly leave out.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Error, Result, bail};

use super::refresh::rotate;
use crate::http::{Connection, Request};
use crate::load::Step;
use crate::server::{Authority, Process};
use crate::stats::Samples;
use crate::turns::{Side, Turn};

const PER_SECOND: u32 = 2_000;
/// How long after a slice its last answers may come.
const PATIENCE: Duration = Duration::from_secs(10);

/// When refreshes begin, and over how many connections.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timetable {
    pub(super) per_second: u32,
    pub(super) length: Duration,
    pub(super) connections: usize,
    /// To the microsecond, at the price of a whole core; otherwise to the millisecond or two.
    pub(super) exact: bool,
    /// Whether what is due while every connection is taken comes later; otherwise not at all, and is counted.
    pub(super) queues: bool,
}

impl Timetable {
    /// A slice of a comparison.
    pub(super) const fn slice(per_second: u32) -> Self {
        Self { per_second, length: Duration::from_secs(1), connections: 64, exact: true, queues: true }
    }

    fn refreshes(&self) -> u32 {
        self.per_second * u32::try_from(self.length.as_secs()).unwrap_or(1)
    }
}

/// What came of a timetable.
#[derive(Debug)]
pub(super) struct Tally {
    /// How long each served refresh took since it was due, in milliseconds.
    pub(super) served: Vec<f64>,
    /// How many were told to come again later.
    pub(super) busy: u64,
    /// How many were answered in any other way.
    pub(super) refused: u64,
    /// How many were not asked for: every connection waited for an answer.
    pub(super) held: u64,
    /// The first of those refused.
    pub(super) complaint: Option<String>,
    /// Until the last answer that counts.
    pub(super) elapsed: Duration,
}

/// A server under so many refreshes a second, as one side of a comparison of their p99.
#[derive(Debug)]
pub(super) struct OpenLoop<'a> {
    process: &'a Process,
    pool: Arc<Pool>,
    timetable: Timetable,
}

impl<'a> OpenLoop<'a> {
    /// With a connection open; `sessions` take turns, none twice at once.
    pub(super) async fn new(authority: &'a Authority, sessions: Vec<Request>) -> Result<Self> {
        Self::at(Timetable::slice(PER_SECOND), authority, sessions).await
    }

    /// The same by another timetable.
    pub(super) async fn at(timetable: Timetable, authority: &'a Authority, sessions: Vec<Request>) -> Result<Self> {
        let (address, most) = (authority.address(), timetable.connections);
        let idle = VecDeque::from([Connection::open(address).await?]);
        let state = State { idle, open: 1, sessions: sessions.into(), ..State::default() };
        let pool = Arc::new(Pool { address, most, state: Mutex::new(state) });
        Ok(Self { process: &authority.process, pool, timetable })
    }

    /// Goes through the timetable once.
    pub(super) async fn follow(&mut self) -> Result<Tally> {
        let start = Instant::now();
        self.follow_timetable().await;
        let elapsed = start.elapsed();
        // What is answered later than that is none of what a crowd gets that goes on asking.
        let tally = (!self.timetable.queues).then(|| self.take_tally(elapsed));
        self.await_answers().await?;
        let rest = self.take_tally(start.elapsed());
        Ok(tally.unwrap_or(rest))
    }

    fn take_tally(&self, elapsed: Duration) -> Tally {
        let mut state = self.pool.lock();
        let served = std::mem::take(&mut state.latencies).iter().map(|taken| taken.as_secs_f64() * 1e3).collect();
        let (busy, refused) = (std::mem::take(&mut state.busy), std::mem::take(&mut state.refused));
        let held = std::mem::take(&mut state.held);
        Tally { served, busy, refused, held, complaint: state.complaint.take(), elapsed }
    }

    /// Begins each refresh when it is due. Busy waiting: the load has its core to itself, and the runtime's timer,
    /// with its whole milliseconds, is too coarse. A yield lets the answers in.
    async fn follow_timetable(&self) {
        let start = Instant::now();
        for at in 0..self.timetable.refreshes() {
            let due = start + Duration::from_secs(1) * at / self.timetable.per_second;
            // However late it is, the answers have to come in.
            if at % 16 == 0 {
                tokio::task::yield_now().await;
            }
            while Instant::now() < due {
                if self.timetable.exact {
                    tokio::task::yield_now().await;
                } else {
                    tokio::time::sleep(due.duration_since(Instant::now())).await;
                }
            }
            self.pool.begin(due, self.timetable.queues);
        }
    }

    async fn await_answers(&self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !self.pool.lock().is_at_rest() {
            if let Some(broken) = self.pool.lock().broken.take() {
                return Err(broken);
            }
            if Instant::now() > deadline {
                bail!("answers are missing {PATIENCE:?} after the end of the slice");
            }
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}

impl Side for OpenLoop<'_> {
    async fn take_turn(&mut self) -> Result<Turn> {
        let watch = self.process.watch()?;
        let Tally { served, busy, refused, complaint, .. } = self.follow().await?;
        let usage = watch.usage()?;
        let value = Samples::new(served)
            .with_context(|| format!("not one refresh succeeded: {}", complaint.as_deref().unwrap_or_default()))?
            .percentile(99);
        Ok(Turn { value, usage, refused: busy + refused, complaint })
    }
}

/// Idle connections, resting sessions, and what is due without either.
#[derive(Debug)]
struct Pool {
    address: SocketAddr,
    /// How many connections there may be.
    most: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    idle: VecDeque<Connection>,
    /// Idle or not.
    open: usize,
    sessions: VecDeque<Request>,
    backlog: VecDeque<Instant>,
    latencies: Vec<Duration>,
    busy: u64,
    refused: u64,
    held: u64,
    complaint: Option<String>,
    broken: Option<Error>,
}

impl State {
    fn is_at_rest(&self) -> bool {
        self.idle.len() == self.open && self.backlog.is_empty()
    }
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a refresh; if every connection is taken, later or not at all.
    fn begin(self: &Arc<Self>, due: Instant, queues: bool) {
        let mut state = self.lock();
        let connection = state.idle.pop_front();
        if connection.is_none() {
            if state.open == self.most {
                if queues {
                    state.backlog.push_back(due);
                } else {
                    state.held += 1;
                }
                return;
            }
            state.open += 1;
        }
        drop(state);
        let pool = Arc::clone(self);
        tokio::spawn(async move {
            if let Err(broken) = pool.work(connection, due).await {
                pool.lock().broken = Some(broken);
            }
        });
    }

    /// Refreshes, then whatever has queued up, then puts the connection back.
    async fn work(&self, connection: Option<Connection>, mut due: Instant) -> Result<()> {
        let mut connection = match connection {
            Some(connection) => connection,
            None => Connection::open(self.address).await?,
        };
        loop {
            let session = self.lock().sessions.pop_front();
            let mut session = session.context("more connections than sessions")?;
            let step = rotate(&mut connection, &mut session).await?;
            let taken = due.elapsed();
            let mut state = self.lock();
            match step {
                Step::Busy => state.busy += 1,
                Step::Refused(complaint) => {
                    state.refused += 1;
                    state.complaint.get_or_insert(complaint);
                }
                Step::Done | Step::Exhausted => state.latencies.push(taken),
            }
            state.sessions.push_back(session);
            let Some(next) = state.backlog.pop_front() else {
                state.idle.push_back(connection);
                return Ok(());
            };
            due = next;
        }
    }
}
