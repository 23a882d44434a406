//! A server as a process of its own, on a free port, in a temporary folder; stopped when dropped.

use super::http_client::exchange_within;
use super::written;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_counterfoil");

pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
    /// What it says on standard error; in no folder.
    log: File,
    data: PathBuf,
    /// Whether it is asked for its metrics before it ends.
    asked: bool,
    /// Whether what it has written is looked through when it has ended.
    looked_through: bool,
}

impl Server {
    /// Starts on a data folder with these environment variables, and waits until it listens.
    pub(crate) fn start(data: &Path, env: &[(&str, &str)]) -> Self {
        Self::start_with(data, env, &[])
    }

    pub(crate) fn start_with(data: &Path, env: &[(&str, &str)], args: &[&str]) -> Self {
        let mut server = Self::spawn(Command::new(BINARY), data, env, args).expect("the server starts");
        server.asked = true;
        server
    }

    /// Starts through another program (strace, say) whose arguments end where the server's begin. Nothing is asked of it that the
    /// test does not ask.
    pub(crate) fn spawn(
        mut command: Command,
        data: &Path,
        env: &[(&str, &str)],
        args: &[&str],
    ) -> Result<Self, String> {
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data).args(args);
        command.envs([("COUNTERFOIL_LOG", "debug"), ("COUNTERFOIL_LOG_FORMAT", "json")]).envs(env.iter().copied());
        read_env(env);
        let log = tempfile::tempfile().unwrap();
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(log.try_clone().unwrap())
            .spawn()
            .map_err(|error| error.to_string())?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.rsplit_once('(').and_then(|(_, rest)| rest.trim_end().trim_end_matches(')').parse().ok());
        if let Some(address) = address {
            written::read_kept(data);
            Ok(Self { child, address, log, data: data.to_owned(), asked: false, looked_through: true })
        } else {
            child.wait().unwrap();
            let said = written::all_of(&log);
            written::check_said("why a server does not start", &said);
            Err(String::from_utf8_lossy(&said).into_owned())
        }
    }

    /// The origin under which its pages live.
    pub(crate) fn origin(&self) -> String {
        format!("http://localhost:{}", self.address.port())
    }

    /// Its last metrics are looked through like any answer. One that is stuck, or speaks TLS, has none.
    fn ask_for_metrics(&self) {
        if !self.asked {
            return;
        }
        drop(exchange_within(Duration::from_secs(1), self.address, "GET /metrics", &[], ""));
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// The same, for another server on the same folder at once. What it has said is looked through with that one's.
    pub(crate) fn kill_for_the_next(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        written::said(&self.log);
        self.looked_through = false;
    }

    /// Asks it to stop and waits until it has; its exit must be clean. Returns what it has logged.
    pub(crate) fn stop(mut self) -> String {
        self.ask_for_metrics();
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
        String::from_utf8_lossy(&written::all_of(&self.log)).into_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.ask_for_metrics();
            self.child.kill().unwrap();
            self.child.wait().unwrap();
        }
        if self.looked_through && !std::thread::panicking() {
            written::check_process(&self.log, &self.data);
        }
    }
}

/// Takes in the secrets among environment variables: values of those that are not settings, which name files and numbers.
fn read_env(env: &[(&str, &str)]) {
    for (name, value) in env.iter().filter(|(name, _)| !name.starts_with("COUNTERFOIL_") || name.ends_with("_KEY")) {
        written::read_text(name, value);
    }
}

/// Runs the command line to its end.
pub(crate) fn run(args: &[&str], stdin: &str) -> Output {
    run_in(&[], args, stdin)
}

/// The same with these environment variables. What it prints is its answer, and may be a secret; what it says beside must not be.
pub(crate) fn run_in(env: &[(&str, &str)], args: &[&str], stdin: &str) -> Output {
    use std::io::Write as _;
    let mut command = Command::new(BINARY);
    command.args(args).envs(env.iter().copied());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    read_env(env);
    written::asked("", std::iter::empty(), stdin);
    written::asked("", std::iter::empty(), &String::from_utf8_lossy(&output.stdout));
    written::check_said("what a command says", &output.stderr);
    if let ["backup", file, ..] = args {
        written::check_stored(&[PathBuf::from(file)]);
    }
    output
}

/// A command in a mount namespace of its own, after these lines of shell with `$1` as `place`. Needs no privilege where
/// user namespaces are allowed.
pub(crate) fn in_namespace(mounts: &str, place: &Path) -> Command {
    let script = format!("set -e; {mounts}; shift; exec \"$@\"");
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", &script, "sh"]).arg(place);
    command
}
