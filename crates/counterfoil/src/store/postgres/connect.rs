//! Connections: made to the host that takes writes, bounded in number, each with its statements prepared once.

use super::hosts::Hosts;
use deadpool::managed::{Manager, Metrics, RecycleError, RecycleResult};
use futures_util::future::poll_fn;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, Config, Error, Row, Statement};
use tokio_postgres_rustls::MakeRustlsConnect;

/// What statements are given.
pub(super) type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// How long one host may take until it has answered the first question.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);

/// What the server says when a commit that should have reached the standby was given up waiting for; it goes on to say that the
/// commit has been done.
const NOT_REPLICATED: &str = "canceling wait for synchronous replication";

/// Where in the server that is said: the same in every language.
const WAITING: &str = "SyncRepWaitForLSN";

/// The channel on which replicas tell each other of news.
pub(super) const CHANNEL: &str = "counterfoil";

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    /// The host, or what is between, says no.
    #[error("{0}")]
    Refused(#[from] Error),
    /// It takes the connection and says nothing.
    #[error("{0} does not answer")]
    Silent(String),
}

impl ConnectError {
    /// Whether the host takes no writes.
    pub(super) fn is_standby(&self) -> bool {
        let Self::Refused(error) = self else { return false };
        let source = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
        [error.to_string(), source].iter().any(|text| text.contains("does not allow writes"))
    }
}

/// Makes connections.
#[derive(Clone)]
pub(super) struct Connector {
    hosts: Arc<Hosts>,
    tls: MakeRustlsConnect,
    /// Whether a connection has to show first that commits on it are confirmed.
    confirmed: bool,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("hosts", &self.hosts).finish_non_exhaustive()
    }
}

/// One connection to the primary.
#[derive(Debug)]
pub(super) struct Connection {
    client: Client,
    prepared: Mutex<HashMap<&'static str, Statement>>,
    /// Whether an answer is awaited: whoever finds it so has been left alone with somebody else's question.
    busy: AtomicBool,
    /// Whether a commit has been acknowledged that the standby may not have.
    doubtful: Arc<AtomicBool>,
    hosts: Arc<Hosts>,
    /// The round it is of: when that is over, so is this.
    epoch: u64,
}

impl Connector {
    pub(super) const fn new(hosts: Arc<Hosts>, tls: MakeRustlsConnect) -> Self {
        Self { hosts, tls, confirmed: false }
    }

    /// From here on a connection counts only once a commit on it has been confirmed: an old primary that has been cut off yields none.
    pub(super) fn confirming(self) -> Self {
        Self { confirmed: true, ..self }
    }

    /// The hosts it knows.
    pub(super) const fn hosts(&self) -> &Arc<Hosts> {
        &self.hosts
    }

    /// Connects to the host that takes writes; `news` is told of what comes on the channel, if it is listened to.
    pub(super) async fn connect(&self, news: Option<watch::Sender<u64>>) -> Result<Connection, ConnectError> {
        let mut errors = Vec::new();
        for (index, config) in self.hosts.in_order() {
            let made = tokio::time::timeout(CONNECT_WITHIN, self.connect_to(config, news.clone())).await;
            match made.unwrap_or_else(|_| Err(ConnectError::Silent(format!("host {} of {}", index + 1, self.hosts)))) {
                Ok(connection) => {
                    self.hosts.prefer(index);
                    return Ok(connection);
                }
                Err(error) => errors.push(error),
            }
        }
        Err(Hosts::worst(errors).unwrap_or_else(|| ConnectError::Silent(self.hosts.to_string())))
    }

    async fn connect_to(&self, config: &Config, news: Option<watch::Sender<u64>>) -> Result<Connection, ConnectError> {
        let epoch = self.hosts.epoch();
        let (client, mut connection) = config.connect(self.tls.clone()).await?;
        let doubtful = Arc::new(AtomicBool::new(false));
        let doubt = Arc::clone(&doubtful);
        tokio::spawn(async move {
            // An error is the end: whoever waits for an answer is told when this lets go of the connection.
            while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
                match message {
                    // Before the answer that it belongs to is handed on.
                    AsyncMessage::Notice(notice)
                        if notice.routine() == Some(WAITING) || notice.message().starts_with(NOT_REPLICATED) =>
                    {
                        tracing::error!(notice = notice.message(), "a commit may not be on the standby");
                        doubt.store(true, Ordering::Release);
                    }
                    AsyncMessage::Notification(_) => {
                        if let Some(news) = &news {
                            news.send_modify(|count| *count += 1);
                        }
                    }
                    _ => {}
                }
            }
        });
        // Whatever the role's own settings: deadlines are ours, locks are not waited for without end, and a commit that does
        // not wait for the disk is none. Every statement of ours finds its rows by a key, whatever the values are.
        client
            .batch_execute(
                "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = '10s'; SET lock_timeout = '3s'; \
                 SET plan_cache_mode = force_generic_plan; \
                 SELECT CASE WHEN current_setting('synchronous_commit') IN ('off', 'local') \
                   THEN set_config('synchronous_commit', 'on', false) END",
            )
            .await?;
        if self.confirmed {
            client.batch_execute("SELECT seq FROM log_head FOR KEY SHARE").await?;
        }
        let (prepared, busy, hosts) = (Mutex::default(), AtomicBool::new(false), Arc::clone(&self.hosts));
        Ok(Connection { client, prepared, busy, doubtful, hosts, epoch })
    }
}

impl Connection {
    /// For statements that are made at run time.
    pub(super) const fn client(&self) -> &Client {
        &self.client
    }

    async fn prepare(&self, sql: &'static str) -> Result<Statement, Error> {
        let known = self.prepared.lock().get(sql).cloned();
        if let Some(statement) = known {
            return Ok(statement);
        }
        let statement = self.client.prepare(sql).await?;
        self.prepared.lock().insert(sql, statement.clone());
        Ok(statement)
    }

    /// Prepares these, so that what is sent after it goes out at once and in its order.
    pub(super) async fn prepare_all(&self, all: &[&'static str]) -> Result<(), Error> {
        for sql in all {
            self.prepare(sql).await?;
        }
        Ok(())
    }

    /// All rows.
    pub(super) async fn query(&self, sql: &'static str, params: Params<'_>) -> Result<Vec<Row>, Error> {
        self.answered(async {
            let statement = self.prepare(sql).await?;
            self.client.query(&statement, params).await
        })
        .await
    }

    /// The row, if there is one.
    pub(super) async fn optional(&self, sql: &'static str, params: Params<'_>) -> Result<Option<Row>, Error> {
        self.answered(async {
            let statement = self.prepare(sql).await?;
            self.client.query_opt(&statement, params).await
        })
        .await
    }

    /// The row there always is.
    pub(super) async fn one(&self, sql: &'static str, params: Params<'_>) -> Result<Row, Error> {
        self.answered(async {
            let statement = self.prepare(sql).await?;
            self.client.query_one(&statement, params).await
        })
        .await
    }

    /// How many rows were changed.
    pub(super) async fn execute(&self, sql: &'static str, params: Params<'_>) -> Result<u64, Error> {
        self.answered(async {
            let statement = self.prepare(sql).await?;
            self.client.execute(&statement, params).await
        })
        .await
    }

    /// Several statements without parameters.
    pub(super) async fn run(&self, sql: &str) -> Result<(), Error> {
        self.answered(self.client.batch_execute(sql)).await
    }

    async fn answered<T>(&self, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
        self.busy.store(true, Ordering::Release);
        let outcome = work.await;
        self.busy.store(false, Ordering::Release);
        outcome
    }

    /// Whether a commit here may not have reached the standby.
    pub(super) fn is_doubtful(&self) -> bool {
        self.doubtful.load(Ordering::Acquire)
    }

    pub(super) fn is_usable(&self) -> bool {
        !self.client.is_closed()
            && self.epoch == self.hosts.epoch()
            && !self.is_doubtful()
            && !self.busy.load(Ordering::Acquire)
    }
}

impl Manager for Connector {
    type Type = Connection;
    type Error = ConnectError;

    async fn create(&self) -> Result<Connection, ConnectError> {
        self.connect(None).await
    }

    async fn recycle(&self, connection: &mut Connection, _: &Metrics) -> RecycleResult<ConnectError> {
        if connection.is_usable() { Ok(()) } else { Err(RecycleError::message("not to be used any more")) }
    }
}
