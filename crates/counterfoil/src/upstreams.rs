//! Identity providers elsewhere whose events count here, and what they prove themselves by.

use crate::config::{Config, ConfigError, UpstreamConfig};
use crate::issuer_keys::RemoteKeys;
use crate::public_url::PublicUrl;
use crate::secret_text;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use std::collections::BTreeMap;

/// One of them.
#[derive(Debug)]
pub struct Upstream {
    /// What the operator chose.
    pub config: UpstreamConfig,
    /// The `aud` of its events.
    pub audience: String,
    /// SHA-256 of what it sends in the header Authorization.
    authorization: Option<[u8; 32]>,
    /// What verifies its events.
    pub keys: RemoteKeys,
}

/// All of them, by name.
pub type Upstreams = BTreeMap<String, Upstream>;

/// From the configuration.
pub fn prepare(config: &Config, public: &PublicUrl) -> Result<Upstreams, ConfigError> {
    config.upstreams.iter().map(|(name, own)| Ok((name.clone(), Upstream::prepare(name, own, public)?))).collect()
}

impl Upstream {
    fn prepare(name: &str, config: &UpstreamConfig, public: &PublicUrl) -> Result<Self, ConfigError> {
        let key = format!("upstreams.{name}.authorization");
        let secret = secret_text::read(&key, config.authorization_file.as_deref(), config.authorization_env.as_deref());
        let secret = secret.map_err(|error| ConfigError::key(key, error.to_string()))?;
        let keys = RemoteKeys::prepare(&config.jwks_uri, &format!("upstreams.{name}.jwks_uri"))?;
        let path = format!("/ssf/events/{name}");
        Ok(Self {
            audience: config.audience.clone().unwrap_or_else(|| public.absolute(&path)),
            config: config.clone(),
            authorization: secret.map(|secret| hash(secret.expose())),
            keys,
        })
    }

    /// Whether it has proved itself by the header, if it has to.
    pub fn is_authorized(&self, header: Option<&[u8]>) -> bool {
        self.authorization.is_none_or(|expected| {
            let sent = hash(header.unwrap_or_default());
            header.is_some() && verify_slices_are_equal(&expected, &sent).is_ok()
        })
    }
}

fn hash(text: impl AsRef<[u8]>) -> [u8; 32] {
    digest(&SHA256, text.as_ref()).as_ref().try_into().expect("SHA-256 has 32 bytes")
}
