//! What the bearer may do and how it is bound: `cnf`, `act`, roles, and claims of other kinds of token (CNF-3, ATK-23).

use super::header::Purpose;
use super::json::{Json, Member, last};
use super::notes::Notes;
use super::{key_material, show};

/// Claims that may be objects by their definition.
const OBJECTS: [&str; 9] =
    ["cnf", "act", "may_act", "authorization_details", "status", "status_list", "events", "sub_id", "address"];

pub(super) fn check(members: &[Member], purpose: Purpose, notes: &mut Notes) {
    for Member { name, value, .. } in members {
        match name.as_str() {
            "cnf" => confirmation(value, notes),
            "act" => actor(value, notes),
            "acr" if value.as_text().is_none() => wrong_type(name, value, "a string", notes),
            "amr" | "roles" | "groups" | "entitlements" => list_of_texts(name, value, notes),
            "cv" if !matches!(value, Json::Number(_)) => wrong_type(name, value, "a number", notes),
            name if matches!(value, Json::Object(_)) && !OBJECTS.contains(&name) => {
                let message = format!("payload: `{}` is a nested object", show::name(name));
                notes.note("T2", message, "keep claims flat: few verifiers look inside, and it costs bytes");
            }
            _ => {}
        }
    }
    if matches!(purpose, Purpose::AccessToken | Purpose::Unclear) {
        other_kinds(members, notes);
    }
}

fn wrong_type(name: &str, value: &Json, wanted: &str, notes: &mut Notes) {
    let message = format!("`{name}` is {}, not {wanted}", value.type_name());
    notes.warning("T1", message, "Counterfoil guards refuse it");
}

fn list_of_texts(name: &str, value: &Json, notes: &mut Notes) {
    match value {
        Json::Array(items) if items.iter().all(|item| item.as_text().is_some()) => {
            if items.len() > 16 {
                let message =
                    format!("`{name}` has {} entries: permissions do not belong into every request", items.len());
                notes.warning("T2", message, "keep few coarse roles in the token");
            }
        }
        other => wrong_type(name, other, "an array of strings", notes),
    }
}

fn confirmation(value: &Json, notes: &mut Notes) {
    const FIX: &str = "exactly one method that the verifier checks; otherwise refuse, never treat it as unbound";
    let Json::Object(methods) = value else {
        return notes.error("CNF-3", format!("`cnf` is {}, not an object", value.type_name()), FIX);
    };
    if methods.len() != 1 {
        notes.error("CNF-3", format!("`cnf` names {} keys, not one", methods.len()), FIX);
    }
    for Member { name, value, .. } in methods {
        match name.as_str() {
            "jkt" | "x5t#S256" => {
                if value.as_text().and_then(counterfoil_guard::base64url_decode).is_none_or(|hash| hash.len() != 32) {
                    notes.error("CNF-3", format!("`cnf.{name}` is no SHA-256 thumbprint"), FIX);
                }
                let (how, fix) = if name == "jkt" {
                    ("a DPoP proof by that key", "sent as Bearer it must be refused")
                } else {
                    ("the TLS client certificate with that thumbprint", "it must be refused on any other connection")
                };
                let message = format!("bound: usable only together with {how}");
                notes.note("DPOP-7b", message, fix);
            }
            "jwk" => {
                key_material::jwk(value, notes);
                notes.warning("CNF-3", "`cnf.jwk` holds the whole key", "a thumbprint (`jkt`) is enough");
            }
            "jku" => notes.error("ATK-09", "`cnf.jku` names an address to fetch a key from", "never fetch it"),
            "kid" | "jwe" => notes.warning("CNF-3", format!("`cnf.{name}` is not checked here"), FIX),
            other => notes.error("CNF-3", format!("`cnf.{}` is no method known here", show::name(other)), FIX),
        }
    }
}

fn actor(value: &Json, notes: &mut Notes) {
    let mut depth = 0;
    let mut current = Some(value);
    while let Some(Json::Object(members)) = current {
        depth += 1;
        current = last(members, "act");
    }
    match depth {
        0 => notes.error("TEX-3", format!("`act` is {}, not an object", value.type_name()), "refuse"),
        1 => notes.note("TEX-3", "somebody acts for the subject", "log both; decide on the subject and this actor"),
        _ => {
            let message = format!("a chain of {depth} actors; only the outermost counts");
            notes.warning("TEX-3", message, "decide on the outermost, the rest is history");
        }
    }
}

fn other_kinds(members: &[Member], notes: &mut Notes) {
    const FIX: &str = "refuse: the rules for two kinds of token must never both accept one (JWT-BCP-3.12)";
    let has = |name: &&&str| last(members, name).is_some();
    let kinds: [(&[&str], &str); 4] = [
        (&["events", "toe"], "a security event or logout token"),
        (&["at_hash", "c_hash", "nonce", "azp"], "an ID token"),
        (&["htm", "htu"], "a DPoP proof"),
        (&["status_list"], "a status list"),
    ];
    for (names, kind) in kinds {
        if let Some(name) = names.iter().find(has) {
            let message = format!("payload: `{name}` belongs to {kind}, not to an access token");
            notes.error("ATK-23", message, FIX);
        }
    }
}
