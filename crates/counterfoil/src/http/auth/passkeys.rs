//! `/api/auth/passkeys/…`: sign in, sign up, add, name and remove.

use super::mail_link::{MailView, in_a_mail};
use super::steps::{SignInAnswer, SignedInView, answer, more_answer, signed_in_answer};
use crate::app::App;
use crate::flow::authenticate::{Identity, identify};
use crate::flow::factors::{self, Enrolled};
use crate::flow::passkey_sign_in::{self, Challenge};
use crate::flow::sign_in::LoginError;
use crate::flow::sign_up::Begun;
use crate::flow::{Caller, enrol_passkey, sign_up};
use crate::http::csrf::NotForeign;
use crate::http::dpop;
use crate::http::extract::{JsonBody, Presented};
use crate::http::problem::{Code, Problem};
use crate::http::ticket::{Tickets, is_passkey_enrolment, is_passkey_sign_in, is_sign_in, is_sign_up};
use crate::http::view::{json, with_cookies};
use crate::passkeys::{Assertion, Attestation};
use axum::extract::{Path, State};
use axum::response::Response;
use counterfoil_core::Secret;
use counterfoil_core::profile::Profile;
use counterfoil_guard::base64url_decode;
use http::{Extensions, HeaderMap, Method, StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::ToSchema;

/// The longest identifier of a passkey in an address.
const MOST_ID: usize = 1400;

/// What the browser needs to ask its authenticators.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ChallengeView {
    /// The options for `navigator.credentials.create()` or `get()`, as `PublicKeyCredential.parse…OptionsFromJSON()` reads them.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    options: Value,
    /// To be sent along with the answer, in the profile `native`.
    #[serde(skip_serializing_if = "Option::is_none")]
    login_token: Option<String>,
}

/// A challenge as an answer.
pub(super) fn challenge(app: &App, challenge: Challenge, tickets: Tickets, profile: Profile) -> Response {
    let out = tickets.hand_out(app, &challenge.ticket, profile);
    let login_token = out.login_token.map(|token| token.expose().clone());
    let view = ChallengeView { options: challenge.options, login_token };
    with_cookies(json(StatusCode::OK, &view), out.cookie.into_iter().collect())
}

/// Where to sign in to.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct LoginStartBody {
    /// The application. Given, this begins anew; not given, it is the next step of the sign-in that this client has begun, if it
    /// has begun one, and else a sign-in to `web`.
    client_id: Option<String>,
    /// Of a sign-in that asks for a passkey, in the profile `native`.
    #[schema(value_type = Option<String>)]
    login_token: Option<Secret<String>>,
}

/// Begin to sign in with a passkey, or the step of a sign-in that asks for one.
#[utoipa::path(post, path = "/api/auth/passkeys/login/start", tag = "sign-in", request_body = LoginStartBody, responses(
    (status = 200, body = ChallengeView), (status = 409, description = "`passkeys_unavailable`"),
))]
pub(in crate::http) async fn login_start(
    State(app): State<Arc<App>>,
    _: NotForeign,
    headers: HeaderMap,
    JsonBody(body): JsonBody<LoginStartBody>,
) -> Result<Response, Problem> {
    let tickets = Tickets::brought(&app, &headers, body.login_token.as_ref());
    // Only a page that goes on with a sign-in asks without naming an application.
    let after = tickets.newest(is_sign_in).filter(|_| body.client_id.is_none());
    let profile = profile_of(&app, body.client_id.as_deref(), body.login_token.is_some());
    let begun = passkey_sign_in::begin(&app, body.client_id, after).await?;
    Ok(challenge(&app, begun, tickets, profile))
}

fn profile_of(app: &App, client_id: Option<&str>, by_token: bool) -> Profile {
    let named = client_id.and_then(|name| app.applications.get(name)).map(|application| application.profile);
    named.unwrap_or(if by_token { Profile::Native } else { Profile::Cookie })
}

/// What the authenticator has said.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct LoginFinishBody {
    /// `PublicKeyCredential.toJSON()`.
    #[schema(value_type = Object)]
    credential: Assertion,
    /// "Keep me signed in"; true if not given.
    remember: Option<bool>,
    #[schema(value_type = Option<String>)]
    login_token: Option<Secret<String>>,
}

/// Sign in with a passkey.
#[utoipa::path(post, path = "/api/auth/passkeys/login/finish", tag = "sign-in", request_body = LoginFinishBody, responses(
    (status = 200, body = SignInAnswer),
    (status = 401, description = "`passkey_unknown`, `passkey_invalid`, `login_expired`"),
    (status = 403, description = "`cross_site`, `risk_denied`"), (status = 429, description = "`rate_limited`"),
))]
pub(in crate::http) async fn login_finish(
    State(app): State<Arc<App>>,
    caller: Caller,
    _: NotForeign,
    (headers, extensions): (HeaderMap, Extensions),
    JsonBody(body): JsonBody<LoginFinishBody>,
) -> Result<Response, Problem> {
    let tickets = Tickets::to_finish(&app, &headers, body.login_token.as_ref())?;
    let proof = dpop::proof(&extensions)?;
    let given = (&body.credential, body.remember.unwrap_or(true));
    let mut outcome = Err(LoginError::Expired);
    // Each tab has begun its own; the answer says to which it is by its challenge.
    let begun = tickets.all(is_passkey_sign_in).find(|ticket| passkey_sign_in::is_answered(ticket, &body.credential));
    if let Some(ticket) = begun {
        outcome = passkey_sign_in::finish(&app, ticket, given, proof.as_deref(), &caller).await;
    }
    Ok(answer(&app, &headers, outcome?, tickets))
}

/// A new account: an address, or the link that has confirmed one.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct SignUpBody {
    email: Option<String>,
    /// Of the link in the mail, in place of the rest.
    #[schema(value_type = Option<String>)]
    token: Option<Secret<String>>,
    name: Option<String>,
    #[schema(value_type = Option<String>)]
    invite: Option<Secret<String>>,
    client_id: Option<String>,
}

/// What comes of beginning an account.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "for the contract, which has one answer for each status")]
pub(in crate::http) enum SignUpAnswer {
    /// For the browser's authenticator.
    Challenge(ChallengeView),
    /// A mail has been sent, whether there is an account or not.
    Mail(MailView),
}

/// Begin to make an account that has a passkey and no password. Where mail is sent, the answer to an address is always
/// `{"next":"mail"}`, and it goes on with the token of the link in the mail.
#[utoipa::path(post, path = "/api/auth/passkeys/sign-up/start", tag = "sign-in", request_body = SignUpBody, responses(
    (status = 200, body = SignUpAnswer),
    (status = 403, description = "`registration_closed`"), (status = 410, description = "`link_invalid`"),
    (status = 409, description = "`passkeys_unavailable`"), (status = 429, description = "`rate_limited`"),
))]
pub(in crate::http) async fn sign_up_start(
    State(app): State<Arc<App>>,
    caller: Caller,
    _: NotForeign,
    headers: HeaderMap,
    JsonBody(body): JsonBody<SignUpBody>,
) -> Result<Response, Problem> {
    let SignUpBody { email, token, name, invite, client_id } = body;
    let profile = profile_of(&app, client_id.as_deref(), false);
    let begun = match (email, token) {
        (Some(email), None) => {
            sign_up::begin(&app, sign_up::SignUp { email, name, invite, client_id }, &caller).await?
        }
        (None, Some(token)) => Begun::Challenge(Box::new(sign_up::begin_with_link(&app, &token).await?)),
        _ => return Err(Problem::new(Code::Malformed).detail("send either `email` or `token`")),
    };
    Ok(match begun {
        Begun::Challenge(begun) => challenge(&app, *begun, Tickets::brought(&app, &headers, None), profile),
        Begun::Mail => in_a_mail(StatusCode::OK),
    })
}

/// What the authenticator has made.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct SignUpFinishBody {
    /// `PublicKeyCredential.toJSON()`.
    #[schema(value_type = Object)]
    credential: Attestation,
    remember: Option<bool>,
    #[schema(value_type = Option<String>)]
    login_token: Option<Secret<String>>,
}

/// Make the account, and sign in.
#[utoipa::path(post, path = "/api/auth/passkeys/sign-up/finish", tag = "sign-in", request_body = SignUpFinishBody, responses(
    (status = 200, body = SignedInView), (status = 401, description = "`passkey_invalid`, `login_expired`"),
    (status = 409, description = "`email_taken`, `passkey_taken`"),
))]
pub(in crate::http) async fn sign_up_finish(
    State(app): State<Arc<App>>,
    caller: Caller,
    _: NotForeign,
    (headers, extensions): (HeaderMap, Extensions),
    JsonBody(body): JsonBody<SignUpFinishBody>,
) -> Result<Response, Problem> {
    let tickets = Tickets::to_finish(&app, &headers, body.login_token.as_ref())?;
    let ticket = tickets.require(is_sign_up)?;
    let given = (&body.credential, body.remember.unwrap_or(true));
    let outcome = sign_up::finish(&app, ticket, given, dpop::proof(&extensions)?.as_deref(), &caller).await?;
    Ok(answer(&app, &headers, outcome, tickets))
}

/// Who adds a passkey.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct EnrolBody {
    /// True for the step of a sign-in that said `enrol`; otherwise whoever is signed in adds it.
    #[serde(default)]
    pub(super) sign_in: bool,
    #[schema(value_type = Option<String>)]
    pub(super) login_token: Option<Secret<String>>,
}

/// Begin to add a passkey. Needs a fresh proof.
#[utoipa::path(post, path = "/api/auth/passkeys/register/start", tag = "factors", request_body = EnrolBody, responses(
    (status = 200, body = ChallengeView), (status = 401, description = "`reauthentication_required`, or as `GET /api/auth/me`"),
))]
pub(in crate::http) async fn register_start(
    State(app): State<Arc<App>>,
    caller: Caller,
    (headers, extensions): (HeaderMap, Extensions),
    JsonBody(body): JsonBody<EnrolBody>,
) -> Result<Response, Problem> {
    let (identity, tickets) = who(&app, &caller, (&headers, &extensions), (body.sign_in, &body.login_token)).await?;
    let begun = enrol_passkey::begin(&app, identity.as_ref(), tickets.newest(is_sign_in)).await?;
    let profile = profile_of_enroller(&app, identity.as_ref(), &body);
    Ok(challenge(&app, begun, tickets, profile))
}

/// How whoever sets a factor up gets their tickets.
pub(super) fn profile_of_enroller(app: &App, identity: Option<&Identity>, body: &EnrolBody) -> Profile {
    let signing_in = || profile_of(app, None, body.login_token.is_some());
    identity.map_or_else(signing_in, |identity| identity.session.profile)
}

/// What the authenticator has made.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct EnrolFinishBody {
    /// `PublicKeyCredential.toJSON()`.
    #[schema(value_type = Object)]
    credential: Attestation,
    /// What to call it; the device's name if not given.
    name: Option<String>,
    #[serde(default)]
    sign_in: bool,
    #[schema(value_type = Option<String>)]
    login_token: Option<Secret<String>>,
}

/// Add a passkey.
#[utoipa::path(post, path = "/api/auth/passkeys/register/finish", tag = "factors", request_body = EnrolFinishBody, responses(
    (status = 204, description = "it is there"), (status = 200, body = SignedInView),
    (status = 401, description = "`passkey_invalid`, `login_expired`, `reauthentication_required`"),
    (status = 409, description = "`passkey_taken`, `passkey_limit`"),
))]
pub(in crate::http) async fn register_finish(
    State(app): State<Arc<App>>,
    caller: Caller,
    (headers, extensions): (HeaderMap, Extensions),
    JsonBody(body): JsonBody<EnrolFinishBody>,
) -> Result<Response, Problem> {
    let (identity, tickets) = who(&app, &caller, (&headers, &extensions), (body.sign_in, &body.login_token)).await?;
    let ticket = tickets.require(is_passkey_enrolment)?;
    let given = (&body.credential, body.name.as_deref());
    let proof = dpop::proof(&extensions)?;
    let enrolled = enrol_passkey::finish(&app, (ticket, identity.as_ref()), given, proof.as_deref(), &caller).await?;
    Ok(enrolled_answer(&app, &headers, enrolled, tickets))
}

fn enrolled_answer(app: &App, headers: &HeaderMap, enrolled: Enrolled, tickets: Tickets) -> Response {
    match enrolled {
        Enrolled::Done => with_cookies(no_content(), Tickets::clear(app, headers).into_iter().collect()),
        Enrolled::SignedIn(signed_in) => signed_in_answer(app, headers, &signed_in, &[]),
        Enrolled::More(more) => more_answer(app, &more, tickets, &[]),
    }
}

pub(super) fn no_content() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// Who sets a factor up, and what they have begun. Whoever is signing in does it as nobody else: a session that the browser still
/// holds may be another person's.
pub(super) async fn who(
    app: &App,
    caller: &Caller,
    (headers, extensions): (&HeaderMap, &Extensions),
    (sign_in, token): (bool, &Option<Secret<String>>),
) -> Result<(Option<Identity>, Tickets), Problem> {
    if sign_in {
        return Ok((None, Tickets::to_finish(app, headers, token.as_ref())?));
    }
    let presented = Presented::require(app, &Method::POST, (headers, extensions))?;
    let identity = identify(app, presented.credential(), caller).await?;
    Ok((Some(identity), Tickets::brought(app, headers, token.as_ref())))
}

/// A passkey's name from now on.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct RenameBody {
    name: String,
}

/// Give a passkey another name.
#[utoipa::path(patch, path = "/api/auth/passkeys/{id}", tag = "factors", params(("id" = String, Path)),
    request_body = RenameBody, responses((status = 204), (status = 404)))]
pub(in crate::http) async fn rename(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    (headers, extensions): (HeaderMap, Extensions),
    JsonBody(body): JsonBody<RenameBody>,
) -> Result<StatusCode, Problem> {
    let presented = Presented::require(&app, &Method::PATCH, (&headers, &extensions))?;
    let identity = identify(&app, presented.credential(), &caller).await?;
    factors::rename_passkey(&app, &identity, (passkey_id(&id)?, &body.name), &caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Remove a passkey, unless it is the last way in. Needs a fresh proof.
#[utoipa::path(delete, path = "/api/auth/passkeys/{id}", tag = "factors", params(("id" = String, Path)), responses(
    (status = 204), (status = 404), (status = 401, description = "`reauthentication_required`"),
    (status = 409, description = "`last_credential`"),
))]
pub(in crate::http) async fn remove(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    (headers, extensions): (HeaderMap, Extensions),
) -> Result<StatusCode, Problem> {
    let presented = Presented::require(&app, &Method::DELETE, (&headers, &extensions))?;
    let identity = identify(&app, presented.credential(), &caller).await?;
    factors::remove_passkey(&app, &identity, passkey_id(&id)?, &caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn passkey_id(text: &str) -> Result<Vec<u8>, Problem> {
    let id = Some(text).filter(|text| text.len() <= MOST_ID).and_then(base64url_decode);
    id.ok_or(Problem::new(Code::NotFound))
}
