//! What is done now and then: removing the dead, forgetting what is past use.

use crate::app::App;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

/// How often.
const EVERY: Duration = Duration::from_mins(1);

/// Sessions stay this long after their end, so that "why was I signed out?" has an answer.
const KEEP_ENDED: Duration = Duration::from_hours(168);

/// How many rows one transaction looks at, so that nobody waits for it.
const BATCH: u32 = 500;

/// How many such transactions there are in a round: a table of a million sessions is walked once in under an hour.
const BATCHES: u32 = 40;

/// Runs until `stop` resolves.
pub async fn run(app: Arc<App>, stop: impl Future<Output = ()>) {
    let mut stop = std::pin::pin!(stop);
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => once(&app).await,
            () = &mut stop => return,
        }
    }
}

/// One round.
pub async fn once(app: &App) {
    let now = app.clock.now();
    app.revocations().write().forget_before(now);
    app.limiter.sweep(now);
    app.hasher.release();
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
