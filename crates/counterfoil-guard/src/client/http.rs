//! The four requests a guard makes.

use super::config::Config;
use crate::base64url;
use crate::feed::Poll;
use crate::refusal::Refusal;
use crate::status_list::MAX_LIST_TOKEN_BYTES;
use crate::wire::Answer;
use bytes::{Bytes, BytesMut};
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A snapshot of a million entries has 40 MB.
const MAX_FEED: usize = 64 << 20;
const MAX_KEYS: usize = 1 << 20;
const MAX_INTROSPECTION: usize = 64 << 10;

/// How long an answer may take that is waited for as long as it goes on coming: a snapshot over a slow line.
const WHOLE_WITHIN: Duration = Duration::from_secs(30);

/// How long the authority may take to tell about one token.
const INTROSPECTION_WITHIN: Duration = Duration::from_secs(2);

/// Why a request brought nothing. For the log: it holds no secret.
#[derive(Debug)]
pub(super) enum Failed {
    /// No connection, or it broke off.
    Connection(String),
    /// Nothing came in time.
    TimedOut,
    /// Another status.
    Status(StatusCode),
    /// Not what was asked for.
    Unreadable(String),
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(what) => write!(f, "cannot reach the authority: {what}"),
            Self::TimedOut => f.write_str("the authority did not answer in time"),
            Self::Status(StatusCode::UNAUTHORIZED) => {
                f.write_str("the authority does not know the credential; `counterfoil guard add` makes one")
            }
            Self::Status(status) => write!(f, "the authority answered {status}"),
            Self::Unreadable(what) => write!(f, "the authority's answer cannot be read: {what}"),
        }
    }
}

/// How long an answer is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// For its head, and for each further piece.
    step: Duration,
    /// For all of it.
    all: Duration,
}

impl Patience {
    /// So long and no longer: another attempt may still keep the lease alive.
    pub(super) const fn all(within: Duration) -> Self {
        Self { step: within, all: within }
    }

    /// As long as something comes at least this often: there is no lease to lose.
    pub(super) const fn step(within: Duration) -> Self {
        Self { step: within, all: WHOLE_WITHIN }
    }
}

/// The type that a status list comes as (TSL-8.2).
const STATUS_LIST: &str = "application/statuslist+jwt";

/// How long a status list may take: whoever asks waits for it.
const LIST_WITHIN: Duration = Duration::from_secs(5);

/// What became of asking for a status list.
pub(super) enum Listed {
    /// It is still the one with the tag that was sent.
    Unchanged,
    /// This one, not verified.
    List { token: String, tag: Option<HeaderValue> },
}

/// A connection pool to the authority.
pub(super) struct Http {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Http")
    }
}

#[derive(Deserialize)]
struct Introspection {
    active: bool,
    reason: Option<String>,
}

impl Http {
    /// Trusts what the system trusts.
    pub(super) fn new() -> Self {
        let provider = rustls::crypto::aws_lc_rs::default_provider();
        let connector = HttpsConnectorBuilder::new().with_provider_and_native_roots(provider.clone());
        let connector = connector.unwrap_or_else(|error| {
            tracing::warn!(%error, "the system has no certificates; only http:// to this machine will work");
            HttpsConnectorBuilder::new().with_tls_config(trusting_nobody(provider))
        });
        let connector = connector.https_or_http().enable_http1().build();
        Self { client: Client::builder(TokioExecutor::new()).build(connector) }
    }

    /// One poll of the feed.
    pub(super) async fn poll(&self, config: &Config, poll: &Poll, patience: Patience) -> Result<Answer, Failed> {
        let Poll { instance, nonce, after, wait } = poll;
        let after = after.map(|cursor| format!("&after={cursor}")).unwrap_or_default();
        let wait = wait.as_millis();
        let uri = format!("{}/api/revocations?instance={instance}&nonce={nonce}&wait={wait}{after}", config.authority);
        let request = Request::get(uri).header(header::AUTHORIZATION, format!("Bearer {}", config.credential));
        let body = self.fetch(request, Bytes::new(), patience, MAX_FEED).await?;
        serde_json::from_slice(&body).map_err(|error| Failed::Unreadable(error.to_string()))
    }

    /// The key set, past every cache.
    pub(super) async fn keys(&self, config: &Config) -> Result<Bytes, Failed> {
        let uri = format!("{}/.well-known/jwks.json", config.authority);
        let request = Request::get(uri).header(header::CACHE_CONTROL, "no-cache");
        self.fetch(request, Bytes::new(), Patience::all(INTROSPECTION_WITHIN), MAX_KEYS).await
    }

    /// A status list (TSL-8.1), or that it has not changed since the one with this tag.
    pub(super) async fn status_list(
        &self,
        config: &Config,
        uri: &str,
        tag: Option<&HeaderValue>,
    ) -> Result<Listed, Failed> {
        // The authority may be reached by another way than its public one.
        let path = uri.strip_prefix(&config.issuer).unwrap_or(uri);
        let mut request = Request::get(format!("{}{path}", config.authority)).header(header::ACCEPT, STATUS_LIST);
        if let Some(tag) = tag {
            request = request.header(header::IF_NONE_MATCH, tag);
        }
        let answer = self.answer(request, Bytes::new(), Patience::all(LIST_WITHIN), MAX_LIST_TOKEN_BYTES).await?;
        match answer.status() {
            StatusCode::NOT_MODIFIED if tag.is_some() => return Ok(Listed::Unchanged),
            StatusCode::OK => {}
            status => return Err(Failed::Status(status)),
        }
        if answer.headers().get(header::CONTENT_TYPE).is_none_or(|kind| kind.as_bytes() != STATUS_LIST.as_bytes()) {
            return Err(Failed::Unreadable(format!("a status list must come as {STATUS_LIST}")));
        }
        let tag = answer.headers().get(header::ETAG).cloned();
        let token =
            String::from_utf8(answer.into_body().into()).map_err(|error| Failed::Unreadable(error.to_string()))?;
        Ok(Listed::List { token, tag })
    }

    /// Whether the authority believes the token (RFC 7662). A token goes into a form as it is: base64url and dots.
    pub(super) async fn introspect(&self, config: &Config, token: &str) -> Result<(), Refusal> {
        let request = Request::post(format!("{}/oauth/introspect", config.authority))
            .header(header::AUTHORIZATION, format!("Bearer {}", config.credential))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let form = Bytes::from(format!("token={token}&token_type_hint=access_token"));
        let body = self.fetch(request, form, Patience::all(INTROSPECTION_WITHIN), MAX_INTROSPECTION).await.map_err(
            |error| {
                tracing::warn!(%error, "introspection failed; the request is refused");
                Refusal::VerifierStale
            },
        )?;
        let answer: Introspection = serde_json::from_slice(&body).map_err(|_| Refusal::VerifierStale)?;
        match (answer.active, answer.reason.as_deref()) {
            (true, _) => Ok(()),
            (false, Some("token_stale")) => Err(Refusal::Stale),
            (false, Some("token_expired")) => Err(Refusal::Expired),
            (false, Some("session_revoked")) => Err(Refusal::Revoked),
            (false, _) => Err(Refusal::Inactive),
        }
    }

    async fn fetch(
        &self,
        request: http::request::Builder,
        body: Bytes,
        patience: Patience,
        most: usize,
    ) -> Result<Bytes, Failed> {
        let response = self.answer(request, body, patience, most).await?;
        if response.status() == StatusCode::OK {
            Ok(response.into_body())
        } else {
            Err(Failed::Status(response.status()))
        }
    }

    /// What is answered; only a 200 has a body. Redirects are not followed.
    async fn answer(
        &self,
        request: http::request::Builder,
        body: Bytes,
        patience: Patience,
        most: usize,
    ) -> Result<Response<Bytes>, Failed> {
        let exchange = self.exchange(request, body, patience.step, most);
        tokio::time::timeout(patience.all, exchange).await.map_err(|_| Failed::TimedOut)?
    }

    async fn exchange(
        &self,
        request: http::request::Builder,
        body: Bytes,
        step: Duration,
        most: usize,
    ) -> Result<Response<Bytes>, Failed> {
        let request = request.body(Full::new(body)).map_err(|error| Failed::Unreadable(error.to_string()))?;
        let head = tokio::time::timeout(step, self.client.request(request)).await.map_err(|_| Failed::TimedOut)?;
        let response: Response<_> = head.map_err(|error| Failed::Connection(root_of(&error)))?;
        let (head, body) = response.into_parts();
        if head.status != StatusCode::OK {
            return Ok(Response::from_parts(head, Bytes::new()));
        }
        let mut body = Limited::new(body, most);
        let mut whole = BytesMut::new();
        while let Some(frame) = tokio::time::timeout(step, body.frame()).await.map_err(|_| Failed::TimedOut)? {
            let frame = frame.map_err(|error| Failed::Connection(error.to_string()))?;
            whole.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
        }
        Ok(Response::from_parts(head, whole.freeze()))
    }
}

/// The innermost reason: "connection refused" and not "client error".
fn root_of(error: &dyn std::error::Error) -> String {
    let mut root = error;
    while let Some(source) = root.source() {
        root = source;
    }
    root.to_string()
}

fn trusting_nobody(provider: CryptoProvider) -> ClientConfig {
    let config = ClientConfig::builder_with_provider(Arc::new(provider)).with_safe_default_protocol_versions();
    let config = config.expect("the provider has the default versions");
    config.with_root_certificates(RootCertStore::empty()).with_no_client_auth()
}

/// Random bytes from the operating system's generator.
pub(super) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system's random generator does not fail once it is seeded");
    bytes
}

/// Tells an answer from any other.
pub(super) fn nonce() -> String {
    base64url::encode(&random::<12>())
}
