//! What makes a password acceptable (NIST SP 800-63B-4 section 3.1.1.2, ASVS 6.2).
//!
//! Length, and not being one that attackers try first. No composition rules, no periodic change, no truncation; every
//! code point counts one; the password is hashed in normalisation form C and otherwise exactly as received.

use crate::secret::Secret;
use unicode_normalization::UnicodeNormalization;

/// The most bytes a password may have: a bound on work, far above what anybody types.
pub const MAX_BYTES: usize = 1024;

/// The fewest characters a policy may ask for (ASVS-6.2.1).
pub const LEAST_MINIMUM: usize = 8;

const COMMON: &str = include_str!("../../data/common-passwords.txt");

/// Why a password was not accepted; tell the user (NIST-3.1.1.2c).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejected {
    /// Fewer characters than the policy asks for.
    TooShort,
    /// More than [`MAX_BYTES`].
    TooLong,
    /// On the list of passwords that attackers try first, or one of them written twice.
    Common,
    /// Made of one repeated pattern or a plain sequence.
    Predictable,
    /// The user's own address or name, or the service's name, and nothing else worth mentioning.
    Context,
    /// Known from a breach of some other service.
    Breached,
    /// Contains a control character, which no keyboard types and no form sends twice the same way.
    ControlCharacter,
}

impl Rejected {
    /// The stable word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::Common => "common",
            Self::Predictable => "predictable",
            Self::Context => "context",
            Self::Breached => "breached",
            Self::ControlCharacter => "control_character",
        }
    }
}

/// A password in normalisation form C, ready to be hashed.
#[derive(Debug)]
pub struct Password {
    normal: Secret<String>,
    /// Only where it differs.
    received: Option<Secret<String>>,
}

impl Password {
    /// Normalises what the user sent; refuses only what is over [`MAX_BYTES`], before any work.
    pub fn new(received: &Secret<String>) -> Result<Self, Rejected> {
        if received.expose().len() > MAX_BYTES {
            return Err(Rejected::TooLong);
        }
        let normal: Secret<String> = Secret::new(received.expose().nfc().collect());
        let received = (normal.expose() != received.expose()).then(|| received.clone());
        Ok(Self { normal, received })
    }

    /// The bytes to hash.
    pub fn as_bytes(&self) -> &[u8] {
        self.normal.expose().as_bytes()
    }

    /// The bytes as they were received: what systems that do not normalise have hashed.
    pub fn as_received(&self) -> &[u8] {
        self.received.as_ref().unwrap_or(&self.normal).expose().as_bytes()
    }

    /// Whether it is one that attackers try first.
    pub fn is_common(&self) -> bool {
        let folded = Secret::new(self.normal.expose().to_lowercase());
        common(folded.expose())
    }

    /// Whether it may be set. `context` holds words that are easily guessed for this user: address, name, service.
    pub fn check(&self, min_length: usize, context: &[&str]) -> Result<(), Rejected> {
        let text = self.normal.expose();
        if text.chars().any(char::is_control) {
            return Err(Rejected::ControlCharacter);
        }
        if text.chars().count() < min_length.max(LEAST_MINIMUM) {
            return Err(Rejected::TooShort);
        }
        let folded = Secret::new(text.to_lowercase());
        let folded = folded.expose();
        if common(folded) {
            return Err(Rejected::Common);
        }
        if is_predictable(folded) {
            return Err(Rejected::Predictable);
        }
        if is_context(folded, context) {
            return Err(Rejected::Context);
        }
        Ok(())
    }
}

/// On the list, or half of it twice.
fn common(folded: &str) -> bool {
    is_common(folded) || halves(folded).is_some_and(is_common)
}

fn is_common(folded: &str) -> bool {
    // The list is sorted by byte; lines are compared as they are.
    let (mut low, mut high) = (0, COMMON.len());
    while low < high {
        let middle = usize::midpoint(low, high);
        let start = COMMON[..middle].rfind('\n').map_or(0, |newline| newline + 1);
        let end = COMMON[start..].find('\n').map_or(COMMON.len(), |length| start + length);
        match COMMON[start..end].cmp(folded) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => low = end + 1,
            std::cmp::Ordering::Greater => high = start,
        }
    }
    false
}

/// The first half, if the text is that half twice.
fn halves(text: &str) -> Option<&str> {
    let (first, second) = text.split_at_checked(text.len() / 2)?;
    (first == second).then_some(first)
}

/// A unit of at most four characters repeated, or characters that go up or down by one throughout.
fn is_predictable(text: &str) -> bool {
    let chars: Vec<u32> = text.chars().map(u32::from).collect();
    let repeats = |unit: usize| chars.iter().zip(chars.iter().skip(unit)).all(|(a, b)| a == b);
    let steps = |by: u32| chars.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(by));
    (1..=4).any(repeats) || steps(1) || steps(u32::MAX)
}

/// Whether little is left once the words that anybody could guess are taken out.
fn is_context(folded: &str, context: &[&str]) -> bool {
    let mut rest = folded.to_owned();
    let context: Vec<String> = context.iter().map(|word| word.nfc().collect()).collect();
    let words = context.iter().flat_map(|word| word.split(['@', '.', ' ', '-', '_', '+']).chain([word.as_str()]));
    let mut words: Vec<String> = words.filter(|word| word.chars().count() >= 4).map(str::to_lowercase).collect();
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    for word in &words {
        rest = rest.replace(word.as_str(), "");
    }
    rest.len() < folded.len() && rest.chars().count() < 6
}

#[cfg(test)]
mod tests {
    use super::{MAX_BYTES, Password, Rejected, is_common};
    use crate::secret::Secret;

    fn check(text: &str, min: usize) -> Result<(), Rejected> {
        let password = Password::new(&Secret::new(text.to_owned()))?;
        password.check(min, &["ada.lovelace@example.com", "Ada Lovelace", "Counterfoil"])
    }

    #[test]
    fn nist_3112a_length_counts_code_points_and_spaces_and_unicode_are_welcome() {
        assert_eq!(check("kurz und gut", 15), Err(Rejected::TooShort));
        assert_eq!(check("correct horse battery staple", 15), Ok(()));
        assert_eq!(check("Zwölf Boxkämpfer jagen 🥊", 15), Ok(()));
        assert_eq!(check(&"ü†Ω".repeat(4)[..], 15), Err(Rejected::TooShort));
        assert_eq!(check(&("a long one ".repeat(5) + "of 64 and more"), 15), Ok(()));
    }

    #[test]
    fn nist_3112c_common_passwords_are_refused_also_doubled_and_in_capitals() {
        for common in ["password123", "PASSWORD123", "passwordpassword", "qwertyuiop", "iloveyou"] {
            assert_eq!(check(common, 8), Err(Rejected::Common), "{common}");
        }
        assert!(super::COMMON.lines().all(is_common), "every line is found");
    }

    #[test]
    fn asvs_6211_context_words_and_patterns_are_refused() {
        assert_eq!(check("counterfoil1234", 15), Err(Rejected::Context));
        assert_eq!(check("ada.lovelace@example.com", 15), Err(Rejected::Context));
        assert_eq!(check("üüüüüüüüüüüüüüüüü", 15), Err(Rejected::Predictable));
        assert_eq!(check("abcabcabcabcabcabc", 15), Err(Rejected::Predictable));
        assert_eq!(check("abcdefghijklmnop", 15), Err(Rejected::Predictable));
    }

    #[test]
    fn atk21_the_size_is_bounded_before_any_work_and_nothing_is_truncated() {
        assert_eq!(check(&"x".repeat(MAX_BYTES + 1), 15), Err(Rejected::TooLong));
        let nfd = Password::new(&Secret::new("cafe\u{301} au lait noir".to_owned())).expect("short");
        let nfc = Password::new(&Secret::new("caf\u{e9} au lait noir".to_owned())).expect("short");
        assert_eq!(nfd.as_bytes(), nfc.as_bytes());
        assert_eq!((nfd.as_received(), nfc.as_received()), ("cafe\u{301} au lait noir".as_bytes(), nfc.as_bytes()));
    }
}
