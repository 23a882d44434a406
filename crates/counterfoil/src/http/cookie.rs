//! The cookies: their names, attributes, and how duplicates are healed.

use crate::app::App;
use crate::config::SessionConfig;
use crate::flow::deliver::Delivery;
use counterfoil_core::profile::Profile;
use counterfoil_guard::cookie_values;
use http::{HeaderMap, HeaderValue, header};
use std::time::Duration;

/// The access token, in the `cookie` profile.
pub(super) const ACCESS: Cookie = Cookie { name: "__Host-cf_access", path: "/" };
/// The refresh token; sent to one address only.
pub(super) const REFRESH: Cookie = Cookie { name: "__Secure-cf_refresh", path: "/api/auth/refresh" };
/// That the browser has lately shown its key; sent with refreshes only.
pub(super) const DEVICE: Cookie = Cookie { name: "__Secure-cf_device", path: "/api/auth/refresh" };
/// The session token, in the `opaque` profile.
pub(super) const SESSION: Cookie = Cookie { name: "__Host-cf_session", path: "/" };

/// The tickets of unfinished ceremonies.
pub(super) const LOGIN: Cookie = Cookie { name: "__Host-cf_login", path: "/" };

/// A cookie of ours. All are `HttpOnly; Secure` with an explicit `SameSite`, and none has a `Domain`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cookie {
    pub(super) name: &'static str,
    pub(super) path: &'static str,
}

/// How many cookies of one name are looked at.
const MOST_OF_ONE_NAME: usize = 8;

impl Cookie {
    /// All different values sent under this name. More than one means an earlier path or domain, or tossing.
    pub(super) fn read<'a>(&self, headers: &'a HeaderMap) -> Vec<&'a str> {
        let mut values = Vec::new();
        for header in headers.get_all(header::COOKIE) {
            for value in cookie_values(header.as_bytes(), self.name) {
                // Each costs a verification.
                if !values.contains(&value) && values.len() < MOST_OF_ONE_NAME {
                    values.push(value);
                }
            }
        }
        values
    }

    pub(super) fn set(&self, value: &str, life: Option<Duration>, config: &SessionConfig) -> HeaderValue {
        let mut text = String::with_capacity(value.len() + 96);
        text.push_str(self.name);
        text.push('=');
        text.push_str(value);
        Self::attributes(&mut text, self.path, config);
        if let Some(life) = life {
            text.push_str("; Max-Age=");
            text.push_str(&life.as_secs().to_string());
        }
        let mut header = HeaderValue::from_str(&text).expect("tokens are ASCII");
        header.set_sensitive(true);
        header
    }

    /// Takes the cookie away (CK-DEL: with the attributes it was set with).
    pub(super) fn clear(&self, config: &SessionConfig) -> HeaderValue {
        self.clear_at(self.path, None, config)
    }

    fn clear_at(&self, path: &str, domain: Option<&str>, config: &SessionConfig) -> HeaderValue {
        let mut text = format!("{}=", self.name);
        Self::attributes(&mut text, path, config);
        text.push_str("; Max-Age=0");
        if let Some(domain) = domain {
            text.push_str("; Domain=");
            text.push_str(domain);
        }
        HeaderValue::from_str(&text).expect("names, paths and hosts are ASCII")
    }

    fn attributes(text: &mut String, path: &str, config: &SessionConfig) {
        for part in ["; Path=", path, "; HttpOnly; Secure; SameSite=", config.same_site.as_str()] {
            text.push_str(part);
        }
    }

    /// The attributes alone, as a browser compares them (DBSC-REG3).
    pub(super) fn attributes_text(&self, config: &SessionConfig) -> String {
        let mut text = String::new();
        Self::attributes(&mut text, self.path, config);
        text.split_off(2)
    }

    /// Takes away every cookie of this name that is not ours by path or domain: what an earlier deployment or a sibling
    /// host left. Ours is not touched.
    pub(super) fn clear_strays(&self, app: &App) -> Vec<HeaderValue> {
        let config = &app.config.session;
        let mut strays = Vec::new();
        for path in ["/", "/api", "/api/auth", "/api/auth/refresh"] {
            if path != self.path {
                strays.push(self.clear_at(path, None, config));
            }
        }
        let mut domain = app.public.host();
        while domain.contains('.') && domain.parse::<std::net::Ipv4Addr>().is_err() {
            strays.extend(["/", self.path].map(|path| self.clear_at(path, Some(domain), config)));
            domain = domain.split_once('.').map_or("", |(_, parent)| parent);
        }
        strays
    }
}

/// The `Set-Cookie` values of a delivery.
pub(super) fn of_delivery(delivery: &Delivery, config: &SessionConfig) -> Vec<HeaderValue> {
    let mut cookies = Vec::with_capacity(2);
    if delivery.profile == Profile::Cookie
        && let Some(access) = &delivery.access
    {
        let life = Duration::from_secs(access.expires_in.unsigned_abs());
        cookies.push(ACCESS.set(&access.token, Some(life), config));
    }
    if delivery.profile.refresh_in_cookie()
        && let Some(refresh) = &delivery.refresh
    {
        cookies.push(REFRESH.set(refresh.expose(), delivery.cookie_life, config));
    }
    if let Some(session) = &delivery.session {
        cookies.push(SESSION.set(session.expose(), delivery.cookie_life, config));
    }
    cookies
}

/// Takes all our cookies away: after a sign-out and after reuse, and at no other time.
pub(super) fn clear_all(config: &SessionConfig) -> Vec<HeaderValue> {
    [ACCESS, REFRESH, DEVICE, SESSION].iter().map(|cookie| cookie.clear(config)).collect()
}
