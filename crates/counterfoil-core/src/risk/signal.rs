//! Signals: what is unusual, each by itself.

use super::place::{Spot, impossible_speed, is_close, is_near, is_same_device, may_be_same_device};
use counterfoil_guard::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most a score can be.
const MOST_SCORE: u32 = 100;

/// When it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// Somebody signs in.
    SignIn,
    /// A session is refreshed from another network, or by another browser, than before.
    Refresh,
    /// Somebody signed in proves once more who they are.
    StepUp,
}

impl Moment {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::SignIn, Self::Refresh, Self::StepUp];

    /// The stable word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Refresh => "refresh",
            Self::StepUp => "step_up",
        }
    }
}

/// Something unusual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signal {
    /// No sign-in of this account has been seen from such a device.
    NewDevice,
    /// Nor from such a network.
    NewNetwork,
    /// Nor from this country.
    NewCountry,
    /// Nobody travels that fast.
    ImpossibleTravel,
    /// Many failures to sign in to this account lately.
    FailuresAccount,
    /// Many from this network.
    FailuresNetwork,
    /// Many everywhere.
    FailuresFleet,
    /// The network is on the operator's list.
    BadNetwork,
    /// The session was begun by another browser or system.
    UserAgentChanged,
    /// The password is known from a breach.
    BreachedPassword,
    /// The password is one that attackers try first.
    CommonPassword,
    /// A spent refresh token of this account was used lately.
    RefreshReuse,
}

impl Signal {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::NewDevice,
        Self::NewNetwork,
        Self::NewCountry,
        Self::ImpossibleTravel,
        Self::FailuresAccount,
        Self::FailuresNetwork,
        Self::FailuresFleet,
        Self::BadNetwork,
        Self::UserAgentChanged,
        Self::BreachedPassword,
        Self::CommonPassword,
        Self::RefreshReuse,
    ];

    /// The stable word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NewDevice => "new_device",
            Self::NewNetwork => "new_network",
            Self::NewCountry => "new_country",
            Self::ImpossibleTravel => "impossible_travel",
            Self::FailuresAccount => "failures_account",
            Self::FailuresNetwork => "failures_network",
            Self::FailuresFleet => "failures_fleet",
            Self::BadNetwork => "bad_network",
            Self::UserAgentChanged => "user_agent_changed",
            Self::BreachedPassword => "breached_password",
            Self::CommonPassword => "common_password",
            Self::RefreshReuse => "refresh_reuse",
        }
    }

    /// The signal with this word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| signal.as_str() == name)
    }

    const fn weight(self) -> u32 {
        match self {
            Self::NewNetwork | Self::FailuresFleet | Self::CommonPassword => 10,
            Self::NewDevice | Self::FailuresAccount | Self::FailuresNetwork => 20,
            Self::NewCountry => 25,
            Self::BreachedPassword | Self::RefreshReuse => 30,
            Self::UserAgentChanged => 40,
            Self::ImpossibleTravel => 50,
            Self::BadNetwork => 60,
        }
    }
}

/// A signal that was found, and by how much: kilometres an hour, failures; otherwise 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Which.
    pub signal: Signal,
    /// By how much.
    pub value: u32,
}

/// What each signal counts for in the score.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weights(BTreeMap<Signal, u32>);

impl Weights {
    /// The built-in ones, with these in their place.
    pub const fn with(chosen: BTreeMap<Signal, u32>) -> Self {
        Self(chosen)
    }

    /// The weight of a signal.
    pub fn of(&self, signal: Signal) -> u32 {
        self.0.get(&signal).copied().unwrap_or(signal.weight())
    }
}

/// What signals weigh together: their sum, at most `MOST_SCORE`.
pub fn score(found: &[Found], weights: &Weights) -> u32 {
    found.iter().map(|found| weights.of(found.signal)).fold(0, u32::saturating_add).min(MOST_SCORE)
}

/// From where an account has been seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// The device in words.
    pub device: String,
    /// Where.
    pub spot: Spot,
    /// When last.
    pub last_at: Timestamp,
}

/// Failures to sign in within the last quarter of an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// On the account.
    pub account: u32,
    /// From the network.
    pub network: u32,
    /// Everywhere.
    pub fleet: u32,
}

/// How many failures are unusual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// On an account.
    pub account: u32,
    /// From a network.
    pub network: u32,
    /// Everywhere.
    pub fleet: u32,
}

/// What is wrong with a password that is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PasswordTrouble {
    /// It is known from a breach.
    Breached,
    /// It is one that attackers try first.
    Common,
}

/// All that is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// When.
    pub now: Timestamp,
    /// The device in words.
    pub device: &'a str,
    /// Where.
    pub spot: &'a Spot,
    /// Whether the network is on the operator's list.
    pub bad_network: bool,
    /// From where the account has been seen. If nowhere, nothing can be new.
    pub known: &'a [Known],
    /// The session that goes on, as it was last seen; unless a key has proved that it is the same device.
    pub session: Option<&'a Known>,
    /// Failures lately, and how many are unusual.
    pub failures: (Failures, Thresholds),
    /// What is wrong with the password, if one was used.
    pub password: Option<PasswordTrouble>,
    /// Whether a session of the account was ended by reuse lately.
    pub reuse: bool,
}

/// What is unusual.
pub fn signals(facts: &Facts<'_>) -> Vec<Found> {
    let Facts { known, session, spot, .. } = *facts;
    let seen = || known.iter().chain(session);
    let any = seen().next().is_some();
    let new_device = any && !seen().any(|known| is_same_device(&known.device, facts.device));
    let new_network = any && !seen().any(|known| is_near(&known.spot, spot));
    let countries = || seen().filter_map(|known| known.spot.country.as_ref());
    let new_country =
        spot.country.as_ref().filter(|here| countries().next().is_some() && countries().all(|c| c != *here));
    let last = known.iter().max_by_key(|known| known.last_at);
    let speed = |from: &Known| impossible_speed(&from.spot, from.last_at, spot, facts.now);
    // Whoever switches between two networks of theirs, a VPN among them, does not travel.
    let been_here = known.iter().any(|known| is_close(&known.spot, spot));
    let speed = last.into_iter().chain(session).filter_map(speed).max().filter(|_| !been_here);
    let changed = session.is_some_and(|session| !may_be_same_device(&session.device, facts.device));
    let (failures, most) = facts.failures;
    let many = |count: u32, most: u32| if count >= most { count } else { 0 };
    let values = [
        (Signal::NewDevice, u32::from(new_device)),
        (Signal::NewNetwork, u32::from(new_network)),
        (Signal::NewCountry, u32::from(new_country.is_some())),
        (Signal::ImpossibleTravel, speed.unwrap_or(0)),
        (Signal::FailuresAccount, many(failures.account, most.account)),
        (Signal::FailuresNetwork, many(failures.network, most.network)),
        (Signal::FailuresFleet, many(failures.fleet, most.fleet)),
        (Signal::BadNetwork, u32::from(facts.bad_network)),
        (Signal::UserAgentChanged, u32::from(changed)),
        (Signal::BreachedPassword, u32::from(facts.password == Some(PasswordTrouble::Breached))),
        (Signal::CommonPassword, u32::from(facts.password == Some(PasswordTrouble::Common))),
        (Signal::RefreshReuse, u32::from(facts.reuse)),
    ];
    values.into_iter().filter(|(_, value)| *value > 0).map(|(signal, value)| Found { signal, value }).collect()
}
