//! The keys of issuers elsewhere, fetched when they are needed.

use crate::clock::Clock;
use crate::config::{ConfigError, OutgoingUrl};
use crate::outgoing::{self, Outgoing};
use bytes::Bytes;
use counterfoil_core::Timestamp;
use counterfoil_core::foreign::IssuerKeys;
use http::{Request, StatusCode, header};
use http_body_util::Full;
use parking_lot::RwLock;
use std::sync::Arc;
use std::time::Duration;

/// Keys that are older than this are fetched anew, so that one which was taken back counts no more.
const FRESH_FOR: Duration = Duration::from_mins(10);

/// How long it rests after a fetch, whoever asks: a made-up `kid` must not make this server ask for each token.
pub const REST: Duration = Duration::from_secs(10);

/// How long keys go on counting when no newer ones can be had.
const OLDEST: Duration = Duration::from_hours(24);

/// They cannot be had now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoKeys;

/// A JWK Set at an address.
#[derive(Debug)]
pub struct RemoteKeys {
    uri: OutgoingUrl,
    client: Outgoing,
    keys: RwLock<Option<(Timestamp, Arc<IssuerKeys>)>>,
    /// When they were last asked for; held while they are.
    asked: tokio::sync::Mutex<Option<Timestamp>>,
}

impl RemoteKeys {
    /// Nothing is fetched yet. `key` is where the address stands in the configuration.
    pub fn prepare(uri: &OutgoingUrl, key: &str) -> Result<Self, ConfigError> {
        let client = outgoing::client(uri.is_https(), outgoing::MAX_ANSWER)
            .map_err(|error| ConfigError::key(key, format!("this machine trusts no authority: {error}")))?;
        let (keys, asked) = (RwLock::default(), tokio::sync::Mutex::default());
        Ok(Self { uri: uri.clone(), client, keys, asked })
    }

    /// The keys to verify a token by that names this one. Fails where they cannot be had, or where they may have got it since they were
    /// fetched and it is too soon to ask again: then the token is to come again. That there is no such key is said of a set that was just fetched.
    pub async fn of(&self, kid: Option<&str>, clock: &dyn Clock) -> Result<Arc<IssuerKeys>, NoKeys> {
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
                tracing::warn!(from = ?self.uri, reason, "the keys of an issuer elsewhere cannot be fetched");
                known(OLDEST).ok_or(NoKeys)
            }
        }
    }

    async fn fetch(&self) -> Result<IssuerKeys, String> {
        let request = Request::get(self.uri.uri().clone())
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
