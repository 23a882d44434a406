//! The strict reader against `serde_json`: what it accepts others accept too, and they see every member.
#![no_main]

use counterfoil_fuzz::{Bound, bounded};
use counterfoil_guard::{MAX_DEPTH, Strict};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, from_slice};

/// Each object costs a set of its names: 116 bytes for the five of `{"":}`.
const MEMORY: Bound = Bound { times: 28, plus: 1024 };

fuzz_target!(|data: &[u8]| {
    let strict = bounded(MEMORY, data, || from_slice::<Strict>(data).is_ok());
    let Ok(value) = from_slice::<Value>(data) else {
        assert!(!strict, "accepted, but not JSON");
        return;
    };
    let colons = members_in(data);
    if strict {
        assert_eq!(members(&value), colons, "a member was lost");
        assert!(depth(&value) <= MAX_DEPTH);
        let again = serde_json::to_vec(&value).expect("a value");
        assert!(from_slice::<Strict>(&again).is_ok());
        assert_eq!(members_in(&again), colons);
    } else {
        assert!(members(&value) < colons || depth(&value) > MAX_DEPTH, "refused for no reason");
    }
});

/// Members as they are written, those with the same name included: one colon each, outside strings.
fn members_in(json: &[u8]) -> usize {
    let (mut colons, mut inside, mut escaped) = (0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if inside => escaped = true,
            b'"' => inside = !inside,
            b':' if !inside => colons += 1,
            _ => {}
        }
    }
    colons
}

fn members(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(members).sum(),
        Value::Object(inner) => inner.values().map(|value| 1 + members(value)).sum(),
        _ => 0,
    }
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(inner) => 1 + inner.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}
