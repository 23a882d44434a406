//! A status list. The input is a header, a line break, and a payload; both are signed. All of it is also inflated as it stands. What is
//! accepted is read again by `serde_json` and must say the same.
#![no_main]

use counterfoil_core::keys::signing::SigningKey;
use counterfoil_fuzz::{Bound, ISSUER, NOW, bounded, halves, now, object, sign, signing_key, verifier};
use counterfoil_guard::{
    DEFAULT_TTL, LEEWAY_SECONDS, LONGEST_TTL, MAX_LIST_BYTES, SHORTEST_TTL, Statuses, Verifier, base64url_encode,
};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

/// The most that is inflated, and again where its buffer grows and is given back in part; the inflater's window; and the text, a few times over.
const MEMORY: Bound = Bound { times: 48, plus: (3 * MAX_LIST_BYTES + (128 << 10)) as u64 };

static SIDES: LazyLock<(SigningKey, Verifier)> = LazyLock::new(|| {
    let key = signing_key();
    let verifier = verifier(&key);
    (key, verifier)
});

fuzz_target!(|data: &[u8]| {
    let lst = base64url_encode(data);
    for bits in [1, 2, 4, 8] {
        let Ok(statuses) = bounded(MEMORY, lst.as_bytes(), || Statuses::decode(bits, &lst)) else { continue };
        check(&statuses, bits);
    }
    let (key, verifier) = &*SIDES;
    let (header, payload) = halves(data);
    let token = sign(key, header, payload);
    let uri = format!("{ISSUER}/status-lists/1");
    let Ok(list) = bounded(MEMORY, token.as_bytes(), || verifier.verify_status_list(&token, &uri, now())) else { return };
    let typ = object(header)["typ"].as_str().expect("text").to_ascii_lowercase();
    assert!(matches!(&*typ, "statuslist+jwt" | "application/statuslist+jwt"));
    let claims = object(payload);
    assert_eq!((claims["iss"].as_str(), claims["sub"].as_str()), (Some(ISSUER), Some(&*uri)));
    assert!(list.issued_at <= NOW + LEEWAY_SECONDS && list.issued_at < list.expires_at && list.expires_at > NOW);
    assert!((SHORTEST_TTL..=LONGEST_TTL).contains(&list.ttl));
    assert!(claims.contains_key("ttl") || list.ttl == DEFAULT_TTL);
    check(&list.statuses, claims["status_list"]["bits"].as_u64().expect("a number"));
});

/// No status is larger than its bits, and behind the end there is none.
fn check(statuses: &Statuses, bits: u64) {
    let most = u64::try_from(MAX_LIST_BYTES).expect("it fits") * 8 / bits;
    assert_eq!(statuses.status(u32::try_from(most).expect("it fits")), None);
    let mut ended = false;
    for index in 0..64 {
        match statuses.status(index) {
            Some(status) => assert!(!ended && u64::from(status) < 1 << bits),
            None => ended = true,
        }
    }
}
