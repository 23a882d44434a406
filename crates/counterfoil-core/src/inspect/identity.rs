//! Who and for whom: `iss`, `sub`, `aud`, `client_id`, and the ids (ATK-25, ATK-26).

use super::json::{Json, Member, last};
use super::notes::Notes;
use super::show;
use counterfoil_guard::{Subject, UserId};

pub(super) fn check(members: &[Member], notes: &mut Notes) {
    for Member { name, value, .. } in members {
        match name.as_str() {
            "iss" => issuer(value, notes),
            "sub" => subject(value, notes),
            "aud" => audience(value, notes),
            "client_id" => must_be_text("client_id", value, "AT-2.2", notes),
            "jti" | "sid" => id(name, value, notes),
            _ => {}
        }
    }
    let text = |name| last(members, name).and_then(Json::as_text);
    if let (Some(sub), Some(client)) = (text("sub"), text("client_id"))
        && sub == client
    {
        let message = "`sub` is the client itself: a service token, not a user's";
        notes.note("SEC-4.15", message, "see that no client can choose an id that is a user's");
    }
}

fn must_be_text(name: &str, value: &Json, id: &'static str, notes: &mut Notes) {
    const FIX: &str = "refuse: it must be a string that is not empty";
    match value {
        Json::Text(text) if text.is_empty() => notes.error(id, format!("`{name}` is empty"), FIX),
        Json::Text(_) => {}
        other => notes.error(id, format!("`{name}` is {}", other.type_name()), FIX),
    }
}

fn issuer(value: &Json, notes: &mut Notes) {
    const FIX: &str = "the issuer is one https address, compared exactly: no query, fragment, other case or spelling";
    must_be_text("iss", value, "ATK-26", notes);
    let Some(iss) = value.as_text().filter(|iss| !iss.is_empty()) else { return };
    if iss.contains(['?', '#']) {
        notes.error("MD-1", "`iss` has a query or a fragment", FIX);
    }
    let loopback = ["http://localhost", "http://127.0.0.1", "http://[::1]"].iter().any(|start| iss.starts_with(start));
    if loopback {
        notes.note("ATK-26", "`iss` is a development address", FIX);
    } else if !iss.starts_with("https://") {
        notes.warning("ATK-26", format!("`iss` {} is no https address", show::text(iss)), FIX);
    }
    let host = iss.split_once("://").map_or(iss, |(_, rest)| rest).split('/').next().unwrap_or_default();
    if host.bytes().any(|b| b.is_ascii_uppercase()) || host.contains('@') || host.ends_with(":443") {
        notes.warning("ATK-26", "`iss` has upper case, a user or the default port in its host: a second spelling", FIX);
    }
    if iss.ends_with('/') {
        notes.note("ATK-26", "`iss` ends with a slash: it must do so in the verifier's configuration too", FIX);
    }
}

fn subject(value: &Json, notes: &mut Notes) {
    must_be_text("sub", value, "ATK-26", notes);
    let Some(sub) = value.as_text().filter(|sub| !sub.is_empty()) else { return };
    if sub.len() > 255 {
        notes.error("ATK-26", format!("`sub` has {} bytes; 255 are the most", sub.len()), "refuse");
    }
    if sub.trim() != sub {
        notes.error("ATK-26", "`sub` begins or ends with white space", "refuse; compare exactly, never trim");
    }
    match sub.parse::<Subject>() {
        Ok(Subject::User(_)) => {}
        Ok(Subject::Client(name)) => {
            let message = format!("`sub` is the service {name}, in its own name: nobody's user");
            notes.note("SEC-4.15", message, "guards take it only where they are told to (`subjects`)");
        }
        Err(_) => {
            let message = "`sub` is neither a Counterfoil user id (22 characters of base64url) nor client:NAME";
            notes.warning("T1", message, "Counterfoil guards refuse it");
        }
    }
}

fn audience(value: &Json, notes: &mut Notes) {
    const ONE: &str = "one token, one audience: ask for another token for another API";
    match value {
        Json::Text(aud) => one_audience(aud, notes),
        Json::Array(items) => {
            if items.is_empty() {
                notes.error("ATK-25", "`aud` is an empty array: for nobody", ONE);
            } else if items.len() > 1 {
                let message = format!("`aud` names {} audiences: each could use the token at the others", items.len());
                notes.error("ATK-25", message, ONE);
            } else {
                notes.note("ATK-25", "`aud` is an array of one", "a plain string is shorter and means the same");
            }
            for item in items.iter().take(16) {
                match item {
                    Json::Text(aud) => one_audience(aud, notes),
                    other => notes.error("ATK-25", format!("`aud` holds {}", other.type_name()), "refuse"),
                }
            }
        }
        other => {
            notes.error("ATK-25", format!("`aud` is {}", other.type_name()), "refuse: a string, or an array of one");
        }
    }
}

fn one_audience(aud: &str, notes: &mut Notes) {
    const FIX: &str = "name the one resource server; compare exactly";
    if aud.is_empty() {
        notes.error("ATK-25", "`aud` is empty", FIX);
    } else if aud.trim() != aud {
        notes.error("ATK-25", "`aud` begins or ends with white space", FIX);
    } else if aud.contains('*') {
        notes.error("ATK-25", "`aud` holds a wildcard, and audiences are compared exactly", FIX);
    } else if aud.ends_with('/') {
        notes.note("ATK-25", "`aud` ends with a slash: it must do so in the verifier's configuration too", FIX);
    }
}

fn id(name: &str, value: &Json, notes: &mut Notes) {
    must_be_text(name, value, "T1", notes);
    if value.as_text().is_some_and(|id| !id.is_empty() && id.parse::<UserId>().is_err()) {
        let message = format!("`{name}` is not a Counterfoil id (22 characters of base64url)");
        notes.warning("T1", message, "Counterfoil guards refuse it");
    }
}
