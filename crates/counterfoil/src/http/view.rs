//! Accounts, sessions and deliveries as JSON.

use super::cookie;
use crate::clock::on_the_system;
use crate::config::SessionConfig;
use crate::flow::deliver::Delivery;
use crate::risk::Risk;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use counterfoil_core::Timestamp;
use counterfoil_core::session::{Binding, Session};
use counterfoil_core::user::{Role, User};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

/// A time as RFC 3339 in UTC.
pub(super) fn rfc3339(time: Timestamp) -> String {
    humantime::format_rfc3339_seconds(on_the_system(time)).to_string()
}

/// The same, with milliseconds.
pub(super) fn rfc3339_millis(time: Timestamp) -> String {
    humantime::format_rfc3339_millis(on_the_system(time)).to_string()
}

/// An account.
#[derive(Serialize, ToSchema)]
pub(super) struct UserView {
    /// 16 bytes, base64url.
    id: String,
    email: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    roles: Vec<String>,
    /// RFC 3339, UTC.
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    banned: Option<BanView>,
}

/// A ban.
#[derive(Serialize, ToSchema)]
pub(super) struct BanView {
    at: String,
    /// When it ends by itself, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    reason: String,
}

impl From<&User> for UserView {
    /// As its owner may see it: why they were banned once is for support.
    fn from(user: &User) -> Self {
        Self { banned: None, ..Self::for_admin(user) }
    }
}

impl UserView {
    pub(super) fn for_admin(user: &User) -> Self {
        Self {
            id: user.id.to_string(),
            email: user.email.as_str().to_owned(),
            name: user.name.clone(),
            roles: user.roles.iter().map(Role::as_str).map(str::to_owned).collect(),
            created_at: rfc3339(user.created_at),
            banned: user.banned.as_ref().map(|ban| BanView {
                at: rfc3339(ban.at),
                until: ban.until.map(rfc3339),
                reason: ban.reason.clone(),
            }),
        }
    }
}

/// A session.
#[derive(Serialize, ToSchema)]
pub(super) struct SessionView {
    /// 16 bytes, base64url.
    id: String,
    application: String,
    /// RFC 3339, UTC.
    created_at: String,
    last_seen_at: String,
    /// When it ends if it is not used again.
    expires_at: String,
    /// `aal1` or `aal2`.
    acr: &'static str,
    /// RFC 8176.
    amr: Vec<String>,
    device: String,
    /// The network of last use.
    network: String,
    /// The city and country of that network, where the server has a file that knows them; in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    /// Which kind of key it is bound to, if any: `device` (a browser's) or `dpop`.
    #[serde(skip_serializing_if = "Option::is_none")]
    bound: Option<&'static str>,
    /// When a copy of it was last used without that key, and refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    copy_refused_at: Option<String>,
    /// Whether the request was made with this session.
    current: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
}

impl SessionView {
    pub(super) fn of(session: &Session, current: bool) -> Self {
        Self {
            id: session.sid.to_string(),
            application: session.application.clone(),
            created_at: rfc3339(session.created_at),
            last_seen_at: rfc3339(session.last_seen_at),
            expires_at: rfc3339(session.ends_unused_at()),
            acr: session.acr.as_str(),
            amr: session.amr.clone(),
            device: session.device.clone(),
            network: session.network.clone(),
            place: None,
            bound: match session.binding {
                Binding::None | Binding::Registered(_) => None,
                Binding::Dpop(_) => Some("dpop"),
                Binding::Device(_) => Some("device"),
            },
            copy_refused_at: session.copy_refused_at.map(rfc3339),
            current,
            ended_at: None,
            reason: None,
        }
    }

    /// With the place of its network, if that is known.
    pub(super) fn placed(self, risk: &Risk) -> Self {
        let place = risk.place(&self.network);
        Self { place, ..self }
    }

    /// A session that is over, with when and why.
    pub(super) fn ended(session: &Session, now: Timestamp) -> Self {
        let at = session.ended.map_or(session.ends_unused_at(), |ended| ended.at);
        let reason = session.end_reason(now).map(counterfoil_core::session::EndReason::as_str);
        Self { ended_at: Some(rfc3339(at)), reason, ..Self::of(session, false) }
    }
}

/// Who is signed in, and in which session.
#[derive(Serialize, ToSchema)]
pub(super) struct MeView {
    user: UserView,
    session: SessionView,
}

impl MeView {
    pub(super) fn of(session: &Session, user: &User) -> Self {
        Self { user: user.into(), session: SessionView::of(session, true) }
    }

    pub(super) fn bytes(session: &Session, user: &User) -> Bytes {
        Bytes::from(serde_json::to_vec(&Self::of(session, user)).expect("strings always serialise"))
    }
}

/// The tokens of a delivery that stand in the body.
#[derive(Serialize, ToSchema)]
pub(super) struct TokensView {
    /// Seconds the access token lives (`opaque`: the idle time).
    expires_in: i64,
    /// In the profiles `hybrid` and `native`.
    #[serde(skip_serializing_if = "Option::is_none")]
    access_token: Option<String>,
    /// In the profile `native`.
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
}

impl TokensView {
    pub(super) fn of(delivery: &Delivery) -> Self {
        let native = delivery.profile == counterfoil_core::profile::Profile::Native;
        let access_in_body = delivery.profile.access_in_body();
        Self {
            expires_in: delivery.expires_in,
            access_token: delivery.access.as_ref().filter(|_| access_in_body).map(|access| access.token.clone()),
            refresh_token: delivery.refresh.as_ref().filter(|_| native).map(|token| token.expose().clone()),
            token_type: access_in_body.then_some(if delivery.bound { "DPoP" } else { "Bearer" }),
        }
    }
}

/// A JSON answer.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let body = serde_json::to_vec(body).expect("strings and numbers always serialise");
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response()
}

/// A delivery as an answer: tokens where the profile puts them, cookies and body.
pub(super) fn deliver(body: &impl Serialize, delivery: &Delivery, config: &SessionConfig) -> Response {
    with_cookies(json(StatusCode::OK, body), cookie::of_delivery(delivery, config))
}

/// Adds `Set-Cookie` values.
pub(super) fn with_cookies(mut response: Response, cookies: Vec<HeaderValue>) -> Response {
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}
