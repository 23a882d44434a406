//! `/ssf/*`: event streams for receivers elsewhere (OpenID Shared Signals 1.0), opened by tokens of services for the resource `ssf`.

pub(super) mod events;
pub(super) mod poll;
pub(super) mod streams;
pub(super) mod subjects;

use super::dpop;
use super::extract::{Scheme, authorization};
use super::problem::{Code, Problem};
use crate::app::App;
use crate::flow::streams::{Scope, StreamError, receiver};
use axum::extract::FromRequestParts;
use counterfoil_core::ClientName;
use counterfoil_core::ssf::stream::StreamId;
use counterfoil_guard::Refusal;
use http::request::Parts;
use std::sync::Arc;

/// Events are sent (RFC 8935).
pub(super) const PUSH: &str = "urn:ietf:rfc:8935";
/// Events are fetched (RFC 8936).
pub(super) const POLL: &str = "urn:ietf:rfc:8936";

/// A service that may see its streams and fetch its events.
pub(super) struct Reading(ClientName);

/// A service that may change its streams.
pub(super) struct Managing(ClientName);

impl FromRequestParts<Arc<App>> for Reading {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        service(app, parts, Scope::Read).await.map(Self)
    }
}

impl FromRequestParts<Arc<App>> for Managing {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        service(app, parts, Scope::Manage).await.map(Self)
    }
}

/// Which service asks. Nothing but the header is looked at: no cookie opens a stream.
async fn service(app: &App, parts: &Parts, scope: Scope) -> Result<ClientName, Problem> {
    if !app.config.ssf.enabled {
        return Err(StreamError::Off.into());
    }
    let (scheme, token) = authorization(&parts.headers)?.ok_or(Refusal::Missing)?;
    let proof = match scheme {
        Scheme::Bearer => None,
        Scheme::Dpop => Some(dpop::beside_token(&parts.extensions)?),
    };
    Ok(receiver(app, token, proof, scope).await?)
}

fn stream_id(text: &str) -> Result<StreamId, Problem> {
    text.parse().map_err(|_| StreamError::Unknown.into())
}

impl From<StreamError> for Problem {
    fn from(error: StreamError) -> Self {
        match error {
            StreamError::Off => {
                Self::new(Code::NotFound).detail("this server has no event streams; its operator can set `ssf.enabled`")
            }
            StreamError::Unknown => Self::new(Code::NotFound),
            StreamError::Token(error) => error.into(),
            StreamError::Scope(scope) => {
                Self::new(Code::Forbidden).detail(format!("the token must be good for the scope {}", scope.as_str()))
            }
            StreamError::Full => Self::new(Code::StreamLimit)
                .detail(format!("a service may have {} streams; remove one first", crate::flow::streams::MOST)),
            StreamError::Bad(detail) => Self::new(Code::Malformed).detail(detail),
            StreamError::TooSoon(wait) => Self::new(Code::RateLimited).retry_after(wait),
            StreamError::Store(error) => error.into(),
        }
    }
}
