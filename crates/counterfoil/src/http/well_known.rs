//! `/.well-known/*`: the key set and the server's metadata, cacheable.

use super::oauth;
use crate::app::App;
use crate::config::KEY_SET_MAX_AGE;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use counterfoil_guard::Algorithm;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use std::sync::Arc;

/// How long verifiers may keep the key set ([`KEY_SET_MAX_AGE`]), and the metadata.
const MAX_AGE: &str = "public, max-age=300";
const _: () = assert!(KEY_SET_MAX_AGE.as_secs() == 300, "what a rotation waits for is what verifiers are told");

/// The key set (RFC 7517).
#[utoipa::path(get, path = "/.well-known/jwks.json", tag = "discovery", responses((status = 200), (status = 304)))]
pub(super) async fn jwks(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    cacheable(&headers, "application/jwk-set+json", app.keyring().jwks.clone())
}

/// The server's metadata (RFC 8414): only what is really there.
#[utoipa::path(get, path = "/.well-known/oauth-authorization-server", tag = "discovery", responses((status = 200), (status = 304)))]
pub(super) async fn metadata(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    let mut document = serde_json::json!({
        "issuer": app.public.issuer(),
        "jwks_uri": app.public.absolute("/.well-known/jwks.json"),
        "introspection_endpoint": app.public.absolute("/oauth/introspect"),
        "introspection_endpoint_auth_methods_supported": oauth::INTROSPECTION_METHODS,
        "revocation_endpoint": app.public.absolute("/oauth/revoke"),
        "revocation_endpoint_auth_methods_supported": oauth::REVOCATION_METHODS,
        "token_endpoint": app.public.absolute("/oauth/token"),
        "token_endpoint_auth_methods_supported": oauth::TOKEN_METHODS,
        "token_endpoint_auth_signing_alg_values_supported": Algorithm::ALL.map(Algorithm::name),
        "dpop_signing_alg_values_supported": Algorithm::ALL.map(Algorithm::name),
        "response_types_supported": [],
        "grant_types_supported": oauth::token::GRANTS,
        "acr_values_supported": ["aal1"],
        "service_documentation": "https://github.com/counterfoil/counterfoil",
    });
    if app.has_status_lists() {
        document["status_list_aggregation_endpoint"] = app.public.absolute("/status-lists").into();
    }
    if app.config.applications.values().any(|application| application.logout_url().is_some()) {
        document["backchannel_logout_supported"] = true.into();
        document["backchannel_logout_session_supported"] = true.into();
    }
    cacheable(&headers, "application/json", Bytes::from(document.to_string()))
}

pub(super) fn cacheable(request: &HeaderMap, content_type: &'static str, body: Bytes) -> Response {
    let etag = HeaderValue::from_str(&crate::app::etag(&body)).expect("base64url is ASCII");
    let cached = request.get(header::IF_NONE_MATCH) == Some(&etag);
    let caching = [
        (header::CACHE_CONTROL, HeaderValue::from_static(MAX_AGE)),
        (header::ETAG, etag),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
    ];
    if cached {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    (caching, [(header::CONTENT_TYPE, HeaderValue::from_static(content_type))], body).into_response()
}
