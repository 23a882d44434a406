//! Times in words: RFC 3339 both ways, and how long ago.

use counterfoil_guard::rfc3339::days;
pub(super) use counterfoil_guard::rfc3339::format as rfc3339;

const DAY: i64 = 86_400;

/// Reads `2026-11-21T08:00:00Z`, with a fraction or an offset if need be; lower-case letters are read too.
pub(super) fn parse(text: &str) -> Option<i64> {
    let (date, time) = text.split_once(['T', 't', ' '])?;
    let (year, month, day) = triple(date, '-')?;
    let (clock, offset) = match time.find(['Z', 'z', '+', '-']) {
        Some(at) => time.split_at_checked(at)?,
        None => return None,
    };
    let (hour, minute, second) = triple(clock.split_once('.').map_or(clock, |(whole, _)| whole), ':')?;
    let sound = (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second <= 60;
    let of_day = hour * 3600 + minute * 60 + second - offset_seconds(offset)?;
    sound.then(|| days(year, month, day) * DAY + of_day)
}

fn offset_seconds(offset: &str) -> Option<i64> {
    if matches!(offset, "Z" | "z") {
        return Some(0);
    }
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = offset.get(1..)?.split_once(':')?;
    Some(sign * (digits(hours)? * 3600 + digits(minutes)? * 60))
}

fn triple(text: &str, by: char) -> Option<(i64, i64, i64)> {
    let mut fields = text.split(by).map(digits);
    let read = (fields.next()??, fields.next()??, fields.next()??);
    fields.next().is_none().then_some(read)
}

fn digits(text: &str) -> Option<i64> {
    let plain = (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// `in 4 min 12 s`, `5 min ago`, `now`.
pub(super) fn relative(then: i64, now: i64) -> String {
    match then.saturating_sub(now) {
        0 => String::from("now"),
        ahead @ 1.. => format!("in {}", span(ahead)),
        behind => format!("{} ago", span(behind.saturating_neg())),
    }
}

/// A length of time by its two largest units.
pub(super) fn span(seconds: i64) -> String {
    let units = [("d", DAY), ("h", 3600), ("min", 60), ("s", 1)];
    let first = units.iter().position(|(_, length)| seconds >= *length).unwrap_or(units.len() - 1);
    let (unit, length) = units[first];
    let words = format!("{} {unit}", seconds / length);
    match units.get(first + 1) {
        Some((unit, smaller)) if seconds % length >= *smaller => {
            format!("{words} {} {unit}", seconds % length / smaller)
        }
        _ => words,
    }
}

#[cfg(test)]
mod tests {
    use super::{parse, relative, rfc3339, span};
    use proptest::prelude::*;

    #[test]
    fn dates_are_right_at_the_edges() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_700_000_000, "2023-11-14T22:13:20Z"),
            (-1, "1969-12-31T23:59:59Z"),
        ] {
            assert_eq!(rfc3339(seconds).as_deref(), Some(text));
            assert_eq!(parse(text), Some(seconds));
        }
        assert_eq!(rfc3339(i64::MAX), None);
        assert_eq!(parse("2023-11-14T23:13:20.5+01:00"), Some(1_700_000_000));
        for bad in ["", "T", "2023-11-14", "2023-13-01T00:00:00Z", "2023-11-14T25:00:00Z", "2023-11-14T22:13:20"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn spans_read_well() {
        assert_eq!((span(0), span(59), span(300)), ("0 s".into(), "59 s".into(), "5 min".into()));
        assert_eq!((span(3661), span(90_000)), ("1 h 1 min".into(), "1 d 1 h".into()));
        assert_eq!(
            (relative(10, 5), relative(5, 10), relative(5, 5)),
            ("in 5 s".into(), "5 s ago".into(), "now".into())
        );
        assert!(relative(i64::MIN, i64::MAX).ends_with("ago"));
    }

    proptest! {
        #[test]
        fn reads_back_what_it_writes(seconds in -62_000_000_000i64..253_000_000_000) {
            prop_assert_eq!(rfc3339(seconds).and_then(|text| parse(&text)), Some(seconds));
        }

        #[test]
        fn no_number_and_no_text_panics(seconds: i64, now: i64, text in ".{0,40}") {
            let _ = (rfc3339(seconds), relative(seconds, now), span(seconds), parse(&text));
        }
    }
}
