//! D1, twice: nothing acknowledged is lost to `kill -9` at any instant, and, since the kernel outlives a killed process
//! and only power loss shows it, the wait for the disk is where it must be.

use crate::support::{BINARY, Exchange, PASSWORD, Server, from_page};
use counterfoil_guard::base64url_decode;
use rusqlite::{Connection, OpenFlags};
use serde_json::json;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::ops::AddAssign;
use std::path::Path;
use std::process::Command;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The same at every port, so that the issuer and the pages' origin outlive a restart.
pub(crate) const ORIGIN: &str = "http://localhost:1";

/// S3 allows half of it for the retry of a lost answer; a restart takes a hundredth.
const GRACE: Duration = Duration::from_secs(10);

const ENV: [(&str, &str); 4] = [
    ("COUNTERFOIL__PUBLIC_URL", ORIGIN),
    ("COUNTERFOIL__LIMITS__ENABLED", "false"),
    ("COUNTERFOIL__SESSION__ROTATION_GRACE", "10s"),
    ("COUNTERFOIL__SESSION__MAX_PER_USER", "1000"),
];

const ROUNDS: u32 = 200;
const CLIENTS: usize = 8;
/// Each rotates three times per grace at the most (then comes *hold*), so a load of rotations needs many.
const SESSIONS_PER_CLIENT: usize = 30;
/// The rounds repeat after so many. Most kills come right on the heels of an acknowledgement: a throw-away session signed
/// in, the same signed out, a rotation; the others come at no particular time.
const CYCLE: u32 = 8;
const SIGNED_IN: u32 = 1;
const SIGNED_OUT: u32 = 5;

pub(crate) const REFRESH: &str = "__Secure-cf_refresh";

/// Marsaglia's xorshift64: reproducible instants.
struct Xorshift(u64);

impl Xorshift {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// What an honest browser knows of one session.
struct Session {
    token: String,
    /// After a *hold* there is no hurry.
    due: Instant,
    /// The answer to the last use was lost; when that use began.
    lost: Option<Instant>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    rotated: u32,
    held: u32,
    busy: u32,
    lost: u32,
    lost_but_done: u32,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.rotated += other.rotated;
        self.held += other.held;
        self.busy += other.busy;
        self.lost += other.lost;
        self.lost_but_done += other.lost_but_done;
    }
}

/// Where the clients find the server, and where they wait while there is none.
#[derive(Default)]
struct Stage {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    address: Option<SocketAddr>,
    over: bool,
    parked: usize,
    tally: Tally,
    failures: Vec<String>,
}

impl Stage {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// Waits until `due` and for a server other than the one whose connection broke; `None` when all is over.
    fn enter(&self, broken: Option<SocketAddr>, due: Instant) -> Option<SocketAddr> {
        let mut state = self.lock();
        state.parked += 1;
        self.changed.notify_all();
        while !state.over {
            let wait = due.saturating_duration_since(now());
            match state.address {
                Some(address) if broken != Some(address) && wait.is_zero() => {
                    state.parked -= 1;
                    return Some(address);
                }
                Some(_) if !wait.is_zero() => state = self.changed.wait_timeout(state, wait).unwrap().0,
                _ => state = self.changed.wait(state).unwrap(),
            }
        }
        None
    }

    /// A client stops for good.
    fn give_up(&self, failure: String) {
        self.change(|state| {
            state.failures.push(failure);
            state.parked += 1;
        });
    }

    /// Takes the server's address away and waits until no client is busy with an answer any more.
    fn close(&self) {
        let mut state = self.lock();
        state.address = None;
        while state.parked < CLIENTS {
            let (next, waited) = self.changed.wait_timeout(state, Duration::from_mins(1)).unwrap();
            assert!(!waited.timed_out(), "a client hangs");
            state = next;
        }
    }
}

/// Lets the clients end when the test fails.
struct Over<'a>(&'a Stage);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.change(|state| state.over = true);
    }
}

#[expect(clippy::disallowed_methods, reason = "real time, as the process under test has it")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

pub(crate) fn refresh(address: SocketAddr, token: &str) -> std::io::Result<Exchange> {
    from_page(address, ORIGIN, "POST /api/auth/refresh", &format!("{REFRESH}={token}"), "")
}

fn sign_out(address: SocketAddr, token: &str) -> Exchange {
    from_page(address, ORIGIN, "DELETE /api/auth/refresh", &format!("{REFRESH}={token}"), "").unwrap()
}

pub(crate) fn register(address: SocketAddr, email: &str) {
    let body = json!({"email": email, "password": PASSWORD}).to_string();
    let answer = from_page(address, ORIGIN, "POST /api/auth/register", "", &body).unwrap();
    assert_eq!(answer.status, 201, "{}", answer.body);
}

/// Signs in and returns the refresh token.
fn sign_in(address: SocketAddr, email: &str) -> String {
    let body = json!({"email": email, "password": PASSWORD}).to_string();
    let answer = from_page(address, ORIGIN, "POST /api/auth/login", "", &body).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.cookie(REFRESH).unwrap()
}

/// Handle and generation, which stand in a refresh token for all to read.
fn parts(token: &str) -> ([u8; 16], u32) {
    let bytes = base64url_decode(token.strip_prefix("cfr_").unwrap()).unwrap();
    (bytes[2..18].try_into().unwrap(), u32::from_be_bytes(bytes[18..22].try_into().unwrap()))
}

/// One honest client with its sessions: what an answer sets it keeps, what is lost it retries at once.
fn client(stage: &Stage, sessions: &Mutex<Vec<Session>>) {
    let mut broken = None;
    loop {
        let due = sessions.lock().unwrap().iter().map(|session| session.due).min().unwrap();
        let Some(address) = stage.enter(broken, due) else { return };
        broken = None;
        let mut sessions = sessions.lock().unwrap();
        let session = sessions.iter_mut().min_by_key(|session| (session.lost.is_none(), session.due)).unwrap();
        let mut tally = Tally::default();
        let sent = now();
        if let Ok(answer) = refresh(address, &session.token) {
            if let Err(failure) = keep(session, &answer, &mut tally) {
                let late = session.lost.map(|lost| now() - lost);
                let failure = format!("{failure}; the first use of this token was {late:?} ago");
                return stage.give_up(failure);
            }
        } else {
            broken = Some(address);
            session.lost.get_or_insert(sent);
            tally.lost += 1;
        }
        drop(sessions);
        stage.change(|state| state.tally += tally);
    }
}

/// What a browser does with an answer; whatever would sign the user out is a failure.
fn keep(session: &mut Session, answer: &Exchange, tally: &mut Tally) -> Result<(), String> {
    match (answer.status, answer.cookie(REFRESH)) {
        (200, Some(token)) if parts(&token).1 == parts(&session.token).1 + 1 => {
            *session = Session { token, due: now(), lost: None };
            tally.rotated += 1;
        }
        (200, None) => {
            *session = Session { token: session.token.clone(), due: now() + GRACE / 8, lost: None };
            tally.held += 1;
        }
        (503, _) => tally.busy += 1,
        _ => return Err(format!("an honest client got {}\n{}", answer.head, answer.body)),
    }
    Ok(())
}

/// Every session's generation and why it has ended, straight from the database.
fn rows(data: &Path) -> HashMap<[u8; 16], (u32, Option<String>)> {
    let connection = open(data);
    let mut statement = connection.prepare("SELECT handle, generation, end_reason FROM session").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?)))).unwrap();
    rows.map(Result::unwrap).collect()
}

fn open(data: &Path) -> Connection {
    Connection::open_with_flags(data.join("counterfoil.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap()
}

/// A lost rotation is hidden from clients by *fast-forward*, so the rows themselves must be at least as new as what was
/// acknowledged, and newer only by a rotation whose answer was lost.
fn check_rows(data: &Path, clients: &[Mutex<Vec<Session>>]) -> Tally {
    let rows = rows(data);
    let mut tally = Tally::default();
    for client in clients {
        for session in client.lock().unwrap().iter() {
            let (handle, acknowledged) = parts(&session.token);
            let (generation, ended) = &rows[&handle];
            assert_eq!(*ended, None, "a session has ended");
            assert!(*generation >= acknowledged, "an acknowledged rotation is lost: {generation} < {acknowledged}");
            let unanswered = u32::from(session.lost.is_some());
            assert!(*generation <= acknowledged + unanswered, "{generation} > {acknowledged} + {unanswered}");
            tally.lost_but_done += generation - acknowledged;
        }
    }
    tally
}

/// Refreshes in a client's stead, so that the kill follows as soon as the answer is here.
fn rotate_one(address: SocketAddr, clients: &[Mutex<Vec<Session>>], round: u32) {
    let mut sessions = clients[round as usize % CLIENTS].lock().unwrap();
    let session = sessions.iter_mut().min_by_key(|session| session.due).unwrap();
    let answer = refresh(address, &session.token).unwrap();
    keep(session, &answer, &mut Tally::default()).unwrap();
}

/// A session that is signed in right before one kill and signed out right before another.
#[derive(Default)]
struct ThrowAway {
    live: Option<String>,
    signed_out: Vec<String>,
}

impl ThrowAway {
    fn before_the_kill(&mut self, round: u32, address: SocketAddr, clients: &[Mutex<Vec<Session>>]) {
        match round % CYCLE {
            SIGNED_IN => self.live = Some(sign_in(address, "user0@example.com")),
            SIGNED_OUT => {
                let token = self.live.take().unwrap();
                assert_eq!(sign_out(address, &token).status, 204);
                self.signed_out.push(token);
            }
            0 | 4 => {}
            _ => rotate_one(address, clients, round),
        }
    }

    fn after_the_restart(&mut self, round: u32, address: SocketAddr) {
        match round % CYCLE {
            SIGNED_IN => {
                let token = self.live.as_mut().unwrap();
                let answer = refresh(address, token).unwrap();
                assert_eq!(answer.status, 200, "an acknowledged sign-in is lost: {}", answer.body);
                *token = answer.cookie(REFRESH).unwrap();
            }
            SIGNED_OUT => Self::check_signed_out(address, self.signed_out.last().unwrap()),
            _ => {}
        }
    }

    fn check_signed_out(address: SocketAddr, token: &str) {
        let answer = refresh(address, token).unwrap();
        let body: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        let said = (answer.status, body["code"].as_str(), body["reason"].as_str());
        assert_eq!(said, (401, Some("refresh_invalid"), Some("signed_out")), "an acknowledged sign-out is lost");
    }
}

/// Registers a user per client and signs each in many times.
fn sign_everybody_in(address: SocketAddr) -> Vec<Mutex<Vec<Session>>> {
    let sessions_of = |n: usize| {
        let email = format!("user{n}@example.com");
        register(address, &email);
        let start = |_| Session { token: sign_in(address, &email), due: now(), lost: None };
        Mutex::new((0..SESSIONS_PER_CLIENT).map(start).collect())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..CLIENTS).map(|n| scope.spawn(move || sessions_of(n))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// Lets the load run for a random moment, kills, restarts and checks, over and over.
fn kill_over_and_over(data: &Path, first: Server, stage: &Stage, clients: &[Mutex<Vec<Session>>], seed: u64) -> Server {
    let (mut random, mut throw_away, mut server) = (Xorshift(seed), ThrowAway::default(), first);
    let _over = Over(stage);
    for round in 0..ROUNDS {
        stage.change(|state| state.address = Some(server.address));
        // The random instant is the point of the test.
        std::thread::sleep(Duration::from_micros(random.below(40_000)));
        throw_away.before_the_kill(round, server.address, clients);
        server.kill_for_the_next();
        stage.close();
        server = Server::start(data, &ENV);
        let failures = std::mem::take(&mut stage.lock().failures);
        assert!(failures.is_empty(), "seed {seed}, round {round}: {}", failures.join("\n"));
        let tally = check_rows(data, clients);
        throw_away.after_the_restart(round, server.address);
        stage.change(|state| state.tally += tally);
    }
    for token in &throw_away.signed_out {
        ThrowAway::check_signed_out(server.address, token);
    }
    server
}

#[test]
fn d1_s3_kill_9_at_random_instants_under_refresh_load_loses_nothing_and_signs_nobody_out() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path();
    let seed = std::env::var("CRASH_SEED").map_or(0x9e37_79b9_7f4a_7c15, |seed| seed.parse().unwrap());
    println!("seed {seed} (CRASH_SEED sets another)");
    let started = now();
    let first = Server::start(data, &ENV);
    let clients = sign_everybody_in(first.address);
    println!("signed in after {:?}", started.elapsed());
    let stage = Stage::default();
    let server = std::thread::scope(|scope| {
        for sessions in &clients {
            scope.spawn(|| client(&stage, sessions));
        }
        kill_over_and_over(data, first, &stage, &clients, seed)
    });
    let tally = stage.lock().tally;
    println!("{ROUNDS} kills in {:?}: {tally:?}", started.elapsed());
    for session in clients.iter().flat_map(|sessions| std::mem::take(&mut *sessions.lock().unwrap())) {
        assert_eq!(refresh(server.address, &session.token).unwrap().status, 200);
    }
    server.stop();
    let connection = open(data);
    let events = "SELECT count(*) FROM audit WHERE event IN ('refresh_fast_forward', 'refresh_reuse')";
    assert_eq!(connection.query_row(events, [], |row| row.get::<_, u32>(0)).unwrap(), 0);
    let intact: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(intact, "ok");
    // Otherwise the kills hit nothing worth hitting.
    assert!(tally.rotated >= 3 * ROUNDS, "{tally:?}");
    assert!(tally.lost >= ROUNDS / 2 && tally.lost_but_done >= 5, "{tally:?}");
}

/// A system call that writes or waits for the disk, as strace shows it.
#[derive(Debug)]
struct Call {
    name: String,
    /// The descriptor's number and, in angle brackets, what it is.
    target: String,
    /// The lines on which it begins and ends.
    begins: usize,
    ends: usize,
    answer: bool,
}

/// Reads `strace -f -yy`: a call on one line, or begun on one (`<unfinished ...>`) and ended on another (`resumed`).
fn calls(trace: &str) -> Vec<Call> {
    let mut calls: Vec<Call> = Vec::new();
    let mut open: HashMap<&str, usize> = HashMap::new();
    for (line, text) in trace.lines().enumerate() {
        let Some((thread, text)) = text.split_once(' ').map(|(thread, text)| (thread, text.trim_start())) else {
            continue;
        };
        let failed = text.rsplit_once(" = ").is_some_and(|(_, result)| result.starts_with('-'));
        if text.starts_with("<... ") {
            // A call that failed never ends as far as the order of things is concerned.
            if let Some(index) = open.remove(thread).filter(|_| !failed) {
                calls[index].ends = line;
            }
            continue;
        }
        let Some((name, arguments)) = text.split_once('(') else { continue };
        let Some(end) = arguments.find(">, ").or_else(|| arguments.find(">)")).or_else(|| arguments.find("> <unf"))
        else {
            continue;
        };
        let unfinished = text.ends_with("<unfinished ...>");
        if unfinished {
            open.insert(thread, calls.len());
        }
        let ends = if unfinished || failed { usize::MAX } else { line };
        let answer = arguments[..end].contains("<TCP:") && arguments[end..].contains("\"HTTP/1.1 ");
        calls.push(Call { name: name.into(), target: arguments[..=end].into(), begins: line, ends, answer });
    }
    calls
}

/// Whether the last HTTP answer of a trace began only after a write to the write-ahead log since the answer before, and
/// after a wait for the disk that covers the last such write.
fn waits_for_the_disk(trace: &str) -> Result<(), String> {
    let calls = calls(trace);
    let mut answers = calls.iter().filter(|call| call.answer);
    let answer = answers.next_back().ok_or("no answer in the trace")?;
    let before = answers.next_back().map_or(0, |earlier| earlier.begins);
    let during: Vec<&Call> = calls.iter().filter(|call| (before..answer.begins).contains(&call.begins)).collect();
    let writes = |call: &&&Call| call.name.contains("write") && call.target.ends_with("-wal>");
    let write = during.iter().rfind(writes).ok_or("no write to the write-ahead log")?;
    let waits = during.iter().find(|call| {
        matches!(&*call.name, "fsync" | "fdatasync") && call.target == write.target && write.ends < call.begins
    });
    let wait = waits.ok_or("answered without waiting for the disk after the last write")?;
    if wait.ends < answer.begins {
        return Ok(());
    }
    Err(format!("answered before the wait for the disk was over: {wait:?}, {answer:?}"))
}

/// Runs a server under strace, signs in, refreshes once and returns what strace saw.
fn trace_of_a_refresh(args: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trace");
    let mut strace = Command::new("strace");
    // -D: strace as the server's grandchild, so that the process started here is the server.
    strace.args(["-D", "-f", "-yy", "-s", "32", "-e", "signal=none"]);
    strace.args(["-e", "trace=write,writev,pwrite64,pwritev,pwritev2,sendto,sendmsg,fsync,fdatasync", "-o"]);
    strace.arg(&file).arg(BINARY);
    let server = Server::spawn(strace, &folder.path().join("data"), &ENV, args);
    let server = server.unwrap_or_else(|error| {
        panic!("this test needs strace (Debian package `strace`) and leave to trace (ptrace): {error}")
    });
    register(server.address, "ada@example.com");
    let token = sign_in(server.address, "ada@example.com");
    assert_eq!(refresh(server.address, &token).unwrap().status, 200);
    let process = server.child.id().to_string();
    server.stop();
    // strace ends after the server; its last line is about it.
    let started = now();
    loop {
        let trace = std::fs::read_to_string(&file).unwrap_or_default();
        let last = trace.lines().last().unwrap_or_default();
        if last.starts_with(&process) && last.contains("+++ exited with 0") {
            return trace;
        }
        assert!(started.elapsed() < Duration::from_secs(30), "strace has not traced the server to its end: {last:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn d1_the_wait_for_the_disk_lies_between_write_and_answer() {
    assert_eq!(waits_for_the_disk(&trace_of_a_refresh(&[])), Ok(()));
    let without = waits_for_the_disk(&trace_of_a_refresh(&["--unsafe-synchronous-normal"]));
    assert_eq!(without, Err("answered without waiting for the disk after the last write".into()));
}

#[test]
fn d1_the_reading_of_a_trace_tells_every_wrong_order() {
    let write = "8 pwrite64(9</d/x.db-wal>, \"a > b, c\"..., 4096, 32) = 4096\n";
    let (sync, other) = ("8 fdatasync(9</d/x.db-wal>) = 0\n", "8 fdatasync(7</d/x.db>) = 0\n");
    let (begun, ended) = ("8 fdatasync(9</d/x.db-wal> <unfinished ...>\n", "8 <... fdatasync resumed>) = 0\n");
    let failed = "8 <... fdatasync resumed>) = -1 EIO (Input/output error)\n";
    let answer = "12  sendto(5<TCP:[127.0.0.1:1->127.0.0.1:2]>, \"HTTP/1.1 200 OK\\r\\n\"..., 99, 0, NULL, 0) = 99\n";
    let file = "12  write(5</d/log>, \"HTTP/1.1 200 OK\\r\\n\"..., 99) = 99\n";
    for good in [vec![write, sync, answer], vec![answer, write, write, begun, ended, answer]] {
        assert_eq!(waits_for_the_disk(&good.concat()), Ok(()), "{good:?}");
    }
    for bad in [
        vec![write, sync],
        vec![write, sync, file],
        vec![sync, answer],
        vec![write, answer],
        vec![write, answer, sync],
        vec![sync, write, answer],
        vec![write, other, answer],
        vec![write, begun, answer, ended],
        vec![write, begun, failed, answer],
        vec![write, sync, write, answer],
        vec![write, sync, answer, answer],
    ] {
        assert!(waits_for_the_disk(&bad.concat()).is_err(), "{bad:?}");
    }
}
