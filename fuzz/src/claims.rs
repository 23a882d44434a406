//! What an accepted token says is what its payload says to everybody else.

use crate::{AUDIENCE, ISSUER, NOW};
use counterfoil_guard::{Claims, LEEWAY_SECONDS, MAX_LIFETIME_SECONDS, Strict, base64url_encode};
use serde_json::{Map, Value, from_slice, json, to_value};

/// What the guard accepts is a strict JSON object to everybody else.
pub fn object(bytes: &[u8]) -> Map<String, Value> {
    from_slice::<Strict>(bytes).expect("unique names and bounded depth");
    match from_slice(bytes) {
        Ok(Value::Object(members)) => members,
        other => panic!("accepted, but not a JSON object: {other:?}"),
    }
}

/// Everything but the times.
pub fn check_claims(payload: &Map<String, Value>, claims: &Claims) {
    assert!(payload["aud"] == AUDIENCE || payload["aud"] == json!([AUDIENCE]));
    assert_eq!(payload["iss"], ISSUER);
    assert_eq!((&*claims.iss, &*claims.aud), (ISSUER, AUDIENCE));
    for (name, value) in [
        ("sub", claims.sub.to_string()),
        ("sid", claims.sid.to_string()),
        ("jti", claims.jti.to_string()),
        ("client_id", claims.client_id.clone()),
    ] {
        assert_eq!(payload[name], *value, "{name}");
    }
    // How a subject proved itself is said of people always, of services perhaps.
    assert!(
        claims.sub.client().is_some() || ["acr", "amr", "auth_time"].iter().all(|name| payload.contains_key(*name))
    );
    let thumbprint = claims.bound_to.map(|key| json!({ "jkt": base64url_encode(&key) }));
    for (name, value, absent) in [
        ("acr", json!(claims.acr), json!("")),
        ("amr", json!(claims.amr), json!([])),
        ("roles", json!(claims.roles), json!([])),
        ("cv", json!(claims.claims_version), json!(0)),
        ("scope", json!(claims.scope), Value::Null),
        ("act", to_value(&claims.act).expect("JSON"), Value::Null),
        ("cnf", json!(thumbprint), Value::Null),
    ] {
        assert_eq!(payload.get(name).unwrap_or(&absent), &value, "{name}");
    }
    assert!(!payload.contains_key("private") && !payload.contains_key("events"));
    assert!(claims.private.is_empty());
}

/// The times, each read a second time by `read`.
pub fn check_times(payload: &Map<String, Value>, claims: &Claims, read: impl Fn(&Value) -> i64) {
    let without = claims.sub.client().map(|_| 0);
    for (name, value, absent) in [
        ("exp", Some(claims.exp), None),
        ("iat", Some(claims.iat), None),
        ("auth_time", Some(claims.auth_time), without),
        ("nbf", claims.nbf, None),
    ] {
        assert_eq!(payload.get(name).map(&read).or(absent), value, "{name}");
    }
    assert!(0 <= claims.iat && claims.iat < claims.exp && claims.exp - claims.iat <= MAX_LIFETIME_SECONDS);
    assert!(claims.iat.max(claims.nbf.unwrap_or(0)) <= NOW + LEEWAY_SECONDS);
}
