//! Encrypted tokens: five parts, of which only the header can be read without a key (ATK-19, ATK-20).

use super::header::{self, Shape};
use super::json::{Json, Member, last};
use super::notes::Notes;
use super::{Explained, Part, base64, key_material, meanings, number, reading, show};

/// RFC 8725bis section 3.13: twice 600 000.
const MAX_ITERATIONS: i64 = 1_200_000;

pub(super) fn explain([head, key, iv, content, tag]: [&str; 5], notes: &mut Notes) -> Vec<Part> {
    notes.warning(
        "ATK-19",
        "an encrypted token: whoever has the recipient's public key could have made it; decryption is no proof of origin",
        "refuse five parts unless agreed; then a signed token must be inside, and its signature is what counts",
    );
    let members = reading::encoded_object("header", head, notes).unwrap_or_default();
    header::check(&members, Shape::Encrypted, notes);
    let mut length = |name: &'static str, encoded: &str| base64::decode(name, encoded, notes).len();
    let lengths = [length("encrypted key", key), length("iv", iv), length("ciphertext", content), length("tag", tag)];
    algorithm(&members, lengths[0], notes);
    encryption(&members, lengths, notes);
    others(&members, notes);
    let mut parts = vec![Part { name: "header", members: meanings::of_header(&members) }];
    let about = [
        ("encrypted key", "the content key, wrapped; empty with `dir` and ECDH-ES", "RFC 7516 section 5.1"),
        ("iv", "initialisation vector", "RFC 7516 section 5.1"),
        ("ciphertext", "the content; cannot be read without the key", "RFC 7516 section 5.1"),
        ("tag", "authentication tag over header and content", "RFC 7516 section 5.1"),
    ];
    parts.extend(about.into_iter().zip(lengths).map(|((name, meaning, source), length)| {
        let value = format!("{length} bytes");
        Part { name, members: vec![Explained { name: "length".into(), value, meaning: meaning.into(), source }] }
    }));
    parts
}

fn algorithm(members: &[Member], key: usize, notes: &mut Notes) {
    let Some(name) = last(members, "alg").and_then(Json::as_text) else {
        return notes.error("ATK-01", "header: `alg` is missing or no string", "refuse");
    };
    match name {
        "RSA1_5" => {
            notes.error("ATK-20", "header: `alg` RSA1_5 gives the content away to a padding oracle", "use ECDH-ES");
        }
        name if name.starts_with("PBES2") => {
            notes.error(
                "ATK-20",
                "header: a password as key, with a cost that the sender chooses",
                "refuse; PBES2 is not supported",
            );
            iterations(last(members, "p2c"), notes);
        }
        "dir" | "ECDH-ES" if key > 0 => {
            notes.error("JWE-5.2", format!("with `{name}` the encrypted-key part must be empty"), "refuse");
        }
        "dir" | "ECDH-ES" => {}
        name if name.starts_with("ECDH-ES+") || name.starts_with("RSA-OAEP") || name.ends_with("KW") => {
            if key == 0 {
                notes.error("JWE-5.2", format!("with `{}` there must be an encrypted key", show::name(name)), "refuse");
            }
        }
        name => {
            let message = format!("header: `alg` {} is no key-management algorithm known here", show::text(name));
            notes.error("JWT-BCP-3.1a", message, "accept only what is agreed with this sender");
        }
    }
}

fn iterations(count: Option<&Json>, notes: &mut Notes) {
    let asked = match count {
        Some(Json::Number(word)) => number::whole(word),
        _ => None,
    };
    if asked.is_none_or(|asked| asked > MAX_ITERATIONS) {
        let message = "header: `p2c` is missing, absurd or over 1,200,000: work that the sender makes the reader do";
        notes.error("JWT-BCP-3.13", message, "refuse before computing");
    }
}

fn encryption(members: &[Member], [_, iv, _, tag]: [usize; 4], notes: &mut Notes) {
    let Some(name) = last(members, "enc").and_then(Json::as_text) else {
        return notes.error("JWT-BCP-3.1b", "header: `enc` is missing or no string", "refuse");
    };
    let expected = match name {
        "A128GCM" | "A192GCM" | "A256GCM" => (12, 16),
        "A128CBC-HS256" => (16, 16),
        "A192CBC-HS384" => (16, 24),
        "A256CBC-HS512" => (16, 32),
        name => {
            let message = format!("header: `enc` {} is not known here", show::text(name));
            return notes.error("JWT-BCP-3.1b", message, "accept only what is agreed with this sender");
        }
    };
    if (iv, tag) != expected {
        let (want_iv, want_tag) = expected;
        let message = format!("iv of {iv} and tag of {tag} bytes; {name} wants exactly {want_iv} and {want_tag}");
        notes.error("ATK-20", message, "refuse before decrypting: a short tag can be guessed");
    }
}

fn others(members: &[Member], notes: &mut Notes) {
    if last(members, "zip").is_some() {
        let message = "header: `zip`: a small token may unpack to gigabytes, and its length tells about the content";
        notes.error("ATK-20", message, "refuse `zip`");
    }
    if let Some(key) = last(members, "epk") {
        ephemeral_key(key, notes);
    }
    let nested = last(members, "cty").and_then(Json::as_text).is_some_and(|cty| cty.eq_ignore_ascii_case("jwt"));
    if !nested {
        let message = "header: no `cty` \"JWT\": no signed token is announced inside";
        notes.warning("JWT-5.2", message, "sign first, then encrypt, and say so");
    }
}

fn ephemeral_key(key: &Json, notes: &mut Notes) {
    const FIX: &str = "check the point before using it (JWT-BCP-3.4)";
    key_material::jwk(key, notes);
    let Json::Object(members) = key else { return };
    let word = |name| last(members, name).and_then(Json::as_text).unwrap_or_default();
    let size = match (word("kty"), word("crv")) {
        ("OKP", "X25519") | ("EC", "P-256") => 32,
        ("OKP", "X448") => 56,
        ("EC", "P-384") => 48,
        ("EC", "P-521") => 66,
        _ => return notes.error("ATK-20", "header: `epk` is on no curve that agrees keys", FIX),
    };
    let coordinate = |name| counterfoil_guard::base64url_decode(word(name));
    let x = coordinate("x");
    let sound = |bytes: &Option<Vec<u8>>| bytes.as_ref().is_some_and(|bytes| bytes.len() == size);
    if !sound(&x) || (word("kty") == "EC" && !sound(&coordinate("y"))) {
        notes.error("ATK-20", "header: `epk` has a coordinate of the wrong length", FIX);
    } else if x.is_some_and(|x| x.iter().all(|b| *b == 0)) {
        notes.error("ATK-20", "header: `epk` is zero: the agreed key would be known to everybody", FIX);
    }
}
