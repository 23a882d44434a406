//! PostgreSQL as a process of its own: one server for a test that asks for one, in a temporary folder, on a socket nobody else
//! finds; stopped when dropped. The empty cluster is made once and copied.

use super::written;
use counterfoil::store::postgres::{OpenError, PostgresStore, Settings};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Where Debian puts the programs that are not on the path.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions.map(|version| version.path().join("bin").join(name)).collect();
    found.retain(|path| path.exists());
    found.sort();
    found.pop().unwrap_or_else(|| name.into())
}

/// PostgreSQL refuses to run as root: then it runs as `nobody`.
fn command(name: &str) -> Command {
    if rustix::process::geteuid().is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--no-new-privs"]);
        command.arg(program(name));
        command
    } else {
        Command::new(program(name))
    }
}

pub(crate) struct Postgres {
    child: Child,
    port: String,
    folder: tempfile::TempDir,
}

impl Postgres {
    /// An empty database.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// An empty database, on a server with these settings.
    pub(crate) fn start_with(settings: &[&str]) -> Self {
        // A short path: a socket's name has at most 107 bytes.
        let folder = tempfile::Builder::new().prefix("cfpg").tempdir_in("/tmp").unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        let data = folder.path().join("data");
        let mut initdb = command("initdb");
        initdb.args(["--username=counterfoil", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"]);
        let made = initdb.arg("--pgdata").arg(&data).stdout(Stdio::null()).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let mut postgres = command("postgres");
        postgres.arg("-D").arg(&data).args(["-c", "listen_addresses=", "-c", "port=5432", "-k"]).arg(folder.path());
        for setting in ["shared_buffers=16MB", "fsync=off", "max_connections=60", "log_min_messages=warning"] {
            postgres.args(["-c", setting]);
        }
        for setting in settings {
            postgres.args(["-c", setting]);
        }
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let child = postgres.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let port = settings.iter().find_map(|setting| setting.strip_prefix("port=")).unwrap_or("5432").to_owned();
        let started = Self { child, port, folder };
        started.psql("postgres", "CREATE DATABASE counterfoil");
        started
    }

    /// Under which `store.url` it is found.
    pub(crate) fn url(&self) -> String {
        format!("postgres://counterfoil@/counterfoil?host={}", self.socket_folder().display())
    }

    /// A store on it, for the issuer of every test's application.
    pub(crate) async fn open(&self) -> PostgresStore {
        self.try_open(super::test_app::ORIGIN).await.unwrap()
    }

    /// A store on it, for this issuer.
    pub(crate) async fn try_open(&self, issuer: &str) -> Result<PostgresStore, OpenError> {
        let (url, issuer) = (self.url(), issuer.to_owned());
        PostgresStore::open(&Settings { url, password: None, ca_file: None, connections: 12, issuer }).await
    }

    pub(crate) fn socket_folder(&self) -> &Path {
        self.folder.path()
    }

    /// From now on whoever comes over the network has to say a password.
    pub(crate) fn ask_for_passwords(&self) {
        let rules = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
        std::fs::write(self.folder.path().join("data/pg_hba.conf"), rules).unwrap();
        self.psql("postgres", "SELECT pg_reload_conf()");
    }

    /// From now on no commit is confirmed: a standby has to, and there is none. Returns once that is so: a reload is only asked for,
    /// and a commit before the server has come to it is confirmed as ever.
    pub(crate) fn confirm_nothing(&self) {
        self.psql("postgres", "CREATE TABLE probe ()");
        self.psql("postgres", "ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
        self.psql("postgres", "SELECT pg_reload_conf()");
        let folder = self.folder.path();
        for _ in 0..600 {
            let mut probe = Command::new("psql");
            probe.args(["-XAtqw", "-p", &self.port, "-U", "counterfoil", "-d", "postgres", "-h"]).arg(folder);
            let mut probe =
                probe.args(["-c", "INSERT INTO probe DEFAULT VALUES"]).stderr(Stdio::null()).spawn().unwrap();
            let waits = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query LIKE '%probe%'";
            while probe.try_wait().unwrap().is_none() {
                if !self.psql("postgres", waits).is_empty() {
                    probe.wait().unwrap();
                    return;
                }
            }
        }
        panic!("commits are confirmed still");
    }

    /// Sends a signal to the server and to all its processes.
    pub(crate) fn signal_all(&self, signal: &str) {
        let parent = self.child.id().to_string();
        let children = Command::new("pgrep").args(["-P", &parent]).output().unwrap();
        let children = String::from_utf8(children.stdout).unwrap();
        for id in children.split_whitespace().chain([parent.as_str()]) {
            drop(Command::new("kill").args([&format!("-{signal}"), id]).status());
        }
    }

    /// Runs a statement, as soon as the server takes one.
    pub(crate) fn psql(&self, database: &str, sql: &str) -> String {
        let mut last = String::new();
        for _ in 0..600 {
            let mut psql = Command::new("psql");
            psql.args([
                "-XAtqw",
                "-p",
                &self.port,
                "-v",
                "ON_ERROR_STOP=1",
                "-U",
                "counterfoil",
                "-d",
                database,
                "-c",
                sql,
                "-h",
            ]);
            let output = psql.arg(self.folder.path()).output().unwrap();
            if output.status.success() {
                return String::from_utf8(output.stdout).unwrap();
            }
            last = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(last.contains("connect") || last.contains("starting up"), "{last}");
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the database does not answer: {last}");
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // At once: nothing in it is needed any more.
        self.signal_all("CONT");
        let id = self.child.id().to_string();
        drop(Command::new("kill").args(["-QUIT", &id]).status());
        drop(self.child.wait());
        if !std::thread::panicking() {
            // Its data files need no look: whatever went into them is in the write-ahead log, which is never so long here that it
            // begins anew, and no table of ours is kept out of it.
            let logs = written::files(&self.folder.path().join("data/pg_wal"));
            written::check_stored(&logs);
            let said = std::fs::read(self.folder.path().join("log")).unwrap_or_default();
            written::check_said("PostgreSQL's log", &said);
        }
    }
}
