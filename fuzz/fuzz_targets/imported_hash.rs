//! A password hash that another system has made, from a file or from a row of the database. It is read and not computed: what
//! may be read costs up to seconds.
#![no_main]

use counterfoil_core::credential::imported::{Imported, MAX_TEXT, NotTaken};
use counterfoil_core::credential::stored::{self, Stored};
use counterfoil_fuzz::{Bound, bounded, text};
use libfuzzer_sys::fuzz_target;

/// The fields as slices, then each in the standard alphabet, a text that grows by doubling, and as bytes. Beyond `MAX_TEXT`
/// nothing is asked for, whatever the length.
const BOUND: Bound = Bound { times: 4, plus: 256 };

fuzz_target!(|data: &[u8]| {
    let text = text(data);
    let read = bounded(BOUND, text.as_bytes(), || Imported::parse(&text));
    if text.len() > MAX_TEXT {
        assert_eq!(read, Err(NotTaken::TooLong));
    }
    if let Ok(hash) = read {
        let stored = stored::write(&hash);
        assert!(stored.len() <= MAX_TEXT, "it would not be read again");
        assert!(matches!(stored::read(&stored), Ok(Stored::Imported(again)) if again == hash), "{stored}");
        assert!(!text.starts_with("imported"), "the mark is ours");
    }
    // Ours is only what does not begin with the mark.
    assert_eq!(matches!(stored::read(&text), Ok(Stored::Ours(_))), !text.starts_with("imported"));
});
