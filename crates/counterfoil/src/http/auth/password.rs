//! `POST /api/auth/password/{change,forgot,reset}`.

use super::mail_link::{MailView, in_a_mail};
use crate::app::App;
use crate::flow::Caller;
use crate::flow::authenticate::identify;
use crate::flow::change_password::change_password;
use crate::flow::reset_password;
use crate::http::csrf::NotForeign;
use crate::http::extract::{JsonBody, Presented};
use crate::http::problem::Problem;
use crate::http::receipt::{self, ReceiptView, WantsReceipt};
use crate::http::view::{TokensView, deliver};
use axum::extract::{FromRequest as _, Request, State};
use axum::response::Response;
use counterfoil_core::Secret;
use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// The old and the new.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct ChangeBody {
    /// Not needed by an account that has none.
    #[schema(value_type = Option<String>)]
    current_password: Option<Secret<String>>,
    #[schema(value_type = String)]
    new_password: Secret<String>,
}

/// The new tokens, and the receipt for the sessions that ended, if one was asked for.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ChangedView {
    #[serde(flatten)]
    tokens: TokensView,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<ReceiptView>,
}

/// Change the password. Ends every other session, and gives this one new tokens.
#[utoipa::path(post, path = "/api/auth/password/change", tag = "session", request_body = ChangeBody, responses(
    (status = 200, body = ChangedView),
    (status = 401, description = "`invalid_credentials`, `reauthentication_required`, or as `GET /api/auth/me`"),
    (status = 422, description = "`password_rejected`"),
))]
pub(in crate::http) async fn change(
    State(app): State<Arc<App>>,
    caller: Caller,
    wants: WantsReceipt,
    request: Request,
) -> Result<Response, Problem> {
    let (headers, extensions) = (request.headers().clone(), request.extensions().clone());
    let presented = Presented::require(&app, &Method::POST, (&headers, &extensions))?;
    let identity = identify(&app, presented.credential(), &caller).await?;
    let JsonBody(body) = JsonBody::<ChangeBody>::from_request(request, &app).await?;
    let passwords = (body.current_password.as_ref(), &body.new_password);
    let (delivery, ended) = change_password(&app, identity, passwords, &caller).await?;
    let receipt = receipt::beside(&app, wants, ended.seq).await;
    let view = ChangedView { tokens: TokensView::of(&delivery), receipt };
    Ok(deliver(&view, &delivery, &app.config.session))
}

/// Whose password is forgotten.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct ForgotBody {
    email: String,
}

/// Ask for a link to choose another password. The answer is the same whether there is an account or not.
#[utoipa::path(post, path = "/api/auth/password/forgot", tag = "sign-in", request_body = ForgotBody, responses(
    (status = 202, body = MailView), (status = 409, description = "`mail_unavailable`"),
    (status = 429, description = "`rate_limited`"), (status = 503, description = "`overloaded`"),
))]
pub(in crate::http) async fn forgot(
    State(app): State<Arc<App>>,
    caller: Caller,
    _: NotForeign,
    JsonBody(body): JsonBody<ForgotBody>,
) -> Result<Response, Problem> {
    reset_password::forgot(&app, &body.email, &caller).await?;
    Ok(in_a_mail(StatusCode::ACCEPTED))
}

/// What the mail holds, and the password from now on.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct ResetBody {
    #[schema(value_type = String)]
    token: Secret<String>,
    #[schema(value_type = String)]
    new_password: Secret<String>,
}

/// Choose another password with the link. Ends every session and signs nobody in; what else the account asks for stays.
#[utoipa::path(post, path = "/api/auth/password/reset", tag = "sign-in", request_body = ResetBody, responses(
    (status = 204, description = "it is the password now"), (status = 410, description = "`link_invalid`"),
    (status = 422, description = "`password_rejected`; the link goes on to count"),
))]
pub(in crate::http) async fn reset(
    State(app): State<Arc<App>>,
    caller: Caller,
    _: NotForeign,
    JsonBody(body): JsonBody<ResetBody>,
) -> Result<StatusCode, Problem> {
    reset_password::reset(&app, (&body.token, &body.new_password), &caller).await?;
    Ok(StatusCode::NO_CONTENT)
}
