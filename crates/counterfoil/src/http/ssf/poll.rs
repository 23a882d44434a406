//! `/ssf/poll/{stream}`: a receiver fetches its events (RFC 8936).

use super::{Reading, stream_id};
use crate::app::App;
use crate::flow::poll_stream::{self, MOST, MOST_ACKNOWLEDGED, Poll};
use crate::http::extract::JsonBody;
use crate::http::problem::{Code, Problem};
use crate::http::view::json;
use axum::extract::{Path, State};
use axum::response::Response;
use counterfoil_core::ssf::set::SetError;
use http::StatusCode;
use serde::{Deserialize, Serialize, Serializer};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

/// A poll (RFC 8936 section 2.2).
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct PollBody {
    /// How many SETs are wanted, 100 at the most; 0 to acknowledge only.
    max_events: Option<u64>,
    /// Whether to answer at once, also when there is nothing.
    #[serde(default)]
    return_immediately: bool,
    /// The `jti` of SETs that have been taken.
    #[serde(default)]
    ack: Vec<String>,
    /// Those that could not be taken, and why.
    #[serde(default)]
    #[schema(schema_with = set_errs)]
    set_errs: BTreeMap<String, SetError>,
}

/// [`SetError`] by the `jti`, as the reference shows it.
fn set_errs() -> Object {
    let words = || ObjectBuilder::new().schema_type(Type::String);
    let why = ObjectBuilder::new().property("err", words()).property("description", words()).required("err");
    ObjectBuilder::new()
        .description(Some("Those that could not be taken, and why."))
        .additional_properties(Some(why))
        .build()
}

/// Fetch events, and acknowledge those that have been taken.
#[utoipa::path(post, path = "/ssf/poll/{stream_id}", tag = "ssf", params(("stream_id" = String, Path)), request_body = PollBody,
    responses((status = 200, description = "`sets`: SETs by their `jti`; `moreAvailable`"),
    (status = 400, description = "`malformed`"), (status = 404)))]
pub(in crate::http) async fn post(
    Reading(client): Reading,
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    JsonBody(body): JsonBody<PollBody>,
) -> Result<Response, Problem> {
    if body.ack.len() + body.set_errs.len() > MOST_ACKNOWLEDGED {
        let reason = format!("at most {MOST_ACKNOWLEDGED} SETs are acknowledged at a time");
        return Err(Problem::new(Code::Malformed).detail(reason));
    }
    let most = body.max_events.map_or(MOST, |most| usize::try_from(most).unwrap_or(MOST));
    let refused = body.set_errs.into_iter().map(|(jti, why)| (jti, why.in_words()));
    let poll =
        Poll { most, waits: !body.return_immediately && most > 0, acknowledged: body.ack, refused: refused.collect() };
    let answer = poll_stream::poll(&app, &client, stream_id(&id)?, poll).await?;
    Ok(json(StatusCode::OK, &PolledView { sets: InOrder(answer.sets), more_available: answer.more }))
}

/// The answer (RFC 8936 section 2.3).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PolledView {
    sets: InOrder,
    more_available: bool,
}

/// An object whose members stand in the order in which things have happened: many receivers take them as they come.
struct InOrder(Vec<(String, String)>);

impl Serialize for InOrder {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.0.iter().map(|(jti, set)| (jti, set)))
    }
}
