//! Where refreshes travel: whatever waits goes together, one round trip to load, one to commit, one wait for the disk. Durability
//! costs the same for one as for a hundred, and so does the way to the database.

use super::connect::{Connection, Connector};
use super::refresh;
use super::transact::{Failure, Retries, in_time};
use crate::store::{Refreshed, Rule, Seen, StoreError};
use counterfoil_core::session::Handle;
use parking_lot::Mutex;
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

/// How many lanes there are: while one waits for the disk, the other loads. More make the groups smaller, and so every refresh dearer:
/// measured, four do three quarters of what two do.
pub(super) const LANES: usize = 2;

/// How much may wait; beyond it the store says that it is overloaded.
const QUEUE: usize = 4096;

/// How much goes together at the most.
const GROUP: usize = 256;

/// A refresh that waits for its answer.
pub(super) struct Job {
    pub(super) handle: Handle,
    pub(super) rule: Rule,
    pub(super) seen: Seen,
    pub(super) answer: oneshot::Sender<Result<Option<Refreshed>, StoreError>>,
}

impl Job {
    /// Nobody waiting any more is fine: the work is done, and durable, all the same.
    pub(super) fn answer(self, answer: Result<Option<Refreshed>, StoreError>) {
        drop(self.answer.send(answer));
    }
}

/// The lanes.
#[derive(Debug)]
pub(super) struct Lanes {
    queue: Mutex<Option<mpsc::Sender<Job>>>,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

type Waiting = Arc<tokio::sync::Mutex<mpsc::Receiver<Job>>>;

impl Lanes {
    pub(super) fn start(connector: &Connector) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let waiting = Arc::new(tokio::sync::Mutex::new(receiver));
        let tasks = (0..LANES).map(|_| tokio::spawn(keep_driving(connector.clone(), Arc::clone(&waiting))));
        Self { queue: Mutex::new(Some(sender)), tasks: Mutex::new(tasks.collect()) }
    }

    pub(super) async fn refresh(
        &self,
        handle: Handle,
        rule: Rule,
        seen: Seen,
    ) -> Result<Option<Refreshed>, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job = Job { handle, rule, seen, answer };
        let sent = self.queue.lock().as_ref().ok_or(StoreError::Unavailable)?.try_send(job);
        sent.map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => StoreError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => StoreError::Unavailable,
        })?;
        answered.await.map_err(|_| StoreError::Unavailable)?
    }

    /// Lets the queue run dry.
    pub(super) async fn stop(&self) {
        drop(self.queue.lock().take());
        let tasks = std::mem::take(&mut *self.tasks.lock());
        for task in tasks {
            if task.await.is_err() {
                tracing::error!("a lane did not end cleanly");
            }
        }
    }
}

/// A rule that panics takes its own group down and not the lane.
async fn keep_driving(connector: Connector, waiting: Waiting) {
    while tokio::spawn(drive(connector.clone(), Arc::clone(&waiting))).await.is_err() {
        tracing::error!("a lane broke down; going on with a new one");
    }
}

async fn drive(connector: Connector, waiting: Waiting) {
    let mut jobs = Vec::with_capacity(GROUP);
    let mut connection = None;
    while waiting.lock().await.recv_many(&mut jobs, GROUP).await > 0 {
        let mut retries = Retries::default();
        while !jobs.is_empty() {
            let outcome = in_time(connector.hosts(), Box::pin(round(&connector, &mut connection, &mut jobs))).await;
            let Err(failure) = outcome else { continue };
            // What was under way on it is not known.
            connection = None;
            // A refresh that may have been done can be tried again: the rule then sees what its own token has been rotated
            // into, and repeats it, as when the client tries again.
            let failure = match failure {
                Failure::Unknown(error) => Failure::NotDone(error),
                other => other,
            };
            if let Err(error) = retries.after(failure).await {
                jobs.drain(..).for_each(|job| job.answer(Err(error)));
            }
        }
    }
}

/// Leaves those in `jobs` that have to be decided again.
async fn round(connector: &Connector, connection: &mut Option<Connection>, jobs: &mut Vec<Job>) -> Result<(), Failure> {
    if !connection.as_ref().is_some_and(Connection::is_usable) {
        *connection = None;
    }
    let connection = match connection {
        Some(connection) => connection,
        None => connection.insert(connector.connect(None).await?),
    };
    refresh::together(connection, jobs).await
}
