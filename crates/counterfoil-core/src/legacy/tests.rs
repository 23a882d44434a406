use super::{Believed, ClaimPath, LONGEST_SUBJECT, LegacyRules, MAX_TOKEN_BYTES, Refused, verify};
use crate::foreign::{Compact, IssuerKeys, MacAlgorithm};
use crate::keys::signing::SigningKey;
use crate::secret::Secret;
use aws_lc_rs::hmac;
use counterfoil_guard::{Algorithm, Timestamp, base64url_encode, encode_signing_input};
use serde_json::{Value, json};
use std::time::Duration;

const SECRET: &[u8; 64] = b"an old secret that somebody has once made with sixty-four bytes.";
const NOW: i64 = 1_800_000_000;
const DAY: i64 = 86_400;

fn rules() -> LegacyRules {
    LegacyRules {
        own_issuer: "https://here.example.com".into(),
        issuer: None,
        audience: None,
        subject: ClaimPath::parse("sub").unwrap(),
        max_age: Duration::from_hours(30 * 24),
    }
}

fn claims() -> Value {
    json!({ "sub": "42", "iat": NOW - DAY, "exp": NOW + 6 * DAY })
}

fn signed(header: &Value, claims: &str) -> String {
    let input = encode_signing_input(&header.to_string(), claims.as_bytes());
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET), input.as_bytes());
    format!("{input}.{}", base64url_encode(tag.as_ref()))
}

fn token(claims: &Value) -> String {
    signed(&json!({ "alg": "HS256", "typ": "JWT" }), &claims.to_string())
}

fn keys() -> IssuerKeys {
    IssuerKeys::secret(MacAlgorithm::Hs256, SECRET).unwrap()
}

fn judge(token: &str, rules: &LegacyRules) -> Result<Believed, Refused> {
    let token = Compact::read(token, MAX_TOKEN_BYTES).ok_or(Refused::Shape)?;
    verify(&token, &keys(), rules, Timestamp::from_seconds(NOW))
}

/// What becomes of the claims with these members instead; null takes one away.
fn with(members: &Value) -> Result<String, Refused> {
    let mut all = claims();
    for (name, value) in members.as_object().unwrap() {
        match value {
            Value::Null => all.as_object_mut().unwrap().remove(name),
            value => all.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    judge(&token(&all), &rules()).map(|believed| believed.subject)
}

#[test]
fn a_token_as_most_systems_make_them_is_believed() {
    let believed = Believed {
        subject: "42".into(),
        issued_at: Timestamp::from_seconds(NOW - DAY),
        ends_at: Timestamp::from_seconds(NOW + 6 * DAY),
    };
    assert_eq!(judge(&token(&claims()), &rules()), Ok(believed));
    for (members, subject) in [
        (json!({ "sub": 42 }), "42"),
        (json!({ "sub": u64::MAX }), "18446744073709551615"),
        (json!({ "email_verified": true, "nbf": NOW, "aud": ["a"], "role": { "x": [1, 2] } }), "42"),
        (json!({ "iat": NOW + 30 }), "42"),
        (json!({ "iat": 1_799_999_999.5 }), "42"),
    ] {
        assert_eq!(with(&members).as_deref(), Ok(subject), "{members}");
    }
}

#[test]
fn times_are_asked_for_and_hold() {
    for (members, why) in [
        (json!({ "exp": NOW }), Refused::Expired),
        (json!({ "exp": NOW - 1 }), Refused::Expired),
        (json!({ "iat": null }), Refused::Times),
        (json!({ "iat": "1799999999" }), Refused::Times),
        (json!({ "exp": "never" }), Refused::Times),
        (json!({ "exp": -1 }), Refused::Times),
        (json!({ "nbf": NOW + 31 }), Refused::Future),
        (json!({ "iat": NOW + 31 }), Refused::Future),
        // ATK-22: milliseconds.
        (json!({ "iat": NOW * 1000 }), Refused::Future),
        (json!({ "iat": NOW - 30 * DAY }), Refused::Old),
    ] {
        assert_eq!(with(&members), Err(why), "{members}");
    }
    // Without `exp`, and with one that is far away, it is remembered for as long as `max_age` may ever say.
    for exp in [Value::Null, json!(NOW + 3650 * DAY)] {
        let mut endless = claims();
        endless["exp"] = exp;
        if endless["exp"].is_null() {
            endless.as_object_mut().unwrap().remove("exp");
        }
        let ends_at = judge(&token(&endless), &rules()).unwrap().ends_at;
        assert_eq!(ends_at, Timestamp::from_seconds(NOW + 365 * DAY));
    }
}

#[test]
fn issuer_and_audience_hold_where_they_are_asked_for() {
    let rules = LegacyRules { issuer: Some("old".into()), audience: Some("api".into()), ..rules() };
    let said = |iss: Value, aud: Value| {
        let mut all = claims();
        all["iss"] = iss;
        all["aud"] = aud;
        judge(&token(&all), &rules).map(|_| ())
    };
    assert_eq!(said(json!("old"), json!("api")), Ok(()));
    assert_eq!(said(json!("old"), json!(["x", "api"])), Ok(()));
    for iss in [json!("old/"), json!(""), json!(["old"]), Value::Null] {
        assert_eq!(said(iss.clone(), json!("api")), Err(Refused::Issuer), "{iss}");
    }
    for aud in [json!("apis"), json!([]), json!([["api"]]), json!({ "api": 1 }), Value::Null] {
        assert_eq!(said(json!("old"), aud.clone()), Err(Refused::Audience), "{aud}");
    }
}

#[test]
fn the_account_is_named_by_the_claim_that_was_chosen() {
    let at = |path: &str, claims: &Value| {
        let rules = LegacyRules { subject: ClaimPath::parse(path).unwrap(), ..rules() };
        judge(&token(claims), &rules).map(|believed| believed.subject)
    };
    let mut nested = claims();
    nested["user"] = json!({ "id": 7, "email": "ada@example.com" });
    assert_eq!(at("user.id", &nested).as_deref(), Ok("7"));
    assert_eq!(at("user.email", &nested).as_deref(), Ok("ada@example.com"));
    for path in ["user", "user.name", "sub.id", "toString"] {
        assert_eq!(at(path, &nested), Err(Refused::Subject), "{path}");
    }
    let wrong = [json!(""), json!(1.5), json!(true), json!(["42"]), json!("x".repeat(LONGEST_SUBJECT + 1))];
    for sub in wrong {
        assert_eq!(with(&json!({ "sub": sub })), Err(Refused::Subject), "{sub}");
    }
    assert_eq!(with(&json!({ "sub": "4\u{0}2" })), Err(Refused::Subject));
    for said in [json!(false), json!("false"), json!(0), json!("")] {
        assert_eq!(with(&json!({ "email_verified": said })), Err(Refused::Unconfirmed), "{said}");
        nested["user"]["email_verified"] = said;
        assert_eq!(at("user.email", &nested), Err(Refused::Unconfirmed), "{nested}");
    }
    assert_eq!(with(&json!({ "email_verified": "true" })).as_deref(), Ok("42"));
    for path in ["", ".", "a.", ".a", "a..b", "a.b.c.d.e"] {
        assert_eq!(ClaimPath::parse(path), None, "{path}");
    }
}

#[test]
fn atk_01_02_08_12_13_23_what_is_not_signed_by_the_key_s_own_algorithm_is_refused() {
    let good = claims().to_string();
    let header = |header: Value| judge(&signed(&header, &good), &rules()).err();
    for alg in ["none", "None", "HS384", "HS512", "hs256", "RS256", "EdDSA", ""] {
        assert_eq!(header(json!({ "alg": alg })), Some(Refused::Key), "{alg}");
    }
    for odd in ["crit", "b64", "zip", "jwk", "jku"] {
        assert_eq!(header(json!({ "alg": "HS256", odd: "x" })), Some(Refused::Header), "{odd}");
    }
    for typ in ["secevent+jwt", "logout+jwt", "dpop+jwt", "refresh+jwt"] {
        assert_eq!(header(json!({ "alg": "HS256", "typ": typ })), Some(Refused::Kind), "{typ}");
    }
    for typ in ["JWT", "jwt", "at+jwt", "application/at+jwt"] {
        assert_eq!(header(json!({ "alg": "HS256", "typ": typ })), None, "{typ}");
    }
    assert_eq!(header(json!({ "alg": "HS256", "kid": "anything" })), None, "a secret has no name");
    assert_eq!(header(json!({ "alg": "HS256", "kid": "k".repeat(257) })), Some(Refused::Header));
    assert_eq!(with(&json!({ "events": {} })), Err(Refused::Kind));
    assert_eq!(with(&json!({ "iss": "https://here.example.com" })), Err(Refused::Issuer), "its own");
    let twice = good.replacen('{', "{\"sub\":\"1\",", 1);
    assert_eq!(judge(&signed(&json!({ "alg": "HS256" }), &twice), &rules()), Err(Refused::Shape));
    let token = token(&claims());
    let (input, _) = token.rsplit_once('.').unwrap();
    for bad in [format!("{input}."), input.to_owned(), format!("{token}."), format!("{token}="), "a.b.c".into()] {
        assert!(matches!(judge(&bad, &rules()), Err(Refused::Shape | Refused::Key)), "{bad}");
    }
    let long = signed(&json!({ "alg": "HS256", "x": "y".repeat(MAX_TOKEN_BYTES) }), &good);
    assert_eq!(judge(&long, &rules()), Err(Refused::Shape));
}

#[test]
fn atk_04_a_secret_that_can_be_guessed_is_no_key() {
    for (algorithm, least) in [(MacAlgorithm::Hs256, 32), (MacAlgorithm::Hs384, 48), (MacAlgorithm::Hs512, 64)] {
        assert!(IssuerKeys::secret(algorithm, &SECRET[..least - 1]).is_none());
        assert!(IssuerKeys::secret(algorithm, &SECRET[..least]).is_some());
    }
}

#[test]
fn atk_02_a_public_key_is_no_secret() {
    let key = SigningKey::new(Algorithm::EdDsa, &Secret::new(vec![1; 32])).unwrap();
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "k", "x": base64url_encode(key.public()) });
    let keys = IssuerKeys::parse(json!({ "keys": [jwk] }).to_string().as_bytes()).unwrap();
    let input =
        encode_signing_input(&json!({ "alg": "HS256", "kid": "k" }).to_string(), claims().to_string().as_bytes());
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.public()), input.as_bytes());
    let token = format!("{input}.{}", base64url_encode(tag.as_ref()));
    let token = Compact::read(&token, MAX_TOKEN_BYTES).unwrap();
    assert_eq!(verify(&token, &keys, &rules(), Timestamp::from_seconds(NOW)), Err(Refused::Key));
}
