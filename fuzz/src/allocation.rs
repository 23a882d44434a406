//! How much memory a parser may ask for: a fixed multiple of its input, and a constant. More is a finding, as a panic is.

use allocation_counter::measure;
use std::sync::atomic::{AtomicU64, Ordering};

/// At most `times` bytes for each byte of input, and `plus` beside them.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    pub times: u64,
    pub plus: u64,
}

impl Bound {
    const fn most(self, input: &[u8]) -> u64 {
        self.times * input.len() as u64 + self.plus
    }
}

/// The most that was asked for so far, in per cent of what was allowed.
static WORST: AtomicU64 = AtomicU64::new(0);

/// Runs a parser over `input`; panics when it asks for more memory than `bound` allows.
///
/// What counts is the sum of all that is asked of Rust's allocator on this thread, given back or not, and all of a vector again
/// each time it grows. That is never less than the most held at once, and shows work that is thrown away too. Not counted are
/// C code (aws-lc, which is given keys, digests and signatures only) and libFuzzer, which runs outside `work`.
pub fn bounded<T>(bound: Bound, input: &[u8], work: impl FnOnce() -> T) -> T {
    let mut result = None;
    let used = measure(|| result = Some(work())).bytes_total;
    let most = bound.most(input);
    assert!(used <= most, "{used} bytes of memory for {} bytes of input; allowed are {bound:?}, {most}", input.len());
    report(100 * used / most.max(1));
    result.expect("the work is done")
}

/// Says how near to the bound it came, for `run` to read.
fn report(percent: u64) {
    if WORST.fetch_max(percent, Ordering::Relaxed) < percent {
        eprintln!("memory: {percent} % of what is allowed");
    }
}

#[cfg(test)]
mod tests {
    use super::{Bound, bounded};

    const BOUND: Bound = Bound { times: 2, plus: 100 };

    #[test]
    fn what_fits_is_let_through() {
        assert_eq!(bounded(BOUND, &[0; 50], || vec![1_u8; 200].len()), 200);
    }

    #[test]
    #[should_panic(expected = "1048576 bytes of memory for 5 bytes of input")]
    fn a_megabyte_for_a_short_input_is_found() {
        bounded(BOUND, b"short", || drop(vec![0_u8; 1 << 20]));
    }

    #[test]
    #[should_panic(expected = "bytes of memory for 50 bytes of input")]
    fn what_is_given_back_counts_too() {
        bounded(BOUND, &[0; 50], || (0..3).for_each(|_| drop(vec![0_u8; 100])));
    }
}
