//! Recovery codes: a sheet of paper for the day when the telephone is at the bottom of the lake.
//!
//! Each is 120 random bits, so that a keyed hash is enough to keep it by (ASVS-6.5.2 asks for a password hash below 112), and
//! counts once. Written in Crockford's base 32, which knows no letters that look like digits.

use crate::secret::Secret;
use base32::Alphabet;

/// How many an account gets at a time.
pub const HOW_MANY: usize = 10;

/// Bytes of a code.
pub const BYTES: usize = 15;

/// The longest text that is looked at.
const MOST_TEXT: usize = 64;

/// A code as it is shown: six groups of four.
pub fn write(code: &Secret<[u8; BYTES]>) -> Secret<String> {
    let plain = Secret::new(base32::encode(Alphabet::Crockford, code.expose()).to_ascii_lowercase());
    let mut text = String::with_capacity(29);
    for (place, letter) in plain.expose().chars().enumerate() {
        if place > 0 && place % 4 == 0 {
            text.push('-');
        }
        text.push(letter);
    }
    Secret::new(text)
}

/// Reads a code as people type it: any case, with or without hyphens and spaces, O for 0 and I or L for 1.
pub fn read(typed: &Secret<String>) -> Option<Secret<[u8; BYTES]>> {
    let typed = typed.expose();
    if typed.len() > MOST_TEXT {
        return None;
    }
    let plain: Secret<String> = Secret::new(typed.chars().filter(|c| !matches!(c, '-' | ' ')).collect());
    if plain.expose().len() != BYTES * 8 / 5 {
        return None;
    }
    let bytes = Secret::new(base32::decode(Alphabet::Crockford, plain.expose())?);
    Some(Secret::new(bytes.expose().as_slice().try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::{read, write};
    use crate::secret::Secret;

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let code = Secret::new(*b"fifteen letters");
        let text = write(&code);
        assert_eq!(text.expose().len(), 29);
        let spaced = text.expose().to_uppercase().replace('-', " ");
        for typed in [text.expose().clone(), spaced, text.expose().replace('1', "l").replace('0', "O")] {
            assert_eq!(read(&secret(&typed)).map(|read| *read.expose()), Some(*code.expose()), "{typed}");
        }
        let long = "0".repeat(10_000);
        for wrong in ["", "abcd", "abcd-efgh-jkmn-pqrs-tvwx-yz0", "abcd-efgh-jkmn-pqrs-tvwx-yz0!", "ü", &long] {
            assert!(read(&secret(wrong)).is_none(), "{}", &wrong[..wrong.len().min(40)]);
        }
    }
}
