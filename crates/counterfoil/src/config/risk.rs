//! `[risk]`: what is unusual about a sign-in, a refresh or a step-up, and what is done about it.

use super::{ConfigError, OutgoingUrl, Span};
use counterfoil_core::risk::{Action, Condition, Moment, Rule, Signal, Thresholds, Weights, defaults};
use ipnet::IpNet;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::PathBuf;

/// `[risk]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RiskConfig {
    /// Whether any of it is looked at.
    pub enabled: bool,
    /// Whether all rules are only tried: what they would have done is written down, and nothing is done.
    pub dry_run: bool,
    /// A `MaxMind` file with countries or cities (`.mmdb`). Read again when it changes.
    pub geoip: Option<PathBuf>,
    /// A `MaxMind` file with autonomous systems, which tells one carrier's networks from another's.
    pub geoip_asn: Option<PathBuf>,
    /// A file with networks that nothing good comes from, one a line (`203.0.113.0/24`); `#` begins a comment. Read again when it changes.
    pub bad_networks: Option<PathBuf>,
    /// Networks that say nothing of where somebody is: offices, a VPN that everybody uses.
    pub trusted_networks: Vec<IpNet>,
    /// A file with SHA-1 digests of breached passwords, sorted, one a line, whole or cut to 16 hexadecimal digits at the least.
    pub breached_passwords: Option<PathBuf>,
    /// A service that is asked with the first five digits of the digest, such as `https://api.pwnedpasswords.com/range/`.
    pub breached_passwords_service: Option<OutgoingUrl>,
    /// How long it may take, 100 ms to 10 s; a service that does not answer in time has found nothing.
    pub breached_passwords_timeout: Span,
    /// How many failures within a quarter of an hour are unusual.
    pub failures: FailuresConfig,
    /// What a signal counts for in the score, 0 to 100, in the place of its own weight.
    pub weights: BTreeMap<Signal, u32>,
    /// Rules by name. One with the name of a built-in rule takes its place.
    pub rules: BTreeMap<String, RiskRuleConfig>,
}

/// `[risk.failures]`.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FailuresConfig {
    /// To sign in to one account.
    pub account: u32,
    /// From one network (IPv4 address, IPv6 /64).
    pub network: u32,
    /// At this server altogether.
    pub fleet: u32,
}

/// `[risk.rules.NAME]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RiskRuleConfig {
    /// When it applies: `all` and `any` (signals), `score` (at least), `applications`, `at` (`sign_in`, `refresh`, `step_up`).
    pub when: Condition,
    /// What is done: `allow`, `notify`, `step_up`, `deny`.
    pub action: Action,
    /// Whether it is only tried.
    #[serde(default)]
    pub dry_run: bool,
}

impl Default for RiskConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            dry_run: false,
            geoip: None,
            geoip_asn: None,
            bad_networks: None,
            trusted_networks: Vec::new(),
            breached_passwords: None,
            breached_passwords_service: None,
            breached_passwords_timeout: Span::seconds(1),
            failures: FailuresConfig::default(),
            weights: BTreeMap::new(),
            rules: BTreeMap::new(),
        }
    }
}

impl Default for FailuresConfig {
    fn default() -> Self {
        Self { account: 5, network: 20, fleet: 200 }
    }
}

impl RiskConfig {
    /// The rules that apply: the built-in ones, those with their names in their places, and the others.
    pub fn rules(&self) -> Vec<Rule> {
        let written = |(name, rule): (&String, &RiskRuleConfig)| Rule {
            name: name.clone(),
            when: rule.when.clone(),
            action: rule.action,
            dry_run: rule.dry_run || self.dry_run,
        };
        let kept = defaults().into_iter().filter(|rule| !self.rules.contains_key(&rule.name));
        let kept = kept.map(|rule| Rule { dry_run: self.dry_run, ..rule });
        kept.chain(self.rules.iter().map(written)).collect()
    }

    /// What each signal counts for.
    pub fn weights(&self) -> Weights {
        Weights::with(self.weights.clone())
    }

    /// How many failures are unusual.
    pub const fn thresholds(&self) -> Thresholds {
        let FailuresConfig { account, network, fleet } = self.failures;
        Thresholds { account, network, fleet }
    }

    pub(super) fn check<'a>(
        &self,
        applications: &(impl Iterator<Item = &'a String> + Clone),
    ) -> Result<(), ConfigError> {
        let (least, most) = (Span(std::time::Duration::from_millis(100)), Span::seconds(10));
        self.breached_passwords_timeout.within("risk.breached_passwords_timeout", least, most)?;
        if let Some(url) = &self.breached_passwords_service
            && !(url.is_https() || url.is_loopback())
        {
            let reason = "beyond loopback it must be https: the answer decides which passwords are taken";
            return Err(ConfigError::key("risk.breached_passwords_service", reason));
        }
        let FailuresConfig { account, network, fleet } = self.failures;
        for (key, found) in [("account", account), ("network", network), ("fleet", fleet)] {
            if found == 0 {
                return Err(ConfigError::key(format!("risk.failures.{key}"), "found 0; allowed is 1 or more"));
            }
        }
        for (signal, weight) in &self.weights {
            if *weight > 100 {
                let key = format!("risk.weights.{}", signal.as_str());
                return Err(ConfigError::key(key, format!("found {weight}; allowed are 0 to 100")));
            }
        }
        self.rules.iter().try_for_each(|(name, rule)| rule.check(name, applications.clone()))
    }
}

impl RiskRuleConfig {
    fn check<'a>(&self, name: &str, mut applications: impl Iterator<Item = &'a String>) -> Result<(), ConfigError> {
        let key = |field: &str| format!("risk.rules.{name}.{field}");
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
        if name.is_empty() || name.len() > 32 || !name.bytes().all(plain) {
            let reason = "a rule's name has 1 to 32 characters of a-z, 0-9, - and _";
            return Err(ConfigError::key(format!("risk.rules.{name}"), reason));
        }
        let Condition { all, any, score, at, applications: named } = &self.when;
        if all.is_empty() && any.is_empty() && *score == 0 {
            let reason = "it would apply always; give `all` or `any` (signals), or a `score` of 1 to 100";
            return Err(ConfigError::key(key("when"), reason));
        }
        if *score > 100 {
            return Err(ConfigError::key(key("when.score"), format!("found {score}; allowed are 1 to 100")));
        }
        let known: Vec<&String> = applications.by_ref().collect();
        if let Some(unknown) = named.iter().find(|name| !known.contains(name)) {
            let reason = format!("found \"{unknown}\", which is no application here; allowed are {known:?}");
            return Err(ConfigError::key(key("when.applications"), reason));
        }
        if self.action == Action::Deny && at.as_slice() == [Moment::Refresh] {
            let reason = "a refresh is never denied, and nobody is signed out by a rule; use \"step_up\", or add another moment to `when.at`";
            return Err(ConfigError::key(key("action"), reason));
        }
        Ok(())
    }
}
