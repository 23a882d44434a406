//! Links and codes that are sent by mail: what they look like, and what each is for.
//!
//! A link holds 256 random bits, so that a plain hash is enough to keep it by. A code is short: it counts only together with the
//! sign-in that asked for it (ASVS-6.6.2), for ten minutes (ASVS-6.5.5) and a few tries.

use crate::secret::Secret;
use aws_lc_rs::digest::{SHA256, digest};
use counterfoil_guard::{base64url_decode, base64url_encode};
use std::time::Duration;

/// Bytes of a link's secret.
pub const BYTES: usize = 32;

/// What every link's token begins with.
const PREFIX: &str = "cfm_";

/// Digits of a code.
pub const DIGITS: usize = 8;

/// What a link is for. One never does another's work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To make the account that somebody has asked for with this address.
    Register,
    /// To make one that begins with a passkey.
    SignUp,
    /// To choose another password.
    Reset,
    /// To sign in.
    SignIn,
    /// To have this address from now on.
    ChangeEmail,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Register, Self::SignUp, Self::Reset, Self::SignIn, Self::ChangeEmail];

    /// The stable word for it, which the store keeps and the page's address shows.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Register => "confirm",
            Self::SignUp => "sign-up",
            Self::Reset => "reset",
            Self::SignIn => "sign-in",
            Self::ChangeEmail => "change",
        }
    }

    /// How long a link counts. What opens an account ends soonest (ASVS-6.5.5); none lasts longer than a day (NIST-4.2).
    pub const fn lasts(self) -> Duration {
        match self {
            Self::Register | Self::SignUp => Duration::from_hours(24),
            Self::Reset | Self::ChangeEmail => Duration::from_hours(1),
            Self::SignIn => Duration::from_mins(10),
        }
    }

    /// The purpose with this word.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == name)
    }
}

/// A link's token, as it stands in the mail.
pub fn write(secret: &Secret<[u8; BYTES]>) -> Secret<String> {
    Secret::new(format!("{PREFIX}{}", base64url_encode(secret.expose())))
}

/// What is kept of a token; `None` if it cannot be one.
pub fn hash(token: &Secret<String>) -> Option<[u8; 32]> {
    let text = token.expose().strip_prefix(PREFIX).filter(|text| text.len() == 43)?;
    let secret = Secret::new(base64url_decode(text)?);
    (secret.expose().len() == BYTES).then(|| sha256(&[b"counterfoil/mail-link", secret.expose()]))
}

/// A code as it stands in the mail. Of 64 random bits none of the hundred million codes is noticeably likelier than another.
pub fn code(random: &Secret<[u8; 8]>) -> Secret<String> {
    let number = u64::from_be_bytes(*random.expose()) % 100_000_000;
    Secret::new(format!("{number:0DIGITS$}"))
}

/// A code as people type it; `None` if it cannot be one.
pub fn read_code(typed: &Secret<String>) -> Option<Secret<String>> {
    let typed = typed.expose();
    if typed.len() > 32 {
        return None;
    }
    let digits: String = typed.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    (digits.len() == DIGITS && digits.bytes().all(|b| b.is_ascii_digit())).then(|| Secret::new(digits))
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    digest(&SHA256, &parts.concat()).as_ref().try_into().expect("SHA-256 is 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::{Purpose, code, hash, read_code, write};
    use crate::secret::Secret;

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[test]
    fn a_token_has_one_spelling() {
        let token = write(&Secret::new([7; 32]));
        assert!(hash(&token).is_some() && hash(&token) != hash(&write(&Secret::new([8; 32]))));
        let text = token.expose().clone();
        for wrong in [
            "",
            "cfm_",
            &text[4..],
            &text[..46],
            &format!("{text}A"),
            &text.replace("cfm_", "cfr_"),
            &format!(" {text}"),
        ] {
            assert_eq!(hash(&secret(wrong)), None, "{wrong}");
        }
    }

    #[test]
    fn asvs_6_5_4_a_code_has_eight_digits_and_is_read_as_people_type_it() {
        assert_eq!(code(&Secret::new([0; 8])).expose(), "00000000");
        assert_eq!(code(&Secret::new([255; 8])).expose().len(), 8);
        assert_eq!(read_code(&secret("1234 5678")).expect("a code").expose(), "12345678");
        for wrong in ["", "1234567", "123456789", "1234567a", "١٢٣٤٥٦٧٨"] {
            assert!(read_code(&secret(wrong)).is_none(), "{wrong}");
        }
    }

    #[test]
    fn every_purpose_has_a_word_of_its_own() {
        for purpose in Purpose::ALL {
            assert_eq!(Purpose::from_name(purpose.as_str()), Some(purpose));
        }
    }
}
