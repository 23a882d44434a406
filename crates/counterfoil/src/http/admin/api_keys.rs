//! `/api/admin/api-keys`.

use super::{Reader, done};
use crate::app::App;
use crate::flow::administer::Administrator;
use crate::flow::api_keys::{self, AddKeyError, LIFE, LONGEST_LIFE};
use crate::flow::guards::is_name;
use crate::http::extract::JsonBody;
use crate::http::problem::{Code, Problem};
use crate::http::view::{json, rfc3339};
use crate::store::api_keys::ApiKey;
use axum::extract::{Path, State};
use axum::response::Response;
use counterfoil_core::duty::Duty;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use utoipa::ToSchema;

/// An API key to be made.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct ApiKeyBody {
    /// 1 to 64 letters, digits, dots, dashes and underscores.
    name: String,
    /// What it may do: `admin`, `support` or `auditor`.
    role: String,
    /// Seconds it counts; 90 days if not given, 366 days at the most.
    valid_for: Option<u64>,
}

/// An API key as it is listed. The key itself was shown once.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ApiKeyView {
    name: String,
    /// What the audit log calls it, beside `api_key`.
    id: String,
    role: &'static str,
    /// The account that made it, if one did. It counts as long as that account administers.
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    created_at: String,
    expires_at: String,
    /// To the hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    used_at: Option<String>,
}

impl From<ApiKey> for ApiKeyView {
    fn from(key: ApiKey) -> Self {
        Self {
            name: key.name,
            id: key.id.to_string(),
            role: key.duty.role(),
            issuer: key.issuer.map(|issuer| issuer.to_string()),
            created_at: rfc3339(key.created_at),
            expires_at: rfc3339(key.expires_at),
            used_at: key.used_at.map(rfc3339),
        }
    }
}

/// All of them.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ApiKeysView {
    api_keys: Vec<ApiKeyView>,
}

/// Make an API key of the administration; it is shown once.
#[utoipa::path(post, path = "/api/admin/api-keys", tag = "admin", request_body = ApiKeyBody, responses(
    (status = 201, description = "`name`, `api_key` and `expires_at`"), (status = 400, description = "`malformed`"),
    (status = 403, description = "`forbidden`: an API key makes no API keys"), (status = 409, description = "`name_taken`"),
))]
pub(in crate::http) async fn create(
    by: Administrator,
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody<ApiKeyBody>,
) -> Result<Response, Problem> {
    let malformed = |detail| Problem::new(Code::Malformed).detail(detail);
    if !is_name(&body.name) {
        return Err(malformed("`name` must be 1 to 64 letters, digits, dots, dashes and underscores"));
    }
    let duty = Duty::of_role(&body.role).ok_or_else(|| malformed("`role` must be admin, support or auditor"))?;
    let life = body.valid_for.map_or(LIFE, Duration::from_secs);
    if !(Duration::from_mins(1)..=LONGEST_LIFE).contains(&life) {
        return Err(malformed("`valid_for` must be 60 seconds to 366 days (31622400)"));
    }
    let key = api_keys::add(&app, &by, (&body.name, duty), life).await?;
    let expires_at = rfc3339(app.clock.now().plus(life));
    let made = serde_json::json!({ "name": body.name, "api_key": key.expose(), "expires_at": expires_at });
    Ok(json(StatusCode::CREATED, &made))
}

impl From<AddKeyError> for Problem {
    fn from(error: AddKeyError) -> Self {
        match error {
            AddKeyError::NameTaken => Self::new(Code::NameTaken),
            AddKeyError::ByKey => Self::new(Code::Forbidden).detail("an API key cannot make API keys"),
            AddKeyError::Store(error) => error.into(),
        }
    }
}

/// List the API keys, also those whose time is over.
#[utoipa::path(get, path = "/api/admin/api-keys", tag = "admin",
    responses((status = 200, body = ApiKeysView)))]
pub(in crate::http) async fn list(_: Reader, State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let api_keys = app.store.api_keys().await?.into_iter().map(ApiKeyView::from).collect();
    Ok(json(StatusCode::OK, &ApiKeysView { api_keys }))
}

/// Take an API key back, and the invitations that it has made. It counts no more from the next request on.
#[utoipa::path(delete, path = "/api/admin/api-keys/{name}", tag = "admin", params(("name" = String, Path)),
    responses((status = 204), (status = 404)))]
pub(in crate::http) async fn remove(
    by: Administrator,
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    done(api_keys::remove(&app, &by, &name).await?)
}
