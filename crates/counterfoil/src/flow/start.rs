//! Opening the sealed secrets at start, and making the first ones.

use crate::app::Secrets;
use crate::clock::{Clock, random};
use crate::store::{SealedSecret, Store, StoreError};
use counterfoil_core::Secret;
use counterfoil_core::keys::ring::{KeyState, SigningKey, StoredKey, kid_of};
use counterfoil_core::keys::sealing::{MasterKey, Purpose};
use counterfoil_core::refresh::token::{TokenKey, TokenKeys};
use counterfoil_guard::Algorithm;

/// Why the secrets cannot be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Sealed under another master key.
    #[error("the master key does not fit this data folder: its secrets were sealed under another one")]
    WrongMasterKey,
    /// A secret that must be there is not, or is damaged.
    #[error("the store's {0} is missing or damaged")]
    Damaged(&'static str),
}

/// Opens what the store holds sealed; an empty store gets its first keys, all in one transaction.
pub async fn secrets(store: &dyn Store, master: &MasterKey, clock: &dyn Clock) -> Result<Secrets, StartError> {
    if store.secrets().await?.is_empty() {
        let (keys, secrets) = first(master, clock);
        store.initialise(keys, secrets).await?;
    }
    open(store.signing_keys().await?, &store.secrets().await?, master)
}

/// Two signing keys (one to sign, the next one published already), one token key, a pepper, and a probe for the master key.
fn first(master: &MasterKey, clock: &dyn Clock) -> (Vec<StoredKey>, Vec<SealedSecret>) {
    let seal = |purpose: Purpose, id: &str, plain: &[u8]| SealedSecret {
        purpose: purpose.as_str().into(),
        id: id.into(),
        sealed: master.seal(purpose, id, random(), plain),
    };
    let signing_key = |state| {
        let seed = Secret::new(random::<32>().to_vec());
        // The name follows from the public half, which needs a key pair, which needs a name.
        let unnamed = "new".parse().expect("a valid kid");
        let pair = SigningKey::from_seed(unnamed, Algorithm::EdDsa, &seed).expect("32 bytes are a seed");
        let kid = kid_of(pair.public());
        let sealed = master.seal(Purpose::SigningKey, kid.as_str(), random(), seed.expose());
        let public = pair.public().to_vec();
        StoredKey { kid, algorithm: Algorithm::EdDsa, state, created_at: clock.now(), public, sealed }
    };
    let keys = vec![signing_key(KeyState::Active), signing_key(KeyState::Next)];
    let secrets = vec![
        seal(Purpose::Probe, "probe", b"counterfoil"),
        seal(Purpose::TokenKey, "1", &random::<32>()),
        seal(Purpose::Pepper, "1", &random::<32>()),
    ];
    (keys, secrets)
}

fn open(keys: Vec<StoredKey>, secrets: &[SealedSecret], master: &MasterKey) -> Result<Secrets, StartError> {
    let of = |purpose: Purpose| secrets.iter().filter(move |secret| secret.purpose == purpose.as_str());
    let unseal = |purpose: Purpose, secret: &SealedSecret| master.open(purpose, &secret.id, &secret.sealed);
    let probe = of(Purpose::Probe).next().ok_or(StartError::Damaged("probe"))?;
    unseal(Purpose::Probe, probe).map_err(|_| StartError::WrongMasterKey)?;

    let mut versions = Vec::new();
    for secret in of(Purpose::TokenKey) {
        let opened = unseal(Purpose::TokenKey, secret).map_err(|_| StartError::Damaged("token key"))?;
        let key: [u8; 32] = opened.expose().as_slice().try_into().map_err(|_| StartError::Damaged("token key"))?;
        let version = secret.id.parse().map_err(|_| StartError::Damaged("token key"))?;
        versions.push(TokenKey::new(version, &Secret::new(key)));
    }
    let pepper = of(Purpose::Pepper).next().ok_or(StartError::Damaged("pepper"))?;
    let active = keys.iter().find(|key| key.state == KeyState::Active).ok_or(StartError::Damaged("signing key"))?;
    let seed = master
        .open(Purpose::SigningKey, active.kid.as_str(), &active.sealed)
        .map_err(|_| StartError::Damaged("signing key"))?;
    let signing = SigningKey::from_seed(active.kid.clone(), active.algorithm, &seed)
        .filter(|key| key.public() == active.public)
        .ok_or(StartError::Damaged("signing key"))?;
    Ok(Secrets {
        signing,
        tokens: TokenKeys::new(versions).ok_or(StartError::Damaged("token key"))?,
        pepper: unseal(Purpose::Pepper, pepper).map_err(|_| StartError::Damaged("pepper"))?,
        keys,
    })
}
