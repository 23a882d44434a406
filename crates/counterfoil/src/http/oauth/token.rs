//! `POST /oauth/token`: tokens for services (RFC 6749 section 4.4, RFC 8693).

use super::client;
use super::error::{OAuthError, OAuthErrorView};
use super::form::Form;
use crate::app::App;
use crate::flow::exchange::{Issued, count_attempt, for_another, for_itself};
use crate::http::dpop;
use crate::http::extract::caller_of;
use crate::http::view::json;
use crate::limits::Full;
use crate::store::StoreError;
use axum::extract::{Request, State};
use axum::response::Response;
use counterfoil_core::service::grant::Wanted;
use http::{HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// The grants there are.
pub(in crate::http) const GRANTS: [&str; 2] = ["client_credentials", TOKEN_EXCHANGE];
const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// What is asked for.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "for the contract; the form is read by its own, stricter reader")]
pub(in crate::http) struct TokenForm {
    /// `client_credentials` or `urn:ietf:params:oauth:grant-type:token-exchange`.
    grant_type: String,
    /// The resource the token is for: its name or its audience. May be left out by a client that may call only one.
    audience: Option<String>,
    /// The same (RFC 8707).
    resource: Option<String>,
    /// Space-separated; without it, all that the client may have there.
    scope: Option<String>,
    /// Exchange: the access token of whoever the new one shall speak for.
    subject_token: Option<String>,
    /// Exchange: `urn:ietf:params:oauth:token-type:access_token`.
    subject_token_type: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    /// A JWT signed by the client's key (RFC 7523), used once.
    client_assertion: Option<String>,
    client_assertion_type: Option<String>,
}

/// A token for a service.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct TokenView {
    access_token: String,
    /// `Bearer`; `DPoP` for a client that has proved to hold a key.
    token_type: &'static str,
    expires_in: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    /// Of an exchange only.
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<&'static str>,
}

/// Get a token for a service: in its own name, or in that of whoever's token it holds.
#[utoipa::path(post, path = "/oauth/token", tag = "oauth",
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"), responses(
    (status = 200, body = TokenView),
    (status = 400, body = OAuthErrorView, description = "`invalid_request`, `invalid_dpop_proof`, `use_dpop_nonce`, `unauthorized_client`, `unsupported_grant_type`, `invalid_scope`, `invalid_target`"),
    (status = 401, body = OAuthErrorView, description = "`invalid_client`"),
    (status = 413, body = OAuthErrorView, description = "`invalid_request`"),
    (status = 429, body = OAuthErrorView, description = "`temporarily_unavailable`"),
    (status = 503, body = OAuthErrorView, description = "`temporarily_unavailable`"),
))]
pub(in crate::http) async fn post(State(app): State<Arc<App>>, request: Request) -> Result<Response, OAuthError> {
    let caller = caller_of(&app, request.headers(), request.extensions());
    count_attempt(&app, &caller).await?;
    let headers = request.headers().clone();
    let proof = dpop::proof(request.extensions())?;
    let form = Form::read(request).await?;
    // Before an assertion is used up on it.
    let grant = form.value("grant_type").ok_or(OAuthError::invalid_request("the parameter grant_type is missing"))?;
    if !GRANTS.contains(&grant) {
        return Err(OAuthError::unsupported_grant());
    }
    let wanted = Wanted { resource: resource(&form)?, scope: form.value("scope") };
    let subject = if grant == TOKEN_EXCHANGE { Some(subject_token(&form)?) } else { None };
    let _turn = app.admission.enter().await.map_err(|Full| StoreError::Overloaded)?;
    let service = client::service(&app, &headers, &form).await?;
    let issued = match subject {
        Some(token) => for_another(&app, &service, token, wanted, proof.as_deref()).await?,
        None => for_itself(&app, &service, wanted, proof.as_deref()).await?,
    };
    Ok(answer(issued, subject.map(|_| ACCESS_TOKEN)))
}

fn resource(form: &Form) -> Result<Option<&str>, OAuthError> {
    match (form.value("audience"), form.value("resource")) {
        (Some(audience), Some(resource)) if audience != resource => {
            Err(OAuthError::invalid_request("audience and resource name two resources; a token is for one"))
        }
        (audience, resource) => Ok(audience.or(resource)),
    }
}

/// TEX-1. Who acts is the client itself, so no other actor can be named.
fn subject_token(form: &Form) -> Result<&str, OAuthError> {
    let is_or_absent = |name| form.value(name).is_none_or(|found| found == ACCESS_TOKEN);
    if form.value("actor_token").is_some() || form.value("actor_token_type").is_some() {
        return Err(OAuthError::invalid_request("there is no actor_token here: the client itself is who acts"));
    }
    if form.value("subject_token_type") != Some(ACCESS_TOKEN) || !is_or_absent("requested_token_type") {
        return Err(OAuthError::invalid_request("tokens of the type access_token are exchanged, and given; no others"));
    }
    form.value("subject_token").ok_or(OAuthError::invalid_request("the parameter subject_token is missing"))
}

fn answer(issued: Issued, issued_token_type: Option<&'static str>) -> Response {
    let body = TokenView {
        access_token: issued.minted.token,
        token_type: if issued.bound { "DPoP" } else { "Bearer" },
        expires_in: issued.minted.expires_in,
        scope: issued.scope,
        issued_token_type,
    };
    let mut response = json(StatusCode::OK, &body);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
