//! The hosts of the database: which of them is asked first, and what is known to have gone wrong.

use super::connect::ConnectError;
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, LoadBalanceHosts, TargetSessionAttrs};

/// The hosts, each with all that is said of it.
pub(super) struct Hosts {
    configs: Vec<Config>,
    /// The one that took writes last.
    preferred: AtomicUsize,
    /// Counts how often all connections were given up.
    epoch: AtomicU64,
}

impl Hosts {
    /// One configuration for each host of this one.
    pub(super) fn new(config: &Config) -> Self {
        let ports = config.get_ports();
        let single = |(index, host): (usize, &Host)| {
            let mut single = Config::new();
            match host {
                Host::Tcp(name) => single.host(name),
                Host::Unix(path) => single.host_path(path),
            };
            single.port(ports.get(index).or_else(|| ports.first()).copied().unwrap_or(5432));
            if let Some(address) = config.get_hostaddrs().get(index) {
                single.hostaddr(*address);
            }
            if let Some(user) = config.get_user() {
                single.user(user);
            }
            if let Some(password) = config.get_password() {
                single.password(password);
            }
            if let Some(database) = config.get_dbname() {
                single.dbname(database);
            }
            if let Some(options) = config.get_options() {
                single.options(options);
            }
            single.application_name(config.get_application_name().unwrap_or("counterfoil"));
            single.ssl_mode(config.get_ssl_mode()).ssl_negotiation(config.get_ssl_negotiation());
            single.channel_binding(config.get_channel_binding());
            single.target_session_attrs(TargetSessionAttrs::ReadWrite).load_balance_hosts(LoadBalanceHosts::Disable);
            // A host that has gone without a word must not be waited for by its time-outs of a quarter of an hour.
            single.tcp_user_timeout(std::time::Duration::from_secs(10));
            single.keepalives_idle(std::time::Duration::from_secs(10));
            single.keepalives_interval(std::time::Duration::from_secs(2)).keepalives_retries(3);
            single
        };
        let configs = config.get_hosts().iter().enumerate().map(single).collect();
        Self { configs, preferred: AtomicUsize::new(0), epoch: AtomicU64::new(0) }
    }

    /// In the order in which they are to be tried.
    pub(super) fn in_order(&self) -> impl Iterator<Item = (usize, &Config)> {
        let (count, first) = (self.configs.len(), self.preferred.load(Ordering::Relaxed));
        (0..count).map(move |step| (first + step) % count).map(|index| (index, &self.configs[index]))
    }

    /// This one takes writes.
    pub(super) fn prefer(&self, index: usize) {
        self.preferred.store(index, Ordering::Relaxed);
    }

    /// Of which round a connection that is made now is.
    pub(super) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Acquire)
    }

    /// Somebody has waited in vain in that round: all its connections are given up, and another host is tried first. An old
    /// primary that has been replaced takes connections, answers questions, and commits nothing.
    pub(super) fn suspect(&self, epoch: u64) {
        let next = self.epoch.compare_exchange(epoch, epoch + 1, Ordering::AcqRel, Ordering::Acquire);
        if next.is_ok() && self.configs.len() > 1 {
            self.preferred.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// What is worth saying when none of them could be used: that one takes no writes, rather than that another is away.
    pub(super) fn worst(errors: Vec<ConnectError>) -> Option<ConnectError> {
        let mut errors = errors;
        let standby = errors.iter().position(ConnectError::is_standby);
        standby.map(|index| errors.swap_remove(index)).or_else(|| errors.pop())
    }
}

impl fmt::Display for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, config) in self.configs.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            match (config.get_hosts().first(), config.get_ports().first()) {
                (Some(Host::Tcp(name)), Some(port)) => write!(f, "{name}:{port}")?,
                (Some(Host::Unix(path)), _) => write!(f, "{}", path.display())?,
                _ => {}
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hosts({self})")
    }
}
