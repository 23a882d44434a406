//! PostgreSQL: what several replicas share. Statements are prepared once a connection; what is asked often is one round trip.

mod activity;
mod api_keys;
mod audit;
mod audit_chain;
mod clients;
mod connect;
mod cursors;
mod deletions;
mod devices;
mod factors;
mod fill;
mod guards;
mod hosts;
mod id;
mod invites;
mod keys;
mod lanes;
mod log;
mod mail;
mod migrate;
mod rates;
mod refresh;
mod replicas;
mod restore;
mod revoke;
mod risk;
mod row;
mod sessions;
mod status;
mod streams;
mod transact;
mod users;

use super::{Connections, Store, StoreError};
use async_trait::async_trait;
use connect::{ConnectError, Connector};
use counterfoil_core::{Secret, Timestamp};
use deadpool::Runtime;
use deadpool::managed::{Pool, Timeouts};
use hosts::Hosts;
use lanes::{LANES, Lanes};
use parking_lot::Mutex;
use replicas::Follower;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use transact::{Transaction, again, connection};

pub use fill::{Cell, Column, Filling};
pub use migrate::{MigrateError, Migrated};

/// How long one waits for a connection when all are in use.
const CONNECTION_WITHIN: Duration = Duration::from_secs(2);

/// What an operator says of the database.
#[derive(Debug)]
pub struct Settings {
    /// `postgres://…`, without a password.
    pub url: String,
    /// The password, if one is needed.
    pub password: Option<Secret<String>>,
    /// A PEM file with the authorities that may vouch for the server; the system's, if none is named.
    pub ca_file: Option<PathBuf>,
    /// How many connections there may be at a time.
    pub connections: u32,
    /// Whose tokens its sessions stand behind.
    pub issuer: String,
}

/// Why the store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL.
    #[error("store.url: {0}")]
    Url(String),
    /// The certificates of authorities.
    #[error("store.ca_file: {0}")]
    Authorities(String),
    /// Nobody answers, or refuses.
    #[error("the database {hosts} cannot be used: {reason}")]
    Unreachable {
        /// Where.
        hosts: String,
        /// What it says.
        reason: String,
    },
    /// Only servers that take no writes.
    #[error(
        "the database {hosts} takes no writes: it is a standby, or read-only. Name the primary in `store.url`, or all hosts \
         between commas, and the one that takes writes is found"
    )]
    Standby {
        /// Where.
        hosts: String,
    },
    /// The schema is not one this program can use.
    #[error("{0}")]
    Migrate(#[from] MigrateError),
    /// The database is another installation's.
    #[error(
        "the database belongs to {theirs}, and this server's `public_url` is {ours}: correct one of the two. If the service has \
         moved, say so with `counterfoil migrate --issuer {ours}`; all its access tokens end with that"
    )]
    AnothersIssuer {
        /// Whose it is.
        theirs: String,
        /// Who asks.
        ours: String,
    },
}

/// A store in PostgreSQL.
#[derive(Debug)]
pub struct PostgresStore {
    hosts: Arc<Hosts>,
    pool: Pool<Connector>,
    lanes: Lanes,
    /// Connections of the lanes and of the follower.
    own: u32,
    follower: Arc<Follower>,
    /// How far purging has come; lost at a restart, which then begins at the start.
    purged_to: Mutex<[u8; 16]>,
}

impl PostgresStore {
    /// Connects, brings the schema up to date, and makes sure that the database is this issuer's.
    pub async fn open(settings: &Settings) -> Result<Self, OpenError> {
        let connector = settings.prepare()?;
        let first = Box::pin(connector.connect(None)).await.map_err(|error| refused(&connector, &error))?;
        migrate::migrate(&first).await?;
        migrate::settle_issuer(&first, &settings.issuer).await?;
        drop(first);
        Ok(Self::with(&connector.confirming(), settings.connections))
    }

    /// Brings the schema up to date, and, where one is given, makes the database this issuer's.
    pub async fn migrate(settings: &Settings, issuer: Option<&str>) -> Result<Migrated, OpenError> {
        let connector = settings.prepare()?;
        let connection = Box::pin(connector.connect(None)).await.map_err(|error| refused(&connector, &error))?;
        let migrated = migrate::migrate(&connection).await?;
        if let Some(issuer) = issuer {
            migrate::change_issuer(&connection, issuer).await?;
        }
        Ok(migrated)
    }

    fn with(connector: &Connector, connections: u32) -> Self {
        let timeouts = Timeouts {
            wait: Some(CONNECTION_WITHIN),
            create: Some(Duration::from_secs(10)),
            recycle: Some(Duration::from_secs(1)),
        };
        // Refreshes have lanes of their own, and so has what follows the log.
        let own = LANES + 1;
        let most = (connections as usize).saturating_sub(own).max(1);
        let pool = Pool::builder(connector.clone()).max_size(most).timeouts(timeouts).runtime(Runtime::Tokio1).build();
        let pool = pool.expect("a pool with time-outs has a runtime");
        Self {
            hosts: Arc::clone(connector.hosts()),
            pool,
            own: u32::try_from(own).unwrap_or(u32::MAX),
            lanes: Lanes::start(connector),
            follower: Arc::new(Follower::new(connector.clone())),
            purged_to: Mutex::new([0; 16]),
        }
    }

    /// The database's time.
    pub async fn now(&self) -> Result<Timestamp, StoreError> {
        again!(self, async {
            let row = connection(&self.pool).await?.one(replicas::NOW, &[]).await?;
            Ok(Timestamp::from_millis(row.try_get(0)?))
        })
    }
}

impl Settings {
    fn prepare(&self) -> Result<Connector, OpenError> {
        let mut config: Config = self.url.parse().map_err(|error: tokio_postgres::Error| {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            OpenError::Url(source.unwrap_or_else(|| error.to_string()))
        })?;
        if config.get_hosts().is_empty() {
            return Err(OpenError::Url("names no host".into()));
        }
        if let Some(password) = &self.password {
            config.password(password.expose());
        }
        // What goes over a network is encrypted, and to whom it goes is checked; `sslmode=disable` is the operator's word.
        let far = config.get_hosts().iter().any(|host| match host {
            Host::Tcp(name) => !is_loopback(name),
            Host::Unix(_) => false,
        });
        if config.get_ssl_mode() == SslMode::Prefer {
            config.ssl_mode(if far { SslMode::Require } else { SslMode::Disable });
        }
        Ok(Connector::new(Arc::new(Hosts::new(&config)), self.tls()?))
    }

    fn tls(&self) -> Result<MakeRustlsConnect, OpenError> {
        let mut roots = RootCertStore::empty();
        if let Some(path) = &self.ca_file {
            let wrong = |reason: String| OpenError::Authorities(format!("{}: {reason}", path.display()));
            let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
            for certificate in read.map_err(|error| wrong(error.to_string()))? {
                roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
            }
            if roots.is_empty() {
                return Err(wrong("holds no certificate".into()));
            }
        } else {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        Ok(MakeRustlsConnect::new(ClientConfig::builder().with_root_certificates(roots).with_no_client_auth()))
    }
}

fn is_loopback(name: &str) -> bool {
    name == "localhost" || name.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

/// Says what is wrong in words; the library's own end in "db error".
fn refused(connector: &Connector, error: &ConnectError) -> OpenError {
    let hosts = connector.hosts().to_string();
    if error.is_standby() {
        return OpenError::Standby { hosts };
    }
    let reason = match error {
        ConnectError::Silent(_) => "nobody answers".to_owned(),
        ConnectError::Refused(error) => {
            let source = std::error::Error::source(error).map(ToString::to_string);
            match (error.as_db_error(), source) {
                (Some(said), _) => said.message().to_owned(),
                (None, Some(source)) => format!("{error}: {source}"),
                (None, None) => error.to_string(),
            }
        }
    };
    OpenError::Unreachable { hosts, reason }
}

#[async_trait]
impl Store for PostgresStore {
    async fn check(&self) -> Result<(), StoreError> {
        // A row that is locked is written to: it takes the primary, and its standby where one has to confirm.
        again!(self, async {
            let transaction = Transaction::begin(&self.pool).await?;
            log::confirmed_head(&transaction).await?;
            transaction.commit().await
        })
    }

    async fn close(&self) {
        self.lanes.stop().await;
        self.follower.close();
        self.pool.close();
    }

    fn connections(&self) -> Option<Connections> {
        let status = self.pool.status();
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let idle = number(status.available);
        let busy = number(status.size).saturating_sub(idle) + self.own;
        Some(Connections { busy, idle, most: number(status.max_size) + self.own })
    }

    fn shared(&self) -> Option<&dyn super::Shared> {
        Some(self)
    }
}
