//! Header and claims behind a good signature. The input is a header, a line break, and a payload; both are signed. What is
//! accepted is read again by `serde_json` and must say the same.
#![no_main]

use counterfoil_core::keys::signing::SigningKey;
use counterfoil_fuzz::{AUDIENCE, ISSUER, KID, NOW, now, sign, signing_key, verifier};
use counterfoil_guard::{Claims, LEEWAY_SECONDS, MAX_LIFETIME_SECONDS, MAX_TOKEN_BYTES, Strict, Verifier};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value, from_slice};
use std::sync::LazyLock;

static SIDES: LazyLock<(SigningKey, Verifier)> = LazyLock::new(|| {
    let key = signing_key();
    let verifier = verifier(&key);
    (key, verifier)
});

fuzz_target!(|data: &[u8]| {
    let cut = data.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (header, payload) = (&data[..cut], data.get(cut + 1..).unwrap_or_default());
    let token = sign(&SIDES.0, header, payload);
    let accepted = SIDES.1.verify_even_if_expired(&token, now());
    let Ok(claims) = accepted else {
        assert!(SIDES.1.verify(&token, now()).is_err());
        return;
    };
    assert!(token.len() <= MAX_TOKEN_BYTES);
    check_header(&object(header));
    let payload = object(payload);
    check_claims(&payload, &claims);
    check_times(&payload, &claims);
    assert_eq!(SIDES.1.verify(&token, now()).is_ok(), claims.exp > NOW);
});

/// What the guard accepts is a strict JSON object to everybody else.
fn object(bytes: &[u8]) -> Map<String, Value> {
    from_slice::<Strict>(bytes).expect("unique names and bounded depth");
    match from_slice(bytes) {
        Ok(Value::Object(members)) => members,
        other => panic!("accepted, but not a JSON object: {other:?}"),
    }
}

fn check_header(header: &Map<String, Value>) {
    assert_eq!(header.len(), 3);
    assert_eq!((&header["alg"], &header["kid"]), (&Value::from("EdDSA"), &Value::from(KID)));
    let typ = header["typ"].as_str().expect("text").to_ascii_lowercase();
    assert!(matches!(&*typ, "at+jwt" | "application/at+jwt"));
}

fn check_claims(payload: &Map<String, Value>, claims: &Claims) {
    let aud = &payload["aud"];
    assert!(*aud == AUDIENCE || *aud == serde_json::json!([AUDIENCE]));
    assert_eq!(payload["iss"], ISSUER);
    assert_eq!((&*claims.iss, &*claims.aud), (ISSUER, AUDIENCE));
    for (name, value) in [
        ("sub", claims.sub.to_string()),
        ("sid", claims.sid.to_string()),
        ("jti", claims.jti.to_string()),
        ("client_id", claims.client_id.clone()),
        ("acr", claims.acr.clone()),
    ] {
        assert_eq!(payload[name], *value, "{name}");
    }
    assert_eq!(payload["amr"], Value::from(claims.amr.clone()));
    assert_eq!(payload.get("roles").cloned().unwrap_or(Value::Array(vec![])), Value::from(claims.roles.clone()));
    assert_eq!(payload.get("cv").cloned().unwrap_or(0.into()), Value::from(claims.claims_version));
    assert_eq!(payload.get("scope").and_then(Value::as_str), claims.scope.as_deref());
    assert!(!payload.contains_key("cnf") && !payload.contains_key("events"));
}

fn check_times(payload: &Map<String, Value>, claims: &Claims) {
    for (name, value) in [
        ("exp", Some(claims.exp)),
        ("iat", Some(claims.iat)),
        ("auth_time", Some(claims.auth_time)),
        ("nbf", claims.nbf),
    ] {
        // Whole numbers must be kept to the last digit.
        let there = payload.get(name).map(|number| match number.as_i64() {
            Some(whole) => whole,
            None => number.as_f64().expect("a number").floor() as i64,
        });
        assert_eq!(there, value, "{name}");
    }
    assert!(0 <= claims.iat && claims.iat < claims.exp && claims.exp - claims.iat <= MAX_LIFETIME_SECONDS);
    assert!(claims.iat.max(claims.nbf.unwrap_or(0)) <= NOW + LEEWAY_SECONDS);
}
