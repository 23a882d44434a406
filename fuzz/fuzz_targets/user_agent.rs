//! A `User-Agent` in words: nothing out of the header is repeated. The server's own source, without the rest of it.
#![no_main]

#[path = "../../crates/counterfoil/src/http/user_agent.rs"]
mod user_agent;

use counterfoil_fuzz::{Bound, bounded, text};
use libfuzzer_sys::fuzz_target;

/// Two names at most, whatever there is to read.
const MEMORY: Bound = Bound { times: 0, plus: 128 };

fuzz_target!(|data: &[u8]| {
    let header = text(data);
    let device = bounded(MEMORY, header.as_bytes(), || user_agent::device(Some(&header)));
    assert!((1..=40).contains(&device.len()) && device.chars().all(|c| c.is_ascii_alphanumeric() || c == ' '));
});
