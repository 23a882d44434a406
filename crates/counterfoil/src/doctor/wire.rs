//! One request at a time, each on a connection of its own, within bounds. A certificate that is not trusted is noted and gone on with, so
//! that the rest can be looked at; nothing secret is sent there.

use super::certificate;
use super::observed::{Answer, Tls};
use crate::clock::Clock;
use bytes::Bytes;
use counterfoil_core::{Secret, Timestamp};
use http::{HeaderMap, Method, Request, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};
use tokio_rustls::TlsConnector;
use url::Url;

/// How many requests are sent at the most.
pub(crate) const MOST_REQUESTS: u32 = 64;
/// How long each may take.
pub(crate) const EACH_WITHIN: Duration = Duration::from_secs(10);
/// How long all of them may take.
pub(crate) const TOTAL_WITHIN: Duration = Duration::from_mins(3);
/// How much of an answer's body is read.
pub(crate) const MAX_BODY: usize = 256 * 1024;

const USER_AGENT: &str = concat!("counterfoil-doctor/", env!("CARGO_PKG_VERSION"));

/// A request to be sent.
#[derive(Clone)]
pub(super) struct Ask {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Secret<String>,
}

impl Ask {
    pub(super) fn get(url: Url) -> Self {
        Self { method: Method::GET, url, headers: Vec::new(), body: Secret::new(String::new()) }
    }

    pub(super) fn post(url: Url, content_type: &str, body: Secret<String>) -> Self {
        Self { method: Method::POST, body, ..Self::get(url) }.with("content-type", content_type)
    }

    #[must_use]
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Method and path, as they may be shown.
    pub(super) fn line(&self) -> String {
        let query = self.url.query().map_or_else(String::new, |query| format!("?{query}"));
        format!("{} {}{query}", self.method, self.url.path())
    }

    fn request(&self) -> Result<Request<Full<Bytes>>, String> {
        let authority = self.url.authority();
        let query = self.url.query().map_or_else(String::new, |query| format!("?{query}"));
        let mut request = Request::builder().method(&self.method).uri(format!("{}{query}", self.url.path()));
        request = request.header(header::HOST, authority).header(header::USER_AGENT, USER_AGENT);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let body = Full::new(Bytes::from(self.body.expose().clone()));
        request.body(body).map_err(|_| "the request cannot be written: an option holds what no header may".to_owned())
    }
}

/// Sends.
pub(super) struct Wire {
    connector: Option<(TlsConnector, Arc<Witness>)>,
    clock: Arc<dyn Clock>,
    left: u32,
    until: Instant,
    tell: Box<dyn FnMut(&str) + Send>,
}

impl Wire {
    pub(super) fn new(https: bool, clock: Arc<dyn Clock>, tell: Box<dyn FnMut(&str) + Send>) -> Result<Self, String> {
        let connector = https.then(|| connector(Arc::clone(&clock))).transpose()?;
        Ok(Self { connector, clock, left: MOST_REQUESTS, until: Instant::now() + TOTAL_WITHIN, tell })
    }

    /// What was seen of TLS.
    pub(super) fn tls(&self) -> Option<Tls> {
        self.connector.as_ref().and_then(|(_, witness)| witness.seen.lock().clone())
    }

    /// Says what it sends, sends it, and takes the answer. Else why there is none.
    pub(super) async fn ask(&mut self, ask: &Ask) -> Result<Answer, String> {
        let left = self.until.saturating_duration_since(Instant::now());
        if self.left == 0 || left.is_zero() {
            return Err(format!(
                "not asked: {MOST_REQUESTS} requests or {} seconds are used up",
                TOTAL_WITHIN.as_secs()
            ));
        }
        self.left -= 1;
        (self.tell)(&ask.line());
        let within = EACH_WITHIN.min(left);
        let request = ask.request()?;
        match timeout(within, self.exchange(&ask.url, request)).await {
            Ok(answer) => answer,
            Err(_) => Err(format!("no answer within {} seconds", within.as_secs())),
        }
    }

    async fn exchange(&self, url: &Url, request: Request<Full<Bytes>>) -> Result<Answer, String> {
        let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = url.port_or_known_default().unwrap_or(443);
        let tcp = TcpStream::connect((host.as_str(), port)).await;
        let tcp = tcp.map_err(|error| format!("no connection to {host} port {port}: {error}"))?;
        let Some((connector, witness)) = self.connector.as_ref().filter(|_| url.scheme() == "https") else {
            return self.speak(tcp, request).await;
        };
        let name = ServerName::try_from(host).map_err(|_| "the host has no name that a certificate can have")?;
        let tls = connector.connect(name, tcp).await.map_err(|error| format!("no TLS: {error}"))?;
        let version = tls.get_ref().1.protocol_version().map_or_else(String::new, |version| format!("{version:?}"));
        if let Some(seen) = witness.seen.lock().as_mut() {
            seen.version = version.replace('_', ".").replace("TLSv", "TLS ");
        }
        self.speak(tls, request).await
    }

    async fn speak<S>(&self, stream: S, request: Request<Full<Bytes>>) -> Result<Answer, String>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let broken = |error: hyper::Error| format!("the connection broke: {error}");
        let io = TokioIo::new(stream);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await.map_err(broken)?;
        let connection = tokio::spawn(connection);
        let begun = Instant::now();
        let response = sender.send_request(request).await.map_err(broken)?;
        let (parts, body) = response.into_parts();
        let body = read(body).await?;
        let took = begun.elapsed();
        connection.abort();
        let headers: HeaderMap = parts.headers;
        Ok(Answer { status: parts.status.as_u16(), headers, body, took, received: self.clock.now() })
    }
}

/// The body, as far as it is read.
async fn read(mut body: Incoming) -> Result<String, String> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| format!("the answer broke off: {error}"))?;
        if let Some(data) = frame.data_ref() {
            let room = MAX_BODY - bytes.len();
            bytes.extend_from_slice(&data[..data.len().min(room)]);
            if bytes.len() == MAX_BODY {
                break;
            }
        }
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// TLS that goes on with whatever certificate is shown, and a witness of what the library thinks of it.
fn connector(clock: Arc<dyn Clock>) -> Result<(TlsConnector, Arc<Witness>), String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let judge = WebPkiServerVerifier::builder(Arc::new(roots)).build().map_err(|error| {
        format!(
            "this machine trusts no certificate authorities ({error}); install ca-certificates, or set SSL_CERT_FILE"
        )
    })?;
    let witness = Arc::new(Witness { judge, clock, seen: Mutex::default() });
    let shared: Arc<dyn ServerCertVerifier> = Arc::clone(&witness) as Arc<dyn ServerCertVerifier>;
    let config = ClientConfig::builder().dangerous().with_custom_certificate_verifier(shared).with_no_client_auth();
    Ok((TlsConnector::from(Arc::new(config)), witness))
}

struct Witness {
    judge: Arc<WebPkiServerVerifier>,
    clock: Arc<dyn Clock>,
    seen: Mutex<Option<Tls>>,
}

impl std::fmt::Debug for Witness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Witness")
    }
}

impl Witness {
    /// The first distrust stays: a site of several servers is as good as its worst.
    fn note(&self, distrust: Option<String>, expires: Option<Timestamp>) {
        let mut seen = self.seen.lock();
        let earlier = seen.take().unwrap_or_default();
        let distrust = earlier.distrust.or(distrust);
        *seen = Some(Tls { version: earlier.version, distrust, expires, now: self.clock.now() });
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let judged = self.judge.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        self.note(judged.err().map(|error| error.to_string()), certificate::not_after(end_entity));
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.judge.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.judge.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.judge.supported_verify_schemes()
    }
}
