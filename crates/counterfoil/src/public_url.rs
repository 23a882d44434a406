//! The URL under which people reach this server. It is configuration, never a request's `Host` (FM-4).

use crate::config::ConfigError;
use std::net::SocketAddr;

/// A checked public URL: scheme, host and perhaps a port, nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    url: String,
    host: String,
    own_origins: Vec<String>,
}

impl PublicUrl {
    /// The configured URL, or the one that follows from where the server listens. Listening beyond loopback with an
    /// `http` URL is refused: every cookie and token would cross the network in the clear.
    pub fn settle(configured: Option<&str>, listening: SocketAddr, tls: bool) -> Result<Self, ConfigError> {
        let scheme = if tls { "https" } else { "http" };
        let settled = if let Some(url) = configured {
            Self::parse(url)?
        } else {
            let port = listening.port();
            let mut settled = Self::parse(&format!("{scheme}://localhost:{port}"))?;
            // Both names lead to this very process, so a browser may use either.
            settled.own_origins.push(format!("{scheme}://127.0.0.1:{port}"));
            settled
        };
        if !listening.ip().is_loopback() && !settled.is_https() {
            let reason = format!(
                "found {}, while listening on {listening}; beyond loopback it must be https (your proxy's, or this \
                 server's own with `tls.cert` and `tls.key`)",
                settled.url
            );
            return Err(ConfigError::key("public_url", reason));
        }
        Ok(settled)
    }

    fn parse(url: &str) -> Result<Self, ConfigError> {
        let wrong = || {
            let reason = format!("found \"{url}\"; expected scheme and host, such as \"https://app.example.com\"");
            ConfigError::key("public_url", reason)
        };
        let trimmed = url.strip_suffix('/').unwrap_or(url);
        let (scheme, authority) = trimmed.split_once("://").ok_or_else(wrong)?;
        let plain =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-' | b':' | b'[' | b']');
        let known = matches!(scheme, "http" | "https");
        if !known || authority.is_empty() || !authority.bytes().all(plain) {
            return Err(wrong());
        }
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if port.parse::<u16>().is_ok() => host,
            Some(_) if !authority.ends_with(']') => return Err(wrong()),
            _ => authority,
        };
        Ok(Self { url: trimmed.to_owned(), host: host.to_owned(), own_origins: vec![trimmed.to_owned()] })
    }

    /// The `iss` of all tokens.
    pub fn issuer(&self) -> &str {
        &self.url
    }

    /// An absolute URL for a path on this server.
    pub fn absolute(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// The same on another host behind the same proxy, by its name; `None` and this server's own name are this server.
    pub fn at_host(&self, host: Option<&str>, path: &str) -> String {
        match host.filter(|host| *host != self.host) {
            None => self.absolute(path),
            Some(host) => {
                let scheme = if self.is_https() { "https" } else { "http" };
                format!("{scheme}://{host}{path}")
            }
        }
    }

    /// The host's name.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether people come by https.
    pub fn is_https(&self) -> bool {
        self.url.starts_with("https://")
    }

    /// Whether it is this machine, in the clear: what is reached so is reached by nobody else.
    pub fn is_local_http(&self) -> bool {
        !self.is_https() && matches!(self.host(), "localhost" | "127.0.0.1" | "[::1]")
    }

    /// The origins that are this server.
    pub fn own_origins(&self) -> Vec<String> {
        self.own_origins.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::PublicUrl;

    #[test]
    fn beyond_loopback_only_https() {
        let beyond = "0.0.0.0:80".parse().expect("an address");
        let local = "127.0.0.1:8080".parse().expect("an address");
        assert!(PublicUrl::settle(None, beyond, false).is_err());
        assert!(PublicUrl::settle(Some("http://app.example"), beyond, false).is_err());
        assert!(PublicUrl::settle(Some("https://app.example"), beyond, false).is_ok());
        assert!(PublicUrl::settle(None, beyond, true).is_ok());
        let settled = PublicUrl::settle(None, local, false).expect("loopback");
        assert_eq!(settled.own_origins(), ["http://localhost:8080", "http://127.0.0.1:8080"]);
    }

    #[test]
    fn only_scheme_host_and_port() {
        let local = "127.0.0.1:8080".parse().expect("an address");
        for (url, host) in
            [("https://a.example/", "a.example"), ("http://[::1]:80", "[::1]"), ("https://[::1]", "[::1]")]
        {
            assert_eq!(PublicUrl::settle(Some(url), local, false).expect(url).host(), host);
        }
        for url in ["a.example", "ftp://a", "https://", "https://a/b", "https://A", "https://a:port", "https://u@a"] {
            assert!(PublicUrl::settle(Some(url), local, false).is_err(), "{url}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_accepted_is_an_origin_and_nothing_more(text in "(https?|ftp)?(://)?[a-zA-Z0-9.:/@\\[\\]?#_-]{0,24}") {
            let local = "127.0.0.1:8080".parse().expect("an address");
            if let Ok(url) = PublicUrl::settle(Some(&text), local, false) {
                let rest = url.issuer().split_once("://").expect("a scheme").1;
                proptest::prop_assert!(!rest.is_empty() && !rest.contains(['/', '@', '?', '#']), "{text}");
                proptest::prop_assert!(rest.starts_with(url.host()));
            }
        }
    }
}
