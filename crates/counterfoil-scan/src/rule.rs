//! The rules: what each finds, why it matters, and what to do.

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Somebody else can get in by it.
    Error,
    /// It makes another mistake worse.
    Warning,
}

macro_rules! rules {
    ($($name:ident, $id:literal, $level:ident, $title:literal, $why:literal, $fix:literal;)*) => {
        /// A rule.
        #[expect(missing_docs, reason = "each says what it is by `title`")]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Rule { $($name,)* }

        impl Rule {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name, which never changes.
            pub const fn id(self) -> &'static str { match self { $(Self::$name => $id,)* } }

            /// What it has found.
            pub const fn title(self) -> &'static str { match self { $(Self::$name => $title,)* } }

            /// Why that matters.
            pub const fn why(self) -> &'static str { match self { $(Self::$name => $why,)* } }

            /// What to do.
            pub const fn fix(self) -> &'static str { match self { $(Self::$name => $fix,)* } }

            /// How bad it is.
            pub const fn level(self) -> Level { match self { $(Self::$name => Level::$level,)* } }
        }
    };
}

rules! {
    TokenInWebStorage, "token-in-web-storage", Error,
        "a token is kept in localStorage or sessionStorage",
        "Any script that runs in the page, an injected one too, reads it and uses it from elsewhere (OAuth 2.0 for Browser-Based Apps, section 8).",
        "Let the server set it in a cookie with HttpOnly, Secure and SameSite, or keep it in a variable of the page.";
    TokenInReadableCookie, "token-in-readable-cookie", Error,
        "a token is put into a cookie that scripts can read",
        "A cookie that a script can set, a script can read: it is no better than localStorage (ASVS 3.3.4).",
        "Let the server set it, with HttpOnly, Secure and SameSite.";
    VerifyWithoutAlgorithms, "verify-without-algorithms", Error,
        "a token is verified without a list of algorithms, or with `none`",
        "What is not pinned, the token's own header chooses (RFC 8725 section 3.1).",
        "Name the one algorithm of the key: `algorithms: ['EdDSA']`.";
    VerifyWithoutIssuer, "verify-without-issuer", Warning,
        "a token is verified without an issuer",
        "A token of another issuer, a staging system say, that shares a key is taken (RFC 8725 section 3.8).",
        "Say whose tokens are taken: `issuer: 'https://auth.example.com'`.";
    VerifyWithoutAudience, "verify-without-audience", Error,
        "a token is verified without an audience",
        "A token that another service was given is taken here as well (RFC 8725 section 3.9).",
        "Say for whom it must be: `audience: 'orders'`.";
    VerifyWithoutExpiry, "verify-without-expiry", Error,
        "expired tokens are taken",
        "A token that was stolen once is good for ever (RFC 7519 section 4.1.4).",
        "Take `ignoreExpiration` out; where a token may be a little late, allow seconds by `clockTolerance`.";
    DecodeInsteadOfVerify, "decode-instead-of-verify", Error,
        "a token is decoded and not verified",
        "Anybody can write such a token; what it says is what its bearer wants (RFC 8725 section 3.3).",
        "Verify it. In a page, ask the server who is signed in.";
    TokenWithoutExpiry, "token-without-expiry", Error,
        "a token is made that never expires",
        "A copy of it works until the key is changed for everybody (RFC 8725 section 3.10; ASVS 9.2.1).",
        "Give it minutes: `expiresIn: '5m'`, and a refresh token for the rest.";
    TokenLivesTooLong, "token-lives-too-long", Warning,
        "an access token lives for more than an hour",
        "It works for so long after a sign-out, a ban or a theft (RFC 9700 section 2.2).",
        "Five minutes, and a refresh token that is used once.";
    NoRotation, "no-rotation", Warning,
        "a refresh hands out an access token, and the refresh token stays as it is",
        "Whoever has copied it refreshes along, and nobody notices (RFC 9700 section 4.14.2).",
        "Issue a new refresh token each time, refuse the old one, and end the session when it comes back.";
    SecretInSource, "secret-in-source", Error,
        "a secret stands in the source",
        "Everybody who has ever seen the repository can make tokens for anybody (ASVS 13.3.1).",
        "Read it from a file or the environment, refuse to start without it, and change this one.";
    PersonalDataInPayload, "personal-data-in-payload", Warning,
        "a token's payload has personal data",
        "A payload is not encrypted: it stands in logs, histories and at every service that it passes (RFC 8725 section 3.10; GDPR article 5).",
        "Put an id in, and look the rest up where it is needed.";
    TokenInUrl, "token-in-url", Error,
        "a token stands in a URL",
        "URLs are kept in histories and logs, and sent on in Referer (RFC 6750 section 5.3; RFC 9700 section 4.3).",
        "Send it in the Authorization header or a cookie; for sockets and downloads, a ticket that counts once.";
    CookieWithoutHttponly, "cookie-without-httponly", Error,
        "a cookie that holds a session lacks HttpOnly",
        "Any script in the page reads it (ASVS 3.3.4).",
        "Set `httpOnly: true`.";
    CookieWithoutSecure, "cookie-without-secure", Error,
        "a cookie that holds a session lacks Secure",
        "It is sent over http too, where anybody on the way reads it (ASVS 3.3.1).",
        "Set `secure: true`, and name it with `__Host-`.";
    CookieWithoutSamesite, "cookie-without-samesite", Warning,
        "a cookie that holds a session does not say SameSite",
        "Other sites can send requests with it, as far as the browser's default lets them (ASVS 3.3.2).",
        "Set `sameSite: 'lax'` or `'strict'`, and check where requests come from.";
}
