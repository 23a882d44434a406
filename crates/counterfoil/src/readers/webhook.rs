//! Signed webhooks: the audit log, told to a receiver of the operator's, event by event. In order, each at least once: the
//! cursor moves when the receiver has answered 2xx, and is kept in the store. A receiver that does not answer is waited for.

use super::backoff::{Backoff, Complaint};
use super::{Message, ReaderError, SigningSecrets, Source, gauge_value};
use crate::clock::random;
use crate::config::{Events, OutgoingUrl, WebhookConfig};
use crate::outgoing::{self, Outgoing};
use crate::secret_text;
use counterfoil_core::audit::AuditEntry;
use http::{Request, StatusCode, header};
use http_body_util::Full;
use std::time::Duration;

/// How many entries are read at a time.
const PAGE: u32 = 100;

/// A webhook, ready to begin.
pub(super) struct Webhook {
    name: String,
    url: OutgoingUrl,
    secrets: SigningSecrets,
    events: Events,
    client: Outgoing,
}

/// What came of one attempt.
enum Attempt {
    /// 2xx.
    Received,
    /// Anything else, and what to say of it.
    Failed(Complaint, String),
}

/// How far it is.
struct Progress {
    /// Everything up to here is done with.
    at: i64,
    backoff: Backoff,
}

impl Webhook {
    pub(super) fn prepare(config: &WebhookConfig) -> Result<Self, ReaderError> {
        let key = format!("webhooks.{}.secret", config.name);
        let text = secret_text::read(&key, config.secret_file.as_deref(), config.secret_env.as_deref())?;
        let secrets = text.as_ref().and_then(SigningSecrets::parse).ok_or(ReaderError::BadSecret { key })?;
        let (name, url, events) = (config.name.clone(), config.url.clone(), config.events.clone());
        let client = outgoing::client(url.is_https(), outgoing::MAX_ANSWER).map_err(ReaderError::NoAuthorities)?;
        Ok(Self { name, url, secrets, events, client })
    }

    /// Under which name its place is kept.
    pub(super) fn reader(&self) -> String {
        super::place_of(&self.name)
    }

    /// Never ends by itself.
    pub(super) async fn run(&self, source: &Source) {
        let reader = self.reader();
        let mut news = source.feed.news();
        let mut progress = Progress { at: self.start(source, &reader).await, backoff: Backoff::default() };
        let mut trouble = None;
        loop {
            let page = source.store.following(progress.at, PAGE).await;
            if trouble != page.as_ref().err().copied() {
                trouble = page.as_ref().err().copied();
                tracing::warn!(webhook = self.name, ?trouble, "whether the audit log can be read has changed");
            }
            let page = page.unwrap_or_default();
            self.report(source, &progress, None).await;
            let Some((last, _)) = page.last() else {
                source.news(&mut news).await;
                continue;
            };
            let last = *last;
            let wanted = page.iter().filter(|(_, entry)| self.events.contain(entry.event));
            for (seq, entry) in wanted {
                self.deliver(source, &mut progress, *seq, entry).await;
                progress.at = *seq;
                if *seq < last {
                    keep(source, &reader, *seq).await;
                }
            }
            progress.at = last;
            keep(source, &reader, last).await;
        }
    }

    /// Another replica delivers.
    pub(super) fn measure_nothing(&self) {
        metrics::gauge!("counterfoil_webhook_lag_events", "name" => self.name.clone()).set(0.0);
        metrics::gauge!("counterfoil_webhook_lag_seconds", "name" => self.name.clone()).set(0.0);
    }

    /// Where it stands; waits for a store that cannot say it now.
    async fn start(&self, source: &Source, reader: &str) -> i64 {
        loop {
            match source.store.reader(reader).await {
                Ok(at) => return at,
                Err(_) => tokio::time::sleep(super::EVERY).await,
            }
        }
    }

    /// Sends one event until it is received.
    async fn deliver(&self, source: &Source, progress: &mut Progress, seq: i64, entry: &AuditEntry) {
        let message = Message::of(source.feed.log(), seq, entry);
        loop {
            let attempt = self.attempt(&message, source.clock.now().as_seconds()).await;
            let outcome = if matches!(attempt, Attempt::Received) { "received" } else { "failed" };
            metrics::counter!("counterfoil_webhook_attempts_total", "name" => self.name.clone(), "outcome" => outcome)
                .increment(1);
            match attempt {
                Attempt::Received => {
                    if progress.backoff.succeeded() {
                        tracing::info!(webhook = self.name, "the webhook's receiver answers again");
                    }
                    return;
                }
                Attempt::Failed(kind, reason) => match progress.backoff.failed(kind) {
                    Some(Complaint::Failing) => {
                        tracing::warn!(
                            webhook = self.name,
                            reason,
                            "the webhook's receiver does not take events; trying on"
                        );
                    }
                    Some(Complaint::Gone) => {
                        tracing::warn!(
                            webhook = self.name,
                            "the webhook's receiver says that it is gone; asking now and then"
                        );
                    }
                    None => tracing::debug!(webhook = self.name, reason, "an event could not be delivered"),
                },
            }
            self.wait(source, progress, entry).await;
        }
    }

    /// Waits as the back-off says, and keeps the lag current meanwhile.
    async fn wait(&self, source: &Source, progress: &Progress, pending: &AuditEntry) {
        let mut left = progress.backoff.wait(random::<1>()[0]);
        while !left.is_zero() {
            self.report(source, progress, Some(pending)).await;
            let step = left.min(super::EVERY);
            tokio::time::sleep(step).await;
            left -= step;
        }
    }

    /// The lag: entries of the log that are not done with, and the age of the event that is stuck.
    async fn report(&self, source: &Source, progress: &Progress, pending: Option<&AuditEntry>) {
        let newest = source.store.newest().await.unwrap_or(progress.at);
        let age = pending.map_or(Duration::ZERO, |entry| source.clock.now().since(entry.at));
        let events = u64::try_from(newest - progress.at).unwrap_or(0);
        metrics::gauge!("counterfoil_webhook_lag_events", "name" => self.name.clone()).set(gauge_value(events));
        metrics::gauge!("counterfoil_webhook_lag_seconds", "name" => self.name.clone()).set(age.as_secs_f64());
    }

    async fn attempt(&self, message: &Message, seconds: i64) -> Attempt {
        let request = Request::post(self.url.uri().clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, concat!("counterfoil/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", seconds)
            .header("webhook-signature", self.secrets.sign(message, seconds))
            .body(Full::new(message.body.clone()))
            .expect("a checked URL, and headers of plain ASCII");
        match outgoing::send(&self.client, request).await {
            Ok(answer) if answer.status.is_success() => Attempt::Received,
            Ok(answer) if answer.status == StatusCode::GONE => Attempt::Failed(Complaint::Gone, "410 Gone".into()),
            Ok(answer) => Attempt::Failed(Complaint::Failing, format!("it answered {}", answer.status.as_u16())),
            Err(reason) => Attempt::Failed(Complaint::Failing, reason),
        }
    }
}

/// Moves the durable cursor. If the store cannot do that now, the next move makes up for it; after a crash before that, the
/// receiver sees some events twice.
pub(super) async fn keep(source: &Source, reader: &str, at: i64) {
    if let Err(error) = source.store.move_reader(reader, at).await {
        tracing::debug!(%error, reader, "the cursor stays behind");
    }
}
