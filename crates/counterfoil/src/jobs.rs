//! What is done now and then: removing the dead, forgetting what is past use.

use crate::app::App;
use crate::flow::seal::{self, Sealed};
use crate::flow::{access, delete_account, keys};
use crate::replica;
use crate::store::StoreError;
use crate::store::activity::Count;
use counterfoil_core::activity::{Activity, hour_of};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// How often.
const EVERY: Duration = Duration::from_mins(1);

/// How often the feed is looked after: shorter than any receipt takes at the most.
const FEED_EVERY: Duration = Duration::from_secs(1);

/// How often what has been written to the audit log is sealed.
const SEAL_EVERY: Duration = Duration::from_secs(1);

/// After how many of these rounds it is asked again which replica seals, and for how long one that has asked does.
const ASK_EVERY: u32 = 5;
const SEALS_FOR: Duration = Duration::from_secs(15);

/// How often measured times are folded into their classes. Until then each is kept, and scraping is not the only thing that may do it: a
/// server that nobody scrapes would fill its memory with them.
const FOLD_EVERY: Duration = Duration::from_secs(5);

/// How often what has been counted is kept.
const KEEP_COUNTS_EVERY: Duration = Duration::from_secs(10);

/// Sessions stay this long after their end, so that "why was I signed out?" has an answer.
const KEEP_ENDED: Duration = crate::store::ended::KEPT_FOR;

/// How many rows one transaction looks at, so that nobody waits for it.
const BATCH: u32 = 500;

/// How many such transactions there are in a round: a table of a million sessions is walked once in under an hour.
const BATCHES: u32 = 40;

/// Runs until `stop` resolves.
pub async fn run(app: Arc<App>, stop: impl Future<Output = ()>) {
    let mut stop = std::pin::pin!(stop);
    let mut rounds = tokio::time::interval_at(tokio::time::Instant::now() + EVERY, EVERY);
    let mut feed = tokio::time::interval(FEED_EVERY);
    let mut fold = tokio::time::interval(FOLD_EVERY);
    let (mut settled, mut seen) = (false, u64::MAX);
    loop {
        tokio::select! {
            _ = fold.tick() => app.metrics.run_upkeep(),
            _ = rounds.tick() => once(&app).await,
            _ = feed.tick() => settled = tend_feed(&app, settled, &mut seen).await,
            () = &mut stop => return,
        }
    }
}

/// Seals the audit log until `stop` resolves. One replica does; were there two, the chain would be one all the same.
pub async fn keep_sealed(app: Arc<App>, stop: impl Future<Output = ()>) {
    let mut stop = std::pin::pin!(stop);
    let mut rounds = tokio::time::interval(SEAL_EVERY);
    rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let id = app.replica.as_ref().map(|replica| replica.id);
    let (mut round, mut leads, mut before) = (0, false, Ok(Sealed::All));
    loop {
        tokio::select! {
            _ = rounds.tick() => {}
            () = &mut stop => return,
        }
        if round % ASK_EVERY == 0 {
            leads = replica::leads(app.store.as_ref(), id, app.clock.now(), ("audit_seal", SEALS_FOR)).await;
        }
        round = round.wrapping_add(1);
        if !leads {
            continue;
        }
        let now = seal::seal(&app).await;
        if now != before {
            tell_sealing(now);
        }
        before = now;
    }
}

fn tell_sealing(now: Result<Sealed, StoreError>) {
    metrics::gauge!("counterfoil_audit_chain_refused").set(if now == Ok(Sealed::Refused) { 1.0 } else { 0.0 });
    match now {
        Ok(Sealed::All | Sealed::More) => {}
        Ok(Sealed::Refused) => tracing::error!(
            "the audit log's head is not what this server has sealed, or the log ends before it: somebody has changed the database. \
             Nothing more is sealed; see `counterfoil audit verify`"
        ),
        Err(error) => tracing::warn!(%error, "the audit log cannot be sealed now"),
    }
}

/// Counts how soon revocations are in force everywhere, until `stop` resolves.
pub async fn count_lags(app: Arc<App>, stop: impl Future<Output = ()>) {
    let counts = Mutex::new(BTreeMap::<_, u32>::new());
    let measure = app.feed.measure_lag(|lag| {
        let of = (hour_of(app.clock.now()), Activity::of_revocation(lag));
        *counts.lock().entry(of).or_default() += 1;
    });
    let keep = async {
        let mut rounds = tokio::time::interval(KEEP_COUNTS_EVERY);
        loop {
            rounds.tick().await;
            keep_counts(&app, &counts).await;
        }
    };
    tokio::select! {
        () = measure => {}
        () = keep => {}
        () = stop => {}
    }
    keep_counts(&app, &counts).await;
}

/// Adds them to those in the store. What cannot be kept now is there the next time.
async fn keep_counts(app: &App, counts: &Mutex<BTreeMap<(i64, Activity), u32>>) {
    let taken = std::mem::take(&mut *counts.lock());
    if taken.is_empty() {
        return;
    }
    let new = taken.iter().map(|(&(hour, what), &count)| Count { hour, what, count }).collect();
    if let Err(error) = app.store.count(new, None).await {
        tracing::debug!(%error, "how soon revocations were in force is counted later");
        let mut counts = counts.lock();
        for (of, count) in taken {
            *counts.entry(of).or_default() += count;
        }
    }
}

/// Seals what is left when a server stops, so that nothing lies open until the next start.
pub async fn seal_the_rest(app: &App) {
    match tokio::time::timeout(Duration::from_secs(2), seal::seal(app)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the newest audit entries are sealed after the next start"),
        Err(_) => {
            tracing::warn!("sealing the newest audit entries took too long; they are sealed after the next start");
        }
    }
}

/// Mends a gap in the feed; and once no lease of an earlier, longer `max_staleness` can be alive, has it forgotten, so that
/// the next start need not wait for such leases. Returns whether that has been done.
pub async fn tend_feed(app: &App, settled: bool, seen: &mut u64) -> bool {
    // Replicas follow the log all the time.
    if app.replica.is_none()
        && let Err(error) = access::mend(app, seen).await
    {
        tracing::warn!(%error, "the revocation log cannot be read now");
    }
    if settled || !app.feed.is_alone() {
        return settled;
    }
    match app.store.promise(app.config.revocation.max_staleness.0, true).await {
        Ok(_) => true,
        Err(error) => {
            tracing::warn!(%error, "an earlier max_staleness cannot be forgotten yet");
            false
        }
    }
}

/// One round.
pub async fn once(app: &App) {
    app.hasher.release();
    let risk = Arc::clone(&app.risk);
    if let Err(error) = tokio::task::spawn_blocking(move || risk.reread()).await {
        tracing::warn!(%error, "the files of `[risk]` were not looked at");
    }
    // What is forgotten by a clock that is hours ahead is missed when it has been put right.
    if app.replica.as_ref().is_some_and(|replica| !replica.clock_is_right()) {
        tracing::warn!("nothing is forgotten while this machine's clock and the store's are at odds");
        return;
    }
    let now = app.clock.now();
    app.revocations().write().forget_before(now);
    app.feed.forget(now);
    app.limiter.sweep(now);
    let id = app.replica.as_ref().map(|replica| replica.id);
    if !replica::leads(app.store.as_ref(), id, now, ("housekeeping", EVERY * 3)).await {
        return;
    }
    if let Some(shared) = app.store.shared()
        && let Err(error) = shared.tidy(now).await
    {
        tracing::warn!(%error, "tidying up has to wait");
    }
    if let Err(error) = keys::tend(app).await {
        tracing::warn!(%error, "the keys cannot be looked after now");
    }
    if let Err(error) = seal::shorten(app).await {
        tracing::warn!(%error, "shortening the audit log has to wait");
    }
    if let Err(error) = delete_account::finish(app).await {
        tracing::warn!(%error, "erasing what deleted accounts have left has to wait");
    }
    for _ in 0..BATCHES {
        match app.store.purge(now.minus(KEEP_ENDED), BATCH).await {
            Ok(purged) => {
                metrics::counter!("counterfoil_purged_rows_total").increment(u64::from(purged.removed));
                if purged.at_end {
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(%error, "purging has to wait");
                return;
            }
        }
    }
}
