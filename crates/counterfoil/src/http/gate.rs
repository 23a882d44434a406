//! `/gate`: forward-auth. A proxy describes a request it has received and asks whether it may pass.
//!
//! What counts is what the proxy says in headers, so only proxies of ours are listened to, and whatever two of them could
//! say differently is refused (ATK-35). Answers are 200, 401, 403, 303 for pages, or 5xx: proxies know no others.

use super::extract::{Params, Presented, caller_of, is_trusted};
use super::problem::{Code, Problem};
use super::{Peer, csrf, dpop};
use crate::app::App;
use crate::flow::gate::{Admitted, admit};
use crate::gate::Resolved;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use counterfoil_core::gate::{Allow, Csrf, Demand, Forwarded, RequestPath, Rule, parse_host};
use counterfoil_core::redirect::{LocalPath, percent_encoded};
use counterfoil_core::user::Role;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use serde::Deserialize;
use std::sync::Arc;

const USER_ID: HeaderName = HeaderName::from_static("x-user-id");
const SESSION_ID: HeaderName = HeaderName::from_static("x-session-id");
const USER_ROLES: HeaderName = HeaderName::from_static("x-user-roles");
const AUTH_LOCATION: HeaderName = HeaderName::from_static("x-auth-location");

/// What no client may send: what this gate sets, and what other gates set and servers behind may still believe.
const IDENTITY: [HeaderName; 8] = [
    USER_ID,
    SESSION_ID,
    USER_ROLES,
    AUTH_LOCATION,
    HeaderName::from_static("x-auth-user"),
    HeaderName::from_static("x-forwarded-user"),
    HeaderName::from_static("x-remote-user"),
    HeaderName::from_static("remote-user"),
];

/// What some servers behind take for the path or the method, instead of those that are judged here.
const OVERRIDES: [HeaderName; 5] = [
    HeaderName::from_static("x-rewrite-url"),
    HeaderName::from_static("x-original-url"),
    HeaderName::from_static("x-http-method-override"),
    HeaderName::from_static("x-http-method"),
    HeaderName::from_static("x-method-override"),
];

/// What the gate's address may say.
#[derive(Deserialize)]
pub(super) struct GateQuery {
    redirect: Option<u8>,
}

/// What a proxy asks about.
struct Asked {
    method: Method,
    host: Option<String>,
    target: String,
    path: RequestPath,
}

/// May this request pass? Asked by proxies, with the headers of the request, its method and its address as received.
#[utoipa::path(get, path = "/gate", tag = "gate", params(
    ("redirect" = Option<u8>, Query, description = "1: pages are sent to the sign-in page with 303 instead of 401"),
    ("X-Original-Method" = Option<String>, Header, description = "or `X-Forwarded-Method`"),
    ("X-Original-URI" = Option<String>, Header, description = "path and query as received, or `X-Forwarded-Uri`"),
    ("X-Forwarded-Host" = Option<String>, Header, description = "needed where a rule names a host"),
), responses(
    (status = 200, description = "let it pass, with these headers (empty on public paths)", headers(
        ("X-User-Id" = String), ("X-Session-Id" = String), ("X-User-Roles" = String, description = "separated by commas"),
        ("Authorization" = String, description = "`Bearer` and a short access token, where `upstream_audience` is set"),
    )),
    (status = 303, description = "with `redirect=1`, for pages: to the sign-in page"),
    (status = 401, description = "as `GET /api/auth/me`, or `reauthentication_required`", headers(
        ("X-Auth-Location" = String, description = "the sign-in page"),
    )),
    (status = 403, description = "`forbidden`, `cross_site`, `malformed`, `ambiguous_credentials`", headers(
        ("X-Auth-Location" = String, description = "the sign-in page"),
    )),
))]
pub(super) async fn ask(State(app): State<Arc<App>>, Params(query): Params<GateQuery>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let headers = &parts.headers;
    let read = from_proxy(&app, &parts).and_then(|()| unspoilt(headers)).and_then(|()| Asked::read(&app, headers));
    let (rule, answer) = match &read {
        Ok(asked) => {
            let rule = app.gate.rule(asked.forwarded());
            (Some(rule), answer(&app, asked, rule, &parts).await)
        }
        Err(problem) => (None, Err(problem.clone())),
    };
    let problem = match answer {
        Ok(mut response) => {
            if headers.contains_key(dpop::DPOP) {
                dpop::give_nonce(&app, dpop::Wanted::at_gate(false), &mut response);
            }
            return response;
        }
        Err(problem) => problem,
    };
    let asked = read.as_ref().ok();
    let demand = rule.and_then(|rule| match &rule.allow {
        Allow::SignedIn(demand) => Some(demand),
        Allow::Public => None,
    });
    let location = location(&app, asked, demand, &problem);
    let mut response = match problem.answered() {
        StatusCode::UNAUTHORIZED if query.redirect == Some(1) && asked.is_some_and(|asked| asked.is_page(headers)) => {
            (StatusCode::SEE_OTHER, [(header::LOCATION, location.clone())]).into_response()
        }
        status if status.is_client_error() && status != StatusCode::UNAUTHORIZED => {
            problem.clone().status(StatusCode::FORBIDDEN).into_response()
        }
        _ => problem.clone().into_response(),
    };
    response.headers_mut().insert(AUTH_LOCATION, location);
    if headers.contains_key(dpop::DPOP) {
        let asked_anew = problem.code() == Code::UseDpopNonce;
        dpop::give_nonce(&app, dpop::Wanted::at_gate(asked_anew), &mut response);
    }
    response
}

/// Only a proxy of ours knows what the client really sent.
fn from_proxy(app: &App, parts: &Parts) -> Result<(), Problem> {
    let Some(Peer::Network(address)) = parts.extensions.get::<Peer>() else {
        return Err(Problem::new(Code::Forbidden).detail("only proxies ask here"));
    };
    if is_trusted(app, address) {
        return Ok(());
    }
    tracing::warn!(%address, "the gate was asked by an address that is not in `trusted_proxies`");
    let detail = "only proxies ask here: list the proxy's address in `trusted_proxies` (the log says which it is)";
    Err(Problem::new(Code::Forbidden).detail(detail))
}

/// Refuses a request that brings an identity of its own, in whatever spelling a server behind may take for the right one:
/// many turn every character but letters and digits into an underscore (SEC-4.13). Nor may `Connection` make a proxy drop
/// what the gate adds.
fn unspoilt(headers: &HeaderMap) -> Result<(), Problem> {
    let same = |a: u8, b: u8| a.eq_ignore_ascii_case(&b) || (b == b'-' && !a.is_ascii_alphanumeric());
    let is = |name: &[u8], known: &HeaderName| {
        let known = known.as_str().as_bytes();
        name.len() == known.len() && name.iter().zip(known).all(|(a, b)| same(*a, *b))
    };
    let is_identity = |name: &[u8]| IDENTITY.iter().any(|known| is(name, known));
    if let Some(name) = headers.keys().find(|name| is_identity(name.as_str().as_bytes())) {
        let detail = format!("the client sent {name}, which only the gate may set; let the proxy remove it");
        return Err(Problem::new(Code::Forbidden).detail(detail));
    }
    let is_override = |name: &[u8]| OVERRIDES.iter().any(|known| is(name, known));
    if let Some(name) = headers.keys().find(|name| is_override(name.as_str().as_bytes())) {
        let detail =
            format!("the client sent {name}, by which a server behind may do something else than what is asked here");
        return Err(Problem::new(Code::Forbidden).detail(detail));
    }
    let dropped = headers.get_all(header::CONNECTION).iter().flat_map(|value| value.as_bytes().split(|b| *b == b','));
    let spoils = |name: &[u8]| is_identity(name) || is(name, &header::AUTHORIZATION);
    if dropped.map(<[u8]>::trim_ascii).any(spoils) {
        return Err(
            Problem::new(Code::Forbidden).detail("the client's Connection header names what only the gate may set")
        );
    }
    Ok(())
}

/// The one value of what a proxy says under either name. Two that differ are one of the proxy's and one of the client's.
fn said<'a>(headers: &'a HeaderMap, names: &[&str]) -> Result<Option<&'a str>, Problem> {
    let mut values = names.iter().flat_map(|name| headers.get_all(*name));
    let malformed = |what: &str| Problem::new(Code::Malformed).detail(format!("{}: {what}", names.join(" or ")));
    let Some(first) = values.next() else { return Ok(None) };
    if values.any(|value| value != first) {
        return Err(malformed("there are two that differ; let the proxy set one and remove the other"));
    }
    first.to_str().map(Some).map_err(|_| malformed("not printable ASCII"))
}

impl Asked {
    fn read(app: &App, headers: &HeaderMap) -> Result<Self, Problem> {
        let missing = |what: &str| Problem::new(Code::Malformed).detail(format!("the proxy must send {what}"));
        let method = said(headers, &["X-Original-Method", "X-Forwarded-Method"])?;
        let method = method.ok_or_else(|| missing("X-Original-Method or X-Forwarded-Method"))?;
        // `get` is another method than GET, and some servers do not know.
        let capitals = !method.is_empty() && method.bytes().all(|b| b.is_ascii_uppercase() || b == b'-');
        let method = capitals.then(|| Method::from_bytes(method.as_bytes()).ok()).flatten();
        let method = method.ok_or_else(|| Problem::new(Code::Malformed).detail("a method has capitals and - only"))?;
        let target = said(headers, &["X-Original-URI", "X-Forwarded-Uri"])?;
        let target = target.ok_or_else(|| missing("X-Original-URI or X-Forwarded-Uri"))?;
        let path = RequestPath::parse(target).ok_or_else(|| {
            Problem::new(Code::Malformed).detail(
                "the path can be read in more than one way: empty or dot segments, ; \\ # or control characters, or one of \
                 / \\ . ; % in percent-encoding",
            )
        })?;
        let host = said(headers, &["X-Forwarded-Host"])?;
        let host = host.map(|host| parse_host(host).ok_or(Problem::new(Code::Malformed).detail("no host's name")));
        let host = host.transpose()?;
        if host.is_none() && app.gate.looks_at_hosts() {
            return Err(missing("X-Forwarded-Host, because a rule names a host"));
        }
        Ok(Self { method, host, target: target.to_owned(), path })
    }

    fn forwarded(&self) -> Forwarded<'_> {
        Forwarded { host: self.host.as_deref(), method: self.method.as_str(), path: &self.path }
    }

    /// Whether a person waits for a page: then a redirect is of use.
    fn is_page(&self, headers: &HeaderMap) -> bool {
        let says =
            |name: &str, what: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(|v| v.contains(what));
        let shown = matches!(self.method, Method::GET | Method::HEAD) && says("accept", "text/html") == Some(true);
        shown && says("sec-fetch-mode", "navigate") != Some(false) && !opens_a_socket(headers)
    }
}

/// A WebSocket's first request: a GET that has effects, and that a foreign page can send with cookies. Proxies keep some of
/// these headers from the gate, none keeps all.
fn opens_a_socket(headers: &HeaderMap) -> bool {
    headers.contains_key(header::UPGRADE) || headers.contains_key(header::SEC_WEBSOCKET_KEY)
}

async fn answer(app: &App, asked: &Asked, rule: &Rule, parts: &Parts) -> Result<Response, Problem> {
    let Allow::SignedIn(demand) = &rule.allow else {
        return Ok(passed(app, None));
    };
    let headers = &parts.headers;
    // What carries no Authorization header can only rest on a cookie (C1).
    if !headers.contains_key(header::AUTHORIZATION) {
        match (asked.method.is_safe(), rule.csrf) {
            (false, Csrf::Full) => csrf::require(app, headers)?,
            (true, _) if !opens_a_socket(headers) => {}
            _ => csrf::require_origin(app, headers)?,
        }
    }
    // A proof is made for the request that the client sends, and to the host it knows.
    let forwarded = headers.contains_key(dpop::DPOP).then(|| {
        let path = asked.target.split('?').next().unwrap_or_default();
        let url = app.public.at_host(asked.host.as_deref(), path);
        dpop::read_forwarded(app, headers, (asked.method.as_str(), &url))
    });
    let extensions = forwarded.as_ref().unwrap_or(&parts.extensions);
    // As for a safe method: C1 has been asked above, by the rule.
    let presented = Presented::require(app, &Method::GET, (headers, extensions))?;
    let caller = caller_of(app, headers, &parts.extensions);
    let admitted = admit(app, presented.credential(), (demand, rule.audience.as_deref()), &caller).await?;
    Ok(passed(app, Some(&admitted)))
}

/// The answer that lets a request pass. What there is nothing to say of is said empty: some proxies keep the client's header,
/// or set nonsense, where the gate's is missing.
fn passed(app: &App, admitted: Option<&Admitted>) -> Response {
    let roles = |who: &Resolved| who.user.roles.iter().map(Role::as_str).collect::<Vec<_>>().join(",");
    let who = admitted.map(|admitted| &*admitted.who);
    let said = [
        (USER_ID, who.map(|who| who.user.id.to_string()).unwrap_or_default()),
        (SESSION_ID, who.map(|who| who.session.sid.to_string()).unwrap_or_default()),
        (USER_ROLES, who.map(roles).unwrap_or_default()),
    ];
    let mut response = (StatusCode::OK, said).into_response();
    if app.gate.hands_off() {
        let token = admitted.and_then(|admitted| admitted.hand_off.as_ref());
        let value = token.map(|made| format!("Bearer {}", made.token.expose())).unwrap_or_default();
        let mut value = HeaderValue::try_from(value).expect("tokens are ASCII");
        value.set_sensitive(true);
        response.headers_mut().insert(header::AUTHORIZATION, value);
    }
    response
}

/// The sign-in page. It leads back where that is a page's address on its own host (ATK-40).
fn location(app: &App, asked: Option<&Asked>, demand: Option<&Demand>, problem: &Problem) -> HeaderValue {
    let mut query = Vec::new();
    let here = |asked: &&Asked| asked.host.as_deref().is_none_or(|host| host == app.public.host());
    let readable = |asked: &&Asked| matches!(asked.method, Method::GET | Method::HEAD);
    if let Some(back) = asked.filter(readable).filter(here).and_then(|asked| LocalPath::parse(&asked.target)) {
        query.push(format!("redirect={}", percent_encoded(back.as_str())));
    }
    if problem.code() == Code::ReauthenticationRequired {
        query.push("ended=reauthenticate".to_owned());
        if let Some(acr) = demand.and_then(|demand| demand.acr) {
            query.push(format!("acr_values={}", acr.as_str()));
        }
    }
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    HeaderValue::try_from(app.public.absolute(&format!("/login{query}"))).expect("percent-encoded, so ASCII")
}
