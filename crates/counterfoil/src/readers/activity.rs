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
    let mut place = None;
    loop {
        match once(source, &mut place).await {
            Ok(true) => {}
            Ok(false) => tokio::time::sleep(EVERY).await,
            Err(error) => {
                tracing::debug!(%error, "the audit log cannot be counted now");
                tokio::time::sleep(EVERY).await;
            }
        }
    }
}

/// Counts the next page after `place`, which is looked up where it is not known; whether there may be more.
async fn once(source: &Source, place: &mut Option<i64>) -> Result<bool, StoreError> {
    let from = match *place {
        Some(from) => from,
        None => source.store.counted_to().await?,
    };
    let page = source.store.following(from, PAGE).await?;
    let Some((to, _)) = page.last() else {
        *place = Some(from);
        return Ok(false);
    };
    let mut counts = BTreeMap::<_, u32>::new();
    for (_, entry) in &page {
        if let Some(what) = Activity::of(entry) {
            *counts.entry((hour_of(entry.at), what)).or_default() += 1;
        }
    }
    let counts = counts.into_iter().map(|((hour, what), count)| Count { hour, what, count }).collect();
    // Where another replica has come in between, or it is not known whether this was kept, the place is looked up again.
    *place = None;
    if source.store.count(counts, Some((from, *to))).await? {
        *place = Some(*to);
    }
    Ok(page.len() == PAGE as usize)
}
