//! `OpenID` Connect Back-Channel Logout 1.0: an application that has named an address is told of each of its sessions when it has ended,
//! however that was. It hears nothing of other applications' sessions, and nothing of one whose time is over.

use super::backoff::Complaint;
use super::teller::{Attempt, Teller};
use super::{ReaderError, Source};
use crate::config::{Config, OutgoingUrl};
use crate::outgoing::{self, Outgoing};
use crate::store::StoreError;
use crate::store::ended::{ended_by, ends_sessions};
use bytes::Bytes;
use counterfoil_core::audit::{AuditEntry, Event};
use counterfoil_core::logout_token::{self, jti};
use counterfoil_core::{Sid, UserId};
use counterfoil_guard::Algorithm;
use http::{Request, StatusCode, header};
use http_body_util::Full;
use metrics::{Counter, Gauge};
use serde::Deserialize;

/// How much of what a receiver says of its refusal is logged.
const WORDS: usize = 120;

/// What tells an application, ready to begin.
pub(super) struct Logout {
    application: String,
    url: OutgoingUrl,
    algorithm: Algorithm,
    client: Outgoing,
}

/// A session that has ended.
pub(super) struct Message {
    jti: String,
    user: UserId,
    sid: Sid,
}

impl Logout {
    /// One for each application that wants to be told.
    pub(super) fn prepare(config: &Config) -> Result<Vec<Self>, ReaderError> {
        let told = config.applications.iter().filter_map(|(name, own)| Some((name, own, own.logout_url()?)));
        let prepare = |(application, own, url): (&String, &crate::config::ApplicationConfig, &OutgoingUrl)| {
            let client = outgoing::client(url.is_https(), outgoing::MAX_ANSWER).map_err(ReaderError::NoAuthorities)?;
            let algorithm = own.algorithm.unwrap_or(config.keys.algorithm).0;
            Ok(Self { application: application.clone(), url: url.clone(), algorithm, client })
        };
        told.map(prepare).collect()
    }

    /// Under which name the place of this application is kept.
    pub(super) fn place_of(application: &str) -> String {
        format!("logout:{application}")
    }
}

impl Teller for Logout {
    type Message = Message;

    const OUTCOMES: &'static [&'static str] = &["received", "failed", "refused", "passed_over"];

    fn place(&self) -> String {
        Self::place_of(&self.application)
    }

    fn concerns(&self, event: Event) -> bool {
        ends_sessions(event)
    }

    async fn messages(&self, source: &Source, (seq, entry): (i64, &AuditEntry)) -> Result<Vec<Message>, StoreError> {
        let ended = ended_by(source.store.as_ref(), entry).await?;
        let own = ended.into_iter().filter(|session| session.application == self.application);
        let log = source.feed.log();
        Ok(own.map(|own| Message { jti: jti(log, seq, own.sid), user: own.user, sid: own.sid }).collect())
    }

    fn name(message: &Message) -> &str {
        &message.jti
    }

    async fn attempt(&self, source: &Source, message: &Message) -> Attempt {
        let said = logout_token::Logout {
            issuer: source.public.issuer(),
            application: &self.application,
            user: message.user,
            sid: message.sid,
            jti: &message.jti,
        };
        // Anew for each attempt: by a key that is still published, and no older than the attempt.
        let token = logout_token::sign(source.keys.ring().signing(self.algorithm), &said, source.clock.now());
        let request = Request::post(self.url.uri().clone())
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header::USER_AGENT, outgoing::USER_AGENT)
            // Nothing in a JWT has to be escaped.
            .body(Full::new(Bytes::from(format!("logout_token={token}"))))
            .expect("a checked URL, and headers of plain ASCII");
        match outgoing::send(&self.client, request).await {
            Ok(answer) if answer.status == StatusCode::BAD_REQUEST => Attempt::Refused(words(answer.body.as_deref())),
            Ok(answer) => Attempt::by(answer.status),
            Err(reason) => Attempt::Failed(Complaint::Failing, reason),
        }
    }

    fn attempts(&self, outcome: &'static str) -> Counter {
        let application = self.application.clone();
        metrics::counter!(
            "counterfoil_backchannel_logout_attempts_total", "application" => application, "outcome" => outcome
        )
    }

    fn lag(&self) -> [Gauge; 2] {
        let application = || self.application.clone();
        [
            metrics::gauge!("counterfoil_backchannel_logout_lag_events", "application" => application()),
            metrics::gauge!("counterfoil_backchannel_logout_lag_seconds", "application" => application()),
        ]
    }
}

/// What section 2.8 lets a receiver say of why it cannot do it, as far as it is plain text (RFC 6749 section 5.2).
#[derive(Deserialize)]
struct Refusal {
    error: String,
    #[serde(default)]
    error_description: String,
}

fn words(body: Option<&[u8]>) -> String {
    let plain = |text: &str| text.chars().filter(|char| matches!(char, ' '..='~')).take(WORDS).collect::<String>();
    match body.map(serde_json::from_slice::<Refusal>) {
        Some(Ok(said)) => format!("it answered 400: {} {}", plain(&said.error), plain(&said.error_description)),
        _ => "it answered 400".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn what_a_receiver_says_of_its_refusal_is_logged_in_one_short_line_and_nothing_else_of_it() {
        for (body, expected) in [
            (None, "it answered 400"),
            (Some("<h1>Bad Request</h1>"), "it answered 400"),
            (Some(r#"{"error":"invalid_request"}"#), "it answered 400: invalid_request "),
            (Some(r#"{"error":"a\nb","error_description":"c\u001b[2Jd"}"#), "it answered 400: ab c[2Jd"),
            (Some(r#"{"error":7}"#), "it answered 400"),
        ] {
            assert_eq!(words(body.map(str::as_bytes)), expected, "{body:?}");
        }
        let long = format!(r#"{{"error":"e","error_description":"{}"}}"#, "x".repeat(10_000));
        assert!(words(Some(long.as_bytes())).len() < 160);
    }
}
