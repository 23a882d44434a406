//! The Rust guard against a real server, over sockets.

mod cuts;
mod tower;

use crate::support::{Server, exchange, run_in};
use counterfoil_guard::client::{Client, Config};
use std::net::SocketAddr;
use std::path::Path;

/// What the server and the tools take for its address; guards are told another way to it.
const ISSUER: &str = "http://localhost:1";

const ENV: [(&str, &str); 3] = [
    ("COUNTERFOIL__PUBLIC_URL", ISSUER),
    ("COUNTERFOIL__REVOCATION__MAX_STALENESS", "1s"),
    ("COUNTERFOIL__LIMITS__ENABLED", "false"),
];

/// A seeded session.
#[derive(Clone)]
struct Seeded {
    access: String,
    refresh: String,
}

fn seed(data: &Path, sessions: usize) -> Vec<Seeded> {
    let count = sessions.to_string();
    let data = data.to_str().unwrap();
    let seed = ["bench-seed", "--users", "1", "--sessions", &count, "--cookies", &count, "--data", data];
    let printed = run_in(&ENV, &seed, "");
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    let lines = String::from_utf8(printed.stdout).unwrap();
    let seeded = lines.lines().map(|line| {
        let (access, refresh) = line.split_once('\t').unwrap();
        Seeded { access: access.to_owned(), refresh: refresh.to_owned() }
    });
    seeded.collect()
}

fn credential(data: &Path, name: &str) -> String {
    let made = run_in(&ENV, &["guard", "add", name, "--data", data.to_str().unwrap()], "");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    String::from_utf8(made.stdout).unwrap().trim().to_owned()
}

/// A guard that reaches the authority at this address.
fn guard(address: SocketAddr, credential: &str) -> Client {
    let mut config = Config::new(&format!("http://{address}"), "web", credential).unwrap();
    ISSUER.clone_into(&mut config.issuer);
    Client::start(config)
}

/// Signs a session out; returns the receipt once it is effective.
fn sign_out(server: &Server, session: &Seeded) -> serde_json::Value {
    let cookie = format!("__Secure-cf_refresh={}", session.refresh);
    let headers = [("Sec-Fetch-Site", "same-origin"), ("X-Requested-With", "test"), ("Cookie", cookie.as_str())];
    let answer = exchange(server.address, "DELETE /api/auth/refresh?receipt=effective", &headers, "").unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_str(&answer.body).unwrap()
}
