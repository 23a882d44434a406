//! An answer of the feed: whatever it says, what is taken in is written out as the same, and a guard's lease is never longer than it
//! says, counted from the guard's own sending.
#![no_main]

use counterfoil_fuzz::{Bound, bounded};
use counterfoil_guard::feed::Follower;
use counterfoil_guard::{Answer, Clocks, Cursor, Instance, Tick, Timestamp};
use libfuzzer_sys::fuzz_target;
use serde_json::{from_slice, to_vec};

/// A key's name is a String, 24 bytes for the three of `"",`, in a list that doubles as it grows.
const MEMORY: Bound = Bound { times: 40, plus: 4096 };

fuzz_target!(|data: &[u8]| {
    if let Ok(text) = std::str::from_utf8(data)
        && let Ok(cursor) = bounded(MEMORY, data, || text.parse::<Cursor>())
    {
        assert_eq!(cursor.to_string(), text, "one text for one place");
    }
    let Ok(answer) = bounded(MEMORY, data, || from_slice::<Answer>(data)) else { return };
    let written = to_vec(&answer).expect("can be written");
    assert_eq!(from_slice::<Answer>(&written).expect("can be read again"), answer);
    assert!(answer.entries().count() <= data.len(), "no entry comes from nothing");

    let at = |millis: i64| Clocks { boot: Tick::from_millis(millis), wall: Timestamp::from_millis(millis) };
    let mut guard = Follower::new(answer.instance);
    guard.poll(answer.nonce.clone(), at(1_000));
    if bounded(MEMORY, data, || guard.receive(&answer, at(2_000))).is_ok() {
        assert_eq!(guard.cursor(), Some(answer.cursor));
        let life = i128::from(answer.max_staleness_ms) + i128::from(answer.held_ms);
        let end = i64::try_from(1_000 + life).unwrap_or(i64::MAX);
        assert!(end == i64::MAX || guard.check_lease(at(end)).is_err(), "no longer than it was granted");
    }
    let mut other = Follower::new(Instance::from_bytes([0xff; 16]));
    other.poll("another question".into(), at(1_000));
    assert!(other.receive(&answer, at(2_000)).is_err() || answer.nonce == "another question");
});
