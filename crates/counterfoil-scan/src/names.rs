//! What names say: judged by their words, so that a tokenizer is no token.

/// The words of an identifier or a key, in lower case: `refreshToken`, `refresh_token`, `REFRESH-TOKEN` are two.
pub(crate) fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut lower = false;
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() {
            words.push(String::new());
            lower = false;
            continue;
        }
        if c.is_ascii_uppercase() && lower {
            words.push(String::new());
        }
        lower = !c.is_ascii_uppercase();
        if let Some(word) = words.last_mut() {
            word.push(c.to_ascii_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn has(words: &[String], known: &[&str]) -> bool {
    words.iter().any(|word| known.contains(&word.as_str()))
}

/// Tokens that are not a user's, and what is said of tokens.
const OTHER_TOKENS: &[&str] = &[
    "csrf",
    "xsrf",
    "push",
    "fcm",
    "apns",
    "page",
    "cursor",
    "next",
    "continuation",
    "cancel",
    "design",
    "max",
    "prompt",
    "count",
    "limit",
    "usage",
    "budget",
    "expires",
    "expiry",
    "expiration",
    "exp",
    "ttl",
    "type",
    "mapbox",
    "map",
    "maps",
    "captcha",
    "recaptcha",
    "turnstile",
    "tokenizer",
    "consent",
    "color",
    "theme",
    "sync",
    "resume",
    "ticket",
    "stripe",
    "publishable",
    "public",
];

/// Words that make a one-time link.
const LINKS: &[&str] = &[
    "verification",
    "confirm",
    "confirmation",
    "reset",
    "invite",
    "invitation",
    "invites",
    "unsubscribe",
    "activate",
    "activation",
    "magic",
    "join",
    "welcome",
    "share",
    "optin",
    "recover",
    "recovery",
    "forgot",
    "forgotten",
];

/// Whether it names what opens a user's session to whoever holds it.
pub(crate) fn is_token(name: &str) -> bool {
    let words = words(name);
    let joined = words.concat();
    let named = has(
        &words,
        &["token", "tokens", "jwt", "bearer", "accesstoken", "refreshtoken", "idtoken", "authtoken", "jwttoken"],
    ) || joined == "authorization" && words.len() == 1;
    named && !has(&words, OTHER_TOKENS)
}

/// Whether it says that it is another kind of token.
pub(crate) fn is_other_token(name: &str) -> bool {
    let words = words(name);
    has(&words, &["token", "tokens"]) && has(&words, OTHER_TOKENS)
}

/// What is kept beside a session and opens nothing.
const BESIDE: &[&str] = &[
    "last",
    "seen",
    "state",
    "mode",
    "locale",
    "lang",
    "language",
    "theme",
    "hint",
    "banner",
    "closed",
    "dismissed",
    "visited",
    "timezone",
    "tz",
    "region",
    "nonce",
    "verifier",
    "pkce",
    "flash",
    "redirect",
    "return",
    "provider",
    "method",
    "started",
    "interval",
    "page",
    "count",
];

/// Whether it names a session or a token, for cookies.
pub(crate) fn is_credential(name: &str) -> bool {
    let all = words(name);
    let session =
        has(&all, &["session", "sid", "sess", "auth", "authentication", "refresh", "access", "jwt", "connect"]);
    is_token(name) || session && !has(&all, OTHER_TOKENS) && !has(&all, BESIDE)
}

pub(crate) fn is_refresh(name: &str) -> bool {
    has(&words(name), &["refresh", "refreshes", "refreshtoken", "renew", "renewal"])
}

pub(crate) fn is_link(name: &str) -> bool {
    let words = words(name);
    has(&words, LINKS) || has(&words, &["verify"]) && has(&words, &["email", "mail", "address", "account", "phone"])
}

/// Whether an address leads to something that is done once: there `verify` and `password` are enough.
pub(crate) fn is_link_path(path: &str) -> bool {
    is_link(path) || has(&words(path), &["verify", "password"])
}

/// What has a name and is no person.
pub(crate) fn is_thing(name: &str) -> bool {
    const THINGS: &[&str] = &[
        "device",
        "project",
        "team",
        "org",
        "organization",
        "organisation",
        "app",
        "application",
        "client",
        "service",
        "product",
        "room",
        "file",
        "company",
        "tenant",
        "role",
        "workspace",
        "group",
        "plan",
        "shop",
        "store",
        "server",
        "host",
        "site",
        "channel",
        "machine",
    ];
    has(&words(name), THINGS)
}

/// Whether it names a secret that signs or verifies.
pub(crate) fn is_secret(name: &str) -> bool {
    let all = words(name);
    let secret = has(&all, &["secret", "secrets"]);
    let key = has(&all, &["key", "privatekey"])
        && has(&all, &["jwt", "token", "signing", "sign", "private", "session", "cookie", "hmac", "auth"]);
    (secret || key) && !has(&all, NO_SECRETS)
}

/// What is said about a secret, and is none.
const NO_SECRETS: &[&str] = &[
    "name",
    "header",
    "path",
    "file",
    "id",
    "label",
    "field",
    "public",
    "storage",
    "env",
    "url",
    "missing",
    "title",
    "message",
    "text",
    "placeholder",
    "error",
    "hint",
    "description",
    "help",
    "invalid",
    "required",
    "prefix",
    "length",
    "size",
    "algorithm",
    "type",
    "ref",
    "arn",
    "version",
    "parameter",
    "variable",
    "column",
    "prompt",
];

/// Whether a payload's key is personal.
pub(crate) fn is_personal(name: &str) -> bool {
    const WHOLE: &[&str] = &[
        "name",
        "email",
        "mail",
        "emailaddress",
        "phone",
        "phonenumber",
        "mobile",
        "telephone",
        "tel",
        "address",
        "firstname",
        "lastname",
        "fullname",
        "givenname",
        "familyname",
        "surname",
        "displayname",
        "birthdate",
        "birthday",
        "dateofbirth",
        "dob",
        "ssn",
        "socialsecuritynumber",
        "password",
        "passwordhash",
        "hashedpassword",
        "ip",
        "ipaddress",
        "useremail",
        "street",
        "postcode",
        "zipcode",
        "nationalid",
        "passport",
        "realname",
        "homeaddress",
        "middlename",
        "mobilenumber",
        "lastip",
        "clientip",
        "remoteip",
        "contactemail",
        "cellphone",
        "gender",
        "salary",
        "iban",
        "creditcard",
    ];
    WHOLE.contains(&words(name).concat().as_str())
}

#[cfg(test)]
mod tests {
    use super::{is_credential, is_link, is_personal, is_secret, is_token, words};

    #[test]
    fn names_are_judged_by_their_words() {
        assert_eq!(words("refreshToken"), ["refresh", "token"]);
        assert_eq!(words("JWT_SECRET"), ["jwt", "secret"]);
        assert_eq!(words("auth.accessToken"), ["auth", "access", "token"]);
        for name in
            ["token", "accessToken", "refresh_token", "id_token", "jwt", "bearer", "auth.accessToken", "jwtToken"]
        {
            assert!(is_token(name), "{name}");
        }
        for name in [
            "csrfToken",
            "pageToken",
            "fcmToken",
            "tokenizer",
            "designTokens",
            "prompt.tokens",
            "token_expires_at",
            "theme",
        ] {
            assert!(!is_token(name), "{name}");
        }
        assert!(is_credential("session_id") && is_credential("sid") && !is_credential("locale"));
        assert!(
            is_secret("JWT_SECRET") && is_secret("sessionSecret") && !is_secret("secretName") && !is_secret("apiUrl")
        );
        assert!(
            is_link("verifyEmail")
                && is_link("resetToken")
                && !is_link("verifyRequest")
                && !is_link("loginWithPassword")
        );
        assert!(is_personal("email") && is_personal("firstName") && !is_personal("username") && !is_personal("tenant"));
    }
}
