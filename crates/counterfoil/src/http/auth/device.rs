//! `/api/auth/refresh/device`: what Chromium asks by itself to bind a session to a key (W3C DBSC).
//!
//! No page's script sends these requests, and older browsers say on them neither `Origin` nor `Sec-Fetch-Site`: they rest on what is signed (FM-5).
//! Chromium ends its session at a 400, 401, 404 or 429. So a live session gets nothing but 200, 403 with a challenge, and 503.

use crate::app::App;
use crate::flow::Caller;
use crate::flow::device::{self, PROVE_PATH, Proved, REGISTER_PATH, RegisterDeviceError};
use crate::http::cookie::{DEVICE, REFRESH};
use crate::http::problem::{Code, Problem};
use crate::http::view::{json, with_cookies};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use counterfoil_core::Sid;
use counterfoil_core::device::proof::{ALGORITHM, header_text};
use counterfoil_core::session::Session;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;
use utoipa::ToSchema;

const REGISTRATION: HeaderName = HeaderName::from_static("secure-session-registration");
const CHALLENGE: HeaderName = HeaderName::from_static("secure-session-challenge");
const RESPONSE: HeaderName = HeaderName::from_static("secure-session-response");
const SESSION_ID: HeaderName = HeaderName::from_static("sec-secure-session-id");

/// Session instructions of the draft: which cookie is bound, and before which requests the browser makes sure of it.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct InstructionsView {
    /// The session's id.
    session_identifier: String,
    refresh_url: &'static str,
    scope: serde_json::Value,
    credentials: serde_json::Value,
    /// Whose pages' requests wait for the cookie, beside this server's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allowed_refresh_initiators: Vec<String>,
}

/// Offers the browser to bind a new session to a key; others ignore the header.
pub(in crate::http) fn offer(app: &App, session: &Session, response: &mut Response) {
    if let Some(offer) = device::offer(app, session) {
        let (challenge, authorization) = (offer.challenge, offer.authorization);
        let text = format!(
            "({ALGORITHM});path=\"{REGISTER_PATH}\";challenge=\"{challenge}\";authorization=\"{authorization}\""
        );
        let mut value = HeaderValue::from_str(&text).expect("base64url is ASCII");
        value.set_sensitive(true);
        response.headers_mut().insert(REGISTRATION, value);
    }
}

/// Bind a session to a key. Chromium asks this by itself after a sign-in over https.
#[utoipa::path(post, path = "/api/auth/refresh/device/register", tag = "session", params(
    ("Secure-Session-Response" = String, Header, description = "a JWT, signed by the key in its header"),
), responses(
    (status = 200, body = InstructionsView),
    (status = 403, description = "`forbidden`"),
    (status = 503, description = "`overloaded`"),
))]
pub(in crate::http) async fn register(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let proof = text(&headers, &RESPONSE).ok_or_else(|| Problem::new(Code::Forbidden))?;
    match device::register(&app, &REFRESH.read(&headers), proof, &caller).await {
        Ok((sid, challenge)) => Ok(accepted(&app, sid, &challenge)),
        Err(RegisterDeviceError::Refused) => Err(Problem::new(Code::Forbidden)),
        Err(RegisterDeviceError::Store(error)) => Err(error.into()),
    }
}

/// Prove that a session's key is still there, and get a new device cookie. Chromium asks this by itself before a refresh.
#[utoipa::path(post, path = "/api/auth/refresh/device", tag = "session", params(
    ("Sec-Secure-Session-Id" = String, Header, description = "the session's id"),
    ("Secure-Session-Response" = Option<String>, Header, description = "a JWT, signed by the session's key"),
), responses(
    (status = 200, body = InstructionsView, description = "or `{\"continue\":false}`, when the session is over"),
    (status = 403, description = "`proof_required`, with a challenge in `Secure-Session-Challenge`"),
    (status = 503, description = "`overloaded`"),
))]
pub(in crate::http) async fn prove(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let Some(sid) = text(&headers, &SESSION_ID).and_then(|text| text.parse().ok()) else {
        return Ok(json(StatusCode::OK, &json!({ "continue": false })));
    };
    let tokens = REFRESH.read(&headers);
    let proved = device::prove(&app, sid, &tokens, text(&headers, &RESPONSE), &caller).await?;
    Ok(answer(&app, sid, proved))
}

/// A header that stands there once.
fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    value.to_str().ok().and_then(header_text)
}

fn answer(app: &App, sid: Sid, proved: Proved) -> Response {
    match proved {
        Proved::Over => json(StatusCode::OK, &json!({ "session_identifier": sid.to_string(), "continue": false })),
        Proved::Challenge(challenge) => {
            let problem = Problem::new(Code::ProofRequired).status(StatusCode::FORBIDDEN);
            with_challenge(problem.into_response(), sid, &challenge)
        }
        Proved::Good { cookie, next } => {
            let cookie = DEVICE.set(&cookie, Some(app.config.session.device_proof_life.0), &app.config.session);
            with_cookies(accepted(app, sid, &next), vec![cookie])
        }
    }
}

/// With the next challenge along, the next proof needs one request and not two; and without it Chromium would send an old one again.
fn accepted(app: &App, sid: Sid, next: &str) -> Response {
    with_challenge(json(StatusCode::OK, &instructions(app, sid)), sid, next)
}

fn with_challenge(mut response: Response, sid: Sid, challenge: &str) -> Response {
    let text = format!("\"{challenge}\";id=\"{sid}\"");
    let value = HeaderValue::from_str(&text).expect("base64url is ASCII");
    response.headers_mut().insert(CHALLENGE, value);
    response
}

/// The cookie goes along with refreshes and with nothing else, so nothing else has to wait for it.
fn instructions(app: &App, sid: Sid) -> InstructionsView {
    let rule = |what: &str, path: &str| json!({ "type": what, "domain": "*", "path": path });
    InstructionsView {
        session_identifier: sid.to_string(),
        refresh_url: PROVE_PATH,
        scope: json!({
            "origin": app.public.issuer(),
            "include_site": false,
            "scope_specification": [rule("exclude", "/"), rule("include", DEVICE.path)],
        }),
        credentials: json!([
            { "type": "cookie", "name": DEVICE.name, "attributes": DEVICE.attributes_text(&app.config.session) }
        ]),
        allowed_refresh_initiators: initiators(app),
    }
}

/// The hosts of the origins that are listed. Chromium makes no other page wait, of the same site or not, and its refreshes would come
/// without the cookie.
fn initiators(app: &App) -> Vec<String> {
    let listed = app.config.applications.values().flat_map(|application| &application.origins);
    let hosts = listed.filter_map(|origin| {
        let (_, authority) = origin.split_once("://")?;
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
        (!host.contains(['[', ']'])).then(|| host.to_owned())
    });
    let mut hosts: Vec<String> = hosts.collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts
}
