//! The audit log's upkeep: sealing what has been committed, shortening it at its old end, erasing what is personal. Writers hash nothing
//! and wait for none of this. Whoever does it, and however many do it at once: the head moves from one place once.

use crate::app::App;
use crate::clock::random;
use crate::config::Retention;
use crate::readers;
use crate::store::StoreError;
use counterfoil_core::UserId;
use counterfoil_core::audit_chain::{self, BATCH};

/// How many batches one round takes at the most.
const BATCHES: u32 = 20;

/// How many entries' networks are erased in one transaction.
const ERASED: u32 = 500;

/// What sealing came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sealed {
    /// Everything that was there is sealed.
    All,
    /// There is more.
    More,
    /// The head is not what this key has sealed, or the log ends before it: nothing is built on that.
    Refused,
}

/// Seals one batch. Another replica that seals the same wins or loses; either way the chain is one.
pub async fn seal_batch(app: &App) -> Result<Sealed, StoreError> {
    let marks = app.store.marks().await?;
    let Some(head) = marks.head.filter(|head| app.audit_key.is_head(head) && head.seq <= marks.newest.max(0)) else {
        return Ok(Sealed::Refused);
    };
    let waiting = u32::try_from(marks.newest - head.seq).unwrap_or(u32::MAX);
    metrics::gauge!("counterfoil_audit_unsealed_entries").set(f64::from(waiting));
    if waiting == 0 {
        return Ok(Sealed::All);
    }
    let rows = app.store.links(head.seq, limit()).await?;
    let count = rows.len();
    let Some(batch) = audit_chain::seal(&app.audit_key, &head, rows, random) else { return Ok(Sealed::All) };
    let sealed = app.store.seal(head, batch).await?;
    Ok(if sealed && count < BATCH { Sealed::All } else { Sealed::More })
}

/// One round: all there is, or as many batches as a round takes.
pub async fn seal(app: &App) -> Result<Sealed, StoreError> {
    for _ in 0..BATCHES {
        let sealed = seal_batch(app).await?;
        if sealed != Sealed::More {
            return Ok(sealed);
        }
    }
    Ok(Sealed::More)
}

/// Removes entries that are older than they are to be kept, a batch at a time; never what one of its readers has not been told.
pub async fn shorten(app: &App) -> Result<u64, StoreError> {
    let Retention::For(span) = app.config.audit.retention else { return Ok(0) };
    let before = app.clock.now().minus(span.0).as_millis();
    let readers = readers::places(&app.config);
    let mut removed = 0;
    for _ in 0..BATCHES {
        let marks = app.store.marks().await?;
        let (Some(anchor), Some(head)) = (marks.anchor, marks.head) else { break };
        let to = app.store.slowest(readers.clone()).await?.unwrap_or(i64::MAX);
        let oldest = app.store.links(anchor.seq, limit()).await?;
        let decided = audit_chain::forgettable(&app.audit_key, (&anchor, &head), &oldest, (before, to));
        let Some(next) = decided else { break };
        let count = oldest.iter().filter(|row| row.seq <= next.seq).count();
        if !app.store.forget(anchor, next).await? {
            break;
        }
        removed += count as u64;
        if count < BATCH {
            break;
        }
    }
    metrics::counter!("counterfoil_purged_rows_total").increment(removed);
    Ok(removed)
}

/// Erases the networks in all entries of an account; the entries stay, and the chain is whole. Returns how many there were.
pub async fn erase_networks(app: &App, user: UserId) -> Result<u64, StoreError> {
    app.store.forget_familiar(user).await?;
    let mut erased = 0;
    loop {
        let now = app.store.erase_networks(user, ERASED).await?;
        erased += u64::from(now);
        if now < ERASED {
            return Ok(erased);
        }
    }
}

fn limit() -> u32 {
    u32::try_from(BATCH).unwrap_or(u32::MAX)
}
