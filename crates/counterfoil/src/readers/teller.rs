//! Telling one receiver what the audit log says: in order, everything at least once. The cursor moves when all that an entry means to the
//! receiver has been told, and is kept in the store. A receiver that does not answer is waited for; what it says it cannot do is not
//! told it for ever.

use super::backoff::{Backoff, Complaint, Refusals};
use super::{EVERY, Source, gauge_value};
use crate::clock::random;
use crate::store::StoreError;
use counterfoil_core::audit::{AuditEntry, Event};
use http::StatusCode;
use metrics::{Counter, Gauge};
use std::time::Duration;

/// How many entries are read at a time.
const PAGE: u32 = 100;

/// What came of one attempt.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Attempt {
    /// It is safe with the receiver.
    Received,
    /// Anything else, and what to say of it.
    Failed(Complaint, String),
    /// The receiver says that it cannot do this one thing, and perhaps why.
    Refused(String),
}

impl Attempt {
    /// By the status of an answer.
    pub(super) fn by(status: StatusCode) -> Self {
        match status {
            StatusCode::GONE => Self::Failed(Complaint::Gone, "410 Gone".into()),
            status if status.is_success() => Self::Received,
            status => Self::Failed(Complaint::Failing, format!("it answered {}", status.as_u16())),
        }
    }
}

/// What tells a receiver.
pub(super) trait Teller: Sync {
    /// What is told at once.
    type Message: Send + Sync;

    /// What may come of an attempt; `refused` and `passed_over` where a receiver may refuse.
    const OUTCOMES: &'static [&'static str] = &["received", "failed"];

    /// Under which name its place is kept; also in the server's log.
    fn place(&self) -> String;

    /// Whether such an entry may mean anything to the receiver.
    fn concerns(&self, event: Event) -> bool;

    /// All that an entry means to the receiver.
    fn messages(
        &self,
        source: &Source,
        entry: (i64, &AuditEntry),
    ) -> impl Future<Output = Result<Vec<Self::Message>, StoreError>> + Send;

    /// The message's name, by which the receiver knows it again.
    fn name(message: &Self::Message) -> &str;

    /// Tells it, once.
    fn attempt(&self, source: &Source, message: &Self::Message) -> impl Future<Output = Attempt> + Send;

    /// How many attempts have come to this.
    fn attempts(&self, outcome: &'static str) -> Counter;

    /// The lag: how many entries are not done with, and how old the one is that is stuck.
    fn lag(&self) -> [Gauge; 2];
}

/// How far it is.
struct Progress {
    /// Everything up to here is done with.
    at: i64,
    backoff: Backoff,
    /// What the store last said.
    trouble: Option<StoreError>,
}

impl Progress {
    /// Says so where the store has begun or ceased to answer.
    fn look(&mut self, reader: &str, trouble: Option<StoreError>) {
        if self.trouble != trouble {
            self.trouble = trouble;
            tracing::warn!(reader, ?trouble, "whether the audit log can be read has changed");
        }
    }
}

/// Never ends by itself.
pub(super) async fn run<T: Teller>(teller: &T, source: &Source) {
    let place = teller.place();
    // Said from the beginning, so that the first of anything is seen to have come.
    for outcome in T::OUTCOMES {
        teller.attempts(outcome).increment(0);
    }
    let mut news = source.feed.news();
    let mut progress = Progress { at: start(source, &place).await, backoff: Backoff::default(), trouble: None };
    loop {
        let page = source.store.following(progress.at, PAGE).await;
        progress.look(&place, page.as_ref().err().copied());
        let page = page.unwrap_or_default();
        report(teller, source, progress.at, None).await;
        let Some((last, _)) = page.last() else {
            source.news(&mut news).await;
            continue;
        };
        let last = *last;
        for (seq, entry) in page.iter().filter(|(_, entry)| teller.concerns(entry.event)) {
            for message in messages(teller, source, &mut progress, (*seq, entry)).await {
                tell(teller, source, &mut progress, (entry, &message)).await;
            }
            progress.at = *seq;
            if *seq < last {
                keep(source, &place, *seq).await;
            }
        }
        progress.at = last;
        keep(source, &place, last).await;
    }
}

/// Another replica tells.
pub(super) fn measure_nothing(teller: &impl Teller) {
    for gauge in teller.lag() {
        gauge.set(0.0);
    }
}

/// Moves the durable cursor. If the store cannot do that now, the next move makes up for it; after a crash before that, the
/// receiver is told some things twice.
pub(super) async fn keep(source: &Source, reader: &str, at: i64) {
    if let Err(error) = source.store.move_reader(reader, at).await {
        tracing::debug!(%error, reader, "the cursor stays behind");
    }
}

/// Where it stands; waits for a store that cannot say it now.
async fn start(source: &Source, reader: &str) -> i64 {
    loop {
        match source.store.reader(reader).await {
            Ok(at) => return at,
            Err(_) => tokio::time::sleep(EVERY).await,
        }
    }
}

/// What an entry means; waits for a store that cannot say it now.
async fn messages<T: Teller>(
    teller: &T,
    source: &Source,
    progress: &mut Progress,
    entry: (i64, &AuditEntry),
) -> Vec<T::Message> {
    loop {
        let messages = teller.messages(source, entry).await;
        progress.look(&teller.place(), messages.as_ref().err().copied());
        match messages {
            Ok(messages) => return messages,
            Err(_) => tokio::time::sleep(EVERY).await,
        }
    }
}

/// Tells one thing until it is received, or has been refused too often.
async fn tell<T: Teller>(
    teller: &T,
    source: &Source,
    progress: &mut Progress,
    (entry, message): (&AuditEntry, &T::Message),
) {
    let (reader, name) = (teller.place(), T::name(message));
    let mut refusals = Refusals::default();
    loop {
        let (outcome, kind, reason) = match teller.attempt(source, message).await {
            Attempt::Received => {
                teller.attempts("received").increment(1);
                if progress.backoff.succeeded() {
                    tracing::info!(reader, "the receiver answers again");
                }
                return;
            }
            Attempt::Refused(reason) if refusals.one_more() => {
                teller.attempts("passed_over").increment(1);
                progress.backoff.passed_over();
                tracing::warn!(reader, name, reason, "the receiver cannot do this; it is passed over");
                return;
            }
            Attempt::Refused(reason) => ("refused", Complaint::Failing, reason),
            Attempt::Failed(kind, reason) => ("failed", kind, reason),
        };
        teller.attempts(outcome).increment(1);
        match progress.backoff.failed(kind) {
            Some(Complaint::Failing) => {
                tracing::warn!(reader, name, reason, "the receiver does not take events; trying on");
            }
            Some(Complaint::Gone) => {
                tracing::warn!(reader, "the receiver says that it is gone; asking now and then");
            }
            None => tracing::debug!(reader, name, reason, "an event could not be delivered"),
        }
        wait(teller, source, progress, entry).await;
    }
}

/// Waits as the back-off says, and keeps the lag current meanwhile.
async fn wait(teller: &impl Teller, source: &Source, progress: &Progress, pending: &AuditEntry) {
    let mut left = progress.backoff.wait(random::<1>()[0]);
    while !left.is_zero() {
        report(teller, source, progress.at, Some(pending)).await;
        let step = left.min(EVERY);
        tokio::time::sleep(step).await;
        left -= step;
    }
}

async fn report(teller: &impl Teller, source: &Source, at: i64, pending: Option<&AuditEntry>) {
    let newest = source.store.newest().await.unwrap_or(at);
    let age = pending.map_or(Duration::ZERO, |entry| source.clock.now().since(entry.at));
    let [events, seconds] = teller.lag();
    events.set(gauge_value(u64::try_from(newest - at).unwrap_or(0)));
    seconds.set(age.as_secs_f64());
}
