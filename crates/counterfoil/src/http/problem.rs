//! The one error answer: `application/problem+json` (RFC 9457) with a stable code. Every error of every flow becomes one
//! here; what a source said stays in the log.

use crate::flow::authenticate::AuthenticateError;
use crate::flow::change_email::ChangeEmailError;
use crate::flow::change_password::ChangePasswordError;
use crate::flow::delete_account::DeleteError;
use crate::flow::factors::FactorError;
use crate::flow::gate::GateError;
use crate::flow::legacy::ExchangeError;
use crate::flow::mail_link::MailLinkError;
use crate::flow::mail_sign_in::MailSignInError;
use crate::flow::refresh::RefreshError;
use crate::flow::register::RegisterError;
use crate::flow::reset_factors::ResetFactorsError;
use crate::flow::reset_password::ResetError;
use crate::flow::sign_in::LoginError;
use crate::flow::sign_up::SignUpError;
use crate::hashing::HashingError;
use crate::store::StoreError;
use crate::store::factors::MOST_PASSKEYS;
use axum::response::{IntoResponse, Response};
use counterfoil_core::Secret;
use counterfoil_core::assurance::Challenge;
use counterfoil_core::credential::password::{MAX_BYTES, Rejected};
use counterfoil_guard::Refusal;
use http::{HeaderValue, StatusCode, header};
use std::time::Duration;

pub use super::code::Code;

/// An error as the client sees it.
#[derive(Clone, Debug)]
pub struct Problem {
    code: Code,
    status: StatusCode,
    detail: Option<String>,
    why: Option<Box<Why>>,
    retry_after: Option<Duration>,
    challenge: Challenge,
    proof: Option<Box<ProofView>>,
    cookies: Vec<HeaderValue>,
}

/// Why, in a stable word, where a code has several reasons, and the number that belongs to it: pages say it in their own language.
type Why = (&'static str, Option<(&'static str, u64)>);

/// Beside the challenge: how it can be met, and what a `native` client brings along then.
#[derive(Clone, Debug)]
struct ProofView {
    options: Vec<&'static str>,
    login_token: Option<Secret<String>>,
}

impl Problem {
    /// With the code's own words only.
    pub const fn new(code: Code) -> Self {
        let challenge = Challenge { acr: None, max_age: None };
        Self {
            code,
            status: code.status(),
            detail: None,
            why: None,
            retry_after: None,
            challenge,
            proof: None,
            cookies: Vec::new(),
        }
    }

    /// Asks for a further proof, and says what would be enough (RFC 9470, STEP-1).
    pub fn reauthenticate(challenge: Challenge) -> Self {
        Self { challenge, ..Self::new(Code::ReauthenticationRequired) }
    }

    /// How the proof that is asked for can be given, the best first, and what a `native` client brings along with it.
    #[must_use]
    pub fn proof(self, options: Vec<&'static str>, login_token: Option<Secret<String>>) -> Self {
        Self { proof: Some(Box::new(ProofView { options, login_token })), ..self }
    }

    /// Says what was wrong in this case, and what is allowed. Never anything secret.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    fn because(self, reason: &'static str, number: Option<(&'static str, u64)>) -> Self {
        Self { why: Some(Box::new((reason, number))), ..self }
    }

    /// Sends these `Set-Cookie` values along.
    #[must_use]
    pub fn cookies(mut self, cookies: impl IntoIterator<Item = HeaderValue>) -> Self {
        self.cookies.extend(cookies);
        self
    }

    /// Which code.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The status it comes with.
    pub const fn answered(&self) -> StatusCode {
        self.status
    }

    /// With another status than the code's own: the gate's answers are read by proxies, which know few.
    #[must_use]
    pub const fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    pub(super) fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.status;
        let mut body = serde_json::json!({
            "type": format!("urn:counterfoil:error:{}", self.code.as_str()),
            "title": self.code.title(),
            "status": status.as_u16(),
            "code": self.code.as_str(),
        });
        if let Some(detail) = self.detail {
            body["detail"] = detail.into();
        }
        if let Some((reason, number)) = self.why.map(|why| *why) {
            body["reason"] = reason.into();
            if let Some((name, value)) = number {
                body[name] = value.into();
            }
        }
        if let Some(acr) = self.challenge.acr {
            body["acr_values"] = acr.into();
        }
        if let Some(max_age) = self.challenge.max_age {
            body["max_age"] = max_age.as_secs().into();
        }
        if let Some(proof) = self.proof {
            body["options"] = proof.options.into();
            if let Some(token) = proof.login_token {
                body["login_token"] = token.expose().as_str().into();
            }
        }
        let mut response =
            (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response();
        let headers = response.headers_mut();
        if let Some(wait) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, challenge(self.code, self.challenge));
        }
        for cookie in self.cookies {
            headers.append(header::SET_COOKIE, cookie);
        }
        response
    }
}

/// Rounded up: whoever waits that long is not too early.
fn whole_seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

/// RFC 6750 section 3: no error word when no credential was sent (BEAR-1).
fn challenge(code: Code, wanted: Challenge) -> HeaderValue {
    HeaderValue::from_static(match code {
        Code::ReauthenticationRequired => return HeaderValue::try_from(wanted.header()).expect("ASCII"),
        Code::TokenMissing
        | Code::InvalidCredentials
        | Code::InvalidCode
        | Code::PasskeyUnknown
        | Code::PasskeyInvalid
        | Code::LoginExpired
        | Code::RefreshMissing
        | Code::GuardUnknown => "Bearer",
        Code::ProofRequired => "DPoP error=\"invalid_token\", algs=\"EdDSA Ed25519 ES256\"",
        Code::UseDpopNonce => "DPoP error=\"use_dpop_nonce\", algs=\"EdDSA Ed25519 ES256\"",
        Code::InvalidDpopProof => "DPoP error=\"invalid_dpop_proof\", algs=\"EdDSA Ed25519 ES256\"",
        _ => "Bearer error=\"invalid_token\"",
    })
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        metrics::counter!("counterfoil_tokens_refused_total", "reason" => refusal.reason()).increment(1);
        Self::new(match refusal {
            Refusal::Missing => Code::TokenMissing,
            Refusal::Expired => Code::TokenExpired,
            Refusal::Revoked => Code::SessionRevoked,
            Refusal::Stale => Code::TokenStale,
            Refusal::ProofRequired => Code::ProofRequired,
            Refusal::VerifierStale => return StoreError::Unavailable.into(),
            Refusal::BadProof => return Self::new(Code::InvalidDpopProof).status(StatusCode::UNAUTHORIZED),
            _ => Code::TokenInvalid,
        })
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable | StoreError::Overloaded => {
                Self::new(Code::Overloaded).retry_after(Duration::from_secs(1))
            }
            StoreError::Corrupt { table, column } => {
                tracing::error!(table, column, "the store holds a value that cannot be");
                Self::new(Code::Internal)
            }
        }
    }
}

impl From<HashingError> for Problem {
    fn from(error: HashingError) -> Self {
        match error {
            HashingError::Overloaded => Self::new(Code::Overloaded).retry_after(Duration::from_secs(2)),
            HashingError::Unknown(_) => {
                tracing::error!("a stored password hash cannot be read");
                Self::new(Code::Internal)
            }
        }
    }
}

impl From<AuthenticateError> for Problem {
    fn from(error: AuthenticateError) -> Self {
        match error {
            AuthenticateError::Refused(refusal) => refusal.into(),
            AuthenticateError::Store(error) => error.into(),
        }
    }
}

impl From<GateError> for Problem {
    fn from(error: GateError) -> Self {
        match error {
            GateError::Refused(refusal) => refusal.into(),
            GateError::WrongRole => Self::new(Code::Forbidden),
            GateError::Reauthenticate(challenge) => Self::reauthenticate(challenge),
            GateError::Store(error) => error.into(),
            GateError::TooLarge => Self::new(Code::Internal),
        }
    }
}

impl From<RefreshError> for Problem {
    fn from(error: RefreshError) -> Self {
        match error {
            RefreshError::Invalid(None) => Self::new(Code::RefreshInvalid),
            RefreshError::Invalid(Some(reason)) => Self::new(Code::RefreshInvalid).because(reason.as_str(), None),
            RefreshError::Reuse => Self::new(Code::RefreshReuse),
            RefreshError::BadProof => Self::new(Code::InvalidDpopProof),
            RefreshError::Unproven => Self::new(Code::ProofRequired),
            RefreshError::Reauthenticate(asks) => Self::reauthenticate(asks.challenge)
                .detail("the session is used from where it has not been before: prove that it is you, and it goes on"),
            RefreshError::Superseded => Self::new(Code::RefreshSuperseded),
            RefreshError::Store(error) => error.into(),
            RefreshError::TooLarge => Self::new(Code::Internal),
        }
    }
}

impl From<LoginError> for Problem {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::InvalidCredentials => Self::new(Code::InvalidCredentials),
            LoginError::InvalidCode => Self::new(Code::InvalidCode),
            LoginError::InvalidPasskey => Self::new(Code::PasskeyInvalid),
            LoginError::UnknownPasskey => Self::new(Code::PasskeyUnknown),
            LoginError::Expired => Self::new(Code::LoginExpired),
            LoginError::NoPasskeys => Self::new(Code::PasskeysUnavailable)
                .detail("`public_url` must be https (or localhost) and a name, not an address"),
            LoginError::UnknownApplication => {
                Self::new(Code::Malformed).detail("`client_id` names no application of this server")
            }
            LoginError::BadProof => Self::new(Code::InvalidDpopProof),
            LoginError::Unproven => Self::new(Code::ProofRequired)
                .detail("this application signs in only clients with a key: send a DPoP header"),
            LoginError::Denied => Self::new(Code::RiskDenied).detail(
                "what was shown is right, and a rule of this server refuses sign-ins like this one; try from a network or device that you \
                 have used before, or ask whoever runs this server",
            ),
            LoginError::Stronger(challenge) => Self::reauthenticate(challenge),
            LoginError::RateLimited(wait) => Self::new(Code::RateLimited).retry_after(wait),
            LoginError::Hashing(error) => error.into(),
            LoginError::Store(error) => error.into(),
            LoginError::TooLarge => Self::new(Code::Internal),
        }
    }
}

impl From<ExchangeError> for Problem {
    fn from(error: ExchangeError) -> Self {
        match error {
            ExchangeError::Closed => Self::new(Code::LegacyClosed),
            ExchangeError::Invalid => Self::new(Code::LegacyTokenInvalid),
            ExchangeError::Used => Self::new(Code::LegacyTokenUsed),
            ExchangeError::SignIn(error) => error.into(),
        }
    }
}

impl From<FactorError> for Problem {
    fn from(error: FactorError) -> Self {
        match error {
            FactorError::Reauthenticate(challenge) => Self::reauthenticate(challenge),
            FactorError::Expired => Self::new(Code::LoginExpired),
            FactorError::InvalidPasskey => Self::new(Code::PasskeyInvalid),
            FactorError::Taken => Self::new(Code::PasskeyTaken),
            FactorError::Full => Self::new(Code::PasskeyLimit)
                .because("full", Some(("most", u64::from(MOST_PASSKEYS))))
                .detail(format!("at most {MOST_PASSKEYS}; remove one that is not used any more")),
            FactorError::LastOne => {
                Self::new(Code::LastCredential).detail("add another passkey or set a password first")
            }
            FactorError::InvalidCode => Self::new(Code::InvalidCode),
            FactorError::ClockOff(seconds) => {
                let (way, off) = (if seconds < 0 { "slow" } else { "fast" }, seconds.unsigned_abs());
                let advice = "let it set the time by itself, and try again";
                let detail = format!("its clock is {way} by about {off} seconds; {advice}");
                Self::new(Code::ClockOff).because(way, Some(("seconds", off))).detail(detail)
            }
            FactorError::BadName => {
                Self::new(Code::Malformed).detail("`name` must be at most 100 bytes of printable text")
            }
            FactorError::Unknown => Self::new(Code::NotFound),
            FactorError::SignIn(error) => error.into(),
            FactorError::Store(error) => error.into(),
        }
    }
}

impl From<DeleteError> for Problem {
    fn from(error: DeleteError) -> Self {
        match error {
            DeleteError::Reauthenticate(challenge) => Self::reauthenticate(challenge),
            DeleteError::LastAdministrator => {
                Self::new(Code::LastAdministrator).detail("give another account the role `admin` first")
            }
            DeleteError::Unknown => Self::new(Code::NotFound),
            DeleteError::Store(error) => error.into(),
        }
    }
}

impl From<SignUpError> for Problem {
    fn from(error: SignUpError) -> Self {
        match error {
            SignUpError::Register(error) => error.into(),
            SignUpError::Factor(error) => error.into(),
        }
    }
}

impl From<RegisterError> for Problem {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::BadEmail => Self::new(Code::Malformed).detail("`email` is not an email address"),
            RegisterError::BadName => {
                Self::new(Code::Malformed).detail("`name` must be at most 200 bytes of printable text")
            }
            RegisterError::Password(rejected) => rejected.into(),
            RegisterError::EmailTaken => Self::new(Code::EmailTaken),
            RegisterError::Closed => Self::new(Code::RegistrationClosed),
            RegisterError::InviteInvalid => Self::new(Code::InviteInvalid),
            RegisterError::Full => Self::new(Code::UserLimit),
            RegisterError::InvalidCredentials => {
                Self::new(Code::InvalidCredentials).detail("it is not the password that was chosen for this account")
            }
            RegisterError::Link(error) => error.into(),
            RegisterError::RateLimited(wait) => Self::new(Code::RateLimited).retry_after(wait),
            RegisterError::Hashing(error) => error.into(),
            RegisterError::Store(error) => error.into(),
        }
    }
}

impl From<ChangePasswordError> for Problem {
    fn from(error: ChangePasswordError) -> Self {
        match error {
            ChangePasswordError::InvalidCredentials => {
                Self::new(Code::InvalidCredentials).detail("the current password is wrong")
            }
            ChangePasswordError::Reauthenticate(challenge) => Self::reauthenticate(challenge),
            ChangePasswordError::Password(rejected) => rejected.into(),
            ChangePasswordError::SessionEnded => Self::new(Code::SessionRevoked),
            ChangePasswordError::RateLimited(wait) => Self::new(Code::RateLimited).retry_after(wait),
            ChangePasswordError::Hashing(error) => error.into(),
            ChangePasswordError::Store(error) => error.into(),
            ChangePasswordError::TooLarge => Self::new(Code::Internal),
        }
    }
}

impl From<MailLinkError> for Problem {
    fn from(error: MailLinkError) -> Self {
        match error {
            MailLinkError::Off => Self::new(Code::MailUnavailable),
            MailLinkError::BadEmail => Self::new(Code::Malformed).detail("`email` is not an email address"),
            MailLinkError::Invalid => Self::new(Code::LinkInvalid),
            MailLinkError::OtherBrowser => Self::new(Code::LinkOtherBrowser),
            MailLinkError::RateLimited(wait) => Self::new(Code::RateLimited).retry_after(wait),
            MailLinkError::QueueFull(_) => Self::new(Code::Overloaded).retry_after(Duration::from_secs(10)),
            MailLinkError::Store(error) => error.into(),
        }
    }
}

impl From<ResetError> for Problem {
    fn from(error: ResetError) -> Self {
        match error {
            ResetError::Link(error) => error.into(),
            ResetError::Password(rejected) => rejected.into(),
            ResetError::Hashing(error) => error.into(),
        }
    }
}

impl From<ResetFactorsError> for Problem {
    fn from(error: ResetFactorsError) -> Self {
        match error {
            ResetFactorsError::Unknown => Self::new(Code::NotFound),
            ResetFactorsError::NoWayIn => Self::new(Code::MailUnavailable)
                .detail("the account has no password, and only a link by mail could give it one; nothing was changed"),
            ResetFactorsError::Store(error) => error.into(),
        }
    }
}

impl From<MailSignInError> for Problem {
    fn from(error: MailSignInError) -> Self {
        match error {
            MailSignInError::Link(error) => error.into(),
            MailSignInError::SignIn(error) => error.into(),
        }
    }
}

impl From<ChangeEmailError> for Problem {
    fn from(error: ChangeEmailError) -> Self {
        match error {
            ChangeEmailError::Factor(error) => error.into(),
            ChangeEmailError::Link(error) => error.into(),
            ChangeEmailError::Taken => Self::new(Code::EmailTaken),
            ChangeEmailError::OtherAccount => {
                Self::new(Code::Forbidden).detail("the link is another account's than the one signed in here")
            }
        }
    }
}

impl From<Rejected> for Problem {
    fn from(rejected: Rejected) -> Self {
        let number = (rejected == Rejected::TooLong).then_some(("most", MAX_BYTES as u64));
        Self::new(Code::PasswordRejected).because(rejected.as_str(), number).detail(match rejected {
            Rejected::TooShort => {
                "it is too short; a few words in a row are long enough and easy to remember".to_owned()
            }
            Rejected::TooLong => format!("it is longer than {MAX_BYTES} bytes"),
            Rejected::Common => "it is on the list of passwords that attackers try first".to_owned(),
            Rejected::Breached => {
                "it is known from a breach of another service; choose one that is used nowhere else".to_owned()
            }
            Rejected::Predictable => "it repeats or counts up; choose something less regular".to_owned(),
            Rejected::Context => "it is little more than your address, your name or this service's name".to_owned(),
            Rejected::ControlCharacter => "it contains a control character, such as a tab or a line break".to_owned(),
        })
    }
}
