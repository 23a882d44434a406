//! `/api/auth/mail-link/…` and `/api/auth/mail-code/…`: signing in by mail. And what a link is for, for the page that it opens.

use super::steps::{SignInAnswer, answer};
use super::totp::CodeBody;
use crate::app::App;
use crate::flow::mail_link::{address_of, has_asked, look};
use crate::flow::ticket::{Ceremony, Ticket};
use crate::flow::{Caller, mail_sign_in};
use crate::http::csrf::NotForeign;
use crate::http::dpop;
use crate::http::extract::JsonBody;
use crate::http::problem::{Code, Problem};
use crate::http::ticket::{Tickets, is_mail_asked, is_mail_code};
use crate::http::view::{json, with_cookies};
use crate::mail::Held;
use axum::extract::State;
use axum::response::Response;
use counterfoil_core::Secret;
use counterfoil_core::credential::mail_link::Purpose;
use counterfoil_core::profile::Profile;
use http::{Extensions, HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// It goes on in a mail, if the address is somebody's: the answer is the same if it is not.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct MailView {
    /// `mail`.
    next: &'static str,
    /// To be sent along with what the mail holds, in the profile `native`; a browser keeps it in the cookie `__Host-cf_login`.
    #[serde(skip_serializing_if = "Option::is_none")]
    login_token: Option<String>,
}

/// It goes on in a mail, in whatever browser.
pub(super) fn in_a_mail(status: StatusCode) -> Response {
    json(status, &MailView { next: "mail", login_token: None })
}

/// It goes on in a mail, in this browser.
pub(super) fn in_a_mail_here(
    app: &App,
    (tickets, status): (Tickets, StatusCode),
    (ticket, profile): (&Ticket, Profile),
) -> Response {
    let out = tickets.hand_out(app, ticket, profile);
    let login_token = out.login_token.map(|token| token.expose().clone());
    with_cookies(json(status, &MailView { next: "mail", login_token }), out.cookie.into_iter().collect())
}

/// A link's token.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct LookBody {
    /// What the link is for, as its address says: `confirm`, `sign-up`, `reset`, `sign-in`, `change`.
    purpose: String,
    #[schema(value_type = String)]
    token: Secret<String>,
}

/// What a link is for.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct LookView {
    /// The address it is about.
    email: String,
    /// Whether this browser has asked for it. If not, `confirm` asks for the password, and `sign-in` does not work.
    here: bool,
}

/// Look at a link without using it.
#[utoipa::path(post, path = "/api/auth/mail/look", tag = "sign-in", request_body = LookBody, responses(
    (status = 200, body = LookView), (status = 410, description = "`link_invalid`"),
))]
pub(in crate::http) async fn look_at(
    State(app): State<Arc<App>>,
    _: NotForeign,
    headers: HeaderMap,
    JsonBody(body): JsonBody<LookBody>,
) -> Result<Response, Problem> {
    let purpose = Purpose::from_name(&body.purpose).ok_or(Problem::new(Code::LinkInvalid))?;
    let opened = look(&app, purpose, &body.token).await?;
    let email = address_of(&app, &opened).await?;
    let here = match &opened.held {
        Held::Register { asked: wanted, .. } | Held::SignIn { asked: wanted, .. } => {
            let tickets = Tickets::brought(&app, &headers, None);
            let asked: Vec<&Ticket> = tickets.all(is_mail_asked).collect();
            has_asked(&asked, (purpose, *wanted))
        }
        Held::SignUp { .. } | Held::Reset | Held::ChangeEmail { .. } => true,
    };
    Ok(json(StatusCode::OK, &LookView { email, here }))
}

/// Where the link shall go.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct StartBody {
    email: String,
    /// The application; `web` if not given.
    client_id: Option<String>,
    /// "Keep me signed in"; true if not given.
    remember: Option<bool>,
}

/// Ask for a link that signs in, if `mail.sign_in` is on.
#[utoipa::path(post, path = "/api/auth/mail-link/start", tag = "sign-in", request_body = StartBody, responses(
    (status = 200, body = MailView), (status = 409, description = "`mail_unavailable`"),
    (status = 429, description = "`rate_limited`"), (status = 503, description = "`overloaded`"),
))]
pub(in crate::http) async fn start(
    State(app): State<Arc<App>>,
    caller: Caller,
    _: NotForeign,
    headers: HeaderMap,
    JsonBody(body): JsonBody<StartBody>,
) -> Result<Response, Problem> {
    let wanted = (body.email.as_str(), body.client_id, body.remember.unwrap_or(true));
    let (ticket, profile) = mail_sign_in::start(&app, wanted, &caller).await?;
    Ok(in_a_mail_here(&app, (Tickets::brought(&app, &headers, None), StatusCode::OK), (&ticket, profile)))
}

/// What the mail holds.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct FinishBody {
    #[schema(value_type = String)]
    token: Secret<String>,
    #[schema(value_type = Option<String>)]
    login_token: Option<Secret<String>>,
}

/// Sign in with the link, in the browser that has asked for it.
#[utoipa::path(post, path = "/api/auth/mail-link/finish", tag = "sign-in", request_body = FinishBody, responses(
    (status = 200, body = SignInAnswer),
    (status = 403, description = "`link_other_browser`, `cross_site`"), (status = 410, description = "`link_invalid`"),
))]
pub(in crate::http) async fn finish(
    State(app): State<Arc<App>>,
    caller: Caller,
    _: NotForeign,
    (headers, extensions): (HeaderMap, Extensions),
    JsonBody(body): JsonBody<FinishBody>,
) -> Result<Response, Problem> {
    let tickets = Tickets::to_finish(&app, &headers, body.login_token.as_ref())?;
    let proof = dpop::proof(&extensions)?;
    let asked: Vec<&Ticket> = tickets.all(is_mail_asked).collect();
    let outcome = mail_sign_in::finish(&app, (&body.token, &asked), proof.as_deref(), &caller).await?;
    Ok(answer(&app, &headers, outcome, tickets))
}

/// Which sign-in.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct SendBody {
    #[schema(value_type = Option<String>)]
    login_token: Option<Secret<String>>,
}

/// Have a code sent, for a sign-in whose next step is `mail`.
#[utoipa::path(post, path = "/api/auth/mail-code/send", tag = "sign-in", request_body = SendBody, responses(
    (status = 200, body = MailView), (status = 401, description = "`login_expired`"),
    (status = 429, description = "`rate_limited`"),
))]
pub(in crate::http) async fn send_code(
    State(app): State<Arc<App>>,
    caller: Caller,
    _: NotForeign,
    headers: HeaderMap,
    JsonBody(body): JsonBody<SendBody>,
) -> Result<Response, Problem> {
    let tickets = Tickets::to_finish(&app, &headers, body.login_token.as_ref())?;
    let ticket = tickets.require(|what| matches!(what, Ceremony::SignIn(_) | Ceremony::MailCode { .. }))?;
    let profile = if body.login_token.is_some() { Profile::Native } else { Profile::Cookie };
    let ticket = mail_sign_in::send_code(&app, ticket, &caller).await?;
    Ok(in_a_mail_here(&app, (tickets, StatusCode::OK), (&ticket, profile)))
}

/// Go on with a code that came by mail. It counts once, for ten minutes, and only for the sign-in that has asked for it.
#[utoipa::path(post, path = "/api/auth/mail-code/verify", tag = "sign-in", request_body = CodeBody, responses(
    (status = 200, body = SignInAnswer),
    (status = 401, description = "`invalid_code`, `login_expired`"), (status = 429, description = "`rate_limited`"),
))]
pub(in crate::http) async fn verify_code(
    State(app): State<Arc<App>>,
    caller: Caller,
    _: NotForeign,
    (headers, extensions): (HeaderMap, Extensions),
    JsonBody(body): JsonBody<CodeBody>,
) -> Result<Response, Problem> {
    let tickets = Tickets::to_finish(&app, &headers, body.login_token.as_ref())?;
    let proof = dpop::proof(&extensions)?;
    let asked: Vec<&Ticket> = tickets.all(is_mail_code).collect();
    let outcome = mail_sign_in::verify_code(&app, (&asked, &body.code), proof.as_deref(), &caller).await?;
    Ok(answer(&app, &headers, outcome, tickets))
}
