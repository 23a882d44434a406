//! The audit log: tampering with it is noticed, looking things up in it is exact, and every session has a story.

mod lookup;
mod story;
mod upkeep;

use crate::control::ask;
use crate::support::{EMAIL, PASSWORD, Server, TestApp, exchange, run};
use counterfoil::flow::seal::{Sealed, seal};
use rusqlite::Connection;
use serde_json::Value;
use std::path::Path;

/// The command's exit code, what it printed, and what it said beside.
fn audit(data: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = run(&[&["audit"], arguments, &["--data", data.to_str().unwrap()]].concat(), "");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// So many entries, by people who register and sign in and out.
fn fill(server: &Server, people: usize) {
    let json = [("Content-Type", "application/json")];
    for n in 0..people {
        let body = format!(r#"{{"email":"{n}{EMAIL}","password":"{PASSWORD}"}}"#);
        assert_eq!(exchange(server.address, "POST /api/auth/register", &json, &body).unwrap().status, 201);
    }
}

/// A data folder whose server has been stopped, with so many entries (and the first administrator's invitation).
fn stopped(people: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &[]);
    fill(&server, people);
    server.stop();
    folder
}

fn database(data: &Path) -> Connection {
    Connection::open(data.join("counterfoil.db")).unwrap()
}

/// Where the chain breaks, and how, as `audit verify --json` says.
fn broken(data: &Path) -> (i64, String) {
    let (code, out, _) = audit(data, &["verify", "--json"]);
    let found: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &found["whole"]), (1, &Value::Bool(false)), "{out}");
    (found["seq"].as_i64().unwrap(), found["how"].as_str().unwrap().to_owned())
}

#[test]
fn aud_1_what_is_changed_in_the_database_is_named_by_audit_verify() {
    let folder = stopped(5);
    let (code, out, _) = audit(folder.path(), &["verify"]);
    assert!(code == 0 && out.contains("is whole: ") && !out.contains("not sealed"), "stopping seals the rest: {out}");
    let newest: i64 = database(folder.path()).query_row("SELECT max(seq) FROM audit", [], |row| row.get(0)).unwrap();
    assert!(newest >= 6, "{newest}");
    for (tampering, undoing, seq, how) in [
        (
            "UPDATE audit SET detail = detail || '!' WHERE seq = 3",
            "UPDATE audit SET detail = rtrim(detail, '!')",
            3,
            "changed",
        ),
        (
            "UPDATE audit SET event = 'signed_in' WHERE seq = 4",
            "UPDATE audit SET event = 'registered' WHERE seq = 4",
            4,
            "changed",
        ),
        (
            "UPDATE audit SET network = 'elsewhere' WHERE seq = 2",
            "UPDATE audit SET network = 'this machine' WHERE seq = 2",
            2,
            "changed",
        ),
        (
            "UPDATE audit SET account = x'01' WHERE seq = 1",
            "UPDATE audit SET account = NULL WHERE seq = 1",
            1,
            "changed",
        ),
        (
            "UPDATE audit_head SET seq = seq - 1 WHERE place = 'head'",
            "UPDATE audit_head SET seq = seq + 1 WHERE place = 'head'",
            1,
            "no_head",
        ),
    ] {
        database(folder.path()).execute(tampering, []).unwrap();
        assert_eq!(broken(folder.path()), (seq, how.to_owned()), "{tampering}");
        database(folder.path()).execute(undoing, []).unwrap();
        assert_eq!(audit(folder.path(), &["verify"]).0, 0, "{undoing}");
    }
    let (_, head, _) = audit(folder.path(), &["head"]);
    database(folder.path()).execute("DELETE FROM audit WHERE seq = 4", []).unwrap();
    let (code, out, _) = audit(folder.path(), &["verify"]);
    assert!(code == 1 && out.contains("entry 4 is gone") && out.contains("Keep a copy of it"), "{out}");
    let (code, out, _) = audit(folder.path(), &["verify", "--head", &head]);
    assert!(code == 1 && out.contains("entry 4"), "{out}");
}

#[test]
fn aud_2_a_tail_that_is_cut_off_is_noticed_and_nothing_is_sealed_on_top_of_it() {
    let folder = stopped(4);
    let (_, head, _) = audit(folder.path(), &["head"]);
    let newest: i64 = database(folder.path()).query_row("SELECT max(seq) FROM audit", [], |row| row.get(0)).unwrap();
    for table in ["audit", "audit_seal"] {
        database(folder.path()).execute(&format!("DELETE FROM {table} WHERE seq >= {}", newest - 1), []).unwrap();
    }
    assert_eq!(broken(folder.path()), (newest - 1, "cut_off".into()));
    let server = Server::start(folder.path(), &[]);
    fill(&server, 0);
    let said = server.stop();
    assert!(said.contains("the audit log's head is not what this server has sealed"), "{said}");
    assert_ne!(audit(folder.path(), &["verify"]).0, 0);
    // Put back as a whole, head and all, it is whole: only a head that was kept elsewhere tells.
    let other = stopped(1);
    let (code, out, _) = audit(other.path(), &["verify", "--head", &head]);
    assert!(code == 1 && out.contains("gone"), "{out}");
    let (code, _, err) = audit(other.path(), &["verify", "--head", "17"]);
    assert!(code == 1 && err.contains("audit head"), "{err}");
}

#[test]
fn aud_1_a_chain_that_is_made_anew_without_the_master_key_is_not_taken_for_ours() {
    let folder = stopped(3);
    // As for a store from before there was a chain, but for the head, which cannot be made.
    database(folder.path()).execute("DELETE FROM audit_seal", []).unwrap();
    assert_eq!(broken(folder.path()), (1, "unsealed".into()));
    database(folder.path()).execute("DELETE FROM audit_head", []).unwrap();
    assert_eq!(broken(folder.path()).1, "no_anchor");
    Server::start(folder.path(), &[]).stop();
    assert_eq!(broken(folder.path()).1, "no_anchor", "and the server begins no other");
    let (code, _, err) = audit(folder.path(), &["head"]);
    assert!(code == 1 && err.contains("audit verify"), "{err}");
}

#[test]
fn a_store_from_before_there_was_a_chain_is_sealed_from_its_first_entry_on() {
    let folder = stopped(3);
    let connection = database(folder.path());
    for sql in
        ["DELETE FROM audit_seal", "DELETE FROM audit_head", "DELETE FROM sealed_secret WHERE purpose = 'audit-key'"]
    {
        connection.execute(sql, []).unwrap();
    }
    // By hand, as there was no other way to shorten it.
    connection.execute("DELETE FROM audit WHERE seq = 1", []).unwrap();
    drop(connection);
    Server::start(folder.path(), &[]).stop();
    let (code, out, _) = audit(folder.path(), &["verify", "--json"]);
    let found: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &found["purged_to"], &found["gaps"]), (0, &1.into(), &0.into()), "{out}");
}

#[test]
fn the_chain_is_whole_through_a_change_of_the_master_key_and_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let server = Server::start(data, &[]);
    fill(&server, 2);
    let (_, kept, _) = until_sealed(data);
    let rotated = run(&["key", "rotate-master", "--data", data.to_str().unwrap()], "");
    assert!(rotated.status.success(), "{}", String::from_utf8_lossy(&rotated.stderr));
    fill_more(&server, "later");
    let (code, out, _) = audit(data, &["verify", "--head", &kept]);
    assert!(code == 0 && out.contains("The head that you have kept is part of it"), "{out}");
    // What a killed server had committed is sealed by the next.
    fill_more(&server, "last");
    server.kill();
    let (code, out, _) = audit(data, &["verify"]);
    assert_eq!(code, 0, "{out}");
    Server::start(data, &[]).stop();
    let (code, out, _) = audit(data, &["verify", "--head", &kept]);
    assert!(code == 0 && !out.contains("not sealed"), "{out}");
}

fn fill_more(server: &Server, name: &str) {
    let body = format!(r#"{{"email":"{name}@example.com","password":"{PASSWORD}"}}"#);
    let json = [("Content-Type", "application/json")];
    assert_eq!(exchange(server.address, "POST /api/auth/register", &json, &body).unwrap().status, 201);
}

/// Waits until the running server has sealed something, and returns what `audit head` says then.
fn until_sealed(data: &Path) -> (i32, String, String) {
    for _ in 0..400 {
        let head = audit(data, &["head"]);
        if !head.1.starts_with("0:") {
            return head;
        }
        std::thread::sleep(std::time::Duration::from_millis(25));
    }
    panic!("nothing is sealed");
}

/// Seals all there is, and has it verified as the command line does.
pub(crate) async fn verified(app: &TestApp) -> Value {
    assert_eq!(seal(&app.app).await, Ok(Sealed::All));
    let (status, answer) = ask_lines(app, "/api/admin/audit/verify").await;
    assert_eq!(status, 200);
    answer.last().unwrap().clone()
}

/// As [`ask`], for an answer in lines.
async fn ask_lines(app: &TestApp, path: &str) -> (u16, Vec<Value>) {
    use axum::body::Body;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;
    let request = http::Request::get(path).extension(counterfoil::http::Peer::Control).body(Body::empty()).unwrap();
    let response = app.control.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    (status, lines.map(|line| serde_json::from_slice(line).unwrap()).collect())
}

#[tokio::test]
async fn verifying_is_for_the_control_socket_only() {
    let app = TestApp::new().await;
    let mut browser = app.signed_in().await;
    assert_eq!(browser.get("/api/admin/audit/verify").await.status, 404);
    assert_eq!(ask(&app, "GET", "/api/admin/audit/verify?head=x", None).await.0, 400);
}
