//! How many sign-ins have failed lately: on an account, from a network, everywhere. Counted in this process; what is lost with it is
//! counted again.

use counterfoil_core::risk::Failures;
use counterfoil_core::{Timestamp, UserId};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

/// Over which time it is counted.
const WINDOW: Duration = Duration::from_mins(15);

/// How many accounts and networks are remembered. What does not fit is not counted, which is no reason to refuse anybody.
const MOST_KEYS: usize = 100_000;

/// The counts.
#[derive(Default)]
pub struct Velocity {
    hasher: RandomState,
    windows: Mutex<Windows>,
}

#[derive(Default)]
struct Windows {
    began: Option<Timestamp>,
    current: Counts,
    before: Counts,
}

#[derive(Default)]
struct Counts {
    keys: HashMap<u64, u32>,
    all: u32,
}

/// What is counted apart.
#[derive(Hash)]
enum Key<'a> {
    Account(UserId),
    Network(&'a str),
}

impl Velocity {
    /// One failure.
    pub fn note(&self, account: Option<UserId>, network: &str, now: Timestamp) {
        let keys = [account.map(Key::Account), Some(Key::Network(network))];
        let keys = keys.into_iter().flatten().map(|key| self.hasher.hash_one(key));
        let mut windows = self.windows.lock();
        windows.roll(now);
        windows.current.all = windows.current.all.saturating_add(1);
        let counts = &mut windows.current.keys;
        for key in keys {
            if counts.len() < MOST_KEYS || counts.contains_key(&key) {
                *counts.entry(key).or_default() += 1;
            }
        }
    }

    /// How many there have been within a quarter of an hour, about.
    pub fn lately(&self, account: UserId, network: &str, now: Timestamp) -> Failures {
        let (account, network) =
            (self.hasher.hash_one(Key::Account(account)), self.hasher.hash_one(Key::Network(network)));
        let mut windows = self.windows.lock();
        let left = windows.roll(now);
        let of = |key: u64| {
            let count = |counts: &Counts| counts.keys.get(&key).copied().unwrap_or(0);
            slide(count(&windows.current), count(&windows.before), left)
        };
        Failures {
            account: of(account),
            network: of(network),
            fleet: slide(windows.current.all, windows.before.all, left),
        }
    }
}

impl Windows {
    /// Begins another window if it is time; returns how much of the one before still counts.
    fn roll(&mut self, now: Timestamp) -> Duration {
        let began = *self.began.get_or_insert(now);
        let age = now.since(began);
        if age < WINDOW {
            return WINDOW.saturating_sub(age);
        }
        self.before = std::mem::take(&mut self.current);
        if age >= 2 * WINDOW {
            self.before = Counts::default();
        }
        self.began = Some(now);
        WINDOW
    }
}

/// What of the window before still counts is taken to have come evenly.
fn slide(current: u32, before: u32, left: Duration) -> u32 {
    let share = u64::from(before) * left.as_secs() / WINDOW.as_secs();
    current.saturating_add(u32::try_from(share).unwrap_or(u32::MAX))
}
