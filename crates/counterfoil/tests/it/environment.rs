//! What the surroundings can do to a server: folders, files, keys, disks, ports and signals. Each time a message that says
//! what to do, and no damage.

use crate::crash::{ORIGIN, REFRESH, now, refresh, register};
use crate::support::{BINARY, EMAIL, Exchange, PASSWORD, Server, begin, from_page, in_namespace, run, written};
use counterfoil_core::Secret;
use counterfoil_core::keys::sealing::{MasterKey, Purpose};
use counterfoil_guard::base64url_decode;
use rusqlite::Connection;
use serde_json::json;
use std::collections::BTreeMap;
use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const ENV: [(&str, &str); 2] = [("COUNTERFOIL__PUBLIC_URL", ORIGIN), ("COUNTERFOIL__LIMITS__ENABLED", "false")];
const ACCESS: &str = "__Host-cf_access";
const DATABASE: &str = "counterfoil.db";

/// A data folder that has been used and was left in good order.
fn used_folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let init = run(&["init", "--data", folder.path().to_str().unwrap()], "");
    assert!(init.status.success(), "{}", String::from_utf8_lossy(&init.stderr));
    folder
}

fn serve(data: &Path) -> Command {
    serve_at("127.0.0.1:0", data)
}

fn serve_at(address: &str, data: &Path) -> Command {
    let mut command = Command::new(BINARY);
    command.args(["serve", "--listen", address, "--data"]).arg(data);
    command
}

/// Runs a server that must not start, and returns what it says about that.
fn refusal(command: &mut Command) -> String {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    if within(Duration::from_secs(30), || child.try_wait().unwrap()).is_none() {
        child.kill().unwrap();
        panic!("it runs, and should have been refused");
    }
    let output = child.wait_with_output().unwrap();
    written::check_said("why a server does not start", &output.stderr);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(output.stdout.is_empty() && said.contains("error: "), "{said}");
    said
}

#[track_caller]
fn assert_says(said: &str, words: &[&str]) {
    for word in words {
        assert!(said.contains(word), "`{word}` is missing in: {said}");
    }
}

fn within<T>(limit: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let started = now();
    while started.elapsed() < limit {
        if let Some(seen) = look() {
            return Some(seen);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    None
}

/// Every file of a folder, byte for byte, but for the lock, which names its last holder, SQLite's shared memory, and what
/// is empty (a write-ahead log with nothing in it).
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = paths.filter(|path| path.is_file() && !path.ends_with("lock") && !path.ends_with("counterfoil.db-shm"));
    files.map(|path| (path.clone(), fs::read(path).unwrap())).filter(|(_, bytes)| !bytes.is_empty()).collect()
}

/// Compares without printing whole databases.
#[track_caller]
fn assert_unchanged(folder: &Path, before: &BTreeMap<PathBuf, Vec<u8>>) {
    let after = files(folder);
    assert!(after.keys().eq(before.keys()), "{:?} became {:?}", before.keys(), after.keys());
    let changed: Vec<&PathBuf> = after.keys().filter(|path| after[*path] != before[*path]).collect();
    assert!(changed.is_empty(), "changed: {changed:?}");
}

const READ_ONLY: &str = "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\"";

fn post(address: SocketAddr, path: &str, cookie: &str, body: &str) -> Exchange {
    from_page(address, ORIGIN, &format!("POST {path}"), cookie, body).unwrap()
}

fn credentials(email: &str) -> String {
    json!({"email": email, "password": PASSWORD}).to_string()
}

fn sign_in(address: SocketAddr, email: &str) -> Exchange {
    post(address, "/api/auth/login", "", &credentials(email))
}

fn get(address: SocketAddr, path: &str, cookie: &str) -> u16 {
    from_page(address, ORIGIN, &format!("GET {path}"), cookie, "").unwrap().status
}

#[track_caller]
fn assert_overloaded(answer: &Exchange) {
    assert!(answer.status == 503 && answer.body.contains("\"code\":\"overloaded\""), "{answer:?}");
    assert!(answer.head.to_ascii_lowercase().contains("\r\nretry-after: "), "{answer:?}");
}

#[test]
fn d1_a_read_only_data_folder_or_database_is_named() {
    let folder = used_folder();
    let before = files(folder.path());
    for place in [folder.path().to_owned(), folder.path().join(DATABASE)] {
        let mut command = in_namespace(READ_ONLY, &place);
        command.args([BINARY, "serve", "--listen", "127.0.0.1:0", "--data"]).arg(folder.path());
        assert_says(&refusal(&mut command), &[place.to_str().unwrap(), "Read-only file system"]);
        assert_unchanged(folder.path(), &before);
    }
}

#[test]
fn a_data_folder_that_cannot_be_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "mine").unwrap();
    assert_says(&refusal(&mut serve(&file)), &[file.to_str().unwrap(), "exists"]);
    assert_eq!(fs::read(&file).unwrap(), b"mine");
    let below = file.join("data");
    assert_says(&refusal(&mut serve(&below)), &[below.to_str().unwrap(), "Not a directory"]);
    assert_says(&refusal(&mut serve(Path::new("/proc/counterfoil"))), &["/proc/counterfoil", "No such file"]);
}

#[test]
fn a_database_that_is_none_is_named_and_left_alone() {
    let folder = used_folder();
    let database = folder.path().join(DATABASE);
    fs::write(&database, [7; 8192]).unwrap();
    let before = files(folder.path());
    assert_says(&refusal(&mut serve(folder.path())), &[database.to_str().unwrap(), "not a database"]);
    assert_unchanged(folder.path(), &before);

    fs::remove_file(&database).unwrap();
    fs::create_dir(&database).unwrap();
    assert_says(&refusal(&mut serve(folder.path())), &[database.to_str().unwrap(), "directory"]);
}

#[test]
fn a_second_process_is_refused_and_told_which_has_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &ENV);
    let holder = format!("process {})", server.child.id());
    assert_says(&refusal(&mut serve(folder.path())), &[folder.path().to_str().unwrap(), "in use", &holder]);
    // Told twice the same: being refused has not changed who holds it.
    assert_says(&refusal(&mut serve(folder.path())), &[&holder]);
    assert_eq!(get(server.address, "/readyz", ""), 200);
    server.stop();
}

#[test]
fn a_folder_without_its_master_key_is_refused_and_left_alone() {
    let folder = used_folder();
    let key = folder.path().join("master.key");
    fs::rename(&key, folder.path().join("elsewhere")).unwrap();
    let before = files(folder.path());
    assert_says(
        &refusal(&mut serve(folder.path())),
        &["no master key", key.to_str().unwrap(), "COUNTERFOIL_MASTER_KEY_FILE"],
    );
    assert_unchanged(folder.path(), &before);

    let mut elsewhere = serve(folder.path());
    elsewhere.env("COUNTERFOIL_MASTER_KEY_FILE", "/nonexistent/key");
    assert_says(&refusal(&mut elsewhere), &["/nonexistent/key", "No such file"]);
    let kept = folder.path().join("elsewhere");
    let kept = [("COUNTERFOIL_MASTER_KEY_FILE", kept.to_str().unwrap())];
    Server::start(folder.path(), &kept).stop();
}

#[test]
fn a_wrong_master_key_is_refused_and_the_database_left_alone() {
    let (folder, other) = (used_folder(), used_folder());
    fs::copy(other.path().join("master.key"), folder.path().join("master.key")).unwrap();
    let before = files(folder.path());
    assert_says(&refusal(&mut serve(folder.path())), &["the master key does not fit"]);
    assert_unchanged(folder.path(), &before);
}

#[test]
fn a_master_key_that_others_can_read_is_refused() {
    let folder = used_folder();
    let key = folder.path().join("master.key");
    for mode in [0o644, 0o640, 0o604, 0o620] {
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
        let said = refusal(&mut serve(folder.path()));
        assert_says(&said, &[&format!("mode {mode:o}"), &format!("chmod 600 {}", key.display())]);
    }
    fs::set_permissions(&key, fs::Permissions::from_mode(0o400)).unwrap();
    Server::start(folder.path(), &[]).stop();
}

#[test]
fn s6_a_garbled_master_key_is_refused_without_being_repeated() {
    let folder = used_folder();
    let key = folder.path().join("master.key");
    let good = fs::read_to_string(&key).unwrap().trim().to_owned();
    for bad in [&good[1..], "", "garbage-garbage-garbage-garbage-garbage-garbage", &good.replacen(&good[..1], "!", 1)] {
        fs::write(&key, bad).unwrap();
        let said = refusal(&mut serve(folder.path()));
        assert_says(&said, &[key.to_str().unwrap(), "43 characters"]);
        assert!(bad.is_empty() || !said.contains(bad), "{said}");
        let mut by_environment = serve(folder.path());
        by_environment.env("COUNTERFOIL_MASTER_KEY", bad);
        assert_says(&refusal(&mut by_environment), &["COUNTERFOIL_MASTER_KEY:", "43 characters"]);
    }
    fs::write(&key, good).unwrap();
    Server::start(folder.path(), &[]).stop();
}

#[test]
fn another_programs_database_is_refused_and_left_alone() {
    for mark in ["", "PRAGMA application_id = 7;"] {
        let folder = used_folder();
        let database = folder.path().join(DATABASE);
        fs::remove_file(&database).unwrap();
        let connection = Connection::open(&database).unwrap();
        connection
            .execute_batch(&format!("{mark} CREATE TABLE bookmark (url); INSERT INTO bookmark VALUES ('x');"))
            .unwrap();
        connection.close().unwrap();
        let before = files(folder.path());
        assert_says(&refusal(&mut serve(folder.path())), &[database.to_str().unwrap(), "another program"]);
        assert_unchanged(folder.path(), &before);
    }
}

#[test]
fn a_newer_database_is_refused_and_left_alone() {
    let folder = used_folder();
    let database = folder.path().join(DATABASE);
    let connection = Connection::open(&database).unwrap();
    connection.pragma_update(None, "user_version", 999).unwrap();
    connection.close().unwrap();
    let before = files(folder.path());
    assert_says(&refusal(&mut serve(folder.path())), &[database.to_str().unwrap(), "999", "newer counterfoil"]);
    assert_unchanged(folder.path(), &before);
}

#[test]
fn beyond_loopback_only_https() {
    let folder = tempfile::tempdir().unwrap();
    let http = refusal(serve_at("0.0.0.0:0", folder.path()).env("COUNTERFOIL__PUBLIC_URL", "http://app.example.com"));
    assert_says(&http, &["public_url", "http://app.example.com", "https", "0.0.0.0"]);
    assert_says(&refusal(&mut serve_at("0.0.0.0:0", folder.path())), &["public_url", "https"]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing was made");
}

#[test]
fn an_unknown_configuration_key_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let said = refusal(serve(&data).env("COUNTERFOIL__SESSION__ROTATION_GRAZE", "1s"));
    assert_says(&said, &["session.rotation_graze", "rotation_grace"]);
    let config = folder.path().join("counterfoil.toml");
    fs::write(&config, "[sessions]\nidle = \"1d\"\n").unwrap();
    assert_says(&refusal(serve(&data).arg("--config").arg(&config)), &["`sessions`", "`session`"]);
    fs::write(&config, "[session\n").unwrap();
    assert_says(&refusal(serve(&data).arg("--config").arg(&config)), &[config.to_str().unwrap(), "not TOML"]);
    assert!(!data.exists(), "nothing was made");
}

#[test]
fn a_port_in_use_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert_says(&refusal(&mut serve_at(&address, folder.path())), &["cannot listen", &address, "in use"]);
}

/// What must not be found in the database: name and bytes.
type Secrets = Vec<(&'static str, Vec<u8>)>;

/// The secrets that the database holds under seal, in the clear.
fn sealed_secrets(data: &Path, master: &[u8]) -> Secrets {
    let master = MasterKey::new(&Secret::new(master.try_into().unwrap()));
    let connection = Connection::open(data.join(DATABASE)).unwrap();
    let sql = "SELECT purpose, id, sealed FROM sealed_secret UNION ALL SELECT 'signing', kid, sealed FROM signing_key";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    let open = |(purpose, id, sealed): (String, String, Vec<u8>)| {
        let (name, purpose) = match purpose.as_str() {
            "signing" => ("a signing key", Purpose::SigningKey),
            of if of == Purpose::TokenKey.as_str() => ("the token key", Purpose::TokenKey),
            of if of == Purpose::Pepper.as_str() => ("the pepper", Purpose::Pepper),
            _ => return None, // the probe, which is no secret
        };
        Some((name, master.open(purpose, &id, &sealed).unwrap().expose().clone()))
    };
    rows.filter_map(|row| open(row.unwrap())).collect()
}

/// A token as text, and its deciding part: what of it proves that we made it.
fn token_secrets(secrets: &mut Secrets, name: &'static str, token: &str, proof: &str, length: usize) {
    let bytes = base64url_decode(proof).unwrap();
    secrets.push((name, token.as_bytes().to_vec()));
    secrets.push((name, bytes[bytes.len() - length..].to_vec()));
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn s6_a_stolen_database_holds_no_secret_in_the_clear_and_starts_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path(), &ENV);
    register(server.address, EMAIL);
    let signed_in = sign_in(server.address, EMAIL);
    let rotated = refresh(server.address, &signed_in.cookie(REFRESH).unwrap()).unwrap();
    let invite = fs::read_to_string(folder.path().join("first-admin")).unwrap();
    // Killed, so that the write-ahead log is there too.
    server.kill();

    let master = fs::read_to_string(folder.path().join("master.key")).unwrap();
    let key = base64url_decode(master.trim()).unwrap();
    let copy = tempfile::tempdir().unwrap();
    let mut stolen = Vec::new();
    for name in [DATABASE, "counterfoil.db-wal"] {
        let bytes = fs::read(folder.path().join(name)).unwrap();
        assert!(!bytes.is_empty(), "{name}");
        fs::write(copy.path().join(name), &bytes).unwrap();
        stolen.extend(bytes);
    }
    let mut secrets = sealed_secrets(folder.path(), &key);
    assert_eq!(secrets.len(), 4, "two signing keys, the token key, the pepper");
    secrets.push(("the master key's text", master.trim().as_bytes().to_vec()));
    secrets.push(("the master key", key));
    secrets.push(("the password", PASSWORD.as_bytes().to_vec()));
    for answer in [&signed_in, &rotated] {
        let (access, refresh) = (answer.cookie(ACCESS).unwrap(), answer.cookie(REFRESH).unwrap());
        token_secrets(&mut secrets, "a refresh token", &refresh, &refresh["cfr_".len()..], 32);
        token_secrets(&mut secrets, "an access token", &access, access.rsplit_once('.').unwrap().1, 64);
    }
    let invite = invite.trim().rsplit_once("invite=").unwrap().1;
    secrets.push(("the first administrator's token", invite.as_bytes().to_vec()));
    for (name, secret) in &secrets {
        assert!(secret.len() >= 16 && !holds(&stolen, secret), "{name} is in the database");
    }
    // What is there is found: the search can fail.
    let handle = &base64url_decode(&rotated.cookie(REFRESH).unwrap()["cfr_".len()..]).unwrap()[2..18];
    assert!(holds(&stolen, EMAIL.as_bytes()) && holds(&stolen, handle));
    assert_says(&refusal(&mut serve(copy.path())), &["no master key"]);
}

#[test]
fn d1_sigterm_lets_requests_under_way_finish_and_the_next_start_works() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), &ENV);
    register(server.address, EMAIL);
    let body = credentials(EMAIL);
    let under_way: Vec<TcpStream> = (0..6).map(|_| begin(server.address, "POST /api/auth/login", body.len())).collect();
    assert!(Command::new("kill").arg(server.child.id().to_string()).status().unwrap().success());
    let refuses = || TcpStream::connect(server.address).is_err().then_some(());
    within(Duration::from_secs(8), refuses).expect("it takes no new connections");
    assert!(server.child.try_wait().unwrap().is_none(), "it has not waited");
    let finish = |mut stream: TcpStream| {
        stream.write_all(body.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        answer.split_once(&format!("{REFRESH}=")).unwrap().1.split(';').next().unwrap().to_owned()
    };
    let tokens: Vec<String> = under_way.into_iter().map(finish).collect();
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    assert!(!folder.path().join("control.sock").exists());

    let server = Server::start(folder.path(), &ENV);
    for token in tokens {
        assert_eq!(refresh(server.address, &token).unwrap().status, 200);
    }
    server.stop();
}

#[test]
fn d1_sigterm_as_soon_as_it_says_that_it_listens_ends_it_cleanly() {
    let folder = used_folder();
    for _ in 0..10 {
        Server::start(folder.path(), &ENV).stop();
        assert!(!folder.path().join("control.sock").exists());
    }
}

#[test]
fn s6_every_file_is_its_owners_alone_whatever_the_umask() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut careless = Command::new("sh");
    careless.args(["-c", "umask 0; exec \"$0\" \"$@\"", BINARY]);
    let server = Server::spawn(careless, &data, &ENV, &[]).unwrap();
    register(server.address, EMAIL);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&data), 0o700);
    let entries = fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().path());
    let modes: BTreeMap<PathBuf, u32> = entries.map(|path| (path.clone(), mode(&path))).collect();
    let private =
        ["control.sock", DATABASE, "counterfoil.db-shm", "counterfoil.db-wal", "first-admin", "lock", "master.key"];
    for name in private {
        assert!(modes.contains_key(&data.join(name)), "{name} is missing: {modes:?}");
    }
    assert!(modes.values().all(|mode| *mode == 0o600), "{modes:?}");
    server.stop();
}

/// Whoever is signed in stays so, the public keys stay there, and all that writes says 503.
fn check_reads_work_and_writes_wait(address: SocketAddr, access: &str, token: &str) {
    let cookie = format!("{ACCESS}={access}");
    assert_overloaded(&refresh(address, token).unwrap());
    assert_overloaded(&sign_in(address, EMAIL));
    assert_overloaded(&post(address, "/api/auth/register", "", &credentials("late@example.com")));
    for path in ["/api/auth/me", "/api/auth/sessions", "/.well-known/jwks.json", "/healthz"] {
        assert_eq!(get(address, path, &cookie), 200, "{path}");
    }
}

#[test]
fn d1_a_full_disk_refuses_writes_until_there_is_room_again_and_loses_nothing() {
    let place = tempfile::tempdir().unwrap();
    let data = place.path().join("data");
    let mut small = in_namespace("mount -t tmpfs -o size=4m tmpfs \"$1\"", place.path());
    small.arg(BINARY);
    // Without a grace, every refresh writes.
    let env = [ENV.as_slice(), &[("COUNTERFOIL__SESSION__ROTATION_GRACE", "0s")]].concat();
    let mut server = Server::spawn(small, &data, &env, &[]).expect("leave to mount a tmpfs, and a start");
    // The disk as the server sees it.
    let disk = PathBuf::from(format!("/proc/{}/root", server.child.id())).join(place.path().strip_prefix("/").unwrap());
    assert!(disk.join("data").exists() && !data.exists(), "the tmpfs is the server's alone");
    register(server.address, EMAIL);
    let signed_in = sign_in(server.address, EMAIL);
    let (access, mut token) = (signed_in.cookie(ACCESS).unwrap(), signed_in.cookie(REFRESH).unwrap());

    let mut ballast = fs::File::create(disk.join("ballast")).unwrap();
    let full = std::iter::repeat_with(|| ballast.write_all(&[1; 4096])).find_map(Result::err).unwrap();
    assert_eq!(full.kind(), ErrorKind::StorageFull);
    // What is allocated already still has room for a while: the log's file, and the last block of each.
    let mut fitted = 0;
    while let Some(newer) = refresh(server.address, &token).unwrap().cookie(REFRESH) {
        token = newer;
        fitted += 1;
        assert!(fitted < 5000, "the disk is full");
    }
    for _ in 0..3 {
        check_reads_work_and_writes_wait(server.address, &access, &token);
    }
    assert!(server.child.try_wait().unwrap().is_none());

    ballast.set_len(0).unwrap();
    for _ in 0..2 {
        let answer = refresh(server.address, &token).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        token = answer.cookie(REFRESH).expect("what failed for want of room has changed nothing");
    }
    let copy = tempfile::tempdir().unwrap();
    for name in [DATABASE, "counterfoil.db-wal", "master.key"] {
        fs::copy(disk.join("data").join(name), copy.path().join(name)).unwrap();
    }
    server.stop();
    let server = Server::start(copy.path(), &ENV);
    assert_eq!(refresh(server.address, &token).unwrap().status, 200);
    server.stop();
}

#[test]
fn d1_a_failing_disk_ends_writing_but_not_reading_and_a_restart_has_everything_acknowledged() {
    let folder = used_folder();
    let mut limited = Command::new("bash");
    // No file beyond 256 KiB: writing fails with EFBIG, which to SQLite is an error of the disk.
    limited.args(["-c", "trap '' XFSZ; ulimit -f 256; exec \"$0\" \"$@\"", BINARY]);
    let mut server = Server::spawn(limited, folder.path(), &ENV, &[]).unwrap();
    register(server.address, EMAIL);
    let mut acknowledged = Vec::new();
    let refused = loop {
        let answer = sign_in(server.address, EMAIL);
        if answer.status != 200 {
            break answer;
        }
        acknowledged.push((answer.cookie(ACCESS).unwrap(), answer.cookie(REFRESH).unwrap()));
        assert!(acknowledged.len() < 200, "the limit does not bind");
    };
    assert_overloaded(&refused);
    assert!(!acknowledged.is_empty());
    for (access, token) in &acknowledged {
        check_reads_work_and_writes_wait(server.address, access, token);
    }
    assert_eq!(get(server.address, "/readyz", ""), 503, "no traffic for a server that cannot write");
    assert!(server.child.try_wait().unwrap().is_none());
    server.stop();

    let server = Server::start(folder.path(), &ENV);
    for (_, token) in &acknowledged {
        assert!(refresh(server.address, token).unwrap().cookie(REFRESH).is_some(), "an acknowledged sign-in is lost");
    }
    server.stop();
}
