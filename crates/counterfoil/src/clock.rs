//! The only place that reads a clock or makes random bytes.

use counterfoil_core::Timestamp;
use counterfoil_guard::Tick;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
    /// The same on a clock that never jumps and counts the time the machine sleeps.
    fn tick(&self) -> Tick;
}

/// The system's clock. When it is set back by up to an hour, this one stands still until it has caught up: what has been revoked
/// leaves the verifiers' indexes by time, and must not leave before the tokens that were made by the later time.
#[derive(Debug, Default)]
pub struct SystemClock {
    latest: AtomicI64,
}

/// How far the system's clock may go back without being believed, in milliseconds. Further, it was wrong before.
const MOST_STANDSTILL: i64 = 60 * 60 * 1000;

/// The time to go by when the latest one was `latest` and the system now says `system`.
const fn going_on(latest: i64, system: i64) -> i64 {
    if system < latest && latest - system <= MOST_STANDSTILL { latest } else { system }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that may read the clock")]
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let system = i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX);
        let now = going_on(self.latest.load(Ordering::Relaxed), system);
        self.latest.store(now, Ordering::Relaxed);
        Timestamp::from_millis(now)
    }

    fn tick(&self) -> Tick {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Tick::from_millis(time.tv_sec.saturating_mul(1000).saturating_add(time.tv_nsec / 1_000_000))
    }
}

/// A clock that stands still until a test moves it.
#[derive(Debug)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// Set to this time.
    pub const fn at(time: Timestamp) -> Self {
        Self(AtomicI64::new(time.as_millis()))
    }

    /// Moves it forward.
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::SeqCst))
    }

    fn tick(&self) -> Tick {
        Tick::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Random bytes from the operating system's generator.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system's random generator does not fail once it is seeded");
    bytes
}

#[cfg(test)]
mod tests {
    use super::{MOST_STANDSTILL, going_on};

    #[test]
    fn s2_a_clock_that_is_set_back_stands_still_until_it_has_caught_up() {
        assert_eq!(going_on(0, 1_000), 1_000, "at the start anything is believed");
        assert_eq!(going_on(1_000, 1_001), 1_001);
        assert_eq!(going_on(MOST_STANDSTILL, 0), MOST_STANDSTILL);
        assert_eq!(going_on(MOST_STANDSTILL + 1, 0), 0, "further back: it was wrong before");
    }
}
