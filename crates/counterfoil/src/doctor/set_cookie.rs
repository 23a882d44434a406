//! `Set-Cookie` as browsers read it (RFC 6265 section 5.2, as 6265bis has it). Of the value it keeps what is needed to send it back and to
//! judge its kind; nothing of it is ever shown.

use super::http_date;
use counterfoil_core::{Secret, Timestamp};
use http::{HeaderMap, header};
use std::time::Duration;

/// A cookie that was set.
pub(crate) struct SetCookie {
    pub(crate) name: String,
    pub(crate) value: Secret<String>,
    pub(crate) secure: bool,
    pub(crate) http_only: bool,
    pub(crate) same_site: Option<String>,
    pub(crate) domain: Option<String>,
    pub(crate) path: Option<String>,
    /// For how long it is kept; zero takes it away, none is until the browser is closed.
    pub(crate) life: Option<Duration>,
    /// Name and value together.
    pub(crate) size: usize,
}

impl SetCookie {
    fn parse(text: &str, now: Timestamp) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let (name, value) = parts.next()?.split_once('=')?;
        let size = name.len() + value.len();
        let mut cookie = Self {
            name: name.trim().to_owned(),
            value: Secret::new(value.trim().to_owned()),
            secure: false,
            http_only: false,
            same_site: None,
            domain: None,
            path: None,
            life: None,
            size,
        };
        let mut max_age = None;
        for part in parts {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            match name.to_ascii_lowercase().as_str() {
                "secure" => cookie.secure = true,
                "httponly" => cookie.http_only = true,
                "samesite" => cookie.same_site = Some(value.to_owned()),
                "domain" if !value.is_empty() => cookie.domain = Some(value.to_owned()),
                "path" => cookie.path = Some(value.to_owned()),
                "max-age" => max_age = value.parse::<i64>().ok(),
                "expires" => cookie.life = http_date::parse(value).map(|until| until.since(now)),
                _ => {}
            }
        }
        if let Some(seconds) = max_age {
            cookie.life = Some(Duration::from_secs(seconds.try_into().unwrap_or(0)));
        }
        Some(cookie)
    }

    /// Whether it takes a cookie away.
    pub(crate) fn is_deletion(&self) -> bool {
        self.life == Some(Duration::ZERO) || self.value.expose().is_empty()
    }

    /// Whether it is one that signs somebody in, as far as name and value tell: long and random, or called so.
    pub(crate) fn is_credential(&self) -> bool {
        const WORDS: [&str; 11] =
            ["session", "sess", "sid", "auth", "token", "access", "refresh", "jwt", "login", "remember", "identity"];
        let name = self.name.to_ascii_lowercase();
        let value = self.value.expose();
        let csrf = ["csrf", "xsrf"].iter().any(|word| name.contains(word));
        let long = value.len() >= 8;
        !csrf && !self.is_deletion() && (is_jwt(value) || long && WORDS.iter().any(|word| name.contains(word)))
    }
}

/// Every cookie that an answer sets.
pub(crate) fn all(headers: &HeaderMap, now: Timestamp) -> Vec<SetCookie> {
    let values = headers.get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
    values.filter_map(|text| SetCookie::parse(text, now)).collect()
}

/// Three parts, the first of which is a JSON object in base64url.
pub(crate) fn is_jwt(text: &str) -> bool {
    let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    let mut parts = text.split('.');
    let three = parts.by_ref().take(3).filter(|part| plain(part)).count() == 3;
    text.starts_with("eyJ") && three && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::{Duration, HeaderMap, Timestamp, all, header, is_jwt};

    #[test]
    fn attributes_are_read_whatever_their_case_and_order() {
        let mut headers = HeaderMap::new();
        for text in [
            "__Host-s=0123456789; path=/; SECURE; HttpOnly; SameSite=lax; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
            "old=; Expires=Thu, 01-Jan-1970 00:00:00 GMT; Domain=example.com",
            "nameless",
        ] {
            headers.append(header::SET_COOKIE, text.parse().expect("a header"));
        }
        let cookies = all(&headers, Timestamp::from_seconds(1_800_000_000));
        let [first, second] = cookies.as_slice() else { panic!("{} cookies", cookies.len()) };
        assert!(first.secure && first.http_only && first.same_site.as_deref() == Some("lax"));
        assert_eq!((first.path.as_deref(), first.life), (Some("/"), Some(Duration::from_mins(1))));
        assert!(second.is_deletion() && second.domain.as_deref() == Some("example.com"));
    }

    #[test]
    fn what_signs_in_is_told_by_name_or_form() {
        let judged = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.append(header::SET_COOKIE, text.parse().expect("a header"));
            all(&headers, Timestamp::from_seconds(0))[0].is_credential()
        };
        assert!(judged("sessionid=0123456789abcdef") && judged("x=eyJhbGciOiJub25lIn0.e30.c2ln"));
        assert!(!judged("theme=dark") && !judged("csrftoken=0123456789abcdef") && !judged("session="));
        assert!(!is_jwt("eyJ.a.b.c") && !is_jwt("eyJ..") && !is_jwt("a.b.c"));
    }
}
