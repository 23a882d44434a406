//! Proofs of possession are used up here (ATK-28): once what they came with has turned out to be good, so that nobody fills the store
//! with proofs of keys of their own making.

use crate::app::App;
use crate::shared_redis::{Once, Silent};
use crate::store::StoreError;
use counterfoil_core::refresh::token::{KeptIn, TokenKeys};
use counterfoil_guard::base64url_encode;
use counterfoil_guard::dpop::{PROOF_LIFE, Proof};
use std::time::Duration;

/// How long a nonce may be used, and with it the proofs that hold it.
pub const NONCE_LIFE: Duration = Duration::from_mins(5);

/// Uses a proof up; `false` if it has been, at whatever replica.
pub async fn use_up(app: &App, proof: &Proof) -> Result<bool, StoreError> {
    let (now, life) = (app.clock.now(), NONCE_LIFE + PROOF_LIFE);
    let said = proof.nonce.as_deref().and_then(TokenKeys::kept_in);
    if let Some((made, KeptIn::Redis(process))) = said {
        let redis = app.redis.as_ref().ok_or(StoreError::Unavailable)?;
        return match redis.use_up(&base64url_encode(&proof.once()), (process, made), life).await {
            Ok(Once::First) => Ok(true),
            Ok(Once::Again) => Ok(false),
            // Nobody knows; the next proof has a nonce that says another place.
            Ok(Once::TooOld) | Err(Silent) => Err(StoreError::Unavailable),
        };
    }
    app.store.spend(proof.once(), now, now.plus(life)).await
}
