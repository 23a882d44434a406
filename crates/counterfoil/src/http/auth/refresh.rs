//! `POST` and `DELETE /api/auth/refresh`: rotate, and sign out by the refresh token.

use crate::app::App;
use crate::flow::Caller;
use crate::flow::authenticate::{AuthenticateError, Credential, Ending, session_to_end};
use crate::flow::refresh::{RefreshError, Via, refresh};
use crate::flow::sign_out::{session_of_refresh_token, sign_out};
use crate::http::cookie::{self, ACCESS, DEVICE, REFRESH, SESSION};
use crate::http::csrf;
use crate::http::dpop;
use crate::http::extract::{MAX_BODY, is_json, parse_json, read_body};
use crate::http::problem::{Code, Problem};
use crate::http::receipt::{self, ReceiptView, WantsReceipt};
use crate::http::ticket::Tickets;
use crate::http::view::{TokensView, deliver, with_cookies};
use axum::extract::{Request, State};
use axum::response::Response;
use counterfoil_core::{Secret, Sid};
use http::{HeaderMap, HeaderValue};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// The body of a `native` client. Browsers send none.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct RefreshBody {
    #[schema(value_type = Option<String>)]
    refresh_token: Option<Secret<String>>,
}

/// Trade a refresh token for an access token and, as a rule, a new refresh token.
#[utoipa::path(post, path = "/api/auth/refresh", tag = "session", request_body(content = Option<RefreshBody>), responses(
    (status = 200, body = TokensView),
    (status = 400, description = "`malformed`, `invalid_dpop_proof`, `use_dpop_nonce`"),
    (status = 401, description = "`refresh_missing`, `refresh_invalid` (with `reason`), `refresh_reuse`, `proof_required`; `reauthentication_required`: the session goes on after a step-up by one of `options`, for which a ticket comes along"),
    (status = 403, description = "`cross_site`"),
    (status = 409, description = "`refresh_superseded`: try once more"),
    (status = 503, description = "`overloaded`: nothing is lost, try again"),
))]
pub(in crate::http) async fn post(
    State(app): State<Arc<App>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let headers = request.headers().clone();
    let proof = dpop::proof(request.extensions())?;
    if let Some(token) = body_token(&app, request).await? {
        let delivery = refresh(&app, token.expose(), Via::Body(proof), caller).await;
        let delivery = delivery.map_err(|error| refused(&app, &headers, error))?;
        return Ok(deliver(&TokensView::of(&delivery), &delivery, &app.config.session));
    }
    csrf::require(&app, &headers)?;
    let (token, healing) = cookie_token(&app, &headers)?;
    let devices = DEVICE.read(&headers).into_iter().map(str::to_owned).collect();
    match refresh(&app, &token, Via::Cookie(devices), caller).await {
        Ok(delivery) => {
            let response = deliver(&TokensView::of(&delivery), &delivery, &app.config.session);
            Ok(with_cookies(response, healing))
        }
        // Cookies are cleared by reuse and by sign-out, never by any other failure.
        Err(RefreshError::Reuse) => {
            Err(Problem::from(RefreshError::Reuse).cookies(cookie::clear_all(&app.config.session)))
        }
        Err(error) => Err(refused(&app, &headers, error).cookies(healing)),
    }
}

/// What is refused until a proof has been given comes with a ticket for it: the client may have no access token any more.
fn refused(app: &App, headers: &HeaderMap, error: RefreshError) -> Problem {
    let RefreshError::Reauthenticate(asks) = &error else { return error.into() };
    let out = Tickets::brought(app, headers, None).hand_out(app, &asks.ticket, asks.profile);
    let options = asks.ways.iter().map(|way| way.as_str()).collect();
    Problem::from(error).proof(options, out.login_token).cookies(out.cookie)
}

/// Sign out by the refresh token, and by the access or session token whose cookie comes along. Repeating it, or doing it without any, is fine.
#[utoipa::path(delete, path = "/api/auth/refresh", tag = "session", responses(
    (status = 200, body = ReceiptView), (status = 204), (status = 403, description = "`cross_site`"),
))]
pub(in crate::http) async fn delete(
    State(app): State<Arc<App>>,
    caller: Caller,
    wants: WantsReceipt,
    request: Request,
) -> Result<Response, Problem> {
    let headers = request.headers().clone();
    if let Some(token) = body_token(&app, request).await? {
        let seq = end(&app, token.expose(), &caller).await?;
        return Ok(receipt::done(&app, wants, seq).await);
    }
    csrf::require(&app, &headers)?;
    let mut seq = 0;
    for token in REFRESH.read(&headers) {
        seq = end(&app, token, &caller).await?.max(seq);
    }
    // All cookies are about to be cleared: what the others name must not live on because this one has got lost, or is an old one.
    for sid in named_by_others(&app, &headers).await? {
        seq = sign_out(&app, sid, &caller).await?.seq.max(seq);
    }
    Ok(with_cookies(receipt::done(&app, wants, seq).await, cookie::clear_all(&app.config.session)))
}

/// The sessions of an access or session cookie. One that is of no use any more names none: there may be nothing to refresh it by.
async fn named_by_others(app: &App, headers: &HeaderMap) -> Result<Vec<Sid>, Problem> {
    let access = ACCESS.read(headers).into_iter().map(Credential::Access);
    let mut named = Vec::new();
    for credential in access.chain(SESSION.read(headers).into_iter().map(Credential::Session)) {
        match session_to_end(app, credential, Ending::One).await {
            Ok(sid) => named.extend(sid),
            Err(error @ AuthenticateError::Store(_)) => return Err(error.into()),
            Err(_) => {}
        }
    }
    Ok(named)
}

async fn end(app: &App, token: &str, caller: &Caller) -> Result<u64, Problem> {
    Ok(match session_of_refresh_token(app, token).await? {
        Some(sid) => sign_out(app, sid, caller).await?.seq,
        None => 0,
    })
}

/// The token of a JSON body, if there is a body at all. Only JSON can come from a `native` client; anything else is a browser's
/// and must pass C1 before its body is looked at.
async fn body_token(app: &App, request: Request) -> Result<Option<Secret<String>>, Problem> {
    let json = is_json(request.headers());
    if !json {
        csrf::require(app, request.headers())?;
    }
    let bytes = read_body::<MAX_BODY>(request).await?;
    if bytes.expose().is_empty() {
        return Ok(None);
    }
    if !json {
        return Err(Problem::new(Code::UnsupportedMediaType).detail("a body here must be application/json"));
    }
    parse_json::<RefreshBody>(bytes.expose()).map(|body| body.refresh_token)
}

/// The cookie's token. Of several, the one that is ours counts; if two are, it would be a guess: 401, and all expire.
fn cookie_token(app: &App, headers: &HeaderMap) -> Result<(String, Vec<HeaderValue>), Problem> {
    let values = REFRESH.read(headers);
    if let [only] = values.as_slice() {
        return Ok(((*only).to_owned(), Vec::new()));
    }
    let mut ours = values.iter().filter(|value| app.tokens.parse_refresh(value).is_ok());
    match (ours.next(), ours.next()) {
        (Some(token), None) => Ok(((*token).to_owned(), REFRESH.clear_strays(app))),
        (None, _) if values.is_empty() => Err(Problem::new(Code::RefreshMissing)),
        (None, _) => Err(Problem::from(RefreshError::Invalid(None))),
        (Some(_), Some(_)) => {
            let expired = REFRESH.clear_strays(app).into_iter().chain([REFRESH.clear(&app.config.session)]);
            Err(Problem::from(RefreshError::Invalid(None))
                .detail("two cookies of one name both verify")
                .cookies(expired))
        }
    }
}
