//! Addresses of others, to whom this server sends requests by itself.

use super::is_loopback;
use http::Uri;
use serde::Deserialize;
use std::fmt;

/// Where this server sends requests by itself: http or https, without credentials and fragment. Path and query are not printed: some
/// receivers are known by nothing but their address.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
pub struct OutgoingUrl(Uri);

impl OutgoingUrl {
    /// For the request.
    pub const fn uri(&self) -> &Uri {
        &self.0
    }

    /// Whether what is sent is encrypted, and the receiver known.
    pub fn is_https(&self) -> bool {
        self.0.scheme_str() == Some("https")
    }

    /// Scheme, host and port, as they are written.
    pub fn origin(&self) -> String {
        let authority = self.0.authority().map(http::uri::Authority::as_str).unwrap_or_default();
        format!("{}://{authority}", self.0.scheme_str().unwrap_or_default()).to_ascii_lowercase()
    }

    /// Whether it stays on this machine.
    pub(super) fn is_loopback(&self) -> bool {
        let host = self.0.host().unwrap_or_default();
        host == "localhost" || is_loopback(host)
    }
}

impl fmt::Debug for OutgoingUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}/…", self.0.scheme_str().unwrap_or_default(), self.0.host().unwrap_or_default())
    }
}

impl TryFrom<String> for OutgoingUrl {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        const WRONG: &str = "expected an http or https URL, such as \"https://hooks.example.com/counterfoil\"";
        // The parser drops a fragment without a word.
        if text.contains('#') {
            return Err("a fragment (`#…`) never reaches the other side; leave it out");
        }
        let uri: Uri = text.parse().map_err(|_| WRONG)?;
        let authority = uri.authority().ok_or(WRONG)?;
        if authority.as_str().contains('@') {
            return Err("credentials do not belong into a URL");
        }
        let known = matches!(uri.scheme_str(), Some("http" | "https"));
        if known && !authority.host().is_empty() { Ok(Self(uri)) } else { Err(WRONG) }
    }
}
