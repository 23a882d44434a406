//! `/ssf/subjects/*`: whom a stream is about (SSF section 8.1.3); `/ssf/verify`: whether it works (section 8.1.4).

use super::{Managing, stream_id};
use crate::app::App;
use crate::flow::streams::{self, About};
use crate::http::extract::JsonBody;
use crate::http::problem::{Code, Problem};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use counterfoil_core::ClientName;
use counterfoil_core::ssf::subject::Subject;
use http::StatusCode;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;

/// Somebody, and a stream.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct SubjectBody {
    stream_id: String,
    /// A subject identifier (RFC 9493): `iss_sub` with this server's issuer and a user's `sub`, or `complex` with such a `user`.
    #[schema(value_type = Object)]
    subject: serde_json::Value,
}

/// Have a stream be about somebody too.
#[utoipa::path(post, path = "/ssf/subjects/add", tag = "ssf", request_body = SubjectBody,
    responses((status = 200), (status = 400, description = "`malformed`"), (status = 404)))]
pub(in crate::http) async fn add(
    Managing(client): Managing,
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody<SubjectBody>,
) -> Result<Response, Problem> {
    set(&app, &client, &body, About::Added).await?;
    Ok(StatusCode::OK.into_response())
}

/// Have a stream be about somebody no more.
#[utoipa::path(post, path = "/ssf/subjects/remove", tag = "ssf", request_body = SubjectBody,
    responses((status = 204), (status = 400, description = "`malformed`"), (status = 404)))]
pub(in crate::http) async fn remove(
    Managing(client): Managing,
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody<SubjectBody>,
) -> Result<Response, Problem> {
    set(&app, &client, &body, About::Removed).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn set(app: &App, client: &ClientName, body: &SubjectBody, about: About) -> Result<(), Problem> {
    let subject = Subject::read(&body.subject)
        .ok_or_else(|| Problem::new(Code::Malformed).detail("`subject` is not a subject identifier (RFC 9493)"))?;
    Ok(streams::set_subject(app, client, stream_id(&body.stream_id)?, (&subject, about)).await?)
}

/// A stream that shall show that it works.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct VerifyBody {
    stream_id: String,
    /// Comes back in the event.
    state: Option<String>,
}

/// Have a verification event sent over a stream.
#[utoipa::path(post, path = "/ssf/verify", tag = "ssf", request_body = VerifyBody, responses(
    (status = 204), (status = 400, description = "`malformed`"), (status = 404), (status = 429, description = "`rate_limited`"),
))]
pub(in crate::http) async fn verify(
    Managing(client): Managing,
    State(app): State<Arc<App>>,
    JsonBody(body): JsonBody<VerifyBody>,
) -> Result<Response, Problem> {
    streams::verify(&app, &client, stream_id(&body.stream_id)?, body.state).await?;
    app.feed.wake();
    Ok(StatusCode::NO_CONTENT.into_response())
}
