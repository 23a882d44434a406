//! The listeners: TCP, TLS, and the control socket. Each connection is a task; stopping waits for what is under way.

use super::Peer;
use super::patience::Patience;
use axum::Router;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::GracefulShutdown;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt as _;

/// How long a client may take to send its request's head.
const HEAD_WITHIN: Duration = Duration::from_secs(10);

/// How long a TLS handshake may take.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);

/// How long stopping waits for requests under way.
const DRAIN_WITHIN: Duration = Duration::from_secs(10);

/// The longest request head; also bounds the header list.
const MAX_HEAD: usize = 64 * 1024;

/// A listener with its application.
pub struct Server {
    router: Router,
    graceful: GracefulShutdown,
    builder: Builder<TokioExecutor>,
}

impl Server {
    /// Serves this application.
    pub fn new(router: Router) -> Self {
        // HTTP/1.1 only: with a choice of versions, a client that says nothing is waited for without limit, and an idle
        // HTTP/2 connection is never given up. A proxy in front may speak what it likes.
        let mut builder = Builder::new(TokioExecutor::new()).http1_only();
        builder.http1().header_read_timeout(HEAD_WITHIN).max_buf_size(MAX_HEAD);
        Self { router, graceful: GracefulShutdown::new(), builder }
    }

    /// Accepts TCP connections until `stop` resolves, then lets what is under way finish.
    pub async fn tcp(self, listener: TcpListener, tls: Option<TlsAcceptor>, most: u32, stop: impl Future<Output = ()>) {
        let connections = Arc::new(Semaphore::new(most as usize));
        let mut stop = std::pin::pin!(stop);
        loop {
            let permit = tokio::select! {
                permit = Arc::clone(&connections).acquire_owned() => permit,
                () = &mut stop => break,
            };
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                () = &mut stop => break,
            };
            let (stream, address) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors, as a rule: going round at once would only burn the processor.
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "no TCP_NODELAY");
            }
            let peer = Peer::Network(address.ip().to_canonical());
            match tls.clone() {
                None => self.connection(stream, peer, permit),
                Some(acceptor) => {
                    let (router, builder, watcher) = (self.router.clone(), self.builder(), self.graceful.watcher());
                    tokio::spawn(async move {
                        let handshake = tokio::time::timeout(HANDSHAKE_WITHIN, acceptor.accept(stream)).await;
                        if let Ok(Ok(stream)) = handshake {
                            let connection = builder.serve_connection(TokioIo::new(stream), service(router, peer));
                            finish(watcher.watch(connection.into_owned()).await);
                        }
                        drop(permit);
                    });
                }
            }
        }
        drop(listener);
        self.drain().await;
    }

    /// Accepts connections on the control socket until `stop` resolves.
    pub async fn control(self, listener: UnixListener, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => self.connection(stream, Peer::Control, ()),
                    Err(error) => tracing::warn!(%error, "the control socket could not accept"),
                },
                () = &mut stop => break,
            }
        }
        self.drain().await;
    }

    /// For one connection, with a timer of its own.
    fn builder(&self) -> Builder<TokioExecutor> {
        let mut builder = self.builder.clone();
        builder.http1().timer(Patience::default());
        builder
    }

    fn connection<S, P>(&self, stream: S, peer: Peer, permit: P)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        P: Send + 'static,
    {
        let builder = self.builder();
        let connection = builder.serve_connection(TokioIo::new(stream), service(self.router.clone(), peer));
        let watched = self.graceful.watch(connection.into_owned());
        tokio::spawn(async move {
            finish(watched.await);
            drop(permit);
        });
    }

    async fn drain(self) {
        if tokio::time::timeout(DRAIN_WITHIN, self.graceful.shutdown()).await.is_err() {
            tracing::warn!("some connections were still busy and have been cut");
        }
    }
}

fn finish(outcome: Result<(), Box<dyn std::error::Error + Send + Sync>>) {
    if let Err(error) = outcome {
        tracing::debug!(%error, "a connection ended early");
    }
}

fn service(
    router: Router,
    peer: Peer,
) -> impl hyper::service::Service<
    http::Request<Incoming>,
    Response = axum::response::Response,
    Error = std::convert::Infallible,
    Future = impl Future<Output = Result<axum::response::Response, std::convert::Infallible>> + Send + 'static,
> + Clone {
    hyper::service::service_fn(move |mut request: http::Request<Incoming>| {
        request.extensions_mut().insert(peer);
        router.clone().oneshot(request.map(axum::body::Body::new))
    })
}
