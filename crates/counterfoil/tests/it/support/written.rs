//! Everything that is written while a test runs, looked through for every secret that it knows (`secrets`): log lines of this
//! process and of servers, what commands say, error answers, the audit log and the metrics as they are served, files of data
//! folders, the logs of a PostgreSQL.
//!
//! [`super::TestApp`], [`super::Server`] and [`super::Postgres`] look when they end, so that no test has to. Not looked through: what
//! the data folder is there to keep secret, what a Redis holds, and what proxies beside us log.

use super::secrets::{Form, Pattern, Reach, Secrets, known};
use aho_corasick::{AhoCorasick, Match};
use counterfoil::telemetry::{self, Format};
use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, Once, PoisonError};

/// Files that hold a secret by purpose: the master key, the next one, the link that makes the first administrator.
const KEPT_SECRET: [&str; 3] = ["master.key", "master.key.next", "first-admin"];

/// SQLite's index of its write-ahead log: numbers of pages, which look like the numbers that attacks are made of.
const NUMBERS_ONLY: &str = "counterfoil.db-shm";

/// All lines of the log of this process.
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// What servers have said on standard error.
static SAID: Mutex<Vec<u8>> = Mutex::new(Vec::new());

/// Error answers, metrics and audit logs that this process was given.
static SERVED: Mutex<Vec<u8>> = Mutex::new(Vec::new());

fn append(to: &Mutex<Vec<u8>>, bytes: &[u8]) {
    to.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
}

struct Sink;

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        append(&LOG, bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// From now on the log of this process is kept, all that is ours and nearly all that is not.
pub(crate) fn start_logging() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| telemetry::log_to("debug,counterfoil=trace".parse().unwrap(), Format::Json, || Sink));
}

/// The log of this process so far.
pub(crate) fn log() -> String {
    String::from_utf8_lossy(&LOG.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
}

/// Takes in what was sent: target, headers, body.
pub(crate) fn asked<'a>(target: &str, headers: impl Iterator<Item = (&'a str, &'a str)>, body: &str) {
    let mut secrets = known();
    secrets.read_target(target);
    headers.for_each(|(name, value)| secrets.read_header(name, value));
    secrets.read_body(body);
}

/// Takes in what came back. A refusal, the audit log and the metrics are themselves something that is written.
pub(crate) fn answered<'a>(target: &str, status: u16, headers: impl Iterator<Item = (&'a str, &'a str)>, body: &str) {
    let mut secrets = known();
    headers.for_each(|(name, value)| secrets.read_header(name, value));
    secrets.read_body(body);
    let path = target.split('?').next().unwrap_or(target);
    // The one refusal that hands something out: what a native client brings along with the proof it is asked for.
    let handed_out = serde_json::from_str::<serde_json::Value>(body).ok().filter(|_| path == "/api/auth/refresh");
    let handed_out = handed_out.and_then(|body| body["login_token"].as_str().map(str::to_owned));
    let body = &handed_out.map_or_else(|| body.to_owned(), |token| body.replace(&token, ""));
    if status >= 400 || ["/metrics", "/api/admin/audit"].contains(&path) {
        append(&SERVED, format!("{path} {status}: {body}\n").as_bytes());
    }
}

/// Where is being looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Logs, answers, metrics.
    Printed,
    /// The store's files.
    Stored,
}

/// What is looked for, made ready.
pub(crate) struct Search {
    automaton: AhoCorasick,
    patterns: Vec<Pattern>,
}

impl Search {
    pub(crate) fn new(secrets: &Secrets) -> Self {
        let patterns = secrets.patterns();
        let automaton = AhoCorasick::new(patterns.iter().map(|pattern| &pattern.head)).unwrap();
        Self { automaton, patterns }
    }

    /// What stands there and must not, with the text around it, in which every secret is blanked.
    pub(crate) fn find(&self, place: Place, text: &[u8]) -> Option<String> {
        let counts = |found: &Match| {
            let known = &self.patterns[found.pattern().as_usize()].known;
            place == Place::Printed || known.reach == Reach::Nowhere
        };
        let found = self.automaton.find_overlapping_iter(text).find(counts)?;
        let pattern = &self.patterns[found.pattern().as_usize()];
        let form = match pattern.form {
            Form::AsItIs => "as it is",
            Form::Hex => "in hex",
            Form::Base64 => "in base64",
            Form::Percent => "percent-encoded",
            Form::Json => "escaped for JSON",
            Form::Numbers => "byte by byte",
        };
        let from = found.start().saturating_sub(120);
        let until = text.len().min(found.start() + pattern.length + 60);
        let around = self.blanked(&text[from..until]);
        Some(format!("{} {form}, at byte {}: …{around}…", pattern.known.kind, found.start()))
    }

    fn blanked(&self, text: &[u8]) -> String {
        let (mut out, mut at) = (String::new(), 0);
        let mut all: Vec<Match> = self.automaton.find_overlapping_iter(text).collect();
        all.sort_by_key(Match::start);
        for found in all {
            if found.start() < at {
                continue;
            }
            out.push_str(&text[at..found.start()].escape_ascii().to_string());
            out.push_str("‹secret›");
            at = text.len().min(found.start() + self.patterns[found.pattern().as_usize()].length);
        }
        out.push_str(&text[at..].escape_ascii().to_string());
        out
    }

    /// Fails the test if a secret stands there. Never prints one.
    fn assert_clean(&self, place: Place, name: &str, text: &[u8]) {
        if let Some(found) = self.find(place, text) {
            panic!("a secret is written in {name}: {found}");
        }
    }

    fn assert_clean_files(&self, paths: &[PathBuf]) {
        for path in paths {
            self.assert_clean(Place::Stored, &path.display().to_string(), &content(path));
        }
    }

    /// The log of this process, what servers have said, and what was served.
    fn assert_clean_process(&self) {
        for (name, text) in [("the log", &LOG), ("a server's log", &SAID), ("an answer", &SERVED)] {
            self.assert_clean(Place::Printed, name, &text.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

/// Looks through what has been written so far, the metrics, and the files of this folder.
pub(crate) fn check(folder: &Path, metrics: &str) {
    let search = Search::new(&known());
    search.assert_clean_process();
    search.assert_clean(Place::Printed, "the metrics", metrics.as_bytes());
    search.assert_clean_files(&files(folder));
}

/// Looks through what a process has said on standard error, and through its data folder.
pub(crate) fn check_process(log: &File, data: &Path) {
    said(log);
    read_kept(data);
    check(data, "");
}

/// Keeps what a process has said, for the next look.
pub(crate) fn said(log: &File) {
    append(&SAID, &all_of(log));
}

/// Looks through what a command has said on standard error.
pub(crate) fn check_said(what: &str, said: &[u8]) {
    Search::new(&known()).assert_clean(Place::Printed, what, said);
}

/// Looks through files as those of a store.
pub(crate) fn check_stored(paths: &[PathBuf]) {
    if known().len() == 0 {
        return;
    }
    Search::new(&known()).assert_clean_files(paths);
}

/// Takes in what a data folder keeps secret.
pub(crate) fn read_kept(data: &Path) {
    for name in KEPT_SECRET {
        if let Ok(text) = std::fs::read_to_string(data.join(name)) {
            read_text(name, text.trim());
        }
    }
}

/// Takes in a secret that was given in a file or a variable: a key in base64, a link, a password.
pub(crate) fn read_text(kind: &str, text: &str) {
    let mut secrets = known();
    secrets.read_target(text);
    if let Some(bytes) = counterfoil_guard::base64url_decode(text).filter(|bytes| bytes.len() == 32) {
        secrets.add(kind, &bytes, Reach::Nowhere);
    } else if !text.contains("://") && !text.starts_with('/') {
        secrets.read_value(kind, text);
    }
}

/// All of a file that somebody else writes; their place in it stays as it is.
pub(crate) fn all_of(file: &File) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(file.metadata().unwrap().len()).unwrap()];
    let mut read = 0;
    while read < bytes.len() {
        match file.read_at(&mut bytes[read..], read as u64).unwrap() {
            0 => break,
            more => read += more,
        }
    }
    bytes.truncate(read);
    bytes
}

/// Every file below a folder that is looked through.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            let passed_over =
                entry.file_name().to_str().is_some_and(|name| KEPT_SECRET.contains(&name) || name == NUMBERS_ONLY);
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(entry.path()),
                Ok(kind) if kind.is_file() && !passed_over => found.push(entry.path()),
                _ => {}
            }
        }
    }
    found
}

/// A file without the zeros at its end, of which logs that are written in advance consist mostly. One that has gone meanwhile is
/// empty.
fn content(path: &Path) -> Vec<u8> {
    const BLOCK: usize = 4096;
    let mut bytes = std::fs::read(path).unwrap_or_default();
    while bytes.last_chunk::<BLOCK>().is_some_and(|last| *last == [0; BLOCK]) {
        bytes.truncate(bytes.len() - BLOCK);
    }
    bytes
}
