//! Systems that were there before, whose tokens are turned into sessions for a while: what verifies those, and what they must say.

use crate::clock::Clock;
use crate::config::{Config, ConfigError, LegacyConfig, Names, SecretEncoding};
use crate::issuer_keys::{NoKeys, RemoteKeys};
use crate::public_url::PublicUrl;
use crate::secret_text;
use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use counterfoil_core::foreign::IssuerKeys;
use counterfoil_core::legacy::LegacyRules;
use counterfoil_core::{Secret, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// How far ahead the end may lie: what is meant for the time of a move must not stay.
const LONGEST: Duration = Duration::from_hours(366 * 24);

/// One of them.
#[derive(Debug)]
pub struct LegacyIssuer {
    /// What the operator calls it.
    pub name: String,
    /// What its tokens must say.
    pub rules: LegacyRules,
    /// What they name an account by.
    pub names: Names,
    /// What stands before their ids in the import.
    pub prefix: String,
    until: Timestamp,
    keys: LegacyKeys,
}

#[derive(Debug)]
enum LegacyKeys {
    Fixed(Arc<IssuerKeys>),
    Remote(Box<RemoteKeys>),
}

/// From the configuration, in the order of their names.
pub fn prepare(config: &Config, public: &PublicUrl, now: Timestamp) -> Result<Vec<LegacyIssuer>, ConfigError> {
    config.legacy.iter().map(|(name, own)| LegacyIssuer::prepare(name, own, public, now)).collect()
}

impl LegacyIssuer {
    fn prepare(name: &str, config: &LegacyConfig, public: &PublicUrl, now: Timestamp) -> Result<Self, ConfigError> {
        let wrong = |field: &str, reason: &str| ConfigError::key(format!("legacy.{name}.{field}"), reason);
        let until = config.until.0;
        if until > now.plus(LONGEST) {
            return Err(wrong(
                "until",
                "it is more than a year ahead; set a time at which nearly everybody will have been here",
            ));
        }
        if until <= now {
            tracing::warn!(legacy = name, "the time of a legacy issuer is over: its section can be removed");
        }
        if config.issuer.as_deref() == Some(public.issuer()) {
            return Err(wrong("issuer", "it is this server's own; its tokens are no legacy"));
        }
        Ok(Self {
            name: name.to_owned(),
            rules: LegacyRules {
                own_issuer: public.issuer().to_owned(),
                issuer: config.issuer.clone(),
                audience: config.audience.clone(),
                subject: config.path().ok_or_else(|| wrong("subject", "expected the name of a claim"))?,
                max_age: config.max_age.0,
            },
            names: config.names,
            prefix: config.prefix.clone(),
            until,
            keys: LegacyKeys::prepare(name, config)?,
        })
    }

    /// Whether its tokens are still taken.
    pub fn is_open(&self, now: Timestamp) -> bool {
        now < self.until
    }

    /// Whether they are signed by a shared secret.
    pub fn has_secret(&self) -> bool {
        matches!(&self.keys, LegacyKeys::Fixed(keys) if keys.is_secret())
    }

    /// The keys to verify a token by that names this one.
    pub async fn keys(&self, kid: Option<&str>, clock: &dyn Clock) -> Result<Arc<IssuerKeys>, NoKeys> {
        match &self.keys {
            LegacyKeys::Fixed(keys) => Ok(Arc::clone(keys)),
            LegacyKeys::Remote(remote) => remote.of(kid, clock).await,
        }
    }
}

impl LegacyKeys {
    fn prepare(name: &str, config: &LegacyConfig) -> Result<Self, ConfigError> {
        let key = |field: &str| format!("legacy.{name}.{field}");
        if let Some(uri) = &config.jwks_uri {
            return Ok(Self::Remote(Box::new(RemoteKeys::prepare(uri, &key("jwks_uri"))?)));
        }
        if let Some(path) = &config.jwks_file {
            let wrong = |reason: String| ConfigError::key(key("jwks_file"), format!("{}: {reason}", path.display()));
            let text = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
            let keys =
                IssuerKeys::parse(&text).ok_or_else(|| wrong("it is not a JWK Set of at most 64 keys".into()))?;
            if keys.is_empty() {
                return Err(wrong("it has no key for RS256, ES256, EdDSA or Ed25519".into()));
            }
            return Ok(Self::Fixed(Arc::new(keys)));
        }
        let (file, variable) = (config.secret_file.as_deref(), config.secret_env.as_deref());
        let secret = secret_text::read(&key("secret"), file, variable)
            .map_err(|error| ConfigError::key(key("secret"), error.to_string()))?;
        let secret = secret.ok_or_else(|| ConfigError::key(key("secret_file"), "there is no secret"))?;
        let bytes = decoded(&secret, config.secret_encoding)
            .ok_or_else(|| ConfigError::key(key("secret_encoding"), "the secret is not base64"))?;
        let algorithm = config.algorithm.unwrap_or_default();
        let keys = IssuerKeys::secret(algorithm, bytes.expose()).ok_or_else(|| {
            let (name, least, found) = (algorithm.name(), algorithm.least_bytes(), bytes.expose().len());
            let reason = format!(
                "the secret has {found} bytes; {name} needs {least} (RFC 7518 section 3.2), or it can be guessed, and whoever does is anybody. \
                 Let the old system sign with a longer one until the tokens of this one have expired, and name that"
            );
            ConfigError::key(key("secret"), reason)
        })?;
        Ok(Self::Fixed(Arc::new(keys)))
    }
}

fn decoded(secret: &Secret<String>, encoding: SecretEncoding) -> Option<Secret<Vec<u8>>> {
    let text = secret.expose();
    let bytes = match encoding {
        SecretEncoding::Text => Some(text.as_bytes().to_vec()),
        SecretEncoding::Base64 => {
            let alphabet = if text.contains(['-', '_']) { &URL_SAFE } else { &STANDARD };
            let either = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
            GeneralPurpose::new(alphabet, either).decode(text).ok()
        }
    };
    bytes.map(Secret::new)
}

#[cfg(test)]
mod tests {
    use super::decoded;
    use crate::config::SecretEncoding;
    use counterfoil_core::Secret;

    #[test]
    fn secrets_are_read_as_they_are_written() {
        let read =
            |text: &str, encoding| decoded(&Secret::new(text.to_owned()), encoding).map(|it| it.expose().clone());
        assert_eq!(read("a+b/", SecretEncoding::Text).as_deref(), Some(b"a+b/".as_slice()));
        for text in ["+/8=", "+/8", "-_8=", "-_8"] {
            assert_eq!(read(text, SecretEncoding::Base64), Some(vec![0xfb, 0xff]), "{text}");
        }
        assert_eq!(read("not base64!", SecretEncoding::Base64), None);
    }
}
