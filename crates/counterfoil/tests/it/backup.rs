//! Backups, and what must not come back with them; moving to PostgreSQL.

use crate::support::{EMAIL, Exchange, PASSWORD, Postgres, Server, exchange, from_page, run, run_in};
use std::path::Path;
use std::process::Output;

const ORIGIN: &str = "http://localhost:9999";
const ENV: [(&str, &str); 2] = [("COUNTERFOIL__PUBLIC_URL", ORIGIN), ("COUNTERFOIL__SESSION__ROTATION_GRACE", "1s")];

fn page(server: &Server, request: &str, cookie: &str, json: &str) -> Exchange {
    from_page(server.address, ORIGIN, request, cookie, json).unwrap()
}

fn register(server: &Server) {
    let body = serde_json::json!({ "email": EMAIL, "password": PASSWORD }).to_string();
    assert_eq!(page(server, "POST /api/auth/register", "", &body).status, 201);
}

/// Access and refresh cookie of a new session.
fn sign_in(server: &Server) -> (String, String) {
    let body = serde_json::json!({ "email": EMAIL, "password": PASSWORD }).to_string();
    let answer = page(server, "POST /api/auth/login", "", &body);
    assert_eq!(answer.status, 200, "{}", answer.body);
    cookies(&answer)
}

fn cookies(answer: &Exchange) -> (String, String) {
    let cookie = |name: &str| format!("{name}={}", answer.cookie(name).unwrap());
    (cookie("__Host-cf_access"), cookie("__Secure-cf_refresh"))
}

fn refresh(server: &Server, cookie: &str) -> Exchange {
    page(server, "POST /api/auth/refresh", cookie, "")
}

/// A refresh, as soon as there are any again.
fn refresh_when_open(server: &Server, cookie: &str) -> Exchange {
    for _ in 0..100 {
        let answer = refresh(server, cookie);
        if answer.status != 503 {
            return answer;
        }
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    panic!("refreshing stays closed");
}

fn command(args: &[&str], data: &Path) -> Output {
    run(&[args, &["--data", data.to_str().unwrap()]].concat(), "")
}

fn told(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A backup of a running server with two sessions, of which the second is signed out afterwards.
fn backed_up(folder: &Path) -> (Server, [(String, String); 2], String) {
    let data = folder.join("data");
    let server = Server::start(&data, &ENV);
    register(&server);
    let (kept, lost) = (sign_in(&server), sign_in(&server));
    let file = folder.join("backup.db").display().to_string();
    let said = told(&command(&["backup", &file], &data));
    assert!(said.contains("The master key is not"), "{said}");
    let again = command(&["backup", &file], &data);
    assert!(!again.status.success(), "an existing file is not written over");
    assert_eq!(page(&server, "POST /api/auth/logout", &lost.0, "").status, 204);
    (server, [kept, lost], file)
}

#[test]
fn s1_what_was_revoked_after_the_backup_stays_revoked_when_it_is_put_back() {
    let folder = tempfile::tempdir().unwrap();
    let (server, [kept, lost], file) = backed_up(folder.path());
    server.stop();
    let data = folder.path().join("data");
    let said = told(&command(&["restore", &file], &data));
    assert!(said.contains("1 revocations from revoked.log") && said.contains("1 sessions ended"), "{said}");
    assert!(data.join("counterfoil.db.before-restore").exists());
    let server = Server::start(&data, &ENV);
    assert_eq!(refresh(&server, &kept.1).status, 503, "for the length of the grace nothing is refreshed");
    assert_eq!(refresh_when_open(&server, &kept.1).status, 200);
    let refused = refresh(&server, &lost.1);
    assert!(refused.status == 401 && refused.body.contains("signed_out"), "{}", refused.body);
    assert_eq!(page(&server, "GET /api/auth/me", &lost.0, "").status, 401);
    assert_eq!(page(&server, "GET /api/auth/me", &kept.0, "").status, 200);
}

#[test]
fn s1_a_database_that_was_put_back_by_hand_is_noticed_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let (server, [kept, lost], file) = backed_up(folder.path());
    server.stop();
    let data = folder.path().join("data");
    for name in ["counterfoil.db-wal", "counterfoil.db-shm"] {
        drop(std::fs::remove_file(data.join(name)));
    }
    std::fs::copy(&file, data.join("counterfoil.db")).unwrap();
    let server = Server::start(&data, &ENV);
    assert_eq!(refresh_when_open(&server, &kept.1).status, 200);
    assert_eq!(refresh(&server, &lost.1).status, 401);
}

#[test]
fn s1_without_the_list_of_revocations_every_session_ends_unless_somebody_answers_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, [kept, lost], file) = backed_up(folder.path());
    let key = folder.path().join("data/master.key");
    let elsewhere = |name: &str| {
        let data = folder.path().join(name);
        std::fs::create_dir(&data).unwrap();
        std::fs::copy(&key, data.join("master.key")).unwrap();
        data
    };
    let strict = elsewhere("strict");
    let said = told(&command(&["restore", &file], &strict));
    assert!(said.contains("all sessions have ended (2) and all signing keys are revoked"), "{said}");
    let server = Server::start(&strict, &ENV);
    for (access, token) in [&kept, &lost] {
        assert_eq!(refresh_when_open(&server, token).status, 401);
        assert_eq!(page(&server, "GET /api/auth/me", access, "").status, 401);
    }
    sign_in(&server);
    let trusting = elsewhere("trusting");
    let said = told(&command(&["restore", &file, "--keep-sessions"], &trusting));
    assert!(said.contains("lives again"), "{said}");
    let server = Server::start(&trusting, &ENV);
    assert_eq!(refresh_when_open(&server, &kept.1).status, 200);
    assert_eq!(refresh_when_open(&server, &lost.1).status, 200, "the price, which was said");
}

#[test]
fn k2_a_key_that_was_revoked_after_the_backup_signs_nothing_when_it_is_put_back() {
    let folder = tempfile::tempdir().unwrap();
    let (server, [kept, _], file) = backed_up(folder.path());
    let data = folder.path().join("data");
    told(&command(&["key", "revoke", "--all"], &data));
    server.stop();
    told(&command(&["restore", &file], &data));
    let server = Server::start(&data, &ENV);
    assert_eq!(page(&server, "GET /api/auth/me", &kept.0, "").status, 401);
    assert_eq!(refresh_when_open(&server, &kept.1).status, 200, "its session has not ended");
}

#[test]
fn s1_a_list_of_revocations_that_does_not_reach_back_to_the_backup_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, sessions, file) = backed_up(folder.path());
    let data = folder.path().join("elsewhere");
    told(&command(&["init"], &data));
    std::fs::copy(folder.path().join("data/master.key"), data.join("master.key")).unwrap();
    let said = told(&command(&["restore", &file], &data));
    assert!(said.contains("all sessions have ended (2)"), "another installation's: {said}");
    // The same, put there by hand.
    let data = folder.path().join("by-hand");
    told(&command(&["init"], &data));
    std::fs::copy(folder.path().join("data/master.key"), data.join("master.key")).unwrap();
    std::fs::copy(&file, data.join("counterfoil.db")).unwrap();
    let server = Server::start(&data, &ENV);
    for (_, token) in &sessions {
        assert_eq!(refresh_when_open(&server, token).status, 401);
    }
}

#[test]
fn a_restore_that_was_interrupted_is_finished_by_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let (server, [kept, lost], file) = backed_up(folder.path());
    let data = folder.path().join("data");
    told(&command(&["key", "revoke", "--all"], &data));
    server.stop();
    // The database has been put back; before it is opened, another master key is named.
    let other = [("COUNTERFOIL_MASTER_KEY", "AQECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8")];
    let refused = run_in(&other, &["restore", &file, "--data", data.to_str().unwrap()], "");
    assert!(!refused.status.success());
    let server = Server::start(&data, &ENV);
    assert_eq!(refresh_when_open(&server, &lost.1).status, 401);
    assert_eq!(page(&server, "GET /api/auth/me", &kept.0, "").status, 401, "and the key is revoked");
    assert_eq!(refresh_when_open(&server, &kept.1).status, 200);
    server.stop();
    told(&command(&["restore", &file], &data));
    assert!(
        data.join("counterfoil.db.before-restore").exists() && data.join("counterfoil.db.before-restore.1").exists()
    );
}

#[test]
fn what_is_not_a_backup_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let absent = command(&["backup", "x"], &data);
    assert!(String::from_utf8_lossy(&absent.stderr).contains("there is no database"));
    told(&command(&["init"], &data));
    let file = folder.path().join("not-a-backup");
    std::fs::write(&file, "nothing of the kind").unwrap();
    let output = command(&["restore", file.to_str().unwrap()], &data);
    assert!(!output.status.success());
    assert!(data.join("counterfoil.db").exists() && !data.join("restore.pending").exists(), "nothing was moved");
    told(&command(&["user", "list"], &data));
    let without = command(&["restore"], &data);
    assert!(String::from_utf8_lossy(&without.stderr).contains("name the file"));
}

#[test]
fn moving_to_postgresql_signs_nobody_out() {
    let (folder, database) = (tempfile::tempdir().unwrap(), Postgres::start());
    let data = folder.path().join("data");
    let server = Server::start(&data, &ENV);
    register(&server);
    let (kept, lost) = (sign_in(&server), sign_in(&server));
    assert_eq!(page(&server, "POST /api/auth/logout", &lost.0, "").status, 204);
    let guard = told(&command(&["guard", "add", "api"], &data));
    let guard = format!("Bearer {}", guard.split_whitespace().find(|word| word.starts_with("cfg_")).unwrap());
    let poll = |server: &Server, after: &str| {
        let path = format!("GET /api/revocations?instance=AAAAAAAAAAAAAAAAAAAAAA&nonce=n&wait=0{after}");
        let answer = exchange(server.address, &path, &[("Authorization", &guard)], "").unwrap();
        serde_json::from_str::<serde_json::Value>(&answer.body).unwrap()
    };
    let before = poll(&server, "");
    server.stop();
    let head = told(&command(&["audit", "head"], &data));
    let url = database.url();
    let config = folder.path().join("counterfoil.toml");
    std::fs::write(&config, format!("public_url = \"{ORIGIN}\"\nstore.url = \"{url}\"\n")).unwrap();
    let moving = || command(&["move", "--config", config.to_str().unwrap()], &data);
    let said = told(&moving());
    assert!(said.contains("rows are in the database now"), "{said}");
    assert!(!data.join("counterfoil.db").exists() && data.join("counterfoil.db.moved").exists());
    let server = Server::start(&data, &[&ENV[..], &[("COUNTERFOIL__STORE__URL", url.as_str())]].concat());
    assert_eq!(page(&server, "GET /api/auth/me", &kept.0, "").status, 200);
    assert_eq!(page(&server, "GET /api/auth/me", &lost.0, "").status, 401);
    let rotated = refresh(&server, &kept.1);
    assert_eq!(rotated.status, 200, "{}", rotated.body);
    assert_eq!(refresh(&server, &lost.1).status, 401);
    sign_in(&server);
    let after = poll(&server, &format!("&after={}", before["cursor"].as_str().unwrap()));
    assert_eq!((after["snapshot"].as_bool(), &after["cursor"]), (Some(false), &before["cursor"]), "the same log");
    let users = told(&command(&["audit", "tail"], &data));
    assert!(users.contains("registered"), "{users}");
    let verified = told(&command(&["audit", "verify", "--head", head.trim()], &data));
    assert!(verified.contains("is whole: ") && verified.contains("is part of it"), "{verified}");
    server.stop();
    std::fs::rename(data.join("counterfoil.db.moved"), data.join("counterfoil.db")).unwrap();
    let said = told(&moving());
    assert!(said.contains("All rows are in the database now"), "an attempt whose last step is missing: {said}");
    assert!(!data.join("counterfoil.db").exists());
    let other = folder.path().join("other");
    told(&command(&["init"], &other));
    let again = command(&["move", "--config", config.to_str().unwrap()], &other);
    let error = String::from_utf8_lossy(&again.stderr);
    assert!(!again.status.success() && error.contains("the database is not empty"), "{error}");
    assert!(other.join("counterfoil.db").exists(), "and nothing was moved");
}
