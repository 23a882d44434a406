//! Admission control: how much is in flight at once. Beyond it requests wait, the newest next in line, and not for long: under a load that does not
//! end, a queue in the order of arrival serves nobody before they have given up. Waiting costs nothing, which a quick refusal does:
//! it would be answered with the next request.

use crate::telemetry::span;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tracing::Instrument as _;

/// How long a request waits for its turn.
pub const WAIT: Duration = Duration::from_secs(2);

/// Lets so many in at a time.
#[derive(Debug)]
pub struct Admission {
    most: u32,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    inside: u32,
    /// Those who wait, the newest at the back: as many as there are connections, but for those who have just gone.
    waiting: VecDeque<oneshot::Sender<Permit>>,
}

impl State {
    /// The oldest go first, all after the same time.
    fn forget_the_gone(&mut self) {
        while self.waiting.front().is_some_and(oneshot::Sender::is_closed) {
            self.waiting.pop_front();
        }
    }
}

/// Too many are inside, and have been for as long as anybody waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// Leave to go on; dropped, it is the next one's.
#[derive(Debug)]
pub struct Permit(Option<Arc<Admission>>);

impl Admission {
    /// Lets `most` in at a time.
    pub fn new(most: u32) -> Arc<Self> {
        Arc::new(Self { most, state: Mutex::default() })
    }

    /// Waits for a turn. Whoever hangs up meanwhile takes none.
    pub async fn enter(self: &Arc<Self>) -> Result<Permit, Full> {
        let turn = {
            let mut state = self.state.lock();
            if state.inside < self.most {
                state.inside += 1;
                return Ok(Permit(Some(Arc::clone(self))));
            }
            state.forget_the_gone();
            let (sender, turn) = oneshot::channel();
            state.waiting.push_back(sender);
            turn
        };
        // A turn that comes as the time is over is dropped with the channel, and so handed on.
        let turn = tokio::time::timeout(WAIT, turn).instrument(span!("wait for a turn"));
        turn.await.ok().and_then(Result::ok).ok_or(Full)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Some(admission) = self.0.take() else { return };
        let mut state = admission.state.lock();
        state.forget_the_gone();
        while let Some(next) = state.waiting.pop_back() {
            match next.send(Self(Some(Arc::clone(&admission)))) {
                Ok(()) => return,
                // It has gone; its turn must not count as one that ends.
                Err(mut turn) => turn.0 = None,
            }
        }
        state.inside -= 1;
    }
}

#[cfg(test)]
mod tests {
    use super::{Admission, Full, WAIT};
    use futures_util::FutureExt as _;
    use std::sync::Arc;
    use std::time::Duration;

    #[tokio::test(start_paused = true)]
    async fn whoever_came_last_is_next_and_nobody_waits_without_end() {
        let admission = Admission::new(1);
        let inside = admission.enter().await.expect("a free place");
        let wait = |admission: Arc<Admission>| tokio::spawn(async move { admission.enter().await });
        let old = wait(Arc::clone(&admission));
        tokio::time::sleep(Duration::from_millis(10)).await;
        let new = wait(Arc::clone(&admission));
        tokio::time::sleep(Duration::from_millis(10)).await;
        drop(inside);
        let inside = new.await.expect("no panic").expect("a turn");
        let begun = tokio::time::Instant::now();
        assert_eq!(old.await.expect("no panic").expect_err("its time is over"), Full);
        assert_eq!(begun.elapsed() + Duration::from_millis(20), WAIT);
        drop(inside);
        assert!(admission.enter().now_or_never().is_some_and(|turn| turn.is_ok()), "the place is free");
    }

    #[tokio::test(start_paused = true)]
    async fn a_turn_of_somebody_who_has_gone_is_the_next_ones() {
        let admission = Admission::new(1);
        let inside = admission.enter().await.expect("a free place");
        let mut waiting = Box::pin(admission.enter());
        assert!((&mut waiting).now_or_never().is_none());
        let mut gone = Box::pin(admission.enter());
        assert!((&mut gone).now_or_never().is_none());
        let mut given = Box::pin(admission.enter());
        assert!((&mut given).now_or_never().is_none());
        drop(inside);
        // It has got its turn, and goes without having taken it.
        drop(given);
        drop(gone);
        let inside = waiting.now_or_never().expect("at once").expect("a turn");
        assert!(admission.enter().now_or_never().is_none(), "one at a time still");
        drop(inside);
        assert!(admission.enter().now_or_never().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn those_who_have_gone_are_not_kept() {
        let admission = Admission::new(1);
        let inside = admission.enter().await.expect("a free place");
        for _ in 0..100 {
            assert!(admission.enter().now_or_never().is_none());
            assert!(admission.state.lock().waiting.len() <= 1, "nor while nobody leaves");
        }
        let mut waiting = Box::pin(admission.enter());
        assert!((&mut waiting).now_or_never().is_none());
        drop(inside);
        assert_eq!(admission.state.lock().waiting.len(), 0);
        assert!(waiting.now_or_never().is_some_and(|turn| turn.is_ok()));
    }
}
