//! The rules for a set of claims, by what the token is for.

use super::header::Purpose;
use super::json::{Json, Member, last};
use super::names::claim;
use super::notes::Notes;
use super::times::{self, TimeForm};
use super::{authority, identity, lookalike, personal, scope};
use counterfoil_guard::Timestamp;

/// RFC 9068 section 2.2.
const REQUIRED: [&str; 7] = ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"];
/// What a Counterfoil guard asks for beyond that: the session to revoke, and the sign-in it rests on. A service does not sign in.
const OURS: [&str; 4] = ["sid", "auth_time", "acr", "amr"];

pub(super) fn check(members: &[Member], purpose: Purpose, form: TimeForm, now: Timestamp, notes: &mut Notes) {
    lookalike::check("payload", members, |name| claim(name).is_some(), notes);
    times::check(members, purpose, form, now, notes);
    identity::check(members, notes);
    scope::check(members, notes);
    authority::check(members, purpose, notes);
    match purpose {
        Purpose::AccessToken | Purpose::Unclear => {
            personal::check(members, notes);
            access_token(members, notes);
        }
        Purpose::Proof => proof(members, notes),
        Purpose::Other => {}
    }
}

fn access_token(members: &[Member], notes: &mut Notes) {
    let message = |names: &str| format!("payload: {names} missing");
    if let Some(names) = missing(members, &REQUIRED) {
        notes.error("AT-2.2", message(&names), "an access token must have it (RFC 9068 section 2.2)");
    }
    let service = last(members, "sub").and_then(Json::as_text).is_some_and(|sub| sub.starts_with("client:"));
    let ours = if service { &OURS[..1] } else { &OURS };
    if let Some(names) = missing(members, ours) {
        let fix = "Counterfoil guards refuse the token; without `sid` no sign-out reaches it";
        notes.warning("T1", message(&names), fix);
    }
}

fn proof(members: &[Member], notes: &mut Notes) {
    let dpop = ["htm", "htu"].iter().any(|name| last(members, name).is_some());
    let required: &[&str] = if dpop { &["jti", "htm", "htu", "iat"] } else { &["jti"] };
    if let Some(names) = missing(members, required) {
        let message = format!("payload: {names} missing");
        notes.error("DPOP-4.3a", message, "a proof must have it (RFC 9449 section 4.3)");
    }
}

/// The names among `wanted` that are not there, in words.
fn missing(members: &[Member], wanted: &[&str]) -> Option<String> {
    let names: Vec<String> =
        wanted.iter().filter(|name| last(members, name).is_none()).map(|name| format!("`{name}`")).collect();
    match names.len() {
        0 => None,
        1 => Some(format!("{} is", names[0])),
        _ => Some(format!("{} are", names.join(", "))),
    }
}
