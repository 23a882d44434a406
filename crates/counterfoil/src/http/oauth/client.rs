//! Who calls: the holder of a guard's credential, by `Authorization: Bearer`, or by `Basic` with the guard's name.

use super::error::{OAuthError, Tried};
use super::form::{Form, decode};
use crate::app::App;
use crate::flow::guards;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use counterfoil_core::Secret;
use http::{HeaderMap, header};

/// The guard that calls; `None` when there is no Authorization header. What a caller has tried and failed by, it does not get
/// another way in for.
pub(super) fn guard(app: &App, headers: &HeaderMap) -> Result<Option<String>, OAuthError> {
    const MALFORMED: OAuthError = OAuthError::invalid_request("expected Authorization: Bearer CREDENTIAL, or Basic");
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(OAuthError::invalid_request("there are two Authorization headers"));
    }
    let (scheme, rest) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(MALFORMED)?;
    if rest.is_empty() || rest.contains(' ') {
        return Err(MALFORMED);
    }
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

/// Name and credential, each form-urlencoded (RFC 6749 section 2.3.1).
fn basic(encoded: &str) -> Option<(String, Secret<String>)> {
    let pair = Secret::new(STANDARD.decode(encoded).ok()?);
    let colon = pair.expose().iter().position(|byte| *byte == b':')?;
    let (name, credential) = pair.expose().split_at(colon);
    Some((decode(name)?, Secret::new(decode(&credential[1..])?)))
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
