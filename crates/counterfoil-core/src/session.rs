//! The session row: one sign-in on one device, the record that everything hangs on.

use crate::device::DeviceKey;
use crate::profile::Profile;
use crate::refresh::rotation::Rotation;
use counterfoil_guard::dpop::Thumbprint;
use counterfoil_guard::{Sid, Timestamp, UserId};
use std::fmt;
use std::time::Duration;

/// 128 secret random bits by which an opaque token points to its session. Never equal to `sid`, never logged.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Handle([u8; 16]);

impl Handle {
    /// From 16 random bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Handle(…)")
    }
}

/// A session as the store keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its name in tokens, lists and the revocation log.
    pub sid: Sid,
    /// The secret by which its opaque tokens find it.
    pub handle: Handle,
    /// Whose it is.
    pub user: UserId,
    /// The application signed in to.
    pub application: String,
    /// How that application receives tokens; fixed at sign-in.
    pub profile: Profile,
    /// Whether cookies outlive the browser ("keep me signed in").
    pub persistent: bool,
    /// When it began.
    pub created_at: Timestamp,
    /// When the user last proved themselves; a refresh does not change it.
    pub auth_time: Timestamp,
    /// When the session was last used, as far as the store knows.
    pub last_seen_at: Timestamp,
    /// Idle this long it ends.
    pub idle: Duration,
    /// It ends here whatever happens (absolute lifetime, counted from the sign-in: NIST-5.2).
    pub expires_at: Timestamp,
    /// How strongly the user proved themselves.
    pub acr: Assurance,
    /// By which methods (RFC 8176).
    pub amr: Vec<String>,
    /// The device in words, from the user agent.
    pub device: String,
    /// The network it was last used from.
    pub network: String,
    /// Set when it was ended by somebody.
    pub ended: Option<Ended>,
    /// Which key it is bound to, if any.
    pub binding: Binding,
    /// When somebody last came with its refresh token and without its device's key, and was refused.
    pub copy_refused_at: Option<Timestamp>,
    /// The state of its refresh token.
    pub rotation: Rotation,
}

/// The key without which a session's refresh token is worth nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Binding {
    /// None: whoever has the refresh token may use it.
    #[default]
    None,
    /// The key of a `native` client (RFC 9449), whose access tokens are bound to it too.
    Dpop(Thumbprint),
    /// A browser has registered this key, but may not have kept it: the answer may have been lost, or not been to its liking. So the key
    /// is not asked for before it has been shown once more.
    Registered(DeviceKey),
    /// A browser's key (DBSC). Its access tokens are not bound to it.
    Device(DeviceKey),
}

impl Binding {
    /// Whether a refresh without a proof is refused.
    pub const fn is_required(&self) -> bool {
        matches!(self, Self::Dpop(_) | Self::Device(_))
    }

    /// The key that access tokens are bound to as well.
    pub const fn dpop(&self) -> Option<Thumbprint> {
        match self {
            Self::Dpop(key) => Some(*key),
            Self::None | Self::Registered(_) | Self::Device(_) => None,
        }
    }

    /// The key of a browser, whether or not it has been shown.
    pub const fn device(&self) -> Option<&DeviceKey> {
        match self {
            Self::Registered(key) | Self::Device(key) => Some(key),
            Self::None | Self::Dpop(_) => None,
        }
    }
}

/// How strongly the user proved themselves: NIST SP 800-63B levels as `acr` values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Assurance {
    /// One factor.
    Aal1,
    /// Two factors, or a passkey with user verification.
    Aal2,
}

impl Assurance {
    /// The value of `acr`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aal1 => "aal1",
            Self::Aal2 => "aal2",
        }
    }

    /// The level with this `acr` value.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Aal1, Self::Aal2].into_iter().find(|level| level.as_str() == name)
    }
}

/// That and why a session was ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// When.
    pub at: Timestamp,
    /// Why.
    pub reason: EndReason,
}

/// Why a session ended; the client may be told, its user wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EndReason {
    /// The user signed out on that device.
    SignedOut,
    /// Idle or absolute lifetime passed. Nobody's act: never stored.
    Expired,
    /// The user ended it from another device, or signed out everywhere.
    EndedByYou,
    /// An administrator ended it, or banned the account.
    EndedByAdmin,
    /// The password was changed on another device.
    PasswordChanged,
    /// A refresh token that had been spent was used again.
    SuspectedTheft,
    /// The user has more sessions than allowed; this was the one longest unused.
    SessionLimit,
    /// The account was deleted.
    Deleted,
}

impl EndReason {
    const ALL: [Self; 8] = [
        Self::SignedOut,
        Self::Expired,
        Self::EndedByYou,
        Self::EndedByAdmin,
        Self::PasswordChanged,
        Self::SuspectedTheft,
        Self::SessionLimit,
        Self::Deleted,
    ];

    /// The stable word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::Expired => "expired",
            Self::EndedByYou => "ended_by_you",
            Self::EndedByAdmin => "ended_by_admin",
            Self::PasswordChanged => "password_changed",
            Self::SuspectedTheft => "suspected_theft",
            Self::SessionLimit => "session_limit",
            Self::Deleted => "deleted",
        }
    }

    /// The reason with this word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}

impl Session {
    /// When it ends if it is not used again.
    pub fn ends_unused_at(&self) -> Timestamp {
        self.last_seen_at.plus(self.idle).min(self.expires_at)
    }

    /// Why it is over, or `None` while it lives.
    pub fn end_reason(&self, now: Timestamp) -> Option<EndReason> {
        match self.ended {
            Some(ended) => Some(ended.reason),
            None if now >= self.ends_unused_at() => Some(EndReason::Expired),
            None => None,
        }
    }
}
