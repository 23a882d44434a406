//! A stored password hash that somebody else wrote into the database. Text that asks for much work within the bounds is
//! left out here, or every run would be spent in Argon2; text beyond the bounds must be refused before any work.
#![no_main]

use counterfoil_core::Secret;
use counterfoil_core::credential::argon2id::{COST, Memory, UnknownHash, verify};
use counterfoil_core::credential::password::Password;
use counterfoil_fuzz::{Bound, bounded, text};
use libfuzzer_sys::fuzz_target;
use std::cell::RefCell;
use std::sync::LazyLock;

/// The bounds that `argon2id` states: KiB, passes, lanes.
const MOST: [u32; 3] = [4 * COST.0, 8, 4];
/// What is cheap enough to be tried.
const CHEAP: [u32; 3] = [64, 2, 4];

/// Salt and digest.
const REFUSED: Bound = Bound { times: 1, plus: 64 };
/// And the memory that is worked in, which doubles when it has to grow.
const WORKED_ON: Bound = Bound { plus: 64 + 2 * 1024 * CHEAP[0] as u64, ..REFUSED };

const GENUINE: &str = include_str!("../corpus/argon2_text/genuine");

static GIVEN: LazyLock<(Password, Secret<Vec<u8>>)> = LazyLock::new(|| {
    let password = Password::new(&Secret::new("correct horse".to_owned())).expect("short");
    let pepper = Secret::new(vec![1; 32]);
    assert_eq!(verify(&password, GENUINE, &pepper, &mut Memory::default()), Ok(true), "the seed no longer verifies");
    (password, pepper)
});

thread_local!(static WORKSPACE: RefCell<Memory> = RefCell::default());

fuzz_target!(|data: &[u8]| {
    let stored = text(data);
    let cost = cost(&stored);
    let above = |bounds: [u32; 3]| cost.is_some_and(|cost| cost.iter().zip(bounds).any(|(is, most)| *is > most));
    if above(CHEAP) && !above(MOST) {
        return;
    }
    let bound = if cost.is_none() || above(MOST) { REFUSED } else { WORKED_ON };
    let (password, pepper) = &*GIVEN;
    let result = WORKSPACE
        .with_borrow_mut(|memory| bounded(bound, stored.as_bytes(), || verify(password, &stored, pepper, memory)));
    if cost.is_none() || above(MOST) {
        assert_eq!(result, Err(UnknownHash));
    }
    if result == Ok(true) {
        let digest = |text: &str| text.rsplit('$').next().map(str::to_owned);
        assert_eq!(digest(&stored), digest(GENUINE), "another hash of the same password");
    }
});

/// `$argon2id$v=19$m=…,t=…,p=…$salt$digest`, as far as the cost.
fn cost(stored: &str) -> Option<[u32; 3]> {
    let mut numbers = stored.split('$').nth(3)?.split(',');
    let mut next = |name: &str| numbers.next()?.strip_prefix(name)?.parse().ok();
    Some([next("m=")?, next("t=")?, next("p=")?])
}
