//! A lean HTTP/1.1 client: one keep-alive connection, one request at a time, request bytes built beforehand.
//!
//! The load shares a machine with what it loads, so it must cost less than the cheapest server it drives. It therefore
//! parses the status, the length and the one cookie it is asked for, and nothing else. Not a client for strangers: an
//! answer without `Content-Length` (chunked, or until close) is an error.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The largest answer, head and body, that is taken.
const BUFFER: usize = 64 * 1024;
const HEAD_END: &[u8] = b"\r\n\r\n";

/// The server closes a connection that is not used for ten seconds; one that has rested this long is replaced before it is used.
const FRESH: Duration = Duration::from_secs(5);

/// A keep-alive connection.
#[derive(Debug)]
pub(crate) struct Connection {
    address: SocketAddr,
    stream: TcpStream,
    used: Instant,
    buffer: Box<[u8]>,
}

/// An answer, borrowed from the connection's buffer.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    /// The status code.
    pub(crate) status: u16,
    head: &'a [u8],
    /// The body, whole.
    pub(crate) body: &'a [u8],
}

impl Connection {
    /// Opens a connection.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        let (stream, buffer) = (connect(address).await?, vec![0; BUFFER].into_boxed_slice());
        Ok(Self { address, stream, used: Instant::now(), buffer })
    }

    /// Sends `request` as it stands and reads the answer to its end.
    pub(crate) async fn call(&mut self, request: &[u8]) -> Result<Answer<'_>> {
        if self.used.elapsed() > FRESH {
            self.stream = connect(self.address).await?;
        }
        self.stream.write_all(request).await?;
        let mut filled = 0;
        let head_length = loop {
            let seen = filled;
            filled += self.read_more(filled).await?;
            let from = seen.saturating_sub(HEAD_END.len() - 1);
            if let Some(at) = find(&self.buffer[from..filled], HEAD_END) {
                break from + at + HEAD_END.len();
            }
        };
        let (status, body_length) = parse_head(&self.buffer[..head_length])?;
        let total = head_length + body_length;
        if total > BUFFER {
            bail!("an answer of {total} bytes is more than this client takes");
        }
        while filled < total {
            filled += self.read_more(filled).await?;
        }
        if filled > total {
            bail!("{} bytes after the end of the answer", filled - total);
        }
        self.used = Instant::now();
        let (head, body) = self.buffer[..total].split_at(head_length);
        Ok(Answer { status, head, body })
    }

    async fn read_more(&mut self, filled: usize) -> Result<usize> {
        match self.stream.read(&mut self.buffer[filled..]).await? {
            0 if filled == BUFFER => bail!("an answer of more than {BUFFER} bytes"),
            0 => bail!("the server closed the connection"),
            read => Ok(read),
        }
    }
}

async fn connect(address: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect(address).await.with_context(|| format!("cannot connect to {address}"))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

impl Answer<'_> {
    /// The value of the cookie `name` that this answer sets.
    pub(crate) fn cookie(&self, name: &str) -> Option<&[u8]> {
        lines(self.head).find_map(|line| {
            let cookie = header_value(line, b"set-cookie")?;
            let value = cookie.strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
            Some(value.split(|&byte| byte == b';').next().unwrap_or(value))
        })
    }

    /// The value of the header `name` (lower case).
    pub(crate) fn header(&self, name: &str) -> Option<&[u8]> {
        lines(self.head).find_map(|line| header_value(line, name.as_bytes()))
    }

    /// Whether it says that the server has too much to do, and when to come again (RFC 9110, sections 10.2.3 and 15.6.4).
    pub(crate) fn is_busy(&self) -> bool {
        self.status == 503 && self.header("retry-after").is_some()
    }

    /// Status and body in one line, for complaints.
    pub(crate) fn describe(&self) -> String {
        let body = String::from_utf8_lossy(self.body);
        format!("{} {}", self.status, body.chars().take(200).collect::<String>())
    }
}

fn parse_head(head: &[u8]) -> Result<(u16, usize)> {
    let status_line = head.get(..12).context("a status line is missing")?;
    if !status_line.starts_with(b"HTTP/1.") {
        bail!("this is not HTTP/1: {}", String::from_utf8_lossy(status_line));
    }
    let status = number(&status_line[9..]).context("the status is not a number")?;
    let status = u16::try_from(status).context("the status is not a status")?;
    let length = lines(head).find_map(|line| header_value(line, b"content-length"));
    let length = match length {
        Some(value) => number(value).context("the content length is not a number")?,
        None if status == 204 || status == 304 => 0,
        None => bail!("an answer {status} without a content length"),
    };
    Ok((status, length))
}

/// The header lines of a head, without the status line.
fn lines(head: &[u8]) -> impl Iterator<Item = &[u8]> {
    head.split(|&byte| byte == b'\n').skip(1)
}

/// The value of `line` if it is the header `name` (lower case).
fn header_value<'a>(line: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (key, rest) = line.split_at_checked(name.len())?;
    let value = rest.strip_prefix(b":")?;
    key.eq_ignore_ascii_case(name).then(|| value.trim_ascii())
}

fn number(digits: &[u8]) -> Option<usize> {
    str::from_utf8(digits).ok()?.trim().parse().ok()
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// A request with a cookie whose value can be exchanged, all in one buffer that goes out as it is.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    bytes: Vec<u8>,
    cookie: std::ops::Range<usize>,
}

impl Request {
    /// `GET path` as a browser on the application's own host would send it.
    pub(crate) fn get(port: u16, path: &str, cookie: Option<(&str, &str)>) -> Self {
        Self::build(("GET", path), port, cookie, None)
    }

    /// `POST path`, with a JSON body if there is one.
    pub(crate) fn post(port: u16, path: &str, cookie: Option<(&str, &str)>, json: Option<&str>) -> Self {
        Self::build(("POST", path), port, cookie, json.map(|json| ("application/json", json)))
    }

    /// `POST path` with a form.
    pub(crate) fn form(port: u16, path: &str, form: &str) -> Self {
        Self::build(("POST", path), port, None, Some(("application/x-www-form-urlencoded", form)))
    }

    fn build(
        (method, path): (&str, &str),
        port: u16,
        cookie: Option<(&str, &str)>,
        body: Option<(&str, &str)>,
    ) -> Self {
        let mut head = vec![format!("{method} {path} HTTP/1.1\r\nHost: localhost:{port}\r\n")];
        if method != "GET" {
            head.push(format!("Origin: http://localhost:{port}\r\nX-Requested-With: bench\r\n"));
            head.push(format!("Content-Length: {}\r\n", body.map_or(0, |(_, body)| body.len())));
        }
        if let Some((content, _)) = body {
            head.push(format!("Content-Type: {content}\r\n"));
        }
        let (name, value) = cookie.unwrap_or_default();
        if !name.is_empty() {
            head.push(format!("Cookie: {name}="));
        }
        let mut bytes = head.concat().into_bytes();
        let start = bytes.len();
        bytes.extend_from_slice(value.as_bytes());
        let cookie = start..bytes.len();
        bytes.extend_from_slice(if name.is_empty() { b"\r\n" } else { b"\r\n\r\n" });
        bytes.extend_from_slice(body.map(|(_, body)| body).unwrap_or_default().as_bytes());
        Self { bytes, cookie }
    }

    /// With these header lines, each with its line end.
    pub(crate) fn with(mut self, lines: &str) -> Self {
        let at = find(&self.bytes, b"\r\n").map_or(0, |end| end + 2);
        self.bytes.splice(at..at, lines.bytes());
        self.cookie = self.cookie.start + lines.len()..self.cookie.end + lines.len();
        self
    }

    /// The bytes to send.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Sends `value` in the cookie from now on.
    pub(crate) fn exchange_cookie(&mut self, value: &[u8]) {
        if value.len() == self.cookie.len() {
            self.bytes[self.cookie.clone()].copy_from_slice(value);
        } else {
            self.bytes.splice(self.cookie.clone(), value.iter().copied());
            self.cookie.end = self.cookie.start + value.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::{Answer, Connection, Request, parse_head};

    #[test]
    fn a_head_gives_status_and_length() {
        assert_eq!(parse_head(b"HTTP/1.1 201 Created\r\nContent-Length: 17\r\n\r\n").expect("a good head"), (201, 17));
        assert_eq!(parse_head(b"HTTP/1.1 204 No Content\r\n\r\n").expect("a good head"), (204, 0));
        assert!(parse_head(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
        assert!(parse_head(b"SSH-2.0-OpenSSH\r\n\r\n").is_err());
    }

    #[test]
    fn the_wanted_cookie_is_found_by_its_whole_name() {
        let head = b"HTTP/1.1 200 OK\r\nset-cookie: cf=1; Path=/\r\nSet-Cookie: cf_refresh=cfr_x; HttpOnly\r\n\r\n";
        let answer = Answer { status: 200, head, body: b"" };
        assert_eq!(answer.cookie("cf_refresh"), Some(&b"cfr_x"[..]));
        assert_eq!(answer.cookie("cf"), Some(&b"1"[..]));
        assert_eq!(answer.cookie("cf_ref"), None);
    }

    #[test]
    fn a_cookie_is_exchanged_whatever_its_length() {
        let mut request = Request::post(1, "/r", Some(("c", "short")), None);
        request.exchange_cookie(b"rather longer");
        request.exchange_cookie(b"x");
        assert!(request.bytes().ends_with(b"Cookie: c=x\r\n\r\n"));
    }

    #[tokio::test]
    async fn answers_may_come_in_pieces_and_the_connection_serves_again() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move {
            let (mut peer, _) = listener.accept().await.expect("a connection");
            let mut request = [0; 1024];
            while peer.read(&mut request).await.expect("a request") > 0 {
                for piece in ["HTTP/1.1 200 OK\r\nContent-Le", "ngth: 5\r\n\r", "\nhel", "lo"] {
                    peer.write_all(piece.as_bytes()).await.expect("a reader");
                    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
                }
            }
        });
        let mut connection = Connection::open(address).await.expect("a listener");
        let request = Request::get(address.port(), "/", None);
        for _ in 0..2 {
            let answer = connection.call(request.bytes()).await.expect("an answer");
            assert_eq!((answer.status, answer.body), (200, &b"hello"[..]));
        }
    }
}
