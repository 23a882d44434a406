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

/// A time as libraries take it.
pub(crate) fn on_the_system(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(at.as_millis()).unwrap_or(0))
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

/// What the system's clock says, right or wrong, in milliseconds.
#[expect(clippy::disallowed_methods, reason = "the one place that may read the clock")]
fn system_time() -> i64 {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = going_on(self.latest.load(Ordering::Relaxed), system_time());
        self.latest.store(now, Ordering::Relaxed);
        Timestamp::from_millis(now)
    }

    fn tick(&self) -> Tick {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        Tick::from_millis(time.tv_sec.saturating_mul(1000).saturating_add(time.tv_nsec / 1_000_000))
    }
}

/// The time of a store that several processes share, so that all of them decide by the same. Between looks at it the machine's
/// ticks go on, which nobody can set.
#[derive(Debug)]
pub struct StoreClock {
    /// The store's time less the tick, in milliseconds.
    offset: AtomicI64,
    latest: AtomicI64,
    system: SystemClock,
}

/// How much a look may differ from what was known, beyond what its own way took, before it is believed.
const UNSURE: i64 = 5;

impl StoreClock {
    /// Set by a first look: the store said `now` between these two ticks.
    pub fn set(now: Timestamp, (sent, received): (Tick, Tick)) -> Self {
        let (offset, latest) = (AtomicI64::new(offset(now, (sent, received))), AtomicI64::new(0));
        Self { offset, latest, system: SystemClock::default() }
    }

    /// Sets it by another look, if that tells more than is known.
    pub fn learn(&self, now: Timestamp, (sent, received): (Tick, Tick)) {
        let (known, told) = (self.offset.load(Ordering::Relaxed), offset(now, (sent, received)));
        let way = i64::try_from(received.since(sent).as_millis()).unwrap_or(i64::MAX) / 2;
        if (told - known).abs() > way.saturating_add(UNSURE) {
            self.offset.store(told, Ordering::Relaxed);
        }
    }

    /// By how much this machine's clock is ahead of the store's, in milliseconds.
    pub fn error(&self) -> i64 {
        system_time() - self.now().as_millis()
    }
}

/// What the store said, it said in the middle of the way there and back.
fn offset(now: Timestamp, (sent, received): (Tick, Tick)) -> i64 {
    now.as_millis() - i64::midpoint(sent.as_millis(), received.as_millis())
}

impl Clock for StoreClock {
    fn now(&self) -> Timestamp {
        let store = self.tick().as_millis() + self.offset.load(Ordering::Relaxed);
        let now = going_on(self.latest.load(Ordering::Relaxed), store);
        self.latest.store(now, Ordering::Relaxed);
        Timestamp::from_millis(now)
    }

    fn tick(&self) -> Tick {
        self.system.tick()
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
    use super::{Clock as _, MOST_STANDSTILL, StoreClock, going_on};
    use counterfoil_core::Timestamp;
    use counterfoil_guard::Tick;

    #[test]
    fn a_look_at_the_stores_time_is_as_good_as_its_way_was_short() {
        let (at, tick) = (Timestamp::from_millis, Tick::from_millis);
        let clock = StoreClock::set(at(1_000_000), (tick(100), tick(110)));
        let known = |clock: &StoreClock| clock.offset.load(super::Ordering::Relaxed);
        assert_eq!(known(&clock), 999_895);
        clock.learn(at(1_000_400), (tick(100), tick(900)));
        assert_eq!(known(&clock), 999_895, "within what its own way took");
        clock.learn(at(1_000_020), (tick(100), tick(110)));
        assert_eq!(known(&clock), 999_915);
        let before = clock.now();
        clock.learn(at(0), (clock.tick(), clock.tick()));
        assert!(clock.now() <= before.plus(super::Duration::from_secs(1)), "and a store that is set back is believed");
    }

    #[test]
    fn s2_a_clock_that_is_set_back_stands_still_until_it_has_caught_up() {
        assert_eq!(going_on(0, 1_000), 1_000, "at the start anything is believed");
        assert_eq!(going_on(1_000, 1_001), 1_001);
        assert_eq!(going_on(MOST_STANDSTILL, 0), MOST_STANDSTILL);
        assert_eq!(going_on(MOST_STANDSTILL + 1, 0), 0, "further back: it was wrong before");
    }
}
