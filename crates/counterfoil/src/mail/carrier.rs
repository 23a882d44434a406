//! Through what letters go out.

use super::outbox::{Outbox, Shown};
use super::{MailError, TemplateError};
use crate::clock::{on_the_system, random};
use crate::config::{MailConfig, Security, SmtpUrl};
use crate::secret_text;
use counterfoil_core::user::Email;
use counterfoil_core::{Secret, Timestamp};
use counterfoil_guard::base64url_encode;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use std::time::Duration;

/// How long the server may take for each of its answers.
const ANSWERS_WITHIN: Duration = Duration::from_secs(20);

/// Why a letter did not go out.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// Nobody will ever take it so.
    #[error("refused for good: {0}")]
    Refused(String),
    /// Perhaps later, the server says.
    #[error("not now: {0}")]
    Later(String),
    /// The server cannot be talked to.
    #[error("the mail server cannot be reached: {0}")]
    Unreachable(String),
    /// It cannot be written.
    #[error(transparent)]
    Template(#[from] TemplateError),
}

impl SendError {
    /// Its words for the log, which must not name the address: a server likes to say it.
    pub fn without(&self, to: &Email) -> String {
        self.to_string().to_ascii_lowercase().replace(&to.key(), "(the address)")
    }
}

/// RFC 3834 section 5: what answers by itself does not answer this.
#[derive(Clone, Copy)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// Where letters go.
pub(super) enum Carrier {
    /// To a server.
    Smtp { from: Mailbox, transport: Box<AsyncSmtpTransport<Tokio1Executor>> },
    /// Nowhere: they are shown.
    Outbox(Outbox),
}

impl Carrier {
    pub(super) fn prepare(config: &MailConfig) -> Result<Option<Self>, MailError> {
        if config.outbox {
            return Ok(Some(Self::Outbox(Outbox::new())));
        }
        let (Some(smtp), Some(from)) = (&config.smtp, &config.from) else { return Ok(None) };
        let wrong = |_| {
            let expected = "expected an address such as \"no-reply@example.com\" or \"Example <no-reply@example.com>\"";
            MailError::Smtp { key: "mail.from", reason: expected.to_owned() }
        };
        let from: Mailbox = from.parse().map_err(wrong)?;
        let password =
            secret_text::read("mail.password", config.password_file.as_deref(), config.password_env.as_deref())?;
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&smtp.host)
            .port(smtp.port)
            .timeout(Some(ANSWERS_WITHIN))
            .tls(tls(smtp, config)?);
        if let (Some(name), Some(password)) = (&config.username, password) {
            builder = builder.credentials(Credentials::new(name.clone(), password.expose().clone()));
        }
        Ok(Some(Self::Smtp { from, transport: Box::new(builder.build()) }))
    }

    pub(super) const fn outbox(&self) -> Option<&Outbox> {
        match self {
            Self::Smtp { .. } => None,
            Self::Outbox(outbox) => Some(outbox),
        }
    }

    pub(super) async fn send(
        &self,
        (to, now): (&Email, Timestamp),
        (subject, plain, html): (String, Secret<String>, Secret<String>),
    ) -> Result<(), SendError> {
        match self {
            Self::Outbox(outbox) => {
                outbox.put(Shown { to: to.as_str().to_owned(), at: now, subject, plain, html });
                Ok(())
            }
            Self::Smtp { from, transport } => {
                let message = message((from, to, now), subject, (&plain, &html))?;
                match transport.send(message).await {
                    Ok(_) => Ok(()),
                    Err(error) if error.is_permanent() => Err(SendError::Refused(error.to_string())),
                    Err(error) if error.is_transient() => Err(SendError::Later(error.to_string())),
                    Err(error) => Err(SendError::Unreachable(in_full(&error))),
                }
            }
        }
    }
}

fn message(
    (from, to, now): (&Mailbox, &Email, Timestamp),
    subject: String,
    (plain, html): (&Secret<String>, &Secret<String>),
) -> Result<Message, SendError> {
    let refused = |error: &dyn std::error::Error| SendError::Refused(error.to_string());
    let address: Address = to.as_str().parse().map_err(|error| refused(&error))?;
    let both = MultiPart::alternative_plain_html(plain.expose().clone(), html.expose().clone());
    Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, address))
        .date(on_the_system(now))
        .message_id(Some(format!("<{}@{}>", base64url_encode(&random::<18>()), from.email.domain())))
        .header(AutoSubmitted)
        .subject(subject)
        .multipart(both)
        .map_err(|error| refused(&error))
}

/// With what lies below: "Connection error" alone helps nobody.
fn in_full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut below = error.source();
    while let Some(cause) = below {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        below = cause.source();
    }
    text
}

fn tls(smtp: &SmtpUrl, config: &MailConfig) -> Result<Tls, MailError> {
    if smtp.security == Security::None {
        return Ok(Tls::None);
    }
    let wrong = |key: &'static str| move |reason: String| MailError::Smtp { key, reason };
    let mut parameters = TlsParameters::builder(smtp.host.clone());
    if let Some(path) = &config.authority {
        let pem =
            std::fs::read(path).map_err(|error| wrong("mail.authority")(format!("{}: {error}", path.display())))?;
        let certificate = Certificate::from_pem(&pem).map_err(|error| wrong("mail.authority")(error.to_string()))?;
        parameters = parameters.add_root_certificate(certificate);
    }
    let parameters = parameters.build_rustls().map_err(|error| wrong("mail.smtp")(error.to_string()))?;
    Ok(if smtp.security == Security::Tls { Tls::Wrapper(parameters) } else { Tls::Required(parameters) })
}
