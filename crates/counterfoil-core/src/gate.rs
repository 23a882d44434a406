//! Forward-auth, decided: which rule a forwarded request falls under, and whether a session is enough for it. Reads no
//! request and looks nothing up.

use crate::assurance::Challenge;
use crate::session::{Assurance, Session};
use crate::user::{Role, User};
use counterfoil_guard::Timestamp;
use std::time::Duration;

/// The longest request target that is read.
const MOST_TARGET: usize = 8192;

/// The path of a request, decoded, in the one reading that every server has of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestPath(String);

impl RequestPath {
    /// Reads a request target as the client sent it (`/path?query`). `None` when a server behind could read another path
    /// than the rules do (ATK-35): empty and dot segments, `;`, backslashes, fragments, control characters, what is not
    /// UTF-8, and percent-encoded `/`, `\`, `.`, `;` and `%`. Refused and not tidied up, because the server behind gets the
    /// original and tidies up in its own way.
    pub fn parse(target: &str) -> Option<Self> {
        let printable = target.bytes().all(|b| matches!(b, 0x21..=0x7e));
        if !printable || target.len() > MOST_TARGET {
            return None;
        }
        let path = target.split('?').next().unwrap_or_default();
        let mut bytes = path.bytes();
        let mut decoded = Vec::with_capacity(path.len());
        while let Some(byte) = bytes.next() {
            decoded.push(match byte {
                b'\\' | b';' | b'#' => return None,
                b'%' => escaped(bytes.next()?, bytes.next()?)?,
                _ => byte,
            });
        }
        let decoded = String::from_utf8(decoded).ok()?;
        let mut segments = decoded.strip_prefix('/')?.split('/').peekable();
        while let Some(segment) = segments.next() {
            let inner = segments.peek().is_some();
            if matches!(segment, "." | "..") || (segment.is_empty() && inner) {
                return None;
            }
        }
        Some(Self(decoded))
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The byte behind `%`, unless it is one that some servers take for structure and others for text.
fn escaped(high: u8, low: u8) -> Option<u8> {
    let digit = |b: u8| char::from(b).to_digit(16);
    let byte = u8::try_from(digit(high)? * 16 + digit(low)?).ok()?;
    (!byte.is_ascii_control() && !b"/\\.;%".contains(&byte)).then_some(byte)
}

/// A host as rules name it: lower case, without port; an IPv6 address in its brackets. `None` for what is not one host's name.
pub fn parse_host(text: &str) -> Option<String> {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !text.ends_with(']') => (name, port),
        _ => (text, ""),
    };
    let fit = match name.strip_prefix('[') {
        Some(address) => address.strip_suffix(']')?.parse::<std::net::Ipv6Addr>().is_ok(),
        None => name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-')),
    };
    let fit = fit && !name.is_empty() && name.len() <= 253 && !name.ends_with('.');
    (fit && port.bytes().all(|b| b.is_ascii_digit())).then(|| name.to_ascii_lowercase())
}

/// A request as a proxy describes it.
#[derive(Clone, Copy, Debug)]
pub struct Forwarded<'a> {
    /// Its host, by [`parse_host`].
    pub host: Option<&'a str>,
    /// Its method.
    pub method: &'a str,
    /// Its path.
    pub path: &'a RequestPath,
}

/// Where a rule holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// At this path and below it.
    Below(String),
    /// At this path only, with or without a slash at its end.
    Exactly(String),
}

impl Place {
    /// Its path.
    pub fn path(&self) -> &str {
        let (Self::Below(path) | Self::Exactly(path)) = self;
        path
    }

    fn holds(&self, path: &str) -> bool {
        let Some(rest) = path.strip_prefix(self.path()) else { return false };
        match self {
            Self::Below(own) => own == "/" || rest.is_empty() || rest.starts_with('/'),
            Self::Exactly(_) => matches!(rest, "" | "/"),
        }
    }
}

/// Who passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allow {
    /// Everybody; nobody is asked who they are.
    Public,
    /// Whoever is signed in and meets this.
    SignedIn(Demand),
}

/// What is asked of a session beyond being alive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Demand {
    /// A role its user must hold.
    pub role: Option<Role>,
    /// How strongly the user must have proved themselves.
    pub acr: Option<Assurance>,
    /// How long ago at most.
    pub max_age: Option<Duration>,
}

/// What C1 asks of a request with side effects that rests on a cookie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Csrf {
    /// An allowed origin and a custom header.
    #[default]
    Full,
    /// An allowed origin: all that a form of HTML can show.
    OriginOnly,
}

/// Who may do what where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// On this host only.
    pub host: Option<String>,
    /// Where.
    pub place: Place,
    /// With these methods only; empty: with all. `GET` includes `HEAD`.
    pub methods: Vec<String>,
    /// Who.
    pub allow: Allow,
    /// C1 here.
    pub csrf: Csrf,
    /// The audience of the token that the server behind is handed, if it is handed one.
    pub audience: Option<String>,
}

impl Rule {
    /// What holds where no rule does: whoever is signed in.
    pub const fn fallback(audience: Option<String>) -> Self {
        let allow = Allow::SignedIn(Demand { role: None, acr: None, max_age: None });
        Self { host: None, place: Place::Below(String::new()), methods: Vec::new(), allow, csrf: Csrf::Full, audience }
    }

    /// Whether both would hold for some request and neither is the closer one.
    pub fn contradicts(&self, other: &Self) -> bool {
        let shared = other.methods.iter().any(|method| self.takes(method));
        let methods = if self.methods.is_empty() { other.methods.is_empty() } else { shared };
        self.host == other.host && self.place == other.place && methods
    }

    fn takes(&self, method: &str) -> bool {
        // A server answers HEAD with the head of what GET would show.
        let method = if method == "HEAD" { "GET" } else { method };
        self.methods.is_empty() || self.methods.iter().any(|own| own == method)
    }

    fn holds(&self, request: Forwarded<'_>) -> bool {
        let host = self.host.as_deref().is_none_or(|host| request.host == Some(host));
        host && self.takes(request.method) && self.place.holds(request.path.as_str())
    }

    fn closeness(&self) -> (usize, bool, bool, bool) {
        let exact = matches!(self.place, Place::Exactly(_));
        (self.place.path().len(), exact, self.host.is_some(), !self.methods.is_empty())
    }
}

/// The rule for a request: of those that hold, the one with the longest path; of these an exact one before a prefix, one with
/// a host or methods before one without. `None` when none holds.
pub fn find<'a>(rules: &'a [Rule], request: Forwarded<'_>) -> Option<&'a Rule> {
    rules.iter().filter(|rule| rule.holds(request)).max_by_key(|rule| rule.closeness())
}

/// What a session is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It meets the demand.
    Admit,
    /// Its user does not hold the role; signing in again would not help.
    WrongRole,
    /// Its user must prove themselves anew, or more strongly (RFC 9470).
    Reauthenticate,
}

impl Demand {
    /// What a further proof must be to meet it.
    pub fn challenge(&self) -> Challenge {
        Challenge { acr: self.acr.map(Assurance::as_str), max_age: self.max_age }
    }

    /// Holds a session against the demand.
    pub fn judge(&self, session: &Session, user: &User, now: Timestamp) -> Verdict {
        if self.role.as_ref().is_some_and(|role| !user.roles.contains(role)) {
            return Verdict::WrongRole;
        }
        let weak = self.acr.is_some_and(|least| session.acr < least);
        let old = self.max_age.is_some_and(|most| now.since(session.auth_time) > most);
        if weak || old { Verdict::Reauthenticate } else { Verdict::Admit }
    }
}

#[cfg(test)]
mod tests {
    use super::{Allow, Csrf, Demand, Forwarded, Place, RequestPath, Rule, find, parse_host};
    use proptest::prelude::*;

    fn rule(place: Place, methods: &[&str], host: Option<&str>) -> Rule {
        let methods = methods.iter().map(|&method| method.to_owned()).collect();
        let host = host.map(str::to_owned);
        Rule { host, place, methods, allow: Allow::Public, csrf: Csrf::Full, audience: None }
    }

    #[test]
    fn atk35_a_path_that_two_servers_could_read_differently_is_no_path() {
        for (target, path) in [
            ("/", "/"),
            ("/a/b/?q=/../x;y", "/a/b/"),
            ("/%61dmin", "/admin"),
            ("/caf%C3%A9%20x", "/café x"),
            ("/a.b/..c/...", "/a.b/..c/..."),
        ] {
            assert_eq!(RequestPath::parse(target).expect(target).as_str(), path);
        }
        for target in [
            "",
            "*",
            "admin",
            "?/",
            "http://x/",
            "//",
            "//a",
            "/a//b",
            "/a/..",
            "/a/../b",
            "/./a",
            "/a/.",
            "/%2e%2e/a",
            "/a/%2E./b",
            "/a;x",
            "/a/..;/b",
            "/%3bx",
            "/a\\b",
            "/%5c..",
            "/a%2fb",
            "/a%2Fb",
            "/%00",
            "/a%0d%0ab",
            "/%7f",
            "/%252e",
            "/%",
            "/%6",
            "/%zz",
            "/%+1",
            "/%ff",
            "/%c0%ae",
            "/a b",
            "/a\tb",
            "/é",
            "/a#b",
        ] {
            assert_eq!(RequestPath::parse(target), None, "{target:?}");
        }
        assert_eq!(RequestPath::parse(&format!("/{}", "a".repeat(8192))), None);
    }

    #[test]
    fn atk35_prefixes_end_at_segments_and_the_closest_rule_wins() {
        let below = |path: &str| Place::Below(path.into());
        let rules = [
            rule(below("/"), &[], None),
            rule(below("/a"), &[], None),
            rule(below("/a"), &["GET"], None),
            rule(below("/a"), &[], Some("x.example")),
            rule(below("/a/b"), &[], None),
            rule(Place::Exactly("/a/b".into()), &[], None),
        ];
        let which = |host, method, target: &str| {
            let path = RequestPath::parse(target).expect(target);
            let found = find(&rules, Forwarded { host, method, path: &path }).expect("one holds");
            rules.iter().position(|rule| rule == found)
        };
        for (host, method, target, expected) in [
            (None, "GET", "/", 0),
            (None, "GET", "/ab", 0),
            (None, "GET", "/A", 0),
            (None, "POST", "/a", 1),
            (None, "OPTIONS", "/a/", 1),
            (None, "GET", "/%61/c", 2),
            (None, "HEAD", "/a/c", 2),
            (Some("x.example"), "GET", "/a/c", 3),
            (Some("y.example"), "POST", "/a/c", 1),
            (None, "GET", "/a/b/c", 4),
            (None, "GET", "/a/b", 5),
            (None, "GET", "/a/b/", 5),
        ] {
            assert_eq!(which(host, method, target), Some(expected), "{host:?} {method} {target}");
        }
        assert!(rules[2].contradicts(&rule(below("/a"), &["HEAD", "GET"], None)));
        assert!(
            !rules[2].contradicts(&rules[1]) && !rules[1].contradicts(&rules[2]) && !rules[4].contradicts(&rules[5])
        );
    }

    #[test]
    fn hosts_are_names_without_port() {
        for (text, host) in
            [("A.Example:8443", "a.example"), ("a.example", "a.example"), ("[::1]:80", "[::1]"), ("[::1]", "[::1]")]
        {
            assert_eq!(parse_host(text).as_deref(), Some(host));
        }
        for text in ["", ":80", "a.example.", "a.example:x", "a,b", "a b", "u@a", "a/b"] {
            assert_eq!(parse_host(text), None, "{text:?}");
        }
    }

    proptest! {
        /// The claim that rules rest on: cleaning an accepted path up changes nothing, however often it is decoded.
        #[test]
        fn what_is_accepted_has_nothing_left_to_normalise(target in "/([a-z./;%\\\\]|%2[ef]|%25|%5c|%41){0,12}") {
            if let Some(path) = RequestPath::parse(&target) {
                let path = path.as_str();
                prop_assert!(path.starts_with('/') && !path.contains("//") && !path.contains(['\\', ';', '%', '\0']));
                prop_assert!(path.split('/').all(|segment| segment != "." && segment != ".."));
            }
        }

        #[test]
        fn nothing_makes_it_panic(text in ".{0,40}") {
            let _ = (RequestPath::parse(&text), parse_host(&text), Demand::default());
        }
    }
}
