//! A device in words, out of a `User-Agent`: "Firefox on Linux". For people who look at a list of devices, and for
//! the rules of risk; nothing else is decided by it.

use counterfoil_core::risk::place::UNKNOWN_DEVICE;

const BROWSERS: [(&str, &str); 9] = [
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
];

const SYSTEMS: [(&str, &str); 8] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
];

/// Names the device; never longer than 40 characters, never anything out of the header but what is on the lists.
pub(super) fn device(user_agent: Option<&str>) -> String {
    let text = user_agent.unwrap_or_default();
    let find = |list: &[(&str, &'static str)]| list.iter().find(|(mark, _)| text.contains(mark)).map(|(_, name)| *name);
    match (find(&BROWSERS), find(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(only), None) | (None, Some(only)) => only.to_owned(),
        (None, None) => UNKNOWN_DEVICE.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::device;

    #[test]
    fn well_known_browsers_are_named_and_nothing_is_copied() {
        let chrome =
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
        let iphone =
            "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1 Version/19.0 Mobile Safari/604.1";
        assert_eq!(device(Some(chrome)), "Chrome on Linux");
        assert_eq!(device(Some(iphone)), "Safari on iPhone");
        assert_eq!(device(Some("curl/8.5.0")), "curl");
        assert_eq!(device(Some("<script>alert(1)</script>")), "Unknown device");
        assert_eq!(device(None), "Unknown device");
    }

    proptest::proptest! {
        #[test]
        fn nothing_of_the_header_is_copied(text in ".{0,80}") {
            let device = device(Some(&text));
            let words = ["on", "Unknown", "device", "Samsung", "Internet"];
            let known = |word: &str| {
                words.contains(&word)
                    || super::BROWSERS.iter().any(|(_, name)| *name == word)
                    || super::SYSTEMS.iter().any(|(_, name)| *name == word)
            };
            proptest::prop_assert!(device.len() <= 40 && device.split(' ').all(known), "{device}");
        }
    }
}
