//! Unfinished ceremonies. What has to be remembered between two requests of one sign-in is sealed and given to the client to keep: a
//! stranger who opens a sign-in page writes nothing into the store.
//!
//! A ticket counts once: its id is spent when the ceremony succeeds. It names its purpose, so none stands in for another, and a
//! browser keeps it in a cookie that no script and no other site can read or set (WA-CH).

use crate::app::App;
use crate::clock::random;
use crate::store::StoreError;
use aws_lc_rs::digest::{SHA256, digest};
use counterfoil_core::assurance::Method;
use counterfoil_core::credential::factor_key::Use;
use counterfoil_core::risk::{PasswordTrouble, Signal};
use counterfoil_core::{Secret, Sid, Timestamp, UserId};
use counterfoil_guard::{LEEWAY_SECONDS, base64url_decode, base64url_encode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// How long a ceremony may take.
pub const LIFE: Duration = Duration::from_mins(10);

/// The longest ticket that is opened.
const MOST: usize = 3072;

/// What every ticket begins with.
const PREFIX: &str = "cfl_";

/// An unfinished ceremony.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ticket {
    id: [u8; 16],
    until: i64,
    /// What it is about.
    pub what: Ceremony,
}

/// What is unfinished.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ceremony {
    /// A sign-in that needs another step.
    SignIn(Progress),
    /// A sign-in by passkey, perhaps as a step of one that has begun.
    PasskeySignIn {
        /// The challenge.
        state: Value,
        /// The application to sign in to.
        application: String,
        /// What has been shown before.
        after: Option<Progress>,
    },
    /// A new passkey for an account.
    PasskeyEnrolment {
        /// The challenge.
        state: Value,
        /// Who adds it.
        by: Enroller,
    },
    /// A new account that begins with a passkey.
    SignUp {
        /// The challenge.
        state: Value,
        /// Its id.
        user: UserId,
        /// Its address.
        email: String,
        /// What its user likes to be called.
        name: Option<String>,
        /// The invitation, by its hash.
        invite: Option<[u8; 32]>,
        /// The application to sign in to.
        application: String,
        /// The link that has confirmed the address, by its hash, where addresses are confirmed.
        link: Option<[u8; 32]>,
    },
    /// Something that goes on with a link in a mail, in this browser.
    MailAsked {
        /// What for, in the word of the link's purpose.
        purpose: String,
        /// Which request.
        asked: [u8; 16],
    },
    /// A sign-in that goes on with a code in a mail.
    MailCode {
        /// How far it has come.
        progress: Progress,
        /// The code.
        code: String,
    },
    /// A passkey as the proof of a session that goes on.
    StepUp {
        /// The challenge.
        state: Value,
        /// The session.
        sid: Sid,
        /// SHA-256 of its handle.
        #[serde(default)]
        handle: [u8; 32],
    },
    /// A session that goes on once its owner has proved that it is still them: in the place of an access token, and for nothing but that.
    Prove {
        /// The session.
        sid: Sid,
        /// SHA-256 of its handle: with the proof it gets another one, and this is over.
        handle: [u8; 32],
    },
    /// An authenticator app that has been shown a secret and not a code yet.
    TotpEnrolment {
        /// The secret, in base64url.
        secret: String,
        /// Who adds it.
        by: Enroller,
    },
}

/// How far a sign-in has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// Who signs in.
    pub user: UserId,
    /// To which application.
    pub application: String,
    /// Whether the session outlives the browser.
    pub remember: bool,
    /// By what so far.
    pub methods: Vec<Method>,
    /// SHA-256 of the password hash that was checked, if one was: it must still be the account's at the end.
    pub password: Option<[u8; 32]>,
    /// The token of a legacy issuer that it began with, if it did.
    #[serde(default)]
    pub legacy: Option<LegacyProof>,
    /// What is wrong with that password.
    #[serde(default)]
    pub trouble: Option<PasswordTrouble>,
    /// What has been found unusual about it and is written down already.
    #[serde(default)]
    pub noted: Vec<Signal>,
}

/// What is remembered of a legacy token until it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LegacyProof {
    /// SHA-256 of what was signed.
    pub token: [u8; 32],
    /// When it was made, in milliseconds.
    pub issued_at: i64,
    /// From when on it is not believed any more.
    pub ends_at: i64,
}

impl LegacyProof {
    /// What must not have been ended since. The clock that its `iat` is of may go ahead of this one by as much as times may lie in the future: it
    /// is taken to.
    pub fn made_at(&self) -> Timestamp {
        Timestamp::from_millis(self.issued_at).minus(Duration::from_secs(LEEWAY_SECONDS.unsigned_abs()))
    }
}

/// Who sets up a factor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Enroller {
    /// Somebody signed in.
    Session {
        /// Whose account.
        user: UserId,
        /// In which session.
        sid: Sid,
    },
    /// Somebody signing in who has to.
    Newcomer(Progress),
}

impl Enroller {
    /// Whose account.
    pub const fn user(&self) -> UserId {
        match self {
            Self::Session { user, .. } | Self::Newcomer(Progress { user, .. }) => *user,
        }
    }
}

impl Ticket {
    /// A new one.
    pub fn new(app: &App, what: Ceremony) -> Self {
        Self { id: random(), until: app.clock.now().plus(LIFE).as_millis(), what }
    }

    /// As the client keeps it.
    pub fn seal(&self, app: &App) -> Secret<String> {
        let plain = Secret::new(serde_json::to_vec(self).expect("a ticket can be written"));
        let sealed = app.factors.seal(Use::Ticket, random(), plain.expose());
        Secret::new(format!("{PREFIX}{}", base64url_encode(&sealed)))
    }

    /// Opens what a client has kept; `None` if it is not one of ours, or over.
    pub fn open(app: &App, text: &str) -> Option<Self> {
        let text = text.strip_prefix(PREFIX).filter(|text| text.len() <= MOST)?;
        let plain = app.factors.open(Use::Ticket, &base64url_decode(text)?).ok()?;
        let ticket: Self = serde_json::from_slice(plain.expose()).ok()?;
        (app.clock.now() < ticket.ends_at()).then_some(ticket)
    }

    /// When it is over.
    pub const fn ends_at(&self) -> Timestamp {
        Timestamp::from_millis(self.until)
    }

    /// Makes it count; `false` if it has counted already.
    pub async fn spend(&self, app: &App) -> Result<bool, StoreError> {
        let what = digest(&SHA256, &[b"ticket".as_slice(), &self.id].concat());
        let what = what.as_ref().try_into().expect("SHA-256 is 32 bytes");
        app.store.spend(what, app.clock.now(), self.ends_at()).await
    }
}

/// What a ticket remembers of the password hash that was checked.
pub fn remembered(hash: &str) -> [u8; 32] {
    digest(&SHA256, hash.as_bytes()).as_ref().try_into().expect("SHA-256 is 32 bytes")
}
