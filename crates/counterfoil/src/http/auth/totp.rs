//! `/api/auth/totp/…` and `/api/auth/recovery-codes…`: the authenticator app and the sheet of paper beside it.

use super::passkeys::{EnrolBody, no_content, profile_of_enroller, who};
use super::steps::{SignInAnswer, SignedInView, answer, exposed, more_answer, signed_in_answer};
use crate::app::App;
use crate::flow::authenticate::identify;
use crate::flow::factors::{self, Enrolled};
use crate::flow::second_step::{Typed, second_step};
use crate::flow::{Caller, enrol_totp};
use crate::http::csrf::NotForeign;
use crate::http::dpop;
use crate::http::extract::{JsonBody, Presented};
use crate::http::problem::Problem;
use crate::http::ticket::{Tickets, is_sign_in, is_totp_enrolment};
use crate::http::view::{json, with_cookies};
use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use counterfoil_core::Secret;
use http::{Extensions, HeaderMap, Method, StatusCode};
use qrcode::QrCode;
use qrcode::render::svg;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// A code: of the authenticator app, from a mail, or a recovery code.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct CodeBody {
    #[schema(value_type = String)]
    pub(super) code: Secret<String>,
    #[schema(value_type = Option<String>)]
    pub(super) login_token: Option<Secret<String>>,
}

/// Go on with a sign-in that asks for a code of the authenticator app. A code counts once.
#[utoipa::path(post, path = "/api/auth/totp/verify", tag = "sign-in", request_body = CodeBody, responses(
    (status = 200, body = SignInAnswer),
    (status = 401, description = "`invalid_code`, `login_expired`"), (status = 429, description = "`rate_limited`"),
))]
pub(in crate::http) async fn verify(
    State(app): State<Arc<App>>,
    caller: Caller,
    _: NotForeign,
    (headers, extensions): (HeaderMap, Extensions),
    JsonBody(body): JsonBody<CodeBody>,
) -> Result<Response, Problem> {
    go_on(&app, &caller, (&headers, &extensions), (Typed::Totp(body.code), body.login_token)).await
}

/// Go on with a sign-in by a recovery code, which counts once.
#[utoipa::path(post, path = "/api/auth/recovery-codes/verify", tag = "sign-in", request_body = CodeBody, responses(
    (status = 200, body = SignInAnswer),
    (status = 401, description = "`invalid_code`, `login_expired`"), (status = 429, description = "`rate_limited`"),
))]
pub(in crate::http) async fn verify_recovery_code(
    State(app): State<Arc<App>>,
    caller: Caller,
    _: NotForeign,
    (headers, extensions): (HeaderMap, Extensions),
    JsonBody(body): JsonBody<CodeBody>,
) -> Result<Response, Problem> {
    go_on(&app, &caller, (&headers, &extensions), (Typed::RecoveryCode(body.code), body.login_token)).await
}

async fn go_on(
    app: &App,
    caller: &Caller,
    (headers, extensions): (&HeaderMap, &Extensions),
    (typed, token): (Typed, Option<Secret<String>>),
) -> Result<Response, Problem> {
    let tickets = Tickets::to_finish(app, headers, token.as_ref())?;
    let ticket = tickets.require(is_sign_in)?;
    let outcome = second_step(app, ticket, &typed, dpop::proof(extensions)?.as_deref(), caller).await?;
    Ok(answer(app, headers, outcome, tickets))
}

/// What an authenticator app has to be told.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct OfferView {
    /// To be typed where there is no camera.
    secret: String,
    /// To be opened on the device that has the app.
    uri: String,
    /// The same as a picture: the address of an SVG image, dark on light.
    qr: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    login_token: Option<String>,
}

/// Begin to set up an authenticator app. Needs a fresh proof.
#[utoipa::path(post, path = "/api/auth/totp/enrol/start", tag = "factors", request_body = EnrolBody, responses(
    (status = 200, body = OfferView), (status = 401, description = "`reauthentication_required`, or as `GET /api/auth/me`"),
))]
pub(in crate::http) async fn enrol_start(
    State(app): State<Arc<App>>,
    caller: Caller,
    (headers, extensions): (HeaderMap, Extensions),
    JsonBody(body): JsonBody<EnrolBody>,
) -> Result<Response, Problem> {
    let (identity, tickets) = who(&app, &caller, (&headers, &extensions), (body.sign_in, &body.login_token)).await?;
    let offer = enrol_totp::begin(&app, identity.as_ref(), tickets.newest(is_sign_in)).await?;
    let out = tickets.hand_out(&app, &offer.ticket, profile_of_enroller(&app, identity.as_ref(), &body));
    let view = OfferView {
        qr: picture(&offer.address),
        secret: offer.secret.expose().clone(),
        uri: offer.address.expose().clone(),
        login_token: out.login_token.map(|token| token.expose().clone()),
    };
    Ok(with_cookies(json(StatusCode::OK, &view), out.cookie.into_iter().collect()))
}

/// Dark on light in every theme, with a margin: that is what cameras read.
fn picture(address: &Secret<String>) -> String {
    let code = QrCode::new(address.expose().as_bytes()).expect("an address is far shorter than the largest code");
    let mut drawing = code.render();
    drawing.min_dimensions(232, 232).dark_color(svg::Color("#111")).light_color(svg::Color("#fff"));
    format!("data:image/svg+xml;base64,{}", STANDARD.encode(drawing.build()))
}

/// The first code that the app shows.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct EnrolFinishBody {
    #[schema(value_type = String)]
    code: Secret<String>,
    #[serde(default)]
    sign_in: bool,
    #[schema(value_type = Option<String>)]
    login_token: Option<Secret<String>>,
}

/// Codes for the day when the app is lost. They are shown once.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct RecoveryCodesView {
    recovery_codes: Vec<String>,
}

/// What comes of setting an authenticator app up: codes, or a session where that was a step of a sign-in.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "for the contract, which has one answer for each status")]
pub(in crate::http) enum EnrolledAnswer {
    /// The recovery codes.
    Codes(RecoveryCodesView),
    /// A session.
    SignedIn(Box<SignedInView>),
}

/// Set the authenticator app up. The answer holds recovery codes if the account had none.
#[utoipa::path(post, path = "/api/auth/totp/enrol/finish", tag = "factors", request_body = EnrolFinishBody, responses(
    (status = 200, body = EnrolledAnswer),
    (status = 401, description = "`invalid_code`, `login_expired`, `reauthentication_required`"),
    (status = 422, description = "`clock_off`"),
))]
pub(in crate::http) async fn enrol_finish(
    State(app): State<Arc<App>>,
    caller: Caller,
    (headers, extensions): (HeaderMap, Extensions),
    JsonBody(body): JsonBody<EnrolFinishBody>,
) -> Result<Response, Problem> {
    let (identity, tickets) = who(&app, &caller, (&headers, &extensions), (body.sign_in, &body.login_token)).await?;
    let ticket = tickets.require(is_totp_enrolment)?;
    let proof = dpop::proof(&extensions)?;
    let by = (ticket, identity.as_ref());
    let (enrolled, codes) = enrol_totp::finish(&app, by, &body.code, proof.as_deref(), &caller).await?;
    Ok(match enrolled {
        Enrolled::Done => {
            let view = RecoveryCodesView { recovery_codes: exposed(&codes) };
            with_cookies(json(StatusCode::OK, &view), Tickets::clear(&app, &headers).into_iter().collect())
        }
        Enrolled::SignedIn(signed_in) => signed_in_answer(&app, &headers, &signed_in, &codes),
        Enrolled::More(more) => more_answer(&app, &more, tickets, &codes),
    })
}

/// Remove the authenticator app. Needs a fresh proof.
#[utoipa::path(delete, path = "/api/auth/totp", tag = "factors", responses(
    (status = 204), (status = 404), (status = 401, description = "`reauthentication_required`"),
))]
pub(in crate::http) async fn remove(
    State(app): State<Arc<App>>,
    caller: Caller,
    (headers, extensions): (HeaderMap, Extensions),
) -> Result<Response, Problem> {
    let presented = Presented::require(&app, &Method::DELETE, (&headers, &extensions))?;
    let identity = identify(&app, presented.credential(), &caller).await?;
    factors::remove_totp(&app, &identity, &caller).await?;
    Ok(no_content())
}

/// Make new recovery codes; the old ones count no more. Needs a fresh proof.
#[utoipa::path(post, path = "/api/auth/recovery-codes", tag = "factors", responses(
    (status = 200, body = RecoveryCodesView), (status = 401, description = "`reauthentication_required`"),
))]
pub(in crate::http) async fn make_recovery_codes(
    State(app): State<Arc<App>>,
    caller: Caller,
    (headers, extensions): (HeaderMap, Extensions),
) -> Result<Response, Problem> {
    let presented = Presented::require(&app, &Method::POST, (&headers, &extensions))?;
    let identity = identify(&app, presented.credential(), &caller).await?;
    let codes = factors::make_recovery_codes(&app, &identity, &caller).await?;
    Ok(json(StatusCode::OK, &RecoveryCodesView { recovery_codes: exposed(&codes) }))
}
