//! `/ssf/streams` and `/ssf/status`: what a stream is told, and whether (SSF section 8.1.1 and 8.1.2); and the transmitter's metadata.

use super::{Managing, POLL, PUSH, Reading, stream_id};
use crate::app::App;
use crate::config::SSF_SCOPES;
use crate::flow::Caller;
use crate::flow::streams::{self, StreamError, Unsaid, VERIFY_EVERY, Wanted, WantedDelivery};
use crate::http::extract::{JsonBody, Params};
use crate::http::problem::{Code, Problem};
use crate::http::view::json;
use crate::http::well_known::cacheable;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use counterfoil_core::ssf::event::EventType;
use counterfoil_core::ssf::stream::{Delivery, Status, Stream, StreamId, Subjects};
use counterfoil_core::{ClientName, Secret};
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// A stream as receivers see it.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct StreamView {
    stream_id: String,
    /// From whom its events are.
    iss: String,
    /// For whom: the name of the service.
    aud: String,
    delivery: DeliveryView,
    /// What there is here.
    events_supported: Vec<String>,
    /// What was asked for; without it, all there is.
    #[serde(skip_serializing_if = "Option::is_none")]
    events_requested: Option<Vec<String>>,
    /// What is told.
    events_delivered: Vec<String>,
    /// How many seconds must lie between two verifications.
    min_verification_interval: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct DeliveryView {
    /// `urn:ietf:rfc:8935` (push) or `urn:ietf:rfc:8936` (poll).
    method: &'static str,
    /// Where events are pushed to, or fetched from.
    endpoint_url: String,
}

impl StreamView {
    pub(in crate::http) fn of(app: &App, stream: &Stream) -> Self {
        let delivery = match &stream.settings.delivery {
            Delivery::Push(url) => DeliveryView { method: PUSH, endpoint_url: url.clone() },
            Delivery::Poll => {
                DeliveryView { method: POLL, endpoint_url: app.public.absolute(&format!("/ssf/poll/{}", stream.id)) }
            }
        };
        Self {
            stream_id: stream.id.to_string(),
            iss: app.public.issuer().to_owned(),
            aud: stream.client.to_string(),
            delivery,
            events_supported: EventType::TRANSMITTED.map(EventType::uri).to_vec(),
            events_requested: stream.settings.requested.clone(),
            events_delivered: stream.settings.delivered().map(EventType::uri).collect(),
            min_verification_interval: VERIFY_EVERY.as_secs(),
            description: stream.settings.description.clone(),
        }
    }
}

/// What a receiver wants. Members that are this server's to say may stand there too, as they are.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct StreamBody {
    /// Which; of a new one there is none yet.
    stream_id: Option<String>,
    iss: Option<String>,
    /// How it is told. A new stream without it is polled.
    delivery: Option<DeliveryBody>,
    /// The types it wants to be told of, by their URIs. Those that are not known here are left out.
    events_requested: Option<Vec<String>>,
    /// What it calls the stream.
    description: Option<String>,
}

#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct DeliveryBody {
    /// `urn:ietf:rfc:8935` (push) or `urn:ietf:rfc:8936` (poll).
    method: String,
    /// Where events are pushed to: an address at one of the origins that the operator allows.
    endpoint_url: Option<String>,
    /// What each push has in its header Authorization. Never shown again.
    #[schema(value_type = Option<String>)]
    authorization_header: Option<Secret<String>>,
}

impl StreamBody {
    fn wanted(self, app: &App) -> Result<Wanted, Problem> {
        let bad = |detail: &str| Problem::new(Code::Malformed).detail(detail.to_owned());
        if self.iss.is_some_and(|iss| iss != app.public.issuer()) {
            return Err(bad("`iss` is this server's to say, and it is another"));
        }
        let delivery = match self.delivery {
            None => None,
            Some(DeliveryBody { method, endpoint_url, authorization_header }) => Some(match method.as_str() {
                POLL => WantedDelivery::Poll,
                PUSH => WantedDelivery::Push {
                    url: endpoint_url
                        .ok_or_else(|| bad("`delivery` lacks `endpoint_url`, where events are pushed to"))?,
                    authorization: authorization_header,
                },
                _ => return Err(bad("`delivery.method` must be urn:ietf:rfc:8935 (push) or urn:ietf:rfc:8936 (poll)")),
            }),
        };
        Ok(Wanted { delivery, requested: self.events_requested, description: self.description })
    }

    fn id(&self) -> Result<StreamId, Problem> {
        let id = self.stream_id.as_deref();
        stream_id(id.ok_or_else(|| Problem::new(Code::Malformed).detail("`stream_id` is missing"))?)
    }
}

/// Which stream.
#[derive(Deserialize)]
pub(in crate::http) struct StreamQuery {
    stream_id: Option<String>,
}

impl StreamQuery {
    fn id(&self) -> Result<StreamId, Problem> {
        let id = self.stream_id.as_deref();
        stream_id(id.ok_or_else(|| Problem::new(Code::Malformed).detail("the parameter `stream_id` is missing"))?)
    }
}

/// The transmitter's metadata.
#[utoipa::path(get, path = "/.well-known/ssf-configuration", tag = "ssf",
    responses((status = 200), (status = 304), (status = 404, description = "`not_found`: there are no streams here")))]
pub(in crate::http) async fn metadata(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Problem> {
    if !app.config.ssf.enabled {
        return Err(StreamError::Off.into());
    }
    let at = |path: &str| app.public.absolute(path);
    let methods: &[&str] = if app.config.ssf.push_origins.is_empty() { &[POLL] } else { &[PUSH, POLL] };
    let document = serde_json::json!({
        "spec_version": "1_0",
        "issuer": app.public.issuer(),
        "jwks_uri": at("/.well-known/jwks.json"),
        "delivery_methods_supported": methods,
        "configuration_endpoint": at("/ssf/streams"),
        "status_endpoint": at("/ssf/status"),
        "add_subject_endpoint": at("/ssf/subjects/add"),
        "remove_subject_endpoint": at("/ssf/subjects/remove"),
        "verification_endpoint": at("/ssf/verify"),
        "authorization_schemes": [{ "spec_urn": "urn:ietf:rfc:6749" }],
        "default_subjects": match app.config.ssf.default_subjects { Subjects::All => "ALL", Subjects::None => "NONE" },
        "scopes_supported": SSF_SCOPES,
    });
    Ok(cacheable(&headers, "application/json", Bytes::from(document.to_string())))
}

/// Make a stream.
#[utoipa::path(post, path = "/ssf/streams", tag = "ssf", request_body = StreamBody, responses(
    (status = 201, body = StreamView), (status = 400, description = "`malformed`"),
    (status = 401, description = "`token_missing`, `token_invalid`, `token_expired`"),
    (status = 403, description = "`forbidden`: the scope ssf.manage is needed"), (status = 409, description = "`stream_limit`"),
))]
pub(in crate::http) async fn create(
    Managing(client): Managing,
    State(app): State<Arc<App>>,
    caller: Caller,
    JsonBody(body): JsonBody<StreamBody>,
) -> Result<Response, Problem> {
    if body.stream_id.is_some() {
        return Err(
            Problem::new(Code::Malformed).detail("a new stream gets its `stream_id` here; to change one, PATCH")
        );
    }
    let stream = streams::create(&app, client, body.wanted(&app)?, &caller).await?;
    Ok(json(StatusCode::CREATED, &StreamView::of(&app, &stream)))
}

/// One stream of the service's, or all of them.
#[utoipa::path(get, path = "/ssf/streams", tag = "ssf", params(("stream_id" = Option<String>, Query)),
    responses((status = 200, body = StreamView, description = "a list of these without `stream_id`"), (status = 404)))]
pub(in crate::http) async fn get(
    Reading(client): Reading,
    State(app): State<Arc<App>>,
    Params(query): Params<StreamQuery>,
) -> Result<Response, Problem> {
    if query.stream_id.is_none() {
        let all = streams::of(&app, &client).await?;
        let all: Vec<StreamView> = all.iter().map(|stream| StreamView::of(&app, stream)).collect();
        return Ok(json(StatusCode::OK, &all));
    }
    let stream = streams::one(&app, &client, query.id()?).await?;
    Ok(json(StatusCode::OK, &StreamView::of(&app, &stream)))
}

/// Change what is said of a stream; the rest stays. A `delivery` is changed as a whole, its `authorization_header` with it.
#[utoipa::path(patch, path = "/ssf/streams", tag = "ssf", request_body = StreamBody,
    responses((status = 200, body = StreamView), (status = 400, description = "`malformed`"), (status = 404)))]
pub(in crate::http) async fn patch(
    Managing(client): Managing,
    State(app): State<Arc<App>>,
    caller: Caller,
    JsonBody(body): JsonBody<StreamBody>,
) -> Result<Response, Problem> {
    change(&app, &client, (body, Unsaid::Stays), &caller).await
}

/// Say all of a stream anew; what is not said goes.
#[utoipa::path(put, path = "/ssf/streams", tag = "ssf", request_body = StreamBody,
    responses((status = 200, body = StreamView), (status = 400, description = "`malformed`"), (status = 404)))]
pub(in crate::http) async fn put(
    Managing(client): Managing,
    State(app): State<Arc<App>>,
    caller: Caller,
    JsonBody(body): JsonBody<StreamBody>,
) -> Result<Response, Problem> {
    change(&app, &client, (body, Unsaid::Goes), &caller).await
}

async fn change(
    app: &App,
    client: &ClientName,
    (body, unsaid): (StreamBody, Unsaid),
    caller: &Caller,
) -> Result<Response, Problem> {
    let (id, wanted) = (body.id()?, body.wanted(app)?);
    let stream = streams::change(app, client, id, (wanted, unsaid), caller).await?;
    Ok(json(StatusCode::OK, &StreamView::of(app, &stream)))
}

/// Remove a stream.
#[utoipa::path(delete, path = "/ssf/streams", tag = "ssf", params(("stream_id" = String, Query)),
    responses((status = 204), (status = 404)))]
pub(in crate::http) async fn delete(
    Managing(client): Managing,
    State(app): State<Arc<App>>,
    caller: Caller,
    Params(query): Params<StreamQuery>,
) -> Result<Response, Problem> {
    streams::remove(&app, &client, query.id()?, &caller).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Whether a stream is told anything.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct StatusView {
    stream_id: String,
    /// `enabled`; `paused`: what happens is told later; `disabled`: it is not.
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl StatusView {
    pub(in crate::http) fn of(stream: &Stream) -> Self {
        Self { stream_id: stream.id.to_string(), status: stream.status.as_str(), reason: stream.reason.clone() }
    }
}

/// Another status.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct StatusBody {
    stream_id: String,
    /// `enabled`, `paused` or `disabled`.
    #[schema(value_type = String)]
    status: Status,
    /// Why, for people who look for it.
    reason: Option<String>,
}

/// The status of a stream.
#[utoipa::path(get, path = "/ssf/status", tag = "ssf", params(("stream_id" = String, Query)),
    responses((status = 200, body = StatusView), (status = 404)))]
pub(in crate::http) async fn status(
    Reading(client): Reading,
    State(app): State<Arc<App>>,
    Params(query): Params<StreamQuery>,
) -> Result<Response, Problem> {
    let stream = streams::one(&app, &client, query.id()?).await?;
    Ok(json(StatusCode::OK, &StatusView::of(&stream)))
}

/// Enable, pause or disable a stream.
#[utoipa::path(post, path = "/ssf/status", tag = "ssf", request_body = StatusBody,
    responses((status = 200, body = StatusView), (status = 400, description = "`malformed`"), (status = 404)))]
pub(in crate::http) async fn set_status(
    Managing(client): Managing,
    State(app): State<Arc<App>>,
    caller: Caller,
    JsonBody(body): JsonBody<StatusBody>,
) -> Result<Response, Problem> {
    let id = stream_id(&body.stream_id)?;
    let stream = streams::set_status(&app, &client, id, (body.status, body.reason), &caller).await?;
    Ok(json(StatusCode::OK, &StatusView::of(&stream)))
}
