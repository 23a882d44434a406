//! The error answer of `/oauth/*` (RFC 6749 section 5.2). All words are ours and fixed: nothing of a request comes back.

use crate::flow::counts::Limit;
use crate::flow::exchange::IssueError;
use crate::flow::revoke_token::RevokeTokenError;
use crate::http::dpop::DpopError;
use crate::http::problem::{Code, Problem};
use crate::store::StoreError;
use axum::response::{IntoResponse, Response};
use counterfoil_core::service::grant::GrantError;
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
    /// `invalid_request`, `invalid_client`, `invalid_grant`, `unauthorized_client`, `unsupported_grant_type`, `invalid_scope`,
    /// `invalid_target`, `temporarily_unavailable`, `server_error`.
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

    /// The service is not known, or this is not what it proves itself by. One answer for both (P1).
    pub(super) const fn unknown_client(tried: Tried) -> Self {
        let description = "no client of this name proves itself like this; counterfoil client add NAME makes one";
        let challenges: &'static [&'static str] = match tried {
            Tried::Basic => &[BASIC],
            Tried::Nothing | Tried::Bearer => &[],
        };
        Self { challenges, ..Self::new(StatusCode::UNAUTHORIZED, "invalid_client", description) }
    }

    /// There is no such grant here.
    pub(super) const fn unsupported_grant() -> Self {
        let description = "grant_type can be client_credentials or urn:ietf:params:oauth:grant-type:token-exchange";
        Self::new(StatusCode::BAD_REQUEST, "unsupported_grant_type", description)
    }

    /// The public client is not one of this server's applications, or has not said which it is.
    pub(super) const fn unknown_application() -> Self {
        let description = "send client_id, the application that the token was issued to, or a guard's credential";
        Self { challenges: &[BEARER, BASIC], ..Self::new(StatusCode::UNAUTHORIZED, "invalid_client", description) }
    }

    /// Too many from one network.
    fn rate_limited(wait: Duration) -> Self {
        let plain = Self::new(StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable", "too many attempts; wait");
        Self { retry_after: Some(wait.as_secs() + 1), ..plain }
    }
}

impl From<Limit> for OAuthError {
    fn from(limit: Limit) -> Self {
        match limit {
            Limit::Wait(wait) => Self::rate_limited(wait),
            Limit::Store(error) => error.into(),
        }
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

impl From<IssueError> for OAuthError {
    fn from(error: IssueError) -> Self {
        let bad = |error, description| Self::new(StatusCode::BAD_REQUEST, error, description);
        match error {
            IssueError::Refused(GrantError::Unauthorized) => {
                bad("unauthorized_client", "[clients] of the configuration does not let this client use this grant")
            }
            IssueError::Refused(GrantError::Target) => bad(
                "invalid_target",
                "name one of the resources that [clients] of the configuration lets this client call, as audience or resource",
            ),
            IssueError::Refused(GrantError::Scope) => bad(
                "invalid_scope",
                "the scope is more than this client, or the subject token, may have at that resource",
            ),
            IssueError::Refused(GrantError::Subject) => {
                bad("invalid_request", "[clients] of the configuration does not let this client exchange that token")
            }
            IssueError::BadProof => DpopError::Bad.into(),
            IssueError::Unproven => {
                bad("invalid_dpop_proof", "this client's tokens are bound to a key: send a DPoP header (RFC 9449)")
            }
            IssueError::SubjectToken => {
                bad("invalid_request", "subject_token is no access token of this server that still counts")
            }
            IssueError::TooLarge => Problem::new(Code::Internal).into(),
            IssueError::Store(error) => error.into(),
        }
    }
}

impl From<DpopError> for OAuthError {
    fn from(error: DpopError) -> Self {
        let bad = |error, description| Self::new(StatusCode::BAD_REQUEST, error, description);
        match error {
            DpopError::UseNonce => {
                bad("use_dpop_nonce", "make the proof anew, with the nonce of the DPoP-Nonce header")
            }
            DpopError::Bad => {
                bad("invalid_dpop_proof", "the proof is not one, is not for this request, or has been used")
            }
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
