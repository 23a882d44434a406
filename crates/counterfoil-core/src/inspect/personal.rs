//! Personal data and secrets in claims (T2): a token is read by every API, proxy and log on its way.

use super::json::{Json, Member};
use super::names;
use super::notes::Notes;
use super::show;
use crate::issue::PERSONAL_CLAIMS;
use std::net::IpAddr;

const FIX: &str = "leave it out; an API that needs it asks the authority by `sub`";

/// Names in use beside the registered ones, without `_` and `-`, in lower case.
const UNREGISTERED: [&str; 26] = [
    "phone",
    "mobile",
    "tel",
    "mail",
    "emailaddress",
    "username",
    "login",
    "uniquename",
    "upn",
    "firstname",
    "lastname",
    "surname",
    "fullname",
    "displayname",
    "dob",
    "dateofbirth",
    "birthday",
    "ssn",
    "nationalid",
    "ip",
    "ipaddr",
    "ipaddress",
    "avatar",
    "street",
    "postalcode",
    "iban",
];

/// Claims whose values name machines; an `@` in them is no mail address.
const MACHINES: [&str; 6] = ["iss", "aud", "client_id", "azp", "htu", "scope"];

pub(super) fn check(members: &[Member], notes: &mut Notes) {
    for Member { name, value, .. } in members {
        let plain: String = name.chars().filter(|c| !matches!(c, '_' | '-')).flat_map(char::to_lowercase).collect();
        let known = PERSONAL_CLAIMS.contains(&name.as_str()) || names::is_personal(name);
        if known || UNREGISTERED.contains(&plain.as_str()) {
            notes.error("T2", format!("payload: `{}` is personal data", show::name(name)), FIX);
        }
        if show::is_secret_name(name) && plain.len() > 3 {
            let message =
                format!("payload: `{}` is a secret, readable by everybody who sees the token", show::name(name));
            notes.error("S6", message, "take it out, and treat the secret as known");
        }
        if !MACHINES.contains(&name.as_str()) {
            look_into(name, value, notes);
        }
    }
}

fn look_into(name: &str, value: &Json, notes: &mut Notes) {
    match value {
        Json::Text(text) => look_at(name, text, notes),
        Json::Array(items) => items.iter().for_each(|item| look_into(name, item, notes)),
        Json::Object(members) if name == "cnf" => {
            // A key thumbprint is personal to nobody; what else stands there has its own rules.
            let _ = members;
        }
        Json::Object(members) => check(members, notes),
        _ => {}
    }
}

fn look_at(name: &str, text: &str, notes: &mut Notes) {
    let shown = show::name(name);
    if show::is_secret(text) {
        let message = format!("payload: `{shown}` holds what looks like a token or a key");
        notes.error("S6", message, "take it out, and treat the secret as known");
    } else if is_mail_address(text) {
        notes.error("T2", format!("payload: `{shown}` holds what looks like a mail address"), FIX);
    } else if is_telephone(text) {
        notes.error("T2", format!("payload: `{shown}` holds what looks like a telephone number"), FIX);
    } else if text.parse::<IpAddr>().is_ok() {
        notes.error("T2", format!("payload: `{shown}` holds an IP address"), FIX);
    }
}

fn is_mail_address(text: &str) -> bool {
    text.split(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | ',' | ';' | ':')).any(|word| {
        word.split_once('@').is_some_and(|(local, domain)| {
            !local.is_empty() && domain.contains('.') && !domain.starts_with('.') && !domain.contains(['@', '/'])
        })
    })
}

fn is_telephone(text: &str) -> bool {
    let Some(number) = text.strip_prefix("tel:").unwrap_or(text).strip_prefix('+') else { return false };
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    (8..=15).contains(&digits) && number.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '-' | '(' | ')' | '.'))
}

#[cfg(test)]
mod tests {
    use super::{is_mail_address, is_telephone};

    #[test]
    fn values_betray_themselves() {
        for mail in ["a@b.example", "Ada <ada@b.example>", "mailto:a@b.example"] {
            assert!(is_mail_address(mail), "{mail}");
        }
        for other in ["@handle", "a@b", "https://user@host.example/x", "at 5 p.m."] {
            assert!(!is_mail_address(other), "{other}");
        }
        assert!(is_telephone("+49 30 1234567") && is_telephone("tel:+4930123456"));
        assert!(!is_telephone("+1") && !is_telephone("4930123456") && !is_telephone("+12345678a"));
    }
}
