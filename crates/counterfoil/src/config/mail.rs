//! `[mail]`: through what mail goes out, who it is from, and what it is for. No password stands in the file: it names where one is.

use super::{ConfigError, is_loopback, unbracketed};
use http::Uri;
use serde::Deserialize;
use std::path::PathBuf;

/// `[mail]`. Without `smtp` and `outbox` no mail is sent, and what needs it is not offered.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MailConfig {
    /// The server that takes mail: `smtps://mail.example.com` (TLS, port 465), `smtp://mail.example.com` (STARTTLS, which it must
    /// offer, port 587) or, on this machine only, `smtp+plain://127.0.0.1:25`.
    pub smtp: Option<SmtpUrl>,
    /// Who mail is from: `"Example <no-reply@example.com>"`.
    pub from: Option<String>,
    /// The name to sign in to the server with, if it asks for one.
    pub username: Option<String>,
    /// The file with the password for it.
    pub password_file: Option<PathBuf>,
    /// The environment variable with the password for it.
    pub password_env: Option<String>,
    /// A PEM file with the authority that vouches for the server, where that is none this machine trusts already.
    pub authority: Option<PathBuf>,
    /// A folder with templates that replace the built-in ones of the same name.
    pub templates: Option<PathBuf>,
    /// Instead of sending it, shows mail at `/outbox`. For development: only at an `http` address of this machine.
    pub outbox: bool,
    /// Whether a link by mail signs people in. Whoever reads somebody's mail can then sign in as them, unless a second factor is asked for.
    pub sign_in: bool,
    /// Whether people are told by mail of what happens to their accounts: a new device, another password, another factor.
    pub notices: bool,
}

impl Default for MailConfig {
    fn default() -> Self {
        Self {
            smtp: None,
            from: None,
            username: None,
            password_file: None,
            password_env: None,
            authority: None,
            templates: None,
            outbox: false,
            sign_in: false,
            notices: true,
        }
    }
}

impl MailConfig {
    /// Whether mail goes anywhere.
    pub const fn is_on(&self) -> bool {
        self.smtp.is_some() || self.outbox
    }

    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.smtp.is_some() && self.outbox {
            return Err(ConfigError::key("mail.outbox", "set one of `smtp` and `outbox`"));
        }
        if self.smtp.is_some() && self.from.is_none() {
            return Err(ConfigError::key("mail.from", "is missing; set it to the address that mail shall be from"));
        }
        if self.password_file.is_some() && self.password_env.is_some() {
            return Err(ConfigError::key("mail.password_file", "set one of `password_file` and `password_env`"));
        }
        let password = self.password_file.is_some() || self.password_env.is_some();
        if self.username.is_some() != password {
            return Err(ConfigError::key("mail.username", "it and a password belong together: set both or neither"));
        }
        if self.username.is_some() && self.smtp.as_ref().is_some_and(|smtp| smtp.security == Security::None) {
            return Err(ConfigError::key("mail.username", "a password is sent only over TLS; use smtps:// or smtp://"));
        }
        if !self.is_on() && self.sign_in {
            return Err(ConfigError::key("mail.sign_in", "needs mail: set `mail.smtp`"));
        }
        Ok(())
    }
}

/// How the way to the server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte (RFC 8314 section 3.3).
    Tls,
    /// TLS before anything else is said; a server that does not offer it gets nothing.
    StartTls,
    /// None: it does not leave this machine.
    None,
}

/// Where mail is handed over.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct SmtpUrl {
    /// How the way there is protected.
    pub security: Security,
    /// The server's name, which its certificate must be for.
    pub host: String,
    /// Its port.
    pub port: u16,
}

impl TryFrom<String> for SmtpUrl {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const WRONG: &str =
            "expected smtps://HOST[:PORT], smtp://HOST[:PORT] or, on this machine, smtp+plain://127.0.0.1:PORT";
        let uri: Uri = text.parse().map_err(|_| WRONG)?;
        let (security, port) = match uri.scheme_str() {
            Some("smtps") => (Security::Tls, 465),
            Some("smtp") => (Security::StartTls, 587),
            Some("smtp+plain") => (Security::None, 25),
            _ => return Err(WRONG),
        };
        let authority = uri.authority().ok_or(WRONG)?;
        if authority.as_str().contains('@') {
            return Err("credentials do not belong into the URL; use `username` and `password_file`");
        }
        let bare = matches!(uri.path(), "" | "/") && uri.query().is_none() && !text.contains('#');
        let host = Some(authority.host()).filter(|host| !host.is_empty() && bare).ok_or(WRONG)?;
        if security == Security::None && !is_loopback(host) {
            return Err("without TLS mail stays on this machine: smtp+plain:// takes a loopback address");
        }
        Ok(Self { security, host: unbracketed(host).to_owned(), port: authority.port_u16().unwrap_or(port) })
    }
}
