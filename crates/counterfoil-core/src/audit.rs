//! What is written down of who did what to whom.

use counterfoil_guard::{Sid, Timestamp, UserId};

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Somebody not signed in.
    Anonymous,
    /// A user, on their own account.
    User(UserId),
    /// An administrator, through the network.
    Admin(UserId),
    /// A program with an API key of the administration; the id is the key's, and no account's.
    ApiKey(UserId),
    /// Whoever holds a guard's credential.
    Guard,
    /// A service.
    Client,
    /// Whoever holds the data folder, through the command line.
    Operator,
    /// The server itself.
    System,
}

impl Actor {
    /// The word for the kind of actor.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::User(_) => "user",
            Self::Admin(_) => "admin",
            Self::ApiKey(_) => "api_key",
            Self::Guard => "guard",
            Self::Client => "client",
            Self::Operator => "operator",
            Self::System => "system",
        }
    }

    /// The actor of this kind; `None` when kind and id do not fit together.
    pub fn from_parts(kind: &str, id: Option<UserId>) -> Option<Self> {
        match (kind, id) {
            ("anonymous", None) => Some(Self::Anonymous),
            ("user", Some(id)) => Some(Self::User(id)),
            ("admin", Some(id)) => Some(Self::Admin(id)),
            ("api_key", Some(id)) => Some(Self::ApiKey(id)),
            ("guard", None) => Some(Self::Guard),
            ("client", None) => Some(Self::Client),
            ("operator", None) => Some(Self::Operator),
            ("system", None) => Some(Self::System),
            _ => None,
        }
    }

    /// The id of the acting account or API key, if it is one.
    pub const fn id(self) -> Option<UserId> {
        match self {
            Self::User(id) | Self::Admin(id) | Self::ApiKey(id) => Some(id),
            Self::Anonymous | Self::Guard | Self::Client | Self::Operator | Self::System => None,
        }
    }

    /// Whether users are not told who or where this was.
    pub const fn is_hidden_from_users(self) -> bool {
        matches!(self, Self::Admin(_) | Self::ApiKey(_) | Self::Operator | Self::Guard | Self::Client)
    }
}

/// What happened. A successful refresh is not among them: it is neither news nor affordable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// An account was made.
    Registered,
    /// Accounts were taken over from another system; how many is the detail.
    AccountsImported,
    /// Somebody signed in.
    SignedIn,
    /// A sign-in failed.
    SignInFailed,
    /// A sign-in, a refresh or a step-up was out of the ordinary; what was done about it, and why, is the detail.
    RiskAssessed,
    /// A session was ended.
    SessionEnded,
    /// All sessions of a user (perhaps but one) were ended.
    SessionsEnded,
    /// One access token was revoked.
    TokenRevoked,
    /// A spent refresh token was used again, and its session ended.
    RefreshReuse,
    /// A refresh without the proof its session is bound to.
    RefreshUnproven,
    /// A browser has registered a key for its session.
    DeviceRegistered,
    /// A browser has shown its key for the first time: from now on it is asked for.
    DeviceBound,
    /// Somebody came with a refresh token and without the key of the browser it was given to: a copy, or a browser in trouble.
    DeviceProofMissing,
    /// A generation newer than the store's was presented: the store is older than its tokens.
    RefreshFastForward,
    /// A password was changed.
    PasswordChanged,
    /// A password was replaced through a link in a mail.
    PasswordReset,
    /// An account got another mail address.
    EmailChanged,
    /// An imported password hash was replaced by one of ours, at a sign-in with that password.
    PasswordRehashed,
    /// A code of an authenticator app or a recovery code was wrong, or has been used before.
    WrongCode,
    /// A recovery code was used up.
    RecoveryCodeUsed,
    /// Recovery codes were made; the old ones count no more.
    RecoveryCodesMade,
    /// A passkey was added.
    PasskeyAdded,
    /// A passkey got another name.
    PasskeyRenamed,
    /// A passkey was removed.
    PasskeyRemoved,
    /// The counter of a passkey has gone back: there may be two of it.
    PasskeyCloned,
    /// An authenticator app was set up.
    TotpAdded,
    /// The authenticator app was removed.
    TotpRemoved,
    /// An administrator has removed all passkeys and second factors of an account.
    FactorsReset,
    /// Somebody signed in has proved to be who they are once more.
    SteppedUp,
    /// Roles were changed.
    RolesChanged,
    /// An account was banned.
    Banned,
    /// A ban was lifted.
    Unbanned,
    /// A password locked by too many failures was unlocked.
    Unlocked,
    /// An account was deleted.
    AccountDeleted,
    /// An invitation was made.
    Invited,
    /// An invitation was taken back.
    InviteWithdrawn,
    /// An API key of the administration was made.
    ApiKeyAdded,
    /// An API key of the administration was taken back.
    ApiKeyRemoved,
    /// A guard's credential was made.
    GuardAdded,
    /// A guard's credential was taken back.
    GuardRemoved,
    /// A service's credential was made.
    ClientAdded,
    /// A service got another credential.
    ClientRenewed,
    /// A service's credential was taken back, and its tokens with it.
    ClientRemoved,
    /// A service has made an event stream for itself.
    StreamAdded,
    /// An event stream is told something else from now on, elsewhere, or nothing.
    StreamChanged,
    /// An event stream was removed.
    StreamRemoved,
    /// A signing key was made and published.
    KeyCreated,
    /// A signing key has begun to sign.
    KeyActivated,
    /// A signing key has ceased to sign, or has left the key set.
    KeyRetired,
    /// A signing key was revoked, or all of them.
    KeyRevoked,
    /// All secrets were sealed under another master key.
    MasterKeyChanged,
    /// The store was put back from a backup.
    Restored,
}

impl Event {
    const ALL: [Self; 52] = [
        Self::Registered,
        Self::AccountsImported,
        Self::SignedIn,
        Self::SignInFailed,
        Self::RiskAssessed,
        Self::SessionEnded,
        Self::SessionsEnded,
        Self::TokenRevoked,
        Self::RefreshReuse,
        Self::RefreshUnproven,
        Self::DeviceRegistered,
        Self::DeviceBound,
        Self::DeviceProofMissing,
        Self::RefreshFastForward,
        Self::PasswordChanged,
        Self::PasswordReset,
        Self::EmailChanged,
        Self::PasswordRehashed,
        Self::WrongCode,
        Self::RecoveryCodeUsed,
        Self::RecoveryCodesMade,
        Self::PasskeyAdded,
        Self::PasskeyRenamed,
        Self::PasskeyRemoved,
        Self::PasskeyCloned,
        Self::TotpAdded,
        Self::TotpRemoved,
        Self::FactorsReset,
        Self::SteppedUp,
        Self::RolesChanged,
        Self::Banned,
        Self::Unbanned,
        Self::Unlocked,
        Self::AccountDeleted,
        Self::Invited,
        Self::InviteWithdrawn,
        Self::ApiKeyAdded,
        Self::ApiKeyRemoved,
        Self::GuardAdded,
        Self::GuardRemoved,
        Self::ClientAdded,
        Self::ClientRenewed,
        Self::ClientRemoved,
        Self::StreamAdded,
        Self::StreamChanged,
        Self::StreamRemoved,
        Self::KeyCreated,
        Self::KeyActivated,
        Self::KeyRetired,
        Self::KeyRevoked,
        Self::MasterKeyChanged,
        Self::Restored,
    ];

    /// Every event there is.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter()
    }

    /// The event with this word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.as_str() == name)
    }

    /// The stable word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::AccountsImported => "accounts_imported",
            Self::SignedIn => "signed_in",
            Self::SignInFailed => "sign_in_failed",
            Self::RiskAssessed => "risk_assessed",
            Self::SessionEnded => "session_ended",
            Self::SessionsEnded => "sessions_ended",
            Self::TokenRevoked => "token_revoked",
            Self::RefreshReuse => "refresh_reuse",
            Self::RefreshUnproven => "refresh_unproven",
            Self::DeviceRegistered => "device_registered",
            Self::DeviceBound => "device_bound",
            Self::DeviceProofMissing => "device_proof_missing",
            Self::RefreshFastForward => "refresh_fast_forward",
            Self::PasswordChanged => "password_changed",
            Self::PasswordReset => "password_reset",
            Self::EmailChanged => "email_changed",
            Self::PasswordRehashed => "password_rehashed",
            Self::WrongCode => "wrong_code",
            Self::RecoveryCodeUsed => "recovery_code_used",
            Self::RecoveryCodesMade => "recovery_codes_made",
            Self::PasskeyAdded => "passkey_added",
            Self::PasskeyRenamed => "passkey_renamed",
            Self::PasskeyRemoved => "passkey_removed",
            Self::PasskeyCloned => "passkey_cloned",
            Self::TotpAdded => "totp_added",
            Self::TotpRemoved => "totp_removed",
            Self::FactorsReset => "factors_reset",
            Self::SteppedUp => "stepped_up",
            Self::RolesChanged => "roles_changed",
            Self::Banned => "banned",
            Self::Unbanned => "unbanned",
            Self::Unlocked => "unlocked",
            Self::AccountDeleted => "account_deleted",
            Self::Invited => "invited",
            Self::InviteWithdrawn => "invite_withdrawn",
            Self::ApiKeyAdded => "api_key_added",
            Self::ApiKeyRemoved => "api_key_removed",
            Self::GuardAdded => "guard_added",
            Self::GuardRemoved => "guard_removed",
            Self::ClientAdded => "client_added",
            Self::ClientRenewed => "client_renewed",
            Self::ClientRemoved => "client_removed",
            Self::StreamAdded => "stream_added",
            Self::StreamChanged => "stream_changed",
            Self::StreamRemoved => "stream_removed",
            Self::KeyCreated => "key_created",
            Self::KeyActivated => "key_activated",
            Self::KeyRetired => "key_retired",
            Self::KeyRevoked => "key_revoked",
            Self::MasterKeyChanged => "master_key_changed",
            Self::Restored => "restored",
        }
    }
}

/// One line of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// When.
    pub at: Timestamp,
    /// What.
    pub event: Event,
    /// Who.
    pub actor: Actor,
    /// Whose account.
    pub user: Option<UserId>,
    /// Which session.
    pub sid: Option<Sid>,
    /// From which network; personal, erasable.
    pub network: String,
    /// Anything else worth a word; never a secret, never an address.
    pub detail: String,
}

impl AuditEntry {
    /// As the user it is about may see it: nothing of who administers, or from where, or what they noted; nor of the machines behind
    /// the service.
    #[must_use]
    pub fn for_its_user(mut self) -> Self {
        if self.actor.is_hidden_from_users() {
            self.network.clear();
            self.detail.clear();
        }
        self
    }
}
