//! Times as HTTP and certificates write them.

use counterfoil_core::Timestamp;
use std::time::SystemTime;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7), also with the hyphens of old cookies.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.replace('-', " ");
    let mut words = text.split_once(", ")?.1.split(' ');
    let (day, month, year, time) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    rfc3339(&format!("{year}-{month:02}-{day:0>2}T{time}Z"))
}

/// `20300131093000Z`: digits from the year to the second, as in certificates.
pub(super) fn of_digits(digits: &str) -> Option<Timestamp> {
    let part = |from: usize, to: usize| digits.get(from..to);
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    rfc3339(&format!("{year}-{month}-{day}T{}:{}:{}Z", part(8, 10)?, part(10, 12)?, part(12, 14)?))
}

fn rfc3339(text: &str) -> Option<Timestamp> {
    let time = humantime::parse_rfc3339(text).ok()?.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    Some(Timestamp::from_millis(i64::try_from(time.as_millis()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::{Timestamp, of_digits, parse};

    #[test]
    fn dates_are_read_as_they_stand_in_headers_and_certificates() {
        let expected = Some(Timestamp::from_seconds(784_111_777));
        assert_eq!(parse("Sun, 06 Nov 1994 08:49:37 GMT"), expected);
        assert_eq!(parse("Sun, 06-Nov-1994 08:49:37 GMT"), expected);
        assert_eq!(of_digits("19941106084937Z"), expected);
        for wrong in ["", "yesterday", "Sun, 06 Nov", "Sun, 06 Nev 1994 08:49:37 GMT"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        assert_eq!(of_digits("1994"), None);
    }
}
