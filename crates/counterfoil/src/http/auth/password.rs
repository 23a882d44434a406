//! `POST /api/auth/password/change`.

use crate::app::App;
use crate::flow::Caller;
use crate::flow::authenticate::identify;
use crate::flow::change_password::change_password;
use crate::http::extract::{JsonBody, Presented};
use crate::http::problem::Problem;
use crate::http::receipt::{self, ReceiptView, WantsReceipt};
use crate::http::view::{TokensView, deliver};
use axum::extract::{FromRequest as _, Request, State};
use axum::response::Response;
use counterfoil_core::Secret;
use http::Method;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// The old and the new.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct ChangeBody {
    /// Not needed by an account that has none.
    #[schema(value_type = Option<String>)]
    current_password: Option<Secret<String>>,
    #[schema(value_type = String)]
    new_password: Secret<String>,
}

/// The new tokens, and the receipt for the sessions that ended, if one was asked for.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct ChangedView {
    #[serde(flatten)]
    tokens: TokensView,
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<ReceiptView>,
}

/// Change the password. Ends every other session, and gives this one new tokens.
#[utoipa::path(post, path = "/api/auth/password/change", tag = "session", request_body = ChangeBody, responses(
    (status = 200, body = ChangedView),
    (status = 401, description = "`invalid_credentials`, `reauthentication_required`, or as `GET /api/auth/me`"),
    (status = 422, description = "`password_rejected`"),
))]
pub(in crate::http) async fn change(
    State(app): State<Arc<App>>,
    caller: Caller,
    wants: WantsReceipt,
    request: Request,
) -> Result<Response, Problem> {
    let (headers, extensions) = (request.headers().clone(), request.extensions().clone());
    let presented = Presented::require(&app, &Method::POST, (&headers, &extensions))?;
    let identity = identify(&app, presented.credential(), &caller).await?;
    let JsonBody(body) = JsonBody::<ChangeBody>::from_request(request, &app).await?;
    let passwords = (body.current_password.as_ref(), &body.new_password);
    let (delivery, ended) = change_password(&app, identity, passwords, &caller).await?;
    let receipt = receipt::beside(&app, wants, ended.seq).await;
    let view = ChangedView { tokens: TokensView::of(&delivery), receipt };
    Ok(deliver(&view, &delivery, &app.config.session))
}
