//! C1: no cross-site or cross-origin request with side effects succeeds on the strength of a cookie.
//!
//! Two independent locks: where the request comes from (Fetch Metadata, or `Origin`), and a header that no form and no
//! simple cross-origin request can set (FM-2, FM-3, BBA-6.1.3.3b, CSRF-2).

/// What a request says about where it comes from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Provenance<'a> {
    /// `Sec-Fetch-Site`; an unknown value counts as absent (FM-1).
    pub fetch_site: Option<&'a str>,
    /// `Origin`.
    pub origin: Option<&'a str>,
    /// Whether `X-Requested-With` is there, with whatever value.
    pub custom_header: bool,
}

#[cfg(feature = "http")]
impl<'a> Provenance<'a> {
    /// What the headers say. `None` when one stands there twice or is not text: then it is not a browser's request.
    pub fn of(headers: &'a http::HeaderMap) -> Option<Self> {
        let single = |name: &str| {
            let mut values = headers.get_all(name).iter().map(|value| value.to_str().ok());
            let first = values.next();
            (values.next().is_none() && first != Some(None)).then_some(first.flatten())
        };
        Some(Self {
            fetch_site: single("sec-fetch-site")?,
            origin: single("origin")?,
            custom_header: headers.contains_key("x-requested-with"),
        })
    }
}

/// The origins from which requests may come: the public URL's own, and those listed for an application.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    own: Vec<String>,
    listed: Vec<String>,
}

impl Origins {
    /// `own` are the origins of this server, `listed` others of the same site that may send credentials. Exact strings:
    /// scheme, host and port, nothing more (CSRF-5).
    pub const fn new(own: Vec<String>, listed: Vec<String>) -> Self {
        Self { own, listed }
    }

    /// Whether CORS with credentials is answered for this origin.
    pub fn is_listed(&self, origin: &str) -> bool {
        self.listed.iter().any(|listed| listed == origin)
    }

    fn allows(&self, origin: &str) -> bool {
        self.is_listed(origin) || self.own.iter().any(|own| own == origin)
    }

    /// Whether a request with side effects that rests on a cookie may pass.
    pub fn permit(&self, request: Provenance<'_>) -> bool {
        request.custom_header && self.comes_from_us(request) == Some(true)
    }

    /// Whether a `WebSocket` that rests on a cookie may open. Browsers cannot set a header there, but always say `Origin`;
    /// without this, any page of the same site could hold a conversation in the user's name (ASVS-4.4.2).
    pub fn permit_socket(&self, request: Provenance<'_>) -> bool {
        request.origin.is_some() && self.comes_from_us(request) == Some(true)
    }

    /// Whether a request that rests on no cookie may pass: it may say nothing of where it comes from, but nothing wrong.
    pub fn permit_without_cookie(&self, request: Provenance<'_>) -> bool {
        self.comes_from_us(request) != Some(false)
    }

    /// `None`: neither header is there. If both are, neither may be wrong.
    fn comes_from_us(&self, request: Provenance<'_>) -> Option<bool> {
        let by_origin = request.origin.map(|origin| self.allows(origin));
        match request.fetch_site {
            Some("same-origin") => Some(by_origin.unwrap_or(true)),
            // A sibling host is another origin: only if it is listed.
            Some("same-site") => Some(request.origin.is_some_and(|origin| self.is_listed(origin))),
            Some("cross-site" | "none") => Some(false),
            _ => by_origin,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Origins, Provenance};

    fn permits(fetch_site: Option<&str>, origin: Option<&str>, custom_header: bool) -> bool {
        let origins = Origins::new(vec!["https://app.example".into()], vec!["https://spa.example".into()]);
        origins.permit(Provenance { fetch_site, origin, custom_header })
    }

    #[test]
    fn c1_both_locks_must_open() {
        assert!(permits(Some("same-origin"), None, true));
        assert!(permits(None, Some("https://app.example"), true));
        assert!(permits(Some("same-site"), Some("https://spa.example"), true));
        assert!(!permits(Some("same-origin"), None, false), "no custom header");
        assert!(!permits(None, None, true), "says nothing of where it comes from");
        for origin in
            ["null", "https://evil.example", "https://app.example.evil", "http://app.example", "https://APP.example"]
        {
            assert!(!permits(None, Some(origin), true), "{origin}");
            assert!(!permits(Some("same-origin"), Some(origin), true), "{origin}");
        }
        for site in ["cross-site", "none"] {
            assert!(!permits(Some(site), Some("https://app.example"), true), "{site}");
        }
        assert!(!permits(Some("same-site"), Some("https://app.example"), true), "a sibling is not us");
        assert!(!permits(Some("same-site"), None, true));
        assert!(permits(Some("made-up"), Some("https://app.example"), true), "FM-1: unknown counts as absent");
    }

    #[test]
    fn without_a_cookie_silence_is_fine_and_a_wrong_origin_is_not() {
        let origins = Origins::new(vec!["https://app.example".into()], Vec::new());
        let from = |fetch_site, origin| Provenance { fetch_site, origin, custom_header: false };
        assert!(origins.permit_without_cookie(from(None, None)));
        assert!(origins.permit_without_cookie(from(Some("same-origin"), Some("https://app.example"))));
        assert!(!origins.permit_without_cookie(from(Some("cross-site"), None)));
        assert!(!origins.permit_without_cookie(from(None, Some("https://evil.example"))));
    }
}
