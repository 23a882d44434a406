//! A receiver of Shared Signals, by easyssf-receiver: it finds the transmitter by its metadata, gets a token, makes its stream, polls it, verifies
//! what comes, and acknowledges it. The configuration is the file that is named; each event is a line of JSON. It ends with its input.

use async_trait::async_trait;
use easyssf_receiver::config::SsfReceiverConfig;
use easyssf_receiver::event::SsfEventContext;
use easyssf_receiver::http::{SsfHttpClient, SsfHttpRequest, SsfHttpResponse};
use easyssf_receiver::{BoxError, SsfReceiver};
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

/// HTTP to this machine, a connection for each request.
struct Loopback;

#[async_trait]
impl SsfHttpClient for Loopback {
    async fn execute(&self, request: SsfHttpRequest) -> Result<SsfHttpResponse, BoxError> {
        let url = &request.url;
        let port = url.port().ok_or("a port")?;
        let target = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        let body = request.body.unwrap_or_default();
        let mut head = format!("{} {target} HTTP/1.1\r\nhost: localhost:{port}\r\nconnection: close\r\n", request.method);
        for (name, value) in &request.headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("content-length: {}\r\n\r\n{body}", body.len());
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.write_all(head.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let (head, body) = answer.split_once("\r\n\r\n").ok_or("a head")?;
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).ok_or("a status")?.parse()?;
        let headers = lines.filter_map(|line| line.split_once(": "));
        let response = SsfHttpResponse::new(status, body);
        Ok(headers.fold(response, |response, (name, value)| response.with_header(name, value)))
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let file = std::env::args().nth(1).ok_or("usage: easyssf-interop CONFIG")?;
    let config: SsfReceiverConfig = toml::from_str(&std::fs::read_to_string(file)?)?;
    let tell = |context: SsfEventContext| async move {
        let types: Vec<String> = context.event_types().into_iter().collect();
        let token = context.event_token();
        println!("{}", json!({ "types": types, "jti": token.jti(), "iss": token.issuer(), "sub_id": token.subject_id() }));
        Ok(())
    };
    let receiver = SsfReceiver::builder(config).http_client(Loopback).handler(tell).build()?;
    receiver.start();
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while lines.next_line().await?.is_some() {
        println!("{}", json!({ "health": receiver.health().await.status.as_str() }));
    }
    receiver.shutdown().await;
    Ok(())
}
