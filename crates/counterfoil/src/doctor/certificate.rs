//! Until when a certificate counts. Reads just that of it: whether it is to be trusted, the TLS library says.

use super::http_date;
use counterfoil_core::Timestamp;

const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;

/// The element at the start: its tag, its content, and what follows it (X.690 section 8.1, definite lengths).
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (digits, rest) =
            rest.split_at_checked(usize::from(first & 0x7f)).filter(|(digits, _)| digits.len() <= 4)?;
        (digits.iter().fold(0, |length, digit| length << 8 | usize::from(*digit)), rest)
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// The content of a sequence that comes first.
fn sequence(der: &[u8]) -> Option<(&[u8], &[u8])> {
    element(der).filter(|(tag, ..)| *tag == SEQUENCE).map(|(_, content, rest)| (content, rest))
}

/// `notAfter` (RFC 5280 section 4.1.2.5).
pub(super) fn not_after(certificate: &[u8]) -> Option<Timestamp> {
    let (certificate, _) = sequence(certificate)?;
    let (signed, _) = sequence(certificate)?;
    let (tag, _, after_version) = element(signed)?;
    let (_serial, _, rest) = element(if tag == VERSION { after_version } else { signed })?;
    let (_algorithm, rest) = sequence(rest)?;
    let (_issuer, rest) = sequence(rest)?;
    let (validity, _) = sequence(rest)?;
    let (_not_before, _, rest) = element(validity)?;
    let (tag, digits, _) = element(rest)?;
    let digits = std::str::from_utf8(digits).ok()?;
    if tag != UTC_TIME {
        return http_date::of_digits(digits);
    }
    let century = if digits.get(..2)? < "50" { "20" } else { "19" };
    http_date::of_digits(&format!("{century}{digits}"))
}

#[cfg(test)]
mod tests {
    use super::not_after;
    use counterfoil_core::Timestamp;

    #[test]
    fn the_end_is_found_in_either_form_and_rubbish_has_none() {
        for (year, seconds) in [(2031, 1_925_078_400), (2062, 2_903_385_600)] {
            let mut made = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
            made.not_after = rcgen::date_time_ymd(year, 1, 2);
            let certificate = made.self_signed(&rcgen::KeyPair::generate().expect("a key")).expect("a certificate");
            assert_eq!(not_after(certificate.der()), Some(Timestamp::from_seconds(seconds)), "{year}");
            for length in 0..certificate.der().len().min(120) {
                assert_eq!(not_after(&certificate.der()[..length]), None);
            }
        }
        assert_eq!(not_after(b"\x30\x84\xff\xff\xff\xff"), None);
    }
}
