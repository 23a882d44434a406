//! Authenticator apps (RFC 6238): six digits, thirty seconds, SHA-1, because that is what every app can do.

use crate::secret::Secret;
use counterfoil_guard::Timestamp;
use totp_rs::{Builder, Totp};

/// Bytes of a secret: what RFC 4226 section 4 recommends.
pub const BYTES: usize = 20;

/// Seconds for which a code is shown.
const STEP: u64 = 30;

/// How many steps a clock may be off: half a minute before and after, which is as long as ASVS-6.5.5 lets a code live.
const SKEW: u16 = 1;

/// How far off a clock is looked for, in order to say so: five minutes.
const FAR: u16 = 10;

/// A time step: how many half minutes since the epoch. A code counts only if it is of a later one than the last that counted.
pub type TimeStep = i64;

/// What a code that was typed is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The code of this step.
    Good(TimeStep),
    /// A code of another time: the clock of the telephone is off by about so many seconds (its own less ours).
    ClockOff(i64),
    /// No code of this secret.
    Wrong,
}

/// Reads a code, with or without spaces, at this time. Takes as long whatever it finds.
pub fn read(secret: &Secret<[u8; BYTES]>, typed: &str, now: Timestamp) -> Reading {
    let digits: String = typed.chars().filter(|c| !c.is_whitespace()).take(16).collect();
    let seconds = now.as_seconds().unsigned_abs();
    let near = of(secret, SKEW).check(&digits, seconds);
    let far = of(secret, FAR).check(&digits, seconds);
    let step = |step: u64| i64::try_from(step).unwrap_or(i64::MAX);
    match (near, far) {
        (Some(found), _) => Reading::Good(step(found)),
        (None, Some(found)) => {
            let apart = step(found).saturating_sub(step(seconds / STEP));
            Reading::ClockOff(apart.saturating_mul(step(STEP)))
        }
        (None, None) => Reading::Wrong,
    }
}

/// The address that an app reads from the picture (`otpauth://`), which holds the secret.
pub fn address(secret: &Secret<[u8; BYTES]>, service: &str, account: &str) -> Secret<String> {
    // A colon divides the two in the address.
    let plain = |text: &str| text.replace(':', " ");
    let totp = builder(secret, SKEW).with_issuer(Some(plain(service))).with_account_name(plain(account));
    let totp = totp.build().expect("the secret is long enough, and no colon is left");
    Secret::new(totp.to_url().expect("the account has a name"))
}

/// The secret as it is typed where there is no camera: base 32 (RFC 4648), in groups of four.
pub fn write(secret: &Secret<[u8; BYTES]>) -> Secret<String> {
    let plain = Secret::new(base32::encode(base32::Alphabet::Rfc4648 { padding: false }, secret.expose()));
    let groups: Vec<&str> = (0..8).map(|group| &plain.expose()[group * 4..group * 4 + 4]).collect();
    Secret::new(groups.join(" "))
}

/// The code at this time, as an app shows it.
pub fn code(secret: &Secret<[u8; BYTES]>, now: Timestamp) -> String {
    of(secret, SKEW).generate(now.as_seconds().unsigned_abs()).to_string()
}

fn builder(secret: &Secret<[u8; BYTES]>, skew: u16) -> Builder {
    Builder::new().with_secret(*secret.expose()).with_step_duration(STEP).with_skew(skew)
}

fn of(secret: &Secret<[u8; BYTES]>, skew: u16) -> Totp {
    builder(secret, skew).build().expect("the secret is long enough")
}

#[cfg(test)]
mod tests {
    use super::{Reading, address, code, read, write};
    use crate::secret::Secret;
    use counterfoil_guard::Timestamp;

    fn secret() -> Secret<[u8; 20]> {
        Secret::new(*b"12345678901234567890")
    }

    /// RFC 6238 appendix B, cut to six digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        for (seconds, digits) in [(59, "287082"), (1_111_111_109, "081804"), (20_000_000_000, "353130")] {
            assert_eq!(code(&secret(), Timestamp::from_seconds(seconds)), digits);
        }
    }

    #[test]
    fn a_code_counts_half_a_minute_early_or_late_and_further_off_the_clock_is_named() {
        let shown = code(&secret(), Timestamp::from_seconds(3_000));
        let at = |seconds| read(&secret(), &shown, Timestamp::from_seconds(seconds));
        for seconds in [2_970, 3_000, 3_029, 3_059] {
            assert_eq!(at(seconds), Reading::Good(100), "{seconds}");
        }
        assert_eq!(at(3_060), Reading::ClockOff(-60), "their clock is a minute slow");
        assert_eq!(at(2_930), Reading::ClockOff(90));
        assert_eq!(at(10_000), Reading::Wrong);
    }

    #[test]
    fn only_digits_are_a_code() {
        let now = Timestamp::from_seconds(59);
        assert_eq!(read(&secret(), " 287 082\n", now), Reading::Good(1));
        for wrong in ["", "28708", "2870820", "٢٨٧٠٨٢", "287082; DROP TABLE", &"2".repeat(1_000_000)] {
            assert_eq!(read(&secret(), wrong, now), Reading::Wrong);
        }
    }

    #[test]
    fn the_address_holds_names_safely() {
        let text = address(&secret(), "Acme: Tickets & Co", "ada@example.com");
        let expected =
            "otpauth://totp/Acme%20%20Tickets%20%26%20Co:ada%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        assert!(text.expose().starts_with(expected), "{}", text.expose());
        assert_eq!(write(&secret()).expose(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
    }
}
