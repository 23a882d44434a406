//! A Security Event Token of an issuer elsewhere. The input is a header, a line break, and a payload; both are signed. All of it is also read
//! as a key set. What is believed is read again by `serde_json` and must say the same.
#![no_main]

use counterfoil_core::foreign::IssuerKeys;
use counterfoil_core::keys::signing::SigningKey;
use counterfoil_core::ssf::received::{MAX_SET_BYTES, OLDEST, read, verify};
use counterfoil_core::ssf::set::TYPE;
use counterfoil_fuzz::{AUDIENCE, Bound, ISSUER, KID, NOW, bounded, halves, now, object, sign, signing_key};
use counterfoil_guard::{LEEWAY_SECONDS, base64url_encode};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

/// A JSON value takes many times what its text does.
const MEMORY: Bound = Bound { times: 256, plus: 64 << 10 };

static SIDES: LazyLock<(SigningKey, IssuerKeys)> = LazyLock::new(|| {
    let key = signing_key();
    let jwk = format!(
        r#"{{"keys":[{{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","kid":"{KID}","x":"{}"}}]}}"#,
        base64url_encode(key.public())
    );
    (key, IssuerKeys::parse(jwk.as_bytes()).expect("a key set"))
});

fuzz_target!(|data: &[u8]| {
    if let Some(keys) = bounded(MEMORY, data, || IssuerKeys::parse(data)) {
        let _known = keys.has(None) || keys.has(Some(KID));
    }
    let (key, keys) = &*SIDES;
    let (header, payload) = halves(data);
    let set = sign(key, header, payload);
    let judge = || read(&set).and_then(|set| verify(&set, keys, (ISSUER, AUDIENCE), now()));
    let Ok(received) = bounded(MEMORY, set.as_bytes(), judge) else { return };
    assert!(set.len() <= MAX_SET_BYTES);
    let header = object(header);
    let typ = header["typ"].as_str().expect("text").to_ascii_lowercase();
    assert_eq!(typ.strip_prefix("application/").unwrap_or(&typ), TYPE);
    assert!(["crit", "b64", "zip", "jwk", "jku"].iter().all(|member| header.get(*member).is_none_or(serde_json::Value::is_null)));
    let claims = object(payload);
    assert_eq!(claims["iss"].as_str(), Some(ISSUER));
    assert_eq!(claims["jti"].as_str(), Some(&*received.jti));
    assert_eq!(claims["events"].as_object().map(serde_json::Map::len), Some(1));
    assert!(["sub", "exp"].iter().all(|member| claims.get(*member).is_none_or(serde_json::Value::is_null)));
    let at = received.at.as_seconds();
    let oldest = NOW - i64::try_from(OLDEST.as_secs()).expect("it fits");
    assert!((oldest..=NOW + LEEWAY_SECONDS).contains(&at));
});
