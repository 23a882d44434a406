//! `/api/auth/email/change…`: another address for an account.

use super::mail_link::{MailView, in_a_mail};
use crate::app::App;
use crate::flow::authenticate::identify;
use crate::flow::{Caller, change_email};
use crate::http::extract::{JsonBody, Presented};
use crate::http::problem::Problem;
use crate::http::view::json;
use axum::extract::State;
use axum::response::Response;
use counterfoil_core::Secret;
use http::{Extensions, HeaderMap, Method, StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// The address that the account shall have.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct ChangeEmailBody {
    email: String,
}

/// Ask for another address: a link goes to it. Needs a fresh proof.
#[utoipa::path(post, path = "/api/auth/email/change", tag = "session", request_body = ChangeEmailBody, responses(
    (status = 202, body = MailView), (status = 401, description = "`reauthentication_required`, or as `GET /api/auth/me`"),
    (status = 409, description = "`mail_unavailable`"), (status = 429, description = "`rate_limited`"),
))]
pub(in crate::http) async fn change(
    State(app): State<Arc<App>>,
    caller: Caller,
    (headers, extensions): (HeaderMap, Extensions),
    JsonBody(body): JsonBody<ChangeEmailBody>,
) -> Result<Response, Problem> {
    let presented = Presented::require(&app, &Method::POST, (&headers, &extensions))?;
    let identity = identify(&app, presented.credential(), &caller).await?;
    change_email::ask(&app, &identity, &body.email, &caller).await?;
    Ok(in_a_mail(StatusCode::ACCEPTED))
}

/// What the mail holds.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct ConfirmEmailBody {
    #[schema(value_type = String)]
    token: Secret<String>,
}

/// The address from now on.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct EmailView {
    email: String,
}

/// Use the link, signed in to the account. The old address is told.
#[utoipa::path(post, path = "/api/auth/email/change/finish", tag = "session", request_body = ConfirmEmailBody, responses(
    (status = 200, body = EmailView), (status = 403, description = "`forbidden`: somebody else is signed in here"),
    (status = 409, description = "`email_taken`"), (status = 410, description = "`link_invalid`"),
))]
pub(in crate::http) async fn finish(
    State(app): State<Arc<App>>,
    caller: Caller,
    (headers, extensions): (HeaderMap, Extensions),
    JsonBody(body): JsonBody<ConfirmEmailBody>,
) -> Result<Response, Problem> {
    let presented = Presented::require(&app, &Method::POST, (&headers, &extensions))?;
    let identity = identify(&app, presented.credential(), &caller).await?;
    let email = change_email::finish(&app, &identity, &body.token, &caller).await?;
    Ok(json(StatusCode::OK, &EmailView { email: email.as_str().to_owned() }))
}
