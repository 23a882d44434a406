//! What the rules of `[risk]` need to know of the world: where networks are, which of them are bad, which passwords are known from
//! breaches, how many failures there have been. Decides nothing: that is `counterfoil_core::risk`.

mod breached;
mod file;
mod geoip;
mod velocity;

use crate::config::{ConfigError, RiskConfig};
use breached::Breached;
use counterfoil_core::Timestamp;
use counterfoil_core::credential::password::Password;
use counterfoil_core::risk::place::{Spot, address, says_something};
use counterfoil_core::risk::{PasswordTrouble, Rule, Thresholds, Weights};
use file::Watched;
use geoip::Places;
use ipnet::IpNet;
use std::net::IpAddr;
use std::path::Path;
use velocity::Velocity;

/// All of it.
pub struct Risk {
    enabled: bool,
    /// The rules.
    pub rules: Vec<Rule>,
    /// What each signal counts for.
    pub weights: Weights,
    /// How many failures are unusual.
    pub thresholds: Thresholds,
    /// Failures lately, as far as this process has seen them.
    pub velocity: Velocity,
    places: Places,
    bad: Option<Watched<Vec<IpNet>>>,
    trusted: Vec<IpNet>,
    breached: Breached,
}

impl Risk {
    /// Opens the files; one that cannot be read stops the start.
    pub fn open(config: &RiskConfig) -> Result<Self, ConfigError> {
        let bad = config.bad_networks.as_deref();
        Ok(Self {
            enabled: config.enabled,
            rules: config.rules(),
            weights: config.weights(),
            thresholds: config.thresholds(),
            velocity: Velocity::default(),
            places: Places::open(config)?,
            bad: bad.map(|path| Watched::open("risk.bad_networks", path, networks)).transpose()?,
            trusted: config.trusted_networks.clone(),
            breached: Breached::open(config)?,
        })
    }

    /// Whether anything is looked at.
    pub const fn is_on(&self) -> bool {
        self.enabled
    }

    /// Where an address is. One that is trusted, or of this machine, says nothing.
    pub fn spot(&self, address: Option<IpAddr>) -> Spot {
        let Some(address) = address.filter(says_something) else { return Spot::default() };
        if self.trusted.iter().any(|network| network.contains(&address)) {
            return Spot::default();
        }
        self.places.spot(address)
    }

    /// Where a network is, by the text that is kept of it.
    pub fn spot_of(&self, network: &str) -> Spot {
        self.spot(address(network))
    }

    /// The city and country of a network, in words, where there is a file that knows them.
    pub fn place(&self, network: &str) -> Option<String> {
        self.places.name(address(network).filter(says_something)?)
    }

    /// Whether an address is on the operator's list.
    pub fn is_bad(&self, address: Option<IpAddr>) -> bool {
        let Some((bad, address)) = self.bad.as_ref().zip(address) else { return false };
        let address = address.to_canonical();
        bad.value().iter().any(|network| network.contains(&address))
    }

    /// What is wrong with a password, as far as the lists know. A service that does not answer in time has found nothing.
    pub async fn trouble(&self, password: &Password, now: Timestamp) -> Option<PasswordTrouble> {
        if self.breached.contains(password, now).await {
            return Some(PasswordTrouble::Breached);
        }
        password.is_common().then_some(PasswordTrouble::Common)
    }

    /// Whether a password is known from a breach.
    pub async fn is_breached(&self, password: &Password, now: Timestamp) -> bool {
        self.breached.contains(password, now).await
    }

    /// Reads again what has changed. What cannot be read stays as it was.
    pub fn reread(&self) {
        self.places.reread();
        self.breached.reread();
        if let Some(bad) = &self.bad {
            bad.reread();
        }
    }
}

/// Networks, or single addresses, one a line.
fn networks(path: &Path) -> Result<Vec<IpNet>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let one = || line.parse::<IpNet>().or_else(|_| line.parse::<IpAddr>().map(IpNet::from));
        let network = one()
            .map_err(|_| format!("line {}: found \"{line}\", expected a network such as 203.0.113.0/24", number + 1))?;
        found.push(network.trunc());
    }
    Ok(found)
}
