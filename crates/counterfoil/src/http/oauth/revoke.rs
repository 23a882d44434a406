//! `POST /oauth/revoke` (RFC 7009).

use super::client;
use super::error::{OAuthError, OAuthErrorView};
use super::form::Form;
use crate::app::App;
use crate::flow::revoke_token::{Revoker, count_attempt, revoke_token};
use crate::http::extract::caller_of;
use crate::http::receipt::{self, ReceiptView, WantsReceipt};
use crate::http::view::json;
use axum::extract::{FromRequestParts as _, Request, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// What is to be revoked.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "for the contract; the form is read by its own, stricter reader")]
pub(in crate::http) struct RevokeForm {
    /// An access, session or refresh token, at most 4096 bytes.
    token: String,
    /// Accepted; the token itself says what it is.
    token_type_hint: Option<String>,
    /// The application that the token was issued to; only without a guard's credential.
    client_id: Option<String>,
}

/// Revoke a token. A refresh or session token ends its session and all its access tokens; an access token ends alone. Fine to
/// repeat, and with a token that is of no use any more.
#[utoipa::path(post, path = "/oauth/revoke", tag = "oauth",
    params(("receipt" = Option<String>, Query, description = "`effective`: answer when it is in force everywhere")),
    request_body(content = RevokeForm, content_type = "application/x-www-form-urlencoded"), responses(
    (status = 200, body = Option<ReceiptView>, description = "revoked, or nothing to revoke; the receipt if one was asked for"),
    (status = 400, body = OAuthErrorView, description = "`invalid_request`, `invalid_grant`"),
    (status = 401, body = OAuthErrorView, description = "`invalid_client`: a guard's credential or a `client_id` is needed"),
    (status = 413, body = OAuthErrorView, description = "`invalid_request`"),
    (status = 429, body = OAuthErrorView, description = "`temporarily_unavailable`"),
    (status = 503, body = OAuthErrorView, description = "`temporarily_unavailable`: not revoked, try again"),
))]
pub(in crate::http) async fn post(State(app): State<Arc<App>>, request: Request) -> Result<Response, OAuthError> {
    let caller = caller_of(&app, request.headers(), request.extensions());
    if !client::may_be_guard(request.headers()) {
        count_attempt(&app, &caller).await?;
    }
    let (mut parts, body) = request.into_parts();
    let headers = parts.headers.clone();
    let wants = WantsReceipt::from_request_parts(&mut parts, &app).await?;
    // A guard that is none is told so before its body is read.
    let guard = if client::may_be_guard(&headers) { client::guard(&app, &headers)? } else { None };
    let form = Form::read(Request::from_parts(parts, body)).await?;
    let by = if guard.is_none() && client::is_service(&headers, &form) {
        Revoker::Service(client::service(&app, &headers, &form).await?.name.to_string())
    } else {
        client::refuse_credential_in_body(&form, guard.as_ref())?;
        revoker(&app, guard, form.value("client_id"))?
    };
    let ended = revoke_token(&app, form.token()?, &by, &caller).await?;
    Ok(match receipt::beside(&app, wants, ended.seq).await {
        Some(receipt) => json(StatusCode::OK, &receipt),
        None => StatusCode::OK.into_response(),
    })
}

fn revoker(app: &App, guard: Option<String>, client_id: Option<&str>) -> Result<Revoker, OAuthError> {
    match (guard, client_id) {
        (Some(name), None) => Ok(Revoker::Guard(name)),
        (Some(_), Some(_)) => {
            Err(OAuthError::invalid_request("send either a guard's credential or client_id, not both"))
        }
        (None, Some(name)) if app.applications.contains_key(name) => Ok(Revoker::Client(name.to_owned())),
        (None, _) => Err(OAuthError::unknown_application()),
    }
}
