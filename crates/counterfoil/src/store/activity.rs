//! What is counted for charts, as the seam sees it.

use super::StoreError;
use async_trait::async_trait;
use counterfoil_core::activity::Activity;

/// For how many hours counts are kept.
pub const KEPT_HOURS: i64 = 100 * 24;

/// Under which name the place in the audit log is kept up to which its entries have been counted.
pub const PLACE: &str = "activity";

/// How many of one thing there were in one hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count {
    /// The hour ([`counterfoil_core::activity::hour_of`]).
    pub hour: i64,
    /// Of what.
    pub what: Activity,
    /// How many.
    pub count: u32,
}

/// What is counted.
#[async_trait]
pub trait Activities {
    /// Up to which entry the audit log has been counted; all of it is, from its beginning.
    async fn counted_to(&self) -> Result<i64, StoreError>;
    /// Adds to the counts. With `read`, what lies between two places in the audit log: `false`, and nothing added, if the first is not
    /// where counting stands. What is older than [`KEPT_HOURS`] before the newest goes.
    async fn count(&self, counts: Vec<Count>, read: Option<(i64, i64)>) -> Result<bool, StoreError>;
    /// The counts of the hours from `from` to before `until`.
    async fn counts(&self, from: i64, until: i64) -> Result<Vec<Count>, StoreError>;
}
