//! `/api/admin/users`.

use super::audit::parse_time;
use super::{Reader, Supporter, done, ended, user_id};
use crate::app::App;
use crate::flow::administer::{self, Administrator};
use crate::flow::delete_account::delete_as;
use crate::flow::login::FAILURES_THAT_LOCK;
use crate::flow::register::{Registration, create as create_account};
use crate::flow::reset_factors::reset_factors;
use crate::http::extract::{JsonBody, Params};
use crate::http::problem::{Code, Problem};
use crate::http::receipt::{ReceiptView, WantsReceipt};
use crate::http::view::{UserView, json, rfc3339};
use axum::extract::{Path, State};
use axum::response::Response;
use counterfoil_core::Secret;
use counterfoil_core::credential::stored::NO_PASSWORD;
use counterfoil_core::user::{Email, Role};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// Which accounts.
#[derive(Deserialize)]
pub(in crate::http) struct ListQuery {
    email: Option<String>,
    q: Option<String>,
    after: Option<String>,
    limit: Option<u32>,
}

/// Accounts.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct UsersView {
    users: Vec<UserView>,
}

/// List accounts in order of id, from after `after`; or those whose address begins with `q`, in order of their address, from after the
/// address `after`; or the one with `email`.
#[utoipa::path(get, path = "/api/admin/users", tag = "admin", params(
    ("email" = Option<String>, Query), ("q" = Option<String>, Query), ("after" = Option<String>, Query), ("limit" = Option<u32>, Query),
), responses((status = 200, body = UsersView), (status = 403)))]
pub(in crate::http) async fn list(
    _: Reader,
    State(app): State<Arc<App>>,
    Params(query): Params<ListQuery>,
) -> Result<Response, Problem> {
    let limit = query.limit.unwrap_or(100).clamp(1, 1000);
    let users = if let Some(email) = query.email {
        let found = match Email::parse(&email) {
            Some(email) => app.store.credential(&email.key()).await?,
            None => None,
        };
        found.into_iter().map(|credential| credential.user).collect()
    } else if let Some(prefix) = query.q.filter(|prefix| !prefix.is_empty()) {
        let after = query.after.map(|after| after.to_ascii_lowercase());
        app.store.users_by_address(&prefix.to_ascii_lowercase(), after.as_deref(), limit).await?
    } else {
        let after = query.after.as_deref().map(user_id).transpose()?;
        app.store.users(after, limit).await?
    };
    Ok(json(StatusCode::OK, &UsersView { users: users.iter().map(UserView::for_admin).collect() }))
}

/// An account, and how it can sign in.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct OneView {
    user: UserView,
    /// Whether it has a password.
    password: bool,
    /// Whether too many failures in a row have locked it.
    locked: bool,
    passkeys: usize,
    /// Since when it has an authenticator app.
    #[serde(skip_serializing_if = "Option::is_none")]
    totp_since: Option<String>,
    recovery_codes: u32,
}

/// One account.
#[utoipa::path(get, path = "/api/admin/users/{id}", tag = "admin", params(("id" = String, Path)),
    responses((status = 200, body = OneView), (status = 404)))]
pub(in crate::http) async fn one(
    _: Reader,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let found = app.store.factors(user_id(&id)?).await?.ok_or_else(|| Problem::new(Code::NotFound))?;
    let view = OneView {
        user: UserView::for_admin(&found.credential.user),
        password: found.credential.hash != NO_PASSWORD,
        locked: found.credential.failures >= FAILURES_THAT_LOCK,
        passkeys: found.passkeys.len(),
        totp_since: found.totp.as_ref().map(|totp| rfc3339(totp.created_at)),
        recovery_codes: found.recovery_codes,
    };
    Ok(json(StatusCode::OK, &view))
}

/// A new account.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct CreateBody {
    email: String,
    #[schema(value_type = String)]
    password: Secret<String>,
    name: Option<String>,
    #[serde(default)]
    roles: Vec<String>,
}

/// Make an account.
#[utoipa::path(post, path = "/api/admin/users", tag = "admin", request_body = CreateBody, responses(
    (status = 201), (status = 409, description = "`email_taken`"), (status = 422, description = "`password_rejected`"),
))]
pub(in crate::http) async fn create(
    by: Administrator,
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody<CreateBody>,
) -> Result<Response, Problem> {
    let roles = parse_roles(&body.roles)?;
    let registration = Registration { email: body.email, password: body.password, name: body.name, invite: None };
    let user = create_account(&app, registration, roles, (by.actor, &by.caller)).await?;
    Ok(json(StatusCode::CREATED, &serde_json::json!({ "user": UserView::from(&user) })))
}

/// An account's roles from now on.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct RolesBody {
    roles: Vec<String>,
}

/// Set an account's roles. Tokens with the old ones answer `token_stale`.
#[utoipa::path(put, path = "/api/admin/users/{id}/roles", tag = "admin", params(("id" = String, Path)),
    request_body = RolesBody, responses((status = 204), (status = 404)))]
pub(in crate::http) async fn set_roles(
    by: Administrator,
    State(app): State<Arc<App>>,
    wants: WantsReceipt,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<RolesBody>,
) -> Result<Response, Problem> {
    ended(&app, wants, administer::set_roles(&app, &by, user_id(&id)?, parse_roles(&body.roles)?).await?).await
}

fn parse_roles(roles: &[String]) -> Result<Vec<Role>, Problem> {
    let wrong = "a role is 1 to 32 characters of a-z, 0-9, - and _, beginning with a letter; at most 16 roles";
    let parsed: Option<Vec<Role>> = roles.iter().map(|role| Role::parse(role)).collect();
    parsed.filter(|roles| roles.len() <= 16).ok_or_else(|| Problem::new(Code::Malformed).detail(wrong))
}

/// Why.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct BanBody {
    #[serde(default)]
    reason: String,
    /// When it ends by itself: RFC 3339 in UTC, or a day. Without it, it stays until it is lifted.
    until: Option<String>,
}

/// Ban an account and end its sessions.
#[utoipa::path(post, path = "/api/admin/users/{id}/ban", tag = "admin", params(("id" = String, Path)),
    request_body = BanBody, responses((status = 200, body = ReceiptView), (status = 204), (status = 404)))]
pub(in crate::http) async fn ban(
    Supporter(by): Supporter,
    State(app): State<Arc<App>>,
    wants: WantsReceipt,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<BanBody>,
) -> Result<Response, Problem> {
    if body.reason.len() > 500 {
        return Err(Problem::new(Code::Malformed).detail("`reason` may have 500 bytes"));
    }
    let until = match body.until.as_deref() {
        None => None,
        Some(text) => {
            let detail = "`until` is a time to come, such as 2026-01-31T09:30:00Z, or a day";
            let time = parse_time(text).filter(|time| *time > app.clock.now());
            Some(time.ok_or_else(|| Problem::new(Code::Malformed).detail(detail))?)
        }
    };
    ended(&app, wants, administer::ban(&app, &by, user_id(&id)?, (body.reason, until)).await?).await
}

/// Lift a ban.
#[utoipa::path(post, path = "/api/admin/users/{id}/unban", tag = "admin", params(("id" = String, Path)),
    responses((status = 204), (status = 404)))]
pub(in crate::http) async fn unban(
    Supporter(by): Supporter,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    done(administer::unban(&app, &by, user_id(&id)?).await?)
}

/// Unlock a password or an authenticator app locked by 100 failures in a row.
#[utoipa::path(post, path = "/api/admin/users/{id}/unlock", tag = "admin", params(("id" = String, Path)),
    responses((status = 204), (status = 404)))]
pub(in crate::http) async fn unlock(
    Supporter(by): Supporter,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    done(administer::unlock(&app, &by, user_id(&id)?).await?)
}

/// End all sessions of an account.
#[utoipa::path(post, path = "/api/admin/users/{id}/revoke", tag = "admin", params(("id" = String, Path)),
    responses((status = 204), (status = 404)))]
pub(in crate::http) async fn revoke(
    Supporter(by): Supporter,
    State(app): State<Arc<App>>,
    wants: WantsReceipt,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    ended(&app, wants, administer::revoke_user(&app, &by, user_id(&id)?).await?).await
}

/// Remove all passkeys, the authenticator app and the recovery codes of somebody who has lost them. Their sessions end; an account without a
/// password gets a link by mail to choose one.
#[utoipa::path(post, path = "/api/admin/users/{id}/reset", tag = "admin", params(("id" = String, Path)), responses(
    (status = 200, body = ReceiptView), (status = 204), (status = 404),
    (status = 409, description = "`mail_unavailable`: the account has no password, and no mail is sent"),
))]
pub(in crate::http) async fn reset(
    by: Administrator,
    State(app): State<Arc<App>>,
    wants: WantsReceipt,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    ended(&app, wants, reset_factors(&app, &by, user_id(&id)?).await?).await
}

/// Delete an account: its sessions end, what is personal is erased, and its address is free.
#[utoipa::path(delete, path = "/api/admin/users/{id}", tag = "admin", params(("id" = String, Path)), responses(
    (status = 200, body = ReceiptView), (status = 204), (status = 404), (status = 409, description = "`last_administrator`"),
))]
pub(in crate::http) async fn remove(
    by: Administrator,
    State(app): State<Arc<App>>,
    wants: WantsReceipt,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    ended(&app, wants, delete_as(&app, &by, user_id(&id)?).await?).await
}
