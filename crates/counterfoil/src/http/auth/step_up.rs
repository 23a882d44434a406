//! `GET /api/auth/factors` and `/api/auth/step-up/…`: how somebody signed in can prove that it is still them.

use super::passkeys::{ChallengeView, challenge};
use crate::app::App;
use crate::flow::Caller;
use crate::flow::authenticate::{Identity, identify};
use crate::flow::deliver::Delivery;
use crate::flow::factors::overview;
use crate::flow::step_up::{self, Way};
use crate::http::dpop;
use crate::http::extract::{JsonBody, MAX_BODY, Presented, parse_json, read_body};
use crate::http::problem::{Code, Problem};
use crate::http::ticket::{Tickets, is_proof, is_step_up};
use crate::http::view::{TokensView, deliver, json, rfc3339, with_cookies};
use crate::passkeys::Assertion;
use crate::store::factors::Passkey;
use axum::extract::{Request, State};
use axum::response::Response;
use counterfoil_core::Secret;
use counterfoil_guard::base64url_encode;
use http::{Extensions, HeaderMap, Method, StatusCode, header};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// A passkey.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct PasskeyView {
    /// The credential's id, base64url.
    id: String,
    name: String,
    /// Whether it may leave the device it was made on.
    synced: bool,
    /// Whether there is a copy of it.
    backed_up: bool,
    /// RFC 3339, UTC.
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_used_at: Option<String>,
}

impl From<&Passkey> for PasskeyView {
    fn from(passkey: &Passkey) -> Self {
        Self {
            id: base64url_encode(&passkey.id),
            name: passkey.name.clone(),
            synced: passkey.synced,
            backed_up: passkey.backed_up,
            created_at: rfc3339(passkey.created_at),
            last_used_at: passkey.last_used_at.map(rfc3339),
        }
    }
}

/// What an account can prove itself with.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct FactorsView {
    /// Whether there is a password.
    password: bool,
    passkeys: Vec<PasskeyView>,
    /// When the authenticator app was set up, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    totp_since: Option<String>,
    /// How many recovery codes have not been used.
    recovery_codes: u32,
    /// The domain for which passkeys are made; absent where browsers allow none.
    #[serde(skip_serializing_if = "Option::is_none")]
    rp_id: Option<String>,
    /// Until when changes need no further proof. RFC 3339, UTC.
    fresh_until: String,
    fresh: bool,
    /// How a further proof can be given, the best first: `passkey`, `totp`, `password`.
    step_up: Vec<&'static str>,
}

/// What the signed-in user can prove themselves with.
#[utoipa::path(get, path = "/api/auth/factors", tag = "factors", responses(
    (status = 200, body = FactorsView), (status = 401, description = "as `GET /api/auth/me`"),
))]
pub(in crate::http) async fn factors(
    State(app): State<Arc<App>>,
    caller: Caller,
    (headers, extensions): (HeaderMap, Extensions),
) -> Result<Response, Problem> {
    let presented = Presented::require(&app, &Method::GET, (&headers, &extensions))?;
    let identity = identify(&app, presented.credential(), &caller).await?;
    let overview = overview(&app, &identity).await?;
    let view = FactorsView {
        password: overview.has_password,
        passkeys: overview.factors.passkeys.iter().map(PasskeyView::from).collect(),
        totp_since: overview.factors.totp.map(|totp| rfc3339(totp.created_at)),
        recovery_codes: overview.factors.recovery_codes,
        rp_id: app.passkeys.as_ref().map(|party| party.id().to_owned()),
        fresh: app.clock.now() <= overview.fresh_until,
        fresh_until: rfc3339(overview.fresh_until),
        step_up: overview.ways.into_iter().map(Way::as_str).collect(),
    };
    Ok(json(StatusCode::OK, &view))
}

/// Whoever is signed in; or whose session a refresh has asked to be proved, by the ticket it has given.
async fn signed_in(
    app: &App,
    caller: &Caller,
    token: Option<&Secret<String>>,
    request: (&HeaderMap, &Extensions),
) -> Result<Identity, Problem> {
    if token.is_some() && !request.0.contains_key(header::AUTHORIZATION) {
        return by_ticket(app, token, request).await?.ok_or(Problem::new(Code::LoginExpired));
    }
    let refused = match by_access(app, caller, request).await {
        Err(problem) if problem.answered() == StatusCode::UNAUTHORIZED => problem,
        other => return other,
    };
    by_ticket(app, None, request).await?.ok_or(refused)
}

async fn by_access(app: &App, caller: &Caller, request: (&HeaderMap, &Extensions)) -> Result<Identity, Problem> {
    let presented = Presented::require(app, &Method::POST, request)?;
    Ok(identify(app, presented.credential(), caller).await?)
}

async fn by_ticket(
    app: &App,
    token: Option<&Secret<String>>,
    (headers, extensions): (&HeaderMap, &Extensions),
) -> Result<Option<Identity>, Problem> {
    let tickets = Tickets::to_finish(app, headers, token)?;
    let Some(ticket) = tickets.newest(is_proof) else { return Ok(None) };
    let proof = dpop::proof(extensions)?;
    Ok(Some(step_up::by_ticket(app, ticket, proof.as_deref()).await?))
}

fn renewed(app: &App, headers: &HeaderMap, delivery: &Delivery) -> Response {
    let response = deliver(&TokensView::of(delivery), delivery, &app.config.session);
    with_cookies(response, Tickets::clear(app, headers).into_iter().collect())
}

/// The password.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct PasswordBody {
    #[schema(value_type = String)]
    password: Secret<String>,
    /// Of a refresh that has asked for it, in the profile `native`.
    #[schema(value_type = Option<String>)]
    login_token: Option<Secret<String>>,
}

/// Prove it by the password, where that alone would open a session. The session gets new tokens.
#[utoipa::path(post, path = "/api/auth/step-up/password", tag = "factors", request_body = PasswordBody, responses(
    (status = 200, body = TokensView), (status = 401, description = "`invalid_credentials`, `reauthentication_required`: by something stronger; or as `GET /api/auth/me`"),
    (status = 403, description = "`risk_denied`"), (status = 429, description = "`rate_limited`"),
))]
pub(in crate::http) async fn by_password(
    State(app): State<Arc<App>>,
    caller: Caller,
    (headers, extensions): (HeaderMap, Extensions),
    JsonBody(body): JsonBody<PasswordBody>,
) -> Result<Response, Problem> {
    let identity = signed_in(&app, &caller, body.login_token.as_ref(), (&headers, &extensions)).await?;
    let delivery = step_up::by_password(&app, identity, &body.password, &caller).await?;
    Ok(renewed(&app, &headers, &delivery))
}

/// A code of the authenticator app.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct StepUpCodeBody {
    #[schema(value_type = String)]
    code: Secret<String>,
    /// Of a refresh that has asked for it, in the profile `native`.
    #[schema(value_type = Option<String>)]
    login_token: Option<Secret<String>>,
}

/// Prove it by a code of the authenticator app. The session gets new tokens.
#[utoipa::path(post, path = "/api/auth/step-up/totp", tag = "factors", request_body = StepUpCodeBody, responses(
    (status = 200, body = TokensView), (status = 401, description = "`invalid_code`, or as `GET /api/auth/me`"),
    (status = 403, description = "`risk_denied`"), (status = 429, description = "`rate_limited`"),
))]
pub(in crate::http) async fn by_totp(
    State(app): State<Arc<App>>,
    caller: Caller,
    (headers, extensions): (HeaderMap, Extensions),
    JsonBody(body): JsonBody<StepUpCodeBody>,
) -> Result<Response, Problem> {
    let identity = signed_in(&app, &caller, body.login_token.as_ref(), (&headers, &extensions)).await?;
    let delivery = step_up::by_totp(&app, identity, body.code, &caller).await?;
    Ok(renewed(&app, &headers, &delivery))
}

/// Where the access token has run out.
#[derive(Default, Deserialize, ToSchema)]
pub(in crate::http) struct StepUpStartBody {
    /// Of a refresh that has asked for it, in the profile `native`.
    #[schema(value_type = Option<String>)]
    login_token: Option<Secret<String>>,
}

/// Begin to prove it by a passkey.
#[utoipa::path(post, path = "/api/auth/step-up/passkey/start", tag = "factors", request_body(content = Option<StepUpStartBody>), responses(
    (status = 200, body = ChallengeView), (status = 401, description = "`passkey_invalid`: there is none"),
))]
pub(in crate::http) async fn passkey_start(
    State(app): State<Arc<App>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let (headers, extensions) = (request.headers().clone(), request.extensions().clone());
    let body = read_body::<MAX_BODY>(request).await?;
    let body: StepUpStartBody = match body.expose().as_slice() {
        b"" => StepUpStartBody::default(),
        bytes => parse_json(bytes)?,
    };
    let identity = signed_in(&app, &caller, body.login_token.as_ref(), (&headers, &extensions)).await?;
    let begun = step_up::begin(&app, &identity).await?;
    Ok(challenge(&app, begun, Tickets::brought(&app, &headers, None), identity.session.profile))
}

/// What the authenticator has said.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct StepUpPasskeyBody {
    /// `PublicKeyCredential.toJSON()`.
    #[schema(value_type = Object)]
    credential: Assertion,
    #[schema(value_type = Option<String>)]
    login_token: Option<Secret<String>>,
}

/// Prove it by a passkey. The session gets new tokens.
#[utoipa::path(post, path = "/api/auth/step-up/passkey/finish", tag = "factors", request_body = StepUpPasskeyBody, responses(
    (status = 200, body = TokensView), (status = 401, description = "`passkey_invalid`, `passkey_unknown`, `login_expired`"),
))]
pub(in crate::http) async fn passkey_finish(
    State(app): State<Arc<App>>,
    caller: Caller,
    (headers, extensions): (HeaderMap, Extensions),
    JsonBody(body): JsonBody<StepUpPasskeyBody>,
) -> Result<Response, Problem> {
    let identity = signed_in(&app, &caller, body.login_token.as_ref(), (&headers, &extensions)).await?;
    let tickets = Tickets::brought(&app, &headers, body.login_token.as_ref());
    let ticket = tickets.require(is_step_up)?;
    let delivery = step_up::by_passkey(&app, identity, (ticket, &body.credential), &caller).await?;
    Ok(renewed(&app, &headers, &delivery))
}
