//! `/api/admin/streams`: the event streams of receivers elsewhere, as administrators see them.

use super::Reader;
use crate::app::App;
use crate::flow::administer::Administrator;
use crate::flow::streams;
use crate::http::extract::JsonBody;
use crate::http::problem::{Code, Problem};
use crate::http::ssf::streams::StatusView;
use crate::http::view::{json, rfc3339};
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use counterfoil_core::ssf::event::EventType;
use counterfoil_core::ssf::stream::{Delivery, Status, Stream, StreamId};
use http::StatusCode;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// List the event streams, and how far each is behind.
#[utoipa::path(get, path = "/api/admin/streams", tag = "admin", responses((status = 200)))]
pub(in crate::http) async fn list(_: Reader, State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let newest = app.store.newest().await?;
    let view = |stream: Stream| {
        let method = if stream.settings.delivery == Delivery::Poll { "poll" } else { "push" };
        let events: Vec<&str> = stream.settings.delivered().map(EventType::name).collect();
        serde_json::json!({
            "stream_id": stream.id.to_string(), "client_id": stream.client.as_str(), "created_at": rfc3339(stream.created_at),
            "status": stream.status.as_str(), "reason": stream.reason, "description": stream.settings.description,
            "delivery": method, "subjects": stream.settings.subjects, "events": events,
            "behind": (newest - stream.position).max(0),
        })
    };
    let all: Vec<_> = app.store.streams().await?.into_iter().map(view).collect();
    Ok(json(StatusCode::OK, &serde_json::json!({ "streams": all })))
}

/// Another status.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct StatusBody {
    /// `enabled`; `paused`: what happens is told later; `disabled`: it is not.
    #[schema(value_type = String)]
    status: Status,
    /// Why; the receiver is told.
    reason: Option<String>,
}

/// Enable, pause or disable a stream; its receiver is told so.
#[utoipa::path(post, path = "/api/admin/streams/{id}/status", tag = "admin", params(("id" = String, Path)),
    request_body = StatusBody,
    responses((status = 200, body = StatusView), (status = 400, description = "`malformed`"), (status = 404)))]
pub(in crate::http) async fn set_status(
    by: Administrator,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<StatusBody>,
) -> Result<Response, Problem> {
    let stream = streams::administer_status(&app, &by, read(&id)?, (body.status, body.reason)).await?;
    app.feed.wake();
    Ok(json(StatusCode::OK, &StatusView::of(&stream)))
}

/// Remove a stream. The service can make another as long as its rules allow it.
#[utoipa::path(delete, path = "/api/admin/streams/{id}", tag = "admin", params(("id" = String, Path)),
    responses((status = 204), (status = 404)))]
pub(in crate::http) async fn remove(
    by: Administrator,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    streams::administer_remove(&app, &by, read(&id)?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn read(id: &str) -> Result<StreamId, Problem> {
    id.parse().map_err(|_| Problem::new(Code::NotFound))
}
