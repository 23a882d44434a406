//! Turns members into explanations: the registered meaning, and what this very value adds to it.

use super::header_names::{header, key_member};
use super::json::{Json, Member};
use super::names::{Entry, claim};
use super::{Explained, number, show, when};
use counterfoil_guard::Timestamp;
use std::borrow::Cow;

/// No part is listed beyond this many members.
const MAX_MEMBERS: usize = 200;

/// Claims that are times.
pub(super) const TIMES: [&str; 6] = ["exp", "nbf", "iat", "auth_time", "updated_at", "toe"];

/// The members of a header.
pub(super) fn of_header(members: &[Member]) -> Vec<Explained> {
    list(members, header, |name, value| match name {
        "alg" => Some(algorithm(value.as_text()?)),
        "typ" => kind_of_token(value.as_text()?).map(String::from),
        _ => None,
    })
}

/// The members of a set of claims.
pub(super) fn of_claims(members: &[Member], now: Timestamp) -> Vec<Explained> {
    let mut explained = list(members, claim, |name, value| match name {
        "acr" => assurance(value.as_text()?).map(String::from),
        "amr" => methods(value),
        _ => None,
    });
    for (line, member) in explained.iter_mut().zip(members.iter().flat_map(flattened)) {
        if TIMES.contains(&line.name.as_str())
            && let Some(dated) = dated(member.2, now)
        {
            line.value.push_str(&dated);
        }
    }
    explained
}

fn list(
    members: &[Member],
    registry: fn(&str) -> Option<&'static Entry>,
    detail: impl Fn(&str, &Json) -> Option<String>,
) -> Vec<Explained> {
    let mut explained: Vec<Explained> = members
        .iter()
        .flat_map(flattened)
        .take(MAX_MEMBERS)
        .map(|(outer, name, value)| {
            let entry = if outer.is_some() { key_member(name) } else { registry(name) };
            let (meaning, source) =
                entry.map_or((UNKNOWN, "not registered here"), |(_, meaning, source)| (*meaning, *source));
            let meaning = match detail(name, value) {
                Some(detail) if outer.is_none() => Cow::Owned(format!("{meaning}; here: {detail}")),
                _ => Cow::Borrowed(meaning),
            };
            let shown = show::name(name);
            let name_shown = outer.map_or(shown.clone(), |outer| format!("{outer}.{shown}"));
            Explained { name: name_shown, value: show::member(name, value), meaning, source }
        })
        .collect();
    if members.len() > MAX_MEMBERS {
        let value = format!("{} members in all", members.len());
        explained.push(Explained { name: "…".into(), value, meaning: "the rest is not listed".into(), source: "" });
    }
    explained
}

const UNKNOWN: &str = "no registered meaning; a verifier ignores it or refuses the token";

/// A member, and after it those of the objects that are worth opening.
fn flattened(member: &Member) -> Vec<(Option<&'static str>, &str, &Json)> {
    let mut lines = vec![(None, member.name.as_str(), &member.value)];
    let outer = ["cnf", "jwk", "epk"].into_iter().find(|opened| *opened == member.name);
    if let (Some(outer), Json::Object(inner)) = (outer, &member.value) {
        lines.extend(inner.iter().take(MAX_MEMBERS).map(|m| (Some(outer), m.name.as_str(), &m.value)));
    }
    lines
}

fn dated(value: &Json, now: Timestamp) -> Option<String> {
    let seconds = match value {
        Json::Number(word) => number::whole(word)?,
        Json::Text(text) => when::parse(text).or_else(|| text.parse().ok())?,
        _ => return None,
    };
    let relative = when::relative(seconds, now.as_seconds());
    match value {
        Json::Number(_) => Some(format!(" ({}, {relative})", when::rfc3339(seconds)?)),
        _ => Some(format!(" ({relative})")),
    }
}

fn algorithm(name: &str) -> String {
    let words = match name {
        "EdDSA" => "Edwards-curve signature, the curve is the key's (RFC 8037); Counterfoil's default",
        "Ed25519" => "Edwards-curve signature over Curve25519 (RFC 9864)",
        "Ed448" => "Edwards-curve signature over Curve448 (RFC 9864)",
        "ES256" => "ECDSA with P-256 and SHA-256",
        "ES384" => "ECDSA with P-384 and SHA-384",
        "ES512" => "ECDSA with P-521 and SHA-512",
        "ES256K" => "ECDSA with secp256k1 (RFC 8812)",
        "RS256" | "RS384" | "RS512" => "RSA signature, PKCS#1 v1.5 padding",
        "PS256" | "PS384" | "PS512" => "RSA signature, PSS padding",
        "HS256" | "HS384" | "HS512" => "HMAC with a shared secret: every verifier could have made it",
        "dir" => "the shared key encrypts directly, there is no wrapped key",
        "RSA1_5" => "RSA encryption, PKCS#1 v1.5 padding: broken in practice",
        name if name.starts_with("RSA-OAEP") => "RSA encryption, OAEP padding",
        name if name.starts_with("ECDH-ES") => "key agreement with an ephemeral key",
        name if name.starts_with("PBES2") => "key from a password",
        name if name.ends_with("KW") => "key wrapping with a shared key",
        name if name.trim().eq_ignore_ascii_case("none") => "NOT SIGNED AT ALL",
        _ => "not an algorithm known here",
    };
    String::from(words)
}

/// What kind of token a `typ` announces.
pub(super) fn kind_of_token(typ: &str) -> Option<&'static str> {
    let bare = typ.to_ascii_lowercase();
    Some(match bare.strip_prefix("application/").unwrap_or(&bare) {
        "at+jwt" => "access token (RFC 9068)",
        "dpop+jwt" => "DPoP proof (RFC 9449)",
        "dbsc+jwt" => "device-bound session proof (DBSC)",
        "secevent+jwt" => "security event (RFC 8417)",
        "logout+jwt" => "logout token (OpenID Back-Channel Logout)",
        "statuslist+jwt" => "status list (Token Status List)",
        "client-authentication+jwt" => "client assertion (RFC 7523bis)",
        "token-introspection+jwt" => "introspection answer (RFC 9701)",
        "oauth-authz-req+jwt" => "authorization request (RFC 9101)",
        "jwt" => "any JWT: does not say which kind",
        _ => return None,
    })
}

fn assurance(acr: &str) -> Option<&'static str> {
    Some(match acr {
        "aal1" => "one factor (NIST SP 800-63B level 1)",
        "aal2" => "two factors, or a passkey with user verification (NIST SP 800-63B level 2)",
        "aal3" => "hardware-bound key (NIST SP 800-63B level 3)",
        _ => return None,
    })
}

/// RFC 8176 section 2.
fn methods(value: &Json) -> Option<String> {
    const METHODS: [(&str, &str); 15] = [
        ("face", "face"),
        ("fpt", "fingerprint"),
        ("hwk", "hardware-held key"),
        ("kba", "questions"),
        ("mca", "several channels"),
        ("mfa", "several factors"),
        ("otp", "one-time password"),
        ("pin", "PIN"),
        ("pop", "proof of possession"),
        ("pwd", "password"),
        ("rba", "risk-based"),
        ("sms", "text message"),
        ("swk", "software-held key"),
        ("tel", "telephone call"),
        ("user", "user presence"),
    ];
    let Json::Array(items) = value else { return None };
    let words: Vec<_> = items
        .iter()
        .filter_map(Json::as_text)
        .filter_map(|method| METHODS.iter().find(|(name, _)| *name == method))
        .map(|(_, words)| *words)
        .take(METHODS.len())
        .collect();
    (!words.is_empty()).then(|| format!("{} (RFC 8176)", words.join(", ")))
}
