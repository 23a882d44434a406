//! `/api/admin/invites`.

use super::{Reader, done};
use crate::app::App;
use crate::flow::administer::{self, ADMIN, Administrator};
use crate::http::extract::JsonBody;
use crate::http::problem::{Code, Problem};
use crate::http::view::{json, rfc3339};
use crate::store::invites::Invite;
use axum::extract::{Path, State};
use axum::response::Response;
use counterfoil_core::user::{Role, parse_name};
use counterfoil_guard::{base64url_decode, base64url_encode};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use utoipa::ToSchema;

/// An invitation to be made.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct InviteBody {
    /// A role the account gets.
    role: Option<String>,
    /// For whom it is, in your words: at most 200 bytes of printable text. Only the administration sees it.
    note: Option<String>,
    /// Seconds it is valid; a day if not given, 30 days at the most.
    valid_for: Option<u64>,
}

/// An invitation that has not been used.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct InviteView {
    /// To take it back by; it does not open anything.
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    note: String,
    /// The account or API key that made it, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer: Option<String>,
    expires_at: String,
}

impl From<Invite> for InviteView {
    fn from(invite: Invite) -> Self {
        Self {
            // Of a token with 192 random bits the hash gives nothing away.
            id: base64url_encode(&invite.hash),
            role: invite.role.map(|role| role.as_str().to_owned()),
            note: invite.note,
            issuer: invite.issuer.map(|issuer| issuer.to_string()),
            expires_at: rfc3339(invite.expires_at),
        }
    }
}

/// All that are open.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct InvitesView {
    invites: Vec<InviteView>,
}

/// Make an invitation; the answer holds its link, which works once.
#[utoipa::path(post, path = "/api/admin/invites", tag = "admin", request_body = InviteBody,
    responses((status = 201, description = "`link` and `valid_for`"), (status = 400, description = "`malformed`")))]
pub(in crate::http) async fn create(
    by: Administrator,
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody<InviteBody>,
) -> Result<Response, Problem> {
    let malformed = |detail| Problem::new(Code::Malformed).detail(detail);
    let role = match body.role.as_deref() {
        None => None,
        Some(role) => Some(Role::parse(role).ok_or_else(|| malformed("no such role name"))?),
    };
    let note = match body.note.as_deref() {
        None | Some("") => String::new(),
        Some(note) => {
            parse_name(note).ok_or_else(|| malformed("`note` must be at most 200 bytes of printable text"))?
        }
    };
    let life = Duration::from_secs(body.valid_for.unwrap_or(86_400).clamp(60, 30 * 86_400));
    let admin = if role.as_ref().is_some_and(|role| role.as_str() == ADMIN) { "&role=admin" } else { "" };
    let token = administer::invite(&app, &by, (role, note), life).await?;
    let link = app.public.absolute(&format!("/register?invite={}{admin}", token.expose()));
    Ok(json(StatusCode::CREATED, &serde_json::json!({ "link": link, "valid_for": life.as_secs() })))
}

/// List the invitations that have not been used; their links were shown once.
#[utoipa::path(get, path = "/api/admin/invites", tag = "admin",
    responses((status = 200, body = InvitesView)))]
pub(in crate::http) async fn list(_: Reader, State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let invites = app.store.invites(app.clock.now()).await?;
    Ok(json(StatusCode::OK, &InvitesView { invites: invites.into_iter().map(InviteView::from).collect() }))
}

/// Take an invitation back.
#[utoipa::path(delete, path = "/api/admin/invites/{id}", tag = "admin", params(("id" = String, Path)),
    responses((status = 204), (status = 404)))]
pub(in crate::http) async fn withdraw(
    by: Administrator,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let hash = base64url_decode(&id).and_then(|bytes| bytes.try_into().ok()).ok_or(Problem::new(Code::NotFound))?;
    done(administer::withdraw_invite(&app, &by, hash).await?)
}
