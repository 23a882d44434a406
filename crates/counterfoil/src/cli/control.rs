//! How a command reaches the data: through the control socket of the server that holds the folder, or, when none does, by
//! holding it itself. Either way the same HTTP handlers answer.

use super::Place;
use super::init::local_app;
use super::serve::CONTROL_SOCKET;
use crate::data::{Data, DataError};
use crate::http::{Peer, control_router};
use anyhow::{Context as _, bail};
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{Method, Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::UnixStream;
use tower::ServiceExt as _;

/// The way to the data.
pub(super) enum Control {
    /// A running server's socket.
    Socket(PathBuf),
    /// This process holds the folder.
    Local(Box<Router>, #[expect(dead_code, reason = "held for its lock")] Data),
}

impl Control {
    /// Finds the way.
    pub(super) async fn open(place: &Place) -> anyhow::Result<Self> {
        if !place.data.exists() {
            bail!("there is no data folder {}; `counterfoil init` makes one", place.data.display());
        }
        match Data::hold(&place.data) {
            Ok(data) => {
                let app = local_app(place, &data).await?;
                Ok(Self::Local(Box::new(control_router(Arc::new(app))), data))
            }
            Err(DataError::InUse { .. }) => Ok(Self::Socket(place.data.join(CONTROL_SOCKET))),
            Err(error) => Err(error.into()),
        }
    }

    /// Asks; an error answer becomes an error with its words.
    pub(super) async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let bytes = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "localhost");
        request = request.header(header::CONTENT_TYPE, "application/json");
        let (status, answer) = match self {
            Self::Local(router, _) => {
                let request = request.extension(Peer::Control).body(Body::from(bytes))?;
                let Ok(response) = router.as_ref().clone().oneshot(request).await;
                whole(response).await?
            }
            Self::Socket(path) => {
                let stream = UnixStream::connect(path).await.with_context(|| {
                    format!(
                        "the server holds the data folder, but its control socket {} does not answer",
                        path.display()
                    )
                })?;
                let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
                let connection = tokio::spawn(connection);
                let response = sender.send_request(request.body(Full::new(bytes))?).await?;
                let answer = whole(response).await?;
                connection.abort();
                answer
            }
        };
        if status.is_success() {
            return Ok(answer);
        }
        let word = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
        bail!("{} {} ({})", word("title"), word("detail"), word("code"))
    }

    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.ask(Method::GET, path, None).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        self.ask(Method::POST, path, Some(body)).await
    }

    /// The account with this address.
    pub(super) async fn user(&self, email: &str) -> anyhow::Result<Value> {
        let query = percent_encode(email);
        let mut found = self.get(&format!("/api/admin/users?email={query}")).await?;
        match found["users"].get_mut(0) {
            Some(user) => Ok(user.take()),
            None => bail!("there is no account with the address {email}"),
        }
    }
}

async fn whole<B>(response: Response<B>) -> anyhow::Result<(http::StatusCode, Value)>
where
    B: hyper::body::Body,
    B::Error: std::error::Error + Send + Sync + 'static,
{
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    let value = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body)? };
    Ok((status, value))
}

fn percent_encode(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    text.bytes().flat_map(|byte| ['%', digit(byte >> 4), digit(byte & 15)]).collect()
}
