//! Reading requests: who calls, which body, which credential. Limits before work, always.

use super::cookie::{ACCESS, SESSION};
use super::problem::{Code, Problem};
use super::user_agent::device;
use super::{Peer, csrf, dpop};
use crate::app::App;
use crate::flow::Caller;
use crate::flow::authenticate::{Credential, verify_access};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use counterfoil_core::Secret;
use counterfoil_guard::dpop::Proof;
use counterfoil_guard::{Refusal, Strict};
use http::request::Parts;
use http::{Extensions, HeaderMap, HeaderValue, Method, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Body as _;
use serde::de::DeserializeOwned;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

/// The most a body may have.
pub(super) const MAX_BODY: usize = 64 * 1024;

/// The query of an address; what cannot be read is `malformed`, like everything else.
#[derive(Debug)]
pub(super) struct Params<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Arc<App>> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Problem> {
        let read = Query::<T>::try_from_uri(&parts.uri);
        read.map(|Query(params)| Self(params)).map_err(|_| {
            Problem::new(Code::Malformed).detail("a parameter in the address has no value of its kind, or stands twice")
        })
    }
}

/// How long a body may take to arrive.
const BODY_WITHIN: Duration = Duration::from_secs(10);

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Self::Rejection> {
        Ok(caller_of(app, &parts.headers, &parts.extensions))
    }
}

/// Who sends a request.
pub(super) fn caller_of(app: &App, headers: &HeaderMap, extensions: &Extensions) -> Caller {
    let address = match extensions.get::<Peer>() {
        Some(Peer::Control) => None,
        Some(Peer::Network(address)) => Some(client_address(app, *address, headers)),
        // Every listener says where a connection comes from; a request without it is nobody's.
        None => Some(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED)),
    };
    let user_agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    Caller { address, device: device(user_agent) }
}

/// The client behind trusted proxies: from the right, the first address that is not one of them. What stands left of it,
/// the client may have written itself.
fn client_address(app: &App, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
    let trusted = |address: &IpAddr| is_trusted(app, address);
    if !trusted(&peer) {
        return peer;
    }
    let forwarded = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = forwarded.flat_map(|value| value.split(',')).map(str::trim).collect();
    let mut client = peer;
    for hop in hops.iter().rev() {
        // What the nearest proxy wrote cannot be read: the client is unknown, and certainly not the proxy itself.
        let Some(address) = parse_hop(hop) else { return IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED) };
        client = address;
        if !trusted(&address) {
            break;
        }
    }
    client
}

/// Whether this is a proxy of ours.
pub(super) fn is_trusted(app: &App, address: &IpAddr) -> bool {
    app.config.trusted_proxies.iter().any(|network| network.contains(address))
}

/// An address, as some proxies write it with a port.
fn parse_hop(hop: &str) -> Option<IpAddr> {
    let plain = hop.parse::<IpAddr>().ok();
    let with_port = || hop.parse::<std::net::SocketAddr>().ok().map(|address| address.ip());
    plain.or_else(with_port).map(|address| address.to_canonical())
}

/// A JSON body of at most `MOST` bytes: right content type, UTF-8, no duplicate names.
#[derive(Debug)]
pub(super) struct JsonBody<T, const MOST: usize = MAX_BODY>(pub(super) T);

impl<T: DeserializeOwned, const MOST: usize> FromRequest<Arc<App>> for JsonBody<T, MOST> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Arc<App>) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::new(Code::UnsupportedMediaType).detail("send Content-Type: application/json"));
        }
        let bytes = read_body::<MOST>(request).await?;
        parse_json(bytes.expose()).map(Self)
    }
}

/// The whole body, or 413 before it has been taken in.
pub(super) async fn read_body<const MOST: usize>(request: Request) -> Result<Secret<Vec<u8>>, Problem> {
    let too_large = || Problem::new(Code::TooLarge).detail(format!("at most {MOST} bytes are allowed"));
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if announced.is_some_and(|length: u64| length > MOST as u64) {
        return Err(too_large());
    }
    if request.body().is_end_stream() {
        return Ok(Secret::new(Vec::new()));
    }
    let whole = Limited::new(request.into_body(), MOST).collect();
    match tokio::time::timeout(BODY_WITHIN, whole).await {
        Ok(Ok(body)) => Ok(Secret::new(body.to_bytes().to_vec())),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(Problem::new(Code::Malformed).detail("the body ended early")),
        Err(_) => Err(Problem::new(Code::Malformed).detail("the body did not come within 10 seconds")),
    }
}

pub(super) fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let wrong = |error: &serde_json::Error| {
        // serde names the field and the place, never the value of a string field.
        let what = match error.classify() {
            serde_json::error::Category::Data => error.to_string(),
            _ => format!("not JSON at line {}, column {}", error.line(), error.column()),
        };
        Problem::new(Code::Malformed).detail(what)
    };
    // serde would read a struct out of an array too.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(Problem::new(Code::Malformed).detail("the body must be a JSON object"));
    }
    serde_json::from_slice::<Strict>(bytes).map_err(|error| wrong(&error))?;
    serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        serde_json::error::Category::Data if error.to_string().starts_with("missing field") => wrong(&error),
        _ => Problem::new(Code::Malformed).detail("the JSON does not have the members and types this address takes"),
    })
}

pub(super) fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// A credential as it came, and what must be said about its cookie.
pub(super) struct Presented<'a> {
    kind: Kind<'a>,
    /// `Set-Cookie` values that take stray duplicates away.
    pub(super) healing: Vec<HeaderValue>,
}

enum Kind<'a> {
    Bearer(&'a str),
    Bound(&'a str, &'a Proof),
    AccessCookie(&'a str),
    SessionCookie(&'a str),
}

impl<'a> Presented<'a> {
    /// Finds the one credential of a request. Two transports at once are 400 (ATK-34); with duplicates of a cookie the
    /// one that verifies counts, and if two verify, none does.
    pub(super) fn find(app: &App, headers: &'a HeaderMap, extensions: &'a Extensions) -> Result<Option<Self>, Problem> {
        let bearer = authorization(headers)?;
        let (access, session) = (ACCESS.read(headers), SESSION.read(headers));
        let transports =
            usize::from(bearer.is_some()) + usize::from(!access.is_empty()) + usize::from(!session.is_empty());
        if bearer.is_some() && transports > 1 {
            let detail = "send either an Authorization header or a cookie, not both";
            return Err(Problem::new(Code::AmbiguousCredentials).detail(detail));
        }
        if let Some((scheme, token)) = bearer {
            let kind = match scheme {
                Scheme::Bearer => Kind::Bearer(token),
                Scheme::Dpop => Kind::Bound(token, dpop::beside_token(extensions)?),
            };
            return Ok(Some(Self { kind, healing: Vec::new() }));
        }
        // A browser that changed profile may still send both; the one that verifies counts.
        let now = app.clock.now();
        let good_access = |token: &&str| verify_access(app, token, now).is_ok();
        let good_session = |token: &&str| app.tokens.parse_session(token).is_ok();
        // The common case is decided where the token is used, once.
        if let ([only], []) = (access.as_slice(), session.as_slice()) {
            return Ok(Some(Self { kind: Kind::AccessCookie(only), healing: Vec::new() }));
        }
        if let Some((token, healing)) = one_of(app, ACCESS, &access, good_access)? {
            return Ok(Some(Self { kind: Kind::AccessCookie(token), healing }));
        }
        if let Some((token, healing)) = one_of(app, SESSION, &session, good_session)? {
            return Ok(Some(Self { kind: Kind::SessionCookie(token), healing }));
        }
        // None verifies: the first tells why.
        Ok(access.first().or(session.first()).map(|token| {
            let kind = if access.is_empty() { Kind::SessionCookie(token) } else { Kind::AccessCookie(token) };
            Self { kind, healing: Vec::new() }
        }))
    }

    /// As [`Presented::find`], and 401 when there is none; for a request with side effects that rests on a cookie, C1.
    pub(super) fn require(
        app: &App,
        method: &Method,
        (headers, extensions): (&'a HeaderMap, &'a Extensions),
    ) -> Result<Self, Problem> {
        // What carries no Authorization header can only rest on a cookie, whether the browser has sent it or held it back.
        if !method.is_safe() && !headers.contains_key(header::AUTHORIZATION) {
            csrf::require(app, headers)?;
        }
        Ok(Self::find(app, headers, extensions)?.ok_or(Refusal::Missing)?)
    }

    /// The API key of the administration that this is, if it is one.
    pub(super) fn api_key(&self) -> Option<&'a str> {
        match self.kind {
            Kind::Bearer(token) => Some(token).filter(|token| token.starts_with(crate::flow::api_keys::PREFIX)),
            _ => None,
        }
    }

    /// As the flows take it.
    pub(super) fn credential(&self) -> Credential<'a> {
        match self.kind {
            Kind::Bearer(token) => Credential::bearer(token),
            Kind::Bound(token, proof) => Credential::Bound(token, proof),
            Kind::AccessCookie(token) => Credential::Access(token),
            Kind::SessionCookie(token) => Credential::Session(token),
        }
    }
}

type OneOf<'a> = Option<(&'a str, Vec<HeaderValue>)>;

fn one_of<'a>(
    app: &App,
    cookie: super::cookie::Cookie,
    values: &[&'a str],
    good: impl Fn(&&str) -> bool,
) -> Result<OneOf<'a>, Problem> {
    let mut verified = values.iter().filter(|value| good(value));
    match (verified.next(), verified.next()) {
        (Some(token), None) => {
            let healing = if values.len() > 1 { cookie.clear_strays(app) } else { Vec::new() };
            Ok(Some((token, healing)))
        }
        (Some(_), Some(_)) => {
            let config = &app.config.session;
            let expired = cookie.clear_strays(app).into_iter().chain([cookie.clear(config)]);
            Err(Problem::from(Refusal::Malformed).detail("two cookies of one name both verify").cookies(expired))
        }
        _ => Ok(None),
    }
}

/// How a token came in an Authorization header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// RFC 6750 section 2.1.
    Bearer,
    /// RFC 9449 section 7.1.
    Dpop,
}

/// The token of an Authorization header. The scheme's case does not matter; a second header, another scheme or white space in the
/// token does.
pub(super) fn authorization(headers: &HeaderMap) -> Result<Option<(Scheme, &str)>, Problem> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (first, second) = (values.next(), values.next());
    if second.is_some() {
        return Err(Problem::new(Code::AmbiguousCredentials).detail("there are two Authorization headers"));
    }
    let Some(value) = first else { return Ok(None) };
    let malformed = || Problem::from(Refusal::Malformed).detail("expected Authorization: Bearer TOKEN");
    let (scheme, token) = value.to_str().map_err(|_| malformed())?.split_once(' ').ok_or_else(malformed)?;
    let schemes = [("bearer", Scheme::Bearer), ("dpop", Scheme::Dpop)];
    let known = schemes.into_iter().find(|(name, _)| scheme.eq_ignore_ascii_case(name));
    let (_, scheme) = known.filter(|_| !token.is_empty() && !token.contains(' ')).ok_or_else(malformed)?;
    Ok(Some((scheme, token)))
}
