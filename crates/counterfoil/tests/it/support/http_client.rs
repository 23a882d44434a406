//! One HTTP/1.1 exchange over a blocking socket; enough for tests that talk to a real server.

use super::written;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Status, raw head and body.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Exchange {
    /// The value of a cookie that the answer sets.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        let start = format!("{name}=");
        self.head
            .lines()
            .filter_map(|line| line.split_once(": "))
            .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
            .find_map(|(_, value)| value.strip_prefix(&start)?.split(';').next().map(str::to_owned))
    }
}

/// Sends a request with these header lines; `Err` when the connection breaks before a whole answer has come.
pub(crate) fn exchange(
    address: SocketAddr,
    request_line: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> std::io::Result<Exchange> {
    exchange_within(Duration::from_secs(20), address, request_line, headers, body)
}

/// The same with another patience.
pub(super) fn exchange_within(
    patience: Duration,
    address: SocketAddr,
    request_line: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> std::io::Result<Exchange> {
    let target = request_line.split(' ').nth(1).unwrap_or_default();
    written::asked(target, headers.iter().copied(), body);
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(patience))?;
    let mut text = format!("{request_line} HTTP/1.1\r\nHost: localhost:{}\r\nConnection: close\r\n", address.port());
    for (name, value) in headers {
        text.extend([name, ": ", value, "\r\n"]);
    }
    let length = body.len().to_string();
    text.extend(["Content-Length: ", &length, "\r\n\r\n", body]);
    stream.write_all(text.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let broken = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(broken)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(broken)?;
    written::answered(target, status, head.lines().filter_map(|line| line.split_once(": ")), body);
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    if length.is_some_and(|length: usize| body.len() < length) {
        return Err(broken());
    }
    Ok(Exchange { status, head: head.to_owned(), body: body.to_owned() })
}

/// Sends a request as a script of a page at `origin` does: its origin, the custom header, JSON if there is a body.
pub(crate) fn from_page(
    address: SocketAddr,
    origin: &str,
    request_line: &str,
    cookie: &str,
    json: &str,
) -> std::io::Result<Exchange> {
    let mut headers = vec![("Origin", origin), ("X-Requested-With", "test")];
    if !cookie.is_empty() {
        headers.push(("Cookie", cookie));
    }
    if !json.is_empty() {
        headers.push(("Content-Type", "application/json"));
    }
    exchange(address, request_line, &headers, json)
}

/// Begins a request with a JSON body that is still to come; the server has begun to wait for it.
pub(crate) fn begin(address: SocketAddr, request_line: &str, length: usize) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let headers = "Host: localhost\r\nContent-Type: application/json\r\nExpect: 100-continue";
    let head = format!("{request_line} HTTP/1.1\r\n{headers}\r\nContent-Length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream
}
