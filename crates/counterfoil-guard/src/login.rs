//! Where a person is led whose page was refused: to the authority's sign-in page on this host, and back. Programs get their challenge;
//! only whoever looks at a page can do something with another page.

use crate::redirect::{LocalPath, percent_encoded};

/// The authority's sign-in page, by its path on this host: the cookie that counts here is of this host, and so is the page that renews it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginPage(LocalPath);

/// A request, as far as it says whether a person waits for a page.
#[derive(Clone, Copy, Debug)]
pub struct Navigation<'a> {
    /// Its method.
    pub method: &'a str,
    /// `Sec-Fetch-Mode`, which no script can set.
    pub fetch_mode: Option<&'a str>,
    /// Its path and query, as the client has sent them.
    pub target: &'a str,
}

/// What is wanting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanting<'a> {
    /// A token that counts: a refresh may bring it, or a sign-in.
    Session,
    /// A further proof, perhaps of this strength (RFC 9470).
    Proof(Option<&'a str>),
}

impl Default for LoginPage {
    /// Where the authority has it.
    fn default() -> Self {
        Self::parse("/login").expect("a path of this host")
    }
}

impl LoginPage {
    /// Accepts a path of this host without query or fragment; everything else is `None` (ATK-40).
    pub fn parse(path: &str) -> Option<Self> {
        LocalPath::parse(path).filter(|path| !path.as_str().contains(['?', '#'])).map(Self)
    }

    /// Where to lead, if a person waits for a page: GET, and a navigation. It leads back where the target is a path of this host, which
    /// is checked as the authority does (ATK-40).
    pub fn location(&self, asked: Navigation<'_>, wanting: Wanting<'_>) -> Option<String> {
        if asked.method != "GET" || asked.fetch_mode != Some("navigate") {
            return None;
        }
        let mut query = Vec::new();
        if let Some(back) = LocalPath::parse(asked.target) {
            query.push(format!("redirect={}", percent_encoded(back.as_str())));
        }
        if let Wanting::Proof(acr) = wanting {
            query.push("ended=reauthenticate".to_owned());
            query.extend(acr.map(|acr| format!("acr_values={}", percent_encoded(acr))));
        }
        let path = self.0.as_str();
        Some(if query.is_empty() { path.to_owned() } else { format!("{path}?{}", query.join("&")) })
    }
}
