//! How long it takes until a revocation is in force at every verifier, measured all the time and not only where somebody waits for it.

use super::Feed;
use std::time::Duration;

/// How often at the most: waiting for thousands of guards is work.
const EVERY: Duration = Duration::from_secs(1);

impl Feed {
    /// Measures the newest entry whenever none is being measured, and tells how long it took. Never ends.
    pub async fn measure_lag(&self, tell: impl Fn(Duration)) {
        let mut news = self.news();
        let mut measured = self.head();
        loop {
            // The sender lives as long as this does.
            drop(news.changed().await);
            let head = self.head();
            if head > measured {
                tell(Duration::from_millis(self.effective(head).await.ms));
                tokio::time::sleep(EVERY).await;
            }
            measured = head;
        }
    }
}
