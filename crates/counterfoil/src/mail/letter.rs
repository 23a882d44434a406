//! The letters there are. No words of users stand in them: whoever types another's address must not send them a text (no name, no
//! invitation's note).

use counterfoil_core::credential::mail_link::Purpose;
use counterfoil_core::{Secret, Timestamp};

macro_rules! letters {
    ($($name:ident, $file:literal, $meaning:literal;)*) => {
        /// What a letter says. Each has a template of its own.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum What { $(#[doc = $meaning] $name,)* }

        impl What {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// The name of its template.
            pub const fn name(self) -> &'static str { match self { $(Self::$name => $file,)* } }

            /// The template as it comes with the server.
            pub(super) const fn built_in(self) -> &'static str {
                match self { $(Self::$name => include_str!(concat!("../../mails/", $file, ".txt")),)* }
            }
        }
    };
}

letters! {
    Confirm, "confirm", "The address of a new account is to be confirmed.";
    SignUp, "sign-up", "The same, for an account that begins with a passkey.";
    AlreadyHere, "already-here", "Somebody wanted an account with an address that has one.";
    Reset, "reset", "A link to choose another password.";
    NoPassword, "no-password", "The account has passkeys and no password, so that there is none to choose anew.";
    SignIn, "sign-in", "A link that signs in.";
    Code, "code", "A code, to go on with a sign-in.";
    ChangeEmail, "change-email", "The new address of an account is to be confirmed.";
    AddressInUse, "address-in-use", "Somebody wanted to move to an address that is another account's.";
    EmailChanged, "email-changed", "To the old address: the account has another one now.";
    NewDevice, "new-device", "A sign-in from a device that has not been seen.";
    Unusual, "unusual", "Something unusual was done with the account, and perhaps refused.";
    BreachedPassword, "breached-password", "The password is known from a breach.";
    PasswordChanged, "password-changed", "The password was changed.";
    PasswordReset, "password-reset", "The password was replaced through a link.";
    PasskeyAdded, "passkey-added", "A passkey was added.";
    PasskeyRemoved, "passkey-removed", "A passkey was removed.";
    TotpAdded, "totp-added", "An authenticator app was set up.";
    TotpRemoved, "totp-removed", "The authenticator app was removed.";
    RecoveryCodesMade, "recovery-codes-made", "New recovery codes were made.";
    RecoveryCodeUsed, "recovery-code-used", "A recovery code was used.";
    FactorsReset, "factors-reset", "An administrator has removed all factors.";
    SessionCopied, "session-copied", "A session was ended because a copy of it was used.";
    AccountDeleted, "account-deleted", "The account was deleted.";
}

impl What {
    /// The letter that carries a link for this.
    pub const fn with_link_for(purpose: Purpose) -> Self {
        match purpose {
            Purpose::Register => Self::Confirm,
            Purpose::SignUp => Self::SignUp,
            Purpose::Reset => Self::Reset,
            Purpose::SignIn => Self::SignIn,
            Purpose::ChangeEmail => Self::ChangeEmail,
        }
    }
}

/// When and from where something was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When.
    pub at: Timestamp,
    /// From which network.
    pub network: String,
    /// With which device, in words, if that is known.
    pub device: String,
}

/// A letter.
#[derive(Clone, Debug)]
pub struct Letter {
    /// What it says.
    pub what: What,
    /// The link it carries.
    pub link: Option<(Purpose, Secret<String>)>,
    /// The code it carries.
    pub code: Option<Secret<String>>,
    /// What it is about.
    pub seen: Option<Seen>,
}

impl Letter {
    /// One that says only this.
    pub const fn plain(what: What) -> Self {
        Self { what, link: None, code: None, seen: None }
    }
}
