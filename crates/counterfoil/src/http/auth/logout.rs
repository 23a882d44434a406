//! `POST /api/auth/logout` and `POST /api/auth/logout-all`.

use crate::app::App;
use crate::flow::Caller;
use crate::flow::authenticate::{Credential, Ending, session_to_end};
use crate::flow::sign_out::{sign_out, sign_out_everywhere};
use crate::http::cookie::{self, ACCESS, SESSION};
use crate::http::csrf;
use crate::http::dpop;
use crate::http::extract::{Scheme, authorization};
use crate::http::problem::Problem;
use crate::http::receipt::{self, ReceiptView, WantsReceipt};
use crate::http::view::with_cookies;
use axum::extract::State;
use axum::response::Response;
use counterfoil_core::Sid;
use http::{Extensions, HeaderMap, header};
use std::sync::Arc;

/// Sign out here, by access or session token; an expired one will do. Fine to repeat, and without a token.
#[utoipa::path(post, path = "/api/auth/logout", tag = "session", responses(
    (status = 200, body = ReceiptView), (status = 204),
    (status = 401, description = "`token_invalid`: the key of the access token was revoked a while ago; refresh, and try again"), (status = 403, description = "`cross_site`"),
))]
pub(in crate::http) async fn post(
    State(app): State<Arc<App>>,
    caller: Caller,
    wants: WantsReceipt,
    headers: HeaderMap,
    extensions: Extensions,
) -> Result<Response, Problem> {
    let mut seq = 0;
    for sid in named_sessions(&app, &headers, &extensions, Ending::One).await? {
        seq = sign_out(&app, sid, &caller).await?.seq.max(seq);
    }
    Ok(signed_out(&app, wants, seq).await)
}

/// Sign out on every device, this one included.
#[utoipa::path(post, path = "/api/auth/logout-all", tag = "session", responses(
    (status = 200, body = ReceiptView), (status = 204),
    (status = 401, description = "`token_invalid`: the key of the access token has been revoked; refresh, and try again"), (status = 403, description = "`cross_site`"),
))]
pub(in crate::http) async fn post_all(
    State(app): State<Arc<App>>,
    caller: Caller,
    wants: WantsReceipt,
    headers: HeaderMap,
    extensions: Extensions,
) -> Result<Response, Problem> {
    let mut seq = 0;
    for sid in named_sessions(&app, &headers, &extensions, Ending::Everywhere).await? {
        seq = sign_out_everywhere(&app, sid, &caller).await?.seq.max(seq);
    }
    Ok(signed_out(&app, wants, seq).await)
}

/// C1 unless the request rests on an Authorization header alone; then every session that any of its credentials names. All
/// cookies are about to be cleared, so none of their sessions may live on.
async fn named_sessions(
    app: &App,
    headers: &HeaderMap,
    extensions: &Extensions,
    ending: Ending,
) -> Result<Vec<Sid>, Problem> {
    let (access, session) = (ACCESS.read(headers), SESSION.read(headers));
    if !access.is_empty() || !session.is_empty() || !headers.contains_key(header::AUTHORIZATION) {
        csrf::require(app, headers)?;
    }
    let bearer = match authorization(headers)? {
        None => None,
        Some((Scheme::Bearer, token)) => Some(Credential::bearer(token)),
        Some((Scheme::Dpop, token)) => Some(Credential::Bound(token, dpop::beside_token(extensions)?)),
    };
    let cookies = access.into_iter().map(Credential::Access).chain(session.into_iter().map(Credential::Session));
    let mut named = Vec::new();
    for credential in cookies.chain(bearer) {
        named.extend(session_to_end(app, credential, ending).await?);
    }
    Ok(named)
}

async fn signed_out(app: &App, wants: WantsReceipt, seq: u64) -> Response {
    with_cookies(receipt::done(app, wants, seq).await, cookie::clear_all(&app.config.session))
}
