//! Passkeys as the WebAuthn library sees them (Web Authentication Level 3, sections 7.1 and 7.2): what is asked of an
//! authenticator, and whether its answer is good. Keeps nothing and looks nothing up.
//!
//! User verification is always required: a passkey is the whole sign-in, or as good as a second factor (WA-UV).

use crate::config::{ConfigError, PasskeysConfig};
use crate::public_url::PublicUrl;
use counterfoil_core::UserId;
use serde::Deserialize;
use serde_json::Value;
use url::Url;
use uuid::Uuid;
use webauthn_rs::prelude::{
    Credential, DiscoverableAuthentication, Passkey, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, WebauthnError,
};
use webauthn_rs::{Webauthn, WebauthnBuilder};
use webauthn_rs_proto::{AllowCredentials, PublicKeyCredentialDescriptor, ResidentKeyRequirement};

/// The longest credential id (section 7.1, step 25).
const MOST_ID: usize = 1023;

/// This server, as authenticators know it.
pub struct RelyingParty {
    webauthn: Webauthn,
    id: String,
}

/// A ceremony that has begun: what the browser is given, and what has to be kept until it comes back.
#[derive(Debug)]
pub struct Begun {
    /// The options for `navigator.credentials.create()` or `get()`, as JSON.
    pub options: Value,
    /// What the answer is checked against.
    pub state: Value,
}

/// A passkey that has been made.
#[derive(Debug)]
pub struct Made {
    /// Its id.
    pub id: Vec<u8>,
    /// What verifies it.
    pub credential: String,
    /// Whether it may leave its device.
    pub synced: bool,
    /// Whether there is a copy of it.
    pub backed_up: bool,
}

/// A passkey that has been used.
#[derive(Debug)]
pub struct Used {
    /// What verifies it from now on: its counter may have moved.
    pub credential: String,
    /// Whether there is a copy of it.
    pub backed_up: bool,
}

/// Why an answer is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    /// Its counter has not gone forward: there may be two of it (WA-CNT).
    #[error("the counter of the passkey has gone back")]
    Cloned,
    /// Anything else. What exactly is written to the log.
    #[error("the passkey's answer is not good")]
    Wrong,
}

/// What an authenticator says of whom it signs in.
#[derive(Debug)]
pub struct Claimed {
    /// The passkey.
    pub id: Vec<u8>,
    /// The account.
    pub user: UserId,
}

/// An answer of `navigator.credentials.get()`.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct Assertion(PublicKeyCredential);

/// What of it is read before the library checks all of it.
#[derive(Deserialize)]
struct ClientData {
    challenge: String,
}

impl Assertion {
    /// Whether it answers the challenge of this ceremony. Which of several it is of, no more: anybody can write that.
    pub fn answers(&self, state: &Value) -> bool {
        let asked = state.pointer("/ast/challenge").and_then(Value::as_str);
        serde_json::from_slice::<ClientData>(&self.0.response.client_data_json)
            .is_ok_and(|said| asked == Some(said.challenge.as_str()))
    }
}

/// An answer of `navigator.credentials.create()`.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub struct Attestation(RegisterPublicKeyCredential);

impl RelyingParty {
    /// `None` where browsers allow no passkeys: at an address instead of a name, or at `http` beyond localhost.
    pub fn new(
        config: &PasskeysConfig,
        public: &PublicUrl,
        service_name: &str,
        listed: impl Iterator<Item = String>,
    ) -> Result<Option<Self>, ConfigError> {
        let Ok(origin) = Url::parse(public.issuer()) else { return Ok(None) };
        let secure = public.is_https() || public.host() == "localhost" || public.host().ends_with(".localhost");
        let id = config.rp_id.clone().unwrap_or_else(|| public.host().to_owned());
        if origin.domain().is_none() || !secure {
            return match config.rp_id {
                None => Ok(None),
                Some(_) => Err(ConfigError::key(
                    "passkeys.rp_id",
                    format!("browsers allow no passkeys at {}: it takes https and a name", public.issuer()),
                )),
            };
        }
        let belongs = |host: &str| host == id || host.ends_with(&format!(".{id}"));
        let Ok(mut builder) = WebauthnBuilder::new(&id, &origin) else {
            let reason = format!("found \"{id}\"; allowed are {} and the domains above it", public.host());
            return Err(ConfigError::key("passkeys.rp_id", reason));
        };
        for origin in listed.filter_map(|origin| Url::parse(&origin).ok()) {
            if origin.domain().is_some_and(belongs) {
                builder = builder.append_allowed_origin(&origin);
            }
        }
        let webauthn = builder.rp_name(service_name).build().expect("nothing of it can fail");
        Ok(Some(Self { webauthn, id }))
    }

    /// The name by which browsers keep the passkeys of this server apart from all others.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Begins a sign-in by whatever passkey the browser offers; with `allowed`, by one of these.
    pub fn begin_sign_in(&self, allowed: &[Vec<u8>]) -> Begun {
        let (mut options, state) =
            self.webauthn.start_discoverable_authentication().expect("it only draws a challenge");
        options.mediation = None;
        options.public_key.allow_credentials = allowed
            .iter()
            .map(|id| AllowCredentials { type_: "public-key".into(), id: id.clone(), transports: None })
            .collect();
        Begun { options: json(&options), state: json(&state) }
    }

    /// Whom an answer is about. It has not been checked yet.
    pub fn claimed(&self, answer: &Assertion) -> Option<Claimed> {
        let (user, id) = self.webauthn.identify_discoverable_authentication(&answer.0).ok()?;
        (id.len() <= MOST_ID).then(|| Claimed { id: id.to_vec(), user: UserId::from_bytes(*user.as_bytes()) })
    }

    /// Checks an answer against what was begun and the passkey that is known by its id.
    pub fn finish_sign_in(&self, state: &Value, answer: &Assertion, known: &str) -> Result<Used, Unproven> {
        let state: DiscoverableAuthentication = serde_json::from_value(state.clone()).map_err(|_| Unproven::Wrong)?;
        let credential: Credential = serde_json::from_str(known).map_err(|_| Unproven::Wrong)?;
        let result = self
            .webauthn
            .finish_discoverable_authentication_v2(&answer.0, state, &credential)
            .map_err(|error| refused(&error))?;
        let mut passkey = Passkey::from(credential);
        passkey.update_credential(&result);
        let credential = Credential::from(passkey);
        Ok(Used { backed_up: credential.backup_state, credential: text(&credential) })
    }

    /// Begins to make a passkey for an account that has `others` already.
    pub fn begin_registration(&self, user: UserId, (email, name): (&str, &str), others: &[Vec<u8>]) -> Begun {
        let user = Uuid::from_bytes(*user.as_bytes());
        // The others are kept out of the state: it has to fit a cookie, and the store refuses an id that it knows.
        let begun = self.webauthn.start_passkey_registration(user, email, name, None);
        let (mut options, state) = begun.expect("an account has an address, and the name is not empty");
        if let Some(selection) = &mut options.public_key.authenticator_selection {
            // Without it a passkey cannot be offered before anybody has said who they are (WA-DISC).
            selection.resident_key = Some(ResidentKeyRequirement::Required);
            selection.require_resident_key = true;
        }
        let excluded = |id: &Vec<u8>| PublicKeyCredentialDescriptor {
            type_: "public-key".into(),
            id: id.clone(),
            transports: None,
        };
        options.public_key.exclude_credentials = Some(others.iter().map(excluded).collect());
        Begun { options: json(&options), state: json(&state) }
    }

    /// Checks an answer against what was begun.
    pub fn finish_registration(&self, state: &Value, answer: &Attestation) -> Result<Made, Unproven> {
        let state: PasskeyRegistration = serde_json::from_value(state.clone()).map_err(|_| Unproven::Wrong)?;
        let passkey = self.webauthn.finish_passkey_registration(&answer.0, &state).map_err(|error| refused(&error))?;
        let credential = Credential::from(passkey);
        if credential.cred_id.len() > MOST_ID {
            return Err(Unproven::Wrong);
        }
        Ok(Made {
            id: credential.cred_id.clone(),
            credential: text(&credential),
            synced: credential.backup_eligible,
            backed_up: credential.backup_state,
        })
    }
}

impl std::fmt::Debug for RelyingParty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RelyingParty({})", self.id)
    }
}

fn refused(error: &WebauthnError) -> Unproven {
    tracing::info!(%error, "a passkey's answer is not good");
    match error {
        WebauthnError::CredentialPossibleCompromise => Unproven::Cloned,
        _ => Unproven::Wrong,
    }
}

fn json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).expect("the library's own types can be written")
}

fn text(credential: &Credential) -> String {
    serde_json::to_string(credential).expect("the library's own types can be written")
}
