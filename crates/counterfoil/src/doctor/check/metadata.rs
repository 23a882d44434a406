//! What the server says of itself: that it is who it says, at this address.

use super::super::observed::{Observed, Probe};
use super::super::{Finding, fine, shown, unseen, wrong};

const WHY: &str = "Clients compare it, and refuse; or do not compare it, and take one server's answer for another's.";

pub(super) fn check(observed: &Observed) -> Vec<Finding> {
    let answer = observed.answer(Probe::Metadata).filter(|(_, answer)| answer.is_success());
    let document = answer.map(|(_, answer)| answer.json()).filter(serde_json::Value::is_object);
    let Some(document) = document else {
        return vec![unseen("MD-1", "no metadata is published (RFC 8414, OpenID Connect Discovery)")];
    };
    let origin = &observed.site.origin;
    let issuer = document["issuer"].as_str().unwrap_or_default();
    let fix = "Set the server's public address to the one that people and programs use, to the letter.";
    let mut findings = Vec::new();
    if issuer == origin || issuer.strip_suffix('/') == Some(origin) {
        findings.push(fine("MD-1", format!("issuer {}", shown(issuer))));
    } else {
        findings.push(wrong("MD-1", format!("issuer {}, found at {origin}", shown(issuer)), WHY, fix));
    }
    let mut keys = document["jwks_uri"].as_str().into_iter();
    if let Some(keys) = keys.find(|keys| observed.site.https && !keys.starts_with("https://")) {
        let why = "Somebody on the way can put keys of their own there.";
        findings.push(wrong("MD-1", format!("jwks_uri {}", shown(keys)), why, "Publish the key set at https only."));
    }
    findings
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::tests::Case> {
    use super::super::observed::made::{answered, site};
    use super::tests::Case;
    let says = |body: &str| site([answered(Probe::Metadata, 200, &[], body)]);
    let keys = r#"{"issuer":"https://app.example.com","jwks_uri":"http://app.example.com/jwks"}"#;
    vec![
        Case { what: "none", observed: site([answered(Probe::Metadata, 404, &[], "")]), expected: &[] },
        Case { what: "itself", observed: says(r#"{"issuer":"https://app.example.com"}"#), expected: &[] },
        Case { what: "another", observed: says(r#"{"issuer":"http://localhost:8080"}"#), expected: &["MD-1"] },
        Case { what: "keys in the clear", observed: says(keys), expected: &["MD-1"] },
    ]
}
