//! The one writer, with group commit: whatever waits is done in one transaction, one wait for the disk, and only then is
//! anybody told. Durability costs the same for one as for a hundred.

use super::checkpoint::Bell;
use super::revoked::RevokedLog;
use crate::store::StoreError;
use crate::telemetry::{function_of, span};
use parking_lot::Mutex;
use rusqlite::{Connection, ErrorCode};
use std::any::type_name;
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};
use tracing::Instrument as _;

/// How much work may wait; beyond it the store says that it is overloaded.
const QUEUE: usize = 4096;

/// How much goes into one transaction at the most.
const GROUP: usize = 256;

/// How often, before a transaction, the processor is offered to whoever may have more work for it. On an idle machine that
/// costs nothing; on a busy one it turns many small groups, each with its own wait for the disk, into few large ones.
const OFFERS: u32 = 4;

/// Does its part of the transaction and returns what to do when the transaction's fate is known. Without a connection
/// (no transaction could be begun) it does nothing and fails.
type Job = Box<dyn FnOnce(Option<&Connection>) -> Deliver + Send>;
type Deliver = Box<dyn FnOnce(Result<(), StoreError>) + Send>;

/// A transaction's fate, and whom to tell.
struct Told {
    outcome: Result<(), StoreError>,
    everybody: Vec<Deliver>,
}

/// The way to the writer's thread.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Mutex<Option<mpsc::Sender<Job>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What a job's body may fail with: the engine, or a row that cannot be.
#[derive(Debug)]
pub(super) enum Failure {
    /// SQLite failed.
    Sqlite(rusqlite::Error),
    /// A row is corrupt.
    Store(StoreError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Sqlite(error) => unavailable(&error),
            Failure::Store(error) => error,
        }
    }
}

/// Logs what SQLite said, here and nowhere else, and turns it into what a caller can act on.
pub(super) fn unavailable(error: &rusqlite::Error) -> StoreError {
    tracing::error!(%error, "the store failed");
    StoreError::Unavailable
}

impl Writer {
    pub(super) fn start(connection: Connection, bell: Bell, revoked: RevokedLog) -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let told = teller();
        let thread = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || run((connection, revoked), receiver, &bell, &told))?;
        Ok(Self { queue: Mutex::new(Some(sender)), thread: Mutex::new(Some(thread)) })
    }

    /// Runs `body` in a transaction and answers when that has been committed. If the body fails, what it did is undone
    /// and the others in the transaction are not touched.
    pub(super) async fn write<T, F>(&self, body: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        self.submit(move |connection| in_savepoint(connection, body), type_name::<F>()).await
    }

    /// As [`Writer::write`] for a body that changes something in its last statement only, and so needs no undoing.
    pub(super) async fn write_one<T, F>(&self, body: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        self.submit(body, type_name::<F>()).await
    }

    /// `asked` is the type of the closure that was handed in: in a trace the wait is named after the function it stands in.
    async fn submit<T, F>(&self, body: F, asked: &'static str) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let outcome = match connection {
                Some(connection) => body(connection).map_err(StoreError::from),
                None => Err(StoreError::Unavailable),
            };
            Box::new(move |committed| {
                // Nobody waiting any more is fine: the work is done, and durable, all the same.
                drop(answer.send(committed.and(outcome)));
            })
        });
        let span = span!("sqlite", otel.name = function_of(asked), db.system.name = "sqlite");
        self.enqueue(job)?;
        answered.instrument(span).await.map_err(|_| StoreError::Unavailable)?
    }

    fn enqueue(&self, job: Job) -> Result<(), StoreError> {
        let queue = self.queue.lock();
        queue.as_ref().ok_or(StoreError::Unavailable)?.try_send(job).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => StoreError::Overloaded,
            mpsc::error::TrySendError::Closed(_) => StoreError::Unavailable,
        })
    }

    /// Lets the queue run dry and ends the thread.
    pub(super) async fn stop(&self) {
        drop(self.queue.lock().take());
        let thread = self.thread.lock().take();
        if let Some(thread) = thread {
            let joined = tokio::task::spawn_blocking(move || thread.join()).await;
            if !matches!(joined, Ok(Ok(()))) {
                tracing::error!("the store's writer did not end cleanly");
            }
        }
    }
}

fn in_savepoint<T>(
    connection: &Connection,
    body: impl FnOnce(&Connection) -> Result<T, Failure>,
) -> Result<T, Failure> {
    execute(connection, "SAVEPOINT job")?;
    let outcome = body(connection);
    // A severe error (disk full, I/O) has rolled everything back already; then there is no savepoint any more.
    if outcome.is_err() && !connection.is_autocommit() {
        execute(connection, "ROLLBACK TO job")?;
    }
    if !connection.is_autocommit() {
        execute(connection, "RELEASE job")?;
    }
    outcome
}

/// Tells from within the runtime, a whole group at a time: waking one task there and letting it wake the others is far
/// cheaper than waking each from outside. Without a runtime the writer tells by itself.
fn teller() -> Box<dyn Fn(Told) + Send> {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        return Box::new(tell);
    };
    let (sender, mut receiver) = mpsc::unbounded_channel();
    runtime.spawn(async move {
        while let Some(told) = receiver.recv().await {
            tell(told);
        }
    });
    Box::new(move |told| {
        // The runtime is being torn down: nobody waits any more.
        drop(sender.send(told));
    })
}

fn tell(told: Told) {
    for deliver in told.everybody {
        deliver(told.outcome);
    }
}

fn run(
    (connection, mut revoked): (Connection, RevokedLog),
    mut queue: mpsc::Receiver<Job>,
    bell: &Bell,
    told: &dyn Fn(Told),
) {
    let mut jobs = Vec::new();
    while let Some(first) = queue.blocking_recv() {
        gather(first, &mut queue, &mut jobs);
        let mut everybody = Vec::with_capacity(jobs.len());
        let size = jobs.len();
        let committed = group(&connection, &mut jobs, &mut everybody);
        let outcome = match &committed {
            Ok(()) => revoked.follow(&connection).map_err(StoreError::from),
            Err(error) => Err(unavailable(error)),
        };
        told(Told { outcome, everybody });
        let Err(error) = committed else {
            bell.committed(size, &connection);
            continue;
        };
        roll_back(&connection);
        if after_this_nothing_is_certain(&error) {
            // What the kernel dropped after a failed fsync cannot be told from what it kept: refuse all further
            // work. The readiness check fails, and a restart reads what is really on the disk.
            tracing::error!("writing to the disk failed; no further writes until a restart");
            return;
        }
    }
    if let Err((_, error)) = connection.close() {
        tracing::warn!(%error, "the database did not close cleanly");
    }
}

/// Takes what waits, and what comes while others are offered the processor.
fn gather(first: Job, queue: &mut mpsc::Receiver<Job>, jobs: &mut Vec<Job>) {
    jobs.push(first);
    for offered in 0..=OFFERS {
        let before = jobs.len();
        while jobs.len() < GROUP
            && let Ok(job) = queue.try_recv()
        {
            jobs.push(job);
        }
        if offered == OFFERS || (offered > 0 && jobs.len() == before) {
            return;
        }
        std::thread::yield_now();
    }
}

/// All jobs in one transaction. Whom to tell is in `everybody` when this returns, whatever it returns.
fn group(connection: &Connection, jobs: &mut Vec<Job>, everybody: &mut Vec<Deliver>) -> rusqlite::Result<()> {
    if let Err(error) = execute(connection, "BEGIN IMMEDIATE") {
        everybody.extend(jobs.drain(..).map(|job| job(None)));
        return Err(error);
    }
    everybody.extend(jobs.drain(..).map(|job| job(Some(connection))));
    if connection.is_autocommit() {
        return Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_ABORT_ROLLBACK),
            Some("the transaction was rolled back by an earlier error".into()),
        ));
    }
    execute(connection, "COMMIT")
}

fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(|_| ())
}

fn roll_back(connection: &Connection) {
    if !connection.is_autocommit()
        && let Err(error) = connection.execute_batch("ROLLBACK")
    {
        tracing::error!(%error, "rolling back failed");
    }
}

fn after_this_nothing_is_certain(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt))
}
