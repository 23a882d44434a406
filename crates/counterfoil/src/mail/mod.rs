//! Mail: what letters there are, and through what they go out. Knows nobody's account: flows decide what is sent to whom.

mod carrier;
mod letter;
mod outbox;
mod templates;

pub use carrier::SendError;
pub use letter::{Letter, Seen, What};
pub use outbox::{Outbox, Shown};
pub use templates::TemplateError;

use crate::config::MailConfig;
use crate::public_url::PublicUrl;
use crate::secret_text::SecretError;
use carrier::Carrier;
use counterfoil_core::Timestamp;
use counterfoil_core::UserId;
use counterfoil_core::credential::mail_link::Purpose;
use counterfoil_core::user::Email;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::fmt;
use templates::{Templates, Text};
use tokio::sync::{Semaphore, mpsc};

/// How many connections to the mail server there are at once.
const CONNECTIONS: usize = 8;

/// How many letters may wait to be written. Beyond it nothing more is taken on (A8).
const MOST_WAITING: usize = 1024;

/// Why no mail can be sent. Never holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The password for the server.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A template of the operator's.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The way to the server.
    #[error("{key}: {reason}")]
    Smtp {
        /// Which key of the configuration.
        key: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The outbox would be seen by others.
    #[error(
        "mail.outbox: it shows everybody's mail to whoever opens it, so `public_url` must be http and this machine (localhost)"
    )]
    OutboxInPublic,
}

/// What is sealed into a link: what it does once it is opened.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Held {
    /// Makes an account.
    Register {
        /// Its address.
        email: String,
        /// What its user likes to be called.
        name: Option<String>,
        /// Its password hash.
        hash: String,
        /// The invitation, by its hash.
        invite: Option<[u8; 32]>,
        /// Which request it goes on with: the browser that has made it holds the same.
        asked: [u8; 16],
    },
    /// Makes an account that begins with a passkey.
    SignUp {
        /// Its address.
        email: String,
        /// What its user likes to be called.
        name: Option<String>,
        /// The invitation, by its hash.
        invite: Option<[u8; 32]>,
        /// The application to sign in to.
        application: String,
    },
    /// Lets its owner choose another password.
    Reset,
    /// Signs in.
    SignIn {
        /// To which application.
        application: String,
        /// Whether the session outlives the browser.
        remember: bool,
        /// Which request it goes on with.
        asked: [u8; 16],
    },
    /// Gives the account another address.
    ChangeEmail {
        /// The one it has.
        from: String,
        /// The one it shall have.
        to: String,
    },
}

impl fmt::Debug for Held {
    /// Nothing of what it holds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Held({})", self.purpose().as_str())
    }
}

impl Held {
    /// What the link is for.
    pub const fn purpose(&self) -> Purpose {
        match self {
            Self::Register { .. } => Purpose::Register,
            Self::SignUp { .. } => Purpose::SignUp,
            Self::Reset => Purpose::Reset,
            Self::SignIn { .. } => Purpose::SignIn,
            Self::ChangeEmail { .. } => Purpose::ChangeEmail,
        }
    }
}

/// Something that goes on in a mail. Whether the address is an account's is looked up only when nobody waits for it any more (P1).
#[derive(Clone, Debug)]
pub enum Asked {
    /// A link.
    Link {
        /// Where to.
        to: Email,
        /// Whose, where somebody signed in has asked.
        by: Option<UserId>,
        /// What it shall do.
        held: Held,
    },
    /// A letter as it is.
    Letter {
        /// Where to.
        to: Email,
        /// What it says.
        letter: Letter,
    },
}

/// More waits to be sent than is taken on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("more mail waits than is taken on")]
pub struct QueueFull;

/// The post office.
pub struct Mail {
    carrier: Carrier,
    templates: Templates,
    connections: Semaphore,
    queue: mpsc::Sender<Asked>,
    waiting: Mutex<Option<mpsc::Receiver<Asked>>>,
}

impl Mail {
    /// Reads templates and secrets, so that what is wrong with them is said at the start; `None` where no mail is sent.
    pub fn prepare(config: &MailConfig, service: &str, public: &PublicUrl) -> Result<Option<Self>, MailError> {
        if config.outbox && !public.is_local_http() {
            return Err(MailError::OutboxInPublic);
        }
        let Some(carrier) = Carrier::prepare(config)? else { return Ok(None) };
        let templates = Templates::load(config.templates.as_deref(), service, public)?;
        let (queue, waiting) = mpsc::channel(MOST_WAITING);
        let connections = Semaphore::new(CONNECTIONS);
        Ok(Some(Self { carrier, templates, connections, queue, waiting: Mutex::new(Some(waiting)) }))
    }

    /// Leaves something to be written and sent by whoever works on the queue.
    pub fn ask(&self, asked: Asked) -> Result<(), QueueFull> {
        self.queue.try_send(asked).map_err(|_| QueueFull)
    }

    /// The queue, for the one who works on it; `None` if somebody does.
    pub fn queue(&self) -> Option<mpsc::Receiver<Asked>> {
        self.waiting.lock().take()
    }

    /// Writes a letter and hands it over; returns when it has been taken.
    pub async fn send(&self, to: &Email, letter: &Letter, now: Timestamp) -> Result<(), SendError> {
        let Text { subject, plain, html } = self.templates.write(letter)?;
        let _connection = self.connections.acquire().await.expect("nobody closes it");
        let sent = self.carrier.send((to, now), (subject, plain, html)).await;
        let outcome = if sent.is_ok() { "sent" } else { "failed" };
        metrics::counter!("counterfoil_mails_total", "outcome" => outcome).increment(1);
        sent
    }

    /// What has been sent, where it is only shown.
    pub const fn outbox(&self) -> Option<&Outbox> {
        self.carrier.outbox()
    }
}

#[cfg(test)]
mod tests {
    use super::{Asked, Letter, Mail, QueueFull, What};
    use crate::config::MailConfig;
    use crate::public_url::PublicUrl;
    use counterfoil_core::user::Email;

    #[test]
    fn more_than_can_be_written_is_not_taken_on() {
        let public = PublicUrl::settle(None, "127.0.0.1:8080".parse().expect("an address"), false).expect("a URL");
        let config = MailConfig { outbox: true, ..MailConfig::default() };
        let mail = Mail::prepare(&config, "Tea", &public).expect("prepared").expect("on");
        let to = Email::parse("ada@example.com").expect("an address");
        let ask = || mail.ask(Asked::Letter { to: to.clone(), letter: Letter::plain(What::AlreadyHere) });
        for _ in 0..super::MOST_WAITING {
            assert_eq!(ask(), Ok(()));
        }
        assert_eq!(ask(), Err(QueueFull), "A8");
        assert!(mail.queue().is_some() && mail.queue().is_none(), "one works on it");
    }
}
