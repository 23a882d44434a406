//! Readers of the logs, with real ends: a receiver over HTTP, a Redis. Where it matters the server is a process of its own.

mod logout;
mod notices;
mod receiver;
mod redis_mirror;
mod streams;
mod webhook;

use crate::support::{EMAIL, PASSWORD, Server, TestApp, exchange, from_page};
use counterfoil::clock::Clock;
use counterfoil::readers::{Readers, Source};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Tries until there is something, for at most half a minute.
pub(crate) fn eventually<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    for _ in 0..1500 {
        if let Some(found) = attempt() {
            return found;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("never: {what}");
}

/// An application in this process whose readers run.
pub(crate) async fn read(toml: &str) -> TestApp {
    let app = TestApp::with(toml).await;
    let readers = Readers::prepare(&app.app.config).unwrap();
    readers.settle(app.app.store.as_ref()).await.unwrap();
    drop(readers.start(&source(&app), std::future::pending::<()>));
    app
}

/// What readers read of an application in this process.
pub(crate) fn source(app: &TestApp) -> Source {
    Source {
        store: Arc::clone(&app.app.store),
        feed: Arc::clone(&app.app.feed),
        clock: Arc::clone(&app.app.clock) as Arc<dyn Clock>,
        keys: Arc::clone(&app.app.keys),
        public: app.app.public.clone(),
        algorithm: app.app.config.keys.algorithm.0,
        factors: Arc::clone(&app.app.factors),
        mail: app.app.mail.clone(),
        replica: None,
    }
}

/// A folder with a configuration file, and a server on it.
struct Installation {
    folder: tempfile::TempDir,
}

impl Installation {
    fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("counterfoil.toml"), config).unwrap();
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn start(&self, env: &[(&str, &str)]) -> Server {
        let config = self.path().join("counterfoil.toml");
        Server::start_with(&self.path().join("data"), env, &["--config", config.to_str().unwrap()])
    }

    /// Starting is refused; returns what is said.
    fn refusal(&self, env: &[(&str, &str)]) -> String {
        let config = self.path().join("counterfoil.toml");
        let command = std::process::Command::new(crate::support::BINARY);
        let args = ["--config", config.to_str().unwrap()];
        let started = Server::spawn(command, &self.path().join("data"), env, &args);
        started.err().expect("the start is refused")
    }
}

/// A file of this mode.
fn file(folder: &Path, name: &str, text: &str, mode: u32) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    path
}

/// A user of a server, as a script of its own pages.
struct Person<'a> {
    server: &'a Server,
    cookie: String,
}

impl<'a> Person<'a> {
    fn registers(server: &'a Server) {
        let body = serde_json::json!({ "email": EMAIL, "password": PASSWORD }).to_string();
        let line = "POST /api/auth/register";
        let answer = from_page(server.address, &server.origin(), line, "", &body).unwrap();
        assert_eq!(answer.status, 201, "{}", answer.body);
    }

    fn signs_in(server: &'a Server) -> Self {
        let body = serde_json::json!({ "email": EMAIL, "password": PASSWORD }).to_string();
        let answer = from_page(server.address, &server.origin(), "POST /api/auth/login", "", &body).unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        let pair = |name: &str| format!("{name}={}", answer.cookie(name).unwrap());
        Self { server, cookie: format!("{}; {}", pair("__Host-cf_access"), pair("__Secure-cf_refresh")) }
    }

    /// The name of the session.
    fn sid(&self) -> String {
        let answer = from_page(self.server.address, &self.server.origin(), "GET /api/auth/sessions", &self.cookie, "");
        let sessions: serde_json::Value = serde_json::from_str(&answer.unwrap().body).unwrap();
        let mine = sessions["sessions"].as_array().unwrap().iter().find(|session| session["current"] == true);
        mine.unwrap()["id"].as_str().unwrap().to_owned()
    }

    fn access_token(&self) -> &str {
        self.cookie.strip_prefix("__Host-cf_access=").unwrap().split(';').next().unwrap()
    }

    fn signs_out(&self) {
        let answer = from_page(self.server.address, &self.server.origin(), "POST /api/auth/logout", &self.cookie, "");
        assert_eq!(answer.unwrap().status, 204);
    }
}

/// The value of a metric, by its name and labels.
fn metric(server: &Server, name: &str) -> Option<f64> {
    let page = exchange(server.address, "GET /metrics", &[], "").unwrap().body;
    page.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok())
}
