//! Requests that this server sends by itself.

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};
use std::error::Error as _;
use std::time::Duration;

/// Connecting, sending and the head of the answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(8);

/// Then the rest of the answer.
const REST_WITHIN: Duration = Duration::from_secs(2);

/// The most that is taken of an answer's body, and of its head.
pub(crate) const MAX_ANSWER: usize = 64 * 1024;

/// What such a request says of its sender.
pub(crate) const USER_AGENT: &str = concat!("counterfoil/", env!("CARGO_PKG_VERSION"));

/// Sends requests with whole bodies.
pub(crate) type Outgoing = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// An answer: its status, and its body if that came in time and was no longer than [`MAX_ANSWER`].
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Option<Bytes>,
}

/// Sends a request and reads the answer, within bounds. Else what to say of it, for the log.
pub(crate) async fn send(client: &Outgoing, request: Request<Full<Bytes>>) -> Result<Answer, String> {
    let response = match tokio::time::timeout(ANSWER_WITHIN, client.request(request)).await {
        Err(_) => return Err(format!("no answer within {} seconds", ANSWER_WITHIN.as_secs())),
        // What the library says itself is "client error"; what went wrong is below it.
        Ok(Err(error)) => return Err(error.source().map_or_else(|| error.to_string(), ToString::to_string)),
        Ok(Ok(response)) => response,
    };
    let status = response.status();
    // What does not come in time or is too long is left where it is, and its connection with it.
    let rest = tokio::time::timeout(REST_WITHIN, Limited::new(response.into_body(), MAX_ANSWER).collect()).await;
    let body = rest.ok().and_then(Result::ok).map(http_body_util::Collected::to_bytes);
    Ok(Answer { status, body })
}

/// A client that keeps one connection, and takes at most this much of an answer's head. Over TLS the other side has to be vouched for by
/// an authority that this machine trusts.
pub(crate) fn client(https: bool, most: usize) -> std::io::Result<Outgoing> {
    let builder = HttpsConnectorBuilder::new();
    let builder = if https {
        builder.with_native_roots()?
    } else {
        builder.with_tls_config(
            ClientConfig::builder().with_root_certificates(RootCertStore::empty()).with_no_client_auth(),
        )
    };
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    let connector = builder.https_or_http().enable_http1().wrap_connector(http);
    let mut builder = Client::builder(TokioExecutor::new());
    builder.pool_timer(TokioTimer::new()).pool_max_idle_per_host(1).http1_max_buf_size(most);
    Ok(builder.build(connector))
}
