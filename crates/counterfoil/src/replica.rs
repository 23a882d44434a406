//! One of several processes that share a store: it gives signs of life, follows what the others do, and leads what only one may
//! do. All are equal; what one holds alone may be lost.

use crate::app::App;
use crate::clock::{StoreClock, random};
use crate::feed::Look;
use crate::store::{Beat, Beaten, ReplicaId, Store, StoreError};
use counterfoil_core::Timestamp;
use counterfoil_core::feed::Peer;
use counterfoil_guard::Tick;
use parking_lot::Mutex;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// How far this machine's clock may be from the store's.
pub const MOST_CLOCK_ERROR: Duration = Duration::from_secs(2);

/// Which of the processes this is.
pub struct Replica {
    /// Random, and new at every start: whatever an earlier process granted stands under its own name.
    pub id: ReplicaId,
    /// What people call it.
    pub name: String,
    clock: Arc<StoreClock>,
    known: Mutex<Known>,
}

/// What the last look has brought.
struct Known {
    keys: i64,
    parties: i64,
    floor: Option<u64>,
}

impl Replica {
    /// With the store's clock, which its looks keep right.
    pub fn new(clock: Arc<StoreClock>) -> Self {
        let host = rustix::system::uname();
        let name = format!("{}/{}", host.nodename().to_string_lossy(), std::process::id());
        // No count of changes is below zero: everything is read at the first look.
        let known = Mutex::new(Known { keys: -1, parties: -1, floor: None });
        Self { id: ReplicaId(random()), name, clock, known }
    }

    /// By how much this machine's clock is ahead of the store's, in milliseconds.
    pub fn clock_error(&self) -> i64 {
        self.clock.error()
    }

    /// Whether this machine's clock can be relied on. Decisions go by the store's, but whoever set this one wrong has set others'.
    pub fn clock_is_right(&self) -> bool {
        Duration::from_millis(self.clock_error().unsigned_abs()) <= MOST_CLOCK_ERROR
    }
}

/// Follows the others until `stop` resolves. With `grants_leases`, others wait for this one's guards.
pub async fn run(app: Arc<App>, grants_leases: bool, stop: impl Future<Output = ()>) {
    let (Some(shared), Some(replica)) = (app.store.shared(), &app.replica) else { return };
    let every =
        (app.config.revocation.max_staleness.0 / 20).clamp(Duration::from_millis(50), Duration::from_millis(500));
    let (mut news, mut progress) = (shared.news(), app.feed.progress());
    let (mut stop, mut well) = (std::pin::pin!(stop), true);
    loop {
        news.borrow_and_update();
        progress.borrow_and_update();
        let beaten = beat(&app, grants_leases).await;
        match &beaten {
            Ok(_) if !well => tracing::info!("the store can be followed again"),
            Err(error) if well => tracing::warn!(%error, "the store cannot be followed now; trying on"),
            _ => {}
        }
        well = beaten.is_ok();
        if let Ok(false) = beaten {
            continue;
        }
        let published = replica.known.lock().floor;
        tokio::select! {
            () = &mut stop => return,
            () = tokio::time::sleep(every) => {}
            _ = news.changed() => {}
            () = floor_beyond(&app, published, &mut progress), if grants_leases && well => {}
        }
    }
}

/// Resolves when verifiers have taken in what the others do not know of yet.
async fn floor_beyond(app: &App, published: Option<u64>, progress: &mut watch::Receiver<u64>) {
    while app.feed.floor() <= published {
        // The sender lives as long as the feed does.
        drop(progress.changed().await);
    }
}

/// A sign of life, and a look at what has happened. Returns whether all of it has been seen.
pub async fn beat(app: &App, grants_leases: bool) -> Result<bool, StoreError> {
    let (Some(shared), Some(replica)) = (app.store.shared(), &app.replica) else { return Ok(true) };
    let (floor, after) = (app.feed.floor(), app.feed.head());
    let beat = Beat {
        id: replica.id,
        name: replica.name.clone(),
        grants_leases,
        floor,
        max_staleness: app.config.revocation.max_staleness.0,
        verifiers: u32::try_from(app.feed.verifiers().len()).unwrap_or(u32::MAX),
        after,
    };
    // Before anything is read: what is granted on this reading is granted from here.
    let began = app.clock.tick();
    // No longer than a guard waits for it.
    let within = app.config.revocation.max_staleness.0.min(Duration::from_secs(3));
    let beaten = shared.beat(beat, within).await?;
    let ended = app.clock.tick();
    replica.clock.learn(beaten.now, (began, ended));
    replica.known.lock().floor = floor;
    take_in(app, replica, (&beaten, after), (began, ended)).await?;
    for (id, beat) in app.feed.gone() {
        tracing::info!("a replica has not been heard of for so long that none of its leases is alive; it is taken out");
        shared.take_out(ReplicaId(id), beat).await?;
    }
    Ok(app.feed.head() >= beaten.head)
}

/// The keys first: guards are told of a revoked key together with the key set that has others.
async fn take_in(
    app: &App,
    replica: &Replica,
    (beaten, after): (&Beaten, u64),
    span: (Tick, Tick),
) -> Result<(), StoreError> {
    // A log that has lost entries which are known here is another one: what is added to it now would be taken for them.
    if beaten.log != app.feed.log() || beaten.head < after {
        tracing::error!("the store has gone back to an older state under a running server; restart it");
        return Err(StoreError::Unavailable);
    }
    let (keys, parties) = {
        let known = replica.known.lock();
        (known.keys, known.parties)
    };
    if beaten.keys != keys {
        app.keys.reload(app.store.as_ref()).await?;
        replica.known.lock().keys = beaten.keys;
        app.feed.wake();
    }
    if beaten.parties != parties {
        app.parties.reload(app.store.as_ref()).await?;
        replica.known.lock().parties = beaten.parties;
    }
    let peers: Vec<Peer> = beaten.peers.iter().map(peer).collect();
    let look = Look { span, entries: &beaten.entries, head: beaten.head, peers: &peers, promised: beaten.promised };
    app.in_force().follow(&look);
    let all_read = beaten.entries.last().is_none_or(|entry| entry.seq >= beaten.head);
    if all_read && app.feed.head() < beaten.head {
        tracing::warn!("entries of the revocation log are missing in between; reading it anew");
        let log = app.store.log(app.clock.now()).await?;
        app.in_force().replace(log);
    }
    Ok(())
}

fn peer(peer: &crate::store::Peer) -> Peer {
    let crate::store::Peer { id, beat, floor, max_staleness, verifiers, .. } = *peer;
    Peer { id: id.0, beat, floor, max_staleness, verifiers }
}

/// Whether this process is the one that does a job for the next while. Where it is alone it always is.
pub async fn leads(store: &dyn Store, id: Option<ReplicaId>, now: Timestamp, (job, span): (&str, Duration)) -> bool {
    let (Some(shared), Some(id)) = (store.shared(), id) else { return true };
    let leads = shared.lead(job, id, now, now.plus(span)).await.unwrap_or_else(|error| {
        tracing::warn!(%error, job, "nobody knows who does this job now");
        false
    });
    metrics::gauge!("counterfoil_task_leader", "task" => job.to_owned()).set(if leads { 1.0 } else { 0.0 });
    leads
}
