//! `POST /oauth/introspect` (RFC 7662).

use super::client;
use super::error::{OAuthError, OAuthErrorView, Tried};
use super::form::Form;
use crate::app::App;
use crate::flow::introspect::{Introspection, Kind, Live, introspect};
use crate::http::problem::Code;
use crate::http::view::json;
use axum::extract::{Request, State};
use axum::response::Response;
use counterfoil_core::Timestamp;
use counterfoil_core::session::Session;
use counterfoil_core::user::{Role, User};
use counterfoil_guard::{Claims, Refusal, base64url_encode};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// What is asked.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "for the contract; the form is read by its own, stricter reader")]
pub(in crate::http) struct IntrospectForm {
    /// An access, session or refresh token, at most 4096 bytes.
    token: String,
    /// Accepted; the token itself says what it is.
    token_type_hint: Option<String>,
}

/// What a token is worth. Of a token that is not active it says only that, and why if it is one of ours. Nothing personal.
#[derive(Default, Serialize, ToSchema)]
pub(in crate::http) struct IntrospectionView {
    active: bool,
    /// Not active, but once issued here: `token_expired`, `session_revoked`, `token_stale`, `refresh_superseded`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(flatten)]
    claims: Option<ClaimsView>,
}

/// What an active token says, or would say if it were an access token.
#[derive(Serialize, ToSchema)]
struct ClaimsView {
    iss: String,
    sub: String,
    aud: String,
    client_id: String,
    /// Seconds since the epoch. Of a refresh or session token: when its session ends if it is not used.
    exp: i64,
    iat: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    sid: String,
    /// `aal1` or `aal2` (RFC 9470). Nothing of a service.
    #[serde(skip_serializing_if = "String::is_empty")]
    acr: String,
    /// RFC 8176.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    amr: Vec<String>,
    /// When the user last proved themselves. Nothing of a service.
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    roles: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    /// Who acts for the subject (RFC 8693 section 4.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    act: Option<counterfoil_guard::Actor>,
    /// The key it is bound to (RFC 9449 section 6.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    cnf: Option<serde_json::Value>,
    /// `Bearer` or `DPoP`, `session_token`, `refresh_token`. Only the first two belong in a call of an API (INT-2).
    token_type: &'static str,
}

/// Ask what a token is worth, exactly now. Changes nothing.
#[utoipa::path(post, path = "/oauth/introspect", tag = "oauth",
    request_body(content = IntrospectForm, content_type = "application/x-www-form-urlencoded"), responses(
    (status = 200, body = IntrospectionView),
    (status = 400, body = OAuthErrorView, description = "`invalid_request`"),
    (status = 401, body = OAuthErrorView, description = "`invalid_client`: a guard's credential is needed"),
    (status = 413, body = OAuthErrorView, description = "`invalid_request`"),
    (status = 503, body = OAuthErrorView, description = "`temporarily_unavailable`"),
))]
pub(in crate::http) async fn post(State(app): State<Arc<App>>, request: Request) -> Result<Response, OAuthError> {
    let guard = client::guard(&app, request.headers())?;
    if guard.is_none() {
        return Err(OAuthError::invalid_client(Tried::Nothing));
    }
    let form = Form::read(request).await?;
    client::refuse_credential_in_body(&form, guard.as_ref())?;
    let said = introspect(&app, form.token()?).await?;
    let active = matches!(said, Introspection::Active(_));
    metrics::counter!("counterfoil_introspections_total", "active" => active.to_string()).increment(1);
    Ok(json(StatusCode::OK, &IntrospectionView::of(&app, &said)))
}

impl IntrospectionView {
    fn of(app: &App, said: &Introspection) -> Self {
        match said {
            Introspection::Active(live) => Self { active: true, reason: None, claims: ClaimsView::of(app, live) },
            // The signature was right: whoever holds the token may know. Of all others nothing is said, not even that.
            Introspection::Refused(refusal @ (Refusal::Expired | Refusal::Revoked | Refusal::Stale)) => {
                Self { reason: Some(refusal.code()), ..Self::default() }
            }
            Introspection::Refused(_) => Self::default(),
            Introspection::Spent => Self { reason: Some(Code::RefreshSuperseded.as_str()), ..Self::default() },
        }
    }
}

impl ClaimsView {
    fn of(app: &App, live: &Live) -> Option<Self> {
        match live {
            Live::OfSession { kind: Kind::Access(verified), .. } | Live::OfClient(verified) => {
                Some(Self::of_access(&verified.claims))
            }
            // A session token is as old as its handle, which is new at every proof; a refresh token as its generation.
            Live::OfSession { kind: Kind::Session, session, user } => {
                Self::of_session(app, (session, user), (session.auth_time, "session_token"))
            }
            Live::OfSession { kind: Kind::Refresh(_), session, user } => {
                Self::of_session(app, (session, user), (session.rotation.handed_at, "refresh_token"))
            }
        }
    }

    fn of_access(claims: &Claims) -> Self {
        Self {
            iss: claims.iss.clone(),
            sub: claims.sub.to_string(),
            aud: claims.aud.clone(),
            client_id: claims.client_id.clone(),
            exp: claims.exp,
            iat: claims.iat,
            nbf: claims.nbf,
            jti: Some(claims.jti.to_string()),
            sid: claims.sid.to_string(),
            acr: claims.acr.clone(),
            amr: claims.amr.clone(),
            auth_time: claims.sub.user().map(|_| claims.auth_time),
            roles: claims.roles.clone(),
            scope: claims.scope.clone(),
            act: claims.act.clone(),
            cnf: claims.bound_to.map(|key| serde_json::json!({ "jkt": base64url_encode(&key) })),
            token_type: if claims.bound_to.is_some() { "DPoP" } else { "Bearer" },
        }
    }

    /// What an access token minted now would say, of a token that says nothing itself.
    fn of_session(
        app: &App,
        (session, user): (&Session, &User),
        (issued, token_type): (Timestamp, &'static str),
    ) -> Option<Self> {
        let mint = &app.applications.get(&session.application)?.mint;
        let roles = if mint.with_roles { user.roles.as_slice() } else { &[] };
        Some(Self {
            iss: mint.issuer.clone(),
            sub: session.user.to_string(),
            aud: mint.audience.clone(),
            client_id: session.application.clone(),
            exp: session.ends_unused_at().as_seconds(),
            iat: issued.as_seconds(),
            nbf: None,
            jti: None,
            sid: session.sid.to_string(),
            acr: session.acr.as_str().to_owned(),
            amr: session.amr.clone(),
            auth_time: Some(session.auth_time.as_seconds()),
            roles: roles.iter().map(Role::as_str).map(str::to_owned).collect(),
            scope: None,
            act: None,
            cnf: None,
            token_type,
        })
    }
}
