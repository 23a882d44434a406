//! How a command reaches the data: through the control socket of the server that holds the folder, or, when none does, by
//! holding it itself. Either way the same HTTP handlers answer.

use super::Place;
use super::init::local_app;
use super::serve::CONTROL_SOCKET;
use crate::data::{Data, DataError};
use crate::http::{Peer, control_router};
use crate::replica;
use anyhow::{Context as _, bail};
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{Method, Request, Response, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use std::io::Write as _;
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
                let app = Arc::new(local_app(place, &data).await?);
                while !replica::beat(&app, false).await? {}
                // For as long as the command runs: a receipt says what the replicas have come to.
                tokio::spawn(replica::run(Arc::clone(&app), false, std::future::pending()));
                Ok(Self::Local(Box::new(control_router(app)), data))
            }
            Err(DataError::InUse { .. }) => Ok(Self::Socket(place.data.join(CONTROL_SOCKET))),
            Err(error) => Err(error.into()),
        }
    }

    /// Asks; an error answer becomes an error with its words.
    pub(super) async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let bytes = body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()));
        let response = self.send(Self::request(method, path), bytes).await?;
        let status = response.status();
        let body = response.into_body().collect().await?.to_bytes();
        let answer = if body.is_empty() { Value::Null } else { serde_json::from_slice(&body)? };
        if status.is_success() { Ok(answer) } else { Err(refused(&answer)) }
    }

    fn request(method: Method, path: &str) -> http::request::Builder {
        let request = Request::builder().method(method).uri(path).header(header::HOST, "localhost");
        request.header(header::CONTENT_TYPE, "application/json")
    }

    async fn send(&self, request: http::request::Builder, body: Bytes) -> anyhow::Result<Response<Body>> {
        match self {
            Self::Local(router, _) => {
                let request = request.extension(Peer::Control).body(Body::from(body))?;
                let Ok(response) = router.as_ref().clone().oneshot(request).await;
                Ok(response)
            }
            Self::Socket(path) => {
                let stream = UnixStream::connect(path).await.with_context(|| {
                    format!(
                        "the server holds the data folder, but its control socket {} does not answer",
                        path.display()
                    )
                })?;
                let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
                // Ends by itself when the answer has been read; the process is about to end anyway.
                tokio::spawn(connection);
                Ok(sender.send_request(request.body(Full::new(body))?).await?.map(Body::new))
            }
        }
    }

    pub(super) async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.ask(Method::GET, path, None).await
    }

    pub(super) async fn post(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        self.ask(Method::POST, path, Some(body)).await
    }

    /// Ends access; with a receipt if one is wanted.
    pub(super) async fn end(&self, path: &str, body: Value, receipt: bool) -> anyhow::Result<()> {
        if receipt {
            return self.end_with_receipt(Method::POST, path, Some(body)).await;
        }
        self.post(path, body).await.map(|_| ())
    }

    /// The same by deleting something.
    pub(super) async fn delete(&self, path: &str, receipt: bool) -> anyhow::Result<()> {
        if receipt {
            return self.end_with_receipt(Method::DELETE, path, None).await;
        }
        self.ask(Method::DELETE, path, None).await.map(|_| ())
    }

    /// Ends access, waits until it is in force everywhere, and says so, verifier by verifier as they confirm.
    async fn end_with_receipt(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<()> {
        let request = Self::request(method, &format!("{path}?receipt=effective"));
        let request = request.header(header::ACCEPT, "application/x-ndjson");
        let response = self.send(request, body.map_or_else(Bytes::new, |body| Bytes::from(body.to_string()))).await?;
        read_lines(response, |line| tell(&serde_json::from_slice(line)?)).await
    }

    /// Asks for an answer in lines, and hands them on as they come, each with its line break.
    pub(super) async fn lines(&self, path: &str, each: impl FnMut(&[u8]) -> anyhow::Result<()>) -> anyhow::Result<()> {
        read_lines(self.send(Self::request(Method::GET, path), Bytes::new()).await?, each).await
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

async fn read_lines(response: Response<Body>, mut each: impl FnMut(&[u8]) -> anyhow::Result<()>) -> anyhow::Result<()> {
    let status = response.status();
    let mut body = response.into_body();
    let mut text = Vec::new();
    while let Some(frame) = body.frame().await {
        text.extend_from_slice(frame?.data_ref().map_or(&[][..], |data| data));
        let whole = text.iter().rposition(|byte| *byte == b'\n').filter(|_| status.is_success());
        if let Some(end) = whole {
            text[..=end].split_inclusive(|byte| *byte == b'\n').try_for_each(&mut each)?;
            text.drain(..=end);
        }
    }
    if status.is_success() { Ok(()) } else { Err(refused(&serde_json::from_slice(&text)?)) }
}

/// A line of a receipt: a verifier, or the end.
fn tell(line: &Value) -> anyhow::Result<()> {
    let word = |name: &str| line[name].as_str().unwrap_or_default();
    let ms = line["ms"].as_u64().unwrap_or_default();
    let text = if line["effective"] == Value::Bool(true) {
        let (confirmed, of) = (line["confirmed"].as_u64().unwrap_or_default(), line["of"].as_u64().unwrap_or_default());
        format!("in force everywhere after {ms} ms: {confirmed} of {of} verifiers confirmed it, this server included")
    } else {
        let how = match word("how") {
            "acknowledged" => "refuses",
            _ => "has not been heard of, and accepts nothing any more",
        };
        format!("{:>7} ms  {} ({}) {how}", ms, word("name"), word("instance"))
    };
    Ok(writeln!(std::io::stdout(), "{text}")?)
}

fn refused(answer: &Value) -> anyhow::Error {
    let word = |name: &str| answer[name].as_str().unwrap_or_default();
    anyhow::anyhow!("{} {} ({})", word("title"), word("detail"), word("code"))
}

pub(super) fn percent_encode(text: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    text.bytes().flat_map(|byte| ['%', digit(byte >> 4), digit(byte & 15)]).collect()
}
