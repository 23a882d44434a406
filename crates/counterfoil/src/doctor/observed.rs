//! What was asked and what came back: all that the checks know.

use counterfoil_core::Timestamp;
use http::{HeaderMap, HeaderName};
use std::time::Duration;

/// All of it.
#[derive(Default)]
pub(crate) struct Observed {
    pub(crate) site: Site,
    pub(crate) tls: Option<Tls>,
    pub(crate) exchanges: Vec<Exchange>,
    /// Whether its metadata says that it is a Counterfoil.
    pub(crate) counterfoil: bool,
}

/// Where it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Site {
    /// Scheme, host and perhaps a port.
    pub(crate) origin: String,
    pub(crate) host: String,
    pub(crate) https: bool,
    /// What is said there in the clear reaches nobody else.
    pub(crate) loopback: bool,
}

impl Site {
    /// A text with `{scheme}` and `{host}` in it, for this site: how an attacker's address looks that is made for it.
    pub(crate) fn put_into(&self, text: &str) -> String {
        text.replace("{scheme}", if self.https { "https" } else { "http" }).replace("{host}", &self.host)
    }
}

/// A connection's TLS.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tls {
    pub(crate) version: String,
    /// Why this machine does not trust the certificate.
    pub(crate) distrust: Option<String>,
    pub(crate) expires: Option<Timestamp>,
    pub(crate) now: Timestamp,
}

/// What a request was sent for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Probe {
    SignInPage,
    /// The same host, without TLS.
    PlainHttp,
    Metadata,
    Keys,
    /// Read from another origin: of this name, once the site's is in it.
    Foreign(&'static str),
    /// Asked beforehand, as browsers do for other origins.
    Preflight,
    /// Sent by another site's page, as far as one can.
    CrossSite(Act),
    /// Sent by another site's page with the cookies of a session.
    CrossSiteSession(Act),
    /// The sign-in page, to lead to this address afterwards, once the site's is in it.
    ReturnTo(&'static str),
    WrongSignIn(Who),
    Forgotten(Who),
    /// What may be asked in vain and shows how errors look.
    NoSuchPage,
    Malformed,
    GetSignOut,
    /// Of a Counterfoil: what must not be there for everybody.
    Health,
    Metrics,
    Gate,
    GetRefresh,
    Administration,
    Control,
    /// With an account: what is handed out, and whether it is taken back.
    SignIn,
    Me,
    GetSignOutSession,
    MeAfterGet,
    SignOut,
    MeAfter,
    RefreshAfter,
}

/// What another site's page may want a browser to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    SignIn,
    Refresh,
    SignOut,
}

/// Whose address it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// Made up.
    Unknown,
    /// Made up as well.
    AnotherUnknown,
    /// An account's.
    Known,
}

/// A request and its answer.
pub(crate) struct Exchange {
    pub(crate) probe: Probe,
    /// Method and path.
    pub(crate) asked: String,
    pub(crate) answer: Result<Answer, String>,
}

/// An answer. Has no `Debug`: there are credentials in it.
#[derive(Clone, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    /// From the request's first byte to the answer's last.
    pub(crate) took: Duration,
    /// When it had come, by this machine's clock.
    pub(crate) received: Timestamp,
}

impl Answer {
    pub(crate) fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    pub(crate) fn named(&self, name: &'static str) -> Option<&str> {
        self.header(HeaderName::from_static(name))
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }

    pub(crate) fn is_page(&self) -> bool {
        self.header(http::header::CONTENT_TYPE).is_some_and(|kind| kind.starts_with("text/html"))
    }

    pub(crate) const fn is_success(&self) -> bool {
        matches!(self.status, 200..=299)
    }

    pub(crate) const fn is_redirect(&self) -> bool {
        matches!(self.status, 300..=399)
    }
}

impl Observed {
    /// Every exchange for this, in order, answered or not.
    pub(crate) fn asked(&self, wanted: impl Fn(Probe) -> bool) -> impl Iterator<Item = &Exchange> {
        self.exchanges.iter().filter(move |exchange| wanted(exchange.probe))
    }

    /// The first answer to this.
    pub(crate) fn answer(&self, probe: Probe) -> Option<(&Exchange, &Answer)> {
        self.answers(move |other| other == probe).next()
    }

    pub(crate) fn answers(&self, wanted: impl Fn(Probe) -> bool) -> impl Iterator<Item = (&Exchange, &Answer)> {
        self.asked(wanted).filter_map(|exchange| Some((exchange, exchange.answer.as_ref().ok()?)))
    }
}

#[cfg(test)]
pub(super) mod made {
    //! Sites made up for the checks' tests.

    use super::{Answer, Exchange, Observed, Probe, Site};

    /// A site behind TLS at which these have been asked and answered.
    pub(crate) fn site(exchanges: impl IntoIterator<Item = Exchange>) -> Observed {
        let host = "app.example.com".to_owned();
        let site = Site { origin: format!("https://{host}"), host, https: true, loopback: false };
        Observed { site, exchanges: exchanges.into_iter().collect(), ..Observed::default() }
    }

    pub(crate) fn answered(probe: Probe, status: u16, headers: &[(&'static str, &str)], body: &str) -> Exchange {
        let mut answer = Answer { status, body: body.into(), ..Answer::default() };
        for (name, value) in headers {
            answer.headers.append(*name, value.parse().expect("a header"));
        }
        Exchange { probe, asked: "GET /".into(), answer: Ok(answer) }
    }
}
