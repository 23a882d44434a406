//! The published key set: public halves only, each with one name and one algorithm.

use super::super::observed::{Observed, Probe};
use super::super::{Finding, fine, note, shown, unseen, wrong};
use counterfoil_guard::base64url_decode;
use http::header::CACHE_CONTROL;
use serde_json::Value;
use std::collections::BTreeSet;

const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
/// JWA-3.3.
const LEAST_RSA_BITS: usize = 2048;

pub(super) fn check(observed: &Observed) -> Vec<Finding> {
    let answer = observed.answer(Probe::Keys).filter(|(_, answer)| answer.is_success());
    let Some((exchange, answer)) = answer else {
        return vec![unseen("JWK-9", "no key set is published; tokens are not verified by others, or it is elsewhere")];
    };
    let document = answer.json();
    let Some(keys) = document["keys"].as_array() else {
        return vec![unseen("JWK-9", format!("{} is no key set", exchange.asked))];
    };
    let mut findings: Vec<Finding> = keys.iter().flat_map(key).collect();
    findings.extend(names(keys));
    if findings.is_empty() {
        findings.push(fine("JWK-9", format!("{} public keys, each with a name and an algorithm", keys.len())));
    }
    findings.push(cache(answer.header(CACHE_CONTROL).unwrap_or_default()));
    findings
}

fn key(key: &Value) -> Vec<Finding> {
    let name = shown(key["kid"].as_str().unwrap_or("(no kid)"));
    let mut findings = Vec::new();
    if key["kty"] == "oct" || PRIVATE.iter().any(|member| !key[*member].is_null()) {
        let why = "Whoever reads the key set signs tokens of their own.";
        findings.push(wrong(
            "JWK-9",
            format!("{name}: holds a secret"),
            why,
            "Take the key out of use now, and publish public members only.",
        ));
    }
    if key["alg"].as_str().is_none() {
        let why = "A verifier has to guess the algorithm, and is talked into another one by the token.";
        findings.push(wrong(
            "JWT-BCP-3.1c",
            format!("{name}: no alg"),
            why,
            "Say in `alg` which one algorithm the key is for.",
        ));
    }
    let bits = key["n"].as_str().and_then(base64url_decode).map(|modulus| bits(&modulus));
    if let Some(bits) = bits.filter(|bits| *bits < LEAST_RSA_BITS) {
        let seen = format!("{name}: RSA of {bits} bits");
        findings.push(wrong(
            "JWA-3.3",
            seen,
            "It can be factored by whoever can pay for it.",
            "Use 2048 bits at the least, or Ed25519.",
        ));
    }
    findings
}

fn bits(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros).map_or(0, |first| (number.len() - zeros) * 8 - first.leading_zeros() as usize)
}

fn names(keys: &[Value]) -> Option<Finding> {
    let named: Vec<&str> = keys.iter().filter_map(|key| key["kid"].as_str()).collect();
    let different: BTreeSet<&str> = named.iter().copied().collect();
    let why = "A verifier cannot tell which key a token is signed by, and tries them all or the wrong one.";
    let fix = "Give each key a `kid` of its own; its thumbprint (RFC 7638) is one.";
    (different.len() < keys.len()).then(|| wrong("JWK-9", "keys without a name, or two of one name", why, fix))
}

fn cache(control: &str) -> Finding {
    let control = control.to_ascii_lowercase();
    let age = control.split(',').find_map(|part| part.trim().strip_prefix("max-age=")?.parse::<u64>().ok());
    if age.is_some_and(|age| (1..=86_400).contains(&age)) {
        return fine("JWK-9", format!("the key set may be kept: {}", shown(&control)));
    }
    let why = "Verifiers ask at each token, or keep a key for days after it has been taken back.";
    let seen = if control.is_empty() { "no Cache-Control".into() } else { shown(&control) };
    let fix = "Say for how long it may be kept: minutes, such as max-age=300.";
    note("JWK-9", format!("the key set: {seen}"), why, fix)
}

#[cfg(test)]
pub(super) fn cases() -> Vec<super::tests::Case> {
    use super::super::observed::made::{answered, site};
    use super::tests::Case;
    const KEPT: [(&str, &str); 1] = [("cache-control", "public, max-age=300")];
    let set = |keys: &str| site([answered(Probe::Keys, 200, &KEPT, &format!("{{\"keys\":[{keys}]}}"))]);
    let good = r#"{"kty":"OKP","crv":"Ed25519","kid":"a","alg":"EdDSA","x":"AA"}"#;
    let short = r#"{"kty":"RSA","kid":"r","alg":"RS256","e":"AQAB","n":"_____w"}"#;
    let endless = site([answered(Probe::Keys, 200, &[], &format!("{{\"keys\":[{good}]}}"))]);
    vec![
        Case { what: "all well", observed: set(good), expected: &[] },
        Case { what: "none", observed: site([answered(Probe::Keys, 404, &[], "")]), expected: &[] },
        Case { what: "private", observed: set(&good.replace("\"x\"", "\"d\"")), expected: &["JWK-9"] },
        Case { what: "oct", observed: set(&good.replace("OKP", "oct")), expected: &["JWK-9"] },
        Case { what: "twice", observed: set(&format!("{good},{good}")), expected: &["JWK-9"] },
        Case { what: "no alg", observed: set(&good.replace("\"alg\"", "\"a\"")), expected: &["JWT-BCP-3.1c"] },
        Case { what: "short", observed: set(short), expected: &["JWA-3.3"] },
        Case { what: "no lifetime", observed: endless, expected: &["JWK-9"] },
    ]
}
