//! The pieces that texts of hashes are made of: fields between dollar signs, numbers, base64.

use super::{NotTaken, within};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Reads base64 with padding and without.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// As texts of hashes have it, without padding.
pub(super) fn encode(bytes: &[u8]) -> String {
    STANDARD_NO_PAD.encode(bytes)
}

/// Base64 in the standard alphabet, that of addresses, or passlib's, which writes a dot for the plus sign.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let standard = |c: char| match c {
        '-' | '.' => '+',
        '_' => '/',
        other => other,
    };
    LENIENT.decode(text.chars().map(standard).collect::<String>()).ok()
}

/// A number in plain decimal digits.
pub(super) fn number(text: &str) -> Option<u32> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// Exactly these parameters, in this order: `m=65536,t=3,p=4`.
pub(super) fn parameters<const N: usize>(text: &str, names: [&str; N]) -> Option<[u32; N]> {
    let mut values = [0; N];
    let mut fields = text.split(',');
    for (value, name) in values.iter_mut().zip(names) {
        *value = number(fields.next()?.strip_prefix(name)?.strip_prefix('=')?)?;
    }
    fields.next().is_none().then_some(values)
}

/// Exactly so many fields between dollar signs.
pub(super) fn split<'a, const N: usize>(kind: &'static str, text: &'a str) -> Result<[&'a str; N], NotTaken> {
    let fields: Vec<&str> = text.splitn(N + 1, '$').collect();
    fields.try_into().map_err(|_| NotTaken::malformed(kind, "it does not have the fields of its kind"))
}

/// A salt: anything but none.
pub(super) fn salt(kind: &'static str, text: &str) -> Result<Vec<u8>, NotTaken> {
    let salt = decode(text).ok_or(NotTaken::malformed(kind, "the salt is not base64"))?;
    within(kind, "a salt of bytes:", salt.len() as u64, 1..=64)?;
    Ok(salt)
}

/// A digest: long enough that no other password has it by chance.
pub(super) fn digest(kind: &'static str, text: &str) -> Result<Vec<u8>, NotTaken> {
    let digest = decode(text).ok_or(NotTaken::malformed(kind, "the digest is not base64"))?;
    within(kind, "a digest of bytes:", digest.len() as u64, 16..=64)?;
    Ok(digest)
}

#[cfg(test)]
mod tests {
    use super::{decode, number, parameters};

    #[test]
    fn numbers_and_parameters_have_one_spelling() {
        assert_eq!(parameters("m=1,t=2", ["m", "t"]), Some([1, 2]));
        for wrong in ["m=1", "t=2,m=1", "m=1,t=2,p=3", "m=1,t=+2", "m=1,t=", "m=1,t=99999999999", "M=1,t=2", ""] {
            assert_eq!(parameters(wrong, ["m", "t"]), None, "{wrong}");
        }
        assert_eq!(number("007"), Some(7));
    }

    #[test]
    fn base64_is_read_in_three_alphabets_with_padding_or_without() {
        for text in ["+/8=", "+/8", "-_8", "./8"] {
            assert_eq!(decode(text), Some(vec![0xfb, 0xff]), "{text}");
        }
        assert_eq!(decode("+/9"), None, "bits that mean nothing are nothing");
        assert_eq!(decode("a b"), None);
    }
}
