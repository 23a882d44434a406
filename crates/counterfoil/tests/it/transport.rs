//! TLS, slow clients, oversized heads: what happens before a request is one.

use crate::support::{Server, exchange};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

#[test]
fn tls_self_signed_speaks_tls_and_its_url_says_https() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_with(folder.path(), &[], &["--tls-self-signed"]);
    let url = format!("https://localhost:{}/.well-known/oauth-authorization-server", server.address.port());
    let output = Command::new("curl").args(["-sk", "--max-time", "10", &url]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains(&format!("\"issuer\":\"https://localhost:{}\"", server.address.port())), "{text}");
    let plain = exchange(server.address, "GET /healthz", &[], "");
    assert!(plain.is_err(), "plain HTTP is not spoken there: {plain:?}");
    server.stop();
}

#[test]
fn an_oversized_head_is_refused_and_the_server_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    let large = "x".repeat(200_000);
    let refused = exchange(server.address, "GET /healthz", &[("X-Large", &large)], "");
    assert!(refused.as_ref().map_or(true, |answer| answer.status == 431), "{refused:?}");
    assert_eq!(exchange(server.address, "GET /healthz", &[], "").unwrap().status, 200);
    let mut rubbish = TcpStream::connect(server.address).unwrap();
    rubbish.write_all(b"\x16\x03\x01 not http\r\n\r\n").unwrap();
    rubbish.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut answer = Vec::new();
    assert!(rubbish.read_to_end(&mut answer).is_ok(), "it is answered or closed, not left hanging");
    assert_eq!(exchange(server.address, "GET /healthz", &[], "").unwrap().status, 200);
    server.stop();
}

#[test]
fn whoever_connects_and_says_nothing_is_let_go() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[("COUNTERFOIL__LIMITS__CONNECTIONS", "4")]);
    let silent = |said: &'static [u8]| {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.write_all(said).unwrap();
        stream
    };
    let held = [silent(b""), silent(b"GET /healthz HTTP/1.1\r\nHo"), silent(b""), silent(b"G")];
    // All four places are taken; the server must free them by itself, before the exchange gives up after 20 s.
    assert_eq!(exchange(server.address, "GET /healthz", &[], "").unwrap().status, 200);
    drop(held);
    server.stop();
}

#[test]
fn nothing_that_is_printed_or_logged_holds_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    let origin = server.origin();
    let json = ("Content-Type", "application/json");
    let body = r#"{"email":"ada@example.com","password":"correct horse battery staple"}"#;
    assert_eq!(exchange(server.address, "POST /api/auth/register", &[json], body).unwrap().status, 201);
    let login = exchange(server.address, "POST /api/auth/login", &[json], body).unwrap();
    let token = login.cookie("__Secure-cf_refresh").unwrap();
    let cookie = format!("__Secure-cf_refresh={token}");
    let headers = [("Cookie", cookie.as_str()), ("Origin", origin.as_str()), ("X-Requested-With", "x")];
    assert_eq!(exchange(server.address, "POST /api/auth/refresh", &headers, "").unwrap().status, 200);
    let logged = server.stop();
    let master = std::fs::read_to_string(folder.path().join("master.key")).unwrap();
    for secret in [token.as_str(), "correct horse", master.trim(), "eyJ"] {
        assert!(!logged.contains(secret), "{logged}");
    }
}
