//! The one spelling of a time that PASETO claims have here: `2026-11-21T08:00:00Z` (RFC 3339; PAS-5).

const DAY: i64 = 86_400;

/// Seconds since the epoch as such a text, or `None` outside the years 0 to 9999.
pub fn format(seconds: i64) -> Option<String> {
    let (year, month, day) = civil(seconds.div_euclid(DAY))?;
    let rest = seconds.rem_euclid(DAY);
    Some(format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", rest / 3600, rest / 60 % 60, rest % 60))
}

/// Reads exactly what [`format()`] writes: no fraction, no other offset, no lower case, no 30th of February.
pub fn parse(text: &str) -> Option<i64> {
    let bytes: &[u8; 20] = text.as_bytes().try_into().ok()?;
    let separators = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':'), (19, b'Z')];
    if separators.iter().any(|(at, expected)| bytes[*at] != *expected) {
        return None;
    }
    let number = |from: usize, to: usize| {
        let digits = &bytes[from..to];
        let value = |sum: i64, digit: &u8| sum * 10 + i64::from(digit - b'0');
        digits.iter().all(u8::is_ascii_digit).then(|| digits.iter().fold(0, value))
    };
    let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
    if !(1..=12).contains(&month) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let date = days(year, month, day);
    // A day that the month does not have is another day's name.
    (civil(date) == Some((year, month, day))).then_some(date * DAY + hour * 3600 + minute * 60 + second)
}

/// Year, month and day of a day counted from the epoch (Howard Hinnant's `civil_from_days`).
fn civil(days: i64) -> Option<(i64, i64, i64)> {
    let shifted = days.checked_add(719_468)?;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (0..=9999).contains(&year).then_some((year, month, day))
}

/// Days from the epoch of a date of the proleptic Gregorian calendar (the inverse).
pub fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let year_of_era = year.rem_euclid(400);
    let shifted_month = (month + 9) % 12;
    let of_year = (153 * shifted_month + 2) / 5 + day - 1;
    year.div_euclid(400) * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::{format, parse};
    use proptest::prelude::*;

    #[test]
    fn pas_5_one_time_has_one_spelling() {
        assert_eq!(parse("2024-02-29T23:59:59Z"), Some(1_709_251_199));
        assert_eq!(parse("0000-01-01T00:00:00Z"), Some(-62_167_219_200));
        for wrong in [
            "2024-02-29t23:59:59Z",
            "2024-02-29T23:59:59z",
            "2024-02-29 23:59:59Z",
            "2024-02-29T23:59:59+00:00",
            "2024-02-29T23:59:59.0Z",
            "2024-02-29T23:59:60Z",
            "2024-02-29T24:00:00Z",
            "2023-02-29T00:00:00Z",
            "2024-02-30T00:00:00Z",
            "2024-04-31T00:00:00Z",
            "2024-00-10T00:00:00Z",
            "2024-13-10T00:00:00Z",
            "2024-01-00T00:00:00Z",
            "+024-01-01T00:00:00Z",
            "2024-1-01T000:00:00Z",
            "",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn reads_back_what_it_writes(seconds in -62_167_219_200i64..253_402_300_800) {
            prop_assert_eq!(format(seconds).as_deref().and_then(parse), Some(seconds));
        }

        #[test]
        fn nothing_else_is_read(text in "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z") {
            if let Some(seconds) = parse(&text) {
                prop_assert_eq!(format(seconds), Some(text));
            }
        }
    }
}
