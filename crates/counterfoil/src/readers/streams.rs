//! Event streams whose receivers are told by push (RFC 8935): each in a task of its own, from its own place in the audit log, in order,
//! each event at least once. One task reads the log for all of them.

use super::backoff::{Backoff, Complaint, Refusals};
use super::teller::Attempt;
use super::{ReaderError, Source, gauge_value};
use crate::clock::random;
use crate::config::{Config, OutgoingUrl, SSF_RESOURCE};
use crate::outgoing::{self, Answer, Outgoing};
use crate::signals;
use crate::store::StoreError;
use bytes::Bytes;
use counterfoil_core::credential::factor_key::Use;
use counterfoil_core::ssf::set::{Parties, Set, SetError, TYPE};
use counterfoil_core::ssf::stream::{Delivery, Numbered, Status, Stream, StreamId, What};
use http::{HeaderValue, Request, StatusCode, header};
use http_body_util::Full;
use parking_lot::RwLock;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

/// Which job this is among replicas.
pub(super) const JOB: &str = "streams";

/// How many entries are read at a time.
const PAGE: u32 = 100;

/// How many of the newest entries are kept for those who come to them next.
const KEPT: usize = 4096;

/// A place that has moved over entries of which nothing was to be told is written down after so many, or so long.
const WORTH_KEEPING: i64 = 1000;
const KEEP_AFTER: Duration = Duration::from_secs(30);

/// How often a note that has been told is taken from a stream that others change.
const TRIES: usize = 16;

/// What sends events to receivers.
pub(super) struct Streams {
    client: Outgoing,
    permitted: Permitted,
}

/// What the configuration lets be told, and where: it may have changed since a stream was made.
#[derive(Clone)]
struct Permitted {
    clients: BTreeSet<String>,
    origins: Vec<String>,
}

impl Permitted {
    fn allows(&self, stream: &Stream) -> bool {
        let Delivery::Push(url) = &stream.settings.delivery else { return false };
        let origin = OutgoingUrl::try_from(url.clone()).map(|url| url.origin());
        self.clients.contains(stream.client.as_str()) && origin.is_ok_and(|origin| self.origins.contains(&origin))
    }
}

/// What the tasks share.
struct Shared {
    source: Source,
    client: Outgoing,
    tail: RwLock<Tail>,
    /// The number of the newest entry that is in the tail.
    newest: watch::Sender<i64>,
}

/// The newest entries of the log: all after `from`.
#[derive(Default)]
struct Tail {
    from: i64,
    entries: VecDeque<Numbered>,
}

impl Tail {
    fn newest(&self) -> i64 {
        self.entries.back().map_or(self.from, |entry| entry.seq)
    }

    fn extend(&mut self, page: Vec<Numbered>) {
        self.entries.extend(page);
        while self.entries.len() > KEPT {
            self.from = self.entries.pop_front().map_or(self.from, |entry| entry.seq);
        }
    }

    /// The entries after this number, if all of them are here.
    fn after(&self, seq: i64) -> Option<Vec<Numbered>> {
        if seq < self.from {
            return None;
        }
        let first = self.entries.partition_point(|entry| entry.seq <= seq);
        Some(self.entries.range(first..).take(PAGE as usize).cloned().collect())
    }
}

/// A 400 with an error code is about this SET; who does not know us, or cannot answer, would say the same to any.
fn attempt_of(answer: Result<Answer, String>) -> Attempt {
    let failed = |reason| Attempt::Failed(Complaint::Failing, reason);
    let Answer { status, body } = match answer {
        Ok(answer) => answer,
        Err(reason) => return failed(reason),
    };
    if status.is_success() {
        return Attempt::Received;
    }
    let said = body.as_deref().and_then(|body| serde_json::from_slice::<SetError>(body).ok());
    match said.filter(|_| status == StatusCode::BAD_REQUEST) {
        None => failed(format!("it answered {}", status.as_u16())),
        Some(said) if matches!(said.err.as_str(), "authentication_failed" | "access_denied") => failed(said.in_words()),
        Some(said) => Attempt::Refused(said.in_words()),
    }
}

impl Streams {
    pub(super) fn prepare(config: &Config) -> Result<Self, ReaderError> {
        let https = config.ssf.push_origins.iter().any(|origin| origin.starts_with("https:"));
        let client = outgoing::client(https, outgoing::MAX_ANSWER).map_err(ReaderError::NoAuthorities)?;
        let may = config.clients.iter().filter(|(_, own)| own.resources.contains_key(SSF_RESOURCE));
        let clients = may.map(|(name, _)| name.clone()).collect();
        Ok(Self { client, permitted: Permitted { clients, origins: config.ssf.push_origins.clone() } })
    }

    /// Never ends by itself.
    pub(super) async fn run(&self, source: &Source) {
        let from = loop {
            match source.store.newest().await {
                Ok(newest) => break newest,
                Err(_) => tokio::time::sleep(super::EVERY).await,
            }
        };
        let shared = Arc::new(Shared {
            source: source.clone(),
            client: self.client.clone(),
            tail: RwLock::new(Tail { from, entries: VecDeque::new() }),
            newest: watch::Sender::new(from),
        });
        // Said from the beginning, so that the first of anything is seen to have come.
        for outcome in ["received", "refused", "failed"] {
            metrics::counter!("counterfoil_stream_attempts_total", "outcome" => outcome).increment(0);
        }
        let mut news = source.feed.news();
        // Their tasks end with this one.
        let (mut tasks, mut known) = (JoinSet::new(), BTreeMap::new());
        loop {
            match source.store.streams().await {
                Ok(streams) => {
                    let streams = streams.into_iter().filter(|stream| self.permitted.allows(stream));
                    follow(&shared, streams, (&mut tasks, &mut known));
                }
                Err(error) => tracing::debug!(%error, "the event streams cannot be read now"),
            }
            if let Err(error) = shared.read_on().await {
                tracing::debug!(%error, "the audit log cannot be read now");
            }
            while tasks.try_join_next().is_some() {}
            source.news(&mut news).await;
        }
    }

    /// Another replica tells them.
    pub(super) fn measure_nothing() {
        metrics::gauge!("counterfoil_stream_lag_events").set(0.0);
    }
}

type Known = BTreeMap<StreamId, watch::Sender<Stream>>;

/// Starts a task for each new stream, and tells the others what has become of theirs; one that is gone ends by itself.
fn follow(shared: &Arc<Shared>, streams: impl Iterator<Item = Stream>, (tasks, known): (&mut JoinSet<()>, &mut Known)) {
    let mut now = Known::new();
    let mut furthest = 0;
    for stream in streams {
        if stream.status == Status::Enabled {
            furthest = furthest.max(*shared.newest.borrow() - stream.position);
        }
        let id = stream.id;
        // One whose task has ended, which nothing but a mistake of ours could do, gets another.
        let sender = known.remove(&id).filter(|sender| !sender.is_closed()).unwrap_or_else(|| {
            let (sender, receiver) = watch::channel(stream.clone());
            tasks.spawn(Told::new(Arc::clone(shared), receiver).run());
            sender
        });
        sender.send_if_modified(|kept| {
            let changed = kept.version != stream.version;
            *kept = stream;
            changed
        });
        now.insert(id, sender);
    }
    metrics::gauge!("counterfoil_stream_lag_events").set(gauge_value(u64::try_from(furthest).unwrap_or(0)));
    *known = now;
}

impl Shared {
    /// Takes the newest entries in.
    async fn read_on(&self) -> Result<(), StoreError> {
        loop {
            let (at, now) = (self.tail.read().newest(), self.source.clock.now());
            let page = signals::following(self.source.store.as_ref(), now, at, PAGE).await?;
            let full = page.len() == PAGE as usize;
            if !page.is_empty() {
                let mut tail = self.tail.write();
                tail.extend(page);
                let newest = tail.newest();
                drop(tail);
                self.newest.send_replace(newest);
            }
            if !full {
                return Ok(());
            }
        }
    }

    /// The entries after this number, oldest first, and not all of them at once.
    async fn after(&self, seq: i64) -> Result<Vec<Numbered>, StoreError> {
        let here = self.tail.read().after(seq);
        match here {
            Some(entries) => Ok(entries),
            None => signals::following(self.source.store.as_ref(), self.source.clock.now(), seq, PAGE).await,
        }
    }
}

/// One stream, and what tells its receiver.
struct Told {
    shared: Arc<Shared>,
    stream: watch::Receiver<Stream>,
    backoff: Backoff,
    /// The notes that have been told, as long as what is known of the stream still has them.
    notes: BTreeSet<String>,
    /// What has been sent of the entry that is being told.
    sent: BTreeSet<String>,
    /// What the receiver has refused last, and how often: whatever comes between.
    refused: (String, Refusals),
}

/// Why something was not told to the end.
struct Interrupted;

/// Whether a stream is told the same in the same way as before.
fn same_course(a: &Stream, b: &Stream) -> bool {
    a.status == b.status && a.settings == b.settings && a.sealed == b.sealed
}

impl Told {
    fn new(shared: Arc<Shared>, stream: watch::Receiver<Stream>) -> Self {
        let (notes, sent) = (BTreeSet::new(), BTreeSet::new());
        Self { shared, stream, backoff: Backoff::default(), notes, sent, refused: <(String, Refusals)>::default() }
    }

    async fn run(mut self) {
        let mut newest = self.shared.newest.subscribe();
        let (mut at, mut kept) = (0, 0);
        // When a move is written down of which nobody has been told.
        let mut due: Option<Instant> = None;
        loop {
            let stream = self.stream.borrow_and_update().clone();
            (at, kept) = (stream.position.max(at), stream.position.max(kept));
            let outcome = self.go_on(&stream, (&mut at, &mut kept)).await;
            // The sender is dropped when the stream is no more, or is polled from now on.
            if self.stream.has_changed().is_err() {
                return;
            }
            if at <= kept {
                due = None;
            } else if due.is_some_and(|due| due <= Instant::now()) {
                self.keep(stream.id, (at, &mut kept)).await;
                due = None;
            } else {
                due.get_or_insert_with(|| Instant::now() + KEEP_AFTER);
            }
            if !matches!(outcome, Ok(false)) {
                // Something has changed meanwhile, or there is more.
                continue;
            }
            tokio::select! {
                changed = self.stream.changed() => if changed.is_err() { return },
                _ = newest.changed() => {}
                () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
            }
        }
    }

    /// Tells what there is now, up to a page; whether there may be more.
    async fn go_on(&mut self, stream: &Stream, (at, kept): (&mut i64, &mut i64)) -> Result<bool, Interrupted> {
        self.tell_notes(stream).await?;
        if stream.status != Status::Enabled {
            return Ok(false);
        }
        let store = self.shared.source.store.as_ref();
        let read = async { signals::told_to(store, stream, self.shared.after(*at).await?).await };
        let entries = match read.await {
            Ok(entries) => entries,
            Err(error) => {
                tracing::debug!(%error, stream = %stream.id, "what a stream is to be told cannot be read now");
                tokio::time::sleep(super::EVERY).await;
                return Ok(true);
            }
        };
        let Some(last) = entries.last().map(|entry| entry.seq) else { return Ok(false) };
        let log = self.shared.source.feed.log();
        for entry in &entries {
            for signal in &entry.signals {
                let set = Set::of(self.shared.source.public.issuer(), (log, entry.seq), signal);
                // Told already, before something came between.
                if self.sent.contains(&set.jti) {
                    continue;
                }
                if let Err(interrupted) = self.tell(&set, stream).await {
                    self.keep(stream.id, (*at, kept)).await;
                    return Err(interrupted);
                }
                self.sent.insert(set.jti);
            }
            *at = entry.seq;
            self.sent.clear();
        }
        let told = entries.iter().any(|entry| !entry.signals.is_empty());
        if told || last - *kept >= WORTH_KEEPING {
            self.keep(stream.id, (last, kept)).await;
        }
        Ok(true)
    }

    /// What is no entry's.
    async fn tell_notes(&mut self, stream: &Stream) -> Result<(), Interrupted> {
        let paused = stream.status != Status::Enabled;
        self.notes.retain(|jti| stream.notes.iter().any(|note| note.jti == *jti));
        let due = stream.notes.iter().filter(|note| !paused || matches!(note.what, What::Updated(..)));
        for note in due {
            if !self.notes.contains(&note.jti) {
                self.tell(&Set::of_note(stream.id, note), stream).await?;
                self.notes.insert(note.jti.clone());
            }
            // Also one that could not be taken from the stream the last time.
            self.told_note(stream.id, &note.jti).await;
        }
        Ok(())
    }

    /// Moves the durable place. If the store cannot do that now, the next move makes up for it.
    async fn keep(&self, id: StreamId, (at, kept): (i64, &mut i64)) {
        match self.shared.source.store.move_stream(id, at).await {
            Ok(()) => *kept = at,
            Err(error) => tracing::debug!(%error, stream = %id, "the place of a stream stays behind"),
        }
    }

    /// Sends one SET until it is received, or refused often enough; or until the stream takes another course.
    async fn tell(&mut self, set: &Set, course: &Stream) -> Result<(), Interrupted> {
        loop {
            if !same_course(&self.stream.borrow(), course) || self.stream.has_changed().is_err() {
                return Err(Interrupted);
            }
            let attempt = self.attempt(course, set).await;
            let outcome = match attempt {
                Attempt::Received => "received",
                Attempt::Refused(_) => "refused",
                Attempt::Failed(..) => "failed",
            };
            metrics::counter!("counterfoil_stream_attempts_total", "outcome" => outcome).increment(1);
            let (id, client) = (course.id, &course.client);
            let reason = match attempt {
                Attempt::Received => {
                    if self.backoff.succeeded() {
                        tracing::info!(stream = %id, %client, "the receiver of an event stream answers again");
                    }
                    return Ok(());
                }
                Attempt::Refused(reason) => {
                    if self.refused.0 != set.jti {
                        self.refused = (set.jti.clone(), Refusals::default());
                    }
                    if self.refused.1.one_more() {
                        tracing::warn!(stream = %id, %client, jti = set.jti, reason, "an event is passed over: its receiver refuses it");
                        self.backoff.passed_over();
                        return Ok(());
                    }
                    reason
                }
                Attempt::Failed(_, reason) => reason,
            };
            if self.backoff.failed(Complaint::Failing).is_some() {
                tracing::warn!(stream = %id, %client, reason, "the receiver of an event stream takes no events; trying on");
            } else {
                tracing::debug!(stream = %id, %client, reason, "an event could not be delivered");
            }
            self.rest(course).await;
        }
    }

    /// Waits as the back-off says. A change of course may be what helps: it is not waited out.
    async fn rest(&self, course: &Stream) {
        let mut stream = self.stream.clone();
        tokio::select! {
            () = tokio::time::sleep(self.backoff.wait(random::<1>()[0])) => {}
            // Where the stream is gone, the next look says so.
            _ = stream.wait_for(|stream| !same_course(stream, course)) => {}
        }
    }

    async fn attempt(&self, stream: &Stream, set: &Set) -> Attempt {
        let failed = |reason: &str| Attempt::Failed(Complaint::Failing, reason.to_owned());
        let Delivery::Push(url) = &stream.settings.delivery else { return failed("it is polled") };
        let source = &self.shared.source;
        let ring = source.keys.ring();
        let parties = Parties { issuer: source.public.issuer(), audience: stream.client.as_str() };
        let signed = set.sign(ring.signing(source.algorithm), parties, source.clock.now());
        let mut request = Request::post(url)
            .header(header::CONTENT_TYPE, format!("application/{TYPE}"))
            .header(header::ACCEPT, "application/json")
            .header(header::USER_AGENT, outgoing::USER_AGENT);
        if let Some(sealed) = &stream.sealed {
            let opened = source.factors.open(Use::StreamHeader(stream.id), sealed);
            let value = opened.ok().and_then(|header| HeaderValue::from_bytes(header.expose()).ok());
            let Some(mut value) = value else {
                return failed("what its header Authorization shall be cannot be opened");
            };
            value.set_sensitive(true);
            request = request.header(header::AUTHORIZATION, value);
        }
        match request.body(Full::new(Bytes::from(signed))) {
            Ok(request) => attempt_of(outgoing::send(&self.shared.client, request).await),
            Err(_) => failed("its address is none"),
        }
    }

    /// A note that has been told is told no more.
    async fn told_note(&self, id: StreamId, jti: &str) {
        let store = &self.shared.source.store;
        for _ in 0..TRIES {
            let Ok(Some(mut stream)) = store.stream(id).await else { return };
            stream.notes.retain(|note| note.jti != jti);
            if store.replace_stream(stream, None).await == Ok(true) {
                return;
            }
        }
        tracing::debug!(stream = %id, "a note that has been told is told again");
    }
}

#[cfg(test)]
mod tests {
    use super::{KEPT, Tail, attempt_of};
    use crate::outgoing::Answer;
    use crate::readers::teller::Attempt;
    use bytes::Bytes;
    use counterfoil_core::ssf::stream::Numbered;
    use http::StatusCode;

    fn numbered(seq: i64) -> Numbered {
        Numbered { seq, signals: Vec::new() }
    }

    #[test]
    fn the_tail_says_that_it_does_not_reach_far_enough_back() {
        let mut tail = Tail { from: 10, ..Tail::default() };
        let numbers =
            |tail: &Tail, seq| tail.after(seq).map(|entries| entries.iter().map(|entry| entry.seq).collect::<Vec<_>>());
        assert_eq!(numbers(&tail, 10), Some(vec![]));
        assert_eq!(numbers(&tail, 9), None);
        tail.extend(vec![numbered(12), numbered(15)]);
        assert_eq!(
            (numbers(&tail, 10), numbers(&tail, 12), numbers(&tail, 13)),
            (Some(vec![12, 15]), Some(vec![15]), Some(vec![15]))
        );
        tail.extend((16..16 + i64::try_from(KEPT).expect("small")).map(numbered).collect());
        assert_eq!((tail.from, tail.after(14).is_none(), tail.after(15).map(|page| page.len())), (15, true, Some(100)));
    }

    #[test]
    fn push_2_only_what_is_said_of_this_one_passes_it_over() {
        let attempt = |status: StatusCode, body: &'static str| {
            attempt_of(Ok(Answer { status, body: Some(Bytes::from_static(body.as_bytes())) }))
        };
        assert_eq!(attempt(StatusCode::ACCEPTED, ""), Attempt::Received);
        let refused =
            |err: &str| attempt(StatusCode::BAD_REQUEST, Box::leak(format!(r#"{{"err":"{err}"}}"#).into_boxed_str()));
        assert!(matches!(refused("invalid_audience"), Attempt::Refused(_)));
        assert!(matches!(refused("authentication_failed"), Attempt::Failed(..)));
        assert!(matches!(attempt(StatusCode::BAD_REQUEST, "<html>"), Attempt::Failed(..)));
        assert!(matches!(attempt(StatusCode::INTERNAL_SERVER_ERROR, r#"{"err":"invalid_key"}"#), Attempt::Failed(..)));
        let long = attempt(StatusCode::BAD_REQUEST, r#"{"err":"invalid_key","description":"line\nbreak"}"#);
        assert_eq!(long, Attempt::Refused("invalid_key: linebreak".to_owned()));
    }
}
