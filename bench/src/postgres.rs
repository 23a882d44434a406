//! A PostgreSQL of this run's own: on the server's core, on disk, durable, with the settings Debian ships but for its buffers.

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::server::{Process, free_port};

const PATIENCE: Duration = Duration::from_mins(1);

/// The server, and its folder, which goes with it.
#[derive(Debug)]
pub(crate) struct Postgres {
    /// The process, for its figures.
    pub(crate) process: Process,
    port: u16,
    folder: PathBuf,
}

impl Postgres {
    /// Makes a cluster below `scratch` and starts it on `core`.
    pub(crate) fn start(core: usize, scratch: &Path) -> Result<Self> {
        let folder = scratch.join("postgres");
        std::fs::create_dir_all(&folder)?;
        open_to_all(scratch)?;
        std::fs::set_permissions(&folder, Permissions::from_mode(0o777))?;
        let (data, port) = (folder.join("data"), free_port()?);
        let made = command("initdb")
            .args(["--username=counterfoil", "--auth=trust", "--encoding=UTF8", "--locale=C", "--pgdata"])
            .arg(&data)
            .output()?;
        if !made.status.success() {
            bail!("initdb: {}", String::from_utf8_lossy(&made.stderr));
        }
        let mut postgres = command("postgres");
        postgres.arg("-D").arg(&data).args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1", "-k"]);
        postgres.arg(&folder);
        for setting in ["max_connections=200", "shared_buffers=1GB", "max_wal_size=4GB", "checkpoint_timeout=15min"] {
            postgres.args(["-c", setting]);
        }
        let process = Process::spawn(core, &mut postgres, Some(&scratch.join("postgres.log")))?;
        let started = Self { process, port, folder };
        let deadline = Instant::now() + PATIENCE;
        while started.sql("postgres", "CREATE DATABASE counterfoil").is_err() {
            if Instant::now() > deadline {
                bail!("PostgreSQL does not answer");
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Ok(started)
    }

    /// As `store.url` names one of its databases.
    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://counterfoil@127.0.0.1:{}/{database}", self.port)
    }

    /// Runs a statement; what it answers.
    pub(crate) fn sql(&self, database: &str, sql: &str) -> Result<String> {
        let output = self.client("psql").args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql, database]).output()?;
        if !output.status.success() {
            bail!("psql: {}", String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// A program of PostgreSQL's that talks to this server.
    pub(crate) fn client(&self, name: &str) -> Command {
        let mut command = Command::new(program(name));
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string(), "-U", "counterfoil"]).stdin(Stdio::null());
        command
    }

    /// A file in its folder.
    pub(crate) fn file(&self, name: &str, content: &str) -> Result<PathBuf> {
        let path = self.folder.join(name);
        std::fs::write(&path, content)?;
        Ok(path)
    }
}

/// PostgreSQL does not run as root, and whoever it runs as must reach its folder.
fn open_to_all(folder: &Path) -> Result<()> {
    for folder in folder.ancestors().filter(|folder| folder.parent().is_some()) {
        let facts = File::open(folder).context("a folder above the benchmark's data")?.metadata()?;
        let mode = facts.permissions().mode();
        if mode & 0o001 == 0 {
            std::fs::set_permissions(folder, Permissions::from_mode(mode | 0o011))?;
        }
    }
    Ok(())
}

/// Where Debian puts the programs that are not on the path.
fn program(name: &str) -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = versions.map(|version| version.path().join("bin").join(name)).collect();
    found.retain(|path| path.exists());
    found.sort();
    found.pop().unwrap_or_else(|| name.into())
}

fn command(name: &str) -> Command {
    if rustix::process::geteuid().is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--no-new-privs"]).arg(program(name));
        command
    } else {
        Command::new(program(name))
    }
}
