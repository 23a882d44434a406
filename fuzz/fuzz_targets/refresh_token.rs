//! Opaque tokens: what is accepted was made here and has one spelling; what is made here is read back, and no longer once
//! anything in it has changed.
#![no_main]

use counterfoil_core::Secret;
use counterfoil_core::refresh::token::{Nonce, Presented, TokenKey, TokenKeys};
use counterfoil_core::session::Handle;
use counterfoil_fuzz::{Bound, bounded, text};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

/// What is decoded, and nothing else.
const MEMORY: Bound = Bound { times: 1, plus: 64 };

/// Version 1 as it was, and versions 1 and 2 as they are now.
static KEYS: LazyLock<[TokenKeys; 2]> = LazyLock::new(|| {
    let key = |version: u16, byte: u8| TokenKey::new(version, &Secret::new([byte; 32]));
    let keys = [vec![key(1, 1)], vec![key(2, 2), key(1, 1)]].map(|keys| TokenKeys::new(keys).expect("keys"));
    for genuine in [include_str!("../corpus/refresh_token/old"), include_str!("../corpus/refresh_token/current")] {
        assert!(keys[1].parse_refresh(genuine).is_ok(), "the seeds are no longer ours");
    }
    assert!(keys[1].parse_session(include_str!("../corpus/refresh_token/session")).is_ok());
    keys
});

fuzz_target!(|data: &[u8]| {
    let (token, keys) = (text(data), &KEYS[1]);
    if let Ok(read) = bounded(MEMORY, token.as_bytes(), || keys.parse_refresh(&token)) {
        let again = KEYS.iter().map(|keys| keys.refresh_token(read.handle, read.generation, read.nonce));
        assert!(again.into_iter().any(|again| *again.expose() == *token), "a second spelling");
        assert!(keys.parse_session(&token).is_err(), "two kinds at once");
    }
    if let Ok(handle) = bounded(MEMORY, token.as_bytes(), || keys.parse_session(&token)) {
        assert!(KEYS.iter().any(|keys| *keys.session_token(handle).expose() == *token), "a second spelling");
    }
    if let Some((parts, rest)) = data.split_first_chunk::<28>() {
        round_trip(parts, rest);
    }
});

fn round_trip(parts: &[u8; 28], rest: &[u8]) {
    let presented = Presented {
        handle: Handle::from_bytes(std::array::from_fn(|i| parts[i])),
        generation: u32::from_be_bytes(std::array::from_fn(|i| parts[16 + i])),
        nonce: Nonce::from_bytes(std::array::from_fn(|i| parts[20 + i])),
    };
    let [old, current] = &*KEYS;
    let earlier = old.refresh_token(presented.handle, presented.generation, presented.nonce);
    assert!(current.parse_refresh(earlier.expose()) == Ok(presented), "an older key still counts");
    let made = current.refresh_token(presented.handle, presented.generation, presented.nonce);
    assert!(current.parse_refresh(made.expose()) == Ok(presented));
    assert!(old.parse_refresh(made.expose()).is_err(), "a key it does not have");
    let session = current.session_token(presented.handle);
    assert!(current.parse_session(session.expose()) == Ok(presented.handle));
    // `rest` says where to change what.
    if let [at, by, ..] = *rest {
        let mut bytes = made.expose().clone().into_bytes();
        let at = usize::from(at) % bytes.len();
        bytes[at] ^= (by & 0x7f).max(1);
        let changed = String::from_utf8(bytes).expect("ASCII");
        assert!(current.parse_refresh(&changed).is_err() && current.parse_session(&changed).is_err());
    }
}
