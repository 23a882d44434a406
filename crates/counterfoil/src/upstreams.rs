//! Identity providers elsewhere: their keys, fetched when they are needed, and what they prove themselves by.

use crate::clock::Clock;
use crate::config::{Config, ConfigError, UpstreamConfig};
use crate::outgoing::{self, Outgoing};
use crate::public_url::PublicUrl;
use crate::secret_text;
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use counterfoil_core::Timestamp;
use counterfoil_core::ssf::received::IssuerKeys;
use http::{Request, StatusCode, header};
use http_body_util::Full;
use parking_lot::RwLock;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Keys that are older than this are fetched anew, so that one which was taken back counts no more.
const FRESH_FOR: Duration = Duration::from_mins(10);

/// How long it rests after a fetch, whoever asks: a made-up `kid` must not make this server ask for each event.
pub const REST: Duration = Duration::from_secs(10);

/// How long keys go on counting when no newer ones can be had.
const OLDEST: Duration = Duration::from_hours(24);

/// One of them.
#[derive(Debug)]
pub struct Upstream {
    /// What the operator chose.
    pub config: UpstreamConfig,
    /// The `aud` of its events.
    pub audience: String,
    /// SHA-256 of what it sends in the header Authorization.
    authorization: Option<[u8; 32]>,
    client: Outgoing,
    keys: RwLock<Option<(Timestamp, Arc<IssuerKeys>)>>,
    /// When they were last asked for; held while they are.
    asked: tokio::sync::Mutex<Option<Timestamp>>,
}

/// All of them, by name.
pub type Upstreams = BTreeMap<String, Upstream>;

/// Its keys cannot be had now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoKeys;

/// From the configuration.
pub fn prepare(config: &Config, public: &PublicUrl) -> Result<Upstreams, ConfigError> {
    config.upstreams.iter().map(|(name, own)| Ok((name.clone(), Upstream::prepare(name, own, public)?))).collect()
}

impl Upstream {
    fn prepare(name: &str, config: &UpstreamConfig, public: &PublicUrl) -> Result<Self, ConfigError> {
        let key = format!("upstreams.{name}.authorization");
        let secret = secret_text::read(&key, config.authorization_file.as_deref(), config.authorization_env.as_deref());
        let secret = secret.map_err(|error| ConfigError::key(key, error.to_string()))?;
        let client = outgoing::client(config.jwks_uri.is_https(), outgoing::MAX_ANSWER).map_err(|error| {
            ConfigError::key(format!("upstreams.{name}.jwks_uri"), format!("this machine trusts no authority: {error}"))
        })?;
        let path = format!("/ssf/events/{name}");
        Ok(Self {
            audience: config.audience.clone().unwrap_or_else(|| public.absolute(&path)),
            config: config.clone(),
            authorization: secret.map(|secret| hash(secret.expose())),
            client,
            keys: RwLock::default(),
            asked: tokio::sync::Mutex::default(),
        })
    }

    /// Whether it has proved itself by the header, if it has to.
    pub fn is_authorized(&self, header: Option<&[u8]>) -> bool {
        self.authorization.is_none_or(|expected| {
            let sent = hash(header.unwrap_or_default());
            header.is_some() && verify_slices_are_equal(&expected, &sent).is_ok()
        })
    }

    /// The keys to verify an event by that names this one. Fails where they cannot be had, or where they may have got it since they were
    /// fetched and it is too soon to ask again: then the event is to come again. That there is no such key is said of a set that was just fetched.
    pub async fn keys(&self, kid: Option<&str>, clock: &dyn Clock) -> Result<Arc<IssuerKeys>, NoKeys> {
        let known = |fresh_for: Duration| {
            let keys = self.keys.read();
            let fresh = keys.as_ref().filter(|(at, _)| clock.now().since(*at) < fresh_for);
            fresh.map(|(_, keys)| Arc::clone(keys)).filter(|keys| keys.has(kid))
        };
        if let Some(keys) = known(FRESH_FOR) {
            return Ok(keys);
        }
        let mut asked = self.asked.lock().await;
        // Somebody may just have brought what is needed; and not everybody may ask.
        if let Some(keys) = known(FRESH_FOR) {
            return Ok(keys);
        }
        if asked.is_some_and(|at| clock.now().since(at) < REST) {
            return known(OLDEST).ok_or(NoKeys);
        }
        let fetched = self.fetch().await;
        // From when it has ended, however long it took.
        *asked = Some(clock.now());
        match fetched {
            Ok(keys) => {
                let keys = Arc::new(keys);
                *self.keys.write() = Some((clock.now(), Arc::clone(&keys)));
                Ok(keys)
            }
            Err(reason) => {
                tracing::warn!(issuer = self.config.issuer, reason, "the keys of an upstream cannot be fetched");
                known(OLDEST).ok_or(NoKeys)
            }
        }
    }

    async fn fetch(&self) -> Result<IssuerKeys, String> {
        let request = Request::get(self.config.jwks_uri.uri().clone())
            .header(header::ACCEPT, "application/jwk-set+json, application/json")
            .header(header::USER_AGENT, outgoing::USER_AGENT)
            .body(Full::<Bytes>::default())
            .map_err(|error| error.to_string())?;
        let answer = outgoing::send(&self.client, request).await?;
        if answer.status != StatusCode::OK {
            return Err(format!("it answered {}", answer.status.as_u16()));
        }
        let body = answer.body.ok_or("the answer is too long, or did not come in time")?;
        IssuerKeys::parse(&body).ok_or_else(|| "the answer is not a JWK Set".to_owned())
    }
}

fn hash(text: impl AsRef<[u8]>) -> [u8; 32] {
    digest(&SHA256, text.as_ref()).as_ref().try_into().expect("SHA-256 has 32 bytes")
}
