//! A mail server as a process of its own: aiosmtpd, with a certificate that its own authority vouches for.

use super::free_port;
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// The password that it takes, from whoever calls himself `counterfoil`.
pub(crate) const MAIL_PASSWORD: &str = "a password for the mail server";

/// How a server wants to be spoken to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mode {
    Tls,
    StartTls,
    Plain,
}

pub(crate) struct MailServer {
    child: Child,
    pub(crate) port: u16,
    taken: Receiver<Value>,
    folder: tempfile::TempDir,
}

impl MailServer {
    pub(crate) fn start(mode: Mode) -> Self {
        Self::on(free_port(), mode)
    }

    pub(crate) fn on(port: u16, mode: Mode) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let put = |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
        put("server.pem", pair.cert.pem());
        put("server.key", pair.signing_key.serialize_pem());
        put("password", MAIL_PASSWORD.to_owned());
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(folder.path().join("password"), private).unwrap();
        let word = match mode {
            Mode::Tls => "tls",
            Mode::StartTls => "starttls",
            Mode::Plain => "plain",
        };
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/support/mail_server.py");
        let mut command = Command::new("/usr/bin/python3");
        command.arg(script).args([&port.to_string(), word]);
        command.args([folder.path().join("server.pem"), folder.path().join("server.key")]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (sender, taken) = channel();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                drop(sender.send(serde_json::from_str(&line).unwrap()));
            }
        });
        let server = Self { child, port, taken, folder };
        assert_eq!(server.next(), "ready");
        server
    }

    /// What it has taken next.
    pub(crate) fn next(&self) -> Value {
        self.taken.recv_timeout(Duration::from_mins(1)).expect("the mail server takes something within a minute")
    }

    /// Whether nothing more has come until now.
    pub(crate) fn has_no_more(&self) -> bool {
        self.taken.try_recv().is_err()
    }

    /// The certificate, which is its own authority.
    pub(crate) fn authority(&self) -> PathBuf {
        self.folder.path().join("server.pem")
    }

    /// The configuration that reaches it.
    pub(crate) fn config(&self, scheme: &str) -> String {
        let folder = self.folder.path().display();
        let host = if scheme == "smtp+plain" { "127.0.0.1" } else { "localhost" };
        let text = format!("[mail]\nsmtp = '{scheme}://{host}:{}'\nfrom = 'Tea <tea@example.com>'\n", self.port);
        if scheme == "smtp+plain" {
            return text;
        }
        let known = format!("username = 'counterfoil'\npassword_file = '{folder}/password'\n");
        text + &known + &format!("authority = '{folder}/server.pem'\n")
    }

    /// Returns the port, for another one in its place.
    pub(crate) fn stop(mut self) -> u16 {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.port
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
