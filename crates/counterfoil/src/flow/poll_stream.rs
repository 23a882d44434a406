//! A receiver fetches what it is to be told (RFC 8936), and says what it has got. What is not acknowledged comes again.

use super::streams::{StreamError, one};
use crate::app::App;
use crate::signals;
use crate::store::StoreError;
use counterfoil_core::ClientName;
use counterfoil_core::ssf::set::{Parties, Set};
use counterfoil_core::ssf::stream::{Delivery, Numbered, Status, Stream, StreamId, What};
use std::collections::BTreeMap;
use std::time::Duration;

/// How many SETs an answer has at the most.
pub const MOST: usize = 100;

/// How many acknowledgements a request may have.
pub const MOST_ACKNOWLEDGED: usize = 1000;

/// How many entries of the audit log are read at a time, and how often for one answer.
const PAGE: u32 = 200;
const PAGES: usize = 25;

/// How often an acknowledgement that met another change is tried.
const TRIES: usize = 16;

/// How long an answer waits for something to tell, give or take a second.
const WAIT: Duration = Duration::from_secs(20);

/// How often a poll that waits looks without having been woken.
const EVERY: Duration = Duration::from_secs(1);

/// A poll.
#[derive(Clone, Debug, Default)]
pub struct Poll {
    /// How many SETs the receiver takes.
    pub most: usize,
    /// Whether the answer waits until there is something.
    pub waits: bool,
    /// What it has got.
    pub acknowledged: Vec<String>,
    /// What it could not take, and why: that does not come again either.
    pub refused: BTreeMap<String, String>,
}

/// The answer.
#[derive(Debug, Default)]
pub struct Polled {
    /// The SETs by their `jti`, in order.
    pub sets: Vec<(String, String)>,
    /// Whether there is more to fetch right now.
    pub more: bool,
}

/// Answers a poll.
pub async fn poll(app: &App, client: &ClientName, id: StreamId, request: Poll) -> Result<Polled, StreamError> {
    let complaint = request.refused.values().next().cloned();
    let done: Vec<String> = request.acknowledged.into_iter().chain(request.refused.into_keys()).collect();
    let mut news = app.feed.news();
    let begun = app.clock.tick();
    let mut answer = once(app, client, id, (&done, request.most, Keep::Any)).await?;
    if let Some(why) = complaint {
        tracing::warn!(stream = %id, %client, why, "a receiver refuses events that it has fetched");
    }
    while request.waits && answer.sets.is_empty() && app.clock.tick().since(begun) < WAIT && !app.feed.is_closing() {
        // Either way it is looked again; the sender lives as long as the feed does.
        drop(tokio::time::timeout(EVERY, news.changed()).await);
        answer = once(app, client, id, (&[], request.most, Keep::Pages)).await?;
    }
    Ok(answer)
}

/// Which moves over entries of which nothing is to be told are written down: once a request all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keep {
    Any,
    Pages,
}

async fn once(
    app: &App,
    client: &ClientName,
    id: StreamId,
    (done, most, keep): (&[String], usize, Keep),
) -> Result<Polled, StreamError> {
    let _turn = app.admission.enter().await.map_err(|_| StoreError::Overloaded)?;
    for _ in 0..TRIES {
        let stream = one(app, client, id).await?;
        if stream.settings.delivery != Delivery::Poll {
            return Err(StreamError::Bad(
                "the events of this stream are pushed; its delivery must be urn:ietf:rfc:8936".to_owned(),
            ));
        }
        let mut next = stream.clone();
        let ahead = look_ahead(app, &mut next, done).await?;
        let moved = next.position - stream.position;
        let changed = next.acknowledged != stream.acknowledged || next.notes != stream.notes;
        let moved = moved >= i64::from(PAGE) || (moved > 0 && keep == Keep::Any);
        if (changed || moved) && !app.store.replace_stream(next.clone(), None).await? {
            continue;
        }
        return Ok(answer(app, &next, &ahead, most));
    }
    Err(StoreError::Overloaded.into())
}

/// What is not acknowledged, of the first stretch of the log where there is any.
struct Ahead {
    entries: Vec<Numbered>,
    open: Vec<(usize, usize)>,
    /// Whether the log goes on behind it.
    more: bool,
}

async fn look_ahead(app: &App, stream: &mut Stream, done: &[String]) -> Result<Ahead, StoreError> {
    let mut ahead = Ahead { entries: Vec::new(), open: Vec::new(), more: false };
    if stream.status == Status::Disabled {
        stream.acknowledge(app.feed.log(), &[], done);
        return Ok(ahead);
    }
    for _ in 0..PAGES {
        let page = signals::following(app.store.as_ref(), app.clock.now(), stream.position, PAGE).await?;
        ahead.more = page.len() == PAGE as usize;
        ahead.entries = signals::told_to(app.store.as_ref(), stream, page).await?;
        ahead.open = stream.acknowledge(app.feed.log(), &ahead.entries, done);
        if !ahead.open.is_empty() || !ahead.more {
            break;
        }
    }
    Ok(ahead)
}

fn answer(app: &App, stream: &Stream, ahead: &Ahead, most: usize) -> Polled {
    let (issuer, log) = (app.public.issuer(), app.feed.log());
    let paused = stream.status != Status::Enabled;
    // Of a stream that is paused only that it is (SSF-VER).
    let notes = stream.notes.iter().filter(|note| !paused || matches!(note.what, What::Updated(..)));
    let notes = notes.map(|note| Set::of_note(stream.id, note));
    let signals = ahead.open.iter().filter(|_| !paused).map(|(place, index)| {
        let entry = &ahead.entries[*place];
        Set::of(issuer, (log, entry.seq), &entry.signals[*index])
    });
    let mut sets = notes.chain(signals);
    let ring = app.keyring();
    let key = ring.signing(app.config.keys.algorithm.0);
    let (parties, now) = (Parties { issuer, audience: stream.client.as_str() }, app.clock.now());
    let taken: Vec<_> =
        sets.by_ref().take(most.min(MOST)).map(|set| (set.jti.clone(), set.sign(key, parties, now))).collect();
    let more = sets.next().is_some() || (ahead.more && !paused);
    Polled { sets: taken, more }
}
