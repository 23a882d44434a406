//! The only place that reads clocks.

use crate::time::{Clocks, Tick, Timestamp};
use rustix::time::{ClockId, clock_gettime};

/// Counts the time a machine sleeps. Elsewhere the plain monotonic clock has to do: the wall clock ends the lease then.
#[cfg(any(target_os = "linux", target_os = "android"))]
const STEADY: ClockId = ClockId::Boottime;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
const STEADY: ClockId = ClockId::Monotonic;

/// Now, on both.
pub(super) fn now() -> Clocks {
    Clocks { boot: Tick::from_millis(millis(STEADY)), wall: Timestamp::from_millis(millis(ClockId::Realtime)) }
}

fn millis(clock: ClockId) -> i64 {
    let time = clock_gettime(clock);
    time.tv_sec.saturating_mul(1000).saturating_add(time.tv_nsec / 1_000_000)
}
