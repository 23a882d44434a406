//! Signed webhooks: the audit log, told to a receiver of the operator's, event by event, each until it has answered 2xx.

use super::backoff::Complaint;
use super::teller::{Attempt, Teller};
use super::{Message, ReaderError, SigningSecrets, Source};
use crate::config::{Events, OutgoingUrl, WebhookConfig};
use crate::outgoing::{self, Outgoing};
use crate::secret_text;
use crate::store::StoreError;
use counterfoil_core::audit::{AuditEntry, Event};
use http::{Request, header};
use http_body_util::Full;
use metrics::{Counter, Gauge};

/// A webhook, ready to begin.
pub(super) struct Webhook {
    name: String,
    url: OutgoingUrl,
    secrets: SigningSecrets,
    events: Events,
    client: Outgoing,
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
}

impl Teller for Webhook {
    type Message = Message;

    fn place(&self) -> String {
        super::place_of(&self.name)
    }

    fn concerns(&self, event: Event) -> bool {
        self.events.contain(event)
    }

    async fn messages(&self, source: &Source, (seq, entry): (i64, &AuditEntry)) -> Result<Vec<Message>, StoreError> {
        Ok(vec![Message::of(source.feed.log(), seq, entry)])
    }

    fn name(message: &Message) -> &str {
        &message.id
    }

    async fn attempt(&self, source: &Source, message: &Message) -> Attempt {
        let seconds = source.clock.now().as_seconds();
        let request = Request::post(self.url.uri().clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::USER_AGENT, outgoing::USER_AGENT)
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", seconds)
            .header("webhook-signature", self.secrets.sign(message, seconds))
            .body(Full::new(message.body.clone()))
            .expect("a checked URL, and headers of plain ASCII");
        match outgoing::send(&self.client, request).await {
            Ok(answer) => Attempt::by(answer.status),
            Err(reason) => Attempt::Failed(Complaint::Failing, reason),
        }
    }

    fn attempts(&self, outcome: &'static str) -> Counter {
        metrics::counter!("counterfoil_webhook_attempts_total", "name" => self.name.clone(), "outcome" => outcome)
    }

    fn lag(&self) -> [Gauge; 2] {
        [
            metrics::gauge!("counterfoil_webhook_lag_events", "name" => self.name.clone()),
            metrics::gauge!("counterfoil_webhook_lag_seconds", "name" => self.name.clone()),
        ]
    }
}
