//! Where a sign-in may lead: a path on this host and nothing else (ATK-40, SEC-2.1b).

use std::fmt::Write as _;

/// A path with optional query and fragment that no browser can read as another host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalPath(String);

impl LocalPath {
    /// Accepts `/…` made of printable ASCII, in which the second character is neither `/` nor `\` and no backslash, tab
    /// or line break stands anywhere: browsers strip or turn those into what they are not. Everything else is `None`.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        let printable = bytes.iter().all(|b| matches!(b, 0x21..=0x7e) && *b != b'\\');
        let local = bytes.first() == Some(&b'/') && bytes.get(1) != Some(&b'/');
        (printable && local && bytes.len() <= 2048).then(|| Self(text.to_owned()))
    }

    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// As a value of a query (RFC 3986 section 2.1); `/` may stand there as it is.
pub fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("writing to a string does not fail");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::LocalPath;

    #[test]
    fn atk40_only_paths_of_this_host_are_accepted() {
        for good in ["/", "/account", "/a/b?c=d&e=%2F#f", "/x//y"] {
            assert!(LocalPath::parse(good).is_some(), "{good}");
        }
        let long = format!("/{}", "a".repeat(2048));
        for bad in [
            "",
            "account",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil",
            "https:evil",
            "https://evil.example",
            "javascript:alert(1)",
            "@evil",
            "/\t/evil",
            "/\n/evil",
            " /x",
            "/x y",
            "/é",
            "/\0",
            &long,
        ] {
            assert!(LocalPath::parse(bad).is_none(), "{bad:?}");
        }
    }
}
