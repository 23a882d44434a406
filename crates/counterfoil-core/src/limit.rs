//! Rate limits as arithmetic: the generic cell rate algorithm. One timestamp of state, no counters, no windows.

use counterfoil_guard::Timestamp;
use std::time::Duration;

/// `burst` at once, then one every `interval`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many may come at once.
    pub burst: u32,
    /// One more is earned in this time.
    pub interval: Duration,
}

/// Whether one more may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Yes; this is the new state.
    Pass(Timestamp),
    /// No; not before this much time has passed.
    Wait(Duration),
}

impl Rate {
    /// Decides from the state (`None`: never seen). The state is the theoretical arrival time of the next cell.
    pub fn decide(&self, state: Option<Timestamp>, now: Timestamp) -> Verdict {
        let due = state.map_or(now, |due| due.max(now));
        let ahead = due.since(now);
        let room = self.interval.saturating_mul(self.burst.saturating_sub(1));
        if ahead > room { Verdict::Wait(ahead.saturating_sub(room)) } else { Verdict::Pass(due.plus(self.interval)) }
    }

    /// Whether the state is as good as none, so that it can be forgotten.
    pub fn is_idle(state: Timestamp, now: Timestamp) -> bool {
        state <= now
    }
}

#[cfg(test)]
mod tests {
    use super::{Rate, Verdict};
    use counterfoil_guard::Timestamp;
    use std::time::Duration;

    #[test]
    fn a_burst_passes_then_one_per_interval() {
        let rate = Rate { burst: 3, interval: Duration::from_secs(10) };
        let start = Timestamp::from_seconds(1000);
        let mut state = None;
        for _ in 0..3 {
            let Verdict::Pass(next) = rate.decide(state, start) else { panic!("within the burst") };
            state = Some(next);
        }
        assert_eq!(rate.decide(state, start), Verdict::Wait(Duration::from_secs(10)));
        let later = start.plus(Duration::from_secs(10));
        assert!(matches!(rate.decide(state, later), Verdict::Pass(_)));
        assert!(Rate::is_idle(state.expect("set"), start.plus(Duration::from_secs(30))));
    }
}
