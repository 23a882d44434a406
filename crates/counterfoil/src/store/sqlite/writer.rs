//! The one writer, with group commit: whatever waits is done in one transaction, one wait for the disk, and only then is
//! anybody told. Durability costs the same for one as for a hundred.
//!
//! Look-ups on the refresh path are done here too, before the writes of the same round and therefore on committed rows: the
//! writer's page cache is always current, while every other connection's is void after every commit.

use crate::store::StoreError;
use parking_lot::Mutex;
use rusqlite::{Connection, ErrorCode};
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};

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

/// Looks something up and returns how to tell whoever asked.
type Lookup = Box<dyn FnOnce(&Connection) -> Tell + Send>;
type Tell = Box<dyn FnOnce() + Send>;

/// What waits for the writer.
enum Work {
    Write(Job),
    Lookup(Lookup),
}

/// The way to the writer's thread.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Mutex<Option<mpsc::Sender<Work>>>,
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
    pub(super) fn start(connection: Connection) -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let told = teller();
        let thread =
            std::thread::Builder::new().name("store".into()).spawn(move || run(connection, receiver, &told))?;
        Ok(Self { queue: Mutex::new(Some(sender)), thread: Mutex::new(Some(thread)) })
    }

    /// Runs `body` in a transaction and answers when that has been committed. If the body fails, what it did is undone
    /// and the others in the transaction are not touched.
    pub(super) async fn write<T, F>(&self, body: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        self.submit(move |connection| in_savepoint(connection, body)).await
    }

    /// As [`Writer::write`] for a body of one statement, which is atomic by itself.
    pub(super) async fn write_one<T, F>(&self, body: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.submit(move |connection| body(connection).map_err(Failure::Sqlite)).await
    }

    /// Reads committed rows on the writer's own connection.
    pub(super) async fn look_up<T, F>(&self, body: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Failure> + Send + 'static,
    {
        let (answer, answered) = oneshot::channel();
        self.enqueue(Work::Lookup(Box::new(move |connection| {
            let found = body(connection).map_err(StoreError::from);
            Box::new(move || drop(answer.send(found)))
        })))?;
        answered.await.map_err(|_| StoreError::Unavailable)?
    }

    async fn submit<T, F>(&self, body: F) -> Result<T, StoreError>
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
        self.enqueue(Work::Write(job))?;
        answered.await.map_err(|_| StoreError::Unavailable)?
    }

    fn enqueue(&self, work: Work) -> Result<(), StoreError> {
        let queue = self.queue.lock();
        queue.as_ref().ok_or(StoreError::Unavailable)?.try_send(work).map_err(|refused| match refused {
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
fn teller() -> Box<dyn Fn(Vec<Tell>) + Send> {
    let Ok(runtime) = tokio::runtime::Handle::try_current() else {
        return Box::new(tell_all);
    };
    let (sender, mut receiver) = mpsc::unbounded_channel::<Vec<Tell>>();
    runtime.spawn(async move {
        while let Some(all) = receiver.recv().await {
            tell_all(all);
        }
    });
    Box::new(move |all| {
        // The runtime is being torn down: nobody waits any more.
        drop(sender.send(all));
    })
}

fn tell_all(all: Vec<Tell>) {
    for tell in all {
        tell();
    }
}

fn run(connection: Connection, mut queue: mpsc::Receiver<Work>, told: &dyn Fn(Vec<Tell>)) {
    let (mut lookups, mut writes, mut delivered) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(first) = queue.blocking_recv() {
        gather(first, &mut queue, &mut lookups, &mut writes);
        if !lookups.is_empty() {
            told(look_up(&connection, &mut lookups));
        }
        if writes.is_empty() {
            continue;
        }
        let committed = group(&connection, &mut writes, &mut delivered);
        let outcome = committed.as_ref().copied().map_err(unavailable);
        told(delivered.drain(..).map(|deliver| -> Tell { Box::new(move || deliver(outcome)) }).collect());
        if let Err(error) = committed {
            roll_back(&connection);
            if after_this_nothing_is_certain(&error) {
                // What the kernel dropped after a failed fsync cannot be told from what it kept: refuse all further
                // work. The readiness check fails, and a restart reads what is really on the disk.
                tracing::error!("writing to the disk failed; no further writes until a restart");
                return;
            }
        }
    }
    if let Err((_, error)) = connection.close() {
        tracing::warn!(%error, "the database did not close cleanly");
    }
}

/// Takes what waits, and what comes while others are offered the processor.
fn gather(first: Work, queue: &mut mpsc::Receiver<Work>, lookups: &mut Vec<Lookup>, writes: &mut Vec<Job>) {
    let mut next = Some(first);
    for _ in 0..OFFERS {
        let before = lookups.len() + writes.len();
        while let Some(work) = next {
            match work {
                Work::Lookup(lookup) => lookups.push(lookup),
                Work::Write(job) => writes.push(job),
            }
            next = if lookups.len() + writes.len() < GROUP { queue.try_recv().ok() } else { None };
        }
        if lookups.len() + writes.len() == before {
            return;
        }
        std::thread::yield_now();
        next = queue.try_recv().ok();
    }
    if let Some(work) = next {
        match work {
            Work::Lookup(lookup) => lookups.push(lookup),
            Work::Write(job) => writes.push(job),
        }
    }
}

/// All look-ups in one read transaction, so that its locks are taken once.
fn look_up(connection: &Connection, lookups: &mut Vec<Lookup>) -> Vec<Tell> {
    let many = lookups.len() > 1 && execute(connection, "BEGIN").is_ok();
    let told = lookups.drain(..).map(|lookup| lookup(connection)).collect();
    if many && let Err(error) = execute(connection, "COMMIT") {
        tracing::warn!(%error, "a read transaction did not end cleanly");
        roll_back(connection);
    }
    told
}

/// All writes in one transaction. What is to be told, and to whom, is in `delivered` when this returns, whatever it returns.
fn group(connection: &Connection, writes: &mut Vec<Job>, delivered: &mut Vec<Deliver>) -> rusqlite::Result<()> {
    if let Err(error) = execute(connection, "BEGIN IMMEDIATE") {
        delivered.extend(writes.drain(..).map(|job| job(None)));
        return Err(error);
    }
    delivered.extend(writes.drain(..).map(|job| job(Some(connection))));
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
