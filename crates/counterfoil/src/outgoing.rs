//! Requests that this server sends by itself.

use bytes::Bytes;
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{ClientConfig, RootCertStore};

/// Sends requests with whole bodies.
pub(crate) type Outgoing = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

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
