//! The open loop: refreshes begin on a timetable, whether or not earlier ones have been answered, and their time counts
//! from the timetable. A server that stalls is thus charged for everything that queued up meanwhile, which a closed loop
//! would quietly leave out.

use std::collections::VecDeque;
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
const SLICE: Duration = Duration::from_secs(1);
const CONNECTIONS: usize = 64;
/// How long after a slice its last answers may come.
const PATIENCE: Duration = Duration::from_secs(10);

/// A server under so many refreshes a second, as one side of a comparison of their p99.
#[derive(Debug)]
pub(super) struct OpenLoop<'a> {
    process: &'a Process,
    pool: Arc<Pool>,
    per_second: u32,
}

impl<'a> OpenLoop<'a> {
    /// Opens the connections; `sessions` take turns, none twice at once.
    pub(super) async fn new(authority: &'a Authority, sessions: Vec<Request>) -> Result<Self> {
        Self::at(PER_SECOND, authority, sessions).await
    }

    /// The same at another rate.
    pub(super) async fn at(per_second: u32, authority: &'a Authority, sessions: Vec<Request>) -> Result<Self> {
        // In turn: one that is not used for ten seconds is closed by the server.
        let mut idle = VecDeque::with_capacity(CONNECTIONS);
        for _ in 0..CONNECTIONS {
            idle.push_back(Connection::open(authority.address()).await?);
        }
        let state = State { idle, sessions: sessions.into(), ..State::default() };
        Ok(Self { process: &authority.process, pool: Arc::new(Pool(Mutex::new(state))), per_second })
    }

    /// Begins each refresh when it is due. Busy waiting: the load has its core to itself, and the runtime's timer,
    /// with its whole milliseconds, is too coarse. A yield lets the answers in.
    async fn follow_timetable(&self) {
        let start = Instant::now();
        for at in 0..self.per_second * u32::try_from(SLICE.as_secs()).unwrap_or(1) {
            let due = start + Duration::from_secs(1) * at / self.per_second;
            while Instant::now() < due {
                tokio::task::yield_now().await;
            }
            self.pool.begin(due);
        }
    }

    async fn await_answers(&self) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while self.pool.lock().idle.len() < CONNECTIONS {
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
        self.follow_timetable().await;
        self.await_answers().await?;
        let usage = watch.usage()?;
        let mut state = self.pool.lock();
        let refused = std::mem::take(&mut state.refused);
        let complaint = state.complaint.take();
        let millis = std::mem::take(&mut state.latencies).iter().map(|taken| taken.as_secs_f64() * 1e3).collect();
        drop(state);
        let value = Samples::new(millis)
            .with_context(|| format!("not one refresh succeeded: {}", complaint.as_deref().unwrap_or_default()))?
            .percentile(99);
        Ok(Turn { value, usage, refused, complaint })
    }
}

/// Idle connections, resting sessions, and what is due without either.
#[derive(Debug)]
struct Pool(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    idle: VecDeque<Connection>,
    sessions: VecDeque<Request>,
    backlog: VecDeque<Instant>,
    latencies: Vec<Duration>,
    refused: u64,
    complaint: Option<String>,
    broken: Option<Error>,
}

impl Pool {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a refresh, or queues it if every connection is taken.
    fn begin(self: &Arc<Self>, due: Instant) {
        let mut state = self.lock();
        let Some(connection) = state.idle.pop_front() else {
            state.backlog.push_back(due);
            return;
        };
        drop(state);
        let pool = Arc::clone(self);
        tokio::spawn(async move {
            if let Err(broken) = pool.work(connection, due).await {
                pool.lock().broken = Some(broken);
            }
        });
    }

    /// Refreshes, then whatever has queued up, then puts the connection back.
    async fn work(&self, mut connection: Connection, mut due: Instant) -> Result<()> {
        loop {
            let session = self.lock().sessions.pop_front();
            let mut session = session.context("more connections than sessions")?;
            let step = rotate(&mut connection, &mut session).await?;
            let taken = due.elapsed();
            let mut state = self.lock();
            match step {
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
