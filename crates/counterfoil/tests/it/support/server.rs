//! A server as a process of its own, on a free port, in a temporary folder; stopped when dropped.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_counterfoil");

pub(crate) struct Server {
    pub(crate) child: Child,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// Starts on a data folder with these environment variables, and waits until it listens.
    pub(crate) fn start(data: &Path, env: &[(&str, &str)]) -> Self {
        Self::start_with(data, env, &[])
    }

    pub(crate) fn start_with(data: &Path, env: &[(&str, &str)], args: &[&str]) -> Self {
        Self::spawn(Command::new(BINARY), data, env, args).expect("the server starts")
    }

    /// Starts through another program (strace, say) whose arguments end where the server's begin.
    pub(crate) fn spawn(
        mut command: Command,
        data: &Path,
        env: &[(&str, &str)],
        args: &[&str],
    ) -> Result<Self, String> {
        command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(data).args(args);
        command.env("COUNTERFOIL_LOG", "warn").envs(env.iter().copied());
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(|error| error.to_string())?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.rsplit_once('(').and_then(|(_, rest)| rest.trim_end().trim_end_matches(')').parse().ok());
        if let Some(address) = address {
            Ok(Self { child, address })
        } else {
            let output = child.wait_with_output().unwrap();
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// The origin under which its pages live.
    pub(crate) fn origin(&self) -> String {
        format!("http://localhost:{}", self.address.port())
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop and waits until it has; its exit must be clean.
    pub(crate) fn stop(mut self) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            self.child.kill().unwrap();
            self.child.wait().unwrap();
        }
    }
}

/// Runs the command line to its end.
pub(crate) fn run(args: &[&str], stdin: &str) -> Output {
    use std::io::Write as _;
    let mut command = Command::new(BINARY);
    command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// A command in a mount namespace of its own, after these lines of shell with `$1` as `place`. Needs no privilege where
/// user namespaces are allowed.
pub(crate) fn in_namespace(mounts: &str, place: &Path) -> Command {
    let script = format!("set -e; {mounts}; shift; exec \"$@\"");
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--mount", "sh", "-c", &script, "sh"]).arg(place);
    command
}
