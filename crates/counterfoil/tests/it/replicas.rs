//! Several servers on one PostgreSQL: what one does counts at all of them, and what stops one stops no other.

mod start;
mod tls;

use crate::support::{EMAIL, Exchange, PASSWORD, Postgres, Server, exchange, from_page, run};
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// Where people reach all of them.
const ORIGIN: &str = "http://localhost:9999";

/// 32 bytes that every replica has been given.
const MASTER_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

/// A database, and replicas on it.
struct Cluster {
    replicas: Vec<Server>,
    folder: tempfile::TempDir,
    url: String,
    extra: Vec<(String, String)>,
    database: Postgres,
}

impl Cluster {
    fn start(replicas: usize) -> Self {
        Self::start_with(replicas, &[])
    }

    fn start_with(replicas: usize, extra: &[(&str, &str)]) -> Self {
        let database = Postgres::start();
        let (folder, url) = (tempfile::tempdir().unwrap(), database.url());
        let extra = extra.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut cluster = Self { replicas: Vec::new(), folder, url, extra, database };
        for _ in 0..replicas {
            cluster.add();
        }
        cluster
    }

    fn env(&self) -> Vec<(&str, &str)> {
        let mut env = vec![
            ("COUNTERFOIL_MASTER_KEY", MASTER_KEY),
            ("COUNTERFOIL__PUBLIC_URL", ORIGIN),
            ("COUNTERFOIL__STORE__URL", self.url.as_str()),
        ];
        env.extend(self.extra.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        env
    }

    fn data(&self, replica: usize) -> std::path::PathBuf {
        self.folder.path().join(replica.to_string())
    }

    /// One more replica.
    fn add(&mut self) {
        let server = Server::start(&self.data(self.replicas.len()), &self.env());
        self.replicas.push(server);
    }

    /// A command at one replica; its standard output.
    fn command(&self, replica: usize, args: &[&str]) -> String {
        let data = self.data(replica).display().to_string();
        let output = run(&[args, &["--data", &data]].concat(), "");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn page(&self, replica: usize, request: &str, cookie: &str, json: &str) -> Exchange {
        from_page(self.replicas[replica].address, ORIGIN, request, cookie, json).unwrap()
    }

    fn register(&self, replica: usize) {
        let body = serde_json::json!({ "email": EMAIL, "password": PASSWORD }).to_string();
        assert_eq!(self.page(replica, "POST /api/auth/register", "", &body).status, 201);
    }

    /// Signs in and returns access and refresh cookie.
    fn sign_in(&self, replica: usize) -> (String, String) {
        let body = serde_json::json!({ "email": EMAIL, "password": PASSWORD }).to_string();
        let answer = self.page(replica, "POST /api/auth/login", "", &body);
        assert_eq!(answer.status, 200, "{}", answer.body);
        cookies(&answer)
    }

    fn me(&self, replica: usize, access: &str) -> Exchange {
        self.page(replica, "GET /api/auth/me", access, "")
    }

    fn poll(&self, replica: usize, guard: &Guard, wait: u64) -> Value {
        let after = guard.cursor.as_ref().map(|cursor| format!("&after={cursor}")).unwrap_or_default();
        let path = format!("GET /api/revocations?instance={}&nonce=n&wait={wait}{after}", "AAAAAAAAAAAAAAAAAAAAAA");
        let bearer = format!("Bearer {}", guard.credential);
        let answer = exchange(self.replicas[replica].address, &path, &[("Authorization", &bearer)], "").unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }
}

/// A guard, as far as the feed sees it.
struct Guard {
    credential: String,
    cursor: Option<String>,
}

fn cookies(answer: &Exchange) -> (String, String) {
    let cookie = |name: &str| format!("{name}={}", answer.cookie(name).unwrap());
    (cookie("__Host-cf_access"), cookie("__Secure-cf_refresh"))
}

fn code(answer: &Exchange) -> String {
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    body["code"].as_str().unwrap_or_default().to_owned()
}

fn credential(text: &str) -> String {
    text.split_whitespace().find(|word| word.starts_with("cfg_")).unwrap().to_owned()
}

#[test]
fn s1_what_is_ended_at_one_replica_is_refused_at_the_others_when_the_receipt_says_so() {
    let cluster = Cluster::start(3);
    cluster.register(0);
    let (access, refresh) = cluster.sign_in(1);
    for replica in 0..3 {
        assert_eq!(cluster.me(replica, &access).status, 200);
    }
    let rotated = cluster.page(2, "POST /api/auth/refresh", &refresh, "");
    assert_eq!(rotated.status, 200, "a session goes on at whatever replica");
    let (access, refresh) = cookies(&rotated);
    let ended = cluster.page(0, "POST /api/auth/logout?receipt=effective", &access, "");
    assert_eq!(ended.status, 200, "{}", ended.body);
    for replica in 0..3 {
        assert_eq!(code(&cluster.me(replica, &access)), "session_revoked");
        assert_eq!(code(&cluster.page(replica, "POST /api/auth/refresh", &refresh, "")), "refresh_invalid");
    }
}

#[test]
fn s2_a_receipt_waits_for_the_guards_of_other_replicas() {
    let cluster = Cluster::start_with(2, &[("COUNTERFOIL__REVOCATION__MAX_STALENESS", "3s")]);
    cluster.register(0);
    let mut guard = Guard { credential: credential(&cluster.command(0, &["guard", "add", "api"])), cursor: None };
    let all_alone = Duration::from_millis(3_100);
    // Until then leases of earlier processes may be alive, and nothing is said early.
    std::thread::sleep(all_alone);
    let (access, _) = cluster.sign_in(0);
    let first = cluster.poll(1, &guard, 0);
    assert!(first["held_ms"].as_i64().unwrap() <= 0, "a lease from a copy begins where its reading did");
    guard.cursor = Some(first["cursor"].as_str().unwrap().to_owned());
    let ended = cluster.page(0, "POST /api/auth/logout?receipt=effective", &access, "");
    let receipt: Value = serde_json::from_str(&ended.body).unwrap();
    assert!(receipt["ms"].as_u64().unwrap() > 1_000, "the guard of the other has not been heard of: {receipt}");
    // The same guard, which takes in what there is, and says so with its next poll.
    let (access, _) = cluster.sign_in(0);
    std::thread::scope(|scope| {
        let following = scope.spawn(|| {
            let mut guard = Guard { credential: guard.credential.clone(), cursor: guard.cursor.clone() };
            for _ in 0..6 {
                let answer = cluster.poll(1, &guard, 500);
                guard.cursor = Some(answer["cursor"].as_str().unwrap().to_owned());
            }
        });
        std::thread::sleep(Duration::from_millis(300));
        let ended = cluster.page(0, "POST /api/auth/logout?receipt=effective", &access, "");
        let receipt: Value = serde_json::from_str(&ended.body).unwrap();
        assert_eq!((receipt["confirmed"].as_u64(), receipt["of"].as_u64()), (Some(3), Some(3)), "{receipt}");
        following.join().unwrap();
    });
}

#[test]
fn k2_a_key_that_is_revoked_at_one_replica_signs_nowhere_and_what_it_signed_is_refused() {
    let cluster = Cluster::start(2);
    cluster.register(0);
    let (access, _) = cluster.sign_in(0);
    let keys = |replica: usize| cluster.page(replica, "GET /.well-known/jwks.json", "", "").body;
    let before = keys(1);
    cluster.command(0, &["key", "revoke", "--all", "--receipt"]);
    assert_eq!(code(&cluster.me(1, &access)), "token_invalid", "nobody knows the key any more");
    assert_ne!(keys(1), before);
    assert_eq!(keys(0), keys(1));
    let (access, _) = cluster.sign_in(1);
    assert_eq!(cluster.me(0, &access).status, 200);
}

#[test]
fn the_master_key_changes_under_replicas_that_still_have_the_old_one() {
    let cluster = Cluster::start(2);
    cluster.register(0);
    let (_, refresh) = cluster.sign_in(0);
    let fresh = cluster.folder.path().join("fresh.key");
    std::fs::write(&fresh, "AgECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8\n").unwrap();
    std::fs::set_permissions(&fresh, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    cluster.command(0, &["key", "rotate-master", "--to", fresh.to_str().unwrap()]);
    std::thread::sleep(Duration::from_millis(600));
    assert_eq!(cluster.page(1, "GET /readyz", "", "").status, 200);
    let refreshed = cluster.page(1, "POST /api/auth/refresh", &refresh, "");
    assert_eq!(refreshed.status, 200, "it signs on with what it has open");
    let (access, _) = cookies(&refreshed);
    assert_eq!(cluster.me(0, &access).status, 200);
    let revoke = run(&["key", "revoke", "--all", "--data", cluster.data(1).to_str().unwrap()], "");
    assert!(!revoke.status.success(), "but seals nothing under a key that is no more");
    cluster.command(0, &["key", "revoke", "--all"]);
}

#[test]
fn guards_and_services_are_known_everywhere_and_nowhere_any_more() {
    let cluster = Cluster::start(2);
    let credential = credential(&cluster.command(0, &["guard", "add", "api"]));
    let bearer = format!("Bearer {credential}");
    let path = "GET /api/revocations?instance=AAAAAAAAAAAAAAAAAAAAAA&nonce=n&wait=0";
    let asked = || exchange(cluster.replicas[1].address, path, &[("Authorization", &bearer)], "").unwrap().status;
    until(|| asked() == 200);
    cluster.command(0, &["guard", "remove", "api"]);
    until(|| asked() == 401);
}

#[test]
fn a_replica_that_is_killed_holds_nobody_up_for_longer_than_its_leases_live() {
    let mut cluster = Cluster::start_with(2, &[("COUNTERFOIL__REVOCATION__MAX_STALENESS", "1s")]);
    cluster.register(0);
    std::thread::sleep(Duration::from_millis(1_100));
    let rows = || cluster.database.psql("counterfoil", "SELECT count(*) FROM replica").trim().to_owned();
    assert_eq!(rows(), "2");
    cluster.replicas.pop().unwrap().kill();
    let (access, _) = cluster.sign_in(0);
    let ended = cluster.page(0, "POST /api/auth/logout?receipt=effective", &access, "");
    assert_eq!(ended.status, 200);
    let rows = || cluster.database.psql("counterfoil", "SELECT count(*) FROM replica").trim().to_owned();
    until(|| rows() == "1");
    cluster.add();
    assert_eq!(cluster.me(1, &access).status, 401);
}

#[test]
fn s2_a_replica_that_cannot_read_the_log_accepts_nothing() {
    let cluster = Cluster::start_with(2, &[("COUNTERFOIL__REVOCATION__MAX_STALENESS", "1s")]);
    cluster.register(0);
    let (access, _) = cluster.sign_in(0);
    assert_eq!(cluster.me(1, &access).status, 200);
    assert_eq!(cluster.page(1, "GET /readyz", "", "").status, 200);
    // Stopped, not ended: connections stay open, and nobody answers on them.
    let pause = |signal: &str| cluster.database.signal_all(signal);
    pause("STOP");
    until(|| cluster.me(1, &access).status == 503);
    assert_eq!(cluster.page(1, "GET /readyz", "", "").status, 503);
    pause("CONT");
    until(|| cluster.me(1, &access).status == 200);
    until(|| cluster.page(1, "GET /readyz", "", "").status == 200);
}

#[test]
fn s2_a_log_that_has_gone_back_is_noticed() {
    let cluster = Cluster::start_with(1, &[("COUNTERFOIL__REVOCATION__MAX_STALENESS", "1s")]);
    cluster.register(0);
    for _ in 0..2 {
        let (access, _) = cluster.sign_in(0);
        assert_eq!(cluster.page(0, "POST /api/auth/logout", &access, "").status, 204);
    }
    assert_eq!(cluster.page(0, "GET /readyz", "", "").status, 200);
    // As after a fail-over to a standby that had not received the last entry.
    cluster.database.psql("counterfoil", "DELETE FROM revocation WHERE seq = 2");
    cluster.database.psql("counterfoil", "UPDATE log_head SET seq = 1");
    until(|| cluster.page(0, "GET /readyz", "", "").status == 503);
}

#[test]
fn s1_a_sign_out_that_was_made_elsewhere_counts_here_when_it_is_acknowledged_here() {
    let cluster = Cluster::start(2);
    cluster.register(0);
    for _ in 0..20 {
        let (access, _) = cluster.sign_in(0);
        assert_eq!(cluster.me(1, &access).status, 200);
        assert_eq!(cluster.page(0, "POST /api/auth/logout", &access, "").status, 204);
        assert_eq!(cluster.page(1, "POST /api/auth/logout", &access, "").status, 204);
        assert_eq!(cluster.me(1, &access).status, 401);
    }
}

#[test]
fn aud_6_two_replicas_write_one_chain_and_either_can_verify_it() {
    let mut cluster = Cluster::start(2);
    cluster.register(0);
    for n in 0..6 {
        cluster.sign_in(n % 2);
    }
    let sql = "SELECT h.seq > 6 AND h.seq = (SELECT count(*) FROM audit) AND h.seq = (SELECT count(*) FROM audit_seal) \
               FROM audit_head h WHERE place = 'head'";
    until(|| cluster.database.psql("counterfoil", sql).trim() == "t");
    for replica in 0..2 {
        let said = cluster.command(replica, &["audit", "verify"]);
        assert!(said.contains("is whole: "), "{said}");
    }
    // Whichever it was that sealed: the other does at its end, at the latest.
    cluster.replicas.pop().unwrap().kill();
    cluster.sign_in(0);
    cluster.replicas.pop().unwrap().stop();
    assert_eq!(cluster.database.psql("counterfoil", sql).trim(), "t");
    cluster.add();
    let said = cluster.command(0, &["audit", "verify"]);
    assert!(said.contains("is whole: "), "{said}");
    cluster.database.psql("counterfoil", "UPDATE audit SET detail = 'another' WHERE seq = 4");
    let data = cluster.data(0).display().to_string();
    let verified = run(&["audit", "verify", "--data", &data], "");
    let said = String::from_utf8_lossy(&verified.stdout).into_owned();
    assert!(!verified.status.success() && said.contains("entry 4 says something else"), "{said}");
}

/// Looks again until it is so.
fn until(so: impl Fn() -> bool) {
    for _ in 0..400 {
        if so() {
            return;
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    panic!("it has not become so in ten seconds");
}

/// The command line on a replica's data folder.
fn serve_refused(data: &Path, env: &[(&str, &str)]) -> String {
    Server::spawn(std::process::Command::new(crate::support::BINARY), data, env, &[])
        .err()
        .expect("the start is refused")
}
