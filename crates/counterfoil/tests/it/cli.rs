//! The command line: beside a running server through its control socket, and alone.

use crate::support::{EMAIL, PASSWORD, Server, exchange, run};
use serde_json::Value;

fn output(args: &[&str], stdin: &str) -> (bool, String, String) {
    let output = run(args, stdin);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.success(), text(output.stdout), text(output.stderr))
}

fn lines(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split_whitespace().collect()).collect()
}

/// The same story beside a server and without one.
fn story(data: &str) {
    let (ok, id, error) = output(
        &["user", "add", EMAIL, "--password-stdin", "--role", "editor", "--data", data],
        &format!("{PASSWORD}\n"),
    );
    assert!(ok, "{error}");
    let (_, list, _) = output(&["user", "list", "--data", data], "");
    let rows = lines(&list);
    assert_eq!(rows[0], ["ID", "EMAIL", "NAME", "ROLES", "CREATED", "BANNED", "UNTIL", "REASON"]);
    assert_eq!(rows[1][..3], [id.trim(), EMAIL, "editor"]);
    assert!(output(&["user", "role", "add", EMAIL, "admin", "--data", data], "").0);
    assert!(output(&["user", "role", "remove", EMAIL, "editor", "--data", data], "").0);
    let (_, json, _) = output(&["user", "list", "--json", "--data", data], "");
    let users: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(users[0]["roles"], serde_json::json!(["admin"]));
    let (ok, _, error) = output(&["user", "add", EMAIL, "--password-stdin", "--data", data], PASSWORD);
    assert!(!ok && error.contains("email_taken"), "{error}");
    let (ok, _, error) = output(&["user", "ban", "nobody@example.com", "--data", data], "");
    assert!(!ok && error.contains("no account with the address nobody@example.com"), "{error}");
    let (ok, link, _) = output(&["user", "add", "new@example.com", "--role", "support", "--data", data], "");
    assert!(ok && link.contains("/register?invite=cfi_"), "{link}");
    let (_, keys, _) = output(&["key", "list", "--data", data], "");
    assert_eq!(lines(&keys).iter().skip(1).map(|row| row[2]).collect::<Vec<_>>().len(), 2);
    assert!(keys.contains("active") && keys.contains("next"));
    let (_, audit, _) = output(&["audit", "tail", "-n", "2", "--data", data], "");
    assert!(audit.contains("roles_changed") && audit.contains("operator"), "{audit}");
    let (ok, key, error) =
        output(&["api-key", "add", "robot", "--role", "support", "--valid-for", "12h", "--data", data], "");
    assert!(ok && key.starts_with("cfa_"), "{key}{error}");
    let (_, keys, _) = output(&["api-key", "list", "--data", data], "");
    assert_eq!(lines(&keys)[1][..2], ["robot", "support"]);
    let (ok, _, error) = output(&["api-key", "add", "other", "--role", "king", "--data", data], "");
    assert!(!ok && error.contains("admin, support or auditor"), "{error}");
    let (ok, _, error) =
        output(&["api-key", "add", "other", "--role", "admin", "--valid-for", "ever", "--data", data], "");
    assert!(!ok && error.contains("12h or 90d"), "{error}");
    assert!(output(&["api-key", "remove", "robot", "--data", data], "").0);
}

#[test]
fn every_command_works_beside_a_running_server() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().to_str().unwrap();
    let server = Server::start(folder.path(), &[]);
    story(data);
    let body = format!(r#"{{"email":"{EMAIL}","password":"{PASSWORD}"}}"#);
    let login =
        exchange(server.address, "POST /api/auth/login", &[("Content-Type", "application/json")], &body).unwrap();
    let cookie = format!("__Host-cf_access={}", login.cookie("__Host-cf_access").unwrap());
    let me = || exchange(server.address, "GET /api/auth/me", &[("Cookie", &cookie)], "").unwrap();
    assert_eq!(me().status, 200);
    let (_, sessions, _) = output(&["session", "list", EMAIL, "--json", "--data", data], "");
    let sessions: Value = serde_json::from_str(&sessions).unwrap();
    assert!(output(&["session", "revoke", sessions[0]["id"].as_str().unwrap(), "--data", data], "").0);
    assert!(me().body.contains("session_revoked"), "the server has learnt of it at once");
    let (_, sessions, _) = output(&["session", "list", EMAIL, "--data", data], "");
    assert!(sessions.contains("ended_by_admin"), "{sessions}");
    server.stop();
}

#[test]
fn every_command_works_without_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let data = data.to_str().unwrap();
    let (ok, _, error) = output(&["user", "list", "--data", data], "");
    assert!(!ok && error.contains("counterfoil init"), "{error}");
    let (ok, text, error) = output(&["init", "--data", data], "");
    assert!(ok && text.contains("first-admin"), "{text}{error}");
    story(data);
}

#[test]
fn the_first_administrator_is_made_with_the_link_once() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    let link = std::fs::read_to_string(folder.path().join("first-admin")).unwrap();
    let token = link.trim().split_once("/register?invite=").unwrap().1.split('&').next().unwrap();
    let body = |email: &str| format!(r#"{{"email":"{email}","password":"{PASSWORD}","invite":"{token}"}}"#);
    let json = [("Content-Type", "application/json")];
    assert_eq!(exchange(server.address, "POST /api/auth/register", &json, &body(EMAIL)).unwrap().status, 201);
    let again = exchange(server.address, "POST /api/auth/register", &json, &body("eve@example.com")).unwrap();
    assert!(again.body.contains("invite_invalid"));
    let (_, users, _) = output(&["user", "list", "--data", folder.path().to_str().unwrap()], "");
    assert!(users.contains("admin"), "{users}");
    server.stop();
    let server = Server::start(folder.path(), &[]);
    assert!(!folder.path().join("first-admin").exists(), "there is an administrator now");
    server.stop();
}

#[test]
fn an_earlier_first_administrators_link_is_void_once_there_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let link = || {
        let server = Server::start(folder.path(), &[]);
        let text = std::fs::read_to_string(folder.path().join("first-admin")).unwrap();
        let token = text.split_once("invite=").unwrap().1.split('&').next().unwrap().to_owned();
        (server, token)
    };
    let (server, earlier) = link();
    server.stop();
    let (server, token) = link();
    for (email, invite, status) in [(EMAIL, token, 201), ("eve@example.com", earlier, 403)] {
        let body = format!(r#"{{"email":"{email}","password":"{PASSWORD}","invite":"{invite}"}}"#);
        let json = [("Content-Type", "application/json")];
        assert_eq!(exchange(server.address, "POST /api/auth/register", &json, &body).unwrap().status, status);
    }
    server.stop();
}

#[test]
fn a_session_id_that_is_none_is_refused_before_anything_is_asked() {
    let (ok, _, error) = output(&["session", "revoke", "../users", "--data", "/nonexistent"], "");
    assert!(!ok && error.contains("22 characters"), "{error}");
}
