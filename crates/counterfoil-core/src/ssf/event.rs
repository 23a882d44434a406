//! Types of events by their URIs (CAEP 1.0, RISC 1.0, SSF 1.0 section 8.1).

/// A type of event that this server knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventType {
    /// CAEP: a session has ended; or all sessions that the subject describes.
    SessionRevoked,
    /// CAEP: what tokens say of the subject has changed.
    TokenClaimsChange,
    /// CAEP: a way of signing in was made, changed or removed.
    CredentialChange,
    /// CAEP: the user has proved themselves more strongly.
    AssuranceLevelChange,
    /// RISC: the account may not sign in.
    AccountDisabled,
    /// RISC: the account may sign in again.
    AccountEnabled,
    /// RISC: the account is no more.
    AccountPurged,
    /// RISC: somebody else may know what the account is opened with.
    CredentialCompromise,
    /// RISC, deprecated: all sessions of the subject have ended.
    SessionsRevoked,
    /// SSF: the receiver wanted to see that events come.
    Verification,
    /// SSF: the transmitter has changed the stream's status.
    StreamUpdated,
}

const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";
const RISC: &str = "https://schemas.openid.net/secevent/risc/event-type/";
const SSF: &str = "https://schemas.openid.net/secevent/ssf/event-type/";

impl EventType {
    /// Those that a receiver can have from this server.
    pub const TRANSMITTED: [Self; 7] = [
        Self::SessionRevoked,
        Self::TokenClaimsChange,
        Self::CredentialChange,
        Self::AssuranceLevelChange,
        Self::AccountDisabled,
        Self::AccountEnabled,
        Self::AccountPurged,
    ];

    /// Those that others may have from it, or it from others.
    const OTHERS: [Self; 4] =
        [Self::CredentialCompromise, Self::SessionsRevoked, Self::Verification, Self::StreamUpdated];

    const fn parts(self) -> (&'static str, &'static str) {
        match self {
            Self::SessionRevoked => (CAEP, "session-revoked"),
            Self::TokenClaimsChange => (CAEP, "token-claims-change"),
            Self::CredentialChange => (CAEP, "credential-change"),
            Self::AssuranceLevelChange => (CAEP, "assurance-level-change"),
            Self::AccountDisabled => (RISC, "account-disabled"),
            Self::AccountEnabled => (RISC, "account-enabled"),
            Self::AccountPurged => (RISC, "account-purged"),
            Self::CredentialCompromise => (RISC, "credential-compromise"),
            Self::SessionsRevoked => (RISC, "sessions-revoked"),
            Self::Verification => (SSF, "verification"),
            Self::StreamUpdated => (SSF, "stream-updated"),
        }
    }

    /// The last part of the URI, for logs.
    pub const fn name(self) -> &'static str {
        self.parts().1
    }

    /// The URI.
    pub fn uri(self) -> String {
        let (family, name) = self.parts();
        format!("{family}{name}")
    }

    /// The type with this URI.
    pub fn from_uri(uri: &str) -> Option<Self> {
        Self::TRANSMITTED.into_iter().chain(Self::OTHERS).find(|known| {
            let (family, name) = known.parts();
            uri.strip_prefix(family) == Some(name)
        })
    }
}
