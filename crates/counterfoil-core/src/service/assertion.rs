//! `private_key_jwt` (RFC 7523 section 3): a service proves itself by a JWT of its own, signed by a key it has registered.

use counterfoil_guard::{
    KeySet, Kid, LEEWAY_SECONDS, MAX_TOKEN_BYTES, Timestamp, base64url_decode, parse_object, split, whole_seconds,
};
use serde::Deserialize;

/// How long an assertion may be used, counted from its `iat` if it has one: until then it must be remembered. Clients that are
/// careless with `exp` say when they made it.
pub const LONGEST_LIFE_SECONDS: i64 = 10 * 60;

/// How far in the future `exp` may lie, whatever `iat` says.
const FURTHEST_EXPIRY_SECONDS: i64 = 60 * 60;

/// The longest `jti` that is taken.
const LONGEST_JTI: usize = 256;

/// A good assertion. It counts only if nobody has used its `jti` yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assertion {
    /// Names it.
    pub jti: String,
    /// Until when it must be remembered.
    pub expires_at: Timestamp,
}

/// Not a good assertion. The word is for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the client assertion is refused: {0}")]
pub struct BadAssertion(pub &'static str);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    jti: String,
    exp: f64,
    iat: Option<f64>,
    nbf: Option<f64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    /// Some clients always write a list.
    Listed([String; 1]),
}

/// The client an assertion says it is from; nothing is believed yet.
pub fn claimed_client(assertion: &str) -> Option<String> {
    let [_, payload, _] = split(assertion).ok()?;
    parse_object::<Claims>(&base64url_decode(payload)?).map(|claims| claims.sub)
}

/// Believes an assertion or refuses it. `audiences` are this server's names: its issuer and its token endpoint.
pub fn verify(
    assertion: &str,
    keys: &KeySet,
    client: &str,
    audiences: &[&str],
    now: Timestamp,
) -> Result<Assertion, BadAssertion> {
    if assertion.len() > MAX_TOKEN_BYTES {
        return Err(BadAssertion("too large"));
    }
    let [header_part, payload_part, signature] = split(assertion).map_err(|_| BadAssertion("not a JWT"))?;
    let decoded = |part: &str| base64url_decode(part).ok_or(BadAssertion("not base64url"));
    let header: Header = parse_object(&decoded(header_part)?).ok_or(BadAssertion("header"))?;
    // RFC 7523 has it untyped or `JWT`; its successor gives it a name of its own. An access token is neither.
    let of_its_kind =
        |typ: &String| ["jwt", "client-authentication+jwt"].iter().any(|known| typ.eq_ignore_ascii_case(known));
    if !header.typ.as_ref().is_none_or(of_its_kind) {
        return Err(BadAssertion("typ"));
    }
    let key = match &header.kid {
        Some(kid) => kid.parse().ok().and_then(|kid: Kid| keys.get(&kid)),
        None => keys.only(),
    };
    let key = key.ok_or(BadAssertion("key"))?;
    let signed = &assertion.as_bytes()[..header_part.len() + 1 + payload_part.len()];
    if header.alg != key.algorithm().name() || !key.verifies(signed, &decoded(signature)?) {
        return Err(BadAssertion("signature"));
    }
    let claims: Claims = parse_object(&decoded(payload_part)?).ok_or(BadAssertion("claims"))?;
    judge(claims, client, audiences, now)
}

fn judge(claims: Claims, client: &str, audiences: &[&str], now: Timestamp) -> Result<Assertion, BadAssertion> {
    if claims.iss != client || claims.sub != client {
        return Err(BadAssertion("iss or sub"));
    }
    let (Audience::One(audience) | Audience::Listed([audience])) = claims.aud;
    if !audiences.contains(&audience.as_str()) {
        return Err(BadAssertion("aud"));
    }
    if claims.jti.is_empty() || claims.jti.len() > LONGEST_JTI {
        return Err(BadAssertion("jti"));
    }
    let seconds = whole_seconds(claims.exp).ok_or(BadAssertion("exp"))?;
    let now = now.as_seconds();
    let begins =
        |time: Option<f64>| time.is_none_or(|time| whole_seconds(time).is_some_and(|at| at <= now + LEEWAY_SECONDS));
    if !begins(claims.iat) || !begins(claims.nbf) {
        return Err(BadAssertion("iat or nbf"));
    }
    if seconds > now + FURTHEST_EXPIRY_SECONDS + LEEWAY_SECONDS {
        return Err(BadAssertion("exp"));
    }
    let longest = claims.iat.and_then(whole_seconds).map_or(now, |iat| iat.min(now)) + LONGEST_LIFE_SECONDS;
    let usable_until = match claims.iat {
        Some(_) => seconds.min(longest),
        None if seconds > longest => return Err(BadAssertion("exp")),
        None => seconds,
    };
    if usable_until <= now {
        return Err(BadAssertion("exp"));
    }
    Ok(Assertion { jti: claims.jti, expires_at: Timestamp::from_seconds(usable_until) })
}

#[cfg(test)]
mod tests {
    use super::{BadAssertion, verify};
    use crate::keys::signing::SigningKey;
    use crate::secret::Secret;
    use counterfoil_guard::{Algorithm, KeySet, Timestamp, VerifyingKey, base64url_encode, encode_signing_input};
    use serde_json::{Value, json};

    const NOW: i64 = 1_800_000_000;

    fn key(byte: u8) -> SigningKey {
        SigningKey::new(Algorithm::EdDsa, &Secret::new(vec![byte; 32])).expect("a key")
    }

    fn signed(key: &SigningKey, header: &Value, claims: &Value) -> String {
        let input = encode_signing_input(&header.to_string(), claims.to_string().as_bytes());
        let signature = base64url_encode(&key.signature_over(input.as_bytes()));
        format!("{input}.{signature}")
    }

    fn judged(header: &Value, claims: &Value, by: u8) -> Result<(), BadAssertion> {
        let mut keys = KeySet::default();
        let public = VerifyingKey::new(Algorithm::EdDsa, key(7).public()).expect("a key");
        keys.insert(key(7).kid().clone(), public);
        let audiences = ["https://a.example", "https://a.example/oauth/token"];
        let token = signed(&key(by), header, claims);
        verify(&token, &keys, "reports", &audiences, Timestamp::from_seconds(NOW)).map(|_| ())
    }

    fn good() -> (Value, Value) {
        let header = json!({ "alg": "EdDSA", "kid": key(7).kid() .as_str() });
        let claims = json!({
            "iss": "reports", "sub": "reports", "aud": "https://a.example", "jti": "1", "exp": NOW + 60, "iat": NOW,
        });
        (header, claims)
    }

    #[test]
    fn asvs_10_4_16_an_assertion_is_believed_as_the_clients_make_it() {
        let (header, claims) = good();
        assert_eq!(judged(&header, &claims, 7), Ok(()));
        for (name, value) in [
            ("aud", json!(["https://a.example"])),
            ("aud", json!("https://a.example/oauth/token")),
            ("exp", json!(1_800_000_060.5)),
            ("nbf", json!(NOW + 30)),
            ("exp", json!(NOW + 3600)),
            ("iat", json!(NOW - 599)),
            ("other", json!({})),
        ] {
            let mut changed = claims.clone();
            changed[name] = value;
            assert_eq!(judged(&header, &changed, 7), Ok(()), "{name}");
        }
        for header in [json!({ "alg": "EdDSA" }), json!({ "alg": "EdDSA", "typ": "client-authentication+jwt" })] {
            assert_eq!(judged(&header, &claims, 7), Ok(()), "the only key there is");
        }
    }

    #[test]
    fn atk23_atk28_everything_else_is_refused() {
        let (header, claims) = good();
        assert_eq!(judged(&header, &claims, 8), Err(BadAssertion("signature")), "another's key");
        for (name, value) in [
            ("typ", json!("at+jwt")),
            ("typ", json!("dpop+jwt")),
            ("alg", json!("none")),
            ("alg", json!("Ed25519")),
            ("kid", json!("unknown")),
            ("jwk", json!({})),
            ("crit", json!(["exp"])),
        ] {
            let mut changed = header.clone();
            changed[name] = value;
            assert!(judged(&changed, &claims, 7).is_err(), "{name}");
        }
        for (name, value) in [
            ("iss", json!("other")),
            ("sub", json!("other")),
            ("sub", json!("client:reports")),
            ("aud", json!("https://b.example")),
            ("aud", json!(["https://a.example", "https://b.example"])),
            ("aud", json!([])),
            ("jti", json!("")),
            ("jti", json!("x".repeat(257))),
            ("jti", Value::Null),
            ("exp", json!(NOW)),
            ("exp", json!(NOW + 3631)),
            ("iat", json!(NOW - 600)),
            ("exp", json!("1800000060")),
            ("exp", json!(-1)),
            ("exp", json!(1e300)),
            ("iat", json!(NOW + 31)),
            ("nbf", json!(NOW + 31)),
        ] {
            let mut changed = claims.clone();
            changed[name] = value;
            assert!(judged(&header, &changed, 7).is_err(), "{name}");
        }
        let mut undated = claims;
        undated["iat"] = Value::Null;
        undated["exp"] = json!(NOW + 600);
        assert_eq!(judged(&header, &undated, 7), Ok(()));
        undated["exp"] = json!(NOW + 601);
        assert_eq!(judged(&header, &undated, 7), Err(BadAssertion("exp")), "nobody would remember it for so long");
        let twice =
            r#"{"iss":"reports","sub":"other","sub":"reports","aud":"https://a.example","jti":"1","exp":1800000060}"#;
        let input = encode_signing_input(&header.to_string(), twice.as_bytes());
        let token = format!("{input}.{}", base64url_encode(&key(7).signature_over(input.as_bytes())));
        let mut keys = KeySet::default();
        keys.insert(key(7).kid().clone(), VerifyingKey::new(Algorithm::EdDsa, key(7).public()).expect("a key"));
        assert!(verify(&token, &keys, "reports", &["https://a.example"], Timestamp::from_seconds(NOW)).is_err());
    }
}
