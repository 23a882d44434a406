//! Who calls: the holder of a guard's credential, by `Authorization: Bearer`, or by `Basic` with the guard's name; or a service, by
//! its secret (`Basic`, or in the body) or by an assertion it has signed (`private_key_jwt`).

use super::error::{OAuthError, Tried};
use super::form::{Form, decode};
use crate::app::App;
use crate::flow::{clients, guards};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use counterfoil_core::Secret;
use counterfoil_core::service::grant::Service;
use http::{HeaderMap, header};

/// The guard that calls; `None` when there is no Authorization header. What a caller has tried and failed by, it does not get
/// another way in for.
pub(super) fn guard(app: &App, headers: &HeaderMap) -> Result<Option<String>, OAuthError> {
    let Some((scheme, rest)) = authorization(headers)? else { return Ok(None) };
    if scheme.eq_ignore_ascii_case("bearer") {
        let known = guards::authenticate(app, rest);
        return known.map(Some).ok_or(OAuthError::invalid_client(Tried::Bearer));
    }
    if scheme.eq_ignore_ascii_case("basic") {
        let (name, credential) = basic(rest).ok_or(MALFORMED)?;
        let known = guards::authenticate(app, credential.expose()).filter(|known| *known == name);
        return known.map(Some).ok_or(OAuthError::invalid_client(Tried::Basic));
    }
    Err(OAuthError::invalid_client(Tried::Nothing))
}

/// What is said of a header that is none of the two kinds there are.
const MALFORMED: OAuthError =
    OAuthError::invalid_request("expected Authorization: Bearer CREDENTIAL, or Basic NAME:SECRET in base64");

/// Scheme and credential of the one Authorization header; `None` when there is none.
fn authorization(headers: &HeaderMap) -> Result<Option<(&str, &str)>, OAuthError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(OAuthError::invalid_request("there are two Authorization headers"));
    }
    let (scheme, rest) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(MALFORMED)?;
    if rest.is_empty() || rest.contains(' ') { Err(MALFORMED) } else { Ok(Some((scheme, rest))) }
}

/// Name and credential, each form-urlencoded (RFC 6749 section 2.3.1).
fn basic(encoded: &str) -> Option<(String, Secret<String>)> {
    let pair = Secret::new(STANDARD.decode(encoded).ok()?);
    let colon = pair.expose().iter().position(|byte| *byte == b':')?;
    let (name, credential) = pair.expose().split_at(colon);
    Some((decode(name)?, Secret::new(decode(&credential[1..])?)))
}

/// What a `client_assertion` is (RFC 7523 section 2.2).
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The service that calls. It proves itself in one way; two at once, or none, prove nothing (TOK-3).
pub(super) async fn service(app: &App, headers: &HeaderMap, form: &Form) -> Result<Service, OAuthError> {
    let (secret, assertion) = (form.value("client_secret"), form.value("client_assertion"));
    let header = headers.contains_key(header::AUTHORIZATION);
    let ways = usize::from(header) + usize::from(secret.is_some()) + usize::from(assertion.is_some());
    if ways > 1 {
        return Err(OAuthError::invalid_request("the client proves itself in more than one way"));
    }
    let claimed = form.value("client_id");
    if let Some(assertion) = assertion {
        if form.value("client_assertion_type") != Some(JWT_BEARER) {
            return Err(OAuthError::invalid_request("client_assertion_type must be the one of RFC 7523, jwt-bearer"));
        }
        let known = clients::by_assertion(app, assertion, claimed).await?;
        return known.ok_or(OAuthError::unknown_client(Tried::Nothing));
    }
    if let Some(secret) = secret {
        let known = claimed.and_then(|name| clients::by_secret(app, name, secret));
        return known.ok_or(OAuthError::unknown_client(Tried::Nothing));
    }
    let (name, secret) = basic_of(headers)?.ok_or(OAuthError::unknown_client(Tried::Nothing))?;
    if claimed.is_some_and(|claimed| claimed != name) {
        return Err(OAuthError::invalid_request("client_id is another than in the Authorization header"));
    }
    clients::by_secret(app, &name, secret.expose()).ok_or(OAuthError::unknown_client(Tried::Basic))
}

/// Whether the request carries what a service proves itself by.
pub(super) fn is_service(headers: &HeaderMap, form: &Form) -> bool {
    let in_body = ["client_secret", "client_assertion"].iter().any(|name| form.value(name).is_some());
    in_body || has_service_secret(headers)
}

/// Whether an Authorization header, if there is one, may hold a guard's credential.
pub(super) fn may_be_guard(headers: &HeaderMap) -> bool {
    headers.contains_key(header::AUTHORIZATION) && !has_service_secret(headers)
}

fn has_service_secret(headers: &HeaderMap) -> bool {
    let is_secret = |(_, secret): (String, Secret<String>)| secret.expose().starts_with(clients::PREFIX);
    basic_of(headers).ok().flatten().is_some_and(is_secret)
}

/// Name and secret of a `Basic` header; `None` when there is none.
fn basic_of(headers: &HeaderMap) -> Result<Option<(String, Secret<String>)>, OAuthError> {
    let Some((scheme, rest)) = authorization(headers)? else { return Ok(None) };
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(OAuthError::unknown_client(Tried::Basic));
    }
    basic(rest).map(Some).ok_or(MALFORMED)
}

/// A credential in the body is not taken. Beside the header it would be a second one (TOK-3).
pub(super) fn refuse_credential_in_body(form: &Form, guard: Option<&String>) -> Result<(), OAuthError> {
    let in_body = ["client_secret", "client_assertion", "client_assertion_type"];
    if !in_body.iter().any(|name| form.value(name).is_some()) {
        return Ok(());
    }
    Err(match guard {
        Some(_) => OAuthError::invalid_request("there is a credential in the header and another in the body"),
        None => OAuthError::invalid_client(Tried::Nothing),
    })
}
