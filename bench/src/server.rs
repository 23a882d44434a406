//! Child processes: started on their core, awaited, looked at through `/proc`, and stopped by their id.

use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

use crate::cpu::{Watch, spawn_on};

const PATIENCE: Duration = Duration::from_mins(1);
/// Long enough not to load the server's core with knocking, short enough not to blur a start-up of milliseconds.
const KNOCK_EVERY: Duration = Duration::from_micros(200);

/// A child process on a core of its own; killed when dropped, if it was not stopped before.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
}

impl Process {
    /// Starts `command` on `core`. Its output goes to `log`, or where the command says.
    pub(crate) fn spawn(core: usize, command: &mut Command, log: Option<&Path>) -> Result<Self> {
        if let Some(log) = log {
            let log = File::create(log)?;
            command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        }
        let child = spawn_on(core, command).with_context(|| format!("cannot start {command:?}"))?;
        Ok(Self { child })
    }

    /// Its input, if piped and not yet taken.
    pub(crate) fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// Its output, if piped and not yet taken.
    pub(crate) fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Begins to watch how busy it is.
    pub(crate) fn watch(&self) -> Result<Watch> {
        Watch::on(self.child.id())
    }

    /// Resident memory in bytes (`VmRSS`).
    pub(crate) fn resident_bytes(&self) -> Result<u64> {
        self.memory("VmRSS:")
    }

    /// The most resident memory that it has had so far, in bytes (`VmHWM`).
    pub(crate) fn peak_bytes(&self) -> Result<u64> {
        self.memory("VmHWM:")
    }

    fn memory(&self, name: &str) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kib: u64 =
            line.with_context(|| format!("no {name} in /proc"))?.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kib * 1024)
    }

    /// How it has ended by itself, if it has.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.child.try_wait()?)
    }

    /// Asks it to end and waits until it has.
    pub(crate) fn stop(mut self) -> Result<()> {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM)?;
        let deadline = Instant::now() + PATIENCE;
        while self.child.try_wait()?.is_none() {
            if Instant::now() > deadline {
                bail!("process {pid:?} did not end on SIGTERM within {PATIENCE:?}");
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    fn await_ready(&mut self, address: SocketAddr, path: &str) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !answers_200(address, path) {
            if let Some(status) = self.child.try_wait()? {
                bail!("the server ended with {status}");
            }
            if Instant::now() > deadline {
                bail!("no 200 from {path} within {PATIENCE:?}");
            }
            std::thread::sleep(KNOCK_EVERY);
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // After `stop` both do nothing: the standard library remembers that the child was waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn answers_200(address: SocketAddr, path: &str) -> bool {
    let knock = || {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let host = format!("localhost:{}", address.port());
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes())?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        std::io::Result::Ok(&status == b"HTTP/1.1 200")
    };
    knock().unwrap_or(false)
}

/// A server that has answered, be it counterfoil or hello.
#[derive(Debug)]
pub(crate) struct Authority {
    /// The process, for its figures.
    pub(crate) process: Process,
    /// Its port on 127.0.0.1.
    pub(crate) port: u16,
    /// From just before the `exec` to the first 200.
    pub(crate) start_up: Duration,
}

impl Authority {
    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        loopback(self.port)
    }

    /// Starts this binary's `hello` mode on `core`.
    pub(crate) fn hello(core: usize, log: &Path) -> Result<Self> {
        let port = free_port()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["hello", "--listen", &loopback(port).to_string()]);
        Self::start(core, &mut command, port, "/", log)
    }

    fn start(core: usize, command: &mut Command, port: u16, path: &str, log: &Path) -> Result<Self> {
        let start = Instant::now();
        let mut process = Process::spawn(core, command, Some(log))?;
        process.await_ready(loopback(port), path).with_context(|| last_words(log))?;
        Ok(Self { process, port, start_up: start.elapsed() })
    }
}

/// The cookies of a seeded session.
#[derive(Debug)]
pub(crate) struct Cookies {
    /// The value of `__Host-cf_access`.
    pub(crate) access: String,
    /// The value of `__Secure-cf_refresh`.
    pub(crate) refresh: String,
}

/// A data folder and everything needed to seed it and to serve from it.
#[derive(Debug)]
pub(crate) struct Site {
    binary: PathBuf,
    core: usize,
    data: PathBuf,
    log: PathBuf,
    port: u16,
    environment: Vec<(String, String)>,
}

impl Site {
    /// A fresh site named `name` under `scratch`, served by `binary` on `core`, by default without rate limits.
    pub(crate) fn new(binary: &Path, core: usize, scratch: &Path, name: &str) -> Result<Self> {
        let data = scratch.join(name);
        std::fs::create_dir_all(&data)?;
        let port = free_port()?;
        // The seed mints access tokens, so it must know the issuer that the server will have.
        let environment = vec![
            ("COUNTERFOIL__LIMITS__ENABLED".to_owned(), "false".to_owned()),
            ("COUNTERFOIL__PUBLIC_URL".to_owned(), format!("http://localhost:{port}")),
        ];
        let log = scratch.join(format!("{name}.log"));
        Ok(Self { binary: binary.to_owned(), core, data, log, port, environment })
    }

    /// Strict mode: without a grace there is no `hold`, so every refresh measured is a rotation.
    pub(crate) fn without_grace(self) -> Self {
        self.with("COUNTERFOIL__SESSION__ROTATION_GRACE", "0s")
    }

    /// With one more setting.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Users without sessions, whatever the profile.
    pub(crate) fn seed_users(&self, users: u32) -> Result<()> {
        self.seed(users, 1, 0).map(|_| ())
    }

    /// Fills the store: `users`, `sessions` spread over them, and the cookies of `cookies` of those.
    pub(crate) fn seed(&self, users: u32, sessions: u32, cookies: u32) -> Result<Vec<Cookies>> {
        self.seed_among(0, (users, sessions, cookies))
    }

    /// The same, among so many more sessions, which have places in status lists and no cookies.
    pub(crate) fn seed_among(&self, filler: u32, (users, sessions, cookies): (u32, u32, u32)) -> Result<Vec<Cookies>> {
        let start = Instant::now();
        let mut command = self.command("bench-seed");
        command.args(["--users", &users.to_string(), "--sessions", &sessions.to_string()]);
        command.args(["--cookies", &cookies.to_string(), "--filler", &filler.to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(&self.log)?);
        let output = spawn_on(self.core, &mut command)?.wait_with_output()?;
        if !output.status.success() {
            bail!("bench-seed ended with {}: {}", output.status, last_words(&self.log));
        }
        let cookies: Vec<_> = String::from_utf8(output.stdout)?.lines().map(parse_cookies).collect::<Result<_>>()?;
        eprintln!("  seeded {} sessions in {:.1} s", sessions + filler, start.elapsed().as_secs_f64());
        Ok(cookies)
    }

    /// Starts the server and waits until it is ready.
    pub(crate) fn serve(&self) -> Result<Authority> {
        let mut command = self.command("serve");
        command.args(["--listen", &loopback(self.port).to_string()]);
        Authority::start(self.core, &mut command, self.port, "/readyz", &self.log)
    }

    /// The bytes of all files in the data folder.
    pub(crate) fn bytes_on_disk(&self) -> Result<u64> {
        let mut total = 0;
        for entry in std::fs::read_dir(&self.data)? {
            let facts = entry?.metadata()?;
            total += if facts.is_file() { facts.len() } else { 0 };
        }
        Ok(total)
    }

    /// The issuer of its tokens.
    pub(crate) fn issuer(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// The binary with a verb, on this site.
    pub(crate) fn command(&self, verb: &str) -> Command {
        let mut command = Command::new(&self.binary);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("COUNTERFOIL")) {
            command.env_remove(name);
        }
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.env("COUNTERFOIL_DATA", &self.data).arg(verb);
        command
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.data);
    }
}

fn parse_cookies(line: &str) -> Result<Cookies> {
    let (access, refresh) = line.split_once('\t').context("bench-seed printed a line without a tab")?;
    Ok(Cookies { access: access.to_owned(), refresh: refresh.to_owned() })
}

fn last_words(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(5)..].join(" | ")
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind(loopback(0))?.local_addr()?.port())
}

/// A folder beside the binaries for this run's data, removed at its end.
#[derive(Debug)]
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// `target/bench-data/PID`; what runs that no longer exist have left behind goes first.
    pub(crate) fn new() -> Result<Self> {
        let target = std::env::current_exe()?.ancestors().nth(2).context("the binary has no folder")?.to_owned();
        let all = target.join("bench-data");
        std::fs::create_dir_all(&all)?;
        for entry in std::fs::read_dir(&all)? {
            let entry = entry?;
            if !Path::new("/proc").join(entry.file_name()).exists() {
                std::fs::remove_dir_all(entry.path())?;
            }
        }
        let own = all.join(std::process::id().to_string());
        std::fs::create_dir_all(&own)?;
        Ok(Self(own))
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
