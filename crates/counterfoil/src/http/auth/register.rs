//! `POST /api/auth/register`, and the link that confirms the address where mail is sent.

use super::mail_link::{MailView, in_a_mail_here};
use crate::app::App;
use crate::flow::Caller;
use crate::flow::register::{Registering, Registration, confirm, register};
use crate::flow::ticket::Ticket;
use crate::http::csrf::NotForeign;
use crate::http::extract::JsonBody;
use crate::http::problem::Problem;
use crate::http::ticket::{Tickets, is_mail_asked};
use crate::http::view::{UserView, json};
use axum::extract::State;
use axum::response::Response;
use counterfoil_core::Secret;
use counterfoil_core::profile::Profile;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// A new account.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct RegisterBody {
    email: String,
    #[schema(value_type = String)]
    password: Secret<String>,
    name: Option<String>,
    /// An invitation's token, where registration is by invitation.
    #[schema(value_type = Option<String>)]
    invite: Option<Secret<String>>,
    /// An account is for all applications; this says how the client keeps what it needs until the mail is there.
    client_id: Option<String>,
}

/// The account that was made.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct RegisteredView {
    user: UserView,
}

/// What comes of a registration.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "for the contract, which has one answer for each status")]
pub(in crate::http) enum RegisterAnswer {
    /// The account is there.
    Made(RegisteredView),
    /// A mail has been sent, whether there is an account or not.
    Mail(MailView),
}

/// Make an account. Never signs in. Where mail is sent, the answer is always `{"next":"mail"}`, and the account is there once the link in
/// the mail has been opened.
#[utoipa::path(post, path = "/api/auth/register", tag = "sign-in", request_body = RegisterBody, responses(
    (status = 201, body = RegisterAnswer),
    (status = 403, description = "`registration_closed`, `invite_invalid`, `cross_site`"),
    (status = 409, description = "`email_taken`"),
    (status = 422, description = "`password_rejected`"),
    (status = 429, description = "`rate_limited`"),
))]
pub(in crate::http) async fn post(
    State(app): State<Arc<App>>,
    caller: Caller,
    _: NotForeign,
    headers: HeaderMap,
    JsonBody(body): JsonBody<RegisterBody>,
) -> Result<Response, Problem> {
    let RegisterBody { email, password, name, invite, client_id } = body;
    let named = client_id.and_then(|name| app.applications.get(&name)).map(|application| application.profile);
    match register(&app, Registration { email, password, name, invite }, &caller).await? {
        Registering::Done(user) => Ok(json(StatusCode::CREATED, &RegisteredView { user: UserView::from(&user) })),
        Registering::Mail(ticket) => {
            let profile = named.unwrap_or(Profile::Cookie);
            Ok(in_a_mail_here(&app, (Tickets::brought(&app, &headers, None), StatusCode::CREATED), (&ticket, profile)))
        }
    }
}

/// What the mail holds.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct ConfirmBody {
    #[schema(value_type = String)]
    token: Secret<String>,
    /// The password that was chosen; needed in another browser than the one that has asked for the account.
    #[schema(value_type = Option<String>)]
    password: Option<Secret<String>>,
    #[schema(value_type = Option<String>)]
    login_token: Option<Secret<String>>,
}

/// Confirm the address: the account is there. Never signs in.
#[utoipa::path(post, path = "/api/auth/register/confirm", tag = "sign-in", request_body = ConfirmBody, responses(
    (status = 201, body = RegisteredView), (status = 401, description = "`invalid_credentials`"),
    (status = 403, description = "`link_other_browser`: send the password along; `invite_invalid`, `cross_site`"),
    (status = 409, description = "`email_taken`"), (status = 410, description = "`link_invalid`"),
))]
pub(in crate::http) async fn confirmed(
    State(app): State<Arc<App>>,
    caller: Caller,
    _: NotForeign,
    headers: HeaderMap,
    JsonBody(body): JsonBody<ConfirmBody>,
) -> Result<Response, Problem> {
    let tickets = Tickets::brought(&app, &headers, body.login_token.as_ref());
    let asked: Vec<&Ticket> = tickets.all(is_mail_asked).collect();
    let user = confirm(&app, (&body.token, body.password.as_ref()), &asked, &caller).await?;
    Ok(json(StatusCode::CREATED, &RegisteredView { user: UserView::from(&user) }))
}
