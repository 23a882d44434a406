//! Opening the sealed secrets at start, and making the first ones.

use crate::clock::{Clock, random};
use crate::config::ConfigError;
use crate::store::{SealedSecret, Store, StoreError};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use counterfoil_core::keys::ring::{KeyState, StoredKey};
use counterfoil_core::keys::rotation::{KeyChange, Policy, plan};
use counterfoil_core::keys::sealing::{MasterKey, Purpose};
use counterfoil_core::keys::signing::SigningKey;
use counterfoil_core::refresh::token::{TokenKey, TokenKeys};
use counterfoil_core::{Secret, Timestamp};
use counterfoil_guard::Algorithm;

/// What the store holds sealed, opened.
pub struct Secrets {
    /// The master key, which fits.
    pub master: MasterKey,
    /// All signing keys; the private halves are opened by the keyring.
    pub keys: Vec<StoredKey>,
    /// The keys that make opaque tokens.
    pub tokens: TokenKeys,
    /// What enters every password hash.
    pub pepper: Secret<Vec<u8>>,
}

/// Why the secrets cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
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
    /// A value that only together with others is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// No access token would ever fit.
    #[error("configuration key `{key}`: found {budget}; the smallest access token here has {size} bytes")]
    OverBudget {
        /// The budget's name.
        key: String,
        /// How large the smallest token is.
        size: usize,
        /// How large it may be.
        budget: usize,
    },
}

/// Opens what the store holds sealed; an empty store gets its first keys, all in one transaction.
pub async fn secrets(
    store: &dyn Store,
    master: MasterKey,
    (in_use, policy): (&[Algorithm], Policy),
    clock: &dyn Clock,
) -> Result<Secrets, StartError> {
    if store.secrets().await?.is_empty() {
        let now = clock.now();
        let first = plan(&[], in_use, now, policy).into_iter().filter_map(|change| match change {
            KeyChange::Create { algorithm, state, .. } => Some(fresh_key(&master, algorithm, state, now)),
            KeyChange::Move { .. } => None,
        });
        store.initialise(first.collect(), first_secrets(&master)).await?;
    }
    open(store.signing_keys().await?, &store.secrets().await?, master)
}

/// A new signing key, its private half sealed.
pub(super) fn fresh_key(master: &MasterKey, algorithm: Algorithm, state: KeyState, now: Timestamp) -> StoredKey {
    let private = Secret::new(match algorithm {
        Algorithm::EdDsa | Algorithm::Ed25519 => random::<32>().to_vec(),
        Algorithm::Es256 => {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).expect("the generator does not fail");
            pair.to_pkcs8v1().expect("a key just made can be written").as_ref().to_vec()
        }
    });
    let key = SigningKey::new(algorithm, &private).expect("a key just made can be read");
    let sealed = master.seal(Purpose::SigningKey, key.kid().as_str(), random(), private.expose());
    let (kid, public) = (key.kid().clone(), key.public().to_vec());
    StoredKey { kid, algorithm, state, created_at: now, since: now, public, sealed }
}

/// One token key, a pepper, and a probe for the master key.
fn first_secrets(master: &MasterKey) -> Vec<SealedSecret> {
    let seal = |purpose: Purpose, id: &str, plain: &[u8]| SealedSecret {
        purpose: purpose.as_str().into(),
        id: id.into(),
        sealed: master.seal(purpose, id, random(), plain),
    };
    vec![
        seal(Purpose::Probe, "probe", b"counterfoil"),
        seal(Purpose::TokenKey, "1", &random::<32>()),
        seal(Purpose::Pepper, "1", &random::<32>()),
    ]
}

fn open(keys: Vec<StoredKey>, secrets: &[SealedSecret], master: MasterKey) -> Result<Secrets, StartError> {
    if !fits(secrets, &master)? {
        return Err(StartError::WrongMasterKey);
    }
    let of = |purpose: Purpose| secrets.iter().filter(move |secret| secret.purpose == purpose.as_str());
    let unseal = |purpose: Purpose, secret: &SealedSecret| master.open(purpose, &secret.id, &secret.sealed);
    let mut versions = Vec::new();
    for secret in of(Purpose::TokenKey) {
        let opened = unseal(Purpose::TokenKey, secret).map_err(|_| StartError::Damaged("token key"))?;
        let key: [u8; 32] = opened.expose().as_slice().try_into().map_err(|_| StartError::Damaged("token key"))?;
        let version = secret.id.parse().map_err(|_| StartError::Damaged("token key"))?;
        versions.push(TokenKey::new(version, &Secret::new(key)));
    }
    let pepper = of(Purpose::Pepper).next().ok_or(StartError::Damaged("pepper"))?;
    let pepper = unseal(Purpose::Pepper, pepper).map_err(|_| StartError::Damaged("pepper"))?;
    let tokens = TokenKeys::new(versions).ok_or(StartError::Damaged("token key"))?;
    Ok(Secrets { master, keys, tokens, pepper })
}

/// Whether these secrets are sealed under this master key.
pub fn fits(secrets: &[SealedSecret], master: &MasterKey) -> Result<bool, StartError> {
    let probe = secrets.iter().find(|secret| secret.purpose == Purpose::Probe.as_str());
    let probe = probe.ok_or(StartError::Damaged("probe"))?;
    Ok(master.open(Purpose::Probe, &probe.id, &probe.sealed).is_ok())
}

/// The same keys and secrets under another master key.
pub(super) fn reseal(
    (keys, secrets): &(Vec<StoredKey>, Vec<SealedSecret>),
    old: &MasterKey,
    new: &MasterKey,
) -> Result<(Vec<StoredKey>, Vec<SealedSecret>), StoreError> {
    const CORRUPT: StoreError = StoreError::Corrupt { table: "sealed_secret", column: "sealed" };
    let anew = |purpose: Purpose, id: &str, sealed: &[u8]| {
        let plain = old.open(purpose, id, sealed).map_err(|_| CORRUPT)?;
        Ok::<_, StoreError>(new.seal(purpose, id, random(), plain.expose()))
    };
    let mut resealed = (keys.clone(), secrets.clone());
    for key in resealed.0.iter_mut().filter(|key| !key.sealed.is_empty()) {
        key.sealed = anew(Purpose::SigningKey, key.kid.as_str(), &key.sealed)?;
    }
    for secret in &mut resealed.1 {
        let purpose = Purpose::from_name(&secret.purpose).ok_or(CORRUPT)?;
        secret.sealed = anew(purpose, &secret.id, &secret.sealed)?;
    }
    Ok(resealed)
}
