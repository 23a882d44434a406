//! Moves what the write-ahead log holds into the database, on a thread and a connection of its own, so that nobody's
//! commit waits for it. Only the last few pages are left to the writer, because the log can begin anew only at a moment
//! when nothing in it is left to move.

use parking_lot::Mutex;
use rusqlite::Connection;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

/// How many jobs must have been committed before anything is moved into a large database...
const LITTLE: u32 = 16;

/// ...and with a pause like this between two rounds: each moves little, because whoever commits meanwhile shares the disk
/// with it. Random pages cost the same whether they are moved one by one or together.
const PAUSE: Duration = Duration::from_millis(15);

/// A database of at most so many pages is not large: the same pages are written over and over, and whoever moves them
/// seldom moves most of what was written not at all.
const SMALL: i64 = 4096;

/// How many jobs must have been committed before anything is moved into a small database.
const MUCH: u32 = 4096;

/// How many pages the log may have before it is to begin anew: 16 MiB.
const LONG: i64 = 16 * 1024 * 1024 / super::PAGE_SIZE as i64;

/// How many pages the writer may be asked to move, which takes it about as long as a commit.
const FEW: i64 = 256;

/// How many rounds may try to get down to [`FEW`] before the writer is asked anyway: work comes in faster than it can be
/// moved, and must be slowed down.
const ROUNDS: u32 = 16;

/// The way to the thread.
#[derive(Debug)]
pub(super) struct Checkpointer {
    signals: Arc<Signals>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the writer and the thread tell each other.
#[derive(Debug, Default)]
struct Signals {
    committed: AtomicU32,
    /// After how many committed jobs the thread is to be woken.
    enough: AtomicU32,
    /// The writer is asked to move the rest.
    finish: AtomicBool,
    stop: AtomicBool,
}

/// The writer's end.
#[derive(Debug)]
pub(super) struct Bell {
    signals: Arc<Signals>,
    thread: Thread,
}

impl Checkpointer {
    pub(super) fn start(connection: Connection) -> std::io::Result<(Self, Bell)> {
        let signals = Arc::<Signals>::default();
        signals.enough.store(enough(&connection), Ordering::Release);
        let theirs = Arc::clone(&signals);
        let thread = std::thread::Builder::new().name("checkpoint".into()).spawn(move || run(&connection, &theirs))?;
        let bell = Bell { signals: Arc::clone(&signals), thread: thread.thread().clone() };
        Ok((Self { signals, thread: Mutex::new(Some(thread)) }, bell))
    }

    /// Ends the thread and closes its connection; the writer's must be the last to close.
    pub(super) fn stop(&self) {
        self.signals.stop.store(true, Ordering::Release);
        if let Some(thread) = self.thread.lock().take() {
            thread.thread().unpark();
            if thread.join().is_err() {
                tracing::error!("the checkpoint thread did not end cleanly");
            }
        }
    }
}

impl Bell {
    /// After a commit of so many jobs.
    pub(super) fn committed(&self, jobs: usize, connection: &Connection) {
        if self.signals.finish.swap(false, Ordering::AcqRel)
            && let Err(error) = checkpoint(connection)
        {
            not_moved(&error);
        }
        let jobs = u32::try_from(jobs).unwrap_or(MUCH);
        if self.signals.committed.fetch_add(jobs, Ordering::AcqRel) + jobs
            >= self.signals.enough.load(Ordering::Acquire)
        {
            self.thread.unpark();
        }
    }
}

fn run(connection: &Connection, signals: &Signals) {
    let mut rounds = 0;
    while !signals.stop.load(Ordering::Acquire) {
        if signals.committed.load(Ordering::Acquire) < signals.enough.load(Ordering::Acquire) {
            std::thread::park();
            continue;
        }
        signals.committed.store(0, Ordering::Release);
        match checkpoint(connection) {
            Ok(Log { pages, moved }) if pages > LONG => {
                rounds += 1;
                if pages - moved <= FEW || rounds >= ROUNDS {
                    rounds = 0;
                    signals.finish.store(true, Ordering::Release);
                }
            }
            Ok(_) => rounds = 0,
            Err(error) => not_moved(&error),
        }
        signals.enough.store(enough(connection), Ordering::Release);
        std::thread::sleep(PAUSE);
    }
}

fn enough(connection: &Connection) -> u32 {
    match connection.pragma_query_value(None, "page_count", |row| row.get::<_, i64>(0)) {
        Ok(pages) if pages > SMALL => LITTLE,
        _ => MUCH,
    }
}

/// Nothing is lost: the log only grows. A disk that is full shows in the writer's own errors too.
fn not_moved(error: &rusqlite::Error) {
    tracing::warn!(%error, "the write-ahead log could not be moved into the database");
}

/// How long the log is, and how much of it has been moved.
struct Log {
    pages: i64,
    moved: i64,
}

/// Moves what nobody reads any more, and waits for nobody (`PASSIVE`).
fn checkpoint(connection: &Connection) -> rusqlite::Result<Log> {
    connection
        .prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")?
        .query_row([], |row| Ok(Log { pages: row.get(1)?, moved: row.get(2)? }))
}

#[cfg(test)]
mod tests {
    use super::super::{SqliteStore, Synchronous};
    use crate::store::{Audit as _, Store as _};
    use counterfoil_core::Timestamp;
    use counterfoil_core::audit::{Actor, AuditEntry, Event};
    use std::sync::Arc;

    /// 70 MB of entries go through a log that is to begin anew at 16 MiB.
    #[tokio::test]
    async fn the_log_begins_anew_and_nothing_is_lost() {
        const ENTRIES: usize = 14_000;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("counterfoil.db");
        let store = Arc::new(SqliteStore::open(&path, Synchronous::Full).expect("a store"));
        for _ in 0..ENTRIES / 200 {
            let mut group = tokio::task::JoinSet::new();
            for _ in 0..200 {
                let store = Arc::clone(&store);
                group.spawn(async move { store.append(entry()).await });
            }
            assert!(group.join_all().await.into_iter().all(|appended| appended.is_ok()));
        }
        let log = std::fs::metadata(folder.path().join("counterfoil.db-wal")).expect("a log").len();
        assert!(log < 48 << 20, "{log} bytes");
        store.close().await;
        let store = SqliteStore::open(&path, Synchronous::Full).expect("the store again");
        let (mut before, mut counted) = (None, 0);
        loop {
            let page = store.page(before, 1000).await.expect("a page");
            let Some((last, _)) = page.last() else { break };
            (before, counted) = (Some(*last), counted + page.len());
        }
        assert_eq!(counted, ENTRIES);
    }

    fn entry() -> AuditEntry {
        AuditEntry {
            at: Timestamp::from_seconds(1_800_000_000),
            event: Event::SignedIn,
            actor: Actor::System,
            user: None,
            sid: None,
            network: String::new(),
            detail: "x".repeat(5000),
        }
    }
}
