//! Status lists are signed anew whenever a revocation changes one, and before the last one gets old.

use super::status::uri;
use crate::app::{App, etag};
use crate::status_lists::{Known, Published};
use crate::store::StoreError;
use crate::store::status::Place;
use bytes::Bytes;
use counterfoil_core::status_list::{Bits, Statement, sign};
use counterfoil_core::{Sid, Timestamp};
use counterfoil_guard::{Entry, Target};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::collections::BTreeMap;
use std::future::Future;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How often at the most: many who are revoked at once make one list.
const EVERY: Duration = Duration::from_secs(1);

/// How many sessions are looked up at a time.
const BATCH: usize = 500;

/// How long a list counts at all, beside its `ttl`: what is fetched at the last moment must not be over at once.
const LIFE: u32 = 3;

/// Keeps the lists published until `stop` resolves.
pub async fn run(app: Arc<App>, stop: impl Future<Output = ()>) {
    let mut stop = std::pin::pin!(stop);
    if !app.has_status_lists() {
        return stop.await;
    }
    let mut news = app.feed.news();
    // Signed anew in time for whoever asks at three quarters of the `ttl`, whichever replica they ask.
    let again = app.config.status_lists.ttl.0 / 4;
    loop {
        if let Err(error) = publish(&app).await {
            tracing::warn!(%error, "the status lists stay as they are");
        }
        let rest = async {
            tokio::time::sleep(EVERY).await;
            tokio::select! {
                _ = news.changed() => {}
                () = app.status_lists.wanted.notified() => {}
                () = tokio::time::sleep(again) => {}
            }
        };
        tokio::select! {
            () = rest => {}
            () = &mut stop => return,
        }
    }
}

/// Looks again, at most once a second: something has been revoked just now, or another replica has begun a list. Fails where nobody can say
/// what there is: what is too old is not handed out as if it were new.
pub async fn look_again(app: &App) -> Result<(), StoreError> {
    let mut known = app.status_lists.known.lock().await;
    let now = app.clock.now();
    let just_now = known.at.is_some_and(|at| at <= now && now.since(at) < EVERY);
    if just_now && app.feed.is_current() { Ok(()) } else { publish_from(app, &mut known).await }
}

/// Signs those lists whose bits have changed, or that are getting old.
pub async fn publish(app: &App) -> Result<(), StoreError> {
    publish_from(app, &mut *app.status_lists.known.lock().await).await
}

async fn publish_from(app: &App, known: &mut Known) -> Result<(), StoreError> {
    // What is not known well enough to verify by is not told to others either (S2).
    if !app.feed.is_current() {
        app.status_lists.published.write().clear();
        return Err(StoreError::Unavailable);
    }
    let now = app.clock.now();
    take_in(app, known, now).await?;
    known.at = Some(now);
    let last = app.store.last_status_list().await?;
    let mut bits: BTreeMap<u32, Bits> =
        (1..=last.max(1)).map(|list| (list, Bits::new(app.config.status_lists.size))).collect();
    for Place { list, index } in known.invalid.values().flat_map(|(_, places)| places) {
        if let Some(bits) = bits.get_mut(list) {
            bits.set(*index);
        }
    }
    let ring = app.keyring();
    let key = ring.signing(app.config.keys.algorithm.0);
    let ttl = app.config.status_lists.ttl.0;
    for (list, bits) in bits {
        let good = |old: &Arc<Published>| {
            old.bits == bits && old.kid == *key.kid() && old.at <= now && now.since(old.at) < ttl / 2
        };
        if app.status_lists.list(list).as_ref().is_some_and(good) {
            continue;
        }
        let uri = uri(app, list);
        let said = Statement { issuer: app.public.issuer(), uri: &uri, at: now, ttl, life: ttl * LIFE };
        let body = Bytes::from(sign(key, &said, &bits));
        // A weak one: compressed or not, it is the same list (RFC 9110 section 8.8.3.3).
        let (gzip, etag) = (compressed(&body), format!("W/{}", etag(&body)));
        let new = Published { body, gzip, etag, bits, at: now, kid: key.kid().clone() };
        app.status_lists.published.write().insert(list, Arc::new(new));
    }
    let seq = known.cursor.map_or(0, |cursor| cursor.seq);
    app.status_lists.head.store(seq, Ordering::Release);
    Ok(())
}

/// What the log has had since the last time, with the places that it makes invalid. No place is given for what an entry hits after it.
async fn take_in(app: &App, known: &mut Known, now: Timestamp) -> Result<(), StoreError> {
    let page = app.feed.after(known.cursor);
    let mut new = BTreeMap::new();
    let hits: Vec<(&Entry, Sid, u32)> = page.entries.iter().filter_map(hit).collect();
    for batch in hits.chunks(BATCH) {
        let sids = batch.iter().map(|(_, sid, _)| *sid).collect();
        let occupied = app.store.status_places_of(sids).await?;
        for (entry, sid, below) in batch {
            let of_it = occupied.iter().filter(|one| one.sid == *sid && one.version < *below);
            new.insert(entry.seq, (entry.until, of_it.map(|one| one.place).collect()));
        }
    }
    if page.snapshot {
        known.invalid.clear();
    }
    known.invalid.append(&mut new);
    known.invalid.retain(|_, (until, places)| *until > now && !places.is_empty());
    known.cursor = Some(page.cursor);
    Ok(())
}

/// Which session an entry hits, and up to which version of the roles that its tokens say. A single token has no place of its own, and keys
/// are known by the key set.
fn hit(entry: &Entry) -> Option<(&Entry, Sid, u32)> {
    match entry.what {
        Target::Session(sid) => Some((entry, sid, u32::MAX)),
        Target::Stale(sid, version) => Some((entry, sid, version)),
        Target::Token(_) | Target::Key(_) => None,
    }
}

fn compressed(body: &[u8]) -> Bytes {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    let written = gzip.write_all(body).and_then(|()| gzip.finish());
    Bytes::from(written.expect("writing to memory does not fail"))
}
