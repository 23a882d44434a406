//! The clock by which a connection loses patience with a client that does not send its request's head.
//!
//! hyper asks for a new alarm before every request and drops it when the head has come. With tokio's own timers each of
//! those wakes the I/O driver through the kernel: measured, 0.85 extra `write` calls a request. Here a connection keeps
//! one alarm, lets it ring at the time first set, and only then looks whether a later time has been asked for.

use hyper::rt::{Sleep, Timer};
use parking_lot::Mutex;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

type Alarm = Pin<Box<tokio::time::Sleep>>;

/// One connection's timer.
#[derive(Clone, Debug, Default)]
pub(super) struct Patience {
    /// The alarm while nobody waits for it.
    kept: Arc<Mutex<Option<Alarm>>>,
}

/// Resolves at its deadline, by an alarm that may have been set for an earlier one.
struct Deadline {
    at: Instant,
    alarm: Option<Alarm>,
    kept: Arc<Mutex<Option<Alarm>>>,
}

impl Timer for Patience {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        let alarm = self.kept.lock().take();
        // An alarm can only be let ring too early. Deadlines of one connection grow, so a kept one always is.
        let alarm = alarm.filter(|alarm| alarm.deadline().into_std() <= deadline);
        let alarm = alarm.unwrap_or_else(|| Box::pin(tokio::time::sleep_until(deadline.into())));
        Box::pin(Deadline { at: deadline, alarm: Some(alarm), kept: Arc::clone(&self.kept) })
    }

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}

impl Future for Deadline {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let at = self.at;
        let Some(alarm) = &mut self.alarm else { return Poll::Ready(()) };
        loop {
            ready!(alarm.as_mut().poll(context));
            if tokio::time::Instant::now().into_std() >= at {
                return Poll::Ready(());
            }
            alarm.as_mut().reset(at.into());
        }
    }
}

impl Sleep for Deadline {}

impl Drop for Deadline {
    fn drop(&mut self) {
        *self.kept.lock() = self.alarm.take();
    }
}

#[cfg(test)]
mod tests {
    use super::Patience;
    use hyper::rt::Timer as _;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn a_kept_alarm_rings_for_the_latest_deadline_and_not_before() {
        let patience = Patience::default();
        let second = Duration::from_secs(1);
        drop(patience.sleep(10 * second));
        tokio::time::advance(9 * second).await;
        let begun = patience.now();
        let deadline = patience.sleep(10 * second);
        assert!(patience.kept.lock().is_none(), "the alarm is used again");
        deadline.await;
        assert_eq!(patience.now() - begun, 10 * second);
    }
}
