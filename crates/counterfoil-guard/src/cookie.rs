//! The `Cookie` request header, read strictly (RFC 6265bis section 5.7, CK-*).

/// Every value that stands in `header` under exactly this name. Two are a fact to deal with, not one to hide: which comes
/// first is the attacker's choice (CK-DUP, ATK-33).
///
/// Bytes, not text: what other cookies of the host hold is none of our business and must not hide ours. A nameless cookie
/// whose value looks like `__Host-x=1` arrives as `=__Host-x=1` and has no name here (CK-5.7d). A value with a character that
/// no server sets (RFC 6265 `cookie-octet`) is skipped, quoted ones included.
pub fn cookie_values<'a>(header: &'a [u8], name: &str) -> Vec<&'a str> {
    let mut values = Vec::new();
    for pair in header.split(|b| *b == b';') {
        // The name first: most pairs are not ours, and their values need no looking at.
        if let Some(value) = pair.trim_ascii().strip_prefix(name.as_bytes()).and_then(|rest| rest.strip_prefix(b"="))
            && !value.is_empty()
            // Without an early end, so that the compiler can look at many characters at once.
            && value.iter().fold(true, |so_far, b| so_far & is_cookie_octet(*b))
            && let Ok(value) = std::str::from_utf8(value)
        {
            values.push(value);
        }
    }
    values
}

const fn is_cookie_octet(b: u8) -> bool {
    matches!(b, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e)
}

#[cfg(test)]
mod tests {
    use super::cookie_values;
    use proptest::prelude::*;

    #[test]
    fn atk33_only_the_exact_name_counts_and_every_duplicate_is_seen() {
        let header = "a=1; __Host-x=first; __HOST-x=no; =__Host-x=no; __Host-x=second; x__Host-x=no; __Host-x";
        assert_eq!(cookie_values(header.as_bytes(), "__Host-x"), ["first", "second"]);
        assert!(cookie_values(b"__Host-x=\"quoted\"; __Host-x=a,b; __Host-x=a\x01b; __Host-x=", "__Host-x").is_empty());
        let crowded = [b"theme=caf\xc3\xa9; \xff\xfe; x=1; y=".as_slice(), &vec![b'z'; 30_000]].concat();
        assert_eq!(cookie_values(&crowded, "x"), ["1"], "other cookies do not hide ours");
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(header: Vec<u8>, name in ".{0,10}") {
            let _ = cookie_values(&header, &name).len();
        }

        #[test]
        fn what_is_sent_is_found(value in "[A-Za-z0-9_.-]{1,80}", before in "[a-z=; ]{0,20}") {
            let header = format!("{before}; cookie={value}");
            prop_assert!(cookie_values(header.as_bytes(), "cookie").contains(&value.as_str()));
        }
    }
}
