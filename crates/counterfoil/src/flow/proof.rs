//! Proofs of possession are used up here (ATK-28): once what they came with has turned out to be good, so that nobody fills the store
//! with proofs of keys of their own making.

use crate::app::App;
use crate::store::StoreError;
use counterfoil_guard::dpop::{PROOF_LIFE, Proof};
use std::time::Duration;

/// How long a nonce may be used, and with it the proofs that hold it.
pub const NONCE_LIFE: Duration = Duration::from_mins(5);

/// Uses a proof up; `false` if it has been, at whatever replica.
pub async fn use_up(app: &App, proof: &Proof) -> Result<bool, StoreError> {
    let now = app.clock.now();
    app.store.spend(proof.once(), now, now.plus(NONCE_LIFE + PROOF_LIFE)).await
}
