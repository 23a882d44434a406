//! Mail reaches a server: over TLS, signed in, as text and HTML; and does not where that cannot be had.

use crate::support::mail_server::{MAIL_PASSWORD, MailServer, Mode};
use crate::support::{EMAIL, PASSWORD, Server, free_port, from_page};
use counterfoil::config::{Config, ConfigError};
use counterfoil::mail::{Letter, Mail, SendError, What};
use counterfoil::public_url::PublicUrl;
use counterfoil_core::credential::mail_link::Purpose;
use counterfoil_core::user::Email;
use counterfoil_core::{Secret, Timestamp};
use serde_json::json;
use std::path::Path;

fn load(toml: &str) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("counterfoil.toml");
    std::fs::write(&file, toml).unwrap();
    Config::load(Some(&file), std::iter::empty())
}

fn office(toml: &str) -> Mail {
    let public = PublicUrl::settle(Some("https://id.example.com"), "127.0.0.1:443".parse().unwrap(), false).unwrap();
    Mail::prepare(&load(toml).unwrap().mail, "Tea", &public).unwrap().unwrap()
}

fn letter() -> Letter {
    let link = Some((Purpose::Reset, Secret::new("cfm_thetoken".to_owned())));
    Letter { link, ..Letter::plain(What::Reset) }
}

async fn send(office: &Mail, to: &str) -> Result<(), SendError> {
    office.send(&Email::parse(to).unwrap(), &letter(), Timestamp::from_seconds(1_800_000_000)).await
}

#[tokio::test]
async fn a_letter_arrives_over_tls_signed_in_and_twice_the_same() {
    for (mode, scheme) in [(Mode::Tls, "smtps"), (Mode::StartTls, "smtp"), (Mode::Plain, "smtp+plain")] {
        let server = MailServer::start(mode);
        send(&office(&server.config(scheme)), EMAIL).await.unwrap();
        let taken = server.next();
        let encrypted = !matches!(mode, Mode::Plain);
        assert_eq!(taken["from"], "tea@example.com");
        assert_eq!(taken["to"], json!([EMAIL]));
        assert_eq!((&taken["encrypted"], &taken["signed_in"]), (&json!(encrypted), &json!(encrypted)), "{mode:?}");
        let text = taken["text"].as_str().unwrap();
        for line in [
            "From: Tea <tea@example.com>",
            "To: ada@example.com",
            "Subject: Choose another password for Tea",
            "Date: Fri, 15 Jan 2027 08:00:00 +0000",
            "Auto-Submitted: auto-generated",
            "Content-Type: multipart/alternative;",
        ] {
            assert!(text.contains(line), "{line}: {text}");
        }
        let id = text.lines().find_map(|line| line.strip_prefix("Message-ID: <")).unwrap();
        assert!(id.ends_with("@example.com>"), "{id}");
        let whole = text.replace("=\r\n", "");
        assert_eq!(
            whole.matches("https://id.example.com/mail/reset#cfm_thetoken").count(),
            3,
            "text, button, and below it: {whole}"
        );
        assert!(server.has_no_more());
    }
}

#[tokio::test]
async fn nothing_is_said_to_a_server_that_is_not_the_right_one_or_does_not_encrypt() {
    // One whose certificate nobody known has signed.
    let (right, wrong) = (MailServer::start(Mode::Tls), MailServer::start(Mode::Tls));
    let config = wrong
        .config("smtps")
        .replace(&wrong.authority().display().to_string(), &right.authority().display().to_string());
    let refused = send(&office(&config), EMAIL).await.unwrap_err();
    assert!(matches!(&refused, SendError::Unreachable(reason) if reason.contains("certificate")), "{refused}");
    // One by another name.
    let config = right.config("smtps").replace("localhost", "127.0.0.1");
    assert!(matches!(send(&office(&config), EMAIL).await, Err(SendError::Unreachable(_))));
    // One that offers no STARTTLS: perhaps somebody in between has taken the offer away.
    let plain = MailServer::start(Mode::Plain);
    let config = plain.config("smtp");
    let config: Vec<&str> =
        config.lines().filter(|line| !line.starts_with("username") && !line.starts_with("password")).collect();
    assert!(send(&office(&config.join("\n")), EMAIL).await.is_err());
    assert!(plain.has_no_more() && right.has_no_more() && wrong.has_no_more());
}

#[tokio::test]
async fn what_a_server_refuses_for_good_for_now_or_not_at_all_is_told_apart_and_names_nobody_in_the_log() {
    let server = MailServer::start(Mode::Plain);
    let office = self::office(&server.config("smtp+plain"));
    let gone = send(&office, "gone@example.com").await.unwrap_err();
    assert!(matches!(gone, SendError::Refused(_)), "{gone}");
    assert!(gone.to_string().contains("gone@example.com"), "the server says it");
    assert!(!gone.without(&Email::parse("Gone@example.com").unwrap()).contains("gone@"), "the log does not");
    assert!(matches!(send(&office, "later@example.com").await, Err(SendError::Later(_))));
    send(&office, "later@example.com").await.unwrap();
    let port = server.stop();
    assert!(matches!(send(&office, EMAIL).await, Err(SendError::Unreachable(_))));
    let _again = MailServer::on(port, Mode::Plain);
    send(&office, EMAIL).await.unwrap();
    // A wrong password.
    let strict = MailServer::start(Mode::Tls);
    let other = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(other.path(), "not it").unwrap();
    let config = strict.config("smtps");
    let own = config.split("password_file = '").nth(1).unwrap().split('\'').next().unwrap().to_owned();
    let config = config.replace(&own, other.path().to_str().unwrap());
    assert!(matches!(send(&self::office(&config), EMAIL).await, Err(SendError::Refused(_))));
    assert!(!MAIL_PASSWORD.is_empty() && strict.has_no_more());
}

#[test]
fn what_cannot_be_meant_is_refused_at_the_start_with_what_is_allowed() {
    let from = "from = 'a@example.com'\n";
    for (toml, says) in [
        ("smtp = 'http://a'", "expected smtps://"),
        ("smtp = 'smtps://u:p@a.example'", "credentials do not belong into the URL"),
        ("smtp = 'smtps://a.example/path'", "expected smtps://"),
        ("smtp = 'smtp+plain://a.example'", "takes a loopback address"),
        ("smtp = 'smtps://a.example'", "mail.from"),
        ("smtp = 'smtps://a.example'\noutbox = true\nfrom = 'a@b.example'", "set one of `smtp` and `outbox`"),
        ("smtp = 'smtps://a.example'\nusername = 'a'\nfrom = 'a@b.example'", "set both or neither"),
        ("smtp = 'smtp+plain://127.0.0.1'\nusername = 'a'\npassword_env = 'B'\nfrom = 'a@b.example'", "only over TLS"),
        ("sign_in = true", "set `mail.smtp`"),
        ("smtpp = 'x'", "mail"),
    ] {
        let refused = load(&format!("[mail]\n{toml}\n")).unwrap_err().to_string();
        assert!(refused.contains(says), "{toml}: {refused}");
    }
    assert!(load("[applications.web]\nmail_code = true").unwrap_err().to_string().contains("set `mail.smtp`"));
    let missing = load(&format!("[mail]\nsmtp = 'smtps://a.example'\nauthority = '/nowhere'\n{from}")).unwrap();
    let public = PublicUrl::settle(Some("https://id.example.com"), "127.0.0.1:443".parse().unwrap(), false).unwrap();
    let refused = Mail::prepare(&missing.mail, "Tea", &public).err().unwrap().to_string();
    assert!(refused.starts_with("mail.authority: /nowhere"), "{refused}");
    let nobody = load("[mail]\nsmtp = 'smtps://a.example'\nfrom = 'nobody'").unwrap();
    let refused = Mail::prepare(&nobody.mail, "Tea", &public).err().unwrap().to_string();
    assert!(refused.starts_with("mail.from: expected an address"), "{refused}");
    // The outbox shows everybody's mail to whoever opens it.
    let shown = load("[mail]\noutbox = true").unwrap();
    for url in ["https://id.example.com", "https://localhost", "http://id.example.com"] {
        let public = PublicUrl::settle(Some(url), "127.0.0.1:80".parse().unwrap(), false).unwrap();
        assert!(Mail::prepare(&shown.mail, "Tea", &public).err().unwrap().to_string().contains("localhost"), "{url}");
    }
}

fn start(folder: &Path, config: &str) -> Server {
    let file = folder.join("counterfoil.toml");
    std::fs::write(&file, config).unwrap();
    Server::start_with(&folder.join("data"), &[], &["--config", file.to_str().unwrap()])
}

/// Posts as a page does; the status.
fn post(server: &Server, path: &str, body: &serde_json::Value) -> u16 {
    from_page(server.address, &server.origin(), &format!("POST {path}"), "", &body.to_string()).unwrap().status
}

/// The token of the link in the next mail.
fn token(mail: &MailServer, purpose: &str) -> String {
    let text = mail.next()["text"].as_str().unwrap().replace("=\r\n", "").replace("=3D", "=");
    let rest = text.split(&format!("/mail/{purpose}#")).nth(1).unwrap_or_else(|| panic!("{text}"));
    rest.split_whitespace().next().unwrap().to_owned()
}

#[test]
fn a_server_sends_what_could_not_be_sent_before_even_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let config = format!("[mail]\nsmtp = 'smtp+plain://127.0.0.1:{port}'\nfrom = 'tea@example.com'\n");
    let server = start(folder.path(), &config);
    // The mail server is not there yet.
    assert_eq!(post(&server, "/api/auth/register", &json!({ "email": EMAIL, "password": PASSWORD })), 201);
    let mail = MailServer::on(port, Mode::Plain);
    let confirm = json!({ "token": token(&mail, "confirm"), "password": PASSWORD });
    assert_eq!(post(&server, "/api/auth/register/confirm", &confirm), 201);
    assert_eq!(post(&server, "/api/auth/password/forgot", &json!({ "email": EMAIL })), 202);
    let reset = json!({ "token": token(&mail, "reset"), "new_password": "another long passphrase of mine" });
    let port = mail.stop();
    assert_eq!(post(&server, "/api/auth/password/reset", &reset), 204);
    server.stop();
    // That it has happened is told all the same: the place in the log is kept.
    let mail = MailServer::on(port, Mode::Plain);
    let server = start(folder.path(), &config);
    assert!(mail.next()["text"].as_str().unwrap().contains("Subject: Your password for Counterfoil was replaced"));
    server.stop();
    assert!(mail.has_no_more());
}
