//! Delivery profiles: how an application receives tokens. Fixed at sign-in.

/// How an application receives tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// One meaningless cookie, resolved at the authority or its gate.
    Opaque,
    /// Access token and refresh token, each in a cookie.
    Cookie,
    /// Refresh token in a cookie, access token in the page's memory.
    Hybrid,
    /// Both tokens in the body, for programs that are not browsers.
    Native,
}

impl Profile {
    const ALL: [Self; 4] = [Self::Opaque, Self::Cookie, Self::Hybrid, Self::Native];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opaque => "opaque",
            Self::Cookie => "cookie",
            Self::Hybrid => "hybrid",
            Self::Native => "native",
        }
    }

    /// The profile with this word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.as_str() == name)
    }

    /// Whether the session is refreshed with a refresh token; `opaque` is not.
    pub const fn has_refresh_token(self) -> bool {
        !matches!(self, Self::Opaque)
    }

    /// Whether the refresh token travels in a cookie.
    pub const fn refresh_in_cookie(self) -> bool {
        matches!(self, Self::Cookie | Self::Hybrid)
    }

    /// Whether the access token stands in the body of an answer.
    pub const fn access_in_body(self) -> bool {
        matches!(self, Self::Hybrid | Self::Native)
    }
}
