//! How a client keeps the tickets of its unfinished ceremonies: a browser in a cookie, the newest few together, so that two tabs do
//! not take each other's away; a `native` client in memory, from and in the JSON body.

use super::cookie::LOGIN;
use super::csrf;
use super::problem::{Code, Problem};
use crate::app::App;
use crate::flow::ticket::{Ceremony, LIFE, Ticket};
use counterfoil_core::Secret;
use counterfoil_core::profile::Profile;
use http::{HeaderMap, HeaderValue};

/// How many a browser keeps.
const MOST: usize = 4;

/// A cookie that is longer is dropped by browsers (CK-5.7a); this leaves room for its name and attributes.
const MOST_BYTES: usize = 3800;

/// Between two tickets; not in the alphabet of either.
const BETWEEN: char = '.';

/// The tickets that a request has brought, the newest first.
pub(super) struct Tickets(Vec<(String, Ticket)>);

impl Tickets {
    /// Those of a request that does nothing but begin something.
    pub(super) fn brought(app: &App, headers: &HeaderMap, token: Option<&Secret<String>>) -> Self {
        let sealed: Vec<&str> = match token {
            Some(token) => vec![token.expose()],
            None => LOGIN.read(headers).into_iter().flat_map(|value| value.split(BETWEEN)).take(2 * MOST).collect(),
        };
        let opened = sealed.into_iter().filter_map(|text| Some((text.to_owned(), Ticket::open(app, text)?)));
        Self(opened.collect())
    }

    /// Those of a request that finishes something: what rests on the cookie must come from our own pages (C1).
    pub(super) fn to_finish(app: &App, headers: &HeaderMap, token: Option<&Secret<String>>) -> Result<Self, Problem> {
        if token.is_none() {
            csrf::require(app, headers)?;
        }
        Ok(Self::brought(app, headers, token))
    }

    /// The newest of a kind.
    pub(super) fn newest(&self, of_kind: fn(&Ceremony) -> bool) -> Option<&Ticket> {
        self.0.iter().map(|(_, ticket)| ticket).find(|ticket| of_kind(&ticket.what))
    }

    /// The newest of a kind, or 401.
    pub(super) fn require(&self, of_kind: fn(&Ceremony) -> bool) -> Result<&Ticket, Problem> {
        self.newest(of_kind).ok_or(Problem::new(Code::LoginExpired))
    }

    /// All of a kind, the newest first: a browser with two tabs may finish either.
    pub(super) fn all(&self, of_kind: fn(&Ceremony) -> bool) -> impl Iterator<Item = &Ticket> {
        self.0.iter().map(|(_, ticket)| ticket).filter(move |ticket| of_kind(&ticket.what))
    }

    /// Hands one more to the client: in a cookie, or, for the profile `native`, as the text for its body.
    pub(super) fn hand_out(self, app: &App, new: &Ticket, profile: Profile) -> HandedOut {
        let sealed = new.seal(app);
        if profile == Profile::Native {
            return HandedOut { login_token: Some(sealed), cookie: None };
        }
        let mut value = sealed.expose().clone();
        for (older, _) in self.0.iter().take(MOST - 1) {
            if value.len() + older.len() < MOST_BYTES {
                value.push(BETWEEN);
                value.push_str(older);
            }
        }
        let cookie = LOGIN.set(&value, Some(LIFE), &app.config.session);
        HandedOut { login_token: None, cookie: Some(cookie) }
    }

    /// Takes the cookie away, if there is one: what was begun is finished.
    pub(super) fn clear(app: &App, headers: &HeaderMap) -> Option<HeaderValue> {
        (!LOGIN.read(headers).is_empty()).then(|| LOGIN.clear(&app.config.session))
    }
}

/// A ticket on its way to the client.
pub(super) struct HandedOut {
    /// For the body.
    pub(super) login_token: Option<Secret<String>>,
    /// `Set-Cookie`.
    pub(super) cookie: Option<HeaderValue>,
}

/// A sign-in that needs another step.
pub(super) const fn is_sign_in(what: &Ceremony) -> bool {
    matches!(what, Ceremony::SignIn(_))
}

/// A sign-in by passkey.
pub(super) const fn is_passkey_sign_in(what: &Ceremony) -> bool {
    matches!(what, Ceremony::PasskeySignIn { .. })
}

/// A passkey being added.
pub(super) const fn is_passkey_enrolment(what: &Ceremony) -> bool {
    matches!(what, Ceremony::PasskeyEnrolment { .. })
}

/// An account that begins with a passkey.
pub(super) const fn is_sign_up(what: &Ceremony) -> bool {
    matches!(what, Ceremony::SignUp { .. })
}

/// A passkey as the proof of a session that goes on.
pub(super) const fn is_step_up(what: &Ceremony) -> bool {
    matches!(what, Ceremony::StepUp { .. })
}

/// Something that goes on with a link in a mail.
pub(super) const fn is_mail_asked(what: &Ceremony) -> bool {
    matches!(what, Ceremony::MailAsked { .. })
}

/// A sign-in that goes on with a code in a mail.
pub(super) const fn is_mail_code(what: &Ceremony) -> bool {
    matches!(what, Ceremony::MailCode { .. })
}

/// A session that goes on after a proof, which may have begun.
pub(super) const fn is_proof(what: &Ceremony) -> bool {
    matches!(what, Ceremony::Prove { .. } | Ceremony::StepUp { .. })
}

/// An authenticator app being set up.
pub(super) const fn is_totp_enrolment(what: &Ceremony) -> bool {
    matches!(what, Ceremony::TotpEnrolment { .. })
}
