//! The rules for a JOSE header: algorithm, kind, key name, `crit`, and what must not stand there at all.

use super::header_names::header as registered;
use super::json::{Json, Member, last};
use super::meanings::kind_of_token;
use super::notes::Notes;
use super::{key_material, lookalike, show};

/// The names that the signature and encryption standards define themselves; `crit` must not list them (JWS-4.1.11).
const DEFINED: [&str; 19] = [
    "alg", "jku", "jwk", "kid", "x5u", "x5c", "x5t", "x5t#S256", "typ", "cty", "crit", "enc", "zip", "epk", "apu",
    "apv", "iv", "tag", "p2s",
];

/// What the token is for, as far as its `typ` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// `at+jwt`, or a PASETO, which has no `typ`.
    AccessToken,
    /// Missing, `JWT`, or garbled: judged as the access token it may be meant to be.
    Unclear,
    /// A proof that carries its own key: `DPoP`, DBSC registration.
    Proof,
    /// A kind of its own.
    Other,
}

/// Signed or encrypted: which algorithms make sense, and which members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Signed,
    Encrypted,
}

/// Checks a header and says what the token is for.
pub(super) fn check(members: &[Member], shape: Shape, notes: &mut Notes) -> Purpose {
    lookalike::check("header", members, |name| registered(name).is_some(), notes);
    for Member { name, value, .. } in members {
        match (name.as_str(), shape) {
            ("alg", Shape::Signed) => signing_algorithm(value, notes),
            ("kid", _) => key_name(value, notes),
            ("crit", _) => critical(members, value, notes),
            ("b64", _) => unencoded(value, notes),
            ("zip", Shape::Signed) => notes.error(
                "JWT-BCP-3.6",
                "header: `zip` in a signed token has no meaning",
                "refuse; nothing is decompressed before the signature has been checked",
            ),
            ("cty", Shape::Signed) => notes.warning(
                "JWT-BCP-3.11b",
                format!("header: `cty` {}: another token inside?", show::json(value)),
                "access tokens are not nested; Counterfoil guards refuse the member",
            ),
            (name, Shape::Signed) if registered(name).is_none() => notes.warning(
                "T1",
                format!("header: `{}` is not `alg`, `kid` or `typ`", show::name(name)),
                "leave it out: Counterfoil guards refuse any other member",
            ),
            _ => {}
        }
    }
    let purpose = kind(last(members, "typ"), shape, notes);
    key_material::check(members, purpose, notes);
    if shape == Shape::Signed {
        missing(members, notes);
    }
    purpose
}

fn missing(members: &[Member], notes: &mut Notes) {
    if last(members, "alg").is_none() {
        notes.error("ATK-01", "header: `alg` is missing", "refuse before looking up a key");
    }
    if last(members, "kid").is_none() && last(members, "jwk").is_none() {
        let message = "header: `kid` is missing, so no key can be looked up";
        notes.warning(
            "JWS-4.1.4",
            message,
            "name the key; Counterfoil guards refuse the token, trying keys is no look-up",
        );
    }
}

fn signing_algorithm(value: &Json, notes: &mut Notes) {
    const LIST: &str = "verify only with the algorithm bound to the key, from a list, compared exactly";
    let Some(name) = value.as_text() else {
        let message = format!("header: `alg` is {}, not a string", value.type_name());
        return notes.error("ATK-01", message, LIST);
    };
    let shown = show::text(name);
    match name {
        "EdDSA" | "Ed25519" => {}
        "ES256" | "ES384" | "ES512" | "ES256K" | "Ed448" | "PS256" | "PS384" | "PS512" => notes.note(
            "T1",
            format!("header: `alg` {shown} is sound, but not Counterfoil's default EdDSA"),
            "see that the verifier has a key bound to it",
        ),
        "RS256" | "RS384" | "RS512" => notes.warning(
            "T1",
            format!("header: `alg` {shown} is for verifiers that know nothing else"),
            "prefer EdDSA or ES256; bind the key to this one algorithm",
        ),
        "HS256" | "HS384" | "HS512" => notes.error(
            "ATK-02",
            format!("header: `alg` {shown} is symmetric: whoever can verify can forge, and a public key used as the secret lets everybody"),
            "refuse; sign access tokens with a private key",
        ),
        "RSA1_5" => notes.error("JWT-BCP-3.2b", "header: RSA1_5 is broken, and encrypts instead of signing", LIST),
        "RS1" => notes.error("JWT-BCP-3.2a", "header: `alg` \"RS1\" rests on SHA-1", LIST),
        _ if name.trim().is_empty() || name.trim().eq_ignore_ascii_case("none") => {
            notes.error("ATK-01", format!("header: `alg` {shown} means not signed: anybody can write this"), LIST);
        }
        _ if is_encryption(name) => {
            let message = format!("header: `alg` {shown} encrypts; it signs nothing");
            notes.error("JWT-BCP-3.3b", message, "tell signed from encrypted tokens before anything else");
        }
        _ => notes.error("JWT-BCP-3.1a", format!("header: `alg` {shown} is no signature algorithm known here"), LIST),
    }
}

/// Whether an `alg` belongs to encryption (RFC 7518 section 4.1).
fn is_encryption(name: &str) -> bool {
    let starts = ["RSA-OAEP", "ECDH-ES", "PBES2", "HPKE"].iter().any(|prefix| name.starts_with(prefix));
    starts || name == "dir" || (name.starts_with('A') && name.ends_with("KW"))
}

fn kind(typ: Option<&Json>, shape: Shape, notes: &mut Notes) -> Purpose {
    const FIX: &str = "an access token says `at+jwt`, exactly (RFC 9068 section 2.1)";
    let typ = match typ {
        Some(Json::Text(typ)) => typ,
        Some(other) => {
            notes.error("ATK-24", format!("header: `typ` is {}, not a string", other.type_name()), FIX);
            return Purpose::Unclear;
        }
        None if shape == Shape::Encrypted => return Purpose::Unclear,
        None => {
            notes.error("ATK-24", "header: `typ` is missing: nothing says which kind of token this is", FIX);
            return Purpose::Unclear;
        }
    };
    let shown = show::text(typ);
    match kind_of_token(typ) {
        Some(kind) if kind.starts_with("access token") => Purpose::AccessToken,
        Some(kind) if kind.starts_with("any JWT") => {
            if shape == Shape::Signed {
                notes.error("ATK-24", format!("header: `typ` {shown} does not say which kind of JWT this is"), FIX);
            }
            Purpose::Unclear
        }
        Some(kind) => {
            let message = format!("this is a {kind}, not an access token; judged as one");
            notes.warning("ATK-23", message, "never accept it where an access token is asked for, nor the reverse");
            if kind.contains("proof") { Purpose::Proof } else { Purpose::Other }
        }
        None if typ.to_ascii_lowercase().contains("at+jwt") || typ.contains(char::is_whitespace) => {
            notes.error("ATK-24", format!("header: `typ` {shown} resembles `at+jwt` but is not"), FIX);
            Purpose::Unclear
        }
        None => {
            let message = format!("header: `typ` {shown} is no kind of token known here");
            notes.error("ATK-24", message, FIX);
            Purpose::Unclear
        }
    }
}

fn key_name(value: &Json, notes: &mut Notes) {
    const FIX: &str =
        "a `kid` is 1 to 64 characters of [A-Za-z0-9_-], only ever compared, never put into a path, query or command";
    let Some(kid) = value.as_text() else {
        return notes.error("ATK-10", format!("header: `kid` is {}, not a string", value.type_name()), FIX);
    };
    if kid.is_empty() || kid.len() > 64 {
        notes.error("ATK-10", format!("header: `kid` has {} bytes", kid.len()), FIX);
    }
    if kid.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
        return;
    }
    let lower = kid.to_ascii_lowercase();
    let has = |marks: &[&str]| marks.iter().any(|mark| lower.contains(mark));
    let what = if has(&["../", "..\\", "/dev/", "/proc/", "/etc/", "file:"]) {
        "a path: an attempt to choose the key file"
    } else if has(&["://"]) {
        "an address: an attempt to have it fetched"
    } else if has(&["union ", "select ", "' or", "\"or", "--", "';", "'"]) {
        "SQL: an attempt to choose the key by injection"
    } else if has(&["|", "`", "$(", ";", "&", "\n"]) {
        "a shell command"
    } else if has(&[")(", "*"]) {
        "an LDAP filter"
    } else if has(&["%00", "\0", "%2e", "%2f"]) {
        "an encoded NUL or path"
    } else {
        return notes.warning("ATK-10", "header: `kid` has characters outside [A-Za-z0-9_-]", FIX);
    };
    notes.error("ATK-10", format!("header: `kid` looks like {what}"), FIX);
}

fn critical(members: &[Member], value: &Json, notes: &mut Notes) {
    const FIX: &str = "refuse every token with `crit`: no extension is understood here";
    notes.error("ATK-12", "header: `crit` demands an extension, and none is understood here", FIX);
    let Json::Array(names) = value else {
        let message = format!("header: `crit` is {}, not an array", value.type_name());
        return notes.error("JWS-4.1.11", message, FIX);
    };
    if names.is_empty() {
        notes.error("JWS-4.1.11", "header: `crit` is empty", FIX);
    }
    for (index, name) in names.iter().enumerate().take(DEFINED.len()) {
        let Some(name) = name.as_text() else {
            notes.error("JWS-4.1.11", format!("header: `crit` lists {}, not a name", name.type_name()), FIX);
            continue;
        };
        let mut say = |wrong: bool, what: &str| {
            if wrong {
                notes.error("JWS-4.1.11", format!("header: `crit` lists `{}`, {what}", show::name(name)), FIX);
            }
        };
        say(DEFINED.contains(&name), "which the standard itself defines");
        say(last(members, name).is_none(), "which is not in the header");
        say(names.iter().take(index).any(|earlier| earlier.as_text() == Some(name)), "twice");
    }
}

fn unencoded(value: &Json, notes: &mut Notes) {
    let message = format!("header: `b64` {}: JWTs must not use it", show::json(value));
    notes.error("RFC7797-7", message, "refuse, with or without `crit`");
}
