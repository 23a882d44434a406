//! Numbers as they are spelt.

/// Whether JSON allows this spelling (RFC 8259 section 6).
pub(super) fn is_number(word: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (mantissa, exponent) = word.split_once(['e', 'E']).map_or((word, None), |(m, e)| (m, Some(e)));
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(w, f)| (w, Some(f)));
    let whole = whole.strip_prefix('-').unwrap_or(whole);
    digits(whole)
        && (whole.len() == 1 || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

/// The whole seconds in a number, rounded down; `None` when it does not fit or is no number.
pub(super) fn whole(word: &str) -> Option<i64> {
    if !is_number(word) {
        return None;
    }
    if let Ok(value) = word.parse() {
        return Some(value);
    }
    // By way of text: a cast from a float would saturate and hide that the number is absurd.
    let value: f64 = word.parse().ok()?;
    format!("{:.0}", value.floor()).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{is_number, whole};

    #[test]
    fn only_json_numbers_are_numbers() {
        for good in ["0", "-1", "1.5", "1e3", "1E-3", "123456"] {
            assert!(is_number(good), "{good}");
        }
        for bad in ["", "-", "01", "+1", "1.", ".5", "1e", "NaN", "Infinity", "0x10"] {
            assert!(!is_number(bad), "{bad}");
        }
    }

    #[test]
    fn absurd_numbers_are_none_and_fractions_round_down() {
        assert_eq!(whole("1.9"), Some(1));
        assert_eq!(whole("-0.5"), Some(-1));
        assert_eq!(whole("1.7e9"), Some(1_700_000_000));
        for absurd in ["1e400", "9223372036854775808", "-1e30", "NaN"] {
            assert_eq!(whole(absurd), None, "{absurd}");
        }
    }
}
