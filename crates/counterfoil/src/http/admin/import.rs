//! `/api/admin/users/import`.

use crate::app::App;
use crate::flow::administer::Administrator;
use crate::flow::import::{MAX_BATCH, Mode, import};
use crate::http::extract::JsonBody;
use crate::http::problem::{Code, Problem};
use crate::http::view::json;
use axum::extract::State;
use axum::response::Response;
use counterfoil_core::import::Row;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// The most a batch may have: 2 KiB for each of its accounts, twice what one needs.
const MAX_BODY: usize = 1024 * 1024;

/// Accounts from another system.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct ImportBody {
    /// At most 500.
    accounts: Vec<AccountBody>,
    /// Only say what would come of it.
    #[serde(default)]
    dry_run: bool,
}

/// One of them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct AccountBody {
    email: String,
    name: Option<String>,
    #[serde(default)]
    roles: Vec<String>,
    /// RFC 3339; now, if nothing is said.
    created_at: Option<String>,
    #[serde(default)]
    banned: bool,
    /// bcrypt, scrypt, PBKDF2 or Argon2 as PHC strings and their like; without it nobody signs in with a password.
    password_hash: Option<String>,
    /// What the other system calls it, so that its tokens are understood while they are turned into sessions (`[legacy.NAME]`).
    external_id: Option<String>,
}

impl From<AccountBody> for Row {
    fn from(body: AccountBody) -> Self {
        let AccountBody { email, name, roles, created_at, banned, password_hash, external_id } = body;
        Self { email, name, roles, created_at, banned, password_hash, external_id }
    }
}

/// What came of it.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ImportView {
    /// How many are there now, or would be.
    imported: usize,
    /// How many of those have no password.
    without_password: usize,
    /// How many have an address that was taken; they were left as they are.
    already_there: usize,
    /// Which were not taken.
    refused: Vec<RefusedView>,
}

/// An account that was not taken.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct RefusedView {
    /// Its place in the batch, from 0.
    index: usize,
    /// Why.
    why: String,
}

/// Take over accounts with the hashes of their passwords. What is wrong with one does not keep the others out; an address that is
/// taken is left alone.
#[utoipa::path(post, path = "/api/admin/users/import", tag = "admin", request_body = ImportBody, responses(
    (status = 200, body = ImportView), (status = 400, description = "`malformed`"), (status = 403),
    (status = 413, description = "`too_large`: more than 1 MiB"),
))]
pub(in crate::http) async fn post(
    by: Administrator,
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody<ImportBody, MAX_BODY>,
) -> Result<Response, Problem> {
    if body.accounts.len() > MAX_BATCH {
        return Err(Problem::new(Code::Malformed).detail(format!("`accounts` may have {MAX_BATCH} members")));
    }
    let mode = if body.dry_run { Mode::DryRun } else { Mode::Write };
    let done = import(&app, &by, body.accounts.into_iter().map(Row::from).collect(), mode).await?;
    let refused = done.refused.into_iter().map(|(index, wrong)| RefusedView { index, why: wrong.to_string() });
    let view = ImportView {
        imported: done.done,
        without_password: done.without_password,
        already_there: done.already_there,
        refused: refused.collect(),
    };
    Ok(json(StatusCode::OK, &view))
}
