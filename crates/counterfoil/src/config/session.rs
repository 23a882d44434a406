//! `[session]`: lifetimes, rotation, cookies.

use super::{ConfigError, Span};
use counterfoil_core::refresh::rotation::Policy;
use serde::Deserialize;

/// `[session]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SessionConfig {
    /// How long an access token lives: 1 s to 15 min.
    pub access_lifetime: Span,
    /// For how long a spent refresh token may come back without being taken for theft: 0 s (strict) to 5 min.
    pub rotation_grace: Span,
    /// While the new token has not been seen, let its predecessor repeat without time limit. A theft is then detected up
    /// to three refreshes later.
    pub forgive_lost_answer: bool,
    /// Unused this long, a session ends: 1 s to 90 d.
    pub idle: Span,
    /// A session ends after this whatever happens: 1 s to 365 d.
    pub absolute: Span,
    /// The same two for a sign-in without "keep me signed in".
    pub browser_idle: Span,
    /// See [`SessionConfig::browser_idle`].
    pub browser_absolute: Span,
    /// How many sessions a user may have; beyond it the one longest unused ends.
    pub max_per_user: u32,
    /// How recent a sign-in must be for an administrator to act.
    pub fresh: Span,
    /// `SameSite` of all cookies.
    pub same_site: SameSite,
    /// Whether browsers are offered, over https, to bind a session to a key that cannot be copied. A session that is bound
    /// stays bound.
    pub device_binding: DeviceBinding,
    /// For how long a browser's proof counts: 5 s to 15 min. Whoever copies all cookies can refresh with them for no longer. Chromium
    /// signs six times in nine minutes, and renews a proof with less than two minutes left: below four minutes, with access tokens
    /// as short, it may run out of signatures.
    pub device_proof_life: Span,
}

/// Whether browsers are offered to bind sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceBinding {
    /// Those that can do it are; the others go on as they do.
    Offer,
    /// None is.
    Off,
}

/// `SameSite` of the cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SameSite {
    /// Sent when a link leads here.
    Lax,
    /// Withheld even then.
    Strict,
}

impl SameSite {
    /// The attribute's value.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lax => "Lax",
            Self::Strict => "Strict",
        }
    }
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

impl Default for SessionConfig {
    fn default() -> Self {
        Self {
            access_lifetime: Span::seconds(5 * MINUTE),
            rotation_grace: Span::seconds(30),
            forgive_lost_answer: false,
            idle: Span::seconds(7 * DAY),
            absolute: Span::seconds(30 * DAY),
            browser_idle: Span::seconds(2 * HOUR),
            browser_absolute: Span::seconds(12 * HOUR),
            max_per_user: 50,
            fresh: Span::seconds(10 * MINUTE),
            same_site: SameSite::Lax,
            device_binding: DeviceBinding::Offer,
            device_proof_life: Span::seconds(4 * MINUTE),
        }
    }
}

impl SessionConfig {
    /// What the rotation decision needs of it.
    pub const fn rotation_policy(&self) -> Policy {
        Policy { grace: self.rotation_grace.0, forgive_lost_answer: self.forgive_lost_answer }
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let seconds = Span::seconds;
        self.access_lifetime.within("session.access_lifetime", seconds(1), seconds(15 * MINUTE))?;
        self.rotation_grace.within("session.rotation_grace", seconds(0), seconds(5 * MINUTE))?;
        self.device_proof_life.within("session.device_proof_life", seconds(5), seconds(15 * MINUTE))?;
        self.fresh.within("session.fresh", seconds(10), seconds(DAY))?;
        let spans = [
            ("session.idle", self.idle, 90 * DAY),
            ("session.absolute", self.absolute, 365 * DAY),
            ("session.browser_idle", self.browser_idle, 90 * DAY),
            ("session.browser_absolute", self.browser_absolute, 365 * DAY),
        ];
        for (key, span, most) in spans {
            span.within(key, seconds(1), seconds(most))?;
        }
        if self.max_per_user == 0 || self.max_per_user > 1000 {
            let found = self.max_per_user;
            return Err(ConfigError::key("session.max_per_user", format!("found {found}; allowed are 1 to 1000")));
        }
        Ok(())
    }
}
