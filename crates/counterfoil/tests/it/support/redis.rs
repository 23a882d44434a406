//! redis-server as a process of its own.

use redis::Connection;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A Redis that keeps nothing, on a free port; gone when dropped.
pub(crate) struct Redis {
    child: Child,
    pub(crate) port: u16,
    password: &'static str,
    _folder: tempfile::TempDir,
}

impl Redis {
    pub(crate) fn start() -> Self {
        Self::on(free_port(), "")
    }

    pub(crate) fn on(port: u16, password: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--daemonize", "no"]);
        command.args(["--port", &port.to_string(), "--dir"]).arg(folder.path()).stdout(Stdio::null());
        if !password.is_empty() {
            command.args(["--requirepass", password]);
        }
        let redis = Self { child: command.spawn().unwrap(), port, password, _folder: folder };
        for _ in 0..400 {
            if redis.try_connect().is_some() {
                return redis;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("redis does not answer")
    }

    fn try_connect(&self) -> Option<Connection> {
        let url = format!("redis://:{}@127.0.0.1:{}", self.password, self.port);
        let url = if self.password.is_empty() { format!("redis://127.0.0.1:{}", self.port) } else { url };
        redis::Client::open(url).unwrap().get_connection_with_timeout(Duration::from_secs(1)).ok()
    }

    pub(crate) fn connect(&self) -> Connection {
        self.try_connect().unwrap()
    }

    /// Returns the port, for another one in its place.
    pub(crate) fn stop(mut self) -> u16 {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.port
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
