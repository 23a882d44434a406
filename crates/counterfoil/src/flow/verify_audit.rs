//! Whether the audit log is whole: all of it is read, a page at a time, beside whatever else goes on.

use crate::app::App;
use crate::store::StoreError;
use counterfoil_core::audit_chain::{BATCH, Break, Found, HASH, How, Row, Verifier};
use std::ops::ControlFlow;

/// A head that was kept elsewhere.
pub type Kept = (i64, [u8; HASH]);

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Whole, or where it breaks.
    pub chain: Result<Found, Break>,
    /// How many entries are newer than the last seal.
    pub unsealed: u64,
}

/// Goes through the whole chain, and says now and then how many of how many entries have been looked at; `None` when told that nobody
/// wants to know any more.
pub async fn verify(
    app: &App,
    kept: Option<Kept>,
    mut progress: impl FnMut(u64, u64) -> ControlFlow<()>,
) -> Result<Option<Verified>, StoreError> {
    let marks = app.store.marks().await?;
    let head = marks.head.as_ref().map_or(0, |head| head.seq);
    let unsealed = u64::try_from(marks.newest.saturating_sub(head)).unwrap_or(0);
    let all = u64::try_from(head.saturating_sub(marks.oldest).saturating_add(1)).unwrap_or(0);
    let done = |chain| Ok(Some(Verified { chain, unsealed }));
    let mut verifier = match Verifier::begin(&app.audit_key, (marks.anchor, marks.head), marks.sealed_to, kept) {
        Ok(verifier) => verifier,
        Err(broken) => return done(Err(broken)),
    };
    while verifier.at() < verifier.last() {
        let mut rows = app.store.links(verifier.at(), page()).await?;
        rows.retain(|row| row.seq <= verifier.last());
        if let Err(broken) = show(&mut verifier, &rows) {
            // Entries that are gone may have been purged just now.
            let anchor = app.store.marks().await?.anchor;
            let purged = broken.how == How::Missing && anchor.is_some_and(|anchor| verifier.skip_to(&anchor));
            if !purged {
                return done(Err(broken));
            }
        }
        if rows.is_empty() {
            break;
        }
        if progress(verifier.entries(), all).is_break() {
            return Ok(None);
        }
        // Reading is done where it is asked for: others shall have their turn in between.
        tokio::task::yield_now().await;
    }
    done(verifier.finish())
}

/// All of a page but its last entry, unless it is the only one: that is shown with the one after it.
fn show(verifier: &mut Verifier<'_>, rows: &[Row]) -> Result<(), Break> {
    let shown = if rows.len() < BATCH { rows.len() } else { rows.len() - 1 };
    (0..shown).try_for_each(|index| verifier.show(&rows[index], rows.get(index + 1)))
}

fn page() -> u32 {
    u32::try_from(BATCH).unwrap_or(u32::MAX)
}
