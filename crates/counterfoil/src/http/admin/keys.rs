//! `/api/admin/keys`, and `/api/admin/master-key` for whoever holds the data folder.

use super::{Reader, ended};
use crate::app::App;
use crate::data;
use crate::flow::administer::Administrator;
use crate::flow::keys::{self, RotateError};
use crate::http::extract::JsonBody;
use crate::http::problem::{Code, Problem};
use crate::http::receipt::{ReceiptView, WantsReceipt};
use crate::http::view::{json, rfc3339};
use axum::extract::{Path, State};
use axum::response::Response;
use counterfoil_core::keys::ring::{KeyState, StoredKey};
use counterfoil_core::keys::rotation::{Policy, TooEarly};
use counterfoil_core::{Kid, Secret, Timestamp};
use counterfoil_guard::Algorithm;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// A signing key.
#[derive(Serialize, ToSchema)]
struct KeyView<'a> {
    kid: &'a str,
    alg: &'static str,
    /// `next`, `active`, `retiring`, `retired` or `revoked`.
    state: &'static str,
    created_at: String,
    /// Since when it is in this state.
    since: String,
    /// When the state ends: `next` at the earliest, `active` as planned, `retiring` for sure.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    /// What hangs on it still, in words.
    carries: &'static str,
}

impl<'a> KeyView<'a> {
    fn of(key: &'a StoredKey, policy: Policy) -> Self {
        let (until, carries): (Option<Timestamp>, _) = match key.state {
            KeyState::Next => (Some(key.since.plus(policy.publish_ahead)), "nothing yet; verifiers learn it"),
            KeyState::Active => (Some(key.since.plus(policy.rotate_every)), "every token that is made"),
            KeyState::Retiring => (Some(key.since.plus(policy.longest_life)), "tokens made before"),
            KeyState::Retired => (None, "nothing"),
            KeyState::Revoked => (None, "nothing; what it signed is refused for ever"),
        };
        Self {
            kid: key.kid.as_str(),
            alg: key.algorithm.name(),
            state: key.state.as_str(),
            created_at: rfc3339(key.created_at),
            since: rfc3339(key.since),
            until: until.map(rfc3339),
            carries,
        }
    }
}

/// List the signing keys: where they are in their life, and what each still carries.
#[utoipa::path(get, path = "/api/admin/keys", tag = "admin", responses((status = 200)))]
pub(in crate::http) async fn list(_: Reader, State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let (keys, policy) = (app.store.signing_keys().await?, app.config.keys.policy());
    let views: Vec<KeyView<'_>> = keys.iter().map(|key| KeyView::of(key, policy)).collect();
    Ok(json(StatusCode::OK, &serde_json::json!({ "keys": views })))
}

/// Which key to rotate.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct RotateBody {
    /// Default: the configured one.
    alg: Option<String>,
}

/// Rotate a signing key now, unless verifiers do not all know the next one yet.
#[utoipa::path(post, path = "/api/admin/keys/rotate", tag = "admin", request_body = RotateBody,
    responses((status = 204), (status = 409, description = "`key_too_new`")))]
pub(in crate::http) async fn rotate(
    by: Administrator,
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody<RotateBody>,
) -> Result<StatusCode, Problem> {
    let unknown = || Problem::new(Code::Malformed).detail("`alg` must be an algorithm that the configuration uses");
    let algorithm = body.alg.map(|name| Algorithm::from_name(&name).ok_or_else(unknown)).transpose()?;
    match keys::rotate(&app, &by, algorithm).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(RotateError::NotInUse) => Err(unknown()),
        Err(RotateError::Store(error)) => Err(error.into()),
        Err(RotateError::TooEarly(TooEarly::NoNext)) => Err(Problem::new(Code::KeyTooNew)),
        Err(RotateError::TooEarly(TooEarly::NextAt(time))) => {
            let detail = format!("verifiers may not know it before {}; to end a key at once, revoke it", rfc3339(time));
            Err(Problem::new(Code::KeyTooNew).detail(detail))
        }
    }
}

/// Revoke a signing key: what it signed is refused for ever, and another one signs.
#[utoipa::path(post, path = "/api/admin/keys/{kid}/revoke", tag = "admin", params(("kid" = String, Path)),
    responses((status = 200, body = ReceiptView), (status = 204), (status = 404)))]
pub(in crate::http) async fn revoke(
    by: Administrator,
    State(app): State<Arc<App>>,
    wants: WantsReceipt,
    Path(kid): Path<String>,
) -> Result<Response, Problem> {
    let kid: Kid = kid.parse().map_err(|_| Problem::new(Code::NotFound))?;
    ended(&app, wants, keys::revoke_keys(&app, &by, Some(&kid)).await?).await
}

/// Revoke all published signing keys. Every access token there is is refused; sessions live on and refresh.
#[utoipa::path(post, path = "/api/admin/keys/revoke-all", tag = "admin",
    responses((status = 200, body = ReceiptView), (status = 204)))]
pub(in crate::http) async fn revoke_all(
    by: Administrator,
    State(app): State<Arc<App>>,
    wants: WantsReceipt,
) -> Result<Response, Problem> {
    ended(&app, wants, keys::revoke_keys(&app, &by, None).await?).await
}

/// The master key from now on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct MasterKeyBody {
    key: String,
}

/// Seals everything under another master key. Only through the control socket: whoever holds the data folder.
pub(in crate::http) async fn change_master(
    by: Administrator,
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody<MasterKeyBody>,
) -> Result<StatusCode, Problem> {
    let key = data::parse_key(&Secret::new(body.key));
    let key = key.ok_or_else(|| Problem::new(Code::Malformed).detail("`key` must be 32 bytes in base64url"))?;
    keys::reseal(&app, &by, key).await?;
    Ok(StatusCode::NO_CONTENT)
}
