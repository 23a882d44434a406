//! How strongly somebody has proved to be who they are, what is asked of them, and which step comes next.
//!
//! A passkey with user verification is two factors in one gesture (NIST SP 800-63B section 2.2) and the only method here that
//! cannot be relayed by a page which looks like ours. Two methods that both show possession are one factor. What comes by mail is worth no
//! more than the password, which it could replace: beside the password it adds nothing to the level (NIST SP 800-63B section 3.1.3.1).

use crate::session::{Assurance, Session};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::time::Duration;

/// A way in which somebody has proved themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// A password.
    Password,
    /// A code of an authenticator app.
    Totp,
    /// A recovery code.
    RecoveryCode,
    /// A link that came by mail.
    MailLink,
    /// A code that came by mail.
    MailCode,
    /// A token of the system that was there before.
    Legacy,
    /// A passkey that does not leave its device, with user verification.
    Passkey,
    /// A passkey that is synchronised between devices, with user verification.
    SyncedPasskey,
}

impl Method {
    const fn is_passkey(self) -> bool {
        matches!(self, Self::Passkey | Self::SyncedPasskey)
    }

    /// The values of `amr` (RFC 8176 section 2) that stand for it.
    const fn amr(self) -> &'static [&'static str] {
        match self {
            Self::Password => &["pwd"],
            Self::Totp | Self::RecoveryCode => &["otp"],
            // RFC 8176 has no word for it.
            Self::MailLink | Self::MailCode => &["mail"],
            // Nor for this. How somebody had proved themselves there is not known.
            Self::Legacy => &["legacy"],
            Self::Passkey => &["hwk", "user"],
            Self::SyncedPasskey => &["swk", "user"],
        }
    }
}

/// The values of `amr` that only a passkey has.
const OF_PASSKEYS: [&str; 2] = ["hwk", "swk"];

/// The level that these methods together reach.
pub fn acr(methods: &[Method]) -> Assurance {
    let has = |wanted: &[Method]| methods.iter().any(|method| wanted.contains(method));
    let two = has(&[Method::Password, Method::MailLink, Method::Legacy]) && has(&[Method::Totp, Method::RecoveryCode]);
    if two || methods.iter().any(|method| method.is_passkey()) { Assurance::Aal2 } else { Assurance::Aal1 }
}

/// What a token says of these methods: each value once, and `mfa` where they are more than one factor.
pub fn amr(methods: &[Method]) -> Vec<String> {
    let mut values: Vec<String> = Vec::new();
    let mfa = (acr(methods) >= Assurance::Aal2).then_some("mfa");
    for value in methods.iter().flat_map(|method| method.amr()).copied().chain(mfa) {
        if !values.iter().any(|known| known == value) {
            values.push(value.to_owned());
        }
    }
    values
}

/// What a session's token says after its user has proved themselves by one more method: the level never falls.
pub fn with(session: &Session, method: Method) -> (Assurance, Vec<String>) {
    let mut values = session.amr.clone();
    let had = |value: &str| session.amr.iter().any(|known| known == value);
    let of_two_kinds = match method {
        Method::Password | Method::MailLink | Method::MailCode | Method::Legacy => had("otp"),
        Method::Totp | Method::RecoveryCode => had("pwd") || had("mail") || had("legacy"),
        Method::Passkey | Method::SyncedPasskey => true,
    };
    let acr = if of_two_kinds { Assurance::Aal2.max(session.acr) } else { session.acr };
    let mfa = (acr >= Assurance::Aal2).then_some("mfa");
    for value in method.amr().iter().copied().chain(mfa) {
        if !values.iter().any(|known| known == value) {
            values.push(value.to_owned());
        }
    }
    (acr, values)
}

/// What an application or a role asks of whoever signs in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Requirement {
    /// Whatever the account has: a password will do, if no second factor has been enrolled.
    #[default]
    OneFactor,
    /// Two factors, or a passkey.
    TwoFactor,
    /// A passkey: nothing else holds against a page that looks like ours.
    PhishingResistant,
}

impl Requirement {
    /// As the configuration writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OneFactor => "one-factor",
            Self::TwoFactor => "two-factor",
            Self::PhishingResistant => "phishing-resistant",
        }
    }

    /// Whether these methods satisfy it.
    pub fn is_met(self, methods: &[Method]) -> bool {
        match self {
            Self::OneFactor => !methods.is_empty(),
            Self::TwoFactor => acr(methods) >= Assurance::Aal2,
            Self::PhishingResistant => methods.iter().any(|method| method.is_passkey()),
        }
    }

    /// Whether the proof behind a session satisfies it.
    pub fn is_met_by(self, session: &Session) -> bool {
        match self {
            Self::OneFactor => true,
            Self::TwoFactor => session.acr >= Assurance::Aal2,
            Self::PhishingResistant => session.amr.iter().any(|value| OF_PASSKEYS.contains(&value.as_str())),
        }
    }
}

impl Requirement {
    /// What a further proof must be, no older than `max_age`, so that it is enough.
    pub const fn challenge(self, max_age: Duration) -> Challenge {
        let acr = match self {
            Self::OneFactor => None,
            Self::TwoFactor => Some(Assurance::Aal2.as_str()),
            Self::PhishingResistant => Some(PHISHING_RESISTANT),
        };
        Challenge { acr, max_age: Some(max_age) }
    }
}

/// The `acr` value of `OpenID` Connect EAP for a proof that a page which looks like ours cannot relay. Asked for, and in no token: there
/// `amr` says it.
const PHISHING_RESISTANT: &str = "phr";

/// What a further proof must be so that it is enough (RFC 9470).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Challenge {
    /// How strong, as `acr_values` says it.
    pub acr: Option<&'static str>,
    /// How old at the most.
    pub max_age: Option<Duration>,
}

impl Challenge {
    /// The value of `WWW-Authenticate` (RFC 9470 section 3).
    pub fn header(&self) -> String {
        let mut text = String::from("Bearer error=\"insufficient_user_authentication\"");
        if let Some(acr) = self.acr {
            write!(text, ", acr_values=\"{acr}\"").expect("writing to a string does not fail");
        }
        if let Some(max_age) = self.max_age {
            write!(text, ", max_age=\"{}\"", max_age.as_secs()).expect("writing to a string does not fail");
        }
        text
    }
}

/// What an account can prove itself with, beside what it has shown already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Enrolled {
    /// It has a passkey.
    pub passkey: bool,
    /// It has an authenticator app.
    pub totp: bool,
    /// It has a recovery code that has not been used.
    pub recovery_code: bool,
    /// The application takes a code that comes by mail, and one can be sent.
    pub mail_code: bool,
}

/// A step of a sign-in, by the word that clients see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Use a passkey.
    Passkey,
    /// Type the code of the authenticator app.
    Totp,
    /// Type a recovery code.
    RecoveryCode,
    /// Type a code that comes by mail.
    Mail,
}

impl Step {
    /// The stable word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passkey => "passkey",
            Self::Totp => "totp",
            Self::RecoveryCode => "recovery_code",
            Self::Mail => "mail",
        }
    }
}

/// What a sign-in still needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing: a session may be opened.
    Nothing,
    /// One of these, the first is the best.
    Prove(Vec<Step>),
    /// The account has nothing that would satisfy: one of these has to be set up first.
    Enrol(Vec<Step>),
    /// The account has nothing that would satisfy, and whoever has shown only this sets nothing up: a sign-in of another kind has to begin.
    Never,
}

/// What comes next after `methods`, for an account with these factors, where this is asked.
///
/// An authenticator app that has been enrolled is always asked for after a password: whoever has set it up wants that. Setting up
/// something new takes the proof of what is there already (ASVS-6.4.4), or a stolen password would be enough to add a passkey; and an old token,
/// which may have lain about for days, proves nothing of the kind. A code by mail is for accounts that have nothing better, and only after a
/// password: after a link by mail it would prove the same again.
pub fn next(methods: &[Method], enrolled: Enrolled, asked: Requirement) -> Next {
    let has = |method| methods.contains(&method);
    // Whoever reads the mail, or has found an old token, must not come past a passkey.
    let guarded = enrolled.totp || enrolled.passkey && (has(Method::MailLink) || has(Method::Legacy));
    let asked = if guarded { asked.max(Requirement::TwoFactor) } else { asked };
    let better = enrolled.totp || enrolled.passkey;
    let by_mail = enrolled.mail_code && !better;
    // Taken where two factors are asked for, although it is worth one.
    let taken = asked == Requirement::TwoFactor && by_mail && has(Method::Password) && has(Method::MailCode);
    if taken || asked.is_met(methods) {
        return Next::Nothing;
    }
    let second = Requirement::TwoFactor;
    if asked == Requirement::PhishingResistant && (enrolled.passkey || second.is_met(methods) || !enrolled.totp) {
        let step = vec![Step::Passkey];
        return if enrolled.passkey { Next::Prove(step) } else { set_up(methods, step) };
    }
    if by_mail && has(Method::Password) {
        return Next::Prove(vec![Step::Mail]);
    }
    let codes = enrolled.recovery_code && better;
    let steps = [(enrolled.passkey, Step::Passkey), (enrolled.totp, Step::Totp), (codes, Step::RecoveryCode)];
    let steps: Vec<Step> = steps.into_iter().filter(|(has, _)| *has).map(|(_, step)| step).collect();
    if steps.is_empty() { set_up(methods, vec![Step::Passkey, Step::Totp]) } else { Next::Prove(steps) }
}

fn set_up(methods: &[Method], steps: Vec<Step>) -> Next {
    if methods.iter().all(|method| *method == Method::Legacy) { Next::Never } else { Next::Enrol(steps) }
}

#[cfg(test)]
mod tests {
    use super::{Enrolled, Method, Next, Requirement, Step, acr, amr, next};
    use crate::session::Assurance;

    const NOTHING: Enrolled = Enrolled { passkey: false, totp: false, recovery_code: false, mail_code: false };
    const MAIL: Enrolled = Enrolled { mail_code: true, ..NOTHING };
    const TOTP: Enrolled = Enrolled { totp: true, recovery_code: true, ..NOTHING };
    const TOTP_AND_MAIL: Enrolled = Enrolled { mail_code: true, ..TOTP };
    const PASSKEY: Enrolled = Enrolled { passkey: true, ..NOTHING };
    const BOTH: Enrolled = Enrolled { passkey: true, ..TOTP };

    #[test]
    fn two_factors_are_of_two_kinds_and_a_verified_passkey_is_both() {
        use Method::{MailCode, MailLink, Passkey, Password, RecoveryCode, SyncedPasskey, Totp};
        for (methods, level) in [
            (&[Password][..], Assurance::Aal1),
            (&[Totp], Assurance::Aal1),
            (&[Totp, RecoveryCode], Assurance::Aal1),
            (&[Password, MailCode], Assurance::Aal1),
            (&[MailLink], Assurance::Aal1),
            (&[MailLink, Totp], Assurance::Aal2),
            (&[Password, Totp], Assurance::Aal2),
            (&[Password, RecoveryCode], Assurance::Aal2),
            (&[Passkey], Assurance::Aal2),
            (&[SyncedPasskey], Assurance::Aal2),
        ] {
            assert_eq!(acr(methods), level, "{methods:?}");
        }
        assert_eq!(amr(&[Password]), ["pwd"]);
        assert_eq!(amr(&[Password, Totp, RecoveryCode]), ["pwd", "otp", "mfa"]);
        assert_eq!(amr(&[SyncedPasskey]), ["swk", "user", "mfa"]);
    }

    #[test]
    fn the_next_step_is_what_the_moment_deserves() {
        use Requirement::{OneFactor, PhishingResistant, TwoFactor};
        use Step::{Mail, Passkey, RecoveryCode, Totp};
        let (password, with_totp) = (&[Method::Password][..], &[Method::Password, Method::Totp][..]);
        let (link, with_mail) = (&[Method::MailLink][..], &[Method::Password, Method::MailCode][..]);
        let (passkey, token) = (&[Method::SyncedPasskey][..], &[Method::Legacy][..]);
        let prove = |steps: &[Step]| Next::Prove(steps.to_vec());
        let enrol = |steps: &[Step]| Next::Enrol(steps.to_vec());
        for (methods, enrolled, asked, expected) in [
            (password, NOTHING, OneFactor, Next::Nothing),
            (password, PASSKEY, OneFactor, Next::Nothing),
            (password, TOTP, OneFactor, prove(&[Totp, RecoveryCode])),
            (password, BOTH, OneFactor, prove(&[Passkey, Totp, RecoveryCode])),
            (with_totp, TOTP, OneFactor, Next::Nothing),
            (passkey, TOTP, OneFactor, Next::Nothing),
            (password, NOTHING, TwoFactor, enrol(&[Passkey, Totp])),
            (password, MAIL, OneFactor, Next::Nothing),
            (password, MAIL, TwoFactor, prove(&[Mail])),
            (with_mail, MAIL, TwoFactor, Next::Nothing),
            (with_mail, NOTHING, TwoFactor, enrol(&[Passkey, Totp])),
            (with_mail, TOTP_AND_MAIL, TwoFactor, prove(&[Totp, RecoveryCode])),
            (with_mail, MAIL, PhishingResistant, enrol(&[Passkey])),
            (link, MAIL, TwoFactor, enrol(&[Passkey, Totp])),
            (token, NOTHING, OneFactor, Next::Nothing),
            (token, PASSKEY, OneFactor, prove(&[Passkey])),
            (token, NOTHING, TwoFactor, Next::Never),
            (token, MAIL, TwoFactor, Next::Never),
            (token, NOTHING, PhishingResistant, Next::Never),
            (token, TOTP, PhishingResistant, prove(&[Totp, RecoveryCode])),
            (&[Method::Legacy, Method::Totp], TOTP, PhishingResistant, enrol(&[Passkey])),
            (link, NOTHING, OneFactor, Next::Nothing),
            (link, PASSKEY, OneFactor, prove(&[Passkey])),
            (link, TOTP, OneFactor, prove(&[Totp, RecoveryCode])),
            (password, PASSKEY, TwoFactor, prove(&[Passkey])),
            (with_totp, TOTP, TwoFactor, Next::Nothing),
            (password, NOTHING, PhishingResistant, enrol(&[Passkey])),
            (password, TOTP, PhishingResistant, prove(&[Totp, RecoveryCode])),
            (with_totp, TOTP, PhishingResistant, enrol(&[Passkey])),
            (with_totp, BOTH, PhishingResistant, prove(&[Passkey])),
            (passkey, BOTH, PhishingResistant, Next::Nothing),
        ] {
            assert_eq!(next(methods, enrolled, asked), expected, "{methods:?} {enrolled:?} {asked:?}");
        }
    }

    #[test]
    fn asvs_6_4_4_nothing_new_is_set_up_without_what_is_there() {
        let password = &[Method::Password][..];
        for asked in [Requirement::OneFactor, Requirement::TwoFactor, Requirement::PhishingResistant] {
            for enrolled in [TOTP, PASSKEY, BOTH] {
                assert!(!matches!(next(password, enrolled, asked), Next::Enrol(_)), "{enrolled:?} {asked:?}");
            }
        }
    }
}
