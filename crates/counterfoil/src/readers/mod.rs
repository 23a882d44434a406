//! Readers of the logs: each tells one place elsewhere what has happened, from its own cursor and in a task of its own. What one
//! waits for stops neither the others nor anything else here. None of them counts for S2: only guards of the feed do. One of them only counts.

mod activity;
mod backoff;
mod logout;
mod message;
mod notices;
mod redis_mirror;
mod streams;
mod teller;
mod webhook;

use crate::clock::Clock;
use crate::config::Config;
use crate::feed::Feed;
use crate::keyring::Keys;
use crate::mail::Mail;
use crate::public_url::PublicUrl;
use crate::replica;
use crate::secret_text::SecretError;
use crate::store::{ReplicaId, Store, StoreError};
use counterfoil_core::credential::factor_key::FactorKeys;
use counterfoil_guard::Algorithm;
use logout::Logout;
use notices::Notices;
use redis_mirror::Mirror;
use std::sync::Arc;
use std::time::Duration;
use streams::Streams;
use teller::Teller as _;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use webhook::Webhook;

pub use message::{Message, SigningSecrets};
use notices::PLACE as NOTICES;

/// For how long a replica leads once it has asked, and how often it asks.
const LEAD_FOR: Duration = Duration::from_secs(15);
const ASK_EVERY: Duration = Duration::from_secs(5);

/// How often a reader looks without having been woken.
const EVERY: Duration = Duration::from_secs(1);

/// Under which name the place of a webhook of this name is kept.
fn place_of(webhook: &str) -> String {
    format!("webhook:{webhook}")
}

/// The places in the audit log of those who read it by this configuration: what they have not read must stay.
pub(crate) fn places(config: &Config) -> Vec<String> {
    let webhooks = config.webhooks.iter().map(|webhook| place_of(&webhook.name));
    let told = config.applications.iter().filter(|(_, own)| own.logout_url().is_some());
    let logouts = told.map(|(name, _)| Logout::place_of(name));
    webhooks.chain(logouts).chain(tells_people(config).then(|| NOTICES.to_owned())).collect()
}

fn tells_people(config: &Config) -> bool {
    config.mail.is_on() && config.mail.notices
}

/// Why a reader cannot begin. Never holds a secret.
#[derive(Debug, thiserror::Error)]
pub enum ReaderError {
    /// A secret that the configuration names.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// It is not a signing secret.
    #[error(
        "{key}: expected `whsec_` and base64 of 32 to 64 random bytes, one or two lines of it; make one with: \
         echo \"whsec_$(openssl rand -base64 32)\""
    )]
    BadSecret {
        /// For which key of the configuration.
        key: String,
    },
    /// An https receiver could not be told from any other.
    #[error("no certificates of authorities are installed, so no https receiver can be told anything: {0}")]
    NoAuthorities(std::io::Error),
    /// The Redis client does not take the address.
    #[error("redis_mirror.url: {0}")]
    Redis(#[from] redis::RedisError),
}

/// What readers read.
#[derive(Clone)]
pub struct Source {
    /// The audit log, and cursors in it.
    pub store: Arc<dyn Store>,
    /// The revocation log, and word of news.
    pub feed: Arc<Feed>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What signs.
    pub keys: Arc<Keys>,
    /// Where people reach this server: the issuer of what it signs.
    pub public: PublicUrl,
    /// By which algorithm.
    pub algorithm: Algorithm,
    /// What opens the secrets that are kept beside what is read.
    pub factors: Arc<FactorKeys>,
    /// What sends mail, if anything does.
    pub mail: Option<Arc<Mail>>,
    /// Which of the processes this is that share the store, if several can.
    pub replica: Option<ReplicaId>,
}

impl Source {
    /// Whether this is the process that does a job for the next while.
    async fn leads(&self, job: &str) -> bool {
        replica::leads(self.store.as_ref(), self.replica, self.clock.now(), (job, LEAD_FOR)).await
    }

    /// Waits until there may be something new. Revocations wake at once; for what else happens a look each second has to do.
    async fn news(&self, news: &mut watch::Receiver<u64>) {
        // Either way the reader looks again; the sender lives as long as the feed does.
        drop(tokio::time::timeout(EVERY, news.changed()).await);
    }
}

/// The readers an operator asked for, ready to begin.
pub struct Readers {
    webhooks: Vec<Webhook>,
    logouts: Vec<Logout>,
    /// Of all that have one in the audit log.
    places: Vec<String>,
    mirror: Option<Mirror>,
    streams: Option<Streams>,
    notices: bool,
}

impl Readers {
    /// Reads the secrets; what is wrong with them is said at the start and not in production.
    pub fn prepare(config: &Config) -> Result<Self, ReaderError> {
        let webhooks = config.webhooks.iter().map(Webhook::prepare).collect::<Result<_, _>>()?;
        let logouts = Logout::prepare(config)?;
        let mirror = config.redis_mirror.as_ref().map(Mirror::prepare).transpose()?;
        let streams = config.ssf.enabled.then(|| Streams::prepare(config)).transpose()?;
        Ok(Self { webhooks, logouts, places: places(config), mirror, streams, notices: tells_people(config) })
    }

    /// Gives each reader of the audit log its place in it. To be called before anybody is served: a new one begins here.
    pub async fn settle(&self, store: &dyn Store) -> Result<(), StoreError> {
        for place in &self.places {
            store.reader(place).await?;
        }
        Ok(())
    }

    /// Starts them, each until its `stop` resolves. Stopping waits for nobody: what was under way is sent again after the
    /// next start.
    pub fn start<S: Future<Output = ()> + Send + 'static>(
        self,
        source: &Source,
        stop: impl Fn() -> S,
    ) -> Vec<JoinHandle<()>> {
        let readers = self.webhooks.into_iter().map(|webhook| Reader::Webhook(Box::new(webhook)));
        let readers = readers.chain(self.logouts.into_iter().map(|logout| Reader::Logout(Box::new(logout))));
        let readers = readers.chain(self.mirror.into_iter().map(|mirror| Reader::Mirror(Box::new(mirror))));
        let readers = readers.chain(self.streams.into_iter().map(|streams| Reader::Streams(Box::new(streams))));
        let notices =
            source.mail.as_ref().filter(|_| self.notices).map(|mail| Reader::Notices(Notices::new(Arc::clone(mail))));
        let readers = readers.chain(notices).chain([Reader::Activity]);
        readers.map(|reader| until(stop(), alone(reader, source.clone()))).collect()
    }
}

/// One of them.
enum Reader {
    Webhook(Box<Webhook>),
    Logout(Box<Logout>),
    Mirror(Box<Mirror>),
    Streams(Box<Streams>),
    Notices(Notices),
    Activity,
}

impl Reader {
    fn job(&self) -> String {
        match self {
            Self::Webhook(webhook) => webhook.place(),
            Self::Logout(logout) => logout.place(),
            Self::Mirror(_) => "redis_mirror".to_owned(),
            Self::Streams(_) => streams::JOB.to_owned(),
            Self::Notices(_) => NOTICES.to_owned(),
            Self::Activity => activity::JOB.to_owned(),
        }
    }

    /// Another replica measures now.
    fn measure_nothing(&self) {
        match self {
            Self::Webhook(webhook) => teller::measure_nothing(webhook.as_ref()),
            Self::Logout(logout) => teller::measure_nothing(logout.as_ref()),
            Self::Mirror(_) => redis_mirror::measure_nothing(),
            Self::Streams(_) => Streams::measure_nothing(),
            Self::Notices(_) | Self::Activity => {}
        }
    }

    async fn run(&self, source: &Source) {
        match self {
            Self::Webhook(webhook) => teller::run(webhook.as_ref(), source).await,
            Self::Logout(logout) => teller::run(logout.as_ref(), source).await,
            Self::Mirror(mirror) => mirror.run(source).await,
            Self::Streams(streams) => streams.run(source).await,
            Self::Notices(notices) => notices.run(source).await,
            Self::Activity => activity::run(source).await,
        }
    }
}

/// Runs a reader for as long as no other replica does. When it changes, what was under way is done once more.
async fn alone(reader: Reader, source: Source) {
    let job = reader.job();
    loop {
        if source.leads(&job).await {
            tokio::select! {
                () = reader.run(&source) => {}
                () = lost(&source, &job) => {
                    tracing::info!(job, "another replica goes on with this");
                    reader.measure_nothing();
                }
            }
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

/// Resolves when another replica leads, or nobody knows who does.
async fn lost(source: &Source, job: &str) {
    loop {
        tokio::time::sleep(ASK_EVERY).await;
        if !source.leads(job).await {
            return;
        }
    }
}

/// Runs one reader in its own task.
fn until(
    stop: impl Future<Output = ()> + Send + 'static,
    reader: impl Future<Output = ()> + Send + 'static,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        tokio::select! {
            () = stop => {}
            () = reader => {}
        }
    })
}

/// For a gauge; beyond 2^32 the exact number says nothing more.
fn gauge_value(number: u64) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}
