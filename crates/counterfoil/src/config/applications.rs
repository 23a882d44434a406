//! `[applications.NAME]`: how an application receives tokens, and what stands in them.

use super::{AlgorithmConfig, ConfigError, OutgoingUrl};
use counterfoil_core::assurance::Requirement;
use counterfoil_core::issue::{Format, HARD_CAP, OPTIONAL_CLAIMS, PERSONAL_CLAIMS};
use counterfoil_core::profile::Profile;
use serde::Deserialize;

/// The application a sign-in means when it names none.
pub const DEFAULT_APPLICATION: &str = "web";

/// `[applications.NAME]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[expect(clippy::struct_excessive_bools, reason = "keys of a file, of which each says one thing")]
pub struct ApplicationConfig {
    /// How it receives tokens.
    pub profile: Profile,
    /// The `aud` of its tokens; default: its name.
    pub audience: Option<String>,
    /// Other origins of the same site that may send its cookies, exactly as a browser writes them.
    pub origins: Vec<String>,
    /// Claims beyond those every access token has.
    pub claims: Vec<String>,
    /// How its tokens are written: `jwt` (the default) or `paseto` (v4.public).
    pub format: Format,
    /// What signs its tokens; default: `keys.algorithm`.
    pub algorithm: Option<AlgorithmConfig>,
    /// Whether only clients that prove to hold a key may sign in (RFC 9449); for the profile `native`.
    pub require_dpop: bool,
    /// How strongly people prove themselves at a sign-in: `one-factor` (a second factor is asked for where the account has one),
    /// `two-factor` or `phishing-resistant` (a passkey).
    pub require: Requirement,
    /// Whether, where `two-factor` is asked for, a code by mail does for people who have set up nothing better. Needs `[mail]`; it proves
    /// little, since whoever reads the mail can also choose another password.
    pub mail_code: bool,
    /// Whether its tokens say where their status is to be found, for verifiers that follow no feed (Token Status List).
    pub status_list: bool,
    /// Where it is told when one of its sessions has ended (`OpenID` Connect Back-Channel Logout 1.0).
    pub backchannel_logout_uri: Option<OutgoingUrl>,
    /// Whether that may be `http` to another machine.
    pub backchannel_logout_allow_http: bool,
    /// How many bytes an access token may have: 400 to 4096.
    pub token_budget: usize,
}

impl Default for ApplicationConfig {
    fn default() -> Self {
        Self {
            profile: Profile::Cookie,
            audience: None,
            origins: Vec::new(),
            claims: Vec::new(),
            format: Format::Jwt,
            algorithm: None,
            require_dpop: false,
            require: Requirement::OneFactor,
            mail_code: false,
            status_list: false,
            backchannel_logout_uri: None,
            backchannel_logout_allow_http: false,
            token_budget: 640,
        }
    }
}

impl ApplicationConfig {
    pub(super) fn check(&self, name: &str) -> Result<(), ConfigError> {
        let key = |field: &str| format!("applications.{name}.{field}");
        check_name("applications", name)?;
        check_claims(&key("claims"), &self.claims)?;
        for origin in &self.origins {
            if !is_origin(origin) {
                let reason = format!(
                    "found \"{origin}\"; an origin is scheme, host and perhaps port, such as \"https://app.example.com\""
                );
                return Err(ConfigError::key(key("origins"), reason));
            }
        }
        if self.audience.as_ref().is_some_and(|audience| audience.is_empty() || audience.len() > 200) {
            return Err(ConfigError::key(key("audience"), "must have 1 to 200 bytes"));
        }
        if self.require_dpop && self.profile != Profile::Native {
            let reason =
                "tokens are bound to a client's key in the profile \"native\"; a browser keeps its own in cookies";
            return Err(ConfigError::key(key("require_dpop"), reason));
        }
        if let Some(url) = self.logout_url()
            && !(url.is_https() || url.is_loopback() || self.backchannel_logout_allow_http)
        {
            let reason = "beyond loopback it must be https; `backchannel_logout_allow_http = true` lifts that where the \
                          network is trusted";
            return Err(ConfigError::key(key("backchannel_logout_uri"), reason));
        }
        check_budget(&key("token_budget"), self.token_budget)
    }

    /// Where it is told that a session has ended, if it wants to be.
    pub const fn logout_url(&self) -> Option<&OutgoingUrl> {
        self.backchannel_logout_uri.as_ref()
    }
}

pub(super) fn check_name(section: &str, name: &str) -> Result<(), ConfigError> {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_';
    if name.is_empty() || name.len() > 32 || !name.bytes().all(plain) {
        let reason = "a name has 1 to 32 characters of a-z, 0-9, - and _";
        return Err(ConfigError::key(format!("{section}.{name}"), reason));
    }
    Ok(())
}

pub(super) fn check_budget(key: &str, budget: usize) -> Result<(), ConfigError> {
    if (400..=HARD_CAP).contains(&budget) {
        return Ok(());
    }
    Err(ConfigError::key(key, format!("found {budget}; allowed are 400 to {HARD_CAP} bytes")))
}

pub(super) fn check_claims(key: &str, claims: &[String]) -> Result<(), ConfigError> {
    claims.iter().try_for_each(|claim| check_claim(claim)).map_err(|reason| ConfigError::key(key, reason))
}

fn check_claim(claim: &str) -> Result<(), String> {
    let allowed = OPTIONAL_CLAIMS.join(", ");
    if PERSONAL_CLAIMS.contains(&claim) {
        return Err(format!("\"{claim}\" is personal data and is never put into an access token; allowed: {allowed}"));
    }
    if !OPTIONAL_CLAIMS.contains(&claim) {
        return Err(format!("\"{claim}\" is not a claim that can be added; allowed: {allowed}"));
    }
    Ok(())
}

/// Scheme, host and perhaps port, in the one spelling that browsers send.
pub(super) fn is_origin(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else { return false };
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b':' | b'[' | b']');
    !rest.is_empty() && rest.bytes().all(plain)
}
