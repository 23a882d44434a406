//! The error answer of `/oauth/*` (RFC 6749 section 5.2). All words are ours and fixed: nothing of a request comes back.

use crate::flow::revoke_token::RevokeTokenError;
use crate::http::problem::{Code, Problem};
use crate::store::StoreError;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use std::time::Duration;
use utoipa::ToSchema;

const BEARER: &str = "Bearer";
const BEARER_INVALID: &str = "Bearer error=\"invalid_token\"";
const BASIC: &str = "Basic realm=\"counterfoil\", charset=\"UTF-8\"";

/// An error as the client sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http) struct OAuthError {
    status: StatusCode,
    error: &'static str,
    description: &'static str,
    challenges: &'static [&'static str],
    retry_after: Option<u64>,
}

/// Its body.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct OAuthErrorView {
    /// `invalid_request`, `invalid_client`, `invalid_grant`, `temporarily_unavailable`, `server_error`.
    error: &'static str,
    /// For whoever reads the client's log.
    error_description: &'static str,
}

/// How a caller tried to prove itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tried {
    /// Not at all, or in a way there is none of here.
    Nothing,
    /// `Authorization: Bearer`.
    Bearer,
    /// `Authorization: Basic`.
    Basic,
}

impl OAuthError {
    const fn new(status: StatusCode, error: &'static str, description: &'static str) -> Self {
        Self { status, error, description, challenges: &[], retry_after: None }
    }

    /// The request cannot be read, or says two things at once.
    pub(super) const fn invalid_request(description: &'static str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", description)
    }

    /// The caller is not known here. The challenge is that of the scheme it used (TOK-3), or names every one there is.
    pub(super) const fn invalid_client(tried: Tried) -> Self {
        let (description, challenges): (_, &'static [&'static str]) = match tried {
            Tried::Nothing => {
                ("send the credential that counterfoil guard add NAME prints, as Bearer or as Basic", &[BEARER, BASIC])
            }
            Tried::Bearer => ("the credential is not known here", &[BEARER_INVALID]),
            Tried::Basic => ("no guard of this name has this credential", &[BASIC]),
        };
        Self { challenges, ..Self::new(StatusCode::UNAUTHORIZED, "invalid_client", description) }
    }

    /// The public client is not one of this server's applications, or has not said which it is.
    pub(super) const fn unknown_application() -> Self {
        let description = "send client_id, the application that the token was issued to, or a guard's credential";
        Self { challenges: &[BEARER, BASIC], ..Self::new(StatusCode::UNAUTHORIZED, "invalid_client", description) }
    }

    /// Too many from one network.
    pub(super) fn rate_limited(wait: Duration) -> Self {
        let plain = Self::new(StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable", "too many attempts; wait");
        Self { retry_after: Some(wait.as_secs() + 1), ..plain }
    }
}

impl From<StoreError> for OAuthError {
    fn from(error: StoreError) -> Self {
        Problem::from(error).into()
    }
}

impl From<RevokeTokenError> for OAuthError {
    fn from(error: RevokeTokenError) -> Self {
        match error {
            RevokeTokenError::IssuedToAnother => Self::new(
                StatusCode::BAD_REQUEST,
                "invalid_grant",
                "the token was issued to another application than client_id names",
            ),
            RevokeTokenError::Store(error) => error.into(),
        }
    }
}

/// What the shared parts of `http` refuse, in the words of RFC 6749.
impl From<Problem> for OAuthError {
    fn from(problem: Problem) -> Self {
        let status = problem.code().status();
        match problem.code() {
            Code::TooLarge => Self::new(status, "invalid_request", "the body is too large; at most 65536 bytes"),
            Code::Overloaded => {
                let plain = Self::new(status, "temporarily_unavailable", "the server is busy; try again in a moment");
                Self { retry_after: Some(1), ..plain }
            }
            Code::Internal => Self::new(status, "server_error", "something went wrong here; it has been logged"),
            _ => Self::invalid_request("the body or the address cannot be read; receipt can only be effective"),
        }
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let body = OAuthErrorView { error: self.error, error_description: self.description };
        let mut response = crate::http::view::json(self.status, &body);
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for challenge in self.challenges {
            headers.append(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
