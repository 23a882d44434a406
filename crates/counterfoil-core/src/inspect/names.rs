//! What each registered claim means and where that is written.

/// A name, its meaning, its source.
pub(super) type Entry = (&'static str, &'static str, &'static str);

/// The entry for a claim.
pub(super) fn claim(name: &str) -> Option<&'static Entry> {
    ACCESS.iter().chain(OTHER_KINDS).chain(PERSON).find(|(known, ..)| *known == name)
}

/// Claims of access tokens.
const ACCESS: &[Entry] = &[
    ("iss", "issuer: who made the token; compared exactly, and decides whose keys count", "RFC 7519 section 4.1.1"),
    ("sub", "subject: the user, or the client itself in a service token", "RFC 7519 section 4.1.2"),
    ("aud", "audience: the one resource server it is meant for; all others refuse it", "RFC 7519 section 4.1.3"),
    ("exp", "expiry: from this second on it is refused", "RFC 7519 section 4.1.4"),
    ("nbf", "not before: refused until then", "RFC 7519 section 4.1.5"),
    ("iat", "issued at: when it was made", "RFC 7519 section 4.1.6"),
    ("jti", "the token's own id, by which a single token can be revoked", "RFC 7519 section 4.1.7"),
    ("client_id", "the application that asked for it", "RFC 9068 section 2.2"),
    ("scope", "what the application may do: space-separated, compared token by token", "RFC 9068 section 2.2.3"),
    ("auth_time", "when the user last proved themselves; a refresh does not change it", "RFC 9068 section 2.2.1"),
    ("acr", "how strongly the user proved themselves", "RFC 9068 section 2.2.1"),
    ("amr", "by which methods the user proved themselves", "RFC 9068 section 2.2.1"),
    ("roles", "the user's roles at the time of issue", "RFC 9068 section 2.2.3.1"),
    ("groups", "the user's groups at the time of issue", "RFC 9068 section 2.2.3.1"),
    ("entitlements", "what the user may do, by name", "RFC 9068 section 2.2.3.1"),
    (
        "sid",
        "the session on which the token hangs; revoking it ends the token",
        "OpenID Front-Channel Logout section 3",
    ),
    (
        "cv",
        "how often the user's roles have changed; an older number is answered `token_stale`",
        "Counterfoil design section 6",
    ),
    ("cnf", "confirmation: the key whose holder alone may use the token", "RFC 7800 section 3.1"),
    ("act", "the party that acts for the subject; nested ones are history only", "RFC 8693 section 4.1"),
    ("may_act", "who may act for the subject", "RFC 8693 section 4.4"),
    ("authorization_details", "fine-grained permissions", "RFC 9396 section 9.1"),
    ("status", "where the token's status list entry stands", "Token Status List section 6"),
    ("txn", "transaction id, to follow one piece of work across tokens", "RFC 8417 section 2.2"),
    ("scp", "scope in another vendor's spelling; not `scope`", "not registered"),
];

/// Claims that belong to other kinds of token.
const OTHER_KINDS: &[Entry] = &[
    ("nonce", "ties an ID token or a proof to one request", "OpenID Connect Core section 2"),
    ("azp", "authorized party of an ID token", "OpenID Connect Core section 2"),
    ("at_hash", "hash of the access token beside an ID token", "OpenID Connect Core section 3.1.3.6"),
    ("c_hash", "hash of the code beside an ID token", "OpenID Connect Core section 3.3.2.11"),
    ("s_hash", "hash of the state beside an ID token", "FAPI 1.0 part 2 section 5.1"),
    ("events", "security events: makes it an event, never an access token", "RFC 8417 section 2.2"),
    ("toe", "when the event happened", "RFC 8417 section 2.2"),
    ("sub_id", "subject of a security event", "RFC 9493 section 4.1"),
    ("htm", "HTTP method that a DPoP proof is for", "RFC 9449 section 4.2"),
    ("htu", "URI that a DPoP proof is for", "RFC 9449 section 4.2"),
    ("ath", "hash of the access token that a DPoP proof goes with", "RFC 9449 section 4.2"),
    ("status_list", "the statuses of many tokens, compressed", "Token Status List section 5.1"),
    ("ttl", "how long a copy of the status list may be kept", "Token Status List section 5.1"),
    ("token_introspection", "an introspection answer, signed", "RFC 9701 section 5"),
    ("_sd", "digests of claims disclosed separately", "RFC 9901 section 4.2.4.1"),
    ("vct", "type of a verifiable credential", "SD-JWT VC section 3.2.2.1"),
    ("vc", "a verifiable credential", "W3C Verifiable Credentials 1.1 section 6.3.1"),
    ("orgid", "an organisation's id in another vendor's spelling", "not registered"),
    ("tid", "a tenant's id in another vendor's spelling", "not registered"),
    ("typ", "kind of token as a claim, in one vendor's spelling; the header's `typ` is what counts", "not registered"),
    (
        "token_use",
        "kind of token as a claim, in one vendor's spelling; the header's `typ` is what counts",
        "not registered",
    ),
    ("updated_at", "when the person's data last changed", "OpenID Connect Core section 5.1"),
];

/// Claims that describe a person: they do not belong into a token that every API and log can read (T2).
const PERSON: &[Entry] = &[
    ("name", "the person's full name", "OpenID Connect Core section 5.1"),
    ("given_name", "the person's given name", "OpenID Connect Core section 5.1"),
    ("family_name", "the person's family name", "OpenID Connect Core section 5.1"),
    ("middle_name", "the person's middle name", "OpenID Connect Core section 5.1"),
    ("nickname", "what the person is called", "OpenID Connect Core section 5.1"),
    ("preferred_username", "the person's user name; not an identifier", "OpenID Connect Core section 5.1"),
    ("profile", "the person's profile page", "OpenID Connect Core section 5.1"),
    ("picture", "the person's picture", "OpenID Connect Core section 5.1"),
    ("website", "the person's web site", "OpenID Connect Core section 5.1"),
    ("email", "the person's e-mail address", "OpenID Connect Core section 5.1"),
    ("email_verified", "whether the address was checked", "OpenID Connect Core section 5.1"),
    ("gender", "the person's gender", "OpenID Connect Core section 5.1"),
    ("birthdate", "the person's date of birth", "OpenID Connect Core section 5.1"),
    ("zoneinfo", "the person's time zone", "OpenID Connect Core section 5.1"),
    ("locale", "the person's language", "OpenID Connect Core section 5.1"),
    ("phone_number", "the person's telephone number", "OpenID Connect Core section 5.1"),
    ("phone_number_verified", "whether the number was checked", "OpenID Connect Core section 5.1"),
    ("address", "the person's postal address", "OpenID Connect Core section 5.1.1"),
];

/// Whether the claim describes a person by its name alone.
pub(super) fn is_personal(name: &str) -> bool {
    PERSON.iter().any(|(known, ..)| *known == name)
}
