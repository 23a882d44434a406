//! The master key is changed while the server runs, and whenever that is interrupted, the next start finds the one that fits.

use crate::support::{EMAIL, PASSWORD, Server, exchange, from_page, run};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// What the command printed, or why it was refused.
fn key(data: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = run(&[&["key"], arguments, &["--data", data.to_str().unwrap()]].concat(), "");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

fn sign_in(server: &Server) -> String {
    let body = format!(r#"{{"email":"{EMAIL}","password":"{PASSWORD}"}}"#);
    let json = [("Content-Type", "application/json")];
    exchange(server.address, "POST /api/auth/register", &json, &body).unwrap();
    let answer = exchange(server.address, "POST /api/auth/login", &json, &body).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    format!("__Secure-cf_refresh={}", answer.cookie("__Secure-cf_refresh").unwrap())
}

/// Refreshes and returns the new cookie: the token key, the pepper behind it and the signing key all open.
fn refresh(server: &Server, cookie: &str) -> String {
    let answer = from_page(server.address, &server.origin(), "POST /api/auth/refresh", cookie, "").unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    format!("__Secure-cf_refresh={}", answer.cookie("__Secure-cf_refresh").unwrap())
}

#[test]
fn s6_the_master_key_is_changed_while_the_server_runs_and_nobody_notices() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let server = Server::start(data, &[]);
    let cookie = sign_in(&server);
    let old = fs::read_to_string(data.join("master.key")).unwrap();
    key(data, &["rotate-master"]).unwrap();
    let new = fs::read_to_string(data.join("master.key")).unwrap();
    assert_ne!(old, new);
    assert_eq!(fs::metadata(data.join("master.key")).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(!data.join("master.key.next").exists());
    let cookie = refresh(&server, &cookie);
    // A key made after the change is sealed under the new one.
    key(data, &["revoke", "--all"]).unwrap();
    server.stop();
    let server = Server::start(data, &[]);
    sign_in(&server);
    refresh(&server, &cookie);
    server.stop();
    fs::write(data.join("master.key"), old).unwrap();
    let refused = key(data, &["list"]).unwrap_err();
    assert!(refused.contains("the master key does not fit"), "{refused}");
}

#[test]
fn a_change_of_the_master_key_that_was_interrupted_is_finished_or_forgotten_at_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let other = tempfile::tempdir().unwrap();
    Server::start(data, &[]).stop();
    Server::start(other.path(), &[]).stop();
    let (own, next) = (data.join("master.key"), data.join("master.key.next"));
    // Before the database was sealed: the new key opens nothing and goes.
    fs::copy(other.path().join("master.key"), &next).unwrap();
    Server::start(data, &[]).stop();
    assert!(!next.exists());
    key(data, &["list"]).unwrap();
    // After it: the new key is the one that opens.
    let old = fs::read(&own).unwrap();
    key(data, &["rotate-master"]).unwrap();
    fs::rename(&own, &next).unwrap();
    fs::write(&own, old).unwrap();
    fs::set_permissions(&own, fs::Permissions::from_mode(0o600)).unwrap();
    Server::start(data, &[]).stop();
    assert!(!next.exists());
    key(data, &["list"]).unwrap();
}

#[test]
fn a_master_key_that_is_kept_elsewhere_is_changed_to_one_that_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let file = |name: &str, byte: char| {
        let path = folder.path().join(name);
        // 43 characters whose last has no unused bits set.
        fs::write(&path, format!("{}A", byte.to_string().repeat(42))).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    };
    let (first, second) = (file("first", 'a'), file("second", 'b'));
    let by = |path: &Path| path.to_str().unwrap().to_owned();
    let server = Server::start(&data, &[("COUNTERFOIL_MASTER_KEY_FILE", &by(&first))]);
    let refused = key(&data, &["rotate-master"]).unwrap_err();
    assert!(refused.contains("--to FILE"), "{refused}");
    let said = key(&data, &["rotate-master", "--to", &by(&second)]).unwrap();
    assert!(said.contains("from now on"), "{said}");
    sign_in(&server);
    server.stop();
    Server::start(&data, &[("COUNTERFOIL_MASTER_KEY_FILE", &by(&second))]).stop();
    fs::set_permissions(&second, fs::Permissions::from_mode(0o644)).unwrap();
    let refused = key(&data, &["rotate-master", "--to", &by(&second)]).unwrap_err();
    assert!(refused.contains("can be read by other users") || refused.contains("no master key"), "{refused}");
}

#[test]
fn keys_are_listed_rotated_and_revoked_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let server = Server::start(data, &[]);
    let list = key(data, &["list"]).unwrap();
    let rows: Vec<&str> = list.lines().collect();
    assert!(rows[0].starts_with("KID") && rows[0].ends_with("CARRIES"), "{list}");
    let refused = key(data, &["rotate"]).unwrap_err();
    assert!(refused.contains("key_too_new") && refused.contains("revoke it"), "{refused}");
    let refused = key(data, &["revoke"]).unwrap_err();
    assert!(refused.contains("--all"), "{refused}");
    let active = rows.iter().find(|row| row.contains("active")).unwrap().split_whitespace().next().unwrap();
    let receipt = key(data, &["revoke", active, "--receipt"]).unwrap();
    assert!(receipt.contains("in force everywhere"), "{receipt}");
    let list = key(data, &["list"]).unwrap();
    let row = list.lines().find(|row| row.starts_with(active)).unwrap();
    assert!(row.contains("revoked") && row.ends_with("refused for ever"), "{list}");
    let refused = key(data, &["revoke", "nobody"]).unwrap_err();
    assert!(refused.contains("not_found"), "{refused}");
    server.stop();
}
