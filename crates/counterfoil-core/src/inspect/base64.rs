//! base64url read leniently, with an account of every liberty taken (ATK-17). Only for explaining: a verifier reads with
//! [`counterfoil_guard::base64url_decode`], which accepts one spelling.

use super::notes::Notes;

const FIX: &str = "encode as base64url without padding, and refuse every other spelling: else many texts are one token";

/// What was decoded, and which deviations were seen.
#[derive(Default)]
struct Lenient {
    bytes: Vec<u8>,
    bits: u32,
    pending: u32,
    symbols: usize,
    padding: bool,
    standard: bool,
    space: bool,
    foreign: Option<char>,
}

impl Lenient {
    fn push(&mut self, symbol: char) {
        let Some(value) = self.value(symbol) else { return };
        self.symbols += 1;
        self.bits = (self.bits << 6) | value;
        self.pending += 6;
        if self.pending >= 8 {
            self.pending -= 8;
            let [_, _, _, byte] = (self.bits >> self.pending).to_be_bytes();
            self.bytes.push(byte);
            self.bits &= (1 << self.pending) - 1;
        }
    }

    /// Six bits, or `None` after taking note of a character that has no place here.
    fn value(&mut self, symbol: char) -> Option<u32> {
        let code = u32::from(symbol);
        match symbol {
            'A'..='Z' => Some(code - u32::from('A')),
            'a'..='z' => Some(code - u32::from('a') + 26),
            '0'..='9' => Some(code - u32::from('0') + 52),
            '-' => Some(62),
            '_' => Some(63),
            '+' | '/' => {
                self.standard = true;
                Some(if symbol == '+' { 62 } else { 63 })
            }
            '=' => {
                self.padding = true;
                None
            }
            other if other.is_whitespace() => {
                self.space = true;
                None
            }
            other => {
                self.foreign.get_or_insert(other);
                None
            }
        }
    }
}

/// Decodes as much as can be decoded; deviations become findings about the part called `part`.
pub(super) fn decode(part: &str, text: &str, notes: &mut Notes) -> Vec<u8> {
    let mut lenient = Lenient::default();
    text.chars().for_each(|symbol| lenient.push(symbol));
    let mut flag = |seen: bool, what: &str| {
        if seen {
            notes.error("ATK-17", format!("{part}: {what}"), FIX);
        }
    };
    flag(lenient.padding, "padding (`=`) in base64url");
    flag(lenient.standard, "`+` or `/`: the standard alphabet instead of the URL-safe one");
    flag(lenient.space, "white space or a line break inside base64url");
    flag(lenient.symbols % 4 == 1, "impossible length (1 modulo 4): a character is missing or one too many");
    flag(lenient.symbols % 4 != 1 && lenient.bits != 0, "non-zero unused bits in the last character (not canonical)");
    if let Some(foreign) = lenient.foreign {
        flag(true, &format!("character {} does not belong into base64url", super::text::code_point(foreign)));
    }
    lenient.bytes
}

#[cfg(test)]
mod tests {
    use super::{Notes, decode};
    use proptest::prelude::*;

    #[test]
    fn canonical_text_needs_no_liberty_and_each_deviation_is_told() {
        for (text, bytes, findings) in [
            ("Zm9v", "foo", 0),
            ("Zm9vYg", "foob", 0),
            ("Zm9vYg==", "foob", 1),
            ("Zm9vYh", "foob", 1),
            ("Zm 9v", "foo", 1),
            ("Zm9vY", "foo", 1),
            ("Zm9v?", "foo", 1),
            ("", "", 0),
        ] {
            let mut notes = Notes::default();
            assert_eq!(decode("part", text, &mut notes), bytes.as_bytes(), "{text}");
            assert_eq!(notes.into_findings().len(), findings, "{text}");
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_guards_decoder_on_what_is_canonical(text in "[A-Za-z0-9_=+/ -]{0,40}") {
            let mut notes = Notes::default();
            let bytes = decode("part", &text, &mut notes);
            let clean = notes.into_findings().is_empty();
            prop_assert_eq!(counterfoil_guard::base64url_decode(&text), clean.then_some(bytes));
        }
    }
}
