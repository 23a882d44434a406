//! How long to wait after a failure, and when to say something about it. Pure.

use std::time::Duration;

/// After the first failure.
const FIRST: Duration = Duration::from_secs(1);

/// However many there were.
const LONGEST: Duration = Duration::from_mins(5);

/// So many failures in a row are more than a hiccup.
const WORTH_A_WORD: u32 = 3;

/// How often a receiver may say of one thing that it cannot do it: with the waits between, nine minutes in which it may have been mended.
const REFUSALS: u32 = 10;

/// How often a receiver has said of one thing that it cannot do it.
#[derive(Debug, Default)]
pub(super) struct Refusals(u32);

impl Refusals {
    /// Counts one; `true` if that was the last: one thing must not stop all that come after it.
    pub(super) fn one_more(&mut self) -> bool {
        self.0 += 1;
        self.0 >= REFUSALS
    }
}

/// Failures in a row.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
    complained: Option<Complaint>,
}

/// What has been said about the receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Complaint {
    /// It does not take what it is sent.
    Failing,
    /// It says that it is gone for good (410).
    Gone,
}

impl Backoff {
    /// Counts a failure. Whoever gets a complaint back logs it: it is new.
    pub(super) fn failed(&mut self, kind: Complaint) -> Option<Complaint> {
        self.failures = self.failures.saturating_add(1);
        let due = kind == Complaint::Gone || self.failures >= WORTH_A_WORD;
        if !due || self.complained == Some(kind) {
            return None;
        }
        self.complained = Some(kind);
        Some(kind)
    }

    /// It went well; `true` if there had been a complaint that is now void.
    pub(super) fn succeeded(&mut self) -> bool {
        self.failures = 0;
        self.complained.take().is_some()
    }

    /// What was refused is not tried any more; what comes next may be received at once. What has been said of the receiver stays.
    pub(super) fn passed_over(&mut self) {
        self.failures = 0;
    }

    /// How long to wait now: twice as long after each failure, up to a quarter less at random, so that those who failed
    /// together do not come back together.
    pub(super) fn wait(&self, random: u8) -> Duration {
        if self.complained == Some(Complaint::Gone) {
            return LONGEST;
        }
        let doubled = FIRST.saturating_mul(1 << self.failures.saturating_sub(1).min(16));
        let full = doubled.min(LONGEST);
        full * (1024 - u32::from(random)) / 1024
    }
}

#[cfg(test)]
mod tests {
    use super::{Backoff, Complaint, LONGEST, Refusals};
    use std::time::Duration;

    #[test]
    fn waits_grow_from_one_second_to_five_minutes() {
        let mut backoff = Backoff::default();
        let mut waits = Vec::new();
        for _ in 0..11 {
            backoff.failed(Complaint::Failing);
            waits.push(backoff.wait(0).as_secs());
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert!((225..230).contains(&backoff.wait(255).as_secs()));
        for _ in 0..100 {
            backoff.failed(Complaint::Failing);
        }
        assert_eq!(backoff.wait(0), LONGEST, "and no overflow");
        backoff.succeeded();
        backoff.failed(Complaint::Failing);
        assert_eq!(backoff.wait(0).as_secs(), 1, "a success starts over");
    }

    #[test]
    fn a_word_for_a_change_of_state_and_none_for_an_attempt() {
        let mut backoff = Backoff::default();
        let said: Vec<_> = (0..10).filter_map(|_| backoff.failed(Complaint::Failing)).collect();
        assert_eq!(said, [Complaint::Failing]);
        assert_eq!(backoff.failed(Complaint::Gone), Some(Complaint::Gone));
        assert_eq!(backoff.failed(Complaint::Gone), None);
        assert_eq!(backoff.wait(0), LONGEST);
        assert_eq!((backoff.succeeded(), backoff.succeeded()), (true, false));
        assert_eq!(backoff.failed(Complaint::Failing), None, "one failure is a hiccup");
        assert!(!backoff.succeeded());
    }
    #[test]
    fn what_is_refused_ten_times_is_passed_over_and_what_comes_next_is_tried_as_soon_as_ever() {
        let mut backoff = Backoff::default();
        let mut refusals = Refusals::default();
        let (mut waited, mut said) = (Duration::ZERO, 0);
        let mut attempts = 1;
        while !refusals.one_more() {
            said += usize::from(backoff.failed(Complaint::Failing).is_some());
            waited += backoff.wait(0);
            attempts += 1;
        }
        assert_eq!((attempts, waited.as_secs(), said), (10, 511, 1));
        backoff.passed_over();
        assert_eq!(backoff.failed(Complaint::Failing), None, "that has been said");
        assert_eq!(backoff.wait(0).as_secs(), 1);
        assert!(backoff.succeeded(), "and is void now");
    }
}
