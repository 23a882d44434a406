//! Counts what the audit log says, hour by hour, for the charts of the administration. Each entry counts once: the counts and the place up
//! to which they go are one commit.

use super::Source;
use crate::store::StoreError;
use crate::store::activity::{Count, PLACE};
use counterfoil_core::activity::{Activity, hour_of};
use std::collections::BTreeMap;
use std::time::Duration;

/// How many entries are read at a time.
const PAGE: u32 = 1_000;

/// How often it is looked for more: charts of hours are no hurry.
const EVERY: Duration = Duration::from_secs(5);

/// Which of the jobs this is that one replica does.
pub(super) const JOB: &str = PLACE;

/// Never ends by itself.
pub(super) async fn run(source: &Source) {
    loop {
        match once(source).await {
            Ok(true) => {}
            Ok(false) => tokio::time::sleep(EVERY).await,
            Err(error) => {
                tracing::debug!(%error, "the audit log cannot be counted now");
                tokio::time::sleep(EVERY).await;
            }
        }
    }
}

/// Counts the next page; whether there may be more.
async fn once(source: &Source) -> Result<bool, StoreError> {
    let from = source.store.counted_to().await?;
    let page = source.store.following(from, PAGE).await?;
    let Some((to, _)) = page.last() else { return Ok(false) };
    let mut counts = BTreeMap::<_, u32>::new();
    for (_, entry) in &page {
        if let Some(what) = Activity::of(entry) {
            *counts.entry((hour_of(entry.at), what)).or_default() += 1;
        }
    }
    let counts = counts.into_iter().map(|((hour, what), count)| Count { hour, what, count }).collect();
    // Where another replica has come in between, it has counted these.
    source.store.count(counts, Some((from, *to))).await?;
    Ok(page.len() == PAGE as usize)
}
