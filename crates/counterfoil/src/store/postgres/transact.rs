//! What one call of the store is made of: a connection for a while, a transaction, and what to do when it fails.

use super::connect::{ConnectError, Connection, Connector};
use super::hosts::Hosts;
use super::id::Id;
use crate::clock::random;
use crate::store::StoreError;
use crate::telemetry::{function_of, span};
use deadpool::managed::{Object, Pool, PoolError, TimeoutType};
use std::ops::Deref;
use std::time::Duration;
use tokio::time::Instant;
use tokio_postgres::Error;
use tokio_postgres::error::SqlState;
use tracing::Span;

/// How long one attempt may take. The server goes on with what it has begun, so this is an end of waiting and not of the work.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// How often something that has certainly not been done is tried.
const ATTEMPTS: u32 = 9;

/// The first wait between attempts; each is twice the one before.
const FIRST_WAIT: Duration = Duration::from_millis(8);

/// Why an attempt failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// The engine failed, and has certainly committed nothing.
    NotDone(Error),
    /// The engine failed at a moment at which it may have committed.
    Unknown(Error),
    /// It has committed here, and the standby may not have it.
    Doubtful,
    /// It took too long; nobody knows what has been done.
    Late,
    /// There is no connection.
    Pool(PoolError<ConnectError>),
    /// The store's own word.
    Store(StoreError),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::NotDone(error)
    }
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        Self::Pool(PoolError::Backend(error))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// For a statement that commits by itself: an answer that says no has undone it; a connection that breaks may have done it.
pub(super) fn committing(error: Error) -> Failure {
    // Somebody in between, or a server that is going down, may say no to what has been done.
    let sure = error.code().is_some_and(|code| !code.code().starts_with("08") && !code.code().starts_with("57"));
    if sure { Failure::NotDone(error) } else { Failure::Unknown(error) }
}

/// How often something has been tried.
#[derive(Debug, Default)]
pub(super) struct Retries(u32);

impl Retries {
    /// For what is done again anyway.
    pub(super) const fn spent() -> Self {
        Self(ATTEMPTS)
    }

    /// Returns after a while if it is to be tried again. What may have been done is not: only who has asked knows what that would
    /// mean.
    pub(super) async fn after(&mut self, failure: Failure) -> Result<(), StoreError> {
        let (why, error) = match failure {
            Failure::Store(error) => return Err(error),
            Failure::NotDone(error) if may_pass(&error) && self.0 < ATTEMPTS => {
                (error.code().map_or("connection", SqlState::code).to_owned(), error.to_string())
            }
            Failure::NotDone(error) => return Err(unavailable(&error)),
            Failure::Unknown(error) => {
                tracing::error!(%error, "the database failed at a commit; what has become of it is not known");
                return Err(failed("unknown"));
            }
            Failure::Doubtful => return Err(failed("not_replicated")),
            Failure::Late => {
                tracing::error!("the database did not answer in time");
                return Err(failed("late"));
            }
            Failure::Pool(PoolError::Timeout(TimeoutType::Wait)) => {
                failed("overloaded");
                return Err(StoreError::Overloaded);
            }
            Failure::Pool(PoolError::Backend(error)) if self.0 < ATTEMPTS => ("connect".to_owned(), error.to_string()),
            Failure::Pool(error) => {
                tracing::error!(%error, "no connection to the database");
                return Err(failed("no_connection"));
            }
        };
        let wait = FIRST_WAIT * (1 << self.0);
        self.0 += 1;
        metrics::counter!("counterfoil_store_retries_total", "why" => why).increment(1);
        tracing::debug!(%error, attempt = self.0, "trying again");
        // Two that have met must not meet again.
        tokio::time::sleep(wait.mul_f64(0.5 + f64::from(random::<1>()[0]) / 256.0)).await;
        Ok(())
    }
}

/// Whether it may go better another time.
fn may_pass(error: &Error) -> bool {
    let Some(code) = error.code() else { return error.is_closed() || error.as_db_error().is_none() };
    let passing = [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::LOCK_NOT_AVAILABLE,
        SqlState::ADMIN_SHUTDOWN,
        SqlState::CRASH_SHUTDOWN,
        SqlState::CANNOT_CONNECT_NOW,
        SqlState::TOO_MANY_CONNECTIONS,
        SqlState::READ_ONLY_SQL_TRANSACTION,
    ];
    passing.contains(code) || code.code().starts_with("08")
}

/// Logs what the engine said, here and nowhere else, and turns it into what a caller can act on.
pub(super) fn unavailable(error: &Error) -> StoreError {
    let detail = error.as_db_error().map(ToString::to_string);
    tracing::error!(%error, detail, "the store failed");
    failed("unavailable")
}

fn failed(kind: &'static str) -> StoreError {
    metrics::counter!("counterfoil_store_errors_total", "kind" => kind).increment(1);
    StoreError::Unavailable
}

/// An attempt, no longer than anybody waits for it.
pub(super) async fn in_time<T>(hosts: &Hosts, attempt: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    within(ANSWER_WITHIN, hosts, attempt).await
}

/// The same, and no longer than this. Whoever waits in vain spares the others the same.
pub(super) async fn within<T>(
    span: Duration,
    hosts: &Hosts,
    attempt: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let epoch = hosts.epoch();
    tokio::time::timeout(span.min(ANSWER_WITHIN), attempt).await.unwrap_or_else(|_| {
        hosts.suspect(epoch);
        Err(Failure::Late)
    })
}

/// Long work, tried once.
pub(super) async fn told<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, StoreError> {
    match Box::pin(work).await {
        Ok(done) => Ok(done),
        Err(failure) => Err(Retries::spent().after(failure).await.err().unwrap_or(StoreError::Unavailable)),
    }
}

/// Tries as often as it is safe, and turns what remains into the store's error.
macro_rules! again {
    ($store:expr, $attempt:expr) => {{
        let mut retries = $crate::store::postgres::transact::Retries::default();
        let here = || ();
        loop {
            let span = $crate::store::postgres::transact::span_of(std::any::type_name_of_val(&here));
            let attempt = tracing::Instrument::instrument($attempt, span);
            match $crate::store::postgres::transact::in_time(&$store.hosts, Box::pin(attempt)).await {
                Ok(done) => break Ok(done),
                Err(failure) => match retries.after(failure).await {
                    Ok(()) => {}
                    Err(error) => break Err(error),
                },
            }
        }
    }};
}
pub(super) use again;

/// One attempt, under the name of the function in which the closure of this type stands.
pub(super) fn span_of(closure: &'static str) -> Span {
    span!("postgresql", otel.name = function_of(closure), otel.kind = "client", db.system.name = "postgresql")
}

/// A connection, for single statements.
pub(super) async fn connection(pool: &Pool<Connector>) -> Result<Object<Connector>, Failure> {
    let begun = Instant::now();
    let taken = pool.get().await.map_err(Failure::Pool);
    metrics::histogram!("counterfoil_store_wait_seconds").record(begun.elapsed().as_secs_f64());
    taken
}

/// A transaction. Dropped before its end it is undone.
#[derive(Debug)]
pub(super) struct Transaction(Option<Object<Connector>>);

impl Transaction {
    pub(super) async fn begin(pool: &Pool<Connector>) -> Result<Self, Failure> {
        let connection = connection(pool).await?;
        connection.run("BEGIN").await?;
        Ok(Self(Some(connection)))
    }

    /// Done when this returns, on the standby too where one is asked to confirm.
    pub(super) async fn commit(self) -> Result<(), Failure> {
        self.end("COMMIT").await
    }

    /// The same, and the other replicas are told that there is something to read.
    pub(super) async fn commit_with_news(self) -> Result<(), Failure> {
        self.end("NOTIFY counterfoil; COMMIT").await
    }

    async fn end(mut self, how: &str) -> Result<(), Failure> {
        let Some(connection) = self.0.take() else { return Ok(()) };
        connection.run(how).await.map_err(committing)?;
        if connection.is_doubtful() { Err(Failure::Doubtful) } else { Ok(()) }
    }

    /// Whether there is a row with this id.
    pub(super) async fn exists(&self, sql: &'static str, id: &[u8; 16]) -> Result<bool, Failure> {
        Ok(self.optional(sql, &[&Id(*id)]).await?.is_some())
    }

    /// Nothing was to be done after all.
    pub(super) async fn undo<T>(mut self, answer: T) -> Result<T, Failure> {
        if let Some(connection) = self.0.take() {
            connection.run("ROLLBACK").await?;
        }
        Ok(answer)
    }
}

impl Deref for Transaction {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.0.as_ref().expect("taken only by what ends it")
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            // Its locks must not wait for the next who takes the connection. If this fails, the connection is not used again.
            runtime.spawn(async move {
                if let Err(error) = tokio::time::timeout(ANSWER_WITHIN, connection.run("ROLLBACK")).await {
                    tracing::debug!(?error, "a transaction could not be undone; its connection is given up");
                }
            });
        }
    }
}
