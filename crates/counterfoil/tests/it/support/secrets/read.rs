//! What is secret in a request, an answer or a printed line, by its name and by its shape.

use super::super::EMAIL;
use super::{Reach, Secrets};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use counterfoil_guard::base64url_decode;
use serde_json::Value;

/// Members and fields that hold a secret, of every body that the contract has (docs/reference/openapi.json), and `d`, the private
/// half of a JWK. Not among them: `sid`, `jti`, `kid`, `jkt`, `instance` and `nonce`, which name something and open nothing.
const FIELDS: [&str; 20] = [
    "access_token",
    "api_key",
    "client_assertion",
    "client_secret",
    "credential",
    "current_password",
    "d",
    "invite",
    "link",
    "login_token",
    "new_password",
    "password",
    "password_hash",
    "password_salt",
    "recovery_codes",
    "refresh_token",
    "secret",
    "subject_token",
    "token",
    "uri",
];

/// What tests try as a password, and the store holds as something else: an address, the table of passwords and its name in SQLite's
/// list of tables. None of them ever becomes a password.
const IN_THE_STORE_ANYWAY: [&str; 2] = [EMAIL, "passwordpassword"];

/// Longer bodies are those of imports, which are accounts and hashes, and attacks on limits, which are filler.
const LONGEST: usize = 256 * 1024;

/// What a word that is a secret begins with.
const PREFIXES: [&str; 12] =
    ["cfr_", "cfs_", "cfd_", "cfa_", "cfg_", "cfc_", "cfi_", "cfl_", "cfm_", "whsec_", "v4.public.", "eyJ"];

const ANY_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

impl Secrets {
    /// A header of a request or an answer.
    pub(crate) fn read_header(&mut self, name: &str, value: &str) {
        match name.to_ascii_lowercase().as_str() {
            // Cookies of other names belong to the application beside us.
            "cookie" | "set-cookie" => {
                for (name, value) in value.split(';').filter_map(|pair| pair.trim().split_once('=')) {
                    if name.starts_with("__Host-cf_") || name.starts_with("__Secure-cf_") {
                        // The tickets of unfinished ceremonies stand side by side.
                        let tickets = value.starts_with("cfl_");
                        for value in value.split(|c| tickets && c == '.') {
                            self.read_value(&format!("cookie {name}"), value);
                        }
                    }
                }
            }
            "authorization" => {
                let (scheme, credential) = value.split_once(' ').unwrap_or(("", value));
                let pair = ANY_BASE64.decode(credential).ok().and_then(|pair| String::from_utf8(pair).ok());
                match pair.as_deref().and_then(|pair| pair.split_once(':')) {
                    Some((_, secret)) if scheme.eq_ignore_ascii_case("basic") => {
                        self.read_value("Basic secret", secret);
                    }
                    _ => self.read_value("Authorization", credential),
                }
            }
            "dpop" => self.read_value("DPoP proof", value),
            _ => self.read_words(value),
        }
    }

    /// A path with its query.
    pub(crate) fn read_target(&mut self, target: &str) {
        if let Some((_, query)) = target.split_once('?') {
            self.read_form(query);
        }
    }

    /// A body: JSON, a form, or text.
    pub(crate) fn read_body(&mut self, body: &str) {
        if body.len() > LONGEST {
            return;
        }
        match serde_json::from_str::<Value>(body) {
            Ok(value) => self.read_json(&value),
            Err(_) => self.read_form(body),
        }
        self.read_words(body);
    }

    fn read_json(&mut self, value: &Value) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    match value {
                        Value::String(text) if FIELDS.contains(&name.as_str()) => self.read_field(name, text),
                        Value::Array(codes) if name == "recovery_codes" => {
                            codes.iter().filter_map(Value::as_str).for_each(|code| self.read_field(name, code));
                        }
                        value => self.read_json(value),
                    }
                }
            }
            Value::Array(values) => values.iter().for_each(|value| self.read_json(value)),
            _ => {}
        }
    }

    fn read_form(&mut self, form: &str) {
        for (name, value) in form.split('&').filter_map(|pair| pair.split_once('=')) {
            if FIELDS.contains(&name) {
                self.read_field(name, &unescaped(value));
            }
        }
    }

    fn read_field(&mut self, name: &str, value: &str) {
        match name {
            "link" | "uri" => self.read_target(value),
            // Imported ones are kept as they came until the first sign-in.
            "password_hash" | "password_salt" => self.add(name, value.as_bytes(), Reach::StoreOnly),
            // So is a stored hash that is tried as a password.
            "password" | "new_password"
                if IN_THE_STORE_ANYWAY.contains(&value) || value.starts_with("imported$") || value.starts_with('$') =>
            {
                self.add(name, value.as_bytes(), Reach::StoreOnly);
            }
            _ => self.read_value(name, value),
        }
    }

    /// Words of a text that are secret by their shape.
    pub(crate) fn read_words(&mut self, text: &str) {
        let of_a_word = |letter: char| letter.is_ascii_alphanumeric() || "-_.+/".contains(letter);
        for word in text.split(|letter| !of_a_word(letter)) {
            if PREFIXES.iter().any(|prefix| word.starts_with(prefix)) {
                self.read_value("printed", word.trim_end_matches('.'));
            }
        }
    }

    /// A value that is a secret. Of tokens what makes them good is looked for, and not what they say.
    pub(crate) fn read_value(&mut self, kind: &str, value: &str) {
        let ours = value.strip_prefix("cfr_").or(value.strip_prefix("cfs_")).and_then(base64url_decode);
        if let Some(bytes) = ours.filter(|bytes| bytes.len() == 62 || bytes.len() == 50) {
            self.add(&format!("handle in {kind}"), &bytes[2..18], Reach::StoreOnly);
            // Version and handle, as the token has them.
            self.add(&format!("head of {kind}"), &value.as_bytes()[..28], Reach::Nowhere);
            return self.add(&format!("MAC of {kind}"), &bytes[bytes.len() - 32..], Reach::Nowhere);
        }
        if let Some((_, bytes)) = value.split_once("whsec_").filter(|(before, _)| before.is_empty()) {
            self.add(kind, bytes.as_bytes(), Reach::Nowhere);
            if let Ok(bytes) = ANY_BASE64.decode(bytes) {
                self.add(kind, &bytes, Reach::Nowhere);
            }
            return;
        }
        let opaque =
            ["cfa_", "cfg_", "cfc_", "cfi_", "cfl_", "cfm_"].iter().find_map(|prefix| value.strip_prefix(prefix));
        if let Some(bytes) = opaque.and_then(base64url_decode) {
            return self.add(kind, &bytes, Reach::Nowhere);
        }
        if let Some(bytes) = value.strip_prefix("v4.public.").and_then(base64url_decode).filter(|all| all.len() > 64) {
            self.add(&format!("end of {kind}"), &value.as_bytes()[value.len() - 80..], Reach::Nowhere);
            return self.add(&format!("signature of {kind}"), &bytes[bytes.len() - 64..], Reach::Nowhere);
        }
        let parts: Vec<&str> = value.split('.').collect();
        if let ([_, claims, signature], true) = (parts.as_slice(), value.starts_with("eyJ")) {
            self.add(&format!("claims of {kind}"), claims.as_bytes(), Reach::Nowhere);
            match base64url_decode(signature) {
                Some(bytes) => self.add(&format!("signature of {kind}"), &bytes, Reach::Nowhere),
                None => self.add(&format!("signature of {kind}"), signature.as_bytes(), Reach::Nowhere),
            }
            return;
        }
        self.add(kind, value.as_bytes(), Reach::Nowhere);
    }
}

fn unescaped(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let escaped = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 2;
            }
            None => out.push(if bytes[at] == b'+' { b' ' } else { bytes[at] }),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}
